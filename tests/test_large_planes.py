"""Planes that no cache holds until they are read: convolutions store them past the caches."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

import pdrt
from network import Network
from oracle import assert_right_on_threads


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    width=st.integers(180, 230),
    filter_size=st.sampled_from([1, 3, 5]),
    stride=st.sampled_from([1, 1, 2]),
    end=st.sampled_from(["none", "relu", "residual", "gate", "mean", "tanh"]),
)
def test_large_planes(seed: int, width: int, filter_size: int, stride: int, end: str) -> None:
    """As ONNX Runtime has it, in memory that was full of NaN; the same to the last bit on any number of threads."""
    net = Network(seed, channels=2, size=width * stride)
    kernels = 12_000_000 // (4 * width**2)  # 12 MB
    last = net.conv(net.image, kernels, size=filter_size, stride=stride, lift=-0.5)
    if end == "residual":
        last = net.add("Add", last, net.input("residual", net.rng.standard_normal(net.shape(last))))
    if end == "tanh":
        last = net.add("Tanh", last)
    elif end != "none":
        last = net.relu(last)
    if end == "gate":
        last = net.add("Mul", last, net.input("gate", net.rng.random((1, kernels, 1, 1)) < 0.9))
    outputs = [net.conv(last, 3, size=1)]
    if end == "mean":
        outputs.append(net.pooled(last))
    model = net.model(outputs)
    assert_right_on_threads(pdrt.Session(model, threads=1), model, net.feeds)
