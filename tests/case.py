"""One case: an operator, its inputs and attributes, as a model of one node."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray

import native

Array = NDArray[Any]

# The newest opset that ONNX Runtime has been released for; cases that need a later one say so.
OPSET = 22
IR_VERSION = 10


@dataclass(frozen=True)
class Random:
    """Data to be drawn: reals from a normal distribution, integers from [low, high), bools by the toss of a coin."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    low: int = -5
    high: int = 6

    def array(self, generator: np.random.Generator) -> Array:
        """Draw it."""
        if self.dtype.startswith("float"):
            return generator.standard_normal(self.shape).astype(self.dtype)
        if self.dtype == "bool":
            return np.asarray(generator.random(self.shape) < 0.5)
        return generator.integers(self.low, self.high, self.shape).astype(self.dtype)


@dataclass(frozen=True)
class Constant:
    """A tensor stored in the model: weights, shapes, axes. Everything else is an input of the model."""

    data: Random | Array


Input = Random | Array | Constant | None


@dataclass(frozen=True)
class Case:
    """One node with everything it needs to run."""

    op: str
    name: str  # unique within the operator
    inputs: Sequence[Input]  # None: the optional input is left out
    attributes: dict[str, Any] = field(default_factory=dict)
    outputs: int = 1
    opset: int = OPSET
    # Who knows the answer: ONNX Runtime, or ONNX's own reference where ONNX Runtime does not, or departs from ONNX.
    oracle: Literal["onnxruntime", "onnx"] = "onnxruntime"
    tolerance: float = 1e-5  # of the largest magnitude in the output; integers and bools are compared exactly

    def __str__(self) -> str:
        return f"{self.op}-{self.name}"

    def arrays(self) -> list[Array | None]:
        """Return all inputs in the node's order, the same ones every time."""
        arrays: list[Array | None] = []
        for index, given in enumerate(self.inputs):
            data = given.data if isinstance(given, Constant) else given
            if isinstance(data, Random):
                data = data.array(np.random.default_rng(zlib.crc32(f"{self} {index}".encode())))
            arrays.append(data)
        return arrays

    def is_constant(self, index: int) -> bool:
        """Tell whether an input is stored in the model."""
        return isinstance(self.inputs[index], Constant)

    def feeds(self) -> dict[str, Array]:
        """Return the model's inputs by name."""
        arrays = enumerate(self.arrays())
        return {f"x{index}": array for index, array in arrays if array is not None and not self.is_constant(index)}

    def native(self) -> bytes:
        """Return the case in pdrt's own format, which nothing has looked at before pdrt does."""
        arrays = {f"x{index}": array for index, array in enumerate(self.arrays()) if array is not None}
        stored = {name: array for name, array in arrays.items() if name not in self.feeds()}
        inputs = {name: (array.dtype.name, list(array.shape)) for name, array in self.feeds().items()}
        names = ["" if given is None else f"x{index}" for index, given in enumerate(self.inputs)]
        outputs = [f"y{index}" for index in range(self.outputs)]
        attributes = dict(self.attributes)
        if "value" in attributes:  # a tensor, which the native form stores and takes as one more input
            stored["value"] = attributes.pop("value")
            names.append("value")
        node = {"name": "node", "op": self.op, "inputs": names, "outputs": outputs, "attributes": attributes}
        return native.model(inputs, outputs, [node], stored)

    def model(self) -> onnx.ModelProto:
        """Return the case as an ONNX model with concrete shapes, its inputs x0, x1, ..., its outputs y0, y1, ..."""
        arrays = self.arrays()
        names = ["" if array is None else f"x{index}" for index, array in enumerate(arrays)]
        attributes = {
            name: onnx.numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
            for name, value in self.attributes.items()
        }
        node = onnx.helper.make_node(
            self.op, names, [f"y{index}" for index in range(self.outputs)], name="node", **attributes
        )
        inputs, stored = [], []
        for index, array in enumerate(arrays):
            if array is None:
                continue
            if self.is_constant(index):
                stored.append(onnx.numpy_helper.from_array(array, names[index]))
            else:
                element = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
                inputs.append(onnx.helper.make_tensor_value_info(names[index], element, array.shape))
        outputs = [onnx.ValueInfoProto(name=name) for name in node.output]
        graph = onnx.helper.make_graph([node], str(self), inputs, outputs, stored)
        model = onnx.helper.make_model(
            graph, opset_imports=[onnx.helper.make_opsetid("", self.opset)], ir_version=IR_VERSION
        )
        return onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)  # the outputs' types
