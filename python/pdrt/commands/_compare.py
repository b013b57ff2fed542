"""Comparing two answers to the same question."""

from typing import Any

import numpy
from numpy.typing import NDArray

from pdrt.commands._options import shape_text


def compare(got: NDArray[Any], expected: NDArray[Any]) -> dict[str, Any]:
    """Returns shape, largest difference and error of one output; an infinite error where they cannot be compared."""
    shape = shape_text(got.shape)
    if got.shape != expected.shape or got.dtype != expected.dtype:
        shape = f"{shape} {got.dtype}, expected {shape_text(expected.shape)} {expected.dtype}"
        return {"shape": shape, "difference": float("inf"), "error": float("inf")}
    if got.size == 0:
        return {"shape": shape, "difference": 0.0, "error": 0.0}
    with numpy.errstate(invalid="ignore"):
        differences = numpy.abs(got.astype(numpy.float64) - expected.astype(numpy.float64))
    same = (got == expected) | ((got != got) & (expected != expected))  # infinities and NaNs, each in its place
    difference = float(numpy.where(same, 0.0, numpy.nan_to_num(differences, nan=numpy.inf)).max())
    finite = expected[numpy.isfinite(expected)]
    scale = float(numpy.abs(finite.astype(numpy.float64)).max()) if finite.size else 0.0
    return {"shape": shape, "difference": difference, "error": difference / scale if scale else difference}
