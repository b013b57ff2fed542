"""Builds small ONNX networks, and knows the value of everything in them on one example input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from oracle import expected

Array = NDArray[Any]
OPSET = 17
IR_VERSION = 8
_ELEMENT_TYPES = {"float32": onnx.TensorProto.FLOAT, "int64": onnx.TensorProto.INT64}


class Network:
    """An ONNX graph under construction. Values are known by name; the first axis of all of them is the batch.

    Every sample of the example input has its own brightness, so that gates decide differently for each.
    """

    def __init__(self, seed: int, *, batch: int = 1, channels: int = 3, size: int = 12) -> None:
        self.rng = np.random.default_rng(seed)
        self.weights: dict[str, Array] = {}
        self.feeds: dict[str, Array] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._nodes: list[onnx.NodeProto] = []
        self._values: dict[str, Array] = {}
        brightness = self.rng.uniform(-1.0, 1.0, (batch, channels, 1, 1))
        self.image = self.input("image", self.rng.standard_normal((batch, channels, size, size)) + brightness)

    def input(self, name: str, example: Array) -> str:
        """Declare a graph input with a free batch size and give its example value."""
        array = example.astype(np.float32)
        shape = ["N", *array.shape[1:]]
        self._inputs.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))
        self.feeds[name] = self._values[name] = array
        return name

    def store(self, value: Any, hint: str = "constant", dtype: Any = np.float32) -> str:
        """Store a tensor and return its name."""
        name = f"{hint}.{len(self.weights)}"
        self.weights[name] = np.asarray(value, dtype=dtype)
        return name

    def integers(self, *values: int) -> str:
        """Store a list of int64."""
        return self.store(values, "integers", np.int64)

    def add(self, op: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        """Append a node, named after its operator and place; return the name of its first output.

        Of a node with several outputs, number i is called after the first, with ".i" behind.
        """
        name = f"{op.lower()}{len(self._nodes)}"
        names = [name, *(f"{name}.{index}" for index in range(1, outputs))]
        self._nodes.append(helper.make_node(op, inputs, names, name=name, **attributes))
        return name

    def conv(
        self,
        x: str,
        kernels: int,
        size: int = 3,
        *,
        stride: int = 1,
        groups: int = 1,
        bias: bool = True,
        lift: float = 0.0,
    ) -> str:
        """Append a convolution with "same" padding and random weights of about unit gain.

        Its weights are stored as ``<name>.w`` and ``<name>.b``. `lift` is added to the bias.
        """
        name = f"conv{len(self._nodes)}"
        channels = self.shape(x)[1] // groups
        spread = np.sqrt(2.0 / (channels * size * size))
        self.weights[f"{name}.w"] = self._normal((kernels, channels, size, size), spread)
        inputs = [x, f"{name}.w"]
        if bias:
            self.weights[f"{name}.b"] = self._normal((kernels,), 0.3) + np.float32(lift)
            inputs.append(f"{name}.b")
        attributes = {"strides": [stride] * 2, "pads": [size // 2] * 4, "group": groups, "kernel_shape": [size] * 2}
        self._nodes.append(helper.make_node("Conv", inputs, [name], name=name, **attributes))
        return name

    def batch_norm(self, x: str, *, affine: bool = True) -> str:
        """Append a batch normalisation with random statistics and, unless told not to, scale and shift."""
        channels = self.shape(x)[1]
        scale = self.rng.uniform(0.5, 1.5, channels) if affine else np.ones(channels)
        shift = self.rng.uniform(-0.5, 0.5, channels) if affine else np.zeros(channels)
        mean, variance = self._normal((channels,), 0.3), self.rng.uniform(0.5, 1.5, channels)
        stored = [self.store(value, "bn") for value in (scale, shift, mean, variance)]
        return self.add("BatchNormalization", x, *stored, epsilon=1e-5)

    def linear(self, x: str, kernels: int, *, lift: float = 0.0) -> str:
        """Append a fully connected layer on (N, features); see `conv`."""
        name = f"gemm{len(self._nodes)}"
        features = self.shape(x)[1]
        self.weights[f"{name}.w"] = self._normal((kernels, features), np.sqrt(2.0 / features))
        self.weights[f"{name}.b"] = self._normal((kernels,), 0.3) + np.float32(lift)
        inputs = [x, f"{name}.w", f"{name}.b"]
        self._nodes.append(helper.make_node("Gemm", inputs, [name], name=name, transB=1))
        return name

    def relu(self, x: str) -> str:
        """Append a ReLU."""
        return self.add("Relu", x)

    def pooled(self, x: str) -> str:
        """Append the mean of every plane, as (N, channels)."""
        return self.add("Flatten", self.add("GlobalAveragePool", x))

    def value(self, name: str) -> Array:
        """Return the value of anything in the graph on the example input."""
        if name not in self._values:
            unknown = [output for node in self._nodes for output in node.output if output not in self._values]
            self._values.update(expected(self.model(unknown), self.feeds))
        return self._values[name]

    def inputs_of(self, name: str) -> list[str]:
        """Return the inputs of the node that computes a value."""
        return next(list(node.input) for node in self._nodes if name in node.output)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of anything in the graph on the example input."""
        return self.value(name).shape

    def model(self, outputs: Sequence[str]) -> bytes:
        """Return the network as an ONNX file that computes the named values."""
        results = [onnx.ValueInfoProto(name=name) for name in outputs]
        stored = [numpy_helper.from_array(value, name) for name, value in self.weights.items()]
        graph = helper.make_graph(self._nodes, "network", self._inputs, results, stored)
        opset = helper.make_opsetid("", OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION).SerializeToString()

    def _normal(self, shape: tuple[int, ...], spread: float) -> Array:
        return (self.rng.standard_normal(shape) * spread).astype(np.float32)
