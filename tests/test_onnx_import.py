"""Every rewrite of the ONNX import against ONNX Runtime, and everything that is refused, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

import pdrt
from oracle import assert_equal, expected

NEWEST = 24  # the newest opset that ONNX Runtime takes in the oldest release the tests allow, and some later ones

Array = NDArray[Any]
node = helper.make_node


def image(*shape: int, seed: int = 0) -> Array:
    """Random numbers, both signs."""
    return np.random.default_rng(seed).standard_normal(shape or (2, 4, 6, 5)).astype(np.float32)


def integers(*values: int) -> Array:
    return np.array(values, dtype=np.int64)


def model_of(
    nodes: Sequence[onnx.NodeProto],
    feeds: dict[str, Array],
    opset: int,
    stored: dict[str, Array] | None = None,
    outputs: Sequence[str] = ("y",),
    **more: Any,
) -> onnx.ModelProto:
    """A model whose inputs are like the feeds, with a free first size."""
    inputs = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(array.dtype), ["N", *array.shape[1:]] if array.ndim else []
        )
        for name, array in feeds.items()
    ]
    initializers = [numpy_helper.from_array(array, name) for name, array in (stored or {}).items()]
    results = [onnx.ValueInfoProto(name=name) for name in outputs]
    graph = helper.make_graph(list(nodes), "graph", inputs, results, initializers)
    opsets = [helper.make_opsetid("", opset), *more.pop("opsets", [])]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, **more)


def check(model: onnx.ModelProto, feeds: dict[str, Array]) -> pdrt.Session:
    """The import computes what ONNX Runtime computes with the original."""
    data = model.SerializeToString()
    session = pdrt.Session(data, threads=1)
    assert_equal(session.run(feeds), expected(data, feeds), 1e-6)
    return session


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


def one(op: str, *inputs: str, outputs: tuple[str, ...] = ("y",), **attributes: Any) -> list[onnx.NodeProto]:
    return [node(op, ["x", *inputs], list(outputs), **attributes)]


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


def batch_norm() -> dict[str, Array]:
    shapes = {name: image(4, seed=seed) for seed, name in enumerate(("scale", "shift", "mean"))}
    return {**shapes, "variance": np.abs(image(4, seed=4)) + 0.5}


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


def test_softmax_of_unknown_shape() -> None:
    """Flattening is exact where ONNX's inference loses the shape."""
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Cast", ["s"], ["real"], to=TensorProto.FLOAT),
        node("Abs", ["real"], ["same"]),
        node("Cast", ["same"], ["sizes"], to=TensorProto.INT64),
        node("Reshape", ["x", "sizes"], ["r"]),
        node("Softmax", ["r"], ["y"], axis=2),
    ]
    feeds = {"x": image()}
    check(model_of(nodes, feeds, 11), feeds)


def test_range() -> None:
    feeds = {"x": image()}
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Size", ["s"], ["rank"]),
        node("Range", ["zero", "rank", "one"], ["y"]),
    ]
    check(model_of(nodes, feeds, 11, {"zero": np.array(0), "one": np.array(1)}), feeds)


def test_constants_of_every_kind() -> None:
    """All attributes that hold numbers; the sums tell whether they arrive."""
    tensor = numpy_helper.from_array(image(5))
    nodes = [
        node("Constant", [], ["a"], value=tensor),
        node("Constant", [], ["b"], value_float=0.5),
        node("Constant", [], ["c"], value_floats=[1.0, 2.0, 3.0, 4.0, 5.0]),
        node("Constant", [], ["d"], value_ints=[0, -1]),
        node("Constant", [], ["e"], value_int=1),
        node("Sum", ["x", "a", "b", "c"], ["sum"]),
        node("Reshape", ["sum", "d"], ["flat"]),
        node("Gather", ["flat", "e"], ["y"], axis=1),
    ]
    feeds = {"x": image()}
    check(model_of(nodes, feeds, 13), feeds)


def test_double_stays_double() -> None:
    feeds = {"x": np.random.default_rng(0).standard_normal((3, 4))}
    stored = {"third": np.array(1 / 3)}
    session = check(model_of([node("Mul", ["x", "third"], ["y"])], feeds, 13, stored), feeds)
    np.testing.assert_array_equal(session.run(feeds)["y"], feeds["x"] * (1 / 3))


def test_stored_tensors_listed_as_inputs() -> None:
    feeds = {"x": image()}
    model = model_of([node("Mul", ["x", "w"], ["y"])], feeds, 9, {"w": image(5)})
    model.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [5]))
    model.ir_version = 3
    session = check(model, feeds)
    assert [spec.name for spec in session.inputs] == ["x"]


def test_stored_tensor_as_output() -> None:
    feeds = {"x": image()}
    nodes = [node("Mul", ["x", "w"], ["y"]), node("Constant", [], ["c"], value_float=2.0)]
    check(model_of(nodes, feeds, 13, {"w": image(5)}, ["y", "w", "c"]), feeds)


def test_identity_chain_to_an_output() -> None:
    nodes = [
        node("Identity", ["x"], ["a"]),
        node("Relu", ["a"], ["b"]),
        node("Dropout", ["b"], ["c"]),
        node("Identity", ["c"], ["y"]),
        node("Add", ["c", "y"], ["z"]),
    ]
    feeds = {"x": image()}
    check(model_of(nodes, feeds, 13, outputs=["y", "z"]), feeds)


def test_one_value_several_times_an_input() -> None:
    nodes = [node("Concat", ["x", "x", "x"], ["c"], axis=1), node("Mul", ["c", "c"], ["y"])]
    feeds = {"x": image()}
    check(model_of(nodes, feeds, 13), feeds)


def test_dead_nodes_are_dropped_whatever_they_are() -> None:
    nodes = [
        node("Relu", ["x"], ["y"]),
        node("RandomNormalLike", ["x"], ["noise"]),
        node("Unknown", ["noise"], ["dead"], domain="elsewhere"),
    ]
    feeds = {"x": image()}
    model = model_of(nodes, feeds, 13)
    np.testing.assert_array_equal(pdrt.Session(model.SerializeToString()).run(feeds)["y"], np.maximum(feeds["x"], 0))


def test_functions_are_inlined() -> None:
    function = helper.make_function(
        "own",
        "Twice",
        ["a"],
        ["b"],
        [node("Add", ["a", "a"], ["t"]), node("Relu", ["t"], ["b"])],
        [helper.make_opsetid("", 13)],
    )
    feeds = {"x": image()}
    nodes = [node("Twice", ["x"], ["z"], domain="own"), node("Twice", ["z"], ["y"], domain="own")]
    check(model_of(nodes, feeds, 13, functions=[function], opsets=[helper.make_opsetid("own", 1)]), feeds)


def test_nameless_and_equally_named_nodes_get_names_of_their_own() -> None:
    weights = {"w": image(4, 4, 1, 1)}
    nodes = [
        node("Conv", ["x", "w"], ["a"]),
        node("Conv", ["a", "w"], ["b"], name="twin"),
        node("Conv", ["b", "w"], ["c"], name="twin"),
        node("Conv", ["c", "w"], ["y"], name="Conv_0"),
    ]
    feeds = {"x": image()}
    model = model_of(nodes, feeds, 13, weights)
    session = pdrt.Session(model.SerializeToString(), threads=1)
    outputs = session.run(feeds)
    for one_node in model.graph.node:  # ONNX Runtime refuses what the format allows: two nodes of one name
        one_node.name = ""
    assert_equal(outputs, expected(model.SerializeToString(), feeds), 1e-6)
    assert [layer.name for layer in session.last_run.layers] == ["Conv_0_2", "twin", "twin_2", "Conv_0"]


def test_free_sizes() -> None:
    model = model_of([node("Add", ["x", "z"], ["y"])], {"x": image(), "z": image()}, 13)
    first, second = (value.type.tensor_type.shape.dim for value in model.graph.input)
    first[2].ClearField("dim_value")
    second[3].dim_value = -1
    session = check(model, {"x": image(), "z": image()})
    assert [spec.shape for spec in session.inputs] == [(None, 4, None, 5), (None, 4, 6, None)]


def test_other_outputs_by_name() -> None:
    from pdrt import onnx_import

    feeds = {"x": image()}
    nodes = [node("Relu", ["x"], ["middle"]), node("Unknown", ["middle"], ["y"], domain="elsewhere")]
    data = model_of(nodes, feeds, 13).SerializeToString()
    session = pdrt.Session(onnx_import.convert(data, outputs=["middle"]))
    np.testing.assert_array_equal(session.run(feeds)["middle"], np.maximum(feeds["x"], 0))
    with pytest.raises(pdrt.ModelError, match="output 'nothing' is not a value of the graph"):
        onnx_import.convert(data, outputs=["nothing"])


# --- what is refused ---


def refused(model: onnx.ModelProto | bytes, *words: str) -> str:
    """The import refuses the model in one message that holds all of the words."""
    data = model if isinstance(model, bytes) else model.SerializeToString()
    from pdrt import onnx_import

    with pytest.raises(pdrt.ModelError) as caught:
        onnx_import.convert(data)
    message = str(caught.value)
    for word in ("<bytes>", *words):
        assert word in message
    return message


def test_all_unsupported_operators_in_one_error() -> None:
    nodes = [
        node("Resize", ["x", "", "scales"], ["a"], name="up1"),
        node("Resize", ["a", "", "scales"], ["b"], name="up2"),
        node("FusedConv", ["b"], ["c"], name="fused", domain="com.microsoft"),
        node("Relu", ["c"], ["d"]),
        node("RandomUniformLike", ["d"], ["y"], name="gumbel"),
    ]
    message = refused(
        model_of(nodes, {"x": image()}, 13, {"scales": np.ones(4, np.float32)}),
        "3 operators are not supported",
        "ai.onnx.Resize (2 nodes 'up1', 'up2'",
        "com.microsoft.FusedConv (node 'fused')",
        "ai.onnx.RandomUniformLike (node 'gumbel'",
        "evaluation mode",
    )
    assert "Relu" not in message


def test_control_flow() -> None:
    branch = helper.make_graph([node("Relu", ["x"], ["b"])], "branch", [], [onnx.ValueInfoProto(name="b")])
    conditional = node("If", ["c"], ["y"], name="choice", then_branch=branch, else_branch=branch)
    refused(model_of([conditional], {"x": image(), "c": np.array(True)}, 13), "ai.onnx.If", "'choice'", "control flow")


@pytest.mark.parametrize("opset", [8, 99])
def test_opset(opset: int) -> None:
    refused(model_of(one("Relu"), {"x": image()}, opset), f"opset {opset} is not supported", "expected 9 to")


def test_no_default_opset() -> None:
    model = model_of(one("Relu"), {"x": image()}, 13)
    del model.opset_import[:]
    refused(model, "expected one opset version", "found none")


@pytest.mark.parametrize("data", [b"", b"not a model at all", b"\x08\x08", bytes(100)])
def test_not_a_model(data: bytes) -> None:
    refused(data, "is not an ONNX model")


def test_missing_file(tmp_path: Path) -> None:
    from pdrt import onnx_import

    with pytest.raises(pdrt.ModelError, match=r"nowhere\.onnx: cannot be read: No such file"):
        onnx_import.convert(tmp_path / "nowhere.onnx")


@pytest.mark.parametrize("dtype", ["float16", "int8", "uint16"])
def test_stored_type(dtype: str) -> None:
    model = model_of([node("Cast", ["w"], ["y"], to=1)], {"x": image()}, 13, {"w": np.ones(3, dtype)})
    refused(model, "stored tensor 'w'", dtype, "float32")


def test_bfloat16() -> None:
    model = model_of(one("Add", "w"), {"x": image()}, 13)
    model.graph.initializer.append(helper.make_tensor("w", TensorProto.BFLOAT16, [1], [1.0]))
    refused(model, "stored tensor 'w'", "bfloat16", "export the model in float32")


def test_input_type() -> None:
    refused(model_of(one("Relu"), {"x": image().astype(np.float16)}, 13), "input 'x'", "float16", "float32")


def test_input_without_shape() -> None:
    model = model_of(one("Relu"), {"x": image()}, 13)
    model.graph.input[0].type.tensor_type.ClearField("shape")
    refused(model, "input 'x' has no shape")


def test_input_that_is_no_tensor() -> None:
    model = model_of(one("Relu"), {"x": image()}, 13)
    model.graph.input[0].CopyFrom(helper.make_tensor_sequence_value_info("x", TensorProto.FLOAT, None))
    refused(model, "input 'x' is sequence_type", "expected a tensor")


@pytest.mark.parametrize("opset", [9, 13])
def test_training_batch_norm_before_14(opset: int) -> None:
    nodes = one("BatchNormalization", *batch_norm(), outputs=("y", "m", "v"), name="bn1")
    refused(model_of(nodes, {"x": image()}, opset, batch_norm()), "'bn1' (BatchNormalization)", "training mode")


def test_training_batch_norm() -> None:
    nodes = one("BatchNormalization", *batch_norm(), training_mode=1, name="bn1")
    refused(model_of(nodes, {"x": image()}, 15, batch_norm()), "'bn1' (BatchNormalization)", "training mode")


def test_training_dropout() -> None:
    stored = {"r": HALF, "t": np.array(True)}
    nodes = one("Dropout", "r", "t", name="drop")
    refused(model_of(nodes, {"x": image()}, 13, stored), "'drop' (Dropout)", "training mode")


@pytest.mark.parametrize(("op", "attributes"), [("Dropout", {}), ("MaxPool", {"kernel_shape": [2, 2]})])
def test_second_output_that_is_read(op: str, attributes: dict[str, Any]) -> None:
    nodes = one(op, outputs=("y", "more"), name="two", **attributes)
    refused(model_of(nodes, {"x": image()}, 12, outputs=["y", "more"]), f"'two' ({op})", "'more'", "not supported")


def test_unknown_attribute() -> None:
    refused(model_of(one("Relu", name="odd", colour=3), {"x": image()}, 13), "'odd' (Relu)", "attribute 'colour'")


def test_attribute_of_a_later_opset() -> None:
    refused(model_of(one("Softsign", name="odd", colour=3), {"x": image()}, 13), "'odd' (Softsign)", "'colour'")


def test_attribute_of_another_type() -> None:
    model = model_of(one("Clip", name="odd", min="low"), {"x": image()}, 9)
    refused(model, "'odd' (Clip)", "'min' is text", "expected a number")


def test_missing_input_of_a_composed_operator() -> None:
    nodes = one("InstanceNormalization", "a", name="norm")
    refused(model_of(nodes, {"x": image()}, 13, {"a": image(4)}), "'norm' (InstanceNormalization)", "expected 3")


def test_operator_of_a_later_opset() -> None:
    refused(model_of(one("Mish", name="late"), {"x": image()}, 13), "'late' (Mish)", "not an operator of opset 13")


def test_axis_of_an_old_softmax() -> None:
    refused(model_of(one("Softmax", name="s", axis=4), {"x": image()}, 9), "'s' (Softmax)", "axis 4", "4 dimensions")


def test_name_that_is_no_text() -> None:
    data = model_of(one("Relu", name="name-of-a-node"), {"x": image()}, 13).SerializeToString()
    refused(data.replace(b"name-of-a-node", b"name-of-a-\xff\xfe\xfd\xfc"), "not UTF-8")


def test_value_from_nowhere() -> None:
    refused(model_of(one("Add", "gone", name="sum"), {"x": image()}, 13), "'sum' (Add)", "reads 'gone'")


def test_value_written_twice() -> None:
    nodes = [node("Relu", ["x"], ["y"]), node("Abs", ["x"], ["y"], name="again")]
    refused(model_of(nodes, {"x": image()}, 13), "'again' (Abs)", "writes 'y', which exists already")


def test_nodes_out_of_order() -> None:
    nodes = [node("Relu", ["later"], ["y"], name="early"), node("Abs", ["x"], ["later"])]
    refused(model_of(nodes, {"x": image()}, 13), "'early' (Relu)", "reads 'later'")


def test_unknown_output() -> None:
    refused(model_of(one("Relu"), {"x": image()}, 13, outputs=["z"]), "output 'z' is not a value of the graph")


def test_sparse_tensor() -> None:
    model = model_of(one("Add", "w"), {"x": image()}, 13)
    values, indices = numpy_helper.from_array(image(1), "w"), numpy_helper.from_array(integers(2), "i")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [5]))
    refused(model, "stored tensor 'w' is sparse")


def test_text_constant() -> None:
    nodes = [node("Constant", [], ["c"], name="words", value_string="no"), node("Add", ["x", "c"], ["y"])]
    refused(model_of(nodes, {"x": image()}, 13), "'words' (Constant)", "'value_string'")


@pytest.mark.parametrize("dims", [[7], [2**62, 2**62], [-5]])
def test_stored_tensor_that_does_not_hold_its_shape(dims: list[int]) -> None:
    model = model_of(one("Add", "w"), {"x": image()}, 13, {"w": image(5)})
    model.graph.initializer[0].dims[:] = dims
    refused(model, "stored tensor 'w'")


# --- tensors in files beside the model ---


def save_external(folder: Path, **entries: str) -> Path:
    """A model y = x + w, with w in a file that the entries describe."""
    model = model_of(one("Add", "w"), {"x": image()}, 13, {"w": image(5)})
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=value)
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_external_tensor(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"skip" + image(5).tobytes() + b"rest")
    path = save_external(tmp_path, location="weights.bin", offset="4", length="20")
    feeds = {"x": image()}
    np.testing.assert_array_equal(pdrt.Session(path).run(feeds)["y"], feeds["x"] + image(5))
    refused(path.read_bytes(), "stored tensor 'w'", "'weights.bin'", "by its path")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"location": "../secret"}, "outside of the model's folder"),
        ({"location": "/etc/passwd"}, "outside of the model's folder"),
        ({"location": "link"}, "outside of the model's folder"),
        ({}, "outside of the model's folder"),
        ({"location": "."}, "not a file beside the model"),
        ({"location": "gone"}, "not a file beside the model"),
        ({"location": "short"}, "reaches past the end of 'short'"),
        ({"location": "long", "offset": "90"}, "reaches past the end of 'long'"),
        ({"location": "long", "offset": "-4"}, "reaches past the end of 'long'"),
        ({"location": "long", "offset": "four"}, "not a number"),
        ({"location": "long", "length": "16"}, "needs 20 bytes, its file entry has 16"),
    ],
)
def test_external_tensor_refused(entries: dict[str, str], message: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "secret").write_bytes(bytes(100))
    (home / "link").symlink_to(tmp_path / "secret")
    (home / "short").write_bytes(bytes(19))
    (home / "long").write_bytes(bytes(100))
    path = save_external(home, **entries)
    with pytest.raises(pdrt.ModelError, match="stored tensor 'w'") as caught:
        pdrt.Session(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
