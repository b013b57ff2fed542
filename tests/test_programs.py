"""The OpenCL programs but those of convolutions, each driven alone on every device and compared with NumPy in float64.

What a program must not touch is NaN, in and out: planes and weights that are not listed, gaps, borders. Nothing but the
pixels of listed planes may change. PDRT_EXAMPLES=500 tries so many shapes of each instead of a few.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epilogues import STAGES, STEADY, Epilogue, random_epilogue
from programs import (
    ENUMERATORS,
    NONE,
    STRUCTURES,
    Array,
    Device,
    Lists,
    Planes,
    arena_of,
    check,
    check_flags,
    device,
    groups_of,
    new_flags,
    put,
    random_geometry,
    seeds,
    shapes,
    some,
    structure,
    window_arguments,
    windows,
)

sizes = st.integers(1, 13)
gaps = st.integers(0, 3)

__all__ = ["device"]


# --- depthwise ---


@pytest.mark.parametrize(
    ("filter_size", "options"),
    [
        ((3, 3), {}),
        ((3, 3), {"STRIDE": 2}),
        ((5, 5), {"FILTER_H": 5, "FILTER_W": 5, "STRIDE": 1}),
        ((2, 4), {"FILTER_H": 0, "FILTER_W": 0}),
    ],
)
@shapes
@given(seed=seeds)
def test_depthwise(device: Device, filter_size: tuple[int, int], options: dict[str, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    samples, channels, multiplier = int(rng.integers(1, 3)), int(rng.integers(1, 9)), int(rng.integers(1, 3))
    kernels = channels * multiplier
    size = rng.integers(1, 14, 2).tolist()
    geometry, out_size = random_geometry(rng, filter_size, size)
    if stride := options.get("STRIDE"):
        geometry[0][1], geometry[1][1] = stride, 1
        out_size[1] = max(1, (size[1] + 2 * geometry[2][1] - filter_size[1]) // stride + 1)

    source = Planes(samples, channels, *size, *rng.integers(0, 4, 2).tolist())
    out = Planes(samples, kernels, *out_size, *rng.integers(0, 4, 2).tolist())
    epilogue = random_epilogue(rng, samples, kernels)
    arena = arena_of([source, out, *epilogue.lay_out(out)])
    epilogue.fill(arena)
    active = [some(rng, kernels) for _ in range(samples)]
    x = rng.standard_normal((samples, channels, *size)).astype(np.float32)
    w = rng.standard_normal((kernels, *filter_size)).astype(np.float32)
    bias = rng.standard_normal(kernels).astype(np.float32)
    put(arena, source, x, [sorted({k // multiplier for k in ks}) for ks in active])
    weights = w.copy()
    weights[[k for k in range(kernels) if not any(k in ks for ks in active)]] = np.nan
    read = windows(np.repeat(x, multiplier, axis=1), filter_size, geometry, out_size)
    exact = np.einsum("nkhwij,kij->nkhw", read, w.astype(np.float64)) + bias[:, None, None]

    lists, flags = Lists(), new_flags(out)
    dense, parameters, stages = epilogue.buffers
    arguments = structure(
        "DepthwiseArguments",
        **{"in": source.argument, "out": out.argument},
        parts=lists.parts(active),
        multiplier=multiplier,
        filter_h=filter_size[0],
        filter_w=filter_size[1],
        **window_arguments(geometry),
        weights=1,
        bias=len(parameters),
        out_flags_stride=kernels,
        epilogue=epilogue.argument,
    )
    before = arena.copy()
    device.run(
        "depthwise", [groups_of(out_size[1], 4) * out_size[0], max(map(len, active)), samples], [8, 1, 1],
        arena, arena, dense, np.concatenate([np.full(1, np.nan, np.float32), weights.ravel()]),
        np.concatenate([parameters, bias]), stages, lists.array, flags, arguments, **options,
    )  # fmt: skip
    check(before, arena, out, epilogue.applied(exact, before), active)
    check_flags(flags, arena, out, active)


# --- pools ---


@pytest.mark.parametrize("maximum", [True, False])
@shapes
@given(seed=seeds)
def test_pool(device: Device, maximum: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    samples, channels = int(rng.integers(1, 3)), int(rng.integers(1, 9))
    size, kernel = rng.integers(1, 14, 2).tolist(), rng.integers(1, 5, 2).tolist()
    geometry, out_size = random_geometry(rng, kernel, size)
    pad_after = rng.integers(0, 4, 2).tolist()
    include = bool(rng.integers(2))

    source = Planes(samples, channels, *size, *rng.integers(0, 4, 2).tolist())
    out = Planes(samples, channels, *out_size, *rng.integers(0, 4, 2).tolist())
    epilogue = random_epilogue(rng, samples, channels)
    arena = arena_of([source, out, *epilogue.lay_out(out)])
    epilogue.fill(arena)
    active = [some(rng, channels) for _ in range(samples)]
    x = rng.standard_normal((samples, channels, *size)).astype(np.float32)
    put(arena, source, x, active)

    inside = windows(np.ones_like(x), kernel, geometry, out_size) > 0
    read = windows(x, kernel, geometry, out_size)
    if maximum:
        exact = np.where(inside, read, -np.inf).max((4, 5))
    else:
        pad = geometry[2]
        padded = np.ones((1, 1, size[0] + pad[0] + pad_after[0], size[1] + pad[1] + pad_after[1]))
        whole = windows(padded, kernel, (geometry[0], geometry[1], [0, 0]), out_size).sum((4, 5))
        exact = read.sum((4, 5)) / np.maximum(1, whole if include else inside.sum((4, 5)))

    lists, flags = Lists(), new_flags(out)
    dense, parameters, stages = epilogue.buffers
    arguments = structure(
        "PoolArguments",
        **{"in": source.argument, "out": out.argument},
        parts=lists.parts(active),
        maximum=maximum,
        count_include_pad=include,
        kernel_h=kernel[0],
        kernel_w=kernel[1],
        **window_arguments(geometry),
        pad_bottom=pad_after[0],
        pad_right=pad_after[1],
        out_flags_stride=channels,
        epilogue=epilogue.argument,
    )
    before = arena.copy()
    device.run(
        "pool", [out_size[0] * out_size[1], max(map(len, active)), samples], [16, 1, 1],
        arena, arena, dense, parameters, stages, lists.array, flags, arguments,
    )  # fmt: skip
    with np.errstate(invalid="ignore"):
        check(before, arena, out, epilogue.applied(exact, before), active)
    check_flags(flags, arena, out, active)


def test_a_maximum_of_nan_is_nan(device: Device) -> None:
    source, out = Planes(1, 1, 3, 5), Planes(1, 1, 1, 3)
    arena = arena_of([source, out])
    source.pixels(arena)[:] = 1
    source.pixels(arena)[0, 0, 1, 3] = np.nan
    lists, flags = Lists(), new_flags(out)
    arguments = structure(
        "PoolArguments", **{"in": source.argument, "out": out.argument}, parts=lists.parts([[0]]), maximum=1,
        kernel_h=3, kernel_w=2, stride_h=1, stride_w=2, dilation_h=1, dilation_w=1, pad_left=1, out_flags_stride=1,
    )  # fmt: skip
    none = np.zeros(1, np.float32)
    stages = np.zeros(1, STRUCTURES["StageArguments"])
    device.run("pool", [3, 1, 1], [3, 1, 1], arena, arena, none, none, stages, lists.array, flags, arguments)
    np.testing.assert_array_equal(out.pixels(arena)[0, 0, 0], [1, 1, np.nan])
    assert flags[0] == 1


@pytest.mark.parametrize("maximum", [True, False])
@shapes
@given(seed=seeds, size=st.tuples(sizes, sizes), gap=gaps)
def test_global_pool(device: Device, maximum: bool, seed: int, size: tuple[int, int], gap: int) -> None:
    rng = np.random.default_rng(seed)
    samples, channels = int(rng.integers(1, 3)), int(rng.integers(1, 9))
    source = Planes(samples, channels, *size, gap, 2)
    arena = arena_of([source])
    active = [some(rng, channels) for _ in range(samples)]
    x = rng.standard_normal((samples, channels, *size)).astype(np.float32)
    put(arena, source, x, active)
    lists, result = Lists(), np.full(3 + samples * channels, np.nan, np.float32)
    arguments = structure(
        "GlobalPoolArguments",
        **{"in": source.argument},
        parts=lists.parts(active),
        maximum=maximum,
        channels=channels,
        out=3,
    )
    device.run("global_pool", [64, max(map(len, active)), samples], [64, 1, 1], arena, result, lists.array, arguments)
    expected = np.full((samples, channels), np.nan)
    for sample, planes in enumerate(active):
        of_sample = x[sample, planes].astype(np.float64)
        expected[sample, planes] = of_sample.max((1, 2)) if maximum else of_sample.mean((1, 2))
    np.testing.assert_allclose(result[3:].reshape(samples, channels), expected, rtol=1e-5, atol=1e-6)


# --- stages ---


def run_elementwise(device: Device, names: Sequence[str], rng: np.random.Generator, zero: bool = False) -> None:
    samples, channels = int(rng.integers(1, 3)), int(rng.integers(1, 9))
    size = rng.integers(1, 14, 2).tolist()
    source = Planes(samples, channels, *size, *rng.integers(0, 4, 2).tolist())
    out = Planes(samples, channels, *size, *rng.integers(0, 4, 2).tolist())
    epilogue = Epilogue(rng, names, samples, channels)
    arena = arena_of([source, out, *epilogue.lay_out(out)])
    epilogue.fill(arena)
    active = [some(rng, channels) for _ in range(samples)]
    x = (3 * rng.standard_normal((samples, channels, *size))).astype(np.float32)
    if names == ["SQUARE_ROOT"]:
        x = np.abs(x)
    x[rng.random(x.shape[:2]) < 0.2] = 0
    if names == ["REVERSE_DIVIDE"]:
        x[x == 0] = 1
    if not zero:
        put(arena, source, x, active)
    lists, flags = Lists(), new_flags(out)
    dense, parameters, stages = epilogue.buffers
    arguments = structure(
        "ElementwiseArguments",
        **{"in": source.argument, "out": out.argument},
        parts=lists.parts(active),
        zero=zero,
        out_flags_stride=channels,
        epilogue=epilogue.argument,
    )
    before = arena.copy()
    device.run(
        "elementwise", [groups_of(size[0] * size[1], 4), max(map(len, active)), samples], [8, 1, 1],
        arena, arena, dense, parameters, stages, lists.array, flags, arguments,
    )  # fmt: skip
    check(before, arena, out, epilogue.applied(0 * x if zero else x, before), active, 2e-6)
    check_flags(flags, arena, out, active)


@shapes
@given(seed=seeds)
def test_each_stage(device: Device, seed: int) -> None:
    for name in STAGES:
        run_elementwise(device, [name], np.random.default_rng(seed))


@shapes
@given(seed=seeds, zero=st.booleans())
def test_elementwise(device: Device, seed: int, zero: bool) -> None:
    rng = np.random.default_rng(seed)
    run_elementwise(device, [str(name) for name in rng.choice(STEADY, 4)], rng, zero)


# What stages make of numbers that are none: stage, whether it has an operand, x, operand, result.
SPECIAL: list[tuple[str, bool, float, float, float]] = [
    ("MULTIPLY", True, np.nan, 0, 0),
    ("MULTIPLY", True, np.inf, -0.0, 0),
    ("MULTIPLY", True, np.nan, 1, np.nan),
    ("MINIMUM", True, np.nan, 1, np.nan),
    ("MINIMUM", True, 1, np.nan, np.nan),
    ("MAXIMUM", True, np.nan, 1, np.nan),
    ("MAXIMUM", True, 1, np.nan, np.nan),
    ("PRELU", True, np.nan, 1, np.nan),
    ("RELU", False, np.nan, 0, np.nan),
    ("RELU", False, -np.inf, 0, 0),
    ("LEAKY_RELU", False, np.nan, 0, np.nan),
    ("CLIP", False, np.nan, 0, np.nan),
    ("HARD_SIGMOID", False, np.nan, 0, np.nan),
    ("HARD_SWISH", False, np.nan, 0, np.nan),
    ("SIGMOID", False, np.nan, 0, np.nan),
    ("SIGMOID", False, -np.inf, 0, 0),
    ("SIGMOID", False, 200, 0, 1),
    ("SILU", False, -np.inf, 0, np.nan),
    ("TANH", False, np.inf, 0, 1),
    ("EXPONENTIAL", False, -np.inf, 0, 0),
    ("ABSOLUTE", False, -np.inf, 0, np.inf),
    ("SQUARE_ROOT", False, -1, 0, np.nan),
]


def test_stages_of_special_numbers(device: Device) -> None:
    for name, has_operand, x, operand, expected in SPECIAL:
        source, out = Planes(1, 1, 1, 1), Planes(1, 1, 1, 1)
        arena = arena_of([source, out])
        source.pixels(arena)[:] = x
        stages = np.zeros(1, STRUCTURES["StageArguments"])
        stages["stage"], stages["a"], stages["b"] = ENUMERATORS[f"STAGE_{name}"], 0.5, 1
        stages["operand"] = ENUMERATORS["OPERAND_PARAMETER" if has_operand else "OPERAND_NONE"]
        lists, flags = Lists(), new_flags(out)
        arguments = structure(
            "ElementwiseArguments",
            **{"in": source.argument, "out": out.argument},
            parts=lists.parts([[0]]),
            epilogue=structure("Epilogue", count=1),
        )
        numbers = np.array([operand], np.float32)
        device.run(
            "elementwise", [1, 1, 1], [1, 1, 1], arena, arena, numbers, numbers, stages, lists.array, flags, arguments
        )
        np.testing.assert_allclose(out.pixels(arena).ravel(), [expected], rtol=1e-6, err_msg=name)


# --- fill, load, store ---


@shapes
@given(seed=seeds, size=st.tuples(sizes, sizes), gap=gaps)
def test_fill(device: Device, seed: int, size: tuple[int, int], gap: int) -> None:
    rng = np.random.default_rng(seed)
    samples, channels = int(rng.integers(1, 3)), int(rng.integers(1, 9))
    out = Planes(samples, channels, *size, gap, 1)
    arena = arena_of([out])
    active = [some(rng, channels) for _ in range(samples)]
    numbers = [(rng.standard_normal(len(ks)) * rng.integers(0, 2, len(ks))).astype(np.float32) for ks in active]
    lists, flags = Lists(), new_flags(out)
    parts = lists.parts(active, [of_sample.view(np.int32).tolist() for of_sample in numbers])
    arguments = structure("FillArguments", out=out.argument, parts=parts, out_flags_stride=channels)
    before = arena.copy()
    device.run(
        "fill", [size[0] * size[1], max(map(len, active)), samples], [4, 1, 1], arena, lists.array, flags, arguments
    )
    expected = np.zeros((samples, channels, *size))
    for sample, ks in enumerate(active):
        expected[sample, ks] = numbers[sample][:, None, None]
    check(before, arena, out, expected, active, 0)
    check_flags(flags, arena, out, active)


def transfer(planes: Planes, order: Sequence[int], **members: Any) -> tuple[Array, Array, Array]:
    """Return arguments, an array of NaN and a view of it as [sample, channel, y, x], whose axes lie in some order."""
    shape = [planes.samples, planes.channels, planes.height, planes.width]
    numbers = np.full(7 + int(np.prod(shape)), np.nan, np.float32)
    view = numbers[7:].reshape([shape[axis] for axis in order]).transpose(np.argsort(order))
    strides = [stride // 4 for stride in view.strides]
    arguments = structure(
        "TransferArguments", planes=planes.argument, array=7, sample_stride=strides[0], channel_stride=strides[1],
        row_stride=strides[2], pixel_stride=strides[3], samples=shape[0], channels=shape[1], **members,
    )  # fmt: skip
    return arguments, numbers, view


@shapes
@given(seed=seeds, size=st.tuples(sizes, sizes), gap=gaps, order=st.permutations(range(4)))
def test_load(device: Device, seed: int, size: tuple[int, int], gap: int, order: list[int]) -> None:
    rng = np.random.default_rng(seed)
    planes = Planes(int(rng.integers(1, 3)), int(rng.integers(1, 9)), *size, gap, 1)
    active = [some(rng, planes.channels) for _ in range(planes.samples)]
    lists, flags = Lists(), new_flags(planes)
    arguments, array, view = transfer(
        planes, order, parts=lists.parts(active), constants=NONE, out_flags_stride=planes.channels
    )
    view[:] = rng.standard_normal(view.shape)
    view[rng.random(view.shape[:2]) < 0.3] = 0
    arena = arena_of([planes])
    arguments["planes"] = planes.argument
    before = arena.copy()
    extent = [size[0] * size[1], max(map(len, active)), planes.samples]
    device.run("load", extent, [8, 1, 1], array, arena, lists.array, flags, arguments)
    check(before, arena, planes, view.astype(np.float64), active, 0)
    check_flags(flags, arena, planes, active)


@shapes
@given(seed=seeds, size=st.tuples(sizes, sizes), gap=gaps, order=st.permutations(range(4)), constants=st.booleans())
def test_store(device: Device, seed: int, size: tuple[int, int], gap: int, order: list[int], constants: bool) -> None:
    rng = np.random.default_rng(seed)
    planes = Planes(int(rng.integers(1, 3)), int(rng.integers(1, 9)), *size, gap, 1)
    arena = arena_of([planes])
    active = [some(rng, planes.channels) if constants else list(range(planes.channels)) for _ in range(planes.samples)]
    x = rng.standard_normal((planes.samples, planes.channels, *size)).astype(np.float32)
    put(arena, planes, x, active)
    numbers = rng.standard_normal((planes.samples, planes.channels)).astype(np.float32)
    lists = Lists()
    arguments, array, view = transfer(
        planes,
        order,
        parts=lists.parts(active if constants else [[]] * planes.samples),
        constants=lists.add(numbers.view(np.int32).ravel()) if constants else NONE,
    )
    arguments["planes"] = planes.argument
    device.run(
        "store", [size[0] * size[1], planes.channels, planes.samples], [8, 1, 1], arena, array, lists.array, arguments
    )
    expected = np.broadcast_to(numbers[:, :, None, None], x.shape).copy()
    for sample, ks in enumerate(active):
        expected[sample, ks] = x[sample, ks]
    np.testing.assert_array_equal(view, expected)
    assert np.isnan(array[:7]).all()


# --- fully connected ---


@pytest.mark.parametrize(("together", "vector"), [(1, 1), (1, 4), (4, 1)])
@shapes
@given(seed=seeds)
def test_fully_connected(device: Device, together: int, vector: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    samples, kernels = int(rng.integers(1, 7)), int(rng.integers(1, 20))
    columns = vector * int(rng.integers(1, 100))
    epilogue = random_epilogue(rng, samples, kernels)
    epilogue.lay_out(None)
    active = [some(rng, kernels) for _ in range(samples)]
    if together > 1:
        active = [active[0]] * samples
    x = rng.standard_normal((samples, columns)).astype(np.float32)
    w = (rng.standard_normal((kernels, columns)) / np.sqrt(columns)).astype(np.float32)
    bias = rng.standard_normal(kernels).astype(np.float32)
    weights = w.copy()
    weights[[k for k in range(kernels) if not any(k in ks for ks in active)]] = np.nan
    dense, parameters, stages = epilogue.buffers
    dense = np.concatenate([dense, np.full(-len(dense) % 4, np.nan, np.float32), x.ravel()])
    result = np.full(2 + samples * kernels, np.nan, np.float32)
    lists = Lists()
    arguments = structure(
        "FullyConnectedArguments",
        **{"in": len(dense) - x.size},
        samples=samples,
        kernels=kernels,
        columns=columns,
        out=2,
        weights=4,
        bias=len(parameters),
        parts=lists.parts(active),
        epilogue=epilogue.argument,
    )
    device.run(
        "fully_connected", [64, max(map(len, active)), groups_of(samples, together)], [64, 1, 1],
        dense, result, np.concatenate([np.full(4, np.nan, np.float32), weights.ravel()]),
        np.concatenate([parameters, bias]), stages, lists.array, arguments, SAMPLES=together, VECTOR=vector,
    )  # fmt: skip
    exact = x.astype(np.float64) @ w.astype(np.float64).T + bias
    exact = epilogue.applied(exact[:, :, None, None])[:, :, 0, 0]
    expected = np.full((samples, kernels), np.nan)
    for sample, ks in enumerate(active):
        expected[sample, ks] = exact[sample, ks]
    np.testing.assert_allclose(result[2:].reshape(samples, kernels), expected, rtol=2e-5, atol=2e-5)
