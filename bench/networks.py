"""Networks made for measuring: stacks of 3x3 convolutions, with a switch on every layer or without."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
IR_VERSION = 8


@dataclass(frozen=True)
class Stack:
    """`depth` convolutions `channels` -> `channels`, 3x3, ReLU after each, on maps of `size` x `size`."""

    channels: int
    size: int
    depth: int = 8

    def onnx(self, gated: bool) -> bytes:
        """Return the network: `x` N×1×size×size -> 1x1 convolution -> the stack -> global mean `y`.

        The 1x1 convolution and the mean keep what goes in and out small beside the stack. With `gated`, each layer is
        multiplied by its row of the input `gates`, (depth + 1)×channels×1×1: its switch.
        """
        random = np.random.default_rng(1)
        nodes, weights = [], []
        value, inputs = "x", 1
        for layer in range(self.depth + 1):
            taps = 1 if layer == 0 else 3
            shape = (self.channels, inputs, taps, taps)
            weight = random.standard_normal(shape) * np.sqrt(2 / (inputs * taps * taps))
            weights.append(numpy_helper.from_array(weight.astype(np.float32), f"w{layer}"))
            pads = [taps // 2] * 4
            nodes.append(helper.make_node("Conv", [value, f"w{layer}"], [f"c{layer}"], f"conv{layer}", pads=pads))
            nodes.append(helper.make_node("Relu", [f"c{layer}"], [f"r{layer}"], f"relu{layer}"))
            value, inputs = f"r{layer}", self.channels
            if gated:
                nodes.append(helper.make_node("Mul", [value, f"gate{layer}"], [f"m{layer}"], f"switch{layer}"))
                value = f"m{layer}"
        nodes.append(helper.make_node("GlobalAveragePool", [value], ["y"], "mean"))
        if gated:
            gates = [f"gate{layer}" for layer in range(self.depth + 1)]
            nodes.insert(0, helper.make_node("Split", ["gates"], gates, "split", axis=0, num_outputs=len(gates)))
        return self._model(nodes, weights, gated)

    def _model(self, nodes: list, weights: list, gated: bool) -> bytes:
        image = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, self.size, self.size])
        gates = helper.make_tensor_value_info("gates", TensorProto.FLOAT, [self.depth + 1, self.channels, 1, 1])
        mean = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, self.channels, 1, 1])
        graph = helper.make_graph(nodes, "stack", [image, gates] if gated else [image], [mean], weights)
        opset = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION).SerializeToString()

    def gates(self, share: float) -> NDArray[np.float32]:
        """Return gates that leave `share` of the kernels of every layer on, spread at random."""
        random = np.random.default_rng(2)
        gates = np.zeros((self.depth + 1, self.channels, 1, 1), np.float32)
        for row in gates:
            row[random.permutation(self.channels)[: round(share * self.channels)]] = 1
        return gates

    def image(self) -> NDArray[np.float32]:
        """Return one input."""
        return np.random.default_rng(3).standard_normal((1, 1, self.size, self.size)).astype(np.float32)
