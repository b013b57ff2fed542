"""Applies the rules: replaces each node by native ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import onnx

from .draft import Attribute, Draft, Node
from .tensors import Array

T = TypeVar("T", int, float, str, list[int], list[float])


class Lowering:
    """One node on its way through a rule: what the rule may ask, and what it writes.

    A rule takes what it understands out of ``node`` (``take``) and then calls ``keep`` or ``emit``.
    """

    def __init__(self, draft: Draft, node: Node, read: set[str]) -> None:
        self.node = node
        self.opset = draft.opset
        self.types = draft.types
        self.result: list[Node] = []
        self._draft = draft
        self._read = read

    def error(self, message: str) -> Exception:
        """The pdrt.ModelError to raise, naming file, node and operator."""
        return self._draft.source.error(message, self.node)

    def take(self, name: str, fallback: T) -> T:
        """Remove the attribute ``name`` and give its value, ``fallback`` where the node has none."""
        value = self.node.attributes.pop(name, fallback)
        if type(value) is not type(fallback):
            raise self.error(f"the attribute '{name}' is {_kind(value)}, expected {_kind(fallback)}")
        return value

    def has(self, name: str) -> bool:
        """Whether the node has the attribute."""
        return name in self.node.attributes

    def input(self, index: int) -> str:
        """The name of an input, "" where it is absent."""
        return self.node.inputs[index] if index < len(self.node.inputs) else ""

    def is_read(self, index: int) -> bool:
        """Whether anything reads the node's output of that index."""
        return index < len(self.node.outputs) and self.node.outputs[index] in self._read

    def stored(self, name: str) -> Array | None:
        """The value of a stored tensor; None for a value that is computed."""
        return self._draft.constants.get(name)

    def constant(self, hint: str, value: Array) -> str:
        """Store a tensor; returns its name, which is made from the node's and ``hint``."""
        name = self._draft.value_names.unique(f"{self.node.name}/{hint}")
        self._draft.constants[name] = value
        return name

    def integers(self, hint: str, values: Sequence[int]) -> str:
        """Store a list of int64, the form of every axis, size and offset."""
        return self.constant(hint, np.array(values, dtype=np.int64))

    def scalar(self, hint: str, value: float) -> str:
        """Store a number of the type of the node's first input."""
        dtype = self.types.dtype(self.node.inputs[0]) or np.dtype(np.float32)
        return self.constant(hint, np.array(value, dtype=dtype))

    def keep(self) -> None:
        """Write the node as it now stands."""
        self.result.append(self.node)

    def emit(self, op: str, inputs: Sequence[str], **attributes: Attribute) -> str:
        """Write a node in between; returns the name of its output."""
        name = self._draft.node_names.unique(f"{self.node.name}/{op}")
        output = self._draft.value_names.unique(name)
        self.result.append(Node(name, op, list(inputs), [output], attributes))
        return output

    def finish(self, op: str, inputs: Sequence[str], **attributes: Attribute) -> None:
        """Write the node that takes this one's place: it has its name and computes its first output."""
        self.result.append(Node(self.node.name, op, list(inputs), self.node.outputs[:1], attributes))


Rule = Callable[[Lowering], None]


def lower(draft: Draft, rules: Mapping[str, Rule]) -> None:
    """Replace every node that has a rule. Raises pdrt.ModelError where a rule refuses."""
    read = {name for node in draft.nodes for name in node.inputs} | set(draft.outputs)
    nodes = []
    for node in draft.nodes:
        rule = rules.get(node.op)
        if rule is None:
            nodes.append(node)
            continue
        _check_arity(draft, node)
        lowering = Lowering(draft, node, read)
        rule(lowering)
        _refuse_leftovers(lowering)
        nodes += lowering.result
    draft.nodes = nodes


def _check_arity(draft: Draft, node: Node) -> None:
    """A rule may rely on the inputs and outputs that the operator has in the model's opset."""
    try:
        schema = onnx.defs.get_schema(node.op, draft.opset, "")
    except onnx.defs.SchemaError as error:
        raise draft.source.error(f"is not an operator of opset {draft.opset}", node) from error
    draft.check_count(node, "inputs", schema.min_input, schema.max_input)
    draft.check_count(node, "outputs", schema.min_output, schema.max_output)


def _refuse_leftovers(lowering: Lowering) -> None:
    """A rule that replaced the node must have understood all of its attributes."""
    if lowering.node not in lowering.result and lowering.node.attributes:
        name = next(iter(lowering.node.attributes))
        raise lowering.error(f"the attribute '{name}' is not one of opset {lowering.opset}")


def _kind(value: object) -> str:
    kinds = {int: "an integer", float: "a number", str: "text", list: "a list"}
    return kinds.get(type(value), "of another kind")
