"""Which operators can be imported, and the one error that lists all that cannot."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from .draft import Draft
from .rules import RULES

# What is worth saying about an operator people meet often, beside that it is not supported.
_RANDOM = "a random gate of training: export the model in evaluation mode, so that no noise is drawn"
_CONTROL = "control flow is not supported: export the model with the branch or loop resolved"
_SCALING = "resampling is not supported"
_REASONS = {
    "Bernoulli": _RANDOM,
    "Multinomial": _RANDOM,
    "RandomNormal": _RANDOM,
    "RandomNormalLike": _RANDOM,
    "RandomUniform": _RANDOM,
    "RandomUniformLike": _RANDOM,
    "If": _CONTROL,
    "Loop": _CONTROL,
    "Scan": _CONTROL,
    "SequenceMap": _CONTROL,
    "Resize": _SCALING,
    "Upsample": _SCALING,
}
_LISTED = 10  # node names per operator in the error; the rest is counted


@cache
def native_operators() -> Mapping[str, Mapping[str, Any]]:
    """Pdrt's operator table: by name, the least and most inputs and the attributes of each operator."""
    from pdrt._core import operators

    return {row["name"]: row for row in operators()}


def refuse_unsupported(draft: Draft) -> None:
    """Raise one pdrt.ModelError that lists every operator which is neither native nor has a rule."""
    importable = native_operators().keys() | RULES.keys() | {"Constant"}
    found: dict[tuple[str, str], list[str]] = {}
    for node in draft.nodes:
        if node.domain or node.op not in importable:
            found.setdefault((node.domain, node.op), []).append(node.name)
    if not found:
        return
    lines = [_line(domain, op, names) for (domain, op), names in sorted(found.items())]
    what = "operator is" if len(lines) == 1 else f"{len(lines)} operators are"
    raise draft.source.error(f"{what} not supported: " + "; ".join(lines))


def _line(domain: str, op: str, names: list[str]) -> str:
    listed = ", ".join(f"'{name}'" for name in names[:_LISTED])
    rest = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    nodes = "node" if len(names) == 1 else f"{len(names)} nodes"
    reason = _REASONS.get(op, "") if not domain else ""
    return f"{domain or 'ai.onnx'}.{op} ({nodes} {listed}{rest}{': ' + reason if reason else ''})"
