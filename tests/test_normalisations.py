"""Batch normalisations behind convolutions: their numbers go into the weights, where these are few."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pdrt
from network import Network
from oracle import assert_equal, expected


def packed_bytes(net: Network, outputs: list[str]) -> int:
    """Return how much the session keeps beside the model's weights, after a look at what it computes."""
    session = pdrt.Session(net.model(outputs), threads=1)
    assert_equal(session.run(net.feeds), expected(net.model(outputs), net.feeds))
    return session.explain().packed_bytes


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    size=st.integers(4, 40),
    channels=st.integers(1, 20),
    multiplier=st.integers(1, 3),
    form=st.sampled_from(["dense", "dense", "groups", "depthwise"]),
    window=st.sampled_from([1, 3, 5]),
    stride=st.sampled_from([1, 2]),
    bias=st.booleans(),
    relu=st.booleans(),
)
def test_folded(
    seed: int,
    size: int,
    channels: int,
    multiplier: int,
    form: str,
    window: int,
    stride: int,
    bias: bool,
    relu: bool,
) -> None:
    """As ONNX Runtime has it, and no scale is left to multiply by."""
    net = Network(seed, batch=2, channels=2 * channels, size=size)
    groups = {"dense": 1, "groups": 2, "depthwise": 2 * channels}[form]
    kernels = 2 * channels * multiplier
    conv = net.conv(net.image, kernels, window, stride=stride, groups=groups, bias=bias)
    out = net.batch_norm(conv)
    weights = net.weights[f"{conv}.w"].nbytes
    assert packed_bytes(net, [net.relu(out) if relu else out]) >= (weights if weights <= 65536 else 0)


def test_many_weights_stay_where_they_are() -> None:
    """A copy would cost more memory than it saves time."""
    net = Network(5, channels=160, size=4)
    conv = net.conv(net.image, 160, size=1)
    assert net.weights[f"{conv}.w"].nbytes > 65536
    assert packed_bytes(net, [net.relu(net.batch_norm(conv))]) < net.weights[f"{conv}.w"].nbytes


def test_what_others_read_is_not_scaled() -> None:
    """The convolution's own output is asked for, too."""
    net = Network(6, channels=8)
    conv = net.conv(net.image, 8)
    packed_bytes(net, [conv, net.relu(net.batch_norm(conv))])


@pytest.mark.parametrize("position", ["before", "behind"])
def test_switches_around_a_normalisation(position: str) -> None:
    """A kernel whose product is switched off is still shifted; one that is switched off behind it is zero."""
    net = Network(7, batch=2, channels=8)
    mask = net.input("mask", net.rng.random((2, 8, 1, 1)) < 0.5)
    conv = net.conv(net.image, 8)
    if position == "before":
        out = net.relu(net.batch_norm(net.add("Mul", conv, mask)))
    else:
        out = net.relu(net.add("Mul", net.batch_norm(conv), mask))
    truth = expected(net.model([out]), net.feeds)
    net.weights[f"{conv}.w"][~net.feeds["mask"].astype(bool).any(axis=0).ravel()] = np.nan
    assert_equal(pdrt.Session(net.model([out]), threads=1).run(net.feeds), truth)
