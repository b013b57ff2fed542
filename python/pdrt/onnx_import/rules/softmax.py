"""Softmax and LogSoftmax before opset 13, which flatten the axes from ``axis`` on into one."""

from __future__ import annotations

from collections.abc import Mapping

from ..lowering import Lowering, Rule


def _softmax(low: Lowering) -> None:
    if low.opset >= 13:
        low.keep()
        return
    axis = low.take("axis", 1)
    shape = low.types.shape(low.node.inputs[0])
    if shape is not None:
        if not -len(shape) <= axis < len(shape):
            raise low.error(f"the axis {axis} is not one of an input of {len(shape)} dimensions")
        first = axis % len(shape)
        long = [index for index in range(first, len(shape)) if shape[index] != 1]
        if len(long) <= 1:  # one axis alone is flattened: the newest form means the same
            low.node.attributes["axis"] = long[0] if long else len(shape) - 1
            low.keep()
            return
    x = low.node.inputs[0]
    flat = low.emit("Flatten", [x], axis=axis)
    probabilities = low.emit(low.node.op, [flat], axis=1)
    low.finish("Reshape", [probabilities, low.emit("Shape", [x])])


SOFTMAX: Mapping[str, Rule] = {"Softmax": _softmax, "LogSoftmax": _softmax}
