"""Random gated networks: blocks of every topology, with multipliers at every place people put them.

`build` makes a network of choices that a function takes, so that hypothesis can shrink them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from hypothesis import strategies as st

from gates import any_gate, spatial_gate
from network import Array, Network

T = TypeVar("T")
Pick = Callable[[Sequence[Any]], Any]
Planes = str

# Where a multiplier stands in convolution - batch norm - ReLU.
PLACES = ("none", "input", "before norm", "before relu", "after relu", "twice", "gain and shift", "filled")


@dataclass(frozen=True)
class Example:
    """A network with the input on which its gates are mixed."""

    model: bytes
    feeds: dict[str, Array]


def _multiplied(net: Network, x: Planes, multiplier: str, pick: Pick) -> Planes:
    order = pick([(x, multiplier), (multiplier, x)])
    return net.add("Mul", *order)


def _source(net: Network, x: Planes, pick: Pick) -> Planes:
    """What a gate looks at: the input of its convolution, which may be masked itself, or the image."""
    return pick([x, x, net.image])


def conv_unit(net: Network, x: Planes, kernels: int, pick: Pick, *, stride: int = 1, size: int = 3) -> Planes:
    """Convolution, batch norm or bias, ReLU, with a multiplier at one of PLACES."""
    place = pick(PLACES)
    source = _source(net, x, pick)
    normalised = place in ("before norm", "gain and shift", "twice") or pick([True, False])
    if place == "input":
        x = _multiplied(net, x, any_gate(net, source, net.shape(x)[1], pick), pick)
    y = net.conv(x, kernels, size, stride=stride, bias=not normalised)
    mask = any_gate(net, source, kernels, pick) if place not in ("none", "input") else ""
    if place in ("before norm", "twice"):
        y = _multiplied(net, y, mask, pick)
    if normalised:
        y = net.batch_norm(y, affine=place != "gain and shift")
    if place in ("before relu", "twice"):
        y = _multiplied(net, y, mask, pick)
    if place == "gain and shift":
        # The gates of FBS: what is off gets neither the gain nor the shift.
        shift = net.store(net.rng.uniform(-0.3, 0.3, (1, kernels, 1, 1)), "shift")
        y = net.add("Add", _multiplied(net, y, mask, pick), net.add("Mul", mask, shift))
    y = _activation(net, y, pick)
    if place == "after relu":
        y = _multiplied(net, y, mask, pick)
    if place == "filled":
        off = net.add("Sub", net.store(np.float32(1), "one"), mask)
        y = net.add("Add", _multiplied(net, y, mask, pick), net.add("Mul", off, net.store(np.float32(2), "two")))
    return y


def _activation(net: Network, x: Planes, pick: Pick) -> Planes:
    kind = pick(["Relu", "Relu", "Relu", "Clip", "LeakyRelu", "HardSwish", "none"])
    if kind == "Clip":
        return net.add("Clip", x, net.store(np.float32(0), "low"), net.store(np.float32(6), "high"))
    return x if kind == "none" else net.add(kind, x)


def plain(net: Network, x: Planes, pick: Pick) -> Planes:
    """One convolution; grouped, strided or large ones too."""
    return conv_unit(net, x, pick([4, 8, 12]), pick, stride=pick([1, 1, 2]), size=pick([1, 3, 3, 5]))


def residual(net: Network, x: Planes, pick: Pick) -> Planes:
    """The basic block: two convolutions and a shortcut, each channel or the whole branch gated."""
    channels = net.shape(x)[1]
    branch = conv_unit(net, x, pick([4, 8]), pick)
    branch = net.batch_norm(net.conv(branch, channels, 3, bias=False))
    gated = pick(["none", "channels", "block", "pixels"])
    if gated == "channels":
        branch = _multiplied(net, branch, any_gate(net, _source(net, x, pick), channels, pick), pick)
    elif gated == "block":
        branch = _multiplied(net, branch, any_gate(net, _source(net, x, pick), 1, pick), pick)
    elif gated == "pixels":
        branch = _multiplied(net, branch, spatial_gate(net, x, *net.shape(x)[2:]), pick)
    return net.relu(net.add("Add", *pick([(x, branch), (branch, x)])))


def skipped(net: Network, x: Planes, pick: Pick) -> Planes:
    """SkipNet and BlockDrop: m block(x) + (1 - m) x, the block with its own shortcut and ReLU."""
    mask = any_gate(net, _source(net, x, pick), 1, pick)
    branch = conv_unit(net, x, net.shape(x)[1], pick)
    block = net.relu(net.add("Add", branch, x)) if pick([True, False]) else branch
    off = net.add("Sub", net.store(np.float32(1), "one"), mask)
    return net.add("Add", _multiplied(net, block, mask, pick), _multiplied(net, x, off, pick))


def separable(net: Network, x: Planes, pick: Pick) -> Planes:
    """MobileNetV2: pointwise, depthwise, pointwise; a mask on the input of the last."""
    channels, wide = net.shape(x)[1], pick([8, 12])
    source, stride = _source(net, x, pick), pick([1, 1, 2])
    y = net.relu(net.batch_norm(net.conv(x, wide, 1, bias=False)))
    if pick([True, False]):
        y = _multiplied(net, y, any_gate(net, source, wide, pick), pick)
    y = net.conv(y, wide, 3, stride=stride, groups=wide, bias=False)
    y = net.add("Clip", net.batch_norm(y), net.store(np.float32(0), "low"), net.store(np.float32(6), "high"))
    if pick([True, True, False]):
        y = _multiplied(net, y, any_gate(net, source, wide, pick), pick)
    y = net.batch_norm(net.conv(y, channels, 1, bias=False))
    return net.add("Add", x, y) if stride == 1 else y


def fire(net: Network, x: Planes, pick: Pick) -> Planes:
    """SqueezeNet: two branches side by side, each with its own switches."""
    squeezed = conv_unit(net, x, 4, pick, size=1)
    branches = [conv_unit(net, squeezed, 4, pick, size=1), conv_unit(net, squeezed, 8, pick, size=3)]
    joined = net.add("Concat", *pick([branches, branches[::-1]]), axis=1)
    if pick([True, False]):
        joined = _multiplied(net, joined, any_gate(net, _source(net, x, pick), 12, pick), pick)
    return joined


def grouped(net: Network, x: Planes, pick: Pick) -> Planes:
    """A grouped convolution between two switches."""
    y = conv_unit(net, x, 8, pick, size=1)
    mask = any_gate(net, _source(net, x, pick), 8, pick)
    y = net.relu(net.conv(y, 8, 3, groups=pick([2, 4]), bias=True))
    return _multiplied(net, y, mask, pick)


def pooled(net: Network, x: Planes, pick: Pick) -> Planes:
    """Pooling behind a mask."""
    masked = _multiplied(net, x, any_gate(net, net.image, net.shape(x)[1], pick), pick)
    if pick([True, False]):
        return net.add("MaxPool", masked, kernel_shape=[2, 2], strides=[2, 2])
    return net.add("AveragePool", masked, kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])


def excited(net: Network, x: Planes, pick: Pick) -> Planes:
    """Squeeze and excitation: a multiplier that needs the planes it multiplies, so it cannot switch them."""
    y = net.relu(net.conv(x, 8, 3))
    return _multiplied(net, y, any_gate(net, y, 8, pick), pick)


BLOCKS = (plain, residual, skipped, separable, fire, grouped, pooled, excited)


def _head(net: Network, x: Planes, pick: Pick) -> list[str]:
    """The outputs: classes behind a layer with gated neurons, a map, and what else looks at the planes."""
    outputs = []
    kind = pick(["classes", "classes", "map"])
    if kind == "map":
        outputs.append(net.conv(x, 2, 1))
    else:
        hidden = net.relu(net.linear(net.pooled(x), 8))
        if pick([True, False]):
            neurons = net.add("Flatten", any_gate(net, x, 8, pick))
            hidden = _multiplied(net, hidden, neurons, pick)
        outputs.append(net.linear(hidden, 3))
    if pick([True, False]):
        outputs.append(net.pooled(x))
    return outputs


def build(pick: Pick, seed: int) -> Example:
    """Build a network of what `pick` picks from each list it is given; `seed` makes the numbers."""
    batch = pick([1, 2, 3, 4])
    net = Network(seed, batch=batch, size=pick([8, 9, 12]))
    x = net.relu(net.conv(net.image, 8, 3))
    seen = [x]
    for _ in range(pick([1, 2, 3])):
        x = pick(BLOCKS)(net, x, pick)
        seen.append(x)
    outputs = _head(net, x, pick)
    if pick([True, False, False]):  # an auxiliary output that reads masked planes in the middle of the network
        outputs.append(net.pooled(pick(seen)))
    return Example(net.model(outputs), net.feeds)


@st.composite
def networks(draw: st.DrawFn) -> Example:
    """Draw networks for hypothesis."""
    return build(lambda options: draw(st.sampled_from(options)), draw(st.integers(0, 2**32 - 1)))
