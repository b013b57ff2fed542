"""What the ONNX import refuses, and that it says so by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import pdrt
from onnx_models import batch_norm, image, integers, model_of, node, one
from pdrt import onnx_import

HALF = np.float32(0.5)


def refused(model: onnx.ModelProto | bytes, *words: str) -> str:
    """The import refuses the model in one message that holds all of the words."""
    data = model if isinstance(model, bytes) else model.SerializeToString()
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
