"""Weights that the graph computes from constants: every plan of a session has its own, and none sees another's."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

import opencl_devices
import pdrt
from network import Network
from oracle import assert_equal, expected

LAYERS = 6
SHAPES = 40  # of which a session keeps eight plans


def model_of_any_size() -> bytes:
    """Return convolutions and fully connected layers of the same sizes, with other weights each."""
    net = Network(3, channels=16, size=8)
    x = net.image
    for layer in range(LAYERS):
        stored = net.store(net.rng.standard_normal((16, 16, 3, 3)) * 0.1, "stored")
        weights = net.add("Mul", stored, net.store(np.full((16, 1, 1, 1), 1 + layer / 4)))
        x = net.relu(net.add("Conv", x, weights, pads=[1] * 4))
    x = net.pooled(x)
    for _ in range(LAYERS):
        stored = net.store(net.rng.standard_normal((16, 16)) * 0.3, "stored")
        x = net.relu(net.add("MatMul", x, net.add("Neg", stored)))
    model = onnx.load_from_string(net.model([x]))
    for axis, name in zip(model.graph.input[0].type.tensor_type.shape.dim[2:], "hw", strict=True):
        axis.dim_param = name
    return model.SerializeToString()


@pytest.mark.parametrize("device", ["cpu", *opencl_devices.names()])
def test_many_shapes(device: str) -> None:
    """More shapes than a session keeps plans for: plans go, and others come to lie where they were."""
    rng = np.random.default_rng(4)
    model = model_of_any_size()
    session = pdrt.Session(model, device=device, threads=1)
    for _ in range(SHAPES):
        images = {"image": rng.standard_normal((1, 16, *rng.integers(24, 64, 2))).astype(np.float32)}
        assert_equal(session.run(images), expected(model, images))
