"""What every operator refuses, and the words it says: (case, error, part of the message)."""

from __future__ import annotations

from typing import Any

import numpy as np

import pdrt
from case import Case, Constant, Input, Random
from cases import array, f32, f64, flags, i32, i64, stored, u8, weights

REFUSED: list[tuple[Case, type[pdrt.Error], str]] = []
UNKNOWN = "input must be known when the plan is made"


def refused(
    message: str,
    op: str,
    *inputs: Input,
    outputs: int = 1,
    error: type[pdrt.Error] = pdrt.ModelError,
    **attributes: Any,
) -> None:
    """Add one."""
    name = f"{len(REFUSED)}"
    REFUSED.append((Case(op, name, inputs, attributes, outputs), error, message))


def refused_when_run(message: str, op: str, *inputs: Input, **attributes: Any) -> None:
    """Add one that depends on the values of the inputs."""
    refused(message, op, *inputs, error=pdrt.InputError, **attributes)


def integers(*values: int) -> Random | Any:
    return np.array(values, np.int64)


# ---- convolution and matrices

refused("'X' is int64, expected float32, float64", "Conv", i64(1, 2, 5, 5), weights(3, 2, 3, 3))
refused("'X' has shape 2x5, which is 2 dimensions, expected 3 to 4", "Conv", f32(2, 5), weights(3, 2, 3, 3))
refused("'W' is float64, expected float32", "Conv", f32(1, 2, 5, 5), Constant(f64(3, 2, 3, 3)))
refused("'W' has shape 3x2x3", "Conv", f32(1, 2, 5, 5), weights(3, 2, 3))
refused("3 channels of the input 1x3x5x5 in 1 group(s) do not match", "Conv", f32(1, 3, 5, 5), weights(3, 2, 3, 3))
refused("3 channels of the input", "Conv", f32(1, 3, 5, 5), weights(4, 1, 3, 3), group=2)
refused("3 kernels do not divide into 2 groups", "Conv", f32(1, 4, 5, 5), weights(3, 2, 3, 3), group=2)
refused("'group' is 0, expected 1 to 2", "Conv", f32(1, 2, 5, 5), weights(3, 2, 3, 3), group=0)
refused("'kernel_shape' is 5x5", "Conv", f32(1, 2, 5, 5), weights(3, 2, 3, 3), kernel_shape=[5, 5])
refused("'B' has shape 4, expected 3", "Conv", f32(1, 2, 5, 5), weights(3, 2, 3, 3), weights(4))
refused("'strides' holds 0", "Conv", f32(1, 2, 5, 5), weights(3, 2, 3, 3), strides=[0, 1])
refused("'pads' has 2 values, expected 4", "Conv", f32(1, 2, 5, 5), weights(3, 2, 3, 3), pads=[1, 1])
refused("'pads' holds -1", "Conv", f32(1, 2, 5, 5), weights(3, 2, 3, 3), pads=[0, 0, 0, -1])
refused("'dilations' holds 0", "Conv", f32(1, 2, 5, 5), weights(3, 2, 3, 3), dilations=[1, 0])
refused("a window of 9 does not fit an input of 5", "Conv", f32(1, 2, 5, 5), weights(3, 2, 3, 3), dilations=[1, 4])
refused("'auto_pad' is 'SAME'", "Conv", f32(1, 2, 5, 5), weights(3, 2, 3, 3), auto_pad="SAME")
refused("'A' has shape 2x3x4, which is 3 dimensions, expected 2", "Gemm", f32(2, 3, 4), weights(4, 5))
refused("shapes 3x4 and 5x4 (after transA and transB) do not multiply", "Gemm", f32(3, 4), weights(4, 5), transB=1)
refused("'C' has shape 2x5, which does not broadcast to 3x5", "Gemm", f32(3, 4), weights(4, 5), weights(2, 5))
refused("'A' is int32, expected float32, float64", "Gemm", i32(3, 4), Constant(i32(4, 5)))
refused("shapes 2x3 and 4x5 do not multiply: 3 columns and 4 rows", "MatMul", f32(2, 3), f32(4, 5))
refused("shapes 2 and 3 do not broadcast", "MatMul", f32(2, 3, 4), f32(3, 4, 5))
refused("'A' has shape scalar", "MatMul", f32(), f32(4, 5))

# ---- normalisation, functions of one and two numbers

norm = (weights(3), weights(3), weights(3))
refused("'input_var' has shape 4", "BatchNormalization", f32(2, 3, 4), *norm, weights(4))
refused("'training_mode' is set", "BatchNormalization", f32(2, 3, 4), *norm, weights(3), training_mode=1)
refused("'X' has shape 3, which is 1 dimensions", "BatchNormalization", f32(3), *norm, weights(3))
refused("'size' is 0", "LRN", f32(2, 3, 4, 4), size=0)
refused("'X' is bool, expected float32, float64, int32, int64", "Relu", flags(3))
refused("'X' is int64, expected float32, float64", "Exp", i64(3))
refused("'X' is uint8", "Neg", u8(3))
refused("'X' is float32, expected bool", "Not", f32(3))
refused("'slope' has shape 2x3, which does not broadcast to 3", "PRelu", f32(3), f32(2, 3))
refused("'max' is float64, expected float32", "Clip", f32(3), None, stored(1, np.float64))
refused("'min' has shape 3, expected one number", "Clip", f32(3), f32(3))
refused("'approximate' is 'sigmoid'", "Gelu", f32(3), approximate="sigmoid")
refused("shapes 2x3 and 4 do not broadcast", "Add", f32(2, 3), f32(4))
refused("'B' is int64, expected float32", "Mul", f32(3), i64(3))
refused("'A' is bool", "Sub", flags(3), flags(3))
refused("'data_1' is int64, expected float32", "Max", f32(3), i64(3))
refused("'data_1' is missing", "Min", f32(3), None, f32(3))
refused("'X' is uint8", "Pow", u8(3), f32(3))
refused("'A' is bool", "Less", flags(3), flags(3))
refused("'A' is float32, expected bool", "And", f32(3), f32(3))
refused("'condition' is float32, expected bool", "Where", f32(3), f32(3), f32(3))
refused("'Y' is int64, expected float32", "Where", flags(3), f32(3), i64(3))
refused("'to' is 10, expected 1 (float32)", "Cast", f32(3), to=10)
refused_when_run("integer division by zero", "Div", integers(1, 2), integers(1, 0))
refused_when_run("by zero", "Mod", integers(1, 2), integers(1, 0))
refused_when_run("by zero", "Pow", integers(1, 0), integers(-1, -1))

# ---- pools, reductions, order

refused("'X' is int32", "MaxPool", i32(1, 1, 5, 5), kernel_shape=[2, 2])
refused("the window has 1 dimensions, the input 1x1x5x5 has 2", "MaxPool", f32(1, 1, 5, 5), kernel_shape=[2])
refused("a window of 2x0 is empty", "AveragePool", f32(1, 1, 5, 5), kernel_shape=[2, 0])
refused("a window of 2 would lie in the padding alone", "MaxPool", f32(1, 1, 5, 5), kernel_shape=[2, 2],
        pads=[0, 0, 2, 0])  # fmt: skip
refused("a window of 6 does not fit an input of 5", "AveragePool", f32(1, 1, 5, 5), kernel_shape=[6, 1])
refused("'X' has shape 2x3, which is 2 dimensions, expected at least 3", "GlobalAveragePool", f32(2, 3))
refused("axes 3 does not exist in 3 dimensions", "ReduceSum", f32(2, 3, 4), stored([3]))
refused("axes names dimension 1 twice", "ReduceMean", f32(2, 3, 4), stored([1, -2]))
refused(f"the axes {UNKNOWN}", "ReduceMax", f32(2, 3, 4), integers(1))
refused("'data' is uint8", "ReduceSum", u8(2, 3))
refused("axis 2 does not exist in 2 dimensions", "Softmax", f32(2, 3), axis=2)
refused("'input' has shape scalar", "LogSoftmax", f32())
refused("axis -3 does not exist in 2 dimensions", "ArgMax", f32(2, 3), axis=-3)
refused("'K' is 4, but there are 3 elements along axis 1 of 2x3", "TopK", f32(2, 3), stored([4]), outputs=2)
refused("'K' is -1", "TopK", f32(2, 3), stored([-1]), outputs=2)
refused(f"the K {UNKNOWN}", "TopK", f32(2, 3), integers(1), outputs=2)
refused("input 'axis' 2 does not exist in 2 dimensions", "CumSum", f32(2, 3), stored(2))
refused_when_run("input 'axis' -3 does not exist in 2 dimensions", "CumSum", f32(2, 3), np.array(-3))

# ---- shapes

refused(f"the shape {UNKNOWN}", "Reshape", f32(2, 3), integers(6))
refused("cannot reshape 2x3 to 4: 6 elements do not become 4", "Reshape", f32(2, 3), stored([4]))
refused("6 elements do not divide by 4", "Reshape", f32(2, 3), stored([4, -1]))
refused("only one -1 is allowed", "Reshape", f32(2, 3), stored([-1, -1]))
refused("only -1 may be negative", "Reshape", f32(2, 3), stored([-2, 3]))
refused("the 0 at position 2 has nothing to copy", "Reshape", f32(2, 3), stored([2, 3, 0]))
refused("6 elements do not divide by 0", "Reshape", f32(2, 3), stored([0, -1]), allowzero=1)
refused("has 9 values, expected at most 8", "Reshape", f32(2, 3), stored([1] * 9))
refused("'shape' is float32, expected int32, int64", "Reshape", f32(2, 3), stored([6], np.float32))
refused("axis 3 does not exist in 2 dimensions", "Flatten", f32(2, 3), axis=3)
refused("names dimension 1 of 1x3, which is not 1", "Squeeze", f32(1, 3), stored([1]))
refused(f"the axes {UNKNOWN}", "Squeeze", f32(1, 3), integers(0))
refused("axes names dimension 0 twice", "Unsqueeze", f32(2, 3), stored([0, -4]))
refused("the output would have 9 dimensions", "Unsqueeze", f32(1, 1, 1, 1, 1, 1, 1, 1), stored([0]))
refused("'training_mode' is true", "Dropout", f32(2), stored(0.5, np.float32), stored(True, np.bool_))
refused("'perm' has 1 axes, input 'data' has 2", "Transpose", f32(2, 3), perm=[0])
refused("'perm' names dimension 0 twice", "Transpose", f32(2, 3), perm=[0, 0])
refused("shapes 3 and 2 do not broadcast", "Expand", f32(3), stored([2]))
refused("expected no negatives", "Expand", f32(3), stored([-1]))
refused("more than 2^36 elements", "Expand", f32(1), stored([2**20, 2**20]))
refused("'repeats' has 1 values for the 2 dimensions of 2x3", "Tile", f32(2, 3), stored([2]))
refused("expected no negatives", "Tile", f32(2, 3), stored([2, -1]))
refused("more than 2^36 elements", "Tile", f32(2, 3), stored([2**62, 2**62]))
refused("would have a negative dimension", "ConstantOfShape", stored([2, -3]))
refused("more than 2^36 elements", "ConstantOfShape", stored([2**40, 2**40]))
refused("input 'delta' is 0", "Range", stored(0), stored(5), stored(0))
refused("no finite number of steps", "Range", stored(0.0, np.float32), stored(np.inf, np.float32), stored(1.0,
        np.float32))  # fmt: skip
refused("more than 2^36 elements", "Range", stored(0), stored(2**62), stored(1))
refused(f"the limit {UNKNOWN}", "Range", stored(0), array(5, np.int64), stored(1))

# ---- parts and positions

refused("'inputs[1]' has shape 3x4, which does not go with 2x3 along axis 0", "Concat", f32(2, 3), f32(3, 4), axis=0)
refused("'inputs[1]' has shape 2, which", "Concat", f32(2, 3), f32(2), axis=0)
refused("'inputs[1]' is int64, expected float32", "Concat", f32(2), i64(2), axis=0)
refused("3 lengths that add up to 7", "Split", f32(7), stored([1, 2, 3]), outputs=3)
refused("'split' is 8x-1", "Split", f32(7), stored([8, -1]), outputs=2)
refused("'num_outputs' is 3, but the node has 2 outputs", "Split", f32(6), outputs=2, num_outputs=3)
refused("exclude each other", "Split", f32(6), stored([3, 3]), outputs=2, num_outputs=2)
refused("length 6 cannot be split into 5 parts of 2", "Split", f32(6), outputs=5, num_outputs=5)
refused("'steps' holds 0", "Slice", f32(6), stored([0]), stored([3]), stored([0]), stored([0]))
refused("have different lengths", "Slice", f32(6), stored([0]), stored([3, 4]))
refused("'axes' names dimension 0 twice", "Slice", f32(6, 6), stored([0, 0]), stored([3, 4]), stored([0, -2]))
refused("'axes' 2 does not exist in 2 dimensions", "Slice", f32(6, 6), stored([0]), stored([3]), stored([2]))
refused(f"the starts {UNKNOWN}", "Slice", f32(6), integers(0), stored([3]))
refused("'pads' has 3 values, expected two for each of 2 axes", "Pad", f32(2, 3), stored([0, 1, 2]))
refused("'pads' leaves nothing of dimension 0 of 2x3", "Pad", f32(2, 3), stored([-2, 0, -1, 0]))
refused("'pads' leaves nothing of dimension 1 of 2x3", "Pad", f32(2, 3), stored([0, -3, 0, 1]), mode="edge")
refused("'pads' holds", "Pad", f32(2), stored([2**62, 2**62]))
refused("'mode' is 'mirror'", "Pad", f32(2, 3), stored([0, 0, 0, 0]), mode="mirror")
refused("'constant_value' is int64, expected float32", "Pad", f32(2), stored([1, 1]), stored(0))
refused("'indices' holds 5, but the axis has length 5", "Gather", f32(5, 3), stored([0, 5]))
refused("'indices' is float32", "Gather", f32(5, 3), f32(2))
refused("'data' has shape scalar", "Gather", f32(), stored(0))
refused("'indices' has shape 3, which does not fit 5x3 along axis 0", "GatherElements", f32(5, 3), i64(3, low=0))
refused("'indices' has shape 3x4, which does not fit 5x3 along axis 0", "GatherElements", f32(5, 3), i64(3, 4, low=0))
refused("'updates' has shape 2x2, expected that of 'indices', 2x3", "ScatterElements", f32(5, 3), i64(2, 3), f32(2, 2))
refused("'reduction' is 'mean'", "ScatterElements", f32(5), stored([1]), f32(1), reduction="mean")
refused("bool, which has no reduction 'add'", "ScatterElements", flags(5), stored([1]), flags(1), reduction="add")
refused("'depth' is 0, expected at least 1", "OneHot", i64(3), stored(0), f32(2))
refused("'values' has shape 3, expected 2 numbers", "OneHot", i64(3), stored(4), f32(3))
refused(f"the depth {UNKNOWN}", "OneHot", i64(3), array(4, np.int64), f32(2))
refused_when_run("'indices' holds -6, but the axis has length 5", "Gather", f32(5, 3), integers(0, -6))
refused_when_run("'indices' holds 5, but", "GatherElements", f32(5), integers(0, 5))
refused_when_run("'indices' holds 9, but", "ScatterElements", f32(5), integers(9), f32(1))
