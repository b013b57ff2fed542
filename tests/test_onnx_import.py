"""The ONNX import beyond single operators: constants, names, sizes, functions and outputs."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

import pdrt
from onnx_models import check, image, model_of, node
from oracle import assert_equal, expected
from pdrt import onnx_import


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
    feeds = {"x": image()}
    nodes = [node("Relu", ["x"], ["middle"]), node("Unknown", ["middle"], ["y"], domain="elsewhere")]
    data = model_of(nodes, feeds, 13).SerializeToString()
    session = pdrt.Session(onnx_import.convert(data, outputs=["middle"]))
    np.testing.assert_array_equal(session.run(feeds)["middle"], np.maximum(feeds["x"], 0))
    with pytest.raises(pdrt.ModelError, match="output 'nothing' is not a value of the graph"):
        onnx_import.convert(data, outputs=["nothing"])
