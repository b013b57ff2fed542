"""ONNX export for networks with LKAM switches, with names a person can read.

torch's own exporter writes nodes like ``/lkam2/first/Conv`` and weights like ``onnx::Conv_71``. Here the same graph gets
names taken from the modules: ``conv2``, ``lkam2.first``, ``lkam2.Sigmoid``, ``conv2.weight``. The graph itself is unchanged.
"""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

OPSET = 17

# What the constant inputs of an operator are called, by position.
_ROLES = {"Conv": ("", "weight", "bias"), "Gemm": ("", "weight", "bias"), "Greater": ("", "threshold")}


def export_onnx(
    model: nn.Module, example: Tensor, path: str | Path, *, input_name: str = "image", output_name: str = "logits"
) -> None:
    """Writes a model with one input and one output as ONNX, in evaluation mode, with a free batch dimension.

    Batch normalisation that follows a convolution is folded into it. The file depends on nothing but the model: the
    same weights give the same bytes. The model's training mode is restored afterwards.

    Args:
        model: its ``forward`` takes one tensor and returns one.
        example: an input of the right shape and dtype; its values do not matter. (N, C, H, W), N at least 1.
        path: the file to write.
        input_name: name of the graph's input.
        output_name: name of the graph's output.

    Raises:
        onnx.checker.ValidationError: the exporter wrote a graph that is not valid ONNX.
    """
    buffer = io.BytesIO()
    training = model.training
    model.eval()
    try:
        with warnings.catch_warnings():
            # The classic exporter is deprecated, but it is the one that needs no further package and keeps modules' names.
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            torch.onnx.export(
                model,
                (example,),
                buffer,
                dynamo=False,
                opset_version=OPSET,
                input_names=[input_name],
                output_names=[output_name],
                dynamic_axes={input_name: {0: "N"}, output_name: {0: "N"}},
            )
    finally:
        model.train(training)
    exported = onnx.load_from_string(buffer.getvalue())
    _constants_to_initializers(exported.graph)
    _rename(exported.graph)
    exported.producer_name = "pdrt.torch"
    exported.producer_version = ""
    onnx.checker.check_model(exported, full_check=True)
    Path(path).write_bytes(exported.SerializeToString(deterministic=True))


def _constants_to_initializers(graph: onnx.GraphProto) -> None:
    """Replaces every Constant node by a stored tensor."""
    constants = [node for node in graph.node if node.op_type == "Constant"]
    for node in constants:
        tensor = onnx.TensorProto()
        tensor.CopyFrom(next(a.t for a in node.attribute if a.name == "value"))
        tensor.name = node.output[0]
        graph.initializer.append(tensor)
        graph.node.remove(node)


def _rename(graph: onnx.GraphProto) -> None:
    """Renames nodes after their modules, values after the nodes that write them, constants after the nodes that read them."""
    fixed = {value.name for value in (*graph.input, *graph.output)}
    for node, name in zip(graph.node, _node_names(graph.node), strict=True):
        node.name = name
    values: dict[str, str] = {}
    for node in graph.node:
        for position, output in enumerate(node.output):
            values[output] = node.name if position == 0 else f"{node.name}.{position}"
    stored = {tensor.name for tensor in graph.initializer}
    for node in graph.node:
        for position, value in enumerate(node.input):
            if value in stored and value not in values:
                roles = _ROLES.get(node.op_type, ())
                role = roles[position] if position < len(roles) and roles[position] else f"input{position}"
                values[value] = f"{node.name}.{role}"
    for old in fixed:
        values[old] = old
    for node in graph.node:
        node.input[:] = [values.get(value, value) for value in node.input]
        node.output[:] = [values[value] for value in node.output]
    for tensor in graph.initializer:
        tensor.name = values.get(tensor.name, tensor.name)
    del graph.value_info[:]
    graph.name = "pdrt"


def _node_names(nodes: Iterable[onnx.NodeProto]) -> list[str]:
    """``/lkam2/first/Conv`` becomes ``lkam2.first`` if it is its module's only node, ``/lkam2/Sigmoid`` ``lkam2.Sigmoid``.

    A module that is used twice keeps the exporter's number, so that names stay unique.
    """
    paths = [node.name.strip("/").split("/") for node in nodes]
    scopes = Counter(".".join(path[:-1]) for path in paths)
    names = []
    for path in paths:
        scope = ".".join(path[:-1])
        alone = scope and scopes[scope] == 1
        names.append(scope if alone else ".".join(path))
    return names
