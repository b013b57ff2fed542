"""Every way to compute a convolution on a device gives the same, also where what runs differs from image to image.

`pdrt tune` keeps which way was fastest for which layer in a file; here the file is rewritten to force each of them.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

import pdrt
from graphs import Example, build
from opencl_devices import Maker
from oracle import assert_equal, expected
from pdrt import _core

SEEDS = (2,)


@pytest.fixture(scope="module", params=SEEDS)
def example(request: pytest.FixtureRequest) -> Example:
    """A random gated network."""
    return build(random.Random(request.param).choice, request.param)


def tuned(example: Example, device: str, folder: Path) -> tuple[Path, dict[str, object], set[str]]:
    """Tune the example's layers: the file, what is in it, and the names of all ways that were tried."""
    model = pdrt.load(example.model)
    calls: list[tuple[int, int]] = []
    shapes = [list(array.shape) for array in example.feeds.values()]
    layers = _core.tune(model, device, str(folder), shapes, lambda done, total: calls.append((done, total)))
    assert [done for done, _ in calls] == list(range(1, calls[-1][1] + 1))
    assert layers
    for layer in layers:
        assert all(way["all_ms"] > 0 for way in layer["ways"])
    (file,) = folder.glob("tuning-opencl-*.json")
    names = {way["name"] for layer in layers for way in layer["ways"]}
    return file, json.loads(file.read_text()), names


@pytest.mark.parametrize("switches", ["cpu", "device"])
def test_each_way(on_device: Maker, example: Example, switches: str, tmp_path: Path) -> None:
    theirs = expected(example.model, example.feeds)
    file, stored, names = tuned(example, on_device.device, tmp_path)
    tiles = {name.removeprefix("opencl convolution ") for name in names if "convolution" in name}
    for way in [*sorted(tiles), "winograd 2", "winograd 4", "cpu"]:
        stored["layers"] = dict.fromkeys(stored["layers"], way)
        file.write_text(json.dumps(stored))
        session = pdrt.Session(
            example.model, device=on_device.device, cache_dir=tmp_path, fallback="cpu", switches=switches
        )
        shapes = {name: array.shape for name, array in example.feeds.items()}
        assert str(file) in session.explain(shapes).costs
        for _ in range(2):
            assert_equal(session.run(example.feeds), theirs)
        stats = session.last_run
        assert stats.macs_executed <= stats.macs_dense
        runs_as = {step.implementation for step in session.explain(shapes).steps if "Conv" in step.operators}
        if way == "cpu":
            assert not any(name.startswith("opencl.convolution") for name in runs_as)
        elif way.startswith("winograd"):
            f = way.removeprefix("winograd ")
            assert not any("winograd" in name and f"F({f}x{f}" not in name for name in runs_as)
        else:
            assert all(name.endswith(way) for name in runs_as if name.startswith("opencl.convolution"))


@pytest.mark.parametrize(
    "damage", ["{", '{"pdrt.device_tuning": 99}', '{"pdrt.device_tuning":1,"layers":{"a":"magic"}}']
)
def test_damaged_file(on_device: Maker, example: Example, damage: str, tmp_path: Path) -> None:
    """What cannot be understood is left alone, and explain() says so."""
    file, _, _ = tuned(example, on_device.device, tmp_path)
    file.write_text(damage)
    session = pdrt.Session(example.model, device=on_device.device, cache_dir=tmp_path, fallback="cpu")
    assert "is ignored" in session.explain().costs
    assert_equal(session.run(example.feeds), expected(example.model, example.feeds))
    assert file.read_text() == damage
