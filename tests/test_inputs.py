"""Inputs where the caller holds them: what is read of them, in any layout, and what is said of what is no number."""

from __future__ import annotations

import ctypes
import mmap
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import native
import pdrt
from network import Network
from oracle import assert_equal, expected

Array = NDArray[Any]


def among_nan(array: Array, gaps: tuple[int, ...], offset: int) -> Array:
    """Return the same values in a larger array of NaN: so many more elements in every row of each axis."""
    room = np.full([size + gap for size, gap in zip(array.shape, gaps, strict=True)], np.nan, array.dtype)
    view = room[
        tuple(slice(min(offset, gap), min(offset, gap) + size) for size, gap in zip(array.shape, gaps, strict=True))
    ]
    view[...] = array
    return view


def before_a_wall(array: Array) -> Array:
    """Return the same values in memory that ends with the last of them: to read further is to crash."""
    page = mmap.PAGESIZE
    room = -(-array.nbytes // page) * page
    memory = mmap.mmap(-1, room + page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    if ctypes.CDLL(None, use_errno=True).mprotect(ctypes.c_void_p(start + room), page, 0) != 0:
        raise OSError(ctypes.get_errno(), "mprotect")
    view = np.frombuffer(memory, array.dtype, array.size, room - array.nbytes).reshape(array.shape)
    view[...] = array
    return view


@st.composite
def first_layers(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the window of a network's first convolution; most have a stride."""
    size = [draw(st.sampled_from([1, 2, 3, 5, 7])) for _ in range(2)]
    return {
        "kernel_shape": size,
        "strides": [draw(st.sampled_from([1, 2, 2, 2, 3])) for _ in range(2)],
        "pads": [draw(st.integers(0, length - 1)) for length in size]
        + [draw(st.integers(0, length - 1)) for length in size],
        "dilations": [draw(st.sampled_from([1, 1, 1, 2])) for _ in range(2)],
    }


@pytest.mark.usefixtures("each_isa")
@settings(deadline=None, max_examples=80)
@given(
    data=st.data(),
    window=first_layers(),
    size=st.tuples(st.integers(13, 50), st.integers(13, 50)),
    batch=st.integers(1, 3),
    others=st.booleans(),
    threads=st.integers(1, 2),
)
def test_pixels_are_read_where_they_lie(
    data: st.DataObject, window: dict[str, Any], size: tuple[int, int], batch: int, others: bool, threads: int
) -> None:
    """Nothing around them counts, in whatever layout, run after run in other layouts with the same session."""
    net = Network(sum(size))
    pixels = net.rng.standard_normal((batch, 3, *size)).astype(np.float32)
    image = net.input("pixels", pixels)
    weights = net.store(net.rng.standard_normal((6, 3, *window["kernel_shape"])), "weights")
    outputs = [net.relu(net.add("Conv", image, weights, **window))]
    outputs.append(net.conv(image, 4, stride=2))
    if others:  # which read planes as such
        outputs += [net.conv(image, 5), net.add("GlobalAveragePool", image)]
    model = net.model(outputs)
    wanted = expected(model, net.feeds)
    session = pdrt.Session(model, threads=threads)
    for _ in range(4):
        layout = data.draw(
            st.sampled_from(["plain", "among NaN", "before a wall", "transposed", "reversed", "repeated"])
        )
        given_pixels, own = pixels, wanted
        if layout == "among NaN":
            gaps = data.draw(st.tuples(*[st.integers(0, 3)] * 3, st.integers(0, 40)))
            given_pixels = among_nan(pixels, gaps, data.draw(st.integers(0, 5)))
        elif layout == "before a wall":
            given_pixels = before_a_wall(pixels)
        elif layout == "transposed":
            given_pixels = np.ascontiguousarray(pixels.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
        elif layout == "reversed":
            given_pixels = np.ascontiguousarray(pixels[:, ::-1, ::-1])[:, ::-1, ::-1]
        elif layout == "repeated":  # strides of zero
            given_pixels = np.broadcast_to(pixels[:1, :1], pixels.shape)
            own = expected(model, {**net.feeds, "pixels": given_pixels.copy()})
        assert_equal(session.run({**net.feeds, "pixels": given_pixels}), own)


@settings(deadline=None, max_examples=200)
@given(
    data=st.data(),
    shape=st.lists(st.integers(1, 40), max_size=4),
    dtype=st.sampled_from([np.float32, np.float64]),
    layout=st.sampled_from(["plain", "among NaN", "transposed"]),
    spoiled=st.integers(0, 3),
    threads=st.integers(1, 2),
)
def test_what_is_no_number_is_found(
    data: st.DataObject, shape: list[int], dtype: type, layout: str, spoiled: int, threads: int
) -> None:
    """As many as numpy finds, and the first of them where numpy finds it."""
    array = np.random.default_rng(spoiled).standard_normal(shape).astype(dtype)
    for _ in range(spoiled):
        at = tuple(data.draw(st.integers(0, length - 1)) for length in shape)
        array[at] = data.draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    if layout == "among NaN" and shape:
        array = among_nan(array, (2,) * array.ndim, 1)
    elif layout == "transposed":
        array = np.array(array.T).T
    model = native.model({"x": (array.dtype.name, shape)}, ["y"], [native.node("y", "Neg", ["x"])])
    session = pdrt.Session(model, threads=threads)
    bad = np.argwhere(~np.isfinite(array))
    if not len(bad):
        np.testing.assert_array_equal(session.run({"x": array})["y"], -array)
        return
    first = tuple(int(i) for i in bad[0])
    count = "1 value that is" if len(bad) == 1 else f"{len(bad)} values that are"
    with pytest.raises(pdrt.InputError) as caught:
        session.run({"x": array})
    assert f"input 'x' has {count} not finite, the first {array[first]} at {first}; mend" in str(caught.value)
    np.testing.assert_array_equal(session.run({"x": array}, check_finite=False)["y"], -array)


def test_a_large_input_is_looked_through_by_several_threads() -> None:
    array = np.ones((1, 3, 300, 400), np.float32)
    session = pdrt.Session(
        native.model({"x": ("float32", array.shape)}, ["y"], [native.node("y", "Neg", ["x"])]), threads=2
    )
    for at in np.random.default_rng(0).integers(0, array.size, 50):
        session.run({"x": array})  # wakes them
        array.flat[at] = np.inf
        with pytest.raises(pdrt.InputError, match="1 value that is not finite"):
            session.run({"x": array})
        array.flat[at] = 1
