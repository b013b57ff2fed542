"""Builds ONNX networks layer by layer, with statistics and switches that fit one image.

Random weights alone make a poor benchmark: activations drift, planes die, and nobody knows how many kernels a gate
will leave on. Here every layer is evaluated as soon as it is added, so that its batch normalisation (or, without one,
its weights) can give planes of mean about 0 and deviation about 1, as in a trained network, and so that a gate's
threshold lies where it leaves exactly the wanted share of the kernels on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from peers import INPUT, OUTPUT

Array = NDArray[np.float32]
OPSET = 17
IR_VERSION = 8
MARGIN = 0.5  # what a gate's logits are pushed away from its threshold, so that rounding decides nothing


class CalibratedNetwork:
    """An ONNX graph under construction, and the value of everything in it on one image.

    Args:
        image: 1×channels×height×width. The graph leaves the batch free.
        density: the share of the kernels that every gated convolution leaves on; None leaves the gates out.

    `macs` counts the multiply-adds of convolutions and fully connected layers, without those of the gates. `needed`
    counts those of them that remain when kernels that are off, and inputs that are zero all over, are left out.
    """

    def __init__(self, image: Array, density: float | None = None) -> None:
        self.macs = self.needed = 0
        self._density = density
        self._random = np.random.default_rng(1)  # the weights
        self._gate_random = np.random.default_rng(2)  # apart, so that gates do not change the weights
        self._shape = image.shape
        self._values: dict[str, NDArray[Any]] = {INPUT: image}
        self._weights: dict[str, NDArray[Any]] = {}
        self._nodes: list[Any] = []
        # For flattened planes: which numbers come from planes that are not zero all over.
        self._alive: dict[str, NDArray[np.bool_]] = {}

    def layer(
        self,
        x: str,
        kernels: int,
        size: int = 1,
        *,
        stride: int = 1,
        pad: int | None = None,
        groups: int = 1,
        norm: bool = True,
        gain: float = 1.0,
        activation: str | None = "Relu",
        gated: bool = False,
    ) -> str:
        """Append convolution, batch normalisation (or a bias), activation and, in a network with gates, a gate.

        Args:
            x: what it reads.
            kernels: how many channels it gives.
            size: height and width of the filter.
            stride: down and across.
            pad: zeros on each side; by default half the filter.
            groups: of the channels, as in ONNX.
            norm: False gives the convolution a bias in place of batch normalisation.
            gain: the deviation of the planes before the activation.
            activation: "Relu", "Relu6" or None.
            gated: whether a gate may switch its kernels off.
        """
        gate = self._gate(x, kernels) if gated and self._density is not None else None
        on = kernels if gate is None else int(np.count_nonzero(self._values[gate]))
        pads = [size // 2 if pad is None else pad] * 4
        attributes = {"strides": [stride] * 2, "pads": pads, "group": groups, "kernel_shape": [size] * 2}
        inputs = self._values[x].shape[1] // groups
        shape = (kernels, inputs, size, size)
        weight = self._normal(self._random, shape, np.sqrt(2 / (inputs * size * size)))
        shift = self._normal(self._random, (kernels,), 0.3)
        plain = self._evaluate("Conv", [self._values[x], weight], attributes)
        mean, variance = plain.mean((0, 2, 3)), plain.var((0, 2, 3))
        variance[variance < 1e-6] = 1  # nothing came in
        if norm:
            value = self._append("Conv", [x, self._store(weight)], **attributes)
            scale = np.full(kernels, gain, np.float32)
            stored = [self._store(part) for part in (scale, shift * np.float32(gain), mean, variance)]
            value = self._append("BatchNormalization", [value, *stored], epsilon=1e-5)
        else:
            factor = gain / np.sqrt(variance)
            stored = [self._store(weight * factor[:, None, None, None]), self._store(gain * shift - mean * factor)]
            value = self._append("Conv", [x, *stored], **attributes)
        if activation == "Relu6":
            value = self._append("Clip", [value, self._store(np.float32(0)), self._store(np.float32(6))])
        elif activation:
            value = self._append(activation, [value])
        if gate is not None:
            value = self._append("Mul", [value, gate])

        macs = plain[0, 0].size * size * size
        alive = self._values[x].any((0, 2, 3))
        self.macs += macs * kernels * inputs
        self.needed += macs * on * int(alive.sum()) // groups
        return value

    def linear(self, x: str, kernels: int, *, activation: bool = False, output: str | None = None) -> str:
        """Append a fully connected layer on (1, features)."""
        features = self._values[x].shape[1]
        weight = self._normal(self._random, (kernels, features), np.sqrt(2 / features))
        bias = self._normal(self._random, (kernels,), 0.1)
        alive = self._alive.get(x, np.ones(features, bool))
        self.macs += kernels * features
        self.needed += kernels * int(alive.sum())
        value = self._append("Gemm", [x, self._store(weight), self._store(bias)], output=output, transB=1)
        return self._append("Relu", [value]) if activation else value

    def add(self, op: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Append any other node."""
        return self._append(op, list(inputs), output=output, **attributes)

    def flatten(self, x: str, output: str | None = None) -> str:
        """Append a Flatten of planes."""
        value = self._append("Flatten", [x], output=output)
        planes = self._values[x]
        self._alive[value] = np.repeat(planes.any((0, 2, 3)), planes[0, 0].size)
        return value

    def channels(self, x: str) -> int:
        """Return how many channels a value has."""
        return self._values[x].shape[1]

    @property
    def logits(self) -> NDArray[Any]:
        """The value of the output."""
        return self._values[OUTPUT]

    def model(self) -> bytes:
        """Return the network as an ONNX file: `image` -> `logits`, the batch free."""
        image = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", *self._shape[1:]])
        logits = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", self.logits.shape[1]])
        stored = [numpy_helper.from_array(value, name) for name, value in self._weights.items()]
        graph = helper.make_graph(self._nodes, "network", [image], [logits], stored)
        opset = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION).SerializeToString()

    def _gate(self, x: str, kernels: int) -> str:
        """Append an LKAM, which looks at what the convolution reads: pool, C/4, ReLU, kernels, sigmoid, threshold."""
        assert self._density is not None
        on = round(self._density * kernels)
        inputs = self.channels(x)
        hidden = max(inputs // 4, 1)
        pooled = self._append("GlobalAveragePool", [x])
        narrow = self._normal(self._gate_random, (hidden, inputs, 1, 1), np.sqrt(2 / inputs))
        bias = self._store(np.zeros(hidden, np.float32))
        squeezed = self._append("Relu", [self._append("Conv", [pooled, self._store(narrow), bias])])
        wide = self._normal(self._gate_random, (kernels, hidden, 1, 1), np.sqrt(2 / hidden))
        bias = self._normal(self._gate_random, (kernels,), 0.5)
        logits = self._evaluate("Conv", [self._values[squeezed], wide, bias], {}).ravel()
        factor = 1 / logits.std()
        order = np.argsort(-logits)
        push = np.full(kernels, -MARGIN, np.float32)
        push[order[:on]] = MARGIN
        border = logits[order[on - 1 : on + 1]].mean() if on < kernels else logits.min()
        stored = [self._store(wide * factor), self._store((bias - border) * factor + push)]
        score = self._append("Sigmoid", [self._append("Conv", [squeezed, *stored])])
        above = self._append("Greater", [score, self._store(np.float32(0.5))])
        gate = self._append("Cast", [above], to=TensorProto.FLOAT)
        assert np.count_nonzero(self._values[gate]) == on
        return gate

    def _append(self, op: str, inputs: list[str], *, output: str | None = None, **attributes: Any) -> str:
        name = output or f"{op.lower()}{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        operands = [self._weights[key] if key in self._weights else self._values[key] for key in inputs]
        self._values[name] = self._evaluate(op, operands, attributes)
        return name

    def _store(self, value: Any) -> str:
        name = f"w{len(self._weights)}"
        self._weights[name] = np.asarray(value, np.float32)
        return name

    @staticmethod
    def _normal(random: np.random.Generator, shape: tuple[int, ...], spread: float) -> Array:
        return random.standard_normal(shape, np.float32) * np.float32(spread)

    @staticmethod
    def _evaluate(op: str, operands: list[NDArray[Any]], attributes: dict[str, Any]) -> NDArray[Any]:
        """Return the value of one node, computed by ONNX Runtime."""
        names = [f"i{index}" for index in range(len(operands))]
        inputs = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(operand.dtype), None)
            for name, operand in zip(names, operands, strict=True)
        ]
        result = helper.make_empty_tensor_value_info("o")
        graph = helper.make_graph([helper.make_node(op, names, ["o"], **attributes)], "node", inputs, [result])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return session.run(None, dict(zip(names, operands, strict=True)))[0]
