"""What can be wrong with the graph: its form, its names, its nodes."""

from __future__ import annotations

from typing import Any

from .build import GRAPH, Attack, Json, changed, file_with_graph


def node(**changes: Any) -> bytes:
    """Return a file whose node 'act' has other values; None takes a key away."""

    def change(graph: Json) -> None:
        entries = {**graph["nodes"][1], **changes}
        graph["nodes"][1] = {key: value for key, value in entries.items() if value is not None}

    return changed(change)


def model_input(**changes: Any) -> bytes:
    """Return a file whose input has other values; None takes a key away."""

    def change(graph: Json) -> None:
        entries = {**graph["inputs"][0], **changes}
        graph["inputs"][0] = {key: value for key, value in entries.items() if value is not None}

    return changed(change)


def graph(**changes: Any) -> bytes:
    """Return a file whose graph has other values at the top; None takes a key away."""
    entries = {**GRAPH, **changes}
    return file_with_graph({key: value for key, value in entries.items() if value is not None})


def attributes(op: str, **values: Any) -> bytes:
    """Return a file whose node 'act' is of another operator, with these attributes."""
    return node(op=op, inputs=["y", "w"] if op == "Conv" else ["y"], attributes=values)


def unknown_operators() -> bytes:
    nodes = [
        {"name": f"n{i}", "op": op, "inputs": ["x"], "outputs": [f"v{i}"]}
        for i, op in enumerate(["NonMaxSuppression", "Relu", "Mystery", "Mystery"])
    ]
    return graph(nodes=nodes, outputs=["v1"])


def relu(name: str, source: str, target: str) -> Json:
    return {"name": name, "op": "Relu", "inputs": [source], "outputs": [target]}


X = GRAPH["inputs"][0]
ADD, ACT = GRAPH["nodes"]

FORM = [
    Attack("graph_key_missing", lambda: graph(inputs=None), "the graph has no 'inputs'"),
    Attack("graph_key_missing", lambda: graph(outputs=None), "the graph has no 'outputs'"),
    Attack("graph_key_missing", lambda: graph(nodes=None), "the graph has no 'nodes'"),
    Attack("graph_key_missing", lambda: node(name=None), "node 1 has no 'name'"),
    Attack("graph_key_missing", lambda: node(op=None), "node 'act' has no 'op'"),
    Attack("graph_key_missing", lambda: node(inputs=None), "node 'act' has no 'inputs'"),
    Attack("graph_key_missing", lambda: model_input(dtype=None), "input 'x' has no 'dtype'"),
    Attack("graph_key_unknown", lambda: graph(doc="x"), "the graph has an unknown key, 'doc'"),
    Attack("graph_key_unknown", lambda: node(domain="ai"), "node 1 has an unknown key, 'domain'"),
    Attack("graph_key_unknown", lambda: model_input(layout="NCHW"), "input 0 has an unknown key, 'layout'"),
    Attack("graph_type", lambda: file_with_graph("[]"), "the graph is a list, not an object"),
    Attack("graph_type", lambda: graph(nodes={}), "'nodes' of the graph is an object, not a list"),
    Attack("graph_type", lambda: graph(nodes=[1]), "node 0 is an integer, not an object"),
    Attack("graph_type", lambda: graph(outputs=[1]), "an entry of 'outputs' of the graph is an integer"),
    Attack("graph_type", lambda: node(name=1), "'name' of node 1 is an integer, not a string"),
    Attack("graph_type", lambda: node(inputs="y"), "'inputs' of node 'act' is a string, not a list"),
    Attack("graph_type", lambda: node(inputs=[True]), "is a boolean, not a string"),
    Attack("graph_type", lambda: node(attributes=[]), "'attributes' of node 'act' is a list, not an object"),
    Attack(
        "graph_too_large",
        lambda: graph(nodes=[relu(str(i), "x", f"v{i}") for i in range(65_537)], outputs=["v0"]),
        "65537 nodes; at most 65536",
    ),
    Attack("name_invalid", lambda: node(name=""), "'name' of node 1 is empty"),
    Attack("name_invalid", lambda: node(name="a\n\x7f"), r"control character: 'a\x0a\x7f'"),
    Attack("name_invalid", lambda: node(name="a" * 1025), "longer than 1024 bytes"),
    Attack("name_invalid", lambda: node(op=""), "'op' of node 'act' is empty"),
    Attack("name_invalid", lambda: node(outputs=["a\0b"]), r"'a\x00b'"),
    Attack("name_invalid", lambda: graph(outputs=[""]), "a name in 'outputs' of the graph is empty"),
    Attack("name_invalid", lambda: model_input(name=""), "'name' of input 0 is empty"),
    Attack("name_invalid", lambda: model_input(shape=["", 4]), "the name of a free dimension of input 'x' is empty"),
    Attack("input_dtype", lambda: model_input(dtype="F32"), "'F32'; known are float32,"),
    Attack("input_dtype", lambda: model_input(dtype="float16"), "input 'x' has the dtype 'float16'"),
    *(
        Attack("input_shape", lambda dim=dim: model_input(shape=[1, dim]), "neither an integer of at least 0 nor")
        for dim in (-1, 4.0, None, [4], True)
    ),
    Attack("input_shape", lambda: model_input(shape=[1] * 9), "9 dimensions; at most 8"),
    Attack("input_shape", lambda: model_input(shape=["N", 2**32, 2**32]), "1x4294967296x4294967296"),
    Attack("input_shape", lambda: model_input(shape=[0, 2**32, 2**32]), "too large"),
]

NAMES = [
    Attack("node_duplicate", lambda: node(name="add"), "two nodes have the name 'add'"),
    Attack("value_duplicate", lambda: node(outputs=["y"]), "'y' comes from node 'add' and again from node 'act'"),
    Attack("value_duplicate", lambda: node(outputs=["x"]), "from the graph's inputs and again from node 'act'"),
    Attack("value_duplicate", lambda: node(outputs=["w"]), "from the stored tensors and again from node 'act'"),
    Attack("value_duplicate", lambda: graph(inputs=[X, X]), "and again from the graph's inputs"),
    Attack("value_duplicate", lambda: graph(inputs=[X, {**X, "name": "w"}]), "again from the stored tensors"),
    Attack("value_undefined", lambda: node(inputs=["nobody"]), "node 'act' reads 'nobody'"),
    Attack("value_undefined", lambda: graph(outputs=["z", "nobody"]), "the graph's outputs name 'nobody'"),
    Attack("value_order", lambda: graph(nodes=[ACT, ADD]), "node 'act' reads 'y', which comes from node 'add'"),
    Attack("value_order", lambda: node(inputs=["z"]), "node 'act' reads 'z', which comes from node 'act'"),
    Attack("value_order", lambda: graph(nodes=[relu("a", "r", "q"), relu("b", "q", "r")], outputs=["r"]), "'r'"),
    Attack("output_missing", lambda: graph(outputs=[]), "no outputs"),
    Attack("output_duplicate", lambda: graph(outputs=["z", "z"]), "'z' twice"),
]

NODES = [
    Attack(
        "operator_unknown",
        unknown_operators,
        "2 operators are not known: 'Mystery' (nodes 'n2', 'n3'), 'NonMaxSuppression' (node 'n0')",
    ),
    Attack("operator_unknown", lambda: node(op="relu"), "1 operator is not known: 'relu' (node 'act')"),
    Attack("arity", lambda: node(inputs=[]), "node 'act' (LeakyRelu) has 0 inputs, but its operator takes 1"),
    Attack("arity", lambda: node(inputs=["y", "x"]), "has 2 inputs, but its operator takes 1"),
    Attack("arity", lambda: node(inputs=[""]), "leaves out number 0 of its inputs"),
    Attack("arity", lambda: node(outputs=[]), "has 0 outputs"),
    Attack("arity", lambda: node(outputs=["z", "z2"]), "has 2 outputs, but its operator takes 1"),
    Attack("arity", lambda: node(outputs=[""]), "leaves out number 0 of its outputs"),
    Attack("attribute_unknown", lambda: attributes("LeakyRelu", beta=1), "'beta' is not known"),
    Attack("attribute_type", lambda: attributes("LeakyRelu", alpha="0.5"), "'alpha' is not a real number"),
    Attack("attribute_type", lambda: attributes("LeakyRelu", alpha=[0.5]), "'alpha' is not a real number"),
    Attack("attribute_type", lambda: attributes("LeakyRelu", alpha=True), "'alpha' is not a real number"),
    Attack("attribute_type", lambda: attributes("Conv", group=1.0), "'group' is not an integer"),
    Attack("attribute_type", lambda: attributes("Conv", strides=2), "'strides' is not a list of integers"),
    Attack("attribute_type", lambda: attributes("Conv", strides=[2, 2.5]), "'strides' is not a list of integers"),
    Attack("attribute_type", lambda: attributes("Conv", auto_pad=0), "'auto_pad' is not a string"),
    Attack("attribute_range", lambda: attributes("Conv", strides=[1, 2**31]), "2147483648, which is beyond 32 bits"),
    Attack("attribute_range", lambda: attributes("Conv", pads=[-(2**63)]), "beyond 32 bits"),
    Attack("attribute_missing", lambda: attributes("Cast"), "node 'act' (Cast) has no attribute 'to'"),
    Attack(
        "shape_inference",
        lambda: model_input(shape=[3, 5]),
        "node 'add' (Add): ",
    ),
    Attack("shape_inference", lambda: model_input(shape=[3, 5]), "its inputs are float32 3x5, float32 4"),
]

ATTACKS: list[Attack] = [*FORM, *NAMES, *NODES]
