"""Global average pools that are part of a convolution's step: sums are taken as pixels are stored."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pdrt
from network import Network
from opencl_devices import Maker
from oracle import assert_equal, expected


def pooled(
    seed: int, *, filter_size: int, groups: int, size: int, stride: int, gate: bool, residual: bool
) -> tuple[Network, list[str]]:
    """Build a convolution, what may follow it, its mean and what comes of that; return what to look at, too."""
    net = Network(seed, batch=2, channels=8 * groups, size=size)
    kernels = 24 * groups
    last = net.conv(net.image, kernels, size=filter_size, stride=stride, groups=groups)
    if residual:
        last = net.add("Add", last, net.conv(net.image, kernels, size=1, stride=stride))
    last = net.relu(last)
    if gate:
        switches = net.rng.integers(0, 2, (2, kernels, 1, 1))
        last = net.add("Mul", last, net.input("gate", switches))
    mean = net.add("GlobalAveragePool", last)
    return net, [last, mean, net.linear(net.add("Flatten", mean), 5)]


def pooling_steps(explanation: pdrt.Explanation) -> list[tuple[str, ...]]:
    return [step.operators for step in explanation.steps if "GlobalAveragePool" in step.operators]


networks = {
    "seed": st.integers(0, 2**16),
    "filter_size": st.sampled_from([1, 3, 5]),
    "groups": st.sampled_from([1, 1, 2]),
    "size": st.integers(3, 80),  # from a single vector to several blocks of sums
    "stride": st.sampled_from([1, 1, 2]),
    "gate": st.booleans(),
    "residual": st.booleans(),
}


@settings(max_examples=40, deadline=None)
@given(**networks, kept=st.booleans())  # type: ignore[arg-type]
def test_means(
    seed: int, filter_size: int, groups: int, size: int, stride: int, gate: bool, residual: bool, kept: bool
) -> None:
    """As ONNX Runtime has them, whether or not anybody reads the planes; the same to the last bit on any threads."""
    net, outputs = pooled(
        seed, filter_size=filter_size, groups=groups, size=size, stride=stride, gate=gate, residual=residual
    )
    model = net.model(outputs if kept else outputs[1:])
    session = pdrt.Session(model, threads=1)
    assert all(operators[0] == "Conv" for operators in pooling_steps(session.explain()))
    results = session.run(net.feeds)
    assert_equal(results, expected(model, net.feeds))
    for threads in (2, 3):
        others = pdrt.Session(model, threads=threads).run(net.feeds)
        assert all(np.array_equal(others[name], results[name]) for name in results)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("size", [20, 70])
def test_mean_of_what_is_off(size: int, threads: int) -> None:
    """A kernel that is off has the mean of its constant, whatever its weights are."""
    net = Network(5, channels=8, size=size)
    conv = net.conv(net.image, 32, lift=0.5)
    mask = net.input("mask", np.arange(32).reshape(1, -1, 1, 1) % 3 > 0)
    shifted = net.batch_norm(net.add("Mul", conv, mask))
    mean = net.add("GlobalAveragePool", net.relu(shifted))
    truth = expected(net.model([mean]), net.feeds)
    net.weights[f"{conv}.w"][net.feeds["mask"].ravel() == 0] = np.nan
    session = pdrt.Session(net.model([mean]), threads=threads)
    assert_equal(session.run(net.feeds), truth)
    assert pooling_steps(session.explain())[0][0] == "Conv"


def test_a_pool_that_waits_for_a_switch_stays_apart() -> None:
    """Which means are needed is known later than the convolution could run."""
    net = Network(6, channels=8, size=12)
    planes = net.relu(net.conv(net.image, 16))
    switch = net.add("Relu", net.linear(net.pooled(net.conv(planes, 4, stride=2)), 16))
    out = net.linear(net.add("Mul", net.pooled(planes), switch), 3)
    session = pdrt.Session(net.model([out]))
    assert_equal(session.run(net.feeds), expected(net.model([out]), net.feeds))
    assert ("GlobalAveragePool",) in [operators[:1] for operators in pooling_steps(session.explain())]


# A program takes an OpenCL compiler up to seconds.
@settings(max_examples=int(os.environ.get("PDRT_EXAMPLES", "2")), deadline=None)
@given(**networks, kept=st.booleans())  # type: ignore[arg-type]
def test_on_devices(
    on_device: Maker,
    seed: int,
    filter_size: int,
    groups: int,
    size: int,
    stride: int,
    gate: bool,
    residual: bool,
    kept: bool,
) -> None:
    net, outputs = pooled(
        seed, filter_size=filter_size, groups=groups, size=size, stride=stride, gate=gate, residual=residual
    )
    model = net.model(outputs if kept else outputs[1:])
    session = on_device(model)
    assert_equal(session.run(net.feeds), expected(model, net.feeds))
    steps = pooling_steps(session.explain())
    assert len(steps) == 1
    assert (steps[0][0] == "Conv") == (not gate)
