"""Winograd's algorithm in OpenCL programs: all four, one after the other, compared with a convolution in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given

from epilogues import random_epilogue
from programs import (
    HALF_ARITHMETIC,
    NONE,
    STRUCTURES,
    Array,
    Device,
    Listed,
    Lists,
    Planes,
    arena_of,
    check,
    check_flags,
    check_shares,
    device,
    groups_of,
    half_device,
    new_flags,
    seeds,
    shapes,
    some,
    structure,
    windows,
)

__all__ = ["device", "half_device"]

TILES = {"TILE_KERNELS": 16, "TILE_PIXELS": 16, "THREAD_KERNELS": 4, "THREAD_PIXELS": 2, "SLICES": 2, "CHUNK": 4}
STRIDES = ([1, 1], [1, 1])


def transformed(device: Device, tile: int, w: Array, row: int, **options: Any) -> Array:
    """Return weights [kernel, channel, 3, 3] as the program makes them, in rows of `row` numbers."""
    kernels, channels = w.shape[:2]
    weights = np.concatenate([np.full(5, np.nan, np.float32), w.ravel()])
    dtype = np.float16 if options else np.float32
    result = np.full(2 + (tile + 2) ** 2 * channels * row, np.nan, dtype)
    arguments = structure("WinogradWeightsArguments", **{"in": 5}, out=2, row=row, kernels=kernels, channels=channels)
    device.run("winograd_weights", [kernels, channels], [4, 1], weights, result, arguments, TILE=tile, **options)
    return result


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("tile", [2, 4])
@shapes
@given(seed=seeds)
def test_winograd(device: Device, tile: int, pooled: bool, seed: int) -> None:
    run_winograd(device, tile, seed, {}, 2e-5, pooled)


@shapes
@given(seed=seeds)
@example(seed=122132561)  # a plane of numbers so small that halves have none of them
def test_winograd_in_half_arithmetic(half_device: Device, seed: int) -> None:
    """Small integers, of which nothing is rounded but what is stored."""
    run_winograd(half_device, 2, seed, HALF_ARITHMETIC, 2e-3, pooled=False)


def run_winograd(device: Device, tile: int, seed: int, half: dict[str, bool], tolerance: float, pooled: bool) -> None:
    """Run all programs. With `half`, planes, positions and weights are halves."""
    rng = np.random.default_rng(seed)
    positions = (tile + 2) ** 2
    samples, groups = rng.integers(1, 3, 2).tolist()
    channels, kernels = rng.integers(1, 21, 2).tolist()  # of a group
    size = rng.integers(1, 14, 2).tolist()
    pad = rng.integers(0, 3, 2).tolist()
    out_size = [max(1, int(s + p + rng.integers(0, 3) - 2)) for s, p in zip(size, pad, strict=True)]
    tiles = [groups_of(s, tile) for s in out_size]

    source = Planes(samples, groups * channels, *size, *rng.integers(0, 4, 2).tolist())
    out = Planes(samples, groups * kernels, *out_size, *rng.integers(0, 4, 2).tolist())
    epilogue = random_epilogue(rng, samples, groups * kernels)
    arena = arena_of([source, out, *epilogue.lay_out(out)], np.float16 if half else np.float32)
    epilogue.fill(arena)
    parts = [(sample, group) for sample in range(samples) for group in range(groups)]
    active = [some(rng, kernels, group * kernels) for _, group in parts]
    fed = [some(rng, channels) for _ in parts]
    x = rng.standard_normal((samples, groups * channels, *size)).astype(arena.dtype)
    alive = rng.random((samples, groups * channels)) < 0.6
    w = (rng.standard_normal((groups * kernels, channels, 3, 3)) / np.sqrt(9 * channels)).astype(np.float32)
    if half:  # a chunk's sum is a multiple of 1/4 below 512
        x, w = rng.integers(-3, 4, x.shape).astype(arena.dtype), rng.integers(-3, 4, w.shape).astype(np.float32)
    x[~alive] = 0
    bias = rng.standard_normal(groups * kernels).astype(np.float32)

    weights_row = groups * kernels + 3
    weights = transformed(device, tile, w, weights_row, **({"PDRT_HALF_ARITHMETIC": True} if half else {}))
    by_row = weights[2:].reshape(positions, channels, weights_row)
    assert np.isnan(by_row[:, :, groups * kernels :]).all()
    exact = np.broadcast_to(bias[:, None, None], (samples, groups * kernels, *out_size)).astype(np.float64)
    listed: Listed = [[] for _ in range(samples)]
    needed = np.zeros((channels, weights_row), bool)
    for (sample, group), ks, cs in zip(parts, active, fed, strict=True):
        planes = [group * channels + c for c in cs]
        source.pixels(arena)[sample, planes] = x[sample, planes]
        read = windows(x[sample : sample + 1, planes], (3, 3), (*STRIDES, pad), out_size)
        exact[sample, ks] += np.einsum("nchwij,kcij->nkhw", read, w[ks][:, cs].astype(np.float64))[0]
        listed[sample] += ks
        needed[np.ix_(cs, ks)] = True
    by_row[:, ~needed] = np.nan

    lists, flags = Lists(), np.concatenate([alive.ravel().astype(np.uint8), new_flags(out)])
    dense, parameters, stages = epilogue.buffers
    count = tiles[0] * tiles[1]
    row = count + int(rng.integers(0, 3))
    inputs = len(dense)
    sums = inputs + samples * positions * groups * channels * row
    shares = sums + samples * positions * groups * kernels * row
    share_groups = groups_of(count, 8)
    room = np.full(shares - len(dense) + samples * out.channels * share_groups, 0x7FFF7FFF, np.uint32)
    dense = np.concatenate([dense, room.view(np.float32)])  # NaN, read as floats or as halves
    arguments = structure(
        "WinogradArguments",
        **{"in": source.argument, "out": out.argument},
        parts=lists.parts(active, fed),
        groups=groups,
        group_channels=channels,
        group_kernels=kernels,
        pad_top=pad[0],
        pad_left=pad[1],
        tiles_x=tiles[1],
        tiles=count,
        inputs=inputs * (2 if half else 1),
        sums=sums,
        row=row,
        weights=2,
        weights_row=weights_row,
        bias=len(parameters),
        in_flags=0 if rng.integers(2) else NONE,
        in_flags_stride=source.channels,
        out_flags=alive.size,
        out_flags_stride=out.channels,
        epilogue=epilogue.argument,
        pooled=np.array((shares, 1 / (out_size[0] * out_size[1])), STRUCTURES["PooledMeans"]),
    )
    parameters = np.concatenate([parameters, bias])
    before, on = arena.copy(), lists.array
    z = samples * groups
    device.run(
        "winograd_input", [count, max(map(len, fed)), z], [8, 1, 1],
        arena, dense, on, arguments, TILE=tile, **half,
    )  # fmt: skip
    device.run(
        "winograd_product", [groups_of(count, 16) * 8, groups_of(kernels, 16) * 8, z * positions], [8, 8, 1],
        dense, dense, weights, on, flags, arguments, TILE=tile, **TILES, **half,
    )  # fmt: skip
    device.run(
        "winograd_output", [count, max(map(len, active)), z], [8, 1, 1],
        arena, arena, dense, dense, parameters, stages, on, flags, arguments,
        TILE=tile, **half, **({"POOLED": 8} if pooled else {}),
    )  # fmt: skip
    check(before, arena, out, epilogue.applied(exact, before), listed, tolerance)
    check_flags(flags[alive.size :], arena, out, listed)
    if pooled:
        check_shares(dense, shares, share_groups, arena, out, listed)
    else:
        assert np.isnan(dense[shares:]).all()


@pytest.mark.parametrize(("tile", "bound"), [(2, 5e-7), (4, 2e-6)])
def test_rounding(device: Device, tile: int, bound: float) -> None:
    """The error of a sum over many channels, of the largest output there is: worse points of F(4, 3) do not pass."""
    assert rounding_of(device, tile, {}) <= bound


def test_rounding_in_half_arithmetic(half_device: Device) -> None:
    """Twice that of halves without Winograd's algorithm for tiles of 2x2; sessions keep F(4, 3) in floats for its."""
    assert 5e-4 <= rounding_of(half_device, 2, HALF_ARITHMETIC) <= 1.5e-3
    assert rounding_of(half_device, 4, HALF_ARITHMETIC) >= 2.5e-3


def rounding_of(device: Device, tile: int, half: dict[str, bool]) -> float:
    """Return the error of a sum over 128 channels: the root of its mean square, of the outputs'."""
    rng = np.random.default_rng(1)
    channels, kernels, size = 128, 16, 16
    source, out = Planes(1, channels, size, size), Planes(1, kernels, size, size)
    arena = arena_of([source, out], np.float16 if half else np.float32)
    x = rng.standard_normal((1, channels, size, size)).astype(arena.dtype)
    source.pixels(arena)[:] = x
    w = rng.standard_normal((kernels, channels, 3, 3)).astype(np.float32)
    tiles = {**TILES, "CHUNK": 16} if half else TILES
    count, positions = (size // tile) ** 2, (tile + 2) ** 2
    lists = Lists()
    arguments = structure(
        "WinogradArguments", **{"in": source.argument, "out": out.argument},
        parts=lists.parts([list(range(kernels))], [list(range(channels))]), groups=1, group_channels=channels,
        group_kernels=kernels, pad_top=1, pad_left=1, tiles_x=size // tile, tiles=count,
        sums=positions * channels * count, row=count, weights=2, weights_row=kernels, bias=NONE, in_flags=NONE,
        out_flags=NONE,
    )  # fmt: skip
    dense = np.zeros(positions * (channels + kernels) * count, np.float32)
    flags, none = np.zeros(1, np.uint8), np.zeros(8, np.float32)
    weights = transformed(device, tile, w, kernels, **({"PDRT_HALF_ARITHMETIC": True} if half else {}))
    device.run(
        "winograd_input", [count, channels, 1], [8, 1, 1], arena, dense, lists.array, arguments, TILE=tile, **half
    )
    device.run(
        "winograd_product", [groups_of(count, 16) * 8, 8, positions], [8, 8, 1],
        dense, dense, weights, lists.array, flags, arguments, TILE=tile, **tiles, **half,
    )  # fmt: skip
    device.run(
        "winograd_output", [count, kernels, 1], [8, 1, 1],
        arena, arena, dense, dense, none, none, lists.array, flags, arguments, TILE=tile, **half,
    )  # fmt: skip
    read = windows(x, (3, 3), (*STRIDES, [1, 1]), [size, size])
    exact = np.einsum("nchwij,kcij->nkhw", read, w.astype(np.float64), optimize=True)
    return float(np.sqrt(np.mean((out.pixels(arena) - exact) ** 2) / np.mean(exact**2)))
