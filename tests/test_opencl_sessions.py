"""Sessions on every OpenCL device: the case list against its oracles, nodes without a program, float16.

The tolerances are those of the CPU: they have room for the 3 units in the last place that OpenCL allows exp, and the 5
it allows tanh.
"""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pdrt
from case import Array, Case
from cases import CASES
from graphs import build
from make_cases import answer
from network import Network
from opencl_devices import Maker, without_program
from oracle import assert_equal, expected, relative_error
from test_operators import IMAGES, assert_same, behind_a_convolution, strided

# Operators that need no help behind a convolution, in one case at least.
HAVE_PROGRAMS = {
    "Abs", "Add", "AveragePool", "BatchNormalization", "Clip", "Conv", "Div", "Exp", "Flatten",
    "GlobalAveragePool", "GlobalMaxPool", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "MaxPool",
    "Mul", "Neg", "PRelu", "ReduceMean", "Relu", "Sigmoid", "Sqrt", "Sub", "Tanh",
}  # fmt: skip

# Float16 planes: each number stored is off by at most 2^-11 of itself, and every layer adds such errors to those of the
# layers before it; a few layers stay below this share of the largest output.
HALF_ERROR = 0.01


def check_without_help(on_device: Maker, model: bytes, helped: pdrt.Session, feeds: dict[str, Array]) -> None:
    """What needs no help runs without it, to the same bits; what needs some is refused, with `explain`'s reasons."""
    reasons = without_program(helped, feeds)
    if reasons:
        with pytest.raises(pdrt.DeviceError) as caught:
            on_device(model).run(feeds, check_finite=False)
        for name, reason in reasons.items():
            assert f"node '{name}': {reason}" in str(caught.value)
        assert str(caught.value).count("node '") == len(reasons)
        return
    outputs = helped.run(feeds, check_finite=False)
    alone = on_device(model).run(feeds, check_finite=False)
    for name in outputs:
        np.testing.assert_array_equal(alone[name], outputs[name])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(on_device: Maker, case: Case) -> None:
    model = case.model().SerializeToString()
    feeds = case.feeds()
    session = on_device(model, fallback="cpu")
    plain = session.run(feeds, check_finite=False)
    assert_same(case, plain, answer(case, model))
    for step in (-1, 3):
        again = session.run({name: strided(array, step) for name, array in feeds.items()}, check_finite=False)
        for name in plain:
            np.testing.assert_array_equal(plain[name], again[name])
    check_without_help(on_device, model, session, feeds)


@pytest.mark.parametrize("case", IMAGES, ids=str)
def test_behind_a_convolution(on_device: Maker, case: Case) -> None:
    feeds, model = case.feeds(), case.model()
    changed = behind_a_convolution(model, feeds["x0"]).SerializeToString()
    session = on_device(changed, fallback="cpu")
    assert_same(case, session.run(feeds, check_finite=False), answer(case, model.SerializeToString()))
    check_without_help(on_device, changed, session, feeds)


def test_these_operators_have_programs(on_device: Maker) -> None:
    """So that an operator that falls back to the host by mistake is found."""
    alone = set()
    for case in IMAGES:
        if case.op not in HAVE_PROGRAMS - alone:
            continue
        feeds = case.feeds()
        model = behind_a_convolution(case.model(), feeds["x0"]).SerializeToString()
        if not without_program(on_device(model, fallback="cpu"), feeds):
            alone.add(case.op)
    assert alone == HAVE_PROGRAMS


# --- nodes without a program ---


def with_two_strangers() -> tuple[bytes, dict[str, Array]]:
    """A network with two nodes that no device has a program for, on planes."""
    net = Network(seed=11, batch=2)
    first = net.add("Erf", net.conv(net.image, 8))
    second = net.add("Softplus", net.conv(first, 8))
    return net.model([net.linear(net.pooled(net.relu(net.conv(second, 8))), 3)]), net.feeds


def test_every_node_without_a_program_is_named(on_device: Maker) -> None:
    model, feeds = with_two_strangers()
    with pytest.raises(pdrt.DeviceError) as caught:
        on_device(model).run(feeds)
    message = str(caught.value)
    assert message.count("there is no OpenCL program for") == 2
    assert all(words in message for words in ("Erf", "Softplus", 'fallback="cpu"'))


def test_the_host_runs_what_has_no_program(on_device: Maker) -> None:
    model, feeds = with_two_strangers()
    session = on_device(model, fallback="cpu")
    theirs = expected(model, feeds)
    for _ in range(3):
        assert_equal(session.run(feeds), theirs)
    reasons = without_program(session, feeds)
    assert sorted(reasons.values()) == [f"there is no OpenCL program for {op} here" for op in ("Erf", "Softplus")]
    layers = [step for step in session.explain().steps if step.macs]
    assert len(layers) == 4
    assert all(step.implementation.startswith("opencl.") for step in layers)
    assert session.last_run.synchronisations == 2  # each waits for the planes it reads, once


# --- float16 ---


@pytest.mark.parametrize("seed", [0])
def test_half_planes(on_device: Maker, seed: int) -> None:
    """Outputs differ from those of float32, but only so much."""
    net = Network(seed, batch=2, size=16)
    x = net.relu(net.conv(net.image, 8))
    for _ in range(2):
        branch = net.batch_norm(net.conv(net.relu(net.batch_norm(net.conv(x, 8))), 8))
        x = net.relu(net.add("Add", x, branch))
    model = net.model([net.linear(net.pooled(x), 5), net.conv(x, 2, 1)])
    whole = on_device(model)
    half = on_device(model, precision="float16")
    outputs, rounded = whole.run(net.feeds), half.run(net.feeds)
    errors = [relative_error(rounded[name], outputs[name]) for name in outputs]
    assert 0 < max(errors) <= HALF_ERROR, errors
    assert half.explain().arena_bytes <= whole.explain().arena_bytes


@pytest.mark.parametrize("seed", [0])
def test_half_planes_of_gated_networks(on_device: Maker, seed: int) -> None:
    """A gate near its threshold may decide otherwise, so that what is compared is the same decisions: all on."""
    example = build(random.Random(seed).choice, seed)
    options = {"fallback": "cpu", "skip": False}
    outputs = on_device(example.model, **options).run(example.feeds)
    session = on_device(example.model, precision="float16", **options)
    rounded = session.run(example.feeds)
    for name in outputs:
        assert np.isfinite(rounded[name]).all()
        assert rounded[name].shape == outputs[name].shape
    assert session.last_run.macs_executed == session.last_run.macs_dense


@pytest.mark.parametrize("device", ["cpu", "auto", "reference"])
@pytest.mark.parametrize("precision", ["float16", "float16-arithmetic"])
def test_half_planes_are_a_device_s(device: str, precision: Any) -> None:
    model, _ = with_two_strangers()
    with pytest.raises(pdrt.InputError, match=f"precision '{precision}' is how an OpenCL device stores planes"):
        pdrt.Session(model, device=device, precision=precision)


def test_precision_is_one_of_three() -> None:
    model, _ = with_two_strangers()
    values = "'float32', 'float16', 'float16-arithmetic'"
    with pytest.raises(pdrt.InputError, match=f"precision is 'float64'; it must be one of {values}"):
        pdrt.Session(model, precision="float64")


def test_a_second_session_finds_the_programs_of_the_first(on_device: Maker, tmp_path: Path) -> None:
    """And `explain` says so."""
    net = Network(1)
    model = net.model([net.relu(net.conv(net.image, 8))])
    folder = tmp_path / "opencl"

    def programs() -> str:
        session = pdrt.Session(model, device=on_device.device, cache_dir=tmp_path)
        session.run(net.feeds)
        return session.explain({"image": net.feeds["image"].shape}).programs

    first = re.fullmatch(rf"(\d+) built and 0 loaded from {re.escape(str(folder))} in \d+ ms", programs())
    assert first
    assert int(first[1]) > 0
    assert re.fullmatch(rf"0 built and {first[1]} loaded from {re.escape(str(folder))} in \d+ ms", programs())
    assert pdrt.Session(model).explain({"image": net.feeds["image"].shape}).programs == ""
