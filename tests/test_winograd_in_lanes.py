"""Small maps by Winograd's algorithm with kernels in lanes, where the processor multiplies fast enough for that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from network import Network
from oracle import expected
from preferred_way import prefer, sessions_that_are_right, tuning_file


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
    last = out = net.conv(inputs, kernels, lift=8.0)  # see test_winograd_of_active.py
    if behind == "residual":
        out = net.add("Add", out, net.conv(net.image, kernels, size=1))
    out = net.relu(out)
    if behind == "mean":
        out = net.add("GlobalAveragePool", out)
    truth = expected(net.model([out]), net.feeds)
    net.weights[f"{last}.w"][:, ~mask.any((0, 2, 3))] = np.nan
    prefer(tuning, "winograd4", 4, kernels, channels, size)
    ways = ("planes.winograd_in_lanes F(4x4, 3x3)", "planes.winograd F(4x4, 3x3)")
    for session in sessions_that_are_right(net, out, last, ways, tuning, truth):
        assert session.last_run.active[last].sum() == batch * kernels
