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


# --- epilogues ---


def _exactly_off(x: Array, y: Array) -> Array:
    return np.where(y == 0, 0.0, x * y)


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _limited(x: Array, low: float, high: float) -> Array:
    return np.minimum(np.maximum(x, low), high)


# What stages with an operand do to x, then those without.
BINARY: dict[str, Any] = {
    "ADD": lambda x, y: x + y,
    "SUBTRACT": lambda x, y: x - y,
    "REVERSE_SUBTRACT": lambda x, y: y - x,
    "MULTIPLY": lambda x, y: x * y,
    "DIVIDE": lambda x, y: x / y,
    "REVERSE_DIVIDE": lambda x, y: y / x,
    "MINIMUM": np.minimum,
    "MAXIMUM": np.maximum,
    "PRELU": lambda x, y: np.where(x < 0, x * y, x),
}
UNARY: dict[str, Any] = {
    "RELU": lambda x, a, b: np.where(x < 0, 0.0, x),
    "LEAKY_RELU": lambda x, a, b: np.where(x < 0, a * x, x),
    "CLIP": _limited,
    "SIGMOID": lambda x, a, b: _sigmoid(x),
    "HARD_SIGMOID": lambda x, a, b: _limited(a * x + b, 0, 1),
    "HARD_SWISH": lambda x, a, b: x * _limited(x / 6 + 0.5, 0, 1),
    "TANH": lambda x, a, b: np.tanh(x),
    "SILU": lambda x, a, b: x * _sigmoid(x),
    "ABSOLUTE": lambda x, a, b: np.abs(x),
    "NEGATE": lambda x, a, b: -x,
    "EXPONENTIAL": lambda x, a, b: np.exp(x),
    "SQUARE_ROOT": lambda x, a, b: np.sqrt(x),
}
STAGES = [name.removeprefix("STAGE_") for name in ENUMERATORS if name.startswith("STAGE_")]
# Those that make rounding errors much larger do not follow sums.
RISKY = ["DIVIDE", "REVERSE_DIVIDE", "EXPONENTIAL", "SQUARE_ROOT"]
STEADY = [name for name in STAGES if name not in RISKY]


class Epilogue:
    """Random stages behind a step, with their operands; `applied` is what they do, in float64."""

    def __init__(self, rng: np.random.Generator, names: Sequence[str], samples: int, kernels: int):
        self.rng, self.samples, self.kernels = rng, samples, kernels
        self.stages = np.zeros(len(names) + 2, STRUCTURES["StageArguments"])
        self.argument = structure("Epilogue", first=2, count=len(names))
        self.parameters: list[float] = [np.nan] * 3
        self.dense: list[float] = [np.nan] * 5
        self.layouts: list[Planes] = []
        self._names = names
        self._operands: list[Any] = []

    def lay_out(self, out: Planes | None) -> list[Planes]:
        """Decide what operands there are; return the planes they need, in the geometry of `out`."""
        for name, stage in zip(self._names, self.stages[2:], strict=True):
            stage["stage"] = ENUMERATORS[f"STAGE_{name}"]
            stage["a"], stage["b"] = np.sort(self.rng.uniform(-0.5, 0.5, 2))
            kind = str(self.rng.choice(["PARAMETER", "DENSE", "PLANE"] if out else ["PARAMETER", "DENSE"]))
            if name in UNARY:
                kind = "NONE"
            elif name == "AFFINE":
                kind = "PARAMETER"
            stage["operand"] = ENUMERATORS[f"OPERAND_{kind}"]
            operand: Any = None
            if kind == "PLANE":
                assert out is not None
                one = bool(self.rng.integers(2))
                operand = Planes(self.samples, 1 if one else self.kernels, out.height, out.width, out.gap, out.lead)
                self.layouts.append(operand)
            elif kind != "NONE":
                operand = self._numbers(stage, self.parameters if kind == "PARAMETER" else self.dense)
                if name == "AFFINE":
                    shift = self.rng.standard_normal(self.kernels).astype(np.float32)
                    stage["second"], stage["sample_stride"], stage["channel_stride"] = len(self.parameters), 0, 1
                    self.parameters += shift.tolist()
                    operand = (operand[:1, :] * np.ones((self.samples, self.kernels)), shift)
            self._operands.append(operand)
        return self.layouts

    def _numbers(self, stage: Any, buffer: list[float]) -> Array:
        """Add an operand of one number per kernel, or fewer, to a buffer; return it as [sample, kernel]."""
        name = STAGES[int(stage["stage"])]
        samples = 1 if name == "AFFINE" or self.rng.integers(2) else self.samples
        kernels = self.kernels if name == "AFFINE" or self.rng.integers(4) else 1
        numbers = self.rng.uniform(0.5, 1.5, (samples, kernels)).astype(np.float32)
        if name == "MULTIPLY":
            numbers[self.rng.random(numbers.shape) < 0.3] = 0
        stage["base"] = len(buffer)
        stage["sample_stride"] = kernels if samples > 1 else 0
        stage["channel_stride"] = 1 if kernels > 1 else 0
        buffer += numbers.ravel().tolist()
        return np.broadcast_to(numbers, (self.samples, self.kernels)).astype(np.float64)

    def fill(self, arena: Array) -> None:
        """Write the operands that are planes, and where they are."""
        for stage, operand in zip(self.stages[2:], self._operands, strict=True):
            if isinstance(operand, Planes):
                where = operand.argument
                stage["base"], stage["sample_stride"] = where["base"], where["sample_stride"]
                stage["channel_stride"] = where["stride"] if operand.channels > 1 else 0
                pixels = operand.pixels(arena)
                pixels[:] = self.rng.uniform(0.5, 1.5, pixels.shape)

    def applied(self, x: Array, arena: Array | None = None) -> Array:
        """Return the stages applied to x[sample, kernel, y, x]."""
        x = x.astype(np.float64)
        for name, stage, operand in zip(self._names, self.stages[2:], self._operands, strict=True):
            if name in UNARY:
                x = UNARY[name](x, float(stage["a"]), float(stage["b"]))
            elif name == "AFFINE":
                x = x * operand[0][:, :, None, None] + operand[1].astype(np.float64)[None, :, None, None]
            elif isinstance(operand, Planes):
                assert arena is not None
                x = BINARY[name](x, operand.pixels(arena).astype(np.float64))
            else:
                x = (_exactly_off if name == "MULTIPLY" else BINARY[name])(x, operand[:, :, None, None])
        return x

    @property
    def buffers(self) -> tuple[Array, Array, Array]:
        """Return dense, parameters, stages."""
        return np.array(self.dense, np.float32), np.array(self.parameters, np.float32), self.stages
