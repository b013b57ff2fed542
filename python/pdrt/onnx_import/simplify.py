"""Forwards Identity and drops what nothing reads any more."""

from __future__ import annotations

from .draft import Draft, live


def simplify(draft: Draft) -> None:
    """Shorten the draft without changing a value."""
    _forward_identities(draft)
    draft.nodes = live(draft.nodes, draft.outputs)
    read = {name for node in draft.nodes for name in node.inputs} | set(draft.outputs)
    draft.constants = {name: value for name, value in draft.constants.items() if name in read}


def _forward_identities(draft: Draft) -> None:
    """Let every reader of an Identity read its input; one that writes an output of the graph stays."""
    source_of: dict[str, str] = {}
    for node in draft.nodes:
        node.inputs = [source_of.get(name, name) for name in node.inputs]
        if node.op == "Identity" and node.outputs[0] not in draft.outputs:
            source_of[node.outputs[0]] = node.inputs[0]
