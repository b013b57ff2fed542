"""Sessions on every OpenCL device: the case list against its oracles, what has no program, float16.

The tolerances are those of the CPU: OpenCL allows exp 3 and tanh 5 units in the last place, which they have room for.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

import pdrt
from case import Array, Case
from cases import CASES
from graphs import Example
from make_cases import answer
from network import Network
from opencl_devices import Maker
from oracle import assert_equal, expected, relative_error
from test_operators import IMAGES, assert_same, behind_a_convolution, strided

# Operators that run on the device behind a convolution, whole and without help, in at least one case.
HAVE_PROGRAMS = {
    "Conv",
}


def on_its_own(session: pdrt.Session) -> bool:
    """Whether the device runs every step; steps without work have no side."""
    return all(not step.refused or not step.refused[0].startswith("opencl: ") for step in session.explain().steps)


def check_without_fallback(on_device: Maker, model: bytes, helped: pdrt.Session, feeds: dict[str, Array]) -> None:
    """What needs no help runs without, to the same bits; what needs some is refused, with the reasons of `explain`."""
    outputs = helped.run(feeds, check_finite=False)
    if on_its_own(helped):
        alone = on_device(model).run(feeds, check_finite=False)
        for name in outputs:
            np.testing.assert_array_equal(alone[name], outputs[name])
        return
    with pytest.raises(pdrt.DeviceError) as caught:
        on_device(model).run(feeds, check_finite=False)
    for step in helped.explain().steps:
        for reason in step.refused[:1]:
            if reason.startswith("opencl: "):
                assert f"node '{step.name}': {reason.removeprefix('opencl: ')}" in str(caught.value)


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
    check_without_fallback(on_device, model, session, feeds)


@pytest.mark.parametrize("case", IMAGES, ids=str)
def test_behind_a_convolution(on_device: Maker, case: Case) -> None:
    feeds, model = case.feeds(), case.model()
    changed = behind_a_convolution(model, feeds["x0"]).SerializeToString()
    session = on_device(changed, fallback="cpu")
    assert_same(case, session.run(feeds, check_finite=False), answer(case, model.SerializeToString()))
    check_without_fallback(on_device, changed, session, feeds)
