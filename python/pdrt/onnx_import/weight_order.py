"""Stores the weights of fully connected layers input by input where the engine reads them so.

It does behind a ReLU, whose zeros it leaves out together with their weights (csrc/plan/weight_forms.cpp), and would
have to turn hundreds of megabytes over whenever such a file is opened. It takes either order everywhere.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from .draft import Draft, Node

_LEAST_KERNELS = 256
# Fewer are turned over in no time.
_LEAST_WEIGHTS = 1 << 20
# Rows that are read as they lie are whole groups of lanes.
_LANES = 16
# What makes zeros of zeros.
_KEEPS_ZEROS = {"AveragePool", "Concat", "Flatten", "MaxPool", "Mul", "Reshape", "Squeeze", "Unsqueeze"}


def order_weights(draft: Draft) -> None:
    """Turn large weights of a Gemm over, and its ``transB`` with them, where nothing else reads them."""
    readers = Counter(name for node in draft.nodes for name in node.inputs)
    readers.update(draft.outputs)
    with_zeros: set[str] = set()
    for node in draft.nodes:
        if node.op == "Relu" or (node.op in _KEEPS_ZEROS and not with_zeros.isdisjoint(node.inputs)):
            with_zeros.update(node.outputs)
        if _is_large(draft, node) and node.inputs[0] in with_zeros and readers[node.inputs[1]] == 1:
            name = node.inputs[1]
            draft.constants[name] = np.ascontiguousarray(draft.constants[name].T)
            node.attributes["transB"] = 0


def _is_large(draft: Draft, node: Node) -> bool:
    """Return whether the node has many weights, which lie kernel by kernel and might as well lie input by input."""
    if node.op != "Gemm" or node.attributes.get("transB") != 1 or len(node.inputs) < 2:
        return False
    weights = draft.constants.get(node.inputs[1])
    if weights is None or weights.dtype != np.float32 or weights.ndim != 2:
        return False
    kernels = weights.shape[0]
    return weights.size >= _LEAST_WEIGHTS and kernels >= _LEAST_KERNELS and kernels % _LANES == 0
