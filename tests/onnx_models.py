"""Small ONNX models for the tests of the import."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

import pdrt
from oracle import assert_equal, expected

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


def one(op: str, *inputs: str, outputs: tuple[str, ...] = ("y",), **attributes: Any) -> list[onnx.NodeProto]:
    """One node that reads x."""
    return [node(op, ["x", *inputs], list(outputs), **attributes)]


def batch_norm() -> dict[str, Array]:
    """The stored inputs of a batch normalisation of four channels, in order."""
    shapes = {name: image(4, seed=seed) for seed, name in enumerate(("scale", "shift", "mean"))}
    return {**shapes, "variance": np.abs(image(4, seed=4)) + 0.5}
