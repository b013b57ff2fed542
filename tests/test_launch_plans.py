"""What a plan launches on an OpenCL device when everything is on, compared with golden files.

PDRT_UPDATE_GOLDEN=1 writes them anew: `PDRT_UPDATE_GOLDEN=1 python -m pytest tests/test_launch_plans.py`. A change of a
file is a change of what runs: look at it. The networks are such that every CPU gets the same plan: tiles are chosen by
the kind of device and, where maps are large, not by how many cores it has.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gates import gate
from network import Network
from opencl_devices import Maker, details_of

GOLDEN = Path(__file__).resolve().parent / "golden"


def plain(net: Network) -> list[str]:
    """Convolutions of several sizes, a pool, a classifier."""
    x = net.relu(net.conv(net.image, 16, 5, stride=2))
    x = net.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    x = net.add("Clip", net.batch_norm(net.conv(x, 16, 1)), net.store(0.0), net.store(6.0))
    return [net.linear(net.pooled(x), 10)]


def residual(net: Network) -> list[str]:
    """A block whose shortcut is a convolution."""
    x = net.relu(net.conv(net.image, 8))
    branch = net.batch_norm(net.conv(net.relu(net.batch_norm(net.conv(x, 16, stride=2))), 16))
    x = net.relu(net.add("Add", branch, net.batch_norm(net.conv(x, 16, 1, stride=2))))
    return [net.linear(net.pooled(x), 10)]


def depthwise(net: Network) -> list[str]:
    """An inverted bottleneck."""
    x = net.relu(net.conv(net.image, 8, stride=2))
    wide = net.relu(net.batch_norm(net.conv(x, 16, 1, bias=False)))
    deep = net.relu(net.batch_norm(net.conv(wide, 16, 3, groups=16, bias=False)))
    x = net.add("Add", x, net.batch_norm(net.conv(deep, 8, 1, bias=False)))
    return [net.linear(net.pooled(x), 10)]


def fire(net: Network) -> list[str]:
    """Two branches side by side."""
    squeezed = net.relu(net.conv(net.image, 8, 1))
    branches = [net.relu(net.conv(squeezed, 16, 1)), net.relu(net.conv(squeezed, 16, 3))]
    return [net.pooled(net.conv(net.add("Concat", *branches, axis=1), 10, 1))]


def gated_residual(net: Network) -> list[str]:
    """A block whose kernels are switched by its input."""
    x = net.relu(net.conv(net.image, 16))
    mask = gate(net, x, 16)
    branch = net.add("Mul", net.relu(net.conv(x, 16)), mask)
    x = net.relu(net.add("Add", x, net.batch_norm(net.conv(branch, 16, bias=False))))
    return [net.linear(net.pooled(x), 10)]


def excited(net: Network) -> list[str]:
    """Squeeze and excitation: a multiplier that waits for what it multiplies."""
    x = net.relu(net.conv(net.image, 16))
    hidden = net.relu(net.conv(net.add("GlobalAveragePool", x), 4, 1))
    x = net.add("Mul", x, net.add("Sigmoid", net.conv(hidden, 16, 1)))
    return [net.linear(net.pooled(net.relu(net.conv(x, 16))), 10)]


NETWORKS: tuple[Callable[[Network], list[str]], ...] = (plain, residual, depthwise, fire, gated_residual, excited)


@pytest.mark.parametrize("make", NETWORKS, ids=lambda make: make.__name__)
def test_launches(on_device: Maker, make: Callable[[Network], list[str]]) -> None:
    check_launches(on_device, make, make.__name__)


def test_launches_in_halves(on_half_device: Maker) -> None:
    check_launches(on_half_device, gated_residual, "gated_residual_in_halves", precision="float16-arithmetic")


def check_launches(on_device: Maker, make: Callable[[Network], list[str]], name: str, **options: Any) -> None:
    if ", CPU, " not in details_of(on_device.device):
        pytest.skip("golden plans are those of devices that are the processor")
    net = Network(seed=1, size=32)
    explanation = on_device(net.model(make(net)), **options).explain()
    lines = []
    for step in explanation.steps:
        lines.append(f"{step.name} ({' '.join(step.operators)}): {step.implementation}")
        lines += [f"  {launch}" for launch in step.launches]
        assert bool(step.launches) <= step.implementation.startswith("opencl."), step.name
    text = "\n".join([*lines, ""])
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("PDRT_UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text(), f"{file.name} differs; see the top of this file"
