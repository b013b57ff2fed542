"""Fully connected layers over zeros: they read the weights of what is on, and no others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pdrt
from network import Network
from oracle import assert_equal, expected

LEAST_WEIGHTS = 1 << 18
"""From how many on they are laid out for it."""

LEAST_KERNELS = 256
"""And for how many, where zeros come from a ReLU alone."""


def classifier(
    seed: int, *, channels: int, size: int, kernels: int, share: float = 0.5, batch: int = 1
) -> tuple[Network, str]:
    """Return a network whose last layer reads all pixels of planes that a mask leaves on, and that layer."""
    net = Network(seed, size=size, batch=batch)
    on = np.random.default_rng(seed).random((batch, channels, 1, 1)) < share
    masked = net.add("Mul", net.relu(net.conv(net.image, channels)), net.input("mask", on))
    return net, net.linear(net.add("Flatten", masked), kernels)


def implementation(session: pdrt.Session, name: str) -> str:
    """Return what runs a layer."""
    return next(step.implementation for step in session.explain().steps if step.name == name)


@settings(max_examples=25, deadline=None)
@given(
    size=st.integers(2, 9),
    channels=st.integers(20, 200),
    kernels=st.integers(1, 100),
    share=st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]),
    batch=st.integers(1, 3),
    threads=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_what_is_off_is_not_read(
    size: int, channels: int, kernels: int, share: float, batch: int, threads: int, seed: int
) -> None:
    """Other channels in every sample; the weights of those that are off in all of them are NaN."""
    kernels += LEAST_WEIGHTS // (channels * size * size)
    net, last = classifier(seed, channels=channels, size=size, kernels=kernels, share=share, batch=batch)
    truth = expected(net.model([last]), net.feeds)
    on = net.feeds["mask"] != 0
    net.weights[f"{last}.w"].reshape(kernels, channels, -1)[:, ~on.any((0, 2, 3))] = np.nan
    session = pdrt.Session(net.model([last]), threads=threads)
    assert implementation(session, last) == "fully_connected by input"
    assert_equal(session.run(net.feeds), truth)
    not_zero = net.value(net.inputs_of(last)[0]) != 0  # in the ReLU, pixels of planes that are on die, too
    assert np.array_equal(session.last_run.visited[last], kernels * not_zero.sum(1))


def test_behind_a_global_pool() -> None:
    """One number of each plane: zero where it is off."""
    net = Network(5, batch=2)
    mask = net.input("mask", np.random.default_rng(5).random((2, 256, 1, 1)) < 0.4)
    last = net.linear(net.pooled(net.add("Mul", net.relu(net.conv(net.image, 256)), mask)), LEAST_WEIGHTS // 256)
    truth = expected(net.model([last]), net.feeds)
    on = net.feeds["mask"][:, :, 0, 0] != 0
    net.weights[f"{last}.w"][:, ~on.any(0)] = np.nan
    session = pdrt.Session(net.model([last]))
    assert implementation(session, last) == "fully_connected by input"
    assert_equal(session.run(net.feeds), truth)
    assert (session.last_run.visited[last] <= LEAST_WEIGHTS // 256 * on.sum(1)).all()


def test_one_that_is_small_or_without_zeros_stays_as_it_is() -> None:
    """Weights are copied only where that saves reading them."""
    net, last = classifier(1, channels=32, size=8, kernels=LEAST_WEIGHTS // 2048 - 1)
    assert implementation(pdrt.Session(net.model([last])), last) == "fully_connected"
    for kernels in (LEAST_KERNELS - 1, LEAST_KERNELS):
        net = Network(1, size=8)
        last = net.linear(net.add("Flatten", net.relu(net.conv(net.image, 32))), kernels)
        name = implementation(pdrt.Session(net.model([last])), last)
        assert name == ("fully_connected" if kernels < LEAST_KERNELS else "fully_connected by input")
    for op, attributes in [("LeakyRelu", {"alpha": 0.1}), ("Sigmoid", {}), ("Clip", {})]:
        net = Network(1, size=8)
        planes = net.add(op, net.conv(net.image, 32), **attributes)
        last = net.linear(net.add("Flatten", planes), LEAST_KERNELS)
        assert implementation(pdrt.Session(net.model([last])), last) == "fully_connected"


@pytest.mark.parametrize("between", ["nothing", "pool", "layer"])
@pytest.mark.parametrize("batch", [1, 3])
def test_zeros_that_a_relu_leaves_are_not_read(between: str, batch: int) -> None:
    """The weights of inputs that are zero in all samples are NaN; there is no switch."""
    net = Network(7, channels=3, size=12, batch=batch)
    kernels = 520
    planes = net.relu(net.conv(net.image, 20))
    if between == "pool":
        planes = net.add("MaxPool", planes, kernel_shape=[2, 2], strides=[2, 2])
    values = net.add("Flatten", planes)
    if between == "layer":
        values = net.relu(net.linear(values, 600))
    last = net.linear(values, kernels)
    truth = expected(net.model([last]), net.feeds)
    zero = (net.value(values) == 0).all(0)
    assert zero.any()
    net.weights[f"{last}.w"][:, zero] = np.nan
    session = pdrt.Session(net.model([last]))
    assert implementation(session, last) == "fully_connected by input"
    assert_equal(session.run(net.feeds), truth)
    assert np.array_equal(session.last_run.visited[last], kernels * (net.value(values) != 0).sum(1))


def test_no_skipping_reads_everything() -> None:
    """With skip=False a NaN shows."""
    net, last = classifier(2, channels=64, size=8, kernels=80)
    truth = expected(net.model([last]), net.feeds)
    assert_equal(pdrt.Session(net.model([last]), skip=False).run(net.feeds), truth)
    off = net.feeds["mask"][0, :, 0, 0] == 0
    net.weights[f"{last}.w"].reshape(80, 64, -1)[:, off] = np.nan
    assert np.isnan(pdrt.Session(net.model([last]), skip=False).run(net.feeds)[last]).all()


@pytest.mark.parametrize("kernels", [70, 500])
def test_threads_and_files_do_not_change_a_bit(kernels: int, tmp_path: Path) -> None:
    """Weights are turned some at a time, by any number of threads, from memory or from a file."""
    net, last = classifier(3, channels=64, size=8, kernels=kernels)
    model = net.model([last])
    pdrt.convert(model, tmp_path / "net.pdrt")
    sources = [model, str(tmp_path / "net.pdrt")]
    results = [pdrt.Session(source, threads=n).run(net.feeds)[last] for source in sources for n in (1, 2, 5)]
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("kernels", [1, 33, 300])
def test_samples_together(kernels: int, threads: int) -> None:
    """More samples than are computed at once, other rows and inputs on in each: the bits of each alone."""
    net = Network(4, size=6, batch=11)
    on = np.random.default_rng(4).random((11, 40, 1, 1)) < np.linspace(0, 1, 11).reshape(-1, 1, 1, 1)
    planes = net.add("Mul", net.relu(net.conv(net.image, 40)), net.input("mask", on))
    gate = net.input("gate", np.random.default_rng(5).random((11, kernels)) < 0.4)
    hidden = net.linear(net.add("Flatten", planes), kernels)
    last = net.linear(net.add("Mul", net.relu(hidden), gate), 7)
    truth = expected(net.model([last]), net.feeds)
    net.weights[f"{hidden}.w"][~net.feeds["gate"].any(0)] = np.nan
    session = pdrt.Session(net.model([last]), threads=threads)
    result = session.run(net.feeds)
    assert_equal(result, truth)
    assert session.last_run.active[hidden].tolist() == net.feeds["gate"].sum(1).tolist()
    for sample in range(11):
        alone = session.run({name: array[sample : sample + 1] for name, array in net.feeds.items()})
        np.testing.assert_array_equal(alone[last][0], result[last][sample])


@pytest.mark.parametrize("threads", [1, 2])
def test_samples_together_by_input(threads: int) -> None:
    """The same where weights lie by input."""
    net, last = classifier(6, channels=64, size=8, kernels=70, batch=10)
    truth = expected(net.model([last]), net.feeds)
    session = pdrt.Session(net.model([last]), threads=threads)
    assert implementation(session, last) == "fully_connected by input"
    result = session.run(net.feeds)
    assert_equal(result, truth)
    for sample in range(10):
        alone = session.run({name: array[sample : sample + 1] for name, array in net.feeds.items()})
        np.testing.assert_array_equal(alone[last][0], result[last][sample])
