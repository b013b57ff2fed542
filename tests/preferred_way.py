"""A file of measurements that makes one way to compute a layer the fastest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import pdrt
from network import Array, Network
from oracle import assert_equal
from pdrt import _core


def tuning_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file that this machine's measurements are kept in, one layer's."""
    folder = tmp_path_factory.mktemp("tuning")
    net = Network(1, channels=4)
    _core.tune(pdrt.load(net.model([net.conv(net.image, 4)])), "cpu", str(folder), [], lambda done, total: None)
    (file,) = folder.iterdir()
    return file


def prefer(tuning: Path, way: str, tile: int, kernels: int, channels: int, size: int) -> None:
    """Write costs by which `way` is the fastest for such a layer, and F(tile x tile, 3x3) better than the taps."""
    key = f"{kernels}x{channels} 3x3 stride 1x1 dilation 1x1 pad 1,1 {size}x{size} to {size}x{size}"
    costs = {"direct": 3.0, f"winograd{tile}": 2.0, f"winograd{tile}_of_active": 2.5}
    costs[way] = 1.0
    ways = {name: [cost, 0.0, 0.0] for name, cost in costs.items()}
    tuning.write_text(json.dumps({"pdrt.tuning": 1, "layers": {key: ways, f"{key} in panels": ways}}))


def sessions_that_are_right(
    net: Network, out: str, layer: str, ways: tuple[str, ...], tuning: Path, truth: dict[str, Array]
) -> Iterator[pdrt.Session]:
    """Run the network on one, two and five threads, `layer` one of those ways, in memory that was full of NaN.

    Every session has given the oracle's values, all of them the same to the last bit.
    """
    first = None
    for threads in (1, 2, 5):
        session = pdrt.Session(net.model([out]), threads=threads, cache_dir=tuning.parent)
        (way,) = (step.implementation for step in session.explain().steps if step.name == layer)
        assert way in ways
        session.run({name: np.full_like(value, np.nan) for name, value in net.feeds.items()}, check_finite=False)
        result = session.run(net.feeds)
        assert_equal(result, truth)
        first = result[out] if first is None else first
        np.testing.assert_array_equal(result[out], first)
        yield session
