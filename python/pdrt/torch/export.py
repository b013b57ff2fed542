"""ONNX export for networks with LKAM switches, with names a person can read.

torch's own exporter writes nodes like ``/lkam2/first/Conv`` and weights like ``onnx::Conv_71``. Here the same graph
gets names taken from the modules: ``conv2``, ``lkam2.first``, ``lkam2.Sigmoid``, ``conv2.weight``.
"""

from __future__ import annotations

import tempfile
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

OPSET = 17

# What the constant inputs of an operator are called, by position.
_ROLES = {"Conv": ("", "weight", "bias"), "Gemm": ("", "weight", "bias"), "Greater": ("", "threshold")}


def export_onnx(
    model: nn.Module, inputs: Mapping[str, Tensor], path: str | Path, *, outputs: Sequence[str] = ("logits",)
) -> None:
    """Writes a model as ONNX, in evaluation mode, with a free batch dimension.

    Batch normalisation that follows a convolution is folded into it. The file depends on nothing but the model: the
    same weights give the same bytes. The model's training mode is restored afterwards.

    Args:
        model: its ``forward`` takes the tensors of ``inputs`` in their order and returns one tensor per name in
            ``outputs``.
        inputs: name and an example of every input. The values do not matter; the shapes do, but for the first
            dimension of an example that has more than one, which is free. A scalar, () or (1,), keeps its shape.
        path: the file to write.
        outputs: names of the outputs; their first dimension is free.

    Raises:
        onnx.checker.ValidationError: the exporter wrote a graph that is not valid ONNX.
    """
    free = [name for name, example in inputs.items() if example.ndim > 1]
    training = model.training
    model.eval()
    try:
        with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
            # The classic exporter is deprecated, but it needs no further package and keeps the modules' names.
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            file = Path(folder) / "model.onnx"
            torch.onnx.export(
                model,
                tuple(inputs.values()),
                file,
                dynamo=False,
                opset_version=OPSET,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_axes={name: {0: "N"} for name in (*free, *outputs)},
            )
            exported = onnx.load(file)
    finally:
        model.train(training)
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
    """Renames nodes after their modules, values after their writers, constants after their first readers."""
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
    """Names nodes after their modules: ``/lkam2/Sigmoid`` becomes ``lkam2.Sigmoid``.

    A module's only node gets the module's name: ``/lkam2/first/Conv`` becomes ``lkam2.first``. A module that is used
    twice keeps the exporter's number, so that names stay unique.
    """
    paths = [node.name.strip("/").split("/") for node in nodes]
    scopes = Counter(".".join(path[:-1]) for path in paths)
    names = []
    for path in paths:
        scope = ".".join(path[:-1])
        alone = scope and scopes[scope] == 1
        names.append(scope if alone else ".".join(path))
    return names
