"""Convolutions by Winograd's algorithm whose planes a maximum pool alone reads, row by row as they come."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import pdrt
from network import Network
from oracle import assert_equal, assert_right_on_threads, expected
from pdrt import _core

KERNELS = 64


def pooled_rows(explanation: pdrt.Explanation) -> int:
    """Return for how many pairs of steps it is said, of both steps alike."""
    said = [note for step in explanation.steps for note in step.notes if "as rows come" in note]
    assert said[::2] == said[1::2]
    return len(said[::2])


def max_pool(net: Network, x: str, side: int = 2, stride: int = 0, pad: int = 0) -> str:
    return net.add("MaxPool", x, kernel_shape=[side] * 2, strides=[stride or side] * 2, pads=[pad] * 4)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    half=st.integers(32, 60),
    side=st.sampled_from([2, 2, 3]),
    gate=st.sampled_from(["none", "last", "before normalisation"]),
    dead=st.booleans(),
)
def test_pooled_rows(seed: int, half: int, side: int, gate: str, dead: bool) -> None:
    """As ONNX Runtime has it, in memory that was full of NaN; the same to the last bit on any number of threads."""
    net = Network(seed, batch=2, channels=KERNELS, size=2 * half if side == 2 else 6 * (half // 3))
    last = net.conv(net.image, KERNELS, lift=-0.5)
    if dead:  # planes of zeros
        net.weights[f"{last}.b"][::5] = -1e6
    switches = None if gate == "none" else net.input("gate", net.rng.integers(0, 2, (2, KERNELS, 1, 1)))
    if switches and gate == "before normalisation":
        last = net.batch_norm(net.add("Mul", last, switches))
    last = net.relu(last)
    if switches and gate == "last":
        last = net.add("Mul", last, switches)
    model = net.model([net.conv(max_pool(net, last, side), 5)])
    session = pdrt.Session(model, threads=1)
    # Strips may be no multiple of three rows, and with a quarter on some maps are better visited by taps.
    assert pooled_rows(session.explain()) == 1 or side == 3 or gate != "none"
    assert_right_on_threads(session, model, net.feeds)


def large(size: int = 64) -> tuple[Network, str]:
    net = Network(7, channels=KERNELS, size=size)
    return net, net.relu(net.conv(net.image, KERNELS))


def rows_of(net: Network, *outputs: str) -> int:
    model = net.model(list(outputs))
    session = pdrt.Session(model, threads=2)
    assert_equal(session.run(net.feeds), expected(model, net.feeds))
    return pooled_rows(session.explain())


def test_whole_planes_stay_where_they_are_needed() -> None:
    """For another step, for the caller, and for windows that overlap, are padded, or do not end with the rows."""
    net, planes = large()
    pool = max_pool(net, planes)
    assert rows_of(net, pool) == 1
    assert rows_of(net, pool, planes) == 0
    assert rows_of(net, pool, net.conv(planes, 3)) == 0
    assert rows_of(net, max_pool(net, planes, side=3, stride=2)) == 0
    assert rows_of(net, max_pool(net, planes, pad=1)) == 0
    assert rows_of(net, net.add("AveragePool", planes, kernel_shape=[2, 2], strides=[2, 2])) == 0
    net, planes = large(65)
    assert rows_of(net, max_pool(net, planes)) == 0
    net, planes = large(32)
    assert rows_of(net, max_pool(net, planes)) == 0  # small enough to stay near


def test_what_is_off_is_not_computed() -> None:
    """Kernels that are off: whatever their weights, the pool has their constants."""
    net, planes = large()
    conv = net.inputs_of(planes)[0]
    mask = net.input("mask", np.arange(KERNELS).reshape(1, -1, 1, 1) % 4 == 0)
    out = max_pool(net, net.add("Mul", planes, mask))
    truth = expected(net.model([out]), net.feeds)
    net.weights[f"{conv}.w"][net.feeds["mask"].ravel() == 0] = np.nan
    session = pdrt.Session(net.model([out]), threads=2)
    assert pooled_rows(session.explain()) == 1
    assert_equal(session.run(net.feeds), truth)
    assert all(4 * layer.active == layer.kernels for layer in session.last_run.layers)


def test_nothing_on() -> None:
    """Every kernel off, in one sample of two."""
    net = Network(3, batch=2, channels=KERNELS, size=64)
    planes = net.relu(net.conv(net.image, KERNELS))
    mask = net.input("mask", np.repeat([0, 1], KERNELS).reshape(2, KERNELS, 1, 1))
    assert rows_of(net, max_pool(net, net.add("Mul", planes, mask))) == 1


def test_pooled_rows_take_less_memory() -> None:
    net, planes = large(160)
    pool = max_pool(net, planes)
    sizes = [pdrt.Session(net.model(outputs)).explain().arena_bytes for outputs in ([pool], [pool, planes])]
    assert sizes[1] - sizes[0] > 2_000_000  # of 6.5 MB, less room for strips


def test_every_way_is_measured(tmp_path: Path) -> None:
    """Tuning measures taps, too, where rows would be pooled as they come; and what it finds decides about that."""
    net, planes = large()
    model = net.model([max_pool(net, planes)])
    shapes = [list(net.feeds["image"].shape)]
    (layer,) = _core.tune(pdrt.load(model), "cpu", str(tmp_path), shapes, lambda done, total: None)
    assert [way["name"].split()[0] for way in layer["ways"]] == ["planes.convolution", *["planes.winograd"] * 3]
    (file,) = tmp_path.iterdir()
    document = json.loads(file.read_text())
    (ways,) = document["layers"].values()
    for fastest in ("direct", "winograd4"):
        ways.update({name: [1.0 if name == fastest else 2.0, 0.0, 0.0] for name in ways})
        file.write_text(json.dumps(document))
        session = pdrt.Session(model, cache_dir=tmp_path)
        assert pooled_rows(session.explain()) == (fastest != "direct")
        assert_equal(session.run(net.feeds), expected(model, net.feeds))
