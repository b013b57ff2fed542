"""The graph while it is rewritten: plain nodes under unique names, checked and free of dead ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import onnx
from onnx import AttributeProto

from .names import Names
from .reader import DEFAULT_DOMAINS, LoadedModel
from .source import Source
from .tensors import Array, checked_dtype
from .value_types import Types

ANY_NUMBER = 2**31 - 1  # of inputs or outputs; ONNX's own word for it


@dataclass(frozen=True)
class Unreadable:
    """An attribute of a kind no supported operator has, such as a subgraph."""

    kind: str


Attribute = int | float | str | list[int] | list[float] | onnx.TensorProto | Array | Unreadable


@dataclass
class Node:
    """One node. "" among the inputs or outputs marks an optional one that is absent."""

    name: str
    op: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Attribute] = field(default_factory=dict)
    domain: str = ""


@dataclass(frozen=True)
class InputSpec:
    """A graph input. A text in the shape is a free dimension."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | str, ...]


@dataclass
class Draft:
    """A model on its way from ONNX to the native form. Nodes are in topological order."""

    source: Source
    sha256: str
    producer: str
    opset: int
    types: Types
    inputs: list[InputSpec]
    outputs: list[str]
    nodes: list[Node]
    constants: dict[str, Array]
    value_names: Names
    node_names: Names

    def check_count(self, node: Node, what: Literal["inputs", "outputs"], least: int, most: int) -> None:
        """Raise pdrt.ModelError where the node has another number of inputs or outputs, or lacks one it needs."""
        names = node.inputs if what == "inputs" else node.outputs
        if least <= len(names) <= most and "" not in names[:least]:
            return
        upper = " or more" if most >= ANY_NUMBER else f" to {most}" if least < most else ""
        raise self.source.error(f"has the {what} {names}, expected {least}{upper}", node)


def build(loaded: LoadedModel, outputs: Sequence[str] | None) -> Draft:
    """The live part of the model's graph, its constants still empty.

    Raises pdrt.ModelError where the graph is not sound.
    """
    source, graph = loaded.source, loaded.proto.graph
    node_names = Names(node.name for node in graph.node if node.name)
    nodes = _nodes(graph, node_names)
    stored = {tensor.name: tensor for tensor in graph.initializer}
    sparse = {tensor.values.name for tensor in graph.sparse_initializer}
    # Before IR 4 every initializer is listed as an input too; later such an input is an overridable default.
    # Both are constants here.
    inputs = [value for value in graph.input if value.name not in stored and value.name not in sparse]
    _check_values(source, nodes, [value.name for value in inputs], stored.keys() | sparse)
    wanted = _wanted_outputs(source, graph, nodes, outputs)
    made_by = (loaded.proto.producer_name, loaded.proto.producer_version)
    return Draft(
        source=source,
        sha256=loaded.sha256,
        producer=" ".join(part for part in made_by if part),
        opset=loaded.opset,
        types=Types(loaded.proto),
        inputs=_input_specs(source, inputs),
        outputs=wanted,
        nodes=live(nodes, wanted),
        constants={},
        value_names=Names(_all_values(graph)),
        node_names=node_names,
    )


def live(nodes: list[Node], wanted: Iterable[str]) -> list[Node]:
    """The nodes that the wanted values need, in their order."""
    needed = set(wanted)
    kept = []
    for node in reversed(nodes):
        if needed.intersection(node.outputs):
            kept.append(node)
            needed.update(name for name in node.inputs if name)
    return kept[::-1]


def _nodes(graph: onnx.GraphProto, names: Names) -> list[Node]:
    """The nodes under names of their own: nameless ones are called after operator and place, Conv_12."""
    seen: set[str] = set()
    nodes = []
    for index, proto in enumerate(graph.node):
        name = proto.name
        if not name:
            name = names.unique(f"{proto.op_type}_{index}")
        elif name in seen:
            name = names.unique(name)
        seen.add(name)
        inputs, outputs = _stripped(proto.input), _stripped(proto.output)
        domain = "" if proto.domain in DEFAULT_DOMAINS else proto.domain
        attributes = {attribute.name: _attribute(attribute) for attribute in proto.attribute}
        nodes.append(Node(name, proto.op_type, inputs, outputs, attributes, domain))
    return nodes


def _stripped(names: Sequence[str]) -> list[str]:
    """Without the absent ones at the end."""
    result = list(names)
    while result and not result[-1]:
        result.pop()
    return result


def _attribute(proto: AttributeProto) -> Attribute:
    if proto.type == AttributeProto.INT:
        return int(proto.i)
    if proto.type == AttributeProto.FLOAT:
        return float(proto.f)
    if proto.type == AttributeProto.STRING:
        return proto.s.decode("utf-8", errors="replace")
    if proto.type == AttributeProto.INTS:
        return [int(value) for value in proto.ints]
    if proto.type == AttributeProto.FLOATS:
        return [float(value) for value in proto.floats]
    if proto.type == AttributeProto.TENSOR:
        return proto.t
    known = proto.type in AttributeProto.AttributeType.values()
    return Unreadable(AttributeProto.AttributeType.Name(proto.type).lower() if known else str(proto.type))


def _check_values(source: Source, nodes: list[Node], inputs: list[str], stored: Iterable[str]) -> None:
    """Every value has one producer, and nothing is read before it is computed."""
    defined: set[str] = set(stored)
    for name in inputs:
        if name in defined:
            raise source.error(f"the input '{name}' is listed twice")
        defined.add(name)
    for node in nodes:
        for name in node.inputs:
            if name and name not in defined:
                raise source.error(f"reads '{name}', which nothing before it provides", node)
        for name in node.outputs:
            if name and name in defined:
                raise source.error(f"writes '{name}', which exists already", node)
            defined.add(name)


def _wanted_outputs(
    source: Source, graph: onnx.GraphProto, nodes: list[Node], outputs: Sequence[str] | None
) -> list[str]:
    names = [value.name for value in graph.output] if outputs is None else list(outputs)
    known = {name for node in nodes for name in node.outputs}
    known |= {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
    for index, name in enumerate(names):
        if not name or name not in known:
            raise source.error(f"the output '{name}' is not a value of the graph")
        if name in names[:index]:
            raise source.error(f"the output '{name}' is listed twice")
    if not names:
        raise source.error("no outputs are asked for")
    return names


def _all_values(graph: onnx.GraphProto) -> Iterable[str]:
    yield from (value.name for value in graph.input)
    yield from (tensor.name for tensor in graph.initializer)
    for node in graph.node:
        yield from node.output


def _input_specs(source: Source, inputs: list[onnx.ValueInfoProto]) -> list[InputSpec]:
    dimensions = (dimension for value in inputs for dimension in value.type.tensor_type.shape.dim)
    dimension_names = Names(dimension.dim_param for dimension in dimensions)
    return [_input_spec(source, value, dimension_names) for value in inputs]


def _input_spec(source: Source, value: onnx.ValueInfoProto, dimension_names: Names) -> InputSpec:
    if not value.type.HasField("tensor_type"):
        kind = value.type.WhichOneof("value") or "of no type"
        raise source.error(f"the input '{value.name}' is {kind}; expected a tensor")
    tensor = value.type.tensor_type
    dtype = checked_dtype(tensor.elem_type, f"the input '{value.name}'", source)
    if not tensor.HasField("shape"):
        raise source.error(f"the input '{value.name}' has no shape; expected one of known rank")
    shape: list[int | str] = []
    for dimension in tensor.shape.dim:
        # Sizes of 0 and -1 are how older exporters wrote "any".
        if dimension.HasField("dim_value") and dimension.dim_value > 0:
            shape.append(int(dimension.dim_value))
        else:
            shape.append(dimension.dim_param or dimension_names.numbered("dim"))
    return InputSpec(value.name, dtype, tuple(shape))
