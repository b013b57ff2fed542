"""Reads an ONNX file: parses it, checks its domains and opset, inlines its functions."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx

from .source import Source

OLDEST_OPSET = 9
NEWEST_OPSET = 28  # the newest whose changes the rules take into account
DEFAULT_DOMAINS = ("", "ai.onnx")


@dataclass(frozen=True)
class LoadedModel:
    """An ONNX model as read, functions inlined."""

    source: Source
    sha256: str  # of the file's bytes
    proto: onnx.ModelProto
    opset: int  # of the default domain
    folder: Path | None  # where external data may lie; None for a model given as bytes


def read(source: str | os.PathLike[str] | bytes) -> LoadedModel:
    """Read a model from a path or from bytes. Raises pdrt.ModelError naming the file."""
    if isinstance(source, bytes):
        where, folder, data = Source("<bytes>"), None, source
    else:
        path = Path(source)
        where, folder = Source(str(path)), path.parent
        try:
            data = path.read_bytes()
        except OSError as error:
            raise where.error(f"cannot be read: {error.strerror}") from error
    proto = _parse(data, where)
    opset = _default_opset(proto, where)
    if proto.functions:
        proto = _inline_functions(proto, where)
    return LoadedModel(where, hashlib.sha256(data).hexdigest(), proto, opset, folder)


def _parse(data: bytes, source: Source) -> onnx.ModelProto:
    try:
        proto: onnx.ModelProto = onnx.ModelProto.FromString(data)
    except Exception as error:  # protobuf's DecodeError, wherever this version of it keeps that
        raise source.error("is not an ONNX model: it cannot be parsed as one") from error
    # Many byte strings, the empty one among them, parse as a model in which every field is missing.
    if not proto.HasField("graph") or not proto.graph.output:
        raise source.error("is not an ONNX model: it has no graph with outputs")
    # protobuf hands names that are not UTF-8 over as bytes.
    if any(isinstance(name, bytes) for name in _names(proto)):
        raise source.error("holds a name that is not UTF-8 text")
    return proto


def _names(proto: onnx.ModelProto) -> Iterator[object]:
    """Every text of the model that the import looks at."""
    graph = proto.graph
    yield from (proto.producer_name, proto.producer_version)
    yield from (entry.domain for entry in proto.opset_import)
    yield from (tensor.name for tensor in graph.initializer)
    for value in (*graph.input, *graph.output):
        yield value.name
        yield from (dimension.dim_param for dimension in value.type.tensor_type.shape.dim)
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (attribute.name for attribute in node.attribute)


def _default_opset(proto: onnx.ModelProto, source: Source) -> int:
    versions = {entry.version for entry in proto.opset_import if entry.domain in DEFAULT_DOMAINS}
    if len(versions) != 1:
        found = ", ".join(str(version) for version in sorted(versions)) or "none"
        raise source.error(f"expected one opset version of the default ONNX domain, found {found}")
    opset = int(versions.pop())
    if not OLDEST_OPSET <= opset <= NEWEST_OPSET:
        raise source.error(
            f"opset {opset} is not supported: expected {OLDEST_OPSET} to {NEWEST_OPSET}; export the model "
            "again with such an opset_version, or convert it with onnx.version_converter"
        )
    return opset


def _inline_functions(proto: onnx.ModelProto, source: Source) -> onnx.ModelProto:
    try:
        from onnx import inliner

        return inliner.inline_local_functions(proto)
    except Exception as error:  # the inliner raises whatever its C++ does
        names = ", ".join(f"'{function.domain}.{function.name}'" for function in proto.functions)
        raise source.error(f"its functions {names} cannot be inlined: {error}") from error
