"""Turns initializers, Constant nodes and tensor attributes into numpy arrays."""

from __future__ import annotations

import numpy as np
import onnx

from .draft import Draft, Node
from .reader import LoadedModel
from .tensors import Array, to_array


def store_constants(draft: Draft, loaded: LoadedModel) -> None:
    """Read every tensor that the draft's nodes and outputs use; Constant nodes leave the draft.

    Raises pdrt.ModelError naming the tensor or node that cannot be read.
    """
    graph, source = loaded.proto.graph, draft.source
    used = {name for node in draft.nodes for name in node.inputs} | set(draft.outputs)
    for sparse in graph.sparse_initializer:
        if sparse.values.name in used:
            raise source.error(f"the stored tensor '{sparse.values.name}' is sparse; expected a dense one")
    for tensor in graph.initializer:
        if tensor.name in used:
            what = f"the stored tensor '{tensor.name}'"
            draft.constants[tensor.name] = to_array(tensor, what, source, loaded.folder)
    for node in draft.nodes:
        for name, value in node.attributes.items():
            if isinstance(value, onnx.TensorProto):
                what = f"the attribute '{name}'"
                node.attributes[name] = to_array(value, what, source, loaded.folder, node)
        if node.op == "Constant":
            draft.constants[node.outputs[0]] = _value(draft, node)
    draft.nodes = [node for node in draft.nodes if node.op != "Constant"]


def _value(draft: Draft, node: Node) -> Array:
    if len(node.attributes) != 1:
        raise draft.source.error(f"expected one value, found {len(node.attributes)} attributes", node)
    ((key, value),) = node.attributes.items()
    if isinstance(value, np.ndarray):
        return value
    if key in ("value_float", "value_floats"):
        return np.array(value, dtype=np.float32)
    if key in ("value_int", "value_ints"):
        return np.array(value, dtype=np.int64)
    raise draft.source.error(f"the attribute '{key}' is not supported; expected dense numbers", node)
