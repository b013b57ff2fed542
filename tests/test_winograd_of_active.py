"""Winograd's algorithm with weights that are transformed as they are needed, of what is on alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pdrt
from network import Network
from oracle import assert_equal, expected
from pdrt import _core
from preferred_way import prefer, sessions_that_are_right, tuning_file

WAY = "planes.winograd_of_active"


@pytest.fixture(scope="module")
def tuning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tuning_file(tmp_path_factory)


def gated(seed: int, batch: int, channels: int, kernels: int, size: int, share: float) -> tuple[Network, str, str]:
    """Build a convolution of which kernels and inputs may be off, others in every sample."""
    net = Network(seed, batch=batch, channels=3, size=size)

    def mask(name: str, count: int) -> str:
        return net.input(name, (net.rng.random((batch, count, 1, 1)) < share).astype(np.float32))

    inputs = net.add("Mul", net.relu(net.conv(net.image, channels, size=1, lift=6.0)), mask("inputs", channels))
    last = net.conv(inputs, kernels, lift=8.0)  # sums that a ReLU cuts to next to nothing have no digits to compare
    return net, last, net.add("Mul", net.relu(last), mask("kernels", kernels))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    batch=st.sampled_from([1, 2]),
    channels=st.integers(1, 90),
    kernels=st.integers(1, 70),
    size=st.one_of(st.integers(3, 32), st.integers(33, 60)),
    share=st.sampled_from([1.0, 0.75, 0.5, 0.25, 0.1, 0.0]),
    tile=st.sampled_from([2, 4, 6]),
    pooled=st.booleans(),
)
def test_right_and_nothing_else_is_read(
    tuning: Path, seed: int, batch: int, channels: int, kernels: int, size: int, share: float, tile: int, pooled: bool
) -> None:
    """As ONNX Runtime has it, to the same bits on any number of threads; the weights of what is never on are NaN."""
    net, last, out = gated(seed, batch, channels, kernels, size, share)
    if pooled:
        out = net.add("MaxPool", out, kernel_shape=[2, 2], strides=[2, 2])
    truth = expected(net.model([out]), net.feeds)
    net.weights[f"{last}.w"][~net.feeds["kernels"].any((0, 2, 3))] = np.nan
    net.weights[f"{last}.w"][:, ~net.feeds["inputs"].any((0, 2, 3))] = np.nan
    prefer(tuning, f"winograd{tile}_of_active", tile, kernels, channels, size)
    on = net.feeds["kernels"].sum((1, 2, 3)) * net.feeds["inputs"].sum((1, 2, 3))
    for session in sessions_that_are_right(net, out, last, (f"{WAY} F({tile}x{tile}, 3x3)",), tuning, truth):
        assert np.array_equal(session.last_run.visited[last], on)


def test_tuning_measures_it_where_there_are_switches(tmp_path: Path) -> None:
    """And keeps what it measured: a session that finds it has the way to choose from, one without it does not."""
    net, last, out = gated(2, 1, 24, 20, 12, 0.5)
    model = net.model([out])
    shapes = [list(array.shape) for array in net.feeds.values()]
    layers = _core.tune(pdrt.load(model), "cpu", str(tmp_path), shapes, lambda done, total: None)
    (names,) = ([way["name"] for way in layer["ways"]] for layer in layers if layer["name"] == last)
    assert [name for name in names if name.startswith(WAY)] == [f"{WAY} F({m}x{m}, 3x3)" for m in (2, 4, 6)]
    (file,) = tmp_path.iterdir()
    document = json.loads(file.read_text())
    (ways,) = (ways for ways in document["layers"].values() if "winograd4_of_active" in ways)
    for name in ways:
        ways[name] = [1.0 if name == "winograd4_of_active" else 2.0 if name == "winograd4" else 3.0, 0.0, 0.0]
    for kept, runs_as in ((True, f"{WAY} F(4x4, 3x3)"), (False, "planes.winograd F(4x4, 3x3)")):
        if not kept:
            del ways["winograd4_of_active"]
        file.write_text(json.dumps(document))
        session = pdrt.Session(model, cache_dir=tmp_path)
        (name,) = (step.implementation for step in session.explain().steps if step.name == last)
        assert name == runs_as
        assert_equal(session.run(net.feeds), expected(model, net.feeds))
