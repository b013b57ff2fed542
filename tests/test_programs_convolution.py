"""The OpenCL programs of convolutions, each driven alone on every device there is and compared with NumPy in float64.

See `test_programs`. PDRT_EXAMPLES=500 tries so many shapes of each instead of a few.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from epilogues import random_epilogue
from programs import (
    HALF_ARITHMETIC,
    NONE,
    STRUCTURES,
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
    random_geometry,
    seeds,
    shapes,
    some,
    structure,
    window_arguments,
    windows,
)

SMALL = {"TILE_KERNELS": 16, "TILE_PIXELS": 16, "THREAD_KERNELS": 2, "THREAD_PIXELS": 2}

__all__ = ["device", "half_device"]


def run_convolution(
    device: Device, seed: int, filter_size: Sequence[int], half: bool = False, arithmetic: bool = False, **options: Any
) -> None:
    """`half`: planes of halves; `arithmetic`: products of halves, too, of integers so small that none is rounded."""
    rng = np.random.default_rng(seed)
    high, wide = filter_size
    samples, groups = rng.integers(1, 3, 2).tolist()
    channels, kernels = rng.integers(1, 21, 2).tolist()  # of a group
    size = rng.integers(1, 14, 2).tolist()
    geometry, out_size = random_geometry(rng, filter_size, size)
    if high * wide == 1 and rng.integers(2):
        geometry, out_size = ([1, 1], [1, 1], [0, 0]), size

    source = Planes(samples, groups * channels, *size, *rng.integers(0, 4, 2).tolist())
    out = Planes(samples, groups * kernels, *out_size, *rng.integers(0, 4, 2).tolist())
    epilogue = random_epilogue(rng, samples, groups * kernels)
    arena = arena_of([source, out, *epilogue.lay_out(out)], np.float16 if half else np.float32)
    epilogue.fill(arena)

    parts = [(sample, group) for sample in range(samples) for group in range(groups)]
    active = [some(rng, kernels, group * kernels) for _, group in parts]
    fed = [some(rng, channels) for _ in parts]
    lists = Lists()
    x = rng.standard_normal((samples, groups * channels, *size)).astype(arena.dtype)
    alive = rng.random((samples, groups * channels)) < 0.6
    w = rng.standard_normal((groups * kernels, channels, high, wide)).astype(np.float32)
    if arithmetic:
        x, w = rng.integers(-3, 4, x.shape).astype(arena.dtype), rng.integers(-3, 4, w.shape).astype(np.float32)
    else:
        w /= np.float32(np.sqrt(high * wide * channels))
    x[~alive] = 0
    bias = rng.standard_normal(groups * kernels).astype(np.float32)

    factor = np.float16 if arithmetic else np.float32
    weights = np.full((channels * high * wide, groups * kernels + 2), np.nan, factor)
    exact = np.zeros((samples, groups * kernels, *out_size))
    for (sample, group), ks, cs in zip(parts, active, fed, strict=True):
        planes = [group * channels + c for c in cs]
        source.pixels(arena)[sample, planes] = x[sample, planes]
        for c in cs:
            of_channel = slice(c * high * wide, (c + 1) * high * wide)
            weights[of_channel, ks] = w[ks, c].reshape(len(ks), high * wide).T
        read = windows(x[sample : sample + 1, planes], filter_size, geometry, out_size)
        exact[sample, ks] = np.einsum("nchwij,kcij->nkhw", read, w[ks][:, cs].astype(np.float64))[0]
    with_bias = bool(rng.integers(4))
    if with_bias:
        exact += bias[:, None, None]

    flags = np.concatenate([alive.ravel().astype(np.uint8), new_flags(out)])
    look, mark = rng.integers(2, size=2)
    dense, parameters, stages = epilogue.buffers
    tile_kernels, tile_pixels = options.get("TILE_KERNELS", 64), options.get("TILE_PIXELS", 64)
    tiles = [groups_of(out_size[0] * out_size[1], tile_pixels), groups_of(kernels, tile_kernels), len(parts)]
    shares = len(dense)
    dense = np.concatenate([dense, np.full(samples * out.channels * tiles[0], np.nan, np.float32)])
    arguments = structure(
        "ConvolutionArguments",
        **{"in": source.argument, "out": out.argument},
        parts=lists.parts(active, fed),
        groups=groups,
        group_channels=channels,
        group_kernels=kernels,
        **window_arguments(geometry),
        weights=2,
        weights_row=weights.shape[1],
        bias=len(parameters) if with_bias else NONE,
        in_flags=0 if look else NONE,
        in_flags_stride=source.channels,
        out_flags=alive.size if mark else NONE,
        out_flags_stride=out.channels,
        epilogue=epilogue.argument,
        pooled=np.array((shares, 1 / (out_size[0] * out_size[1])), STRUCTURES["PooledMeans"]),
    )
    threads = [tile_pixels // options.get("THREAD_PIXELS", 4), tile_kernels // options.get("THREAD_KERNELS", 4), 1]
    threads[1] *= options.get("SLICES", 1)
    before = arena.copy()
    device.run(
        "convolution", [t * n for t, n in zip(tiles, threads, strict=True)], threads,
        arena, arena, dense, dense, np.concatenate([[np.nan] * 2, weights.ravel()]).astype(factor),
        np.concatenate([parameters, bias]), stages, lists.array, flags, arguments,
        FILTER_H=high, FILTER_W=wide, **({"PDRT_HALF_PLANES": True} if half else {}),
        **({"PDRT_HALF_ARITHMETIC": True} if arithmetic else {}), **options,
    )  # fmt: skip
    listed: Listed = [[] for _ in range(samples)]
    for (sample, _), ks in zip(parts, active, strict=True):
        listed[sample] += ks
    check(before, arena, out, epilogue.applied(exact, before), listed, 2e-3 if half else 2e-5)
    if mark:
        check_flags(flags[alive.size :], arena, out, listed)
    else:
        assert (flags[alive.size :] == 7).all()
    if options.get("POOLED"):
        check_shares(dense, shares, tiles[0], arena, out, listed)
    else:
        assert np.isnan(dense[shares:]).all()


@pytest.mark.parametrize("filter_size", [(1, 1), (3, 3), (1, 4), (7, 3)])
@shapes
@given(seed=seeds)
def test_convolution(device: Device, filter_size: tuple[int, int], seed: int) -> None:
    run_convolution(device, seed, filter_size, **SMALL)


# Few work-items, each of which brings several rows of a chunk; and the channels shared out to slices.
OTHER_TILES = [
    {"TILE_KERNELS": 8, "TILE_PIXELS": 32, "THREAD_KERNELS": 4, "THREAD_PIXELS": 4, "CHUNK": 16, "RUN": 2},
    {**SMALL, "CHUNK": 1, "THREAD_KERNELS": 4, "SLICES": 2},
    {**SMALL, "POOLED": True},
    {**SMALL, "CHUNK": 1, "THREAD_KERNELS": 4, "SLICES": 2, "POOLED": True},
]


@pytest.mark.parametrize("tiles", OTHER_TILES)
@shapes
@given(seed=seeds)
def test_convolution_with_other_tiles(device: Device, tiles: dict[str, int], seed: int) -> None:
    run_convolution(device, seed, (3, 3), **tiles)


@shapes
@given(seed=seeds)
def test_convolution_with_default_tiles(device: Device, seed: int) -> None:
    run_convolution(device, seed, (1, 1))


@shapes
@given(seed=seeds)
def test_convolution_of_half_planes(device: Device, seed: int) -> None:
    run_convolution(device, seed, (3, 3), half=True, POOLED=True, **SMALL)


# Kernels of a work-item as a pair, as four, and as two fours.
@pytest.mark.parametrize(
    ("filter_size", "tiles"),
    [
        ((1, 1), SMALL),
        ((3, 3), SMALL),
        ((7, 3), OTHER_TILES[0]),
        ((3, 3), OTHER_TILES[1]),
        ((1, 1), {"TILE_KERNELS": 16, "TILE_PIXELS": 32, "THREAD_KERNELS": 8, "THREAD_PIXELS": 8, "RUN": 4}),
    ],
)
@shapes
@given(seed=seeds)
def test_convolution_in_half_arithmetic(
    half_device: Device, filter_size: tuple[int, int], tiles: dict[str, int], seed: int
) -> None:
    run_convolution(half_device, seed, filter_size, half=True, arithmetic=True, **tiles)


@pytest.mark.parametrize("chunk", [8, 16])
@pytest.mark.parametrize("channels", [64, 1024])
def test_rounding_of_half_arithmetic(half_device: Device, channels: int, chunk: int) -> None:
    """The sums of chunks are floats, so that the error is that of a chunk, however many channels there are.

    Halves are off by 2^-11 of themselves at most, by 2e-4 in the root of the mean square. The i-th sum of a chunk of n
    products of random signs has i / n of the variance of the last, so that the errors of all n come to
    2e-4 sqrt((n + 1) / 2) of it, those of the products to 2e-4, and that of storing the result to 2e-4. The errors of
    chunks add up as the chunks themselves do.
    """
    rng = np.random.default_rng(1)
    kernels, size = 16, 8
    source, out = Planes(1, channels, size, size), Planes(1, kernels, size, size)
    arena = arena_of([source, out], np.float16)
    x = rng.standard_normal((channels, size, size)).astype(np.float16)
    source.pixels(arena)[0] = x
    w = (rng.standard_normal((channels, kernels)) / np.sqrt(channels)).astype(np.float16)
    lists = Lists()
    arguments = structure(
        "ConvolutionArguments", **{"in": source.argument, "out": out.argument},
        parts=lists.parts([list(range(kernels))], [list(range(channels))]), groups=1, group_channels=channels,
        group_kernels=kernels, **window_arguments(([1, 1], [1, 1], [0, 0])), weights_row=kernels, bias=NONE,
        in_flags=NONE, out_flags=NONE,
    )  # fmt: skip
    none = np.zeros(8, np.float32)
    half_device.run(
        "convolution", [8 * groups_of(size * size, 16), 8, 1], [8, 8, 1],
        arena, arena, none, none, w, none, none, lists.array, np.zeros(1, np.uint8), arguments,
        **HALF_ARITHMETIC, **SMALL, CHUNK=chunk,
    )  # fmt: skip
    exact = np.einsum("cyx,ck->kyx", x.astype(np.float64), w.astype(np.float64))
    error = np.sqrt(np.mean((out.pixels(arena)[0] - exact) ** 2) / np.mean(exact**2))
    assert 2e-4 <= error <= 1.2 * 2e-4 * np.sqrt((chunk + 1) / 2 + 2)
