"""Small maps by Winograd's algorithm with kernels in lanes, where the processor multiplies fast enough for that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pdrt
from network import Network
from oracle import assert_equal, expected
from preferred_way import prefer, tuning_file


@pytest.fixture(scope="module")
def tuning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tuning_file(tmp_path_factory)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    batch=st.sampled_from([1, 2]),
    channels=st.integers(1, 90),
    kernels=st.integers(1, 100),
    size=st.integers(3, 8),
    share=st.sampled_from([1.0, 0.5, 0.1, 0.0]),
    behind=st.sampled_from(["nothing", "residual", "mean"]),
)
def test_right_and_nothing_else_is_read(
    tuning: Path, seed: int, batch: int, channels: int, kernels: int, size: int, share: float, behind: str
) -> None:
    """Other inputs off in every sample, or none; as ONNX Runtime has it, to the same bits on any number of threads."""
    net = Network(seed, batch=batch, channels=3, size=size)
    inputs = net.relu(net.conv(net.image, channels, size=1, lift=6.0))
    mask = (net.rng.random((batch, channels, 1, 1)) < share).astype(np.float32)
    if share < 1:
        inputs = net.add("Mul", inputs, net.input("inputs", mask))
    last = out = net.conv(inputs, kernels)
    if behind == "residual":
        out = net.add("Add", out, net.conv(net.image, kernels, size=1))
    out = net.relu(out)
    if behind == "mean":
        out = net.add("GlobalAveragePool", out)
    truth = expected(net.model([out]), net.feeds)
    net.weights[f"{last}.w"][:, ~mask.any((0, 2, 3))] = np.nan
    prefer(tuning, "winograd4", 4, kernels, channels, size)
    results = []
    for threads in (1, 2, 5):
        session = pdrt.Session(net.model([out]), threads=threads, cache_dir=tuning.parent)
        session.run({name: np.full_like(value, np.nan) for name, value in net.feeds.items()}, check_finite=False)
        results.append(session.run(net.feeds))
        (name,) = (step.implementation for step in session.explain().steps if step.name == last)
        assert name in ("planes.winograd_in_lanes F(4x4, 3x3)", "planes.winograd F(4x4, 3x3)")
        assert_equal(results[-1], truth)
    for other in results[1:]:
        np.testing.assert_array_equal(other[out], results[0][out])
