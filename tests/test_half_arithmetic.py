"""Sessions that multiply halves: what they round, what they skip, and where they do not.

In halves every number is off by at most U of itself: weights and inputs, each product, each sum of a chunk. That gives
bounds for a convolution; networks are held to a share of their largest output that a few layers stay far below.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import pdrt
from case import Case, Constant
from cases import CASES
from graphs import Example, build, networks
from make_cases import answer
from network import Array, Network
from opencl_devices import Maker, details_of, with_half_arithmetic
from oracle import assert_equal, expected
from pdrt import _core
from test_opencl_skipping import whole_rows
from test_skipping import CASES as SKIPPING
from test_skipping import check_with_poison

PRECISION = "float16-arithmetic"
U = 2.0**-11
# A layer's error is about 7e-4 of its outputs (test_programs_convolution.py), layers add theirs up, and the largest of
# many is some times the usual one.
NETWORK_ERROR = 0.01

CONVOLUTIONS = [case for case in CASES if case.op == "Conv"]


def in_halves(session: pdrt.Session, shapes: dict[str, tuple[int, ...]] | None = None) -> list[bool]:
    """Return of every convolution that is not depthwise whether it multiplies halves."""
    names = [step.implementation for step in session.explain(shapes).steps if "Conv" in step.operators]
    return [name.endswith(" in halves") for name in names if name.startswith(("opencl.convolution", "opencl.winograd"))]


# --- devices ---


def test_a_device_without_it_is_refused(on_device: Maker) -> None:
    """By name, with what is missing and what else there is."""
    net = Network(seed=1)
    model = net.model([net.conv(net.image, 4)])
    details = details_of(on_device.device)
    if on_device.device in with_half_arithmetic():
        on_device(model, precision=PRECISION).run(net.feeds)
        return
    assert ", no half arithmetic;" in details
    with pytest.raises(pdrt.DeviceError, match="has no half arithmetic, the extension cl_khr_fp16") as caught:
        on_device(model, precision=PRECISION)
    assert details.split(",")[0] in str(caught.value)
    assert "precision 'float16' stores planes as halves without it" in str(caught.value)


# --- one convolution ---


def magnitudes(case: Case) -> Array:
    """Return the sums of the magnitudes of all products and the bias."""

    def absolute(given: Any) -> Any:
        return Constant(np.abs(given.data)) if isinstance(given, Constant) else np.abs(given)

    given = [
        None if array is None else absolute(Constant(array) if case.is_constant(i) else array)
        for i, array in enumerate(case.arrays())
    ]
    positive = dataclasses.replace(case, inputs=given)
    return answer(positive, positive.model().SerializeToString())["y0"]


def chunk_of(case: Case) -> int:
    """Return how many products a chunk has, at most (kernels/convolution.cl)."""
    weights = case.arrays()[1]
    assert weights is not None
    taps = int(np.prod(weights.shape[2:]))
    block = taps if taps <= 16 else weights.shape[-1]
    return -(-16 // block) * block


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
def test_convolution(on_half_device: Maker, case: Case) -> None:
    """Weight, input and product are off by U each, the sums of a chunk of n by (n - 1) U at most, the output by U."""
    model, feeds = case.model().SerializeToString(), case.feeds()
    session = on_half_device(model, fallback="cpu", precision=PRECISION)
    ours = session.run(feeds, check_finite=False)["y0"]
    theirs = answer(case, model)["y0"]
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    assert all(in_halves(session))
    if theirs.size:
        bound = 1.01 * (chunk_of(case) + 3) * U * magnitudes(case) + 1e-6
        assert (np.abs(ours - theirs) <= bound).all()


def test_weights_take_half_the_memory(on_half_device: Maker) -> None:
    net = Network(seed=3, channels=16)
    model = net.model([net.conv(net.relu(net.conv(net.image, 32)), 16, 1)])
    sizes = {p: on_half_device(model, precision=p).explain().packed_bytes for p in ("float32", "float16", PRECISION)}
    assert sizes["float32"] == sizes["float16"] == 2 * sizes[PRECISION] > 0


def weighing(largest: float) -> tuple[Network, str]:
    """A convolution with one weight as large as that, the others smaller, between two ordinary ones."""
    net = Network(seed=4)
    middle = net.conv(net.relu(net.conv(net.image, 8)), 8)
    weights = net.weights[f"{middle}.w"]
    weights *= np.float32(abs(largest)) / np.abs(weights).max() / 4
    weights[3, 2, 1, 1] = largest
    shrunk = net.add("Mul", middle, net.store(1 / abs(largest)))
    return net, net.conv(shrunk, 4)


@pytest.mark.parametrize(
    ("largest", "fits"), [(65504, True), (-65600, False), (np.inf, False), (2.0**-14, True), (6e-5, False), (0, True)]
)
def test_weights_that_no_half_holds(on_half_device: Maker, largest: float, fits: bool) -> None:
    """The layer multiplies floats, exactly as with "float16", and explain() says why."""
    net, last = weighing(largest or 1)
    if not largest:
        net.weights["conv2.w"][:] = 0
    model = net.model([last])
    session = on_half_device(model, precision=PRECISION)
    steps = session.explain().steps
    assert in_halves(session) == [True, fits, True]
    assert bool(steps[1].refused) != fits
    if not fits:
        assert steps[1].refused[0].startswith("in halves: its largest weight, ")
        assert "in halves" not in on_half_device(model, precision="float16").explain().steps[1].implementation
    if np.isfinite(largest) and abs(largest) <= 1:  # what is larger does not fit into planes of halves either
        assert_equal(session.run(net.feeds), expected(model, net.feeds), NETWORK_ERROR)


# --- networks ---


@pytest.mark.parametrize(("seed", "skip"), [(0, True), (12, True), (2, False)])
def test_gated_network(on_half_device: Maker, seed: int, skip: bool) -> None:
    """Thresholds of these gates lie as far from what they decide about as can be, so that decisions are the same."""
    example = build(random.Random(seed).choice, seed)
    check_network(on_half_device, example, skip=skip)


@settings(
    max_examples=int(os.environ.get("PDRT_EXAMPLES", "2")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)
@given(example=networks())
def test_random_network(on_half_device: Maker, example: Example) -> None:
    check_network(on_half_device, example, skip=False)


def check_network(on_half_device: Maker, example: Example, **options: Any) -> None:
    """Outputs, and what was computed, are those of float32."""
    options = {"fallback": "cpu", **options}
    whole = on_half_device(example.model, **options)
    session = on_half_device(example.model, precision=PRECISION, **options)
    assert all(in_halves(session, {name: array.shape for name, array in example.feeds.items()}))
    theirs = whole.run(example.feeds)
    for _ in range(2):
        ours = session.run(example.feeds)
        assert_equal(ours, theirs, NETWORK_ERROR)
        assert session.last_run.macs_executed == whole.last_run.macs_executed


@pytest.mark.parametrize("make", SKIPPING[::4], ids=lambda make: make.__name__)
def test_only_what_is_needed_is_computed(on_half_device: Maker, make: Callable[[Network], Any]) -> None:
    """NaN for every weight that is not needed changes not a bit."""
    sessions = functools.partial(on_half_device, fallback="cpu", precision=PRECISION)
    check_with_poison(whole_rows(make), 2, sessions, NETWORK_ERROR)


# --- ways ---


def test_each_way(on_half_device: Maker, tmp_path: Path) -> None:
    """Ways are measured apart from those of floats; Winograd's large tiles stay floats, and say so."""
    net = Network(seed=8, channels=8)
    model = net.model([net.relu(net.conv(net.image, 8))])
    shapes = [list(net.feeds["image"].shape)]
    arguments = (pdrt.load(model), on_half_device.device, str(tmp_path), shapes, lambda done, total: None)
    _core.tune(*arguments, PRECISION)
    (file,) = tmp_path.glob("tuning-opencl-*.json")
    _core.tune(*arguments)
    assert len(list(tmp_path.glob("tuning-opencl-*.json"))) == 2
    stored = json.loads(file.read_text())
    theirs = expected(model, net.feeds)
    for way, halves in (("16x32", True), ("winograd 2", True), ("winograd 4", False)):
        stored["layers"] = dict.fromkeys(stored["layers"], way)
        file.write_text(json.dumps(stored))
        session = pdrt.Session(model, device=on_half_device.device, cache_dir=tmp_path, precision=PRECISION)
        (step,) = (step for step in session.explain().steps if "Conv" in step.operators)
        assert in_halves(session) == [halves]
        assert bool(step.refused) != halves
        assert ("winograd" in step.implementation) == way.startswith("winograd")
        assert_equal(session.run(net.feeds), theirs, NETWORK_ERROR)


def test_the_cpu_has_no_ways_for_halves(tmp_path: Path) -> None:
    net = Network(seed=8)
    model = pdrt.load(net.model([net.conv(net.image, 8)]))
    with pytest.raises(pdrt.InputError, match="precision 'float16-arithmetic' is an OpenCL device's"):
        _core.tune(model, "cpu", str(tmp_path), [[1, 3, 12, 12]], lambda done, total: None, PRECISION)
