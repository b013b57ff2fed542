"""Every operator: the case list against ONNX Runtime, in three surroundings, and what is refused."""

from __future__ import annotations

import re

import numpy as np
import onnx
import pytest

import pdrt
from case import Array, Case
from cases import CASES
from make_cases import answer
from refused_cases import REFUSED

# Sums of many numbers cancel, so an error is measured against the largest result; elsewhere each stands for itself.
SUMS = {"AveragePool", "BatchNormalization", "Conv", "CumSum", "Gemm", "GlobalAveragePool", "LRN", "MatMul",
        "ReduceL1", "ReduceL2", "ReduceMean", "ReduceProd", "ReduceSum"}  # fmt: skip


def assert_same(case: Case, ours: dict[str, Array], theirs: dict[str, Array]) -> None:
    """Assert equal names, types, shapes and values; NaN equals NaN."""
    assert list(ours) == list(theirs)
    for name, wanted in theirs.items():
        got = ours[name]
        assert got.dtype == wanted.dtype
        assert got.shape == wanted.shape
        if wanted.dtype.kind != "f":
            np.testing.assert_array_equal(got, wanted)
            continue
        finite = np.abs(wanted[np.isfinite(wanted)])
        scale = finite.max(initial=0) if case.op in SUMS else 0.1
        np.testing.assert_allclose(got, wanted, rtol=case.tolerance, atol=case.tolerance * scale)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case) -> None:
    model = case.model().SerializeToString()
    ours = pdrt.Session(model, threads=1).run(case.feeds(), check_finite=False)
    assert_same(case, ours, answer(case, model))


def strided(array: Array, step: int) -> Array:
    """Return the same values in memory that is transposed, and reversed or gapped along every axis."""
    room = np.zeros(tuple(abs(step) * length for length in reversed(array.shape)), array.dtype).T
    every = (slice(None, None, step),) * array.ndim
    view = room[(..., *every)]
    view[...] = array
    return view


@pytest.mark.parametrize("step", [-1, 3])
@pytest.mark.parametrize("case", [case for case in CASES if case.feeds()], ids=str)
def test_strided_inputs(case: Case, step: int) -> None:
    session = pdrt.Session(case.model().SerializeToString(), threads=1)
    feeds = case.feeds()
    plain = session.run(feeds, check_finite=False)
    again = session.run({name: strided(array, step) for name, array in feeds.items()}, check_finite=False)
    for name in plain:
        np.testing.assert_array_equal(plain[name], again[name])


def behind_a_convolution(model: onnx.ModelProto, array: Array) -> onnx.ModelProto:
    """Put a convolution that changes nothing between input x0 and its users, so that they get planes."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    for node in changed.graph.node:
        node.input[:] = ["behind" if name == "x0" else name for name in node.input]
    channels = array.shape[1]
    convolution = onnx.helper.make_node("Conv", ["x0", "one"], ["behind"], name="unchanging", group=channels)
    changed.graph.node.insert(0, convolution)
    changed.graph.initializer.append(onnx.numpy_helper.from_array(np.ones((channels, 1, 1, 1), np.float32), "one"))
    return changed


def is_image(array: Array | None) -> bool:
    return array is not None and array.ndim == 4 and array.dtype == np.float32


IMAGES = [case for case in CASES if is_image(case.feeds().get("x0"))]


@pytest.mark.parametrize("case", IMAGES, ids=str)
def test_behind_a_convolution(case: Case) -> None:
    """The same operator where it follows a convolution, which is where it is fused, or works on planes."""
    feeds = case.feeds()
    model = case.model()
    changed = behind_a_convolution(model, feeds["x0"]).SerializeToString()
    ours = pdrt.Session(changed, threads=1).run(feeds, check_finite=False)
    assert_same(case, ours, answer(case, model.SerializeToString()))


@pytest.mark.parametrize(("case", "error", "message"), REFUSED, ids=[str(case) for case, _, _ in REFUSED])
def test_refused(case: Case, error: type[pdrt.Error], message: str) -> None:
    model = case.native()
    with pytest.raises(error, match=re.escape(message)) as caught:
        pdrt.Session(model).run(case.feeds())
    assert f"'node' ({case.op})" in str(caught.value)
