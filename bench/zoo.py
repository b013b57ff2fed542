"""Five networks that everybody knows, as ONNX models, with and without a gate (LKAM) on every layer that can have one.

    .venv/bin/python bench/zoo.py     prints their multiply-adds beside the well-known numbers

Architectures are those of the papers in their usual form (ResNet-50 with the stride in the 3x3); weights are random,
see `calibrated.py`. Gates: SqueezeNet, both expands of a fire module; MobileNet v2, the expand; ResNet-18, the first
3x3 of a block; ResNet-50, the first 1x1 and the 3x3; VGG-16, every convolution but the first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibrated import OUTPUT, Array, CalibratedNetwork

CLASSES = 1000
RESIDUAL = 0.5  # deviation of what a block adds, so that sums do not grow


@dataclass(frozen=True)
class Built:
    """A network, the image it is calibrated to, and what it gives for that image."""

    model: bytes
    image: Array
    logits: NDArray[np.float32]
    macs: int
    needed: int


def squeezenet(net: CalibratedNetwork, x: str) -> None:
    """SqueezeNet 1.1."""
    x = net.layer(x, 64, 3, stride=2, pad=0, norm=False)
    for squeeze, expand, pool in (
        (16, 64, True),
        (16, 64, False),
        (32, 128, True),
        (32, 128, False),
        (48, 192, True),
        (48, 192, False),
        (64, 256, False),
        (64, 256, False),
    ):
        if pool:
            x = net.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
        x = net.layer(x, squeeze, norm=False)
        expands = [net.layer(x, expand, size, norm=False, gated=True) for size in (1, 3)]
        x = net.add("Concat", *expands, axis=1)
    x = net.layer(x, CLASSES, norm=False)
    net.flatten(net.add("GlobalAveragePool", x), OUTPUT)


def mobilenet(net: CalibratedNetwork, x: str) -> None:
    """MobileNet v2, width 1."""
    x = net.layer(x, 32, 3, stride=2, activation="Relu6")
    stages = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    for factor, kernels, repeats, first_stride in stages:
        for stride in [first_stride] + [1] * (repeats - 1):
            inputs, value = net.channels(x), x
            if factor > 1:
                value = net.layer(value, factor * inputs, activation="Relu6", gated=True)
            value = net.layer(value, factor * inputs, 3, stride=stride, groups=factor * inputs, activation="Relu6")
            same = stride == 1 and inputs == kernels
            value = net.layer(value, kernels, gain=RESIDUAL if same else 1, activation=None)
            x = net.add("Add", x, value) if same else value
    x = net.layer(x, 1280, activation="Relu6")
    net.linear(net.flatten(net.add("GlobalAveragePool", x)), CLASSES, output=OUTPUT)


def _residual(net: CalibratedNetwork, x: str, body: str, stride: int) -> str:
    """Append the shortcut, projected where sizes differ, the sum and the ReLU."""
    if stride > 1 or net.channels(x) != net.channels(body):
        x = net.layer(x, net.channels(body), stride=stride, activation=None)
    return net.add("Relu", net.add("Add", body, x))


def _basic(net: CalibratedNetwork, x: str, width: int, stride: int) -> str:
    body = net.layer(x, width, 3, stride=stride, gated=True)
    body = net.layer(body, width, 3, gain=RESIDUAL, activation=None)
    return _residual(net, x, body, stride)


def _bottleneck(net: CalibratedNetwork, x: str, width: int, stride: int) -> str:
    body = net.layer(x, width, gated=True)
    body = net.layer(body, width, 3, stride=stride, gated=True)
    body = net.layer(body, 4 * width, gain=RESIDUAL, activation=None)
    return _residual(net, x, body, stride)


def _resnet(
    net: CalibratedNetwork, x: str, block: Callable[[CalibratedNetwork, str, int, int], str], depths: tuple[int, ...]
) -> None:
    x = net.layer(x, 64, 7, stride=2)
    x = net.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    for stage, depth in enumerate(depths):
        for index in range(depth):
            x = block(net, x, 64 << stage, 2 if stage and not index else 1)
    net.linear(net.flatten(net.add("GlobalAveragePool", x)), CLASSES, output=OUTPUT)


def resnet18(net: CalibratedNetwork, x: str) -> None:
    """ResNet-18."""
    _resnet(net, x, _basic, (2, 2, 2, 2))


def resnet50(net: CalibratedNetwork, x: str) -> None:
    """ResNet-50."""
    _resnet(net, x, _bottleneck, (3, 4, 6, 3))


def vgg16(net: CalibratedNetwork, x: str) -> None:
    """VGG-16, without batch normalisation."""
    for stage, (kernels, repeats) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))):
        for index in range(repeats):
            x = net.layer(x, kernels, 3, norm=False, gated=stage + index > 0)
        x = net.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = net.flatten(x)
    for _ in range(2):
        x = net.linear(x, 4096, activation=True)
    net.linear(x, CLASSES, output=OUTPUT)


# What builds each, and its well-known multiply-adds, in 1e9.
NETWORKS: dict[str, tuple[Callable[[CalibratedNetwork, str], None], float]] = {
    "SqueezeNet 1.1": (squeezenet, 0.35),
    "MobileNet v2": (mobilenet, 0.30),
    "ResNet-18": (resnet18, 1.81),
    "ResNet-50": (resnet50, 4.09),
    "VGG-16": (vgg16, 15.47),
}


def build(name: str, density: float | None = None) -> Built:
    """Return one of NETWORKS for images of 224x224; with a density, gated so that this share of the kernels is on."""
    function, known = NETWORKS[name]
    image = np.random.default_rng(3).standard_normal((1, 3, 224, 224), np.float32)
    net = CalibratedNetwork(image, density)
    function(net, "image")
    if abs(net.macs / 1e9 - known) > 0.01 * max(known, 1):
        raise RuntimeError(f"{name} has {net.macs / 1e9:.3f} G multiply-adds; {known} G are expected")
    return Built(net.model(), image, net.logits, net.macs, net.needed)


if __name__ == "__main__":
    for each, (_, well_known) in NETWORKS.items():
        built = build(each)
        print(f"{each:15} {built.macs / 1e9:7.3f} G multiply-adds, well known {well_known} G")
