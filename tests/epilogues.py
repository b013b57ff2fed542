"""Random epilogues for the tests of the OpenCL programs, and what they do in float64."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from programs import ENUMERATORS, STRUCTURES, Array, Planes, structure


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
    "GREATER": lambda x, y: (x > y) * 1.0,
    "GREATER_OR_EQUAL": lambda x, y: (x >= y) * 1.0,
    "LESS": lambda x, y: (x < y) * 1.0,
    "LESS_OR_EQUAL": lambda x, y: (x <= y) * 1.0,
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
RISKY = ["DIVIDE", "REVERSE_DIVIDE", "EXPONENTIAL", "SQUARE_ROOT", *(name for name in STAGES if "GREATER" in name)]
RISKY += [name for name in STAGES if "LESS" in name]
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


def random_epilogue(rng: np.random.Generator, samples: int, kernels: int, names: Sequence[str] = STEADY) -> Epilogue:
    return Epilogue(rng, [str(name) for name in rng.choice(names, rng.integers(0, 4))], samples, kernels)
