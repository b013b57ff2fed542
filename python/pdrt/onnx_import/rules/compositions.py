"""Operators that native ones compose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..lowering import Lowering, Rule
from .moves import axes_to_input


def _constant_of_shape(low: Lowering) -> None:
    value = low.node.attributes.pop("value", np.zeros(1, dtype=np.float32))
    if not isinstance(value, np.ndarray) or value.size != 1:
        raise low.error("expected the attribute 'value' to be a tensor of one element")
    low.finish("ConstantOfShape", [low.node.inputs[0], low.constant("value", value.reshape(()))])


def _sum(low: Lowering) -> None:
    low.finish("Identity", [_total(low, low.node.inputs)])


def _mean(low: Lowering) -> None:
    low.finish("Div", [_total(low, low.node.inputs), low.scalar("count", len(low.node.inputs))])


def _total(low: Lowering, terms: Sequence[str]) -> str:
    total = terms[0]
    for term in terms[1:]:
        total = low.emit("Add", [total, term])
    return total


def _reduce_sum_square(low: Lowering) -> None:
    axes_to_input(low, 18)
    x = low.node.inputs[0]
    square = low.emit("Mul", [x, x])
    low.finish("ReduceSum", [square, *low.node.inputs[1:]], **_reduction_attributes(low))


def _reduce_log_sum(low: Lowering) -> None:
    axes_to_input(low, 18)
    low.finish("Log", [low.emit("ReduceSum", low.node.inputs, **_reduction_attributes(low))])


def _reduction_attributes(low: Lowering) -> dict[str, int]:
    return {"keepdims": low.take("keepdims", 1), "noop_with_empty_axes": low.take("noop_with_empty_axes", 0)}


def _scatter(low: Lowering) -> None:
    low.finish("ScatterElements", low.node.inputs, axis=low.take("axis", 0))


def _softsign(low: Lowering) -> None:
    x = low.node.inputs[0]
    below = low.emit("Add", [low.emit("Abs", [x]), low.scalar("one", 1.0)])
    low.finish("Div", [x, below])


def _thresholded_relu(low: Lowering) -> None:
    x = low.node.inputs[0]
    above = low.emit("Greater", [x, low.scalar("alpha", low.take("alpha", 1.0))])
    low.finish("Where", [above, x, low.scalar("zero", 0.0)])


def _celu(low: Lowering) -> None:
    # alpha (exp(x / alpha) - 1) below zero is alpha times Elu of x / alpha; above, both leave x.
    alpha = low.scalar("alpha", low.take("alpha", 1.0))
    low.finish("Mul", [alpha, low.emit("Elu", [low.emit("Div", [low.node.inputs[0], alpha])])])


def _mish(low: Lowering) -> None:
    x = low.node.inputs[0]
    low.finish("Mul", [x, low.emit("Tanh", [low.emit("Softplus", [x])])])


def _swish(low: Lowering) -> None:
    x = low.node.inputs[0]
    alpha = low.scalar("alpha", low.take("alpha", 1.0))
    low.finish("Mul", [x, low.emit("Sigmoid", [low.emit("Mul", [alpha, x])])])


def _instance_normalization(low: Lowering) -> None:
    x, scale, bias = low.node.inputs
    epsilon = low.take("epsilon", 1e-5)
    flat = low.emit("Reshape", [x, low.integers("flat", [0, 0, -1])])
    normalised = _normalised(low, flat, [2], epsilon)
    column = low.integers("column", [1])
    scaled = low.emit("Mul", [normalised, low.emit("Unsqueeze", [scale, column])])
    shifted = low.emit("Add", [scaled, low.emit("Unsqueeze", [bias, column])])
    low.finish("Reshape", [shifted, low.emit("Shape", [x])])


def _layer_normalization(low: Lowering) -> None:
    if low.is_read(1) or low.is_read(2):
        raise low.error("its statistics as outputs are not supported")
    x, scale, bias = low.input(0), low.input(1), low.input(2)
    axis, epsilon = low.take("axis", -1), low.take("epsilon", 1e-5)
    low.take("stash_type", 1)  # speaks of 16-bit types
    shape = low.types.shape(x)
    if axis >= 0 and shape is None:
        raise low.error(f"its axis {axis} needs an input of known rank; give the axis counted from the last")
    first = axis if shape is None or axis < 0 else axis - len(shape)
    scaled = [_normalised(low, x, list(range(first, 0)), epsilon), scale]
    if bias:
        low.finish("Add", [low.emit("Mul", scaled), bias])
    else:
        low.finish("Mul", scaled)


def _normalised(low: Lowering, x: str, axes: Sequence[int], epsilon: float) -> str:
    """X minus its mean, over its standard deviation, both over the axes."""
    listed = low.integers("axes", axes)
    centred = low.emit("Sub", [x, low.emit("ReduceMean", [x, listed])])
    variance = low.emit("ReduceMean", [low.emit("Mul", [centred, centred]), listed])
    deviation = low.emit("Sqrt", [low.emit("Add", [variance, low.scalar("epsilon", epsilon)])])
    return low.emit("Div", [centred, deviation])


COMPOSITIONS: Mapping[str, Rule] = {
    "Celu": _celu,
    "ConstantOfShape": _constant_of_shape,
    "InstanceNormalization": _instance_normalization,
    "LayerNormalization": _layer_normalization,
    "Mean": _mean,
    "Mish": _mish,
    "ReduceLogSum": _reduce_log_sum,
    "ReduceSumSquare": _reduce_sum_square,
    "Scatter": _scatter,
    "Softsign": _softsign,
    "Sum": _sum,
    "Swish": _swish,
    "ThresholdedRelu": _thresholded_relu,
}
