"""Every rewrite of the ONNX import against ONNX Runtime, opset by opset."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from onnx_models import Array, batch_norm, check, image, integers, model_of, node, one

NEWEST = 24  # the newest opset that ONNX Runtime takes in the oldest release the tests allow, and some later ones


@dataclass
class Rewrite:
    """Nodes from x to y that are the same in the opsets from the first to the last."""

    name: str
    first: int
    last: int
    nodes: list[onnx.NodeProto]
    stored: dict[str, Array] = field(default_factory=dict)
    x: Array = field(default_factory=image)
    outputs: tuple[str, ...] = ("y",)


def reductions() -> list[Rewrite]:
    rewrites = []
    for op in ("L1", "L2", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare", "LogSum"):
        name = f"Reduce{op}"
        since = 13 if op == "Sum" else 18
        x = np.abs(image()) + 0.1
        rewrites += [
            Rewrite(f"{name} axes", 9, since - 1, one(name, axes=[2, 3], keepdims=0), x=x),
            Rewrite(f"{name} negative axes", 11, since - 1, one(name, axes=[-1]), x=x),
            Rewrite(f"{name} all", 9, NEWEST, one(name, keepdims=0), x=x),
            Rewrite(f"{name} input", since, NEWEST, one(name, "axes"), {"axes": integers(1, -1)}, x),
            Rewrite(f"{name} none", since, NEWEST, one(name, noop_with_empty_axes=1), x=x),
        ]
    # ONNX Runtime takes the sum of squares over no axes as the input itself, without the square.
    return [rewrite for rewrite in rewrites if rewrite.name not in ("ReduceSumSquare none", "ReduceLogSum none")]


HALF = np.float32(0.5)
X4 = image(3, 4)

REWRITES = [
    Rewrite("Clip attributes", 9, 10, one("Clip", min=-0.5, max=0.25)),
    Rewrite("Clip lower", 9, 10, one("Clip", min=0.0)),
    Rewrite("Clip upper", 9, 10, one("Clip", max=0.5)),
    Rewrite("Clip neither", 9, 10, one("Clip")),
    Rewrite("Clip inputs", 11, NEWEST, one("Clip", "", "high"), {"high": HALF}),
    Rewrite("Squeeze all", 9, NEWEST, one("Squeeze"), x=image(3, 1, 4, 1)),
    Rewrite("Squeeze axes", 9, 12, one("Squeeze", axes=[1, 3]), x=image(2, 1, 4, 1)),
    Rewrite("Squeeze input", 13, NEWEST, one("Squeeze", "a"), {"a": integers(-1)}, image(2, 3, 1)),
    Rewrite("Unsqueeze axes", 9, 12, one("Unsqueeze", axes=[1, 3])),
    Rewrite("Unsqueeze input", 13, NEWEST, one("Unsqueeze", "a"), {"a": integers(-1, 0)}),
    Rewrite("Slice attributes", 9, 9, one("Slice", starts=[1, -3], ends=[4, 2**31 - 1], axes=[1, 3])),
    Rewrite("Slice no axes", 9, 9, one("Slice", starts=[0, 1], ends=[1, 3])),
    Rewrite(
        "Slice inputs",
        10,
        NEWEST,
        one("Slice", "from", "to", "axes", "steps"),
        {"from": integers(4, 0), "to": integers(-9, 6), "axes": integers(3, 1), "steps": integers(-2, 1)},
    ),
    Rewrite("Pad attributes", 9, 10, one("Pad", pads=[0, 1, 2, 0, 0, 0, 1, 3], value=1.5)),
    Rewrite("Pad reflect", 9, 10, one("Pad", pads=[0, 0, 2, 1, 0, 0, 1, 3], mode="reflect")),
    Rewrite("Pad edge", 9, 10, one("Pad", pads=[0, 0, 2, 1, 0, 0, 1, 3], mode="edge")),
    Rewrite(
        "Pad inputs",
        11,
        NEWEST,
        one("Pad", "pads", "value"),
        {"pads": integers(0, 2, 0, 1, 0, 1, 1, 0), "value": HALF},
    ),
    Rewrite("Split sizes", 9, 12, one("Split", outputs=("y", "z"), axis=1, split=[1, 3]), outputs=("y", "z")),
    Rewrite("Split equal", 9, 17, one("Split", outputs=("y", "z"), axis=1), outputs=("y", "z")),
    Rewrite(
        "Split input",
        13,
        NEWEST,
        one("Split", "s", outputs=("y", "z"), axis=2),
        {"s": integers(2, 4)},
        outputs=("y", "z"),
    ),
    Rewrite("Split count", 18, NEWEST, one("Split", outputs=("y", "z"), axis=3, num_outputs=2), outputs=("y", "z")),
    Rewrite("TopK attribute", 9, 9, one("TopK", outputs=("y", "i"), k=2, axis=1), outputs=("y", "i")),
    Rewrite("TopK input", 10, NEWEST, one("TopK", "k", outputs=("y", "i")), {"k": integers(3)}, outputs=("y", "i")),
    Rewrite("TopK smallest", 11, NEWEST, one("TopK", "k", outputs=("y", "i"), largest=0), {"k": integers(3)}),
    *(
        Rewrite(f"{op} axis {axis}", 11 if axis < 0 else 9, NEWEST, one(op, axis=axis))
        for op in ("Softmax", "LogSoftmax")
        for axis in (1, 2, 3, -2)
    ),
    Rewrite("Softmax default", 9, NEWEST, one("Softmax")),
    Rewrite("Softmax flat", 9, NEWEST, one("Softmax", axis=1), x=image(2, 9)),
    Rewrite("Softmax of channels", 9, NEWEST, one("Softmax", axis=1), x=image(2, 9, 1, 1)),
    Rewrite("Dropout", 9, 11, one("Dropout", ratio=0.3)),
    Rewrite("Dropout inputs", 12, NEWEST, one("Dropout", "r", "t"), {"r": HALF, "t": np.array(False)}),
    Rewrite("Identity", 9, NEWEST, one("Identity")),
    Rewrite("BatchNormalization", 9, NEWEST, one("BatchNormalization", *batch_norm(), momentum=0.8), batch_norm()),
    Rewrite("MaxPool", 9, NEWEST, one("MaxPool", kernel_shape=[2, 2], strides=[2, 2], storage_order=0)),
    Rewrite("AveragePool", 9, NEWEST, one("AveragePool", kernel_shape=[3, 2], pads=[1, 1, 1, 0])),
    Rewrite("Cast", 9, NEWEST, [node("Cast", ["x"], ["i"], to=7), node("Cast", ["i"], ["y"], to=11)]),
    Rewrite("ConstantOfShape", 9, NEWEST, [node("Shape", ["x"], ["s"]), node("ConstantOfShape", ["s"], ["y"])]),
    Rewrite(
        "ConstantOfShape value",
        9,
        NEWEST,
        [
            node("Shape", ["x"], ["s"]),
            node("ConstantOfShape", ["s"], ["y"], value=helper.make_tensor("v", TensorProto.INT64, [1], [3])),
        ],
    ),
    Rewrite("Sum", 9, NEWEST, [node("Sum", ["x", "x", "c"], ["y"])], {"c": image(5)}),
    Rewrite("Sum of one", 9, NEWEST, one("Sum")),
    Rewrite("Mean", 9, NEWEST, [node("Mean", ["x", "c"], ["y"])], {"c": image(5)}),
    Rewrite("Min and Max", 9, NEWEST, [node("Min", ["x", "c"], ["m"]), node("Max", ["m", "d"], ["y"])],
            {"c": image(5), "d": image(5, seed=1)}),
    Rewrite("Softsign", 9, NEWEST, one("Softsign")),
    Rewrite("ThresholdedRelu", 10, NEWEST, one("ThresholdedRelu", alpha=0.4)),
    Rewrite("Celu", 12, NEWEST, one("Celu", alpha=0.6)),
    Rewrite("Mish", 18, NEWEST, one("Mish")),
    Rewrite("InstanceNormalization", 9, NEWEST, one("InstanceNormalization", "a", "b", epsilon=1e-2),
            {"a": image(4), "b": image(4, seed=1)}),
    Rewrite("LayerNormalization", 17, NEWEST, one("LayerNormalization", "a", "b"), {"a": image(5), "b": image(5)}),
    Rewrite("LayerNormalization axis", 17, NEWEST, one("LayerNormalization", "a", axis=2), {"a": image(6, 5)}),
    Rewrite("Scatter", 9, 10, one("Scatter", "i", "u", axis=1),
            {"i": integers(2, 0).reshape(1, 2), "u": image(1, 2)}, X4),
    Rewrite("ScatterElements", 11, NEWEST, one("ScatterElements", "i", "u", axis=1),
            {"i": integers(2, 0).reshape(1, 2), "u": image(1, 2)}, X4),
    Rewrite("Gemm scaled", 9, NEWEST, one("Gemm", "w", "b", alpha=0.5, beta=2.0, transB=1),
            {"w": image(5, 4), "b": image(5)}, X4),
    Rewrite("Gemm without bias", 11, NEWEST, one("Gemm", "w"), {"w": image(4, 5)}, X4),
    Rewrite("ArgMax", 9, NEWEST, one("ArgMax", axis=1, keepdims=0)),
    Rewrite("OneHot", 9, NEWEST, [node("ArgMax", ["x"], ["i"], axis=1, keepdims=0),
            node("OneHot", ["i", "depth", "values"], ["y"])], {"depth": integers(4), "values": image(2)}),
    Rewrite("Flatten", 9, NEWEST, one("Flatten", axis=2)),
    Rewrite("Reshape", 9, NEWEST, one("Reshape", "s"), {"s": integers(0, -1, 5)}),
    Rewrite("Where", 9, NEWEST, [node("Greater", ["x", "c"], ["g"]), node("Where", ["g", "x", "c"], ["y"])],
            {"c": HALF}),
    Rewrite("Swish", 24, NEWEST, one("Swish", alpha=0.7)),
    *reductions(),
]  # fmt: skip

OPSETS = (9, 10, 11, 12, 13, 14, 17, 18, 20, NEWEST)


@pytest.mark.parametrize(
    ("rewrite", "opset"),
    [
        pytest.param(rewrite, opset, id=f"{rewrite.name}, opset {opset}")
        for rewrite in REWRITES
        for opset in OPSETS
        if rewrite.first <= opset <= rewrite.last
    ],
)
def test_rewrite(rewrite: Rewrite, opset: int) -> None:
    if rewrite.name == "Swish":
        pytest.importorskip("onnxruntime", minversion="1.23")
    feeds = {"x": rewrite.x}
    check(model_of(rewrite.nodes, feeds, opset, rewrite.stored, rewrite.outputs), feeds)


def test_every_rule_is_tested() -> None:
    from pdrt.onnx_import.rules import RULES

    tested = {node.op_type for rewrite in REWRITES for node in rewrite.nodes}
    assert not RULES.keys() - tested
