"""The case list: every operator, its ordinary use and its edges.

One list drives the tests of correctness, the stored cases that every instruction set runs, and the support table. What
varies is an input of the model, so that nothing is computed when the plan is made; weights, shapes, axes are constants.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from case import Array, Case, Constant, Input, Random

INF, NAN = np.inf, np.nan
LOWEST, LARGEST = np.iinfo(np.int64).min, np.iinfo(np.int64).max
# Everything that arithmetic on reals can trip over.
SPECIAL = np.array([0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-30, 88.9, -88.9, 3e38, -3e38, INF, -INF, NAN], "f4")
FINITE = SPECIAL[:11]
PIXELS = np.delete(SPECIAL, 1).reshape(1, 1, 1, -1)  # without -0, which the sum of a convolution makes 0


def f32(*shape: int) -> Random:
    return Random(shape)


def f64(*shape: int) -> Random:
    return Random(shape, "float64")


def i64(*shape: int, low: int = -5, high: int = 6) -> Random:
    return Random(shape, "int64", low, high)


def i32(*shape: int, low: int = -5, high: int = 6) -> Random:
    return Random(shape, "int32", low, high)


def u8(*shape: int) -> Random:
    return Random(shape, "uint8", 0, 200)


def flags(*shape: int) -> Random:
    return Random(shape, "bool")


def weights(*shape: int) -> Constant:
    return Constant(Random(shape))


def stored(values: Any, dtype: Any = np.int64) -> Constant:
    return Constant(np.array(values, dtype))


def array(values: Any, dtype: Any = np.float32) -> Array:
    return np.array(values, dtype)


# Tensors with nothing in them are stored: as inputs of a model they are refused, but they do arise inside one.
CASES: list[Case] = []


def case(op: str, name: str, *inputs: Input, outputs: int = 1, **attributes: Any) -> None:
    """Add a case; `opset`, `oracle` and `tolerance` are its own, the other keywords are the node's attributes."""
    own = {key: attributes.pop(key) for key in ("opset", "oracle", "tolerance") if key in attributes}
    CASES.append(Case(op, name, inputs, attributes, outputs, **own))


# ---- convolution

case("Conv", "3x3", f32(2, 3, 8, 9), weights(4, 3, 3, 3), weights(4), pads=[1, 1, 1, 1])
case("Conv", "residual-layer", f32(1, 32, 28, 28), weights(32, 32, 3, 3), weights(32), pads=[1, 1, 1, 1])
case("Conv", "1x1", f32(1, 8, 7, 7), weights(6, 8, 1, 1))
case("Conv", "stride", f32(1, 3, 15, 14), weights(5, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1])
case("Conv", "7x7-stem", f32(1, 3, 30, 31), weights(4, 3, 7, 7), weights(4), strides=[2, 2], pads=[3, 3, 3, 3])
case("Conv", "1x1-stride", f32(2, 4, 9, 9), weights(3, 4, 1, 1), strides=[2, 2])
case("Conv", "dilation", f32(1, 2, 12, 11), weights(3, 2, 3, 3), dilations=[2, 3], pads=[2, 3, 2, 3])
case("Conv", "dilation-stride", f32(1, 2, 13, 13), weights(3, 2, 3, 2), dilations=[2, 3], strides=[3, 2])
case("Conv", "uneven-padding", f32(1, 2, 5, 6), weights(3, 2, 3, 2), pads=[2, 0, 1, 3])
case("Conv", "padding-beyond-kernel", f32(1, 2, 4, 4), weights(3, 2, 1, 1), weights(3), pads=[2, 2, 2, 2])
case("Conv", "same-upper", f32(1, 2, 7, 8), weights(3, 2, 4, 3), auto_pad="SAME_UPPER", strides=[2, 3])
case("Conv", "same-lower", f32(1, 2, 7, 8), weights(3, 2, 4, 3), auto_pad="SAME_LOWER", strides=[2, 3])
case("Conv", "valid", f32(1, 2, 7, 8), weights(3, 2, 4, 3), auto_pad="VALID")
case("Conv", "groups", f32(2, 6, 6, 6), weights(9, 2, 3, 3), weights(9), group=3, pads=[1, 1, 1, 1])
case("Conv", "depthwise", f32(1, 8, 10, 9), weights(8, 1, 3, 3), weights(8), group=8, pads=[1, 1, 1, 1])
case("Conv", "depthwise-stride", f32(1, 8, 9, 9), weights(8, 1, 5, 5), group=8, strides=[2, 2], pads=[2, 2, 2, 2])
case("Conv", "depthwise-multiplier", f32(1, 4, 6, 6), weights(8, 1, 3, 3), group=4)
case("Conv", "1d", f32(2, 3, 17), weights(4, 3, 5), weights(4), pads=[2, 2], strides=[2])
case("Conv", "1d-dilation-groups", f32(1, 4, 17), weights(6, 2, 3), group=2, dilations=[4], pads=[3, 1])
case("Conv", "1d-same", f32(1, 2, 10), weights(3, 2, 4), auto_pad="SAME_UPPER")
case("Conv", "whole-input", f32(1, 4, 5, 3), weights(6, 4, 5, 3), weights(6))
case("Conv", "one-pixel", f32(1, 4, 1, 1), weights(6, 4, 3, 3), pads=[1, 1, 1, 1])
case("Conv", "kernel-shape", f32(1, 2, 5, 5), weights(3, 2, 3, 3), kernel_shape=[3, 3])
case("Conv", "double", f64(1, 2, 6, 6), Constant(f64(3, 2, 3, 3)), Constant(f64(3)), tolerance=1e-12, oracle="onnx")
case("Conv", "weights-computed", f32(1, 2, 6, 6), f32(3, 2, 3, 3), f32(3))
case("Conv", "no-images", Constant(f32(0, 2, 6, 6)), weights(3, 2, 3, 3))

# ---- matrices

case("Gemm", "plain", f32(3, 4), weights(4, 5), weights(5))
case("Gemm", "fully-connected", f32(2, 64), weights(10, 64), weights(10), transB=1)
case("Gemm", "scaled", f32(4, 3), weights(5, 4), weights(3, 5), transA=1, transB=1, alpha=0.5, beta=-2.0)
case("Gemm", "column-bias", f32(3, 4), weights(4, 5), weights(3, 1))
case("Gemm", "scalar-bias", f32(3, 4), weights(4, 5), weights())
case("Gemm", "no-bias", f32(3, 4), f32(4, 5))
case("Gemm", "double", f64(3, 4), Constant(f64(4, 5)), Constant(f64(5)), tolerance=1e-12)
case("MatMul", "matrices", f32(3, 4), f32(4, 5))
case("MatMul", "batches", f32(2, 1, 3, 4), f32(5, 4, 2))
case("MatMul", "stored", f32(2, 3, 4), weights(4, 5))
case("MatMul", "vector-matrix", f32(4), f32(2, 4, 3))
case("MatMul", "matrix-vector", f32(2, 3, 4), f32(4))
case("MatMul", "vectors", f32(4), f32(4))
case("MatMul", "nothing-to-sum", Constant(f32(2, 0)), Constant(f32(0, 3)))
case("MatMul", "int64", i64(2, 3, 4), i64(4, 2))
case("MatMul", "int32", i32(3, 4), i32(4, 2))
case("MatMul", "double", f64(3, 4), f64(4, 2), tolerance=1e-12)

# ---- normalisation

positive = Constant(array([0.5, 1.0, 2.0]))
case("BatchNormalization", "images", f32(2, 3, 4, 5), weights(3), weights(3), weights(3), positive)
case("BatchNormalization", "vectors", f32(4, 3), weights(3), weights(3), weights(3), positive, epsilon=0.1)
case("BatchNormalization", "volumes", f32(1, 3, 2, 2, 2), weights(3), weights(3), weights(3), positive)
case("BatchNormalization", "momentum", f32(2, 3, 4), weights(3), weights(3), weights(3), positive, momentum=0.5)
case("LRN", "odd", f32(2, 7, 3, 4), size=5, alpha=0.5, beta=0.75, bias=2.0)
case("LRN", "even", f32(6, 6, 2, 2), size=4, oracle="onnx")
case("LRN", "wider-than-channels", f32(1, 3, 2, 2), size=9, alpha=2.0)

# ---- functions of one number

REAL_FUNCTIONS = ("Ceil", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Reciprocal",
                  "Round", "Selu", "Sigmoid", "Softplus", "Tanh")  # fmt: skip
for op in (*REAL_FUNCTIONS, "Abs", "Neg", "Relu", "Sign"):
    case(op, "images", f32(2, 3, 5, 7))
    case(op, "special", FINITE if op in ("Gelu", "Sign") else PIXELS)
    case(op, "scalar", f32())
    case(op, "empty", Constant(f32(2, 0, 3)))
for op in ("Ceil", "Exp", "Floor", "Reciprocal", "Round", "Abs", "Neg", "Sign"):
    case(op, "double", f64(3, 4), tolerance=1e-12)
for op in ("Abs", "Neg", "Sign"):
    case(op, "int64", array([0, 5, -5, LARGEST, LOWEST + 1], np.int64))
    case(op, "int32", i32(3, 4))
case("Abs", "uint8", u8(3, 4))
case("Relu", "int32", i32(3, 4))
for op in ("Log", "Sqrt"):
    case(op, "images", array([[0.1, 1, 2], [3, 1e-10, 1e10]]))
    case(op, "special", PIXELS)
case("Reciprocal", "zeros", array([0, -0.0]))
case("Round", "halves", array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 2.4999998, 8388609.0]))
case("Gelu", "tanh", f32(3, 4), approximate="tanh")
case("Elu", "alpha", f32(3, 4), alpha=0.3)
case("Selu", "alpha-gamma", f32(3, 4), alpha=2.0, gamma=0.5)
case("LeakyRelu", "alpha", f32(3, 4), alpha=-0.3)
case("HardSigmoid", "alpha-beta", f32(3, 4), alpha=0.7, beta=0.1)
case("PRelu", "per-channel", f32(2, 3, 4, 5), weights(3, 1, 1))
case("PRelu", "scalar", f32(2, 3), weights(1))
case("PRelu", "per-pixel", f32(2, 3, 4), f32(2, 3, 4))
case("PRelu", "int64", i64(3, 4), i64(4), oracle="onnx")
case("Clip", "both", f32(3, 4), stored(-0.5, np.float32), stored(0.7, np.float32))
case("Clip", "low", f32(3, 4), stored(-0.5, np.float32))
case("Clip", "high", f32(3, 4), None, stored(0.7, np.float32))
case("Clip", "none", f32(3, 4))
case("Clip", "special", PIXELS, stored(-1.0, np.float32), stored(1.0, np.float32))
case("Clip", "special-no-bounds", PIXELS)
case("Clip", "crossed", f32(3, 4), stored(1.0, np.float32), stored(-1.0, np.float32))
case("Clip", "bounds-computed", f32(3, 4), array(-0.1), array(0.2))
case("Clip", "int64", i64(3, 4), stored(-2), stored(2))
case("Clip", "uint8", u8(3, 4), stored(20, np.uint8), stored(100, np.uint8))

# ---- two numbers

for op in ("Add", "Sub", "Mul", "Div"):
    case(op, "same-shape", f32(2, 3, 4), f32(2, 3, 4))
    case(op, "per-channel", f32(2, 3, 4, 5), f32(1, 3, 1, 1))
    case(op, "per-sample-channel", f32(2, 3, 4, 5), f32(2, 3, 1, 1))
    case(op, "per-pixel", f32(2, 3, 4, 5), f32(2, 1, 4, 5))
    case(op, "channel-first", f32(3, 1, 1), f32(2, 3, 4, 5))
    case(op, "both-broadcast", f32(3, 1, 5), f32(2, 1, 4, 1))
    case(op, "scalar", f32(2, 3), f32())
    case(op, "stored", f32(2, 3, 4, 4), weights(1, 3, 1, 1))
    case(op, "special", SPECIAL[:, None], SPECIAL[None, :])
    case(op, "empty", Constant(f32(2, 0)), Constant(f32(1, 1)))
    case(op, "double", f64(3, 4), f64(4), tolerance=1e-12)
    case(op, "int64", array([[7, -7, LARGEST, 5]], np.int64), array([[2], [-2], [3]], np.int64))
    case(op, "int32", i32(3, 4, low=-(2**31), high=2**31), i32(4, low=1, high=9))
    case(op, "uint8", u8(3, 4), array([3, 100, 200, 255], np.uint8))
case("Mod", "int64", array([[7, -7, 6, -6, 0]], np.int64), array([[3], [-3]], np.int64))
case("Mod", "int64-fmod", array([[7, -7, 6, -6, 0]], np.int64), array([[3], [-3]], np.int64), fmod=1)
case("Mod", "smallest", array([LOWEST, 5], np.int64), array([-1, -1], np.int64), oracle="onnx")
case("Mod", "float-fmod", f32(3, 4), array([0.3, -0.7, 2.0, 1e-3]), fmod=1)
case("Mod", "float-fmod-special", SPECIAL[:, None], SPECIAL[None, :], fmod=1, oracle="onnx")
case("Mod", "float", f32(3, 4), array([0.3, -0.7, 2.0, -1e3]), opset=28, oracle="onnx")
case("Mod", "uint8", u8(3, 4), array([3, 7, 200, 255], np.uint8))
case("Pow", "square", f32(2, 3), stored(2.0, np.float32))
case("Pow", "broadcast", array([[0.5], [2.0], [3.0]]), f32(2, 1, 4))
case("Pow", "negative-base", array([-2.0, -0.5, -3.0]), array([2.0, 3.0, -1.0]))
case("Pow", "special", SPECIAL[:, None], SPECIAL[None, :])
case("Pow", "integer-exponent", f32(3, 4), array([0, 1, 2, -3], np.int64))
case("Pow", "int64", array([[0, 1, -1, 3, -7]], np.int64), array([[0], [1], [5], [20]], np.int64), oracle="onnx")
case("Pow", "int64-float", array([4, 9, 16], np.int64), array([0.5, 1.5, 2.0]))
for op in ("Max", "Min"):
    case(op, "two", f32(2, 3, 4), f32(3, 1))
    case(op, "three", f32(3, 1), f32(2, 1, 4), f32(1))
    case(op, "one", f32(2, 3))
    case(op, "special", SPECIAL[:, None], SPECIAL[None, :])
    case(op, "int64", i64(3, 4), i64(4))
    case(op, "int32", i32(3, 4), i32(4))
    case(op, "uint8", u8(3, 4), u8(4))

# ---- comparisons, logic, choice

for op in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"):
    case(op, "threshold", f32(2, 3, 4), stored(0.1, np.float32))
    case(op, "special", SPECIAL[:, None], SPECIAL[None, :])
    case(op, "int64", i64(4, 1), i64(1, 5))
    case(op, "int32", i32(4, 1), i32(5))
    case(op, "uint8", u8(4), u8(4), oracle="onnx")
    case(op, "double", f64(4, 1), f64(5))
case("Equal", "bool", flags(4, 1), flags(5))
for op in ("And", "Or", "Xor"):
    case(op, "broadcast", flags(4, 1), flags(2, 1, 5))
    case(op, "same-shape", flags(3, 4), flags(3, 4))
case("Not", "matrix", flags(3, 4))
case("Not", "empty", Constant(flags(0, 4)))
case("Where", "broadcast", flags(2, 1, 4), f32(3, 1), f32(1, 3, 4))
case("Where", "scalars", flags(2, 3), stored(1.0, np.float32), stored(0.0, np.float32))
case("Where", "nan-not-chosen", array([True, False], np.bool_), array([1, NAN]), array([NAN, 2]))
case("Where", "int64", flags(4), i64(4), i64(4))
case("Where", "bool", flags(2, 3), flags(2, 3), flags(3), oracle="onnx")
case("Where", "uint8", flags(2, 3), u8(2, 3), u8(3))

# ---- types

NUMBERS = {"float32": 1, "uint8": 2, "int32": 6, "int64": 7, "bool": 9, "float64": 11}
for name, number in NUMBERS.items():
    case("Cast", f"float32-to-{name}", array([0, 1.5, 2.5, 0.3, 99.9] if name == "uint8" else [0, -1.5, 2.5,
         0.3, 99.9]), to=number)  # fmt: skip
    case("Cast", f"int64-to-{name}", array([0, 1, -1, 200, 2**33 + 7], np.int64), to=number)
    case("Cast", f"bool-to-{name}", flags(2, 3), to=number)
    case("Cast", f"uint8-to-{name}", u8(2, 3), to=number)
case("Cast", "infinities", array([1e300, -1e300, 1e-300, NAN], np.float64), to=1)
case("Cast", "special-to-bool", SPECIAL, to=9)

# ---- pools

case("MaxPool", "2x2", f32(2, 3, 8, 8), kernel_shape=[2, 2], strides=[2, 2])
case("MaxPool", "3x3-padded", f32(1, 2, 9, 10), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
case("MaxPool", "negative", array(-np.arange(1, 17).reshape(1, 1, 4, 4)), kernel_shape=[3, 3], pads=[2, 2, 2, 2])
case("MaxPool", "ceil", f32(1, 2, 6, 8), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
case("MaxPool", "ceil-drops-window", f32(1, 1, 5, 5), kernel_shape=[2, 2], strides=[3, 3], pads=[0, 0, 1, 1],
     ceil_mode=1)  # fmt: skip
case("MaxPool", "dilation", f32(1, 2, 9, 9), kernel_shape=[2, 3], dilations=[3, 2], pads=[1, 0, 1, 2])
case("MaxPool", "dilation-padded", f32(1, 2, 9, 9), kernel_shape=[2, 2], dilations=[3, 2], pads=[3, 1, 2, 2],
     oracle="onnx")  # fmt: skip
case("MaxPool", "same-upper", f32(1, 2, 7, 8), kernel_shape=[2, 3], strides=[2, 2], auto_pad="SAME_UPPER")
case("MaxPool", "same-lower", f32(1, 2, 7, 8), kernel_shape=[2, 3], strides=[2, 2], auto_pad="SAME_LOWER")
case("MaxPool", "valid", f32(1, 2, 7, 8), kernel_shape=[2, 3], strides=[2, 2], auto_pad="VALID")
case("MaxPool", "1d", f32(2, 3, 11), kernel_shape=[3], strides=[2], pads=[1, 1])
case("MaxPool", "uint8", u8(1, 2, 5, 5), kernel_shape=[3, 3], pads=[1, 1, 1, 1])
case("MaxPool", "whole", f32(1, 2, 5, 4), kernel_shape=[5, 4])
case("AveragePool", "2x2", f32(2, 3, 8, 8), kernel_shape=[2, 2], strides=[2, 2])
case("AveragePool", "padded", f32(1, 2, 7, 7), kernel_shape=[3, 3], pads=[1, 1, 1, 1])
case("AveragePool", "count-pad", f32(1, 2, 7, 7), kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
case("AveragePool", "ceil", f32(1, 2, 6, 8), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
case("AveragePool", "ceil-count-pad", f32(1, 2, 6, 8), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 0, 1],
     ceil_mode=1, count_include_pad=1)  # fmt: skip
case("AveragePool", "ceil-drops-window", f32(1, 1, 5, 5), kernel_shape=[2, 2], strides=[3, 3], pads=[0, 0, 1,
     1], ceil_mode=1)  # fmt: skip
case("AveragePool", "dilation", f32(1, 2, 9, 9), kernel_shape=[2, 3], dilations=[3, 2], pads=[1, 0, 1, 2])
case("AveragePool", "dilation-padded", f32(1, 2, 9, 9), kernel_shape=[2, 2], dilations=[3, 2], pads=[3, 1, 2,
     2], oracle="onnx")  # fmt: skip
case("AveragePool", "same-upper", f32(1, 2, 7, 8), kernel_shape=[2, 3], strides=[2, 2], auto_pad="SAME_UPPER")
case("AveragePool", "same-lower", f32(1, 2, 7, 8), kernel_shape=[4, 3], strides=[2, 2], auto_pad="SAME_LOWER")
case("AveragePool", "1d", f32(2, 3, 11), kernel_shape=[4], strides=[3], pads=[2, 1])
for op in ("GlobalAveragePool", "GlobalMaxPool"):
    case(op, "images", f32(2, 3, 5, 7))
    case(op, "1d", f32(2, 3, 9))
    case(op, "volumes", f32(1, 2, 3, 4, 5))
    case(op, "one-pixel", f32(2, 3, 1, 1))

# ---- reductions

for op in ("ReduceL1", "ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum"):
    case(op, "spatial", f32(2, 3, 4, 5), stored([2, 3]))
    case(op, "channels", f32(2, 3, 4, 5), stored([1]), keepdims=0)
    case(op, "apart", f32(2, 3, 4, 5), stored([-1, 0]), keepdims=0)
    case(op, "all", f32(2, 3, 4))
    case(op, "all-to-scalar", f32(2, 3, 4), keepdims=0)
    case(op, "no-axes", f32(2, 3), stored([]), noop_with_empty_axes=1, oracle="onnx")
    case(op, "scalar", f32())
    case(op, "int64", i64(3, 4), stored([1]))
    case(op, "int32", i32(3, 4), stored([0]), keepdims=0)
for op in ("ReduceL1", "ReduceL2", "ReduceProd", "ReduceSum", "ReduceMax", "ReduceMin"):
    case(op, "of-nothing", Constant(f32(2, 0, 3)), stored([1]), oracle="onnx")
case("ReduceMean", "large-offset", array(1e4 + np.linspace(0, 1, 4096).reshape(1, 1, 64, 64)), stored([2, 3]))
case("ReduceSum", "wraps", array([LARGEST, 1], np.int64), oracle="onnx")
for op in ("ReduceMax", "ReduceMin"):
    case(op, "bool", flags(2, 3), stored([1]), oracle="onnx")
    case(op, "uint8", u8(2, 3), stored([1]))
    case(op, "nan", array([[1, NAN, 2], [NAN, 1, 2], [INF, -INF, 0]]), stored([1]), oracle="onnx")
for op in ("Softmax", "LogSoftmax"):
    case(op, "last", f32(2, 3, 10))
    case(op, "channels", f32(2, 3, 4, 5), axis=1)
    case(op, "first", f32(4, 3), axis=0)
    case(op, "large", array([[1e4, 1e4 - 1, 0], [-1e4, -1e4, -2e4]]))
    case(op, "infinite", array([[-INF, 0, 1], [-INF, -INF, 5]]))

# ---- order

TIES = array([[3, 1, 3, 0, 1], [2, 2, 2, 2, 2], [-1, -0.0, 0.0, -5, 5]])
for op in ("ArgMax", "ArgMin"):
    case(op, "channels", f32(2, 5, 3, 4), axis=1)
    case(op, "dropped", f32(2, 5, 3), axis=-2, keepdims=0)
    case(op, "ties-first", TIES, axis=1)
    case(op, "ties-last", TIES, axis=1, select_last_index=1)
    case(op, "vector", f32(7), keepdims=0)
    case(op, "int32", i32(3, 9), axis=1)
    case(op, "uint8", u8(3, 9), axis=1)
    case(op, "nan", array([[1, NAN, 2], [NAN, 1, NAN]]), axis=1, oracle="onnx")
case("TopK", "largest", f32(2, 9), stored([3]), outputs=2)
case("TopK", "smallest", f32(2, 9), stored([3]), outputs=2, largest=0)
case("TopK", "ties", TIES, stored([4]), outputs=2)
case("TopK", "ties-smallest", TIES, stored([4]), outputs=2, largest=0)
case("TopK", "channels", f32(2, 6, 3, 4), stored([2]), outputs=2, axis=1)
case("TopK", "all", f32(5), stored([5]), outputs=2, axis=0)
case("TopK", "int64", i64(3, 6), stored([2]), outputs=2)
case("TopK", "double", f64(3, 6), stored([2]), outputs=2)
for flagged in ({}, {"exclusive": 1}, {"reverse": 1}, {"exclusive": 1, "reverse": 1}):
    case("CumSum", "-".join(["rows", *flagged]), f32(3, 7), stored(1), **flagged)
case("CumSum", "negative-axis", f32(2, 3, 4), stored(-2))
case("CumSum", "axis-computed", f32(2, 3, 4), array(1, np.int32))
case("CumSum", "int64", i64(5), stored(0))
case("CumSum", "int32", i32(5), stored([0]))

# ---- shapes

case("Reshape", "plain", f32(2, 3, 4), stored([4, 6]))
case("Reshape", "free", f32(2, 3, 4), stored([-1, 2]))
case("Reshape", "copied", f32(2, 3, 4), stored([0, 0, 2, -1]))
case("Reshape", "scalar", f32(1, 1), stored([]))
case("Reshape", "from-scalar", f32(), stored([1, 1]))
case("Reshape", "empty", Constant(f32(2, 0, 3)), stored([0, 0, 7]))
case("Reshape", "allow-zero", Constant(f32(2, 0, 3)), stored([3, 0, 5]), allowzero=1)
case("Reshape", "bool", flags(2, 3), stored([6]))
for number in (0, 1, 2, 4, -1, -4):
    case("Flatten", f"axis{number}", f32(2, 3, 4, 5), axis=number)
case("Flatten", "vector", f32(3), axis=0)
case("Squeeze", "all", f32(1, 3, 1, 2))
case("Squeeze", "named", f32(1, 3, 1, 2), stored([-2]))
case("Unsqueeze", "one", f32(3, 2), stored([1]))
case("Unsqueeze", "several", f32(3, 2), stored([-1, 0, 2]))
case("Unsqueeze", "scalar", i64(), stored([0]))
case("Identity", "images", f32(1, 2, 3, 4))
case("Identity", "int64", i64(3))
case("Dropout", "images", f32(2, 3, 4))
case("Dropout", "ratio", f32(2, 3, 4), stored(0.7, np.float32), seed=3)
case("Dropout", "training-mode", f32(2, 3), stored(0.5, np.float32), stored(False, np.bool_))
case("Transpose", "reversed", f32(2, 3, 4))
case("Transpose", "to-channels-last", f32(2, 3, 4, 5), perm=[0, 2, 3, 1])
case("Transpose", "bool", flags(2, 3), perm=[1, 0])
case("Transpose", "five", f32(2, 1, 3, 2, 4), perm=[4, 2, 0, 1, 3])
case("Transpose", "uint8", u8(3, 5), perm=[1, 0])
case("Expand", "columns", f32(3, 1), stored([3, 4]))
case("Expand", "two-way", f32(3, 1), stored([2, 1, 4]))
case("Expand", "shorter", f32(2, 3, 4), stored([1]))
case("Expand", "int64", i64(1, 3), stored([2, 3]))
case("Tile", "both", f32(2, 3), stored([3, 2]))
case("Tile", "none", f32(2, 3), stored([0, 2]))
case("Tile", "once", f32(2, 3), stored([1, 1]))
case("Tile", "images", f32(1, 2, 3, 2), stored([2, 1, 1, 5]))
case("Tile", "bool", flags(2, 3), stored([1, 3]))
case("Shape", "whole", f32(2, 3, 4))
case("Shape", "part", f32(2, 3, 4, 5), start=1, end=-1)
case("Shape", "clamped", f32(2, 3, 4), start=-9, end=9)
case("Shape", "nothing", f32(2, 3, 4), start=2, end=1)
case("Size", "images", f32(2, 3, 4))
case("Size", "scalar", f32())
case("ConstantOfShape", "zeros", stored([2, 3]))
case("ConstantOfShape", "value", stored([2]), value=array([7], np.int64))
case("ConstantOfShape", "scalar", stored([]), value=array([True], np.bool_))
case("Range", "integers", stored(2), stored(11), stored(3))
case("Range", "down", stored(5, np.int32), stored(-4, np.int32), stored(-2, np.int32))
case("Range", "reals", stored(0.5, np.float32), stored(2.0, np.float32), stored(0.25, np.float32))
case("Range", "nothing", stored(3), stored(3), stored(1))
case("Range", "far", stored(LOWEST), stored(LARGEST), stored(2**62), oracle="onnx")

# ---- parts

case("Concat", "channels", f32(2, 3, 4, 4), f32(2, 1, 4, 4), f32(2, 2, 4, 4), axis=1)
case("Concat", "last", f32(2, 3), f32(2, 1), axis=-1)
case("Concat", "one", f32(2, 3), axis=0)
case("Concat", "empty-part", Constant(f32(2, 0)), Constant(f32(2, 3)), axis=1)
case("Concat", "int64", i64(2), i64(3), axis=0)
case("Concat", "bool", flags(2, 2), flags(1, 2), axis=0)
case("Split", "equal", f32(2, 6, 3), outputs=3, axis=1, num_outputs=3)
case("Split", "uneven", f32(2, 7), outputs=3, axis=-1, num_outputs=3)
case("Split", "sizes", f32(2, 7), stored([1, 0, 6]), outputs=3, axis=1)
case("Split", "int64", i64(6), stored([2, 4]), outputs=2)
case("Slice", "plain", f32(4, 5, 6), stored([1, 0]), stored([3, 4]))
case("Slice", "axes", f32(4, 5, 6), stored([1, -3]), stored([-1, 100]), stored([-1, 0]))
case("Slice", "steps", f32(7, 9), stored([1, 0]), stored([7, 9]), stored([0, 1]), stored([2, 4]))
case("Slice", "reversed", f32(5, 6), stored([-1]), stored([LOWEST]), stored([1]), stored([-1]))
case("Slice", "reversed-steps", f32(9), stored([7]), stored([-9]), stored([0]), stored([-3]))
case("Slice", "past-the-end", f32(5), stored([100]), stored([0]), stored([0]), stored([-2]))
case("Slice", "from-before-the-front", f32(5), stored([-99]), stored([-99]), stored([0]), stored([-1]))
case("Slice", "nothing", f32(5), stored([3]), stored([2]))
case("Slice", "huge-steps", f32(5, 5), stored([0, 4]), stored([LARGEST, LOWEST]), stored([0, 1]),
     stored([LARGEST, LOWEST]), oracle="onnx")  # fmt: skip
case("Slice", "of-nothing", Constant(f32(0, 3)), stored([-1]), stored([LOWEST]), stored([0]), stored([-1]))
case("Slice", "int32-positions", f32(6), stored([1], np.int32), stored([4], np.int32))
case("Slice", "bool", flags(3, 4), stored([1]), stored([3]))
case("Pad", "zeros", f32(1, 2, 3, 3), stored([0, 0, 1, 2, 0, 0, 1, 0]))
case("Pad", "value", f32(2, 3), stored([1, 0, 0, 2]), stored(-7.5, np.float32))
case("Pad", "value-computed", f32(2, 3), stored([1, 0, 0, 2]), array(2.5))
case("Pad", "axes", f32(2, 3, 4), stored([1, 2, 3, 0]), None, stored([-1, 0]))
case("Pad", "cut", f32(5, 6), stored([-1, 2, 1, -3]))
case("Pad", "cut-all", f32(5, 2), stored([-2, 0, -3, 0]))
case("Pad", "reflect", f32(1, 1, 4, 5), stored([0, 0, 3, 1, 0, 0, 2, 4]), mode="reflect")
case("Pad", "edge", f32(1, 2, 3, 4), stored([0, 1, 2, 5, 0, 0, 1, 3]), mode="edge")
case("Pad", "wrap", f32(3, 4), stored([2, 1, 3, 4]), mode="wrap")
case("Pad", "edge-cut", f32(5, 6), stored([-1, 2, 1, -3]), mode="edge")
case("Pad", "reflect-one-entry", f32(2, 1), stored([0, 0, 0, 0]), mode="reflect")
case("Pad", "int64", i64(2, 3), stored([1, 1, 0, 0]), stored(9))
case("Pad", "bool", flags(2, 3), stored([1, 1, 0, 0]), stored(True, np.bool_), oracle="onnx")

# ---- positions that are data

case("Gather", "rows", f32(5, 3), i64(4, low=-5, high=5))
case("Gather", "channels", f32(2, 6, 3, 3), stored([5, 0, 0, -2]), axis=1)
case("Gather", "matrix-of-indices", f32(3, 7), i64(2, 4, low=-7, high=7), axis=-1)
case("Gather", "scalar", f32(3, 4), stored(2), axis=1)
case("Gather", "none", Constant(f32(3, 4)), Constant(i64(0)))
case("Gather", "int32-indices", i64(6), i32(3, low=0, high=6))
case("Gather", "bool", flags(4, 2), i64(3, low=0, high=4))
case("GatherElements", "columns", f32(3, 5), i64(3, 4, low=-5, high=5), axis=1)
case("GatherElements", "rows", f32(5, 3), i64(2, 3, low=-5, high=5))
case("GatherElements", "narrower", f32(5, 4, 3), i64(2, 6, 1, low=-4, high=4), axis=1)
case("GatherElements", "int32-indices", i64(6), i32(3, low=0, high=6))
SPREAD = np.array([[2, 0, -1], [0, 3, 1]], np.int64)  # no index twice in a column
case("ScatterElements", "rows", f32(4, 3), SPREAD, f32(2, 3))
case("ScatterElements", "columns", f32(3, 4), np.ascontiguousarray(SPREAD.T), f32(3, 2), axis=-1)
case("ScatterElements", "stored", f32(4, 3), Constant(SPREAD), f32(2, 3))
case("ScatterElements", "int64", i64(5), array([4, -5], np.int32), i64(2))
case("ScatterElements", "bool", flags(5), array([4, 0], np.int64), flags(2))
for reduction in ("add", "mul", "max", "min"):
    case("ScatterElements", reduction, f32(3, 4), i64(3, 6, low=-4, high=4), f32(3, 6), axis=1, reduction=reduction)
case("ScatterElements", "add-int64", i64(4), i64(9, low=-4, high=4), i64(9), reduction="add")
case("OneHot", "last", i64(2, 3, low=-5, high=5), stored(4), array([0, 1]))
case("OneHot", "first", i64(2, 3, low=0, high=4), stored([4]), array([-1, 5], np.int64), axis=0)
case("OneHot", "middle", i32(2, 3, low=0, high=4), stored(4, np.int32), stored([0.5, 2.5], np.float32), axis=1,
     oracle="onnx")  # fmt: skip
case("OneHot", "real-indices", array([0, 2, 7, -1]), stored(3.0, np.float32), array([0, 1]))
