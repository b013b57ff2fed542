"""The OpenCL programs on dense numbers and lists, each driven alone and compared with NumPy in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs import NONE, Array, Device, Lists, device, seeds, shapes, structure

__all__ = ["device"]


def axis_case(rng: np.random.Generator, narrow: bool) -> tuple[Array, Array, Array]:
    """Return numbers as [outer, length, inner] inside a buffer, that buffer, and the arguments."""
    shape = [int(rng.integers(1, 5)), int(rng.integers(1, 300)), 1 if narrow else int(rng.integers(1, 21))]
    buffer = np.full(3 + int(np.prod(shape)), np.nan, np.float32)
    buffer[3:] = 3 * rng.standard_normal(len(buffer) - 3)
    arguments = structure("AxisArguments", **{"in": 3}, outer=shape[0], length=shape[1], inner=shape[2], out=2)
    return buffer[3:].reshape(shape), buffer, arguments


# One work-group for every line, and one for several neighbours.
GROUPS = [{"WIDTH": 1, "LANES": 64}, {"WIDTH": 8, "LANES": 4}]


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("operation", range(4))
@shapes
@given(seed=seeds)
def test_reduce(device: Device, operation: int, group: dict[str, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, buffer, arguments = axis_case(rng, group["WIDTH"] == 1)
    if operation > 1 and rng.integers(2):
        x[0, rng.integers(x.shape[1]), 0] = np.nan
    result = np.full(2 + x.shape[0] * x.shape[2], np.nan, np.float32)
    extent = [x.shape[2], group["LANES"], x.shape[0]]
    device.run("reduce", extent, [*group.values(), 1], buffer, result, arguments, OPERATION=operation, **group)
    expected = [np.sum, np.mean, np.max, np.min][operation](x.astype(np.float64), axis=1)
    np.testing.assert_allclose(result[2:].reshape(expected.shape), expected, rtol=1e-5, atol=2e-4)
    assert np.isnan(result[:2]).all()


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("logarithm", [0, 1])
@shapes
@given(seed=seeds, shift=st.sampled_from([0, 1000, -1000]))
def test_softmax(device: Device, logarithm: int, group: dict[str, int], seed: int, shift: int) -> None:
    x, buffer, arguments = axis_case(np.random.default_rng(seed), group["WIDTH"] == 1)
    x += shift
    result = np.full(2 + x.size, np.nan, np.float32)
    extent = [x.shape[2], group["LANES"], x.shape[0]]
    device.run("softmax", extent, [*group.values(), 1], buffer, result, arguments, LOGARITHM=logarithm, **group)
    exact = x.astype(np.float64) - x.max(axis=1, keepdims=True)
    exact -= np.log(np.exp(exact).sum(axis=1, keepdims=True))
    expected = exact if logarithm else np.exp(exact)
    np.testing.assert_allclose(result[2:].reshape(x.shape), expected, rtol=1e-5, atol=1e-5 if logarithm else 0)
    assert np.isnan(result[:2]).all()


# Expression, options, the same in NumPy.
EXPRESSIONS: list[tuple[str, dict[str, str], Any]] = [
    ("a", {}, lambda a, b, c: a),
    ("(a+b)*c+alpha-2*beta", {}, lambda a, b, c: (a + b) * c + 0.5 - 4),
    ("a<b", {"OUT_TYPE": "uchar"}, lambda a, b, c: a < b),
    ("c?a:b", {"C_TYPE": "uchar"}, lambda a, b, c: np.where(c, a, b)),
    ("fmax(exp(a),b)", {}, lambda a, b, c: np.maximum(np.exp(a), b)),
]


@pytest.mark.parametrize(("expression", "types", "exact"), EXPRESSIONS)
@shapes
@given(seed=seeds)
def test_broadcast(device: Device, expression: str, types: dict[str, str], exact: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    dims = rng.integers(1, 5, 6)
    arrays, views = [], []
    arguments = structure("BroadcastArguments", dims=dims, out=1, alpha=0.5, beta=2)
    for name in "abc":
        shape = np.where(rng.integers(0, 2, 6), dims, 1)
        kind = np.uint8 if types.get(f"{name.upper()}_TYPE") else np.float32
        first = int(rng.integers(0, 5))
        array = np.zeros(first + int(np.prod(shape)), kind)
        array[first:] = (
            rng.integers(0, 2, len(array) - first) if kind == np.uint8 else rng.standard_normal(len(array) - first)
        )
        view = array[first:].reshape(shape)
        arguments[name] = first
        arguments[f"{name}_strides"] = np.where(shape == 1, 0, np.array(view.strides) // view.itemsize)
        arrays.append(array)
        views.append(np.broadcast_to(view, dims).astype(np.float64))
    result = np.full(1 + int(np.prod(dims)), 77, np.uint8 if "OUT_TYPE" in types else np.float32)
    device.run("broadcast", [len(result) - 1], [16], *arrays, result, arguments, EXPRESSION=expression, **types)
    np.testing.assert_allclose(result[1:].reshape(dims), exact(*views), rtol=1e-5, atol=1e-6)
    assert result[0] == 77


# --- lists ---


@shapes
@given(seed=seeds, channels=st.booleans(), count=st.sampled_from([1, 7, 64, 65, 200]))
def test_active_list(device: Device, seed: int, channels: bool, count: int) -> None:
    rng = np.random.default_rng(seed)
    samples, groups = rng.integers(1, 4, 2).tolist()
    total = groups * count
    dense = np.zeros(5, np.float32)
    flags = rng.integers(0, 2, 2 + samples * total).astype(np.uint8)
    lists = Lists()
    conditions: list[int] = []
    alternatives = int(rng.integers(0, 3))
    on = np.full((samples, total), alternatives == 0)
    for alternative in range(alternatives):
        all_on = np.full((samples, total), True)
        for _ in range(rng.integers(1, 4)):
            shape = (samples if rng.integers(2) else 1, total if rng.integers(3) else 1)
            numbers = (rng.standard_normal(shape) * (rng.random(shape) < 0.7)).astype(np.float32)
            first, last = (0, total) if rng.integers(2) else np.sort(rng.integers(0, total + 1, 2))
            all_on[:, first:last] &= np.broadcast_to(numbers != 0, (samples, total))[:, first:last]
            strides = [shape[1] if shape[0] > 1 else 0, 1 if shape[1] > 1 else 0]
            conditions += [len(dense), *strides, first, last, alternative]
            dense = np.concatenate([dense, numbers.ravel()])
        on |= all_on
    if look := bool(rng.integers(2)):
        on &= flags[2:].reshape(samples, total) != 0

    if complement := bool(rng.integers(2)):
        on = ~on

    parts, room = lists.add([-7] * (4 * samples * groups)), lists.add([-8] * (samples * total))
    arguments = structure(
        "ActiveListArguments", conditions=lists.add(conditions), condition_count=len(conditions) // 6,
        flags=2 if look else NONE, flags_stride=total, groups=groups, group_stride=count, count=count,
        channels=channels, parts=parts, list=room, complement=complement,
    )  # fmt: skip
    array = lists.array
    device.run("active_list", [64, samples * groups], [64, 1], dense, array, flags, arguments)
    expected = lists.array
    for z in range(samples * groups):
        shift = z % groups * count
        active = np.flatnonzero(on[z // groups, shift : shift + count]) + (0 if channels else shift)
        first = room + z * count
        expected[first : first + len(active)] = active
        at = parts + 4 * z + (2 if channels else 0)
        expected[at : at + 2] = [first, len(active)]
    np.testing.assert_array_equal(array, expected)


# --- what devices can do ---


@pytest.mark.parametrize("lanes", [4, 16])
def test_peak(device: Device, lanes: int) -> None:
    result = np.full(8, np.nan, np.float32)
    device.run("peak", [8], [4], result, np.array(3, np.int32), LANES=lanes)
    expected = np.zeros(8)
    for chain in range(8):
        x = np.arange(8) % 4 + float(chain)
        for _ in range(3 * 16):
            x = x * 0.999 + 0.001
        expected += lanes * x
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_bandwidth(device: Device) -> None:
    numbers, result = np.arange(64, dtype=np.float32), np.zeros(64, np.float32)
    device.run("bandwidth", [16], None, numbers, result)
    np.testing.assert_array_equal(result, numbers)


def test_probe(device: Device) -> None:
    numbers = np.arange(16, dtype=np.int32)
    device.run("probe", [16], None, numbers, np.array(5, np.int32))
    np.testing.assert_array_equal(numbers, np.arange(16) * 3 + 5)
