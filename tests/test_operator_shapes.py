"""Operators on random shapes and settings, against the same computed with numpy in double precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

import pdrt
from case import Array, Case, Constant

pytestmark = pytest.mark.usefixtures("each_isa")

lengths = st.integers(1, 4)


def run(op: str, *inputs: Array | Constant | None, outputs: int = 1, **attributes: Any) -> Array:
    """Return the first output of one node."""
    case = Case(op, "random", inputs, attributes, outputs)
    return pdrt.Session(case.native(), threads=1).run(case.feeds())["y0"]


def normal(shape: tuple[int, ...], seed: int = 0) -> Array:
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(np.float32)


def assert_close(got: Array, wanted: Array, tolerance: float = 1e-5) -> None:
    assert got.shape == wanted.shape
    scale = np.abs(wanted[np.isfinite(wanted)]).max(initial=1e-3)
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance * scale)


def patches(x: Array, kernel: list[int], stride: list[int], dilation: list[int]) -> Array:
    """Return the windows of a padded input: N, C, output height, output width, kernel height, kernel width."""
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    windows = sliding_window_view(x, reach, axis=(2, 3))
    return windows[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


@st.composite
def windows(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a window that fits its input, and the size of the input."""
    pair = lambda least, most: [draw(st.integers(least, most)) for _ in range(2)]  # noqa: E731
    kernel, stride, dilation = pair(1, 4), pair(1, 3), pair(1, 3)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    pads = [draw(st.integers(0, r - 1)) for r in reach * 2]
    size = [draw(st.integers(max(1, r - pads[i] - pads[2 + i]), r + 9)) for i, r in enumerate(reach)]
    return {"size": size, "kernel": kernel, "strides": stride, "dilations": dilation, "pads": pads}


def padded(x: Array, pads: list[int], value: float) -> Array:
    return np.pad(x.astype(np.float64), [(0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])], constant_values=value)


@settings(deadline=None, max_examples=80)
@given(window=windows(), batch=lengths, groups=lengths, channels=lengths, kernels=lengths, bias=st.booleans())
def test_convolution(window: dict[str, Any], batch: int, groups: int, channels: int, kernels: int, bias: bool) -> None:
    x = normal((batch, groups * channels, *window.pop("size")))
    kernel = window.pop("kernel")
    weights = normal((groups * kernels, channels, *kernel), 1)
    shift = normal((groups * kernels,), 2) if bias else None
    parts = patches(padded(x, window["pads"], 0), kernel, window["strides"], window["dilations"])
    parts = parts.reshape(batch, groups, channels, *parts.shape[2:])
    taps = weights.reshape(groups, kernels, channels, *kernel).astype(np.float64)
    wanted = np.einsum("ngchwij,gkcij->ngkhw", parts, taps).reshape(batch, groups * kernels, *parts.shape[3:5])
    if shift is not None:
        wanted = wanted + shift[:, None, None]
    extra = [] if shift is None else [Constant(shift)]
    assert_close(run("Conv", x, Constant(weights), *extra, group=groups, **window), wanted)


@settings(deadline=None, max_examples=80)
@given(window=windows(), batch=lengths, channels=lengths)
def test_max_pool(window: dict[str, Any], batch: int, channels: int) -> None:
    x = normal((batch, channels, *window.pop("size")))
    kernel = window.pop("kernel")
    parts = patches(padded(x, window["pads"], -np.inf), kernel, window["strides"], window["dilations"])
    assert_close(run("MaxPool", x, kernel_shape=kernel, **window), parts.max((4, 5)))


@settings(deadline=None, max_examples=80)
@given(window=windows(), batch=lengths, channels=lengths, include=st.booleans())
def test_average_pool(window: dict[str, Any], batch: int, channels: int, include: bool) -> None:
    x = normal((batch, channels, *window.pop("size")))
    kernel = window.pop("kernel")
    geometry = (kernel, window["strides"], window["dilations"])
    total = patches(padded(x, window["pads"], 0), *geometry).sum((4, 5))
    pixels = patches(padded(np.ones_like(x), window["pads"], 1 if include else 0), *geometry).sum((4, 5))
    wanted = total / np.maximum(pixels, 1)
    assert_close(run("AveragePool", x, kernel_shape=kernel, count_include_pad=int(include), **window), wanted)


@st.composite
def broadcastable(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Draw two shapes that broadcast."""
    shape = draw(st.lists(lengths, max_size=5))
    pair = []
    for _ in range(2):
        own = [draw(st.sampled_from([1, length])) for length in shape]
        pair.append(tuple(own[draw(st.integers(0, len(own))) :]))
    return pair[0], pair[1]


BINARY = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Max": np.maximum, "Less": np.less, "Equal": np.equal}


@settings(deadline=None, max_examples=100)
@given(shapes=broadcastable(), op=st.sampled_from(sorted(BINARY)), stored=st.booleans())
def test_broadcasting(shapes: tuple[tuple[int, ...], tuple[int, ...]], op: str, stored: bool) -> None:
    a, b = (normal(shape, seed).round(1) for seed, shape in enumerate(shapes))
    b = np.asarray(b, np.float32)
    np.testing.assert_array_equal(run(op, np.asarray(a), Constant(b) if stored else b), BINARY[op](a, b))


@settings(deadline=None, max_examples=60)
@given(shapes=broadcastable(), sizes=st.tuples(lengths, lengths, lengths))
def test_matrix_products(shapes: tuple[tuple[int, ...], tuple[int, ...]], sizes: tuple[int, int, int]) -> None:
    rows, inner, columns = sizes
    a, b = normal((*shapes[0], rows, inner)), normal((*shapes[1], inner, columns), 1)
    assert_close(run("MatMul", a, b), a.astype(np.float64) @ b.astype(np.float64))


positions = st.one_of(st.integers(-9, 9), st.sampled_from([2**63 - 1, -(2**63)]))


@settings(deadline=None, max_examples=100)
@given(data=st.data(), shape=st.lists(st.integers(1, 7), min_size=1, max_size=4))
def test_slices(data: st.DataObject, shape: list[int]) -> None:
    axes = data.draw(st.lists(st.integers(0, len(shape) - 1), unique=True))
    slices = [slice(None)] * len(shape)
    parameters: list[list[int]] = [[], [], [], []]
    for axis in axes:
        start, end = data.draw(positions), data.draw(positions)
        step = data.draw(st.sampled_from([1, 2, 3, -1, -2, 9, -9]))
        # Backwards, ONNX clamps a start below the front to the front, where Python takes nothing; and an end below
        # -length means "to the very front", which a Python slice says with None.
        first = max(start, -shape[axis]) if step < 0 else start
        slices[axis] = slice(first, None if step < 0 and end < -shape[axis] else end, step)
        for parameter, value in zip(parameters, (start, end, axis, step), strict=True):
            parameter.append(value)
    x = normal(tuple(shape))
    stored = [Constant(np.array(values, np.int64)) for values in parameters]
    np.testing.assert_array_equal(run("Slice", x, *stored), x[tuple(slices)])


@settings(deadline=None, max_examples=100)
@given(data=st.data(), shape=st.lists(lengths, min_size=1, max_size=4))
def test_padding(data: st.DataObject, shape: list[int]) -> None:
    mode = data.draw(st.sampled_from(["constant", "edge", "reflect", "wrap"]))
    begins, ends, cut, widths = [], [], [], []
    for length in shape:
        begin, end = data.draw(st.integers(-length, 9)), data.draw(st.integers(-length, 9))
        assume(max(0, -begin) + max(0, -end) < length)
        begins.append(begin)
        ends.append(end)
        cut.append(slice(max(0, -begin), length - max(0, -end)))
        widths.append((max(0, begin), max(0, end)))
    x = normal(tuple(shape))
    value = {"constant_values": np.float32(1.5)} if mode == "constant" else {}
    wanted = np.pad(x[tuple(cut)], widths, mode, **value)  # type: ignore[call-overload]
    constant = Constant(np.float32(1.5)) if mode == "constant" else None
    got = run("Pad", x, Constant(np.array(begins + ends, np.int64)), constant, mode=mode)
    np.testing.assert_array_equal(got, wanted)


REDUCTIONS = {f"Reduce{name}": getattr(np, name.lower()) for name in ("Sum", "Mean", "Max", "Min", "Prod")}


@settings(deadline=None, max_examples=100)
@given(data=st.data(), shape=st.lists(lengths, min_size=1, max_size=5), keep=st.booleans())
def test_reductions(data: st.DataObject, shape: list[int], keep: bool) -> None:
    op = data.draw(st.sampled_from(sorted(REDUCTIONS)))
    axes = data.draw(st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True))
    x = normal(tuple(shape))
    wanted = REDUCTIONS[op](x.astype(np.float64), axis=tuple(axes), keepdims=keep)
    assert_close(run(op, x, Constant(np.array(axes, np.int64)), keepdims=int(keep)), np.asarray(wanted))


@settings(deadline=None, max_examples=60)
@given(data=st.data(), shape=st.lists(lengths, min_size=1, max_size=5))
def test_rearranging(data: st.DataObject, shape: list[int]) -> None:
    x = normal(tuple(shape))
    order = data.draw(st.permutations(range(len(shape))))
    np.testing.assert_array_equal(run("Transpose", x, perm=list(order)), x.transpose(order))
    repeats = data.draw(st.lists(st.integers(1, 3), min_size=len(shape), max_size=len(shape)))
    np.testing.assert_array_equal(run("Tile", x, Constant(np.array(repeats))), np.tile(x, repeats))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    indices = np.array(data.draw(st.lists(st.integers(-shape[axis], shape[axis] - 1), min_size=1, max_size=5)))
    np.testing.assert_array_equal(run("Gather", x, indices, axis=axis), np.take(x, indices, axis))


@pytest.mark.parametrize("largest", [0, 1])
@settings(deadline=None, max_examples=40)
@given(data=st.data(), shape=st.lists(st.integers(1, 6), min_size=1, max_size=3))
def test_top_k(largest: int, data: st.DataObject, shape: list[int]) -> None:
    axis = data.draw(st.integers(0, len(shape) - 1))
    count = data.draw(st.integers(1, shape[axis]))
    x = normal(tuple(shape)).round(0)  # many equals
    order = np.argsort(-x if largest else x, axis=axis, kind="stable").take(range(count), axis)
    case = Case("TopK", "random", [x, Constant(np.array([count]))], {"axis": axis, "largest": largest}, 2)
    got = pdrt.Session(case.native(), threads=1).run(case.feeds())
    np.testing.assert_array_equal(got["y1"], order)
    np.testing.assert_array_equal(got["y0"], np.take_along_axis(x, order, axis))
