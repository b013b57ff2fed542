"""Convolutions that hand their planes on in strips, to the depthwise one that alone reads them."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import pdrt
from network import Network
from oracle import assert_equal, assert_right_on_threads, expected


def strips(explanation: pdrt.Explanation) -> list[str]:
    """Return what is said of strips: the same of both steps."""
    said = [note for step in explanation.steps for note in step.notes if " strips of " in note]
    assert said[::2] == said[1::2]
    return said[::2]


def depthwise(
    net: Network, x: str, size: int = 3, before: int = 1, after: int = 1, dilation: int = 1, stride: int = 2
) -> str:
    kernels = net.shape(x)[1]
    weights = net.store(net.rng.standard_normal((kernels, 1, size, size)) / size)
    bias = net.store(net.rng.standard_normal(kernels))
    pads = [before, before, after, after]
    return net.add("Conv", x, weights, bias, pads=pads, dilations=[dilation] * 2, strides=[stride] * 2, group=kernels)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    size=st.integers(80, 150),
    filter_size=st.sampled_from([1, 3, 5]),
    stride=st.sampled_from([1, 1, 2]),
    groups=st.sampled_from([1, 1, 2]),
    gate=st.booleans(),
    residual=st.booleans(),
    behind=st.tuples(
        st.integers(2, 5), st.integers(0, 2), st.integers(0, 2), st.sampled_from([1, 1, 2]), st.integers(2, 3)
    ),
)
def test_strips(
    seed: int,
    size: int,
    filter_size: int,
    stride: int,
    groups: int,
    gate: bool,
    residual: bool,
    behind: tuple[int, int, int, int, int],
) -> None:
    """As ONNX Runtime has it, in memory that was full of NaN; the same to the last bit on any number of threads."""
    net = Network(seed, batch=2, channels=4, size=size * stride)
    kernels = 2 * (200_000 // size**2 // 2 + 1)  # planes large enough, and few of them
    last = net.conv(net.image, kernels, size=filter_size, stride=stride, groups=groups, lift=-0.5)
    if residual:
        last = net.add("Add", last, net.input("residual", net.rng.standard_normal(net.shape(last))))
    last = net.relu(last)
    if gate:
        switches = net.rng.integers(0, 2, (2, kernels, 1, 1))
        last = net.add("Mul", last, net.input("gate", switches))
    last = net.relu(net.batch_norm(depthwise(net, last, *behind)))
    model = net.model([net.conv(last, 5)])
    session = pdrt.Session(model, threads=1)
    # Without a stride, a 3x3 filter may be Winograd's, who works on tiles of the whole map.
    assert len(strips(session.explain())) == 1 or filter_size == 3
    assert_right_on_threads(session, model, net.feeds)


def large(kernels: int = 32) -> tuple[Network, str]:
    net = Network(7, channels=4, size=96)
    return net, net.relu(net.conv(net.image, kernels, size=1))


def strips_of(net: Network, *outputs: str) -> int:
    model = net.model(list(outputs))
    session = pdrt.Session(model, threads=2)
    assert_equal(session.run(net.feeds), expected(model, net.feeds))
    return len(strips(session.explain()))


def test_who_else_reads_the_planes_gets_them() -> None:
    """Nothing is handed on in strips that has to stay: for another step, or for the caller."""
    net, planes = large()
    behind = depthwise(net, planes)
    assert strips_of(net, behind) == 1
    assert strips_of(net, behind, planes) == 0
    assert strips_of(net, behind, net.conv(planes, 3)) == 0
    net, planes = large(8)
    assert strips_of(net, depthwise(net, planes)) == 0  # small enough to stay near


def test_what_is_off_is_not_computed() -> None:
    """Kernels that are off: whatever their weights, the next step has their constants."""
    net, planes = large()
    conv = net.inputs_of(planes)[0]
    mask = net.input("mask", np.arange(32).reshape(1, -1, 1, 1) % 4 == 0)
    out = depthwise(net, net.add("Mul", planes, mask))
    truth = expected(net.model([out]), net.feeds)
    net.weights[f"{conv}.w"][net.feeds["mask"].ravel() == 0] = np.nan
    session = pdrt.Session(net.model([out]), threads=2)
    assert len(strips(session.explain())) == 1
    assert_equal(session.run(net.feeds), truth)
    assert all(4 * layer.active == layer.kernels for layer in session.last_run.layers)


def test_strips_take_less_memory() -> None:
    net, planes = large()
    behind = depthwise(net, planes)
    sizes = [pdrt.Session(net.model(outputs)).explain().arena_bytes for outputs in ([behind], [behind, planes])]
    assert sizes[1] - sizes[0] > 500_000  # of 1.2 MB
