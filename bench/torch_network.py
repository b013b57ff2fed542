"""An ONNX network of `zoo.py` as a PyTorch module, to stand beside pdrt on a GPU.

Batch normalisation is folded into the convolution before it, as anyone who deploys does; TF32 is off, since everything
here computes in 32-bit floats; cuDNN measures its algorithms and takes the fastest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch.nn import functional

Array = NDArray[np.float32]


class TorchNetwork(torch.nn.Module):
    """Runs the nodes of an ONNX graph in their order; image -> logits."""

    def __init__(self, model: bytes) -> None:
        super().__init__()
        graph = onnx.load_from_string(model).graph
        self._input, self._output = graph.input[0].name, graph.output[0].name
        stored = {tensor.name: numpy_helper.to_array(tensor).copy() for tensor in graph.initializer}
        self._steps: list[tuple[str, list[str], str, dict[str, Any]]] = []
        for node in graph.node:
            attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
            if node.op_type == "BatchNormalization" and self._fold(node, stored, attributes["epsilon"]):
                continue
            self._steps.append((node.op_type, list(node.input), node.output[0], attributes))
        read = {name for _, inputs, _, _ in self._steps for name in inputs}
        for name in read & stored.keys():
            self.register_buffer(name, torch.from_numpy(stored[name]))

    def _fold(self, node: Any, stored: dict[str, Array], epsilon: float) -> bool:
        """Make a batch normalisation part of the convolution that has just been added, if it reads that one."""
        op, inputs, output, attributes = self._steps[-1]
        if op != "Conv" or output != node.input[0]:
            return False
        scale, shift, mean, variance = (stored[name] for name in node.input[1:])
        factor = scale / np.sqrt(variance + epsilon)
        weight, bias = inputs[1], f"{output}_bias"
        stored[bias] = (shift - mean * factor + (stored[inputs[2]] * factor if len(inputs) > 2 else 0)).astype("f4")
        stored[weight] = (stored[weight] * factor[:, None, None, None]).astype("f4")
        self._steps[-1] = (op, [inputs[0], weight, bias], node.output[0], attributes)
        return True

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        values = {**self._buffers, self._input: image}
        for op, inputs, output, attributes in self._steps:
            values[output] = _OPERATORS[op]([values[name] for name in inputs], attributes)
        return values[self._output]


def _convolution(x: list[torch.Tensor], attributes: dict[str, Any]) -> torch.Tensor:
    bias = x[2] if len(x) > 2 else None
    padding = tuple(attributes.get("pads", [0, 0])[:2])
    return functional.conv2d(x[0], x[1], bias, attributes.get("strides", 1), padding, groups=attributes.get("group", 1))


def _max_pool(x: list[torch.Tensor], attributes: dict[str, Any]) -> torch.Tensor:
    padding = tuple(attributes.get("pads", [0, 0])[:2])
    ceil = bool(attributes.get("ceil_mode", 0))
    return functional.max_pool2d(x[0], attributes["kernel_shape"], attributes["strides"], padding, ceil_mode=ceil)


_OPERATORS: dict[str, Callable[[list[torch.Tensor], dict[str, Any]], torch.Tensor]] = {
    "Add": lambda x, _: x[0] + x[1],
    "Cast": lambda x, _: x[0].float(),
    "Clip": lambda x, _: functional.relu6(x[0]),  # what zoo.py makes of Relu6
    "Concat": lambda x, attributes: torch.cat(x, attributes["axis"]),
    "Conv": _convolution,
    "Flatten": lambda x, _: x[0].flatten(1),
    "Gemm": lambda x, _: functional.linear(x[0], x[1], x[2]),
    "GlobalAveragePool": lambda x, _: x[0].mean((2, 3), keepdim=True),
    "Greater": lambda x, _: x[0] > x[1],
    "MaxPool": _max_pool,
    "Mul": lambda x, _: x[0] * x[1],
    "Relu": lambda x, _: functional.relu(x[0]),
    "Sigmoid": lambda x, _: torch.sigmoid(x[0]),
}


def why_not() -> str:
    """Return why PyTorch cannot be measured on a GPU here; empty where it can."""
    return "" if torch.cuda.is_available() else f"PyTorch {torch.__version__} finds no CUDA device"


def contenders(model: bytes, image: Array) -> dict[str, Callable[[], Array]]:
    """Return functions that run the network on the GPU; each returns the logits in the host's memory.

    "eager" and "graphs" (CUDA graphs) take the image from the host's memory; those "on the device" have it there
    already, and wait until the GPU is done.
    """
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    net = TorchNetwork(model).eval().cuda()
    host = torch.from_numpy(image)
    static = host.cuda()

    def on(work: Callable[[], torch.Tensor]) -> Callable[[], torch.Tensor]:
        def run() -> torch.Tensor:
            with torch.inference_mode():
                return work()

        return run

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side), torch.inference_mode():
        for _ in range(3):
            net(static)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.inference_mode(), torch.cuda.graph(graph):
        captured = net(static)

    def replay() -> torch.Tensor:
        static.copy_(host)
        graph.replay()
        return captured

    def waited(work: Callable[[], object]) -> Callable[[], Array]:
        def run() -> Array:
            work()
            torch.cuda.synchronize()
            return captured

        return run

    eager, resident, graphs = on(lambda: net(host.cuda())), on(lambda: net(static)), on(replay)
    return {
        "torch eager": lambda: eager().cpu().numpy(),
        "torch graphs": lambda: graphs().cpu().numpy(),
        "torch eager, on the device": waited(resident),
        "torch graphs, on the device": waited(graph.replay),
    }
