"""Checks the draft against pdrt's operator table and writes the native image."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .draft import ANY_NUMBER, Draft, InputSpec, Node, Unreadable
from .support import native_operators


def write(draft: Draft) -> bytes:
    """The draft as the bytes of a ``.pdrt`` file.

    Raises pdrt.ModelError where a node does not fit the operator table.
    """
    from pdrt.format import write as write_image

    _name_stored_outputs(draft)
    _free_reserved_name(draft)
    graph = {
        "inputs": [_input(spec) for spec in draft.inputs],
        "outputs": draft.outputs,
        "nodes": [_node(draft, node) for node in draft.nodes],
    }
    return write_image(
        None,
        graph,
        draft.constants,
        producer=f"{draft.producer or 'unknown'}, ONNX opset {draft.opset}",
        source_sha256=draft.sha256,
    )


def _name_stored_outputs(draft: Draft) -> None:
    """Let a node write every output that is a stored tensor: outputs of the native graph are computed."""
    for name in draft.outputs:
        if name in draft.constants:
            stored = _rename_constant(draft, name)
            node_name = draft.node_names.unique(f"{name}/Identity")
            draft.nodes.append(Node(node_name, "Identity", [stored], [name]))


def _free_reserved_name(draft: Draft) -> None:
    """The one name that no tensor of the file can have."""
    if "__metadata__" in draft.constants:
        _rename_constant(draft, "__metadata__")


def _rename_constant(draft: Draft, name: str) -> str:
    stored = draft.value_names.unique(f"{name}/stored")
    draft.constants[stored] = draft.constants.pop(name)
    for node in draft.nodes:
        node.inputs = [stored if given == name else given for given in node.inputs]
    return stored


def _input(spec: InputSpec) -> dict[str, Any]:
    return {"name": spec.name, "dtype": str(spec.dtype), "shape": list(spec.shape)}


def _node(draft: Draft, node: Node) -> dict[str, Any]:
    row = native_operators()[node.op]
    most = row["max_inputs"] if row["max_inputs"] >= 0 else ANY_NUMBER
    draft.check_count(node, "inputs", row["min_inputs"], most)
    for name, value in node.attributes.items():
        if name not in row["attributes"]:
            raise draft.source.error(f"the attribute '{name}' is not supported", node)
        if isinstance(value, Unreadable | np.ndarray):
            raise draft.source.error(f"the attribute '{name}' is of a kind that is not supported", node)
        if isinstance(value, float) and not math.isfinite(value):
            raise draft.source.error(f"the attribute '{name}' is {value}, expected a finite number", node)
    return {
        "name": node.name,
        "op": node.op,
        "inputs": node.inputs,
        "outputs": node.outputs,
        "attributes": node.attributes,
    }
