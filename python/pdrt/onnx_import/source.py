"""Where a model came from, for error messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Named(Protocol):
    """What an error needs to know of a node."""

    name: str
    op: str


@dataclass(frozen=True)
class Source:
    """The file a model was read from; ``<bytes>`` for one given as bytes."""

    name: str

    def error(self, message: str, node: Named | None = None) -> Exception:
        """The pdrt.ModelError to raise: ``message`` behind the file and, where given, node and operator."""
        from pdrt._core import ModelError

        where = f"{self.name}: " if node is None else f"{self.name}: node '{node.name}' ({node.op}): "
        error: Exception = ModelError(where + message)
        return error
