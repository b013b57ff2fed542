"""The networks that pdrt stands beside in PyTorch compute the same."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

sys.path.append(str(Path(__file__).resolve().parent.parent / "bench"))

from calibrated import OUTPUT, CalibratedNetwork  # noqa: E402
from torch_network import TorchNetwork  # noqa: E402


@pytest.mark.parametrize("density", [None, 0.5])
def test_same_logits(density: float | None) -> None:
    """All that the well-known networks are made of: norm or bias, groups, sums, concatenations, pools, gates."""
    image = np.random.default_rng(0).standard_normal((1, 3, 33, 33)).astype("f4")
    net = CalibratedNetwork(image, density)
    x = net.layer("image", 8, 3, stride=2, activation="Relu6", gated=True)
    x = net.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    body = net.layer(x, 8, 3, groups=8)
    body = net.layer(body, 8, gain=0.5, activation=None)
    x = net.add("Relu", net.add("Add", body, x))
    x = net.add("Concat", *[net.layer(x, 6, size, norm=False, gated=True) for size in (1, 3)], axis=1)
    x = net.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    x = net.linear(net.flatten(x), 7, activation=True)
    net.linear(x, 5, output=OUTPUT)
    module = TorchNetwork(net.model()).eval()
    with torch.inference_mode():
        logits = module(torch.from_numpy(np.repeat(image, 2, axis=0))).numpy()
    np.testing.assert_allclose(logits, np.repeat(net.logits, 2, axis=0), rtol=1e-4, atol=1e-4)
