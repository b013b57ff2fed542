"""A small valid file, taken apart: each attack changes one part and puts it together again."""

from __future__ import annotations

import copy
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Attack:
    """A bad file: the fault it must be refused for, the file, and what the message must tell beside the name."""

    fault: str
    make: Callable[[], bytes]
    tells: str

    def __str__(self) -> str:
        return f"{self.fault}: {self.tells}"


Json = dict[str, Any]

GRAPH: Json = {
    "inputs": [{"name": "x", "dtype": "float32", "shape": ["N", 4]}],
    "outputs": ["z"],
    "nodes": [
        {"name": "add", "op": "Add", "inputs": ["x", "w"], "outputs": ["y"]},
        {"name": "act", "op": "LeakyRelu", "inputs": ["y"], "outputs": ["z"], "attributes": {"alpha": 0.5}},
    ],
}

TENSORS: Json = {
    "w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]},
    "i": {"dtype": "I64", "shape": [1, 2], "data_offsets": [16, 32]},
    "b": {"dtype": "BOOL", "shape": [2], "data_offsets": [32, 34]},
}

DATA = np.array([1, 2, 3, 4], "<f4").tobytes() + np.array([5, 6], "<i8").tobytes() + b"\x00\x01"


def metadata(graph: Json | str = GRAPH, **changes: object) -> Json:
    """Return the header's ``__metadata__``; keys of `changes` stand for "pdrt.<key>", None takes one away."""
    text = graph if isinstance(graph, str) else json.dumps(graph)
    entries = {"format": "1.0", "graph": text, "producer": "test", "source_sha256": "", **changes}
    return {f"pdrt.{key}": value for key, value in entries.items() if value is not None}


def frame(header: str | bytes, data: bytes = DATA) -> bytes:
    """Put length and padding around a header's text, and the data behind."""
    text = header.encode() if isinstance(header, str) else header
    text += b" " * (-(8 + len(text)) % 64)
    return struct.pack("<Q", len(text)) + text + data


def file(*, meta: object = None, tensors: Json = TENSORS, data: bytes = DATA) -> bytes:
    """Return a file with these parts, the others being valid."""
    return frame(json.dumps({"__metadata__": metadata() if meta is None else meta, **tensors}), data)


def file_with_graph(graph: Json | str) -> bytes:
    """Return a file with this graph."""
    return file(meta=metadata(graph))


def changed(change: Callable[[Json], object]) -> bytes:
    """Return a file whose graph went through `change`, which alters it in place."""
    graph = copy.deepcopy(GRAPH)
    change(graph)
    return file_with_graph(graph)


def changed_tensor(name: str, **changes: object) -> bytes:
    """Return a file in which one tensor's entry has other values; None takes a key away."""
    entry = {key: value for key, value in {**TENSORS[name], **changes}.items() if value is not None}
    return file(tensors={**TENSORS, name: entry})
