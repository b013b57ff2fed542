"""ONNX Runtime as the oracle, and what "equal" means in the tests that ask it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

import pdrt

Array = NDArray[Any]

TOLERANCE = 1e-4


def onnxruntime_session(model: bytes | str | Path) -> onnxruntime.InferenceSession:
    """Load a model in ONNX Runtime: one thread, no chatter."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def expected(
    model: bytes | str | Path, feeds: Mapping[str, Array], outputs: Sequence[str] | None = None
) -> dict[str, Array]:
    """Return what ONNX Runtime computes, by output name."""
    session = onnxruntime_session(model)
    names = list(outputs) if outputs is not None else [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(feeds)), strict=True))


def relative_error(ours: Array, theirs: Array) -> float:
    """Return the largest difference within one array, relative to the array's largest magnitude.

    Single values are no measure: one that cancelled to almost nothing has no correct digits in either runtime.
    """
    if not theirs.size:
        return 0.0
    ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
    if not np.isfinite(theirs).all():
        raise AssertionError("the oracle's answer is not finite: the comparison would prove nothing")
    scale = np.abs(theirs).max()
    difference = np.abs(ours - theirs).max()
    return float(difference / scale if scale > 0 else difference)


def assert_equal(ours: Mapping[str, Array], theirs: Mapping[str, Array], tolerance: float = TOLERANCE) -> None:
    """Assert that all outputs have the oracle's names, types and shapes, and its values within the tolerance."""
    assert list(ours) == list(theirs)
    for name, reference in theirs.items():
        assert ours[name].dtype == reference.dtype, name
        assert ours[name].shape == reference.shape, name
        error = relative_error(ours[name], reference)
        assert error <= tolerance, f"output '{name}' differs by {error:.2e} of its largest value"


def assert_right_on_threads(session: pdrt.Session, model: bytes, feeds: Mapping[str, Array]) -> None:
    """Assert that the model's session on one thread has the oracle's values, in memory that was full of NaN.

    And that two and three threads have the same, to the last bit.
    """
    session.run({name: np.full_like(value, np.nan) for name, value in feeds.items()}, check_finite=False)
    results = session.run(feeds)
    assert_equal(results, expected(model, feeds))
    for threads in (2, 3):
        others = pdrt.Session(model, threads=threads).run(feeds)
        assert all(np.array_equal(others[name], results[name]) for name in results)
