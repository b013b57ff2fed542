"""What the tests of the OpenCL programs share: devices, builds, the argument structures, planes in an arena, lists."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from opencl_devices import no_half_arithmetic

try:
    import pyopencl as cl
except ImportError:  # the tests skip
    cl = None

KERNELS = Path(__file__).resolve().parent.parent / "kernels"
NONE = 0xFFFFFFFF

Array = np.ndarray[Any, np.dtype[Any]]

# For tests with shapes drawn at random, and the numbers by a generator of a random seed.
shapes = settings(
    max_examples=int(os.environ.get("PDRT_EXAMPLES", "8")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
seeds = st.integers(0, 2**32 - 1)


# --- kernels/arguments.h ---


def _definitions() -> tuple[dict[str, np.dtype[Any]], dict[str, int]]:
    """Return the structures and the enumerators of kernels/arguments.h."""
    text = re.sub(r"//.*", "", (KERNELS / "arguments.h").read_text())
    types: dict[str, Any] = {"uint": np.uint32, "int": np.int32, "float": np.float32}
    structures: dict[str, np.dtype[Any]] = {}
    for body, name in re.findall(r"typedef struct \{(.*?)\} (\w+);", text, re.DOTALL):
        fields: list[Any] = []
        for kind, members in re.findall(r"(\w+) ([^;]+);", body):
            for member, length in re.findall(r"(\w+)(?:\[(\d+)\])?", members):
                fields.append((member, types[kind], int(length)) if length else (member, types[kind]))
        types[name] = structures[name] = np.dtype(fields)
    enumerators = {}
    for body in re.findall(r"enum \{(.*?)\}", text, re.DOTALL):
        enumerators.update({name: i for i, name in enumerate(re.findall(r"\w+", body))})
    return structures, enumerators


STRUCTURES, ENUMERATORS = _definitions()


def structure(name: str, **members: Any) -> Array:
    """Return a structure with the members given; the others are 0."""
    made = np.zeros((), STRUCTURES[name])
    for member, value in members.items():
        made[member] = value
    return made


# --- devices ---


class Device:
    """A device, and the programs built for it."""

    def __init__(self, device: Any):
        self.name = f"{device.platform.name.strip()}: {device.name.strip()}"
        self.multiplies_halves = "cl_khr_fp16" in device.extensions.split()
        self.context = cl.Context([device])
        self.queue = cl.CommandQueue(self.context)
        self._built: dict[tuple[str, tuple[tuple[str, Any], ...]], Any] = {}

    def program(self, name: str, options: dict[str, Any]) -> Any:
        key = (name, tuple(sorted(options.items())))
        if key not in self._built:
            defines = [f"-D{option}" if value is True else f"-D{option}={value}" for option, value in options.items()]
            source = (KERNELS / f"{name}.cl").read_text()
            built = cl.Program(self.context, source).build(["-I", str(KERNELS), "-cl-std=CL1.2", *defines])
            self._built[key] = cl.Kernel(built, name)
        return self._built[key]

    def run(
        self,
        name: str,
        extent: Sequence[int],
        group: Sequence[int] | None,
        *arguments: Array,
        **options: Any,
    ) -> None:
        """Run a program. Arrays of any length become buffers and are brought up to date, one buffer for each array."""
        program = self.program(name, options)
        buffers: dict[int, tuple[Array, Any]] = {}
        for i, argument in enumerate(arguments):
            if argument.ndim == 0:
                program.set_arg(i, argument.tobytes())
                continue
            if id(argument) not in buffers:
                flags = cl.mem_flags.READ_WRITE
                if argument.size:
                    buffer = cl.Buffer(self.context, flags | cl.mem_flags.COPY_HOST_PTR, hostbuf=argument)
                else:
                    buffer = cl.Buffer(self.context, flags, 64)
                buffers[id(argument)] = (argument, buffer)
            program.set_arg(i, buffers[id(argument)][1])
        if group is not None:
            extent = [-(-e // g) * g for e, g in zip(extent, group, strict=True)]
        if all(extent):
            cl.enqueue_nd_range_kernel(self.queue, program, tuple(extent), None if group is None else tuple(group))
        for argument, buffer in buffers.values():
            if argument.size and argument.flags.writeable:
                cl.enqueue_copy(self.queue, argument, buffer)
        self.queue.finish()


@functools.cache
def devices() -> tuple[list[Device], list[str]]:
    """Return the devices whose compiler works, and what was wrong with the others."""
    if cl is None:
        return [], ["pyopencl is not installed"]
    try:
        platforms = cl.get_platforms()
    except cl.Error as error:
        return [], [f"no OpenCL platform: {error}"]
    found, wrong, seen = [], [], set()
    for device in [device for platform in platforms for device in platform.get_devices()]:
        if (key := (device.platform.name, device.name)) in seen:
            continue
        seen.add(key)
        try:
            made = Device(device)
            made.program("fill", {})
            found.append(made)
        except cl.Error as error:
            wrong.append(f"{device.platform.name}, {device.name}: {error}")
    return found, wrong


@pytest.fixture(scope="session", params=range(max(1, len(devices()[0]))), ids=lambda i: f"device{i}")
def device(request: pytest.FixtureRequest) -> Device:
    """Return every device in turn; skip where there is none."""
    found, wrong = devices()
    if not found:
        pytest.skip(f"no OpenCL device to run programs on: install pocl-opencl-icd and pyopencl ({'; '.join(wrong)})")
    return found[request.param]


# --- halves ---

HALF_ARITHMETIC = {"PDRT_HALF_PLANES": True, "PDRT_HALF_ARITHMETIC": True}


@pytest.fixture(scope="session", params=range(max(1, sum(d.multiplies_halves for d in devices()[0]))))
def half_device(request: pytest.FixtureRequest) -> Device:
    """Return every device that has half arithmetic in turn; skip where there is none."""
    found = [device for device in devices()[0] if device.multiplies_halves]
    if not found:
        pytest.skip(no_half_arithmetic())
    return found[request.param]


# --- planes ---


@dataclass
class Planes:
    """Planes somewhere in an arena."""

    samples: int
    channels: int
    height: int
    width: int
    gap: int = 0
    lead: int = 0
    base: int = 0

    @property
    def row(self) -> int:
        return self.width + self.gap

    @property
    def stride(self) -> int:
        return self.lead + self.height * self.row

    @property
    def size(self) -> int:
        return self.samples * self.channels * self.stride + self.lead

    @property
    def argument(self) -> Array:
        return structure(
            "Planes",
            base=self.base + self.lead,
            sample_stride=self.channels * self.stride,
            stride=self.stride,
            row=self.row,
            height=self.height,
            width=self.width,
        )

    def pixels(self, arena: Array) -> Array:
        """Return the pixels as [sample, channel, y, x]: a view."""
        inside = arena[self.base + self.lead :]
        strides = [self.channels * self.stride, self.stride, self.row, 1]
        shape = (self.samples, self.channels, self.height, self.width)
        return np.lib.stride_tricks.as_strided(inside, shape, [s * arena.itemsize for s in strides])


def arena_of(layouts: Iterable[Planes], dtype: Any = np.float32) -> Array:
    """Lay out planes one after the other, in an arena of NaN."""
    size = 3
    for layout in layouts:
        layout.base = size
        size += layout.size + 5
    return np.full(size, np.nan, dtype)


def is_same(left: Array, right: Array) -> bool:
    """Whether arrays are the same bit by bit, NaN included."""
    return left.tobytes() == right.tobytes()


# --- lists and parts ---


@dataclass
class Lists:
    """The buffer `lists`, as it grows."""

    numbers: list[int] = field(default_factory=lambda: [-123456789])  # never offset 0 by accident

    def add(self, numbers: Iterable[int]) -> int:
        first = len(self.numbers)
        self.numbers += [int(number) for number in numbers]
        return first

    def parts(self, kernels: Sequence[Sequence[int]], channels: Sequence[Sequence[int]] | None = None) -> int:
        """Add lists of kernels and channels, and the array of parts over them; return where that is."""
        made = []
        for i, listed in enumerate(kernels):
            fed = channels[i] if channels is not None else []
            made += [self.add(listed), len(listed), self.add(fed), len(fed)]
        return self.add(made)

    @property
    def array(self) -> Array:
        return np.array(self.numbers, np.int32)


# --- what several tests do ---


Listed = list[list[int]]


def some(rng: np.random.Generator, count: int, first: int = 0) -> list[int]:
    """Return a list of active kernels or channels: any, all or none."""
    share = rng.choice([0, 0.3, 0.8, 1], p=[0.1, 0.3, 0.3, 0.3])
    return [first + i for i in range(count) if rng.random() < share]


def put(arena: Array, layout: Planes, values: Array, listed: Listed) -> None:
    """Write the listed planes of [sample, channel, y, x]."""
    for sample, planes in enumerate(listed):
        layout.pixels(arena)[sample, planes] = values[sample, planes]


def check(before: Array, after: Array, out: Planes, expected: Array, listed: Listed, tolerance: float = 2e-5) -> None:
    """Compare the listed planes with what they should be, and everything else with what it was."""
    changed = before.copy()
    largest = max(1.0, float(np.nanmax(np.abs(expected[np.isfinite(expected)]), initial=0)))
    for sample, planes in enumerate(listed):
        got = out.pixels(after)[sample, planes]
        np.testing.assert_allclose(got, expected[sample, planes], rtol=tolerance, atol=tolerance * largest)
        out.pixels(changed)[sample, planes] = got
    assert is_same(changed, after), "something was written that is no pixel of a listed plane"


def check_shares(dense: Array, first: int, groups: int, arena: Array, planes: Planes, listed: Listed) -> None:
    """Check what shares groups of pixels have in the means of listed planes; the others are NaN as they were."""
    shares = dense[first:].reshape(planes.samples, planes.channels, groups)
    on = np.zeros(shares.shape[:2], bool)
    for sample, channels in enumerate(listed):
        on[sample, channels] = True
    pixels = planes.pixels(arena).astype(np.float64)[on]
    scale = np.abs(pixels).mean(axis=(1, 2)) + 1e-6
    bound = 1e-3 if arena.dtype == np.float16 else 1e-5
    assert (np.abs(shares[on].sum(1, dtype=np.float64) - pixels.mean(axis=(1, 2))) <= bound * scale).all()
    assert np.isnan(shares[~on]).all()


def check_flags(flags: Array, arena: Array, out: Planes, listed: Listed) -> None:
    """Flags start at 7; those of listed planes that are not all zeros become 1."""
    for sample, planes in enumerate(listed):
        for k in range(out.channels):
            set_ = k in planes and bool((out.pixels(arena)[sample, k] != 0).any())
            assert flags[sample * out.channels + k] == (1 if set_ else 7)


def new_flags(out: Planes) -> Array:
    return np.full(out.samples * out.channels, 7, np.uint8)


def groups_of(size: int, tile: int) -> int:
    return -(-size // tile)


def windows(x: Array, filter_size: Sequence[int], geometry: Sequence[Sequence[int]], out: Sequence[int]) -> Array:
    """Return [sample, channel, y, x, i, j]: what each output's window reads; zeros outside the map."""
    stride, dilation, pad = geometry
    high, wide = filter_size
    extent = [(o - 1) * s + (f - 1) * d + 1 for o, s, f, d in zip(out, stride, filter_size, dilation, strict=True)]
    padded = np.zeros((*x.shape[:2], max(extent[0], x.shape[2] + pad[0]), max(extent[1], x.shape[3] + pad[1])))
    padded[:, :, pad[0] : pad[0] + x.shape[2], pad[1] : pad[1] + x.shape[3]] = x
    rows = np.arange(out[0])[:, None] * stride[0] + np.arange(high)[None, :] * dilation[0]
    columns = np.arange(out[1])[:, None] * stride[1] + np.arange(wide)[None, :] * dilation[1]
    result: Array = padded[:, :, rows[:, None, :, None], columns[None, :, None, :]]
    return result


def random_geometry(rng: np.random.Generator, filter_size: Sequence[int], size: Sequence[int]) -> tuple[Any, list[int]]:
    """Return strides, dilations, paddings and a size of output that goes with them, larger ones included."""
    stride, dilation = rng.integers(1, 4, 2).tolist(), rng.integers(1, 3, 2).tolist()
    pad = [int(rng.integers(0, f * d + 1)) for f, d in zip(filter_size, dilation, strict=True)]
    out = [
        max(1, (i + p + int(rng.integers(0, f * d + 1)) - (f - 1) * d - 1) // s + 1)
        for i, p, f, d, s in zip(size, pad, filter_size, dilation, stride, strict=True)
    ]
    return (stride, dilation, pad), out


def window_arguments(geometry: Sequence[Sequence[int]]) -> dict[str, int]:
    (sy, sx), (dy, dx), (py, px) = geometry
    return {"stride_h": sy, "stride_w": sx, "dilation_h": dy, "dilation_w": dx, "pad_top": py, "pad_left": px}
