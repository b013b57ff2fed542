"""Depthwise layers behind switches: what they make of channels that are off is in the next layer's bias."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pdrt
from network import Network
from oracle import assert_equal, expected

ENDINGS: dict[str, Callable[[Network, str], str]] = {
    "none": lambda net, x: x,
    "relu": lambda net, x: net.relu(x),
    "relu6": lambda net, x: net.add("Clip", x, net.store(0), net.store(6)),
    "clip": lambda net, x: net.add("Clip", x, net.store(-0.4), net.store(0.3)),
    "high": lambda net, x: net.add("Clip", x, "", net.store(0.3)),
    "leaky": lambda net, x: net.add("LeakyRelu", x, alpha=0.1),  # not centred
    "sigmoid": lambda net, x: net.add("Sigmoid", x),  # nor this
}


def inverted_residual(
    net: Network, ending: str, *, kernels: int, stride: int, bias: bool, norm: bool, groups: int
) -> tuple[str, str, str]:
    """Append an expansion with a mask, a depthwise layer and a projection; return the three layers' names."""
    expand = net.conv(net.image, kernels, size=1)
    gated = net.add("Mul", net.relu(expand), "mask")
    middle = net.conv(gated, kernels, stride=stride, groups=kernels, bias=bias)
    last = ENDINGS[ending](net, net.batch_norm(middle) if norm else middle)
    return expand, middle, net.conv(last, 8, size=1, groups=groups, bias=bias)


def centred(session: pdrt.Session) -> list[str]:
    return [step.name for step in session.explain().steps if any("off is in the bias" in note for note in step.notes)]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    size=st.integers(3, 24),
    kernels=st.integers(1, 24),
    stride=st.sampled_from([1, 2]),
    bias=st.booleans(),
    norm=st.booleans(),
    groups=st.sampled_from([1, 1, 2]),
    ending=st.sampled_from(sorted(ENDINGS)),
    share=st.sampled_from([0.0, 0.3, 0.7, 1.0]),
)
def test_centred(
    seed: int,
    size: int,
    kernels: int,
    stride: int,
    bias: bool,
    norm: bool,
    groups: int,
    ending: str,
    share: float,
) -> None:
    """As ONNX Runtime has it, whatever is on; weights of kernels that are off in all samples may be anything."""
    net = Network(seed, batch=2, channels=5, size=size)
    kernels *= 2
    mask = net.rng.random((2, kernels, 1, 1)) < share
    net.input("mask", mask)
    expand, middle, out = inverted_residual(
        net, ending, kernels=kernels, stride=stride, bias=bias, norm=norm, groups=groups
    )
    truth = expected(net.model([out]), net.feeds)
    off = ~mask.any(axis=0).ravel()
    net.weights[f"{expand}.w"][off] = np.nan
    net.weights[f"{middle}.w"][off] = np.nan
    session = pdrt.Session(net.model([out]), threads=1)
    can_be = ending not in ("leaky", "sigmoid") and (bias or norm)
    # Constants may all be zeros: then there is nothing to take off.
    assert centred(session) == [middle] or not can_be or kernels < 8
    assert centred(session) == [] or can_be
    results = session.run(net.feeds)
    assert_equal(results, truth)
    others = pdrt.Session(net.model([out]), threads=2).run(net.feeds)
    assert all(np.array_equal(others[name], results[name]) for name in results)


@pytest.mark.parametrize("reader", ["caller", "convolution", "pool", "padding", "nobody"])
def test_who_else_reads_the_layer_gets_it_as_it_is(reader: str) -> None:
    net = Network(3, batch=2, channels=5, size=12)
    net.input("mask", np.arange(24).reshape(1, -1, 1, 1) % 3 == 0)
    middle = net.conv(net.add("Mul", net.conv(net.image, 24, size=1), "mask"), 24, groups=24)
    last = net.relu(middle)
    outputs = [net.conv(last, 8, size=3 if reader == "padding" else 1)]
    if reader == "caller":
        outputs.append(last)
    elif reader == "convolution":
        outputs.append(net.conv(last, 6, size=3))
    elif reader == "pool":
        outputs.append(net.pooled(last))
    model = net.model(outputs)
    session = pdrt.Session(model)
    assert_equal(session.run(net.feeds), expected(model, net.feeds))
    assert centred(session) == ([middle] if reader == "nobody" else [])


def test_a_constant_that_is_no_number_stays() -> None:
    """An infinite bias cannot be taken off, nor put into another."""
    net = Network(4, channels=5, size=12)
    net.input("mask", np.arange(24).reshape(1, -1, 1, 1) % 3 > 0)
    middle = net.conv(net.add("Mul", net.conv(net.image, 24, size=1), "mask"), 24, groups=24)
    net.weights[f"{middle}.b"][0] = np.inf
    out = net.add("Sigmoid", net.conv(net.relu(middle), 8, size=1))
    session = pdrt.Session(net.model([out]))
    assert centred(session) == []
    assert_equal(session.run(net.feeds), expected(net.model([out]), net.feeds))
