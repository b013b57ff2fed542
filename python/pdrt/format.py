"""The ``.pdrt`` file: written, and its header read, with numpy alone.

A ``.pdrt`` file is a safetensors file whose ``__metadata__`` holds a graph; docs/format.md is its
specification. This module writes one and reads headers for tools. Whether a file is *valid* is for the runtime
to say: it checks everything.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT_VERSION = "1.0"

_ALIGNMENT = 64  # of the data section, in bytes from the start of the file
_MAX_HEADER_BYTES = 100_000_000
_DTYPES = {"float32": "F32", "float64": "F64", "int32": "I32", "int64": "I64", "uint8": "U8", "bool": "BOOL"}


@dataclass(frozen=True)
class TensorInfo:
    """One stored tensor, as the header lists it."""

    name: str
    dtype: str
    """safetensors' name: F32, F64, I32, I64, U8 or BOOL."""
    shape: tuple[int, ...]
    offsets: tuple[int, int]
    """First byte and the byte past the last, counted from the start of the data section."""

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        return self.offsets[1] - self.offsets[0]


@dataclass(frozen=True)
class Header:
    """What stands before the data of a ``.pdrt`` file."""

    version: str
    """``pdrt.format``, for example "1.0"."""
    producer: str
    source_sha256: str
    """Hexadecimal hash of the file this one was made from; "" where there is none."""
    graph: dict[str, Any]
    """``pdrt.graph``, with the keys "inputs", "outputs" and "nodes"."""
    tensors: dict[str, TensorInfo]
    """By name, in the order of the data."""
    metadata: dict[str, str]
    """The keys of ``__metadata__`` that are not the format's own."""
    data_start: int
    """Where the data section starts, in bytes from the start of the file."""


def write(
    path: str | os.PathLike[str] | None,
    graph: Mapping[str, Any],
    tensors: Mapping[str, NDArray[Any]],
    *,
    producer: str,
    source_sha256: str = "",
) -> bytes:
    """Make a ``.pdrt`` file of a graph and its constants.

    The same graph and tensors give the same bytes, whatever the order of the dictionaries. The file at ``path``
    is replaced at once: a reader sees the old one or the new one, never half of it.

    Args:
        path: Where to write; None only returns the bytes.
        graph: ``{"inputs": [...], "outputs": [...], "nodes": [...]}`` as docs/format.md describes it, of plain
            Python numbers, strings, lists and dictionaries.
        tensors: The constants, by value name; float32, float64, int32, int64, uint8 or bool, of any memory
            layout.
        producer: What made the file, for example "pdrt 0.1.0 from ONNX".
        source_sha256: Hexadecimal SHA-256 of the file the model was made from, or "".

    Returns:
        The file's bytes.

    Raises:
        TypeError: A tensor has another dtype, or the graph holds something JSON has no word for, such as a
            numpy number.
        ValueError: A tensor has the reserved name ``__metadata__``, or the graph holds NaN or an infinity.
        OSError: The file cannot be written.
    """
    arrays = {name: _stored(name, array) for name, array in tensors.items()}
    order = sorted(arrays, key=lambda name: (-_alignment(arrays[name].nbytes), name))
    header: dict[str, Any] = {
        "__metadata__": {
            "pdrt.format": FORMAT_VERSION,
            "pdrt.graph": _compact(graph),
            "pdrt.producer": producer,
            "pdrt.source_sha256": source_sha256,
        }
    }
    end = 0
    for name in order:
        array = arrays[name]
        begin, end = end, end + array.nbytes
        dtype = _DTYPES[array.dtype.name]
        header[name] = {"dtype": dtype, "shape": array.shape, "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-(8 + len(text)) % _ALIGNMENT)
    data = b"".join([len(text).to_bytes(8, "little"), text, *(arrays[name].tobytes() for name in order)])
    if path is not None:
        _replace(Path(path), data)
    return data


def read_header(path: str | os.PathLike[str]) -> Header:
    """Read what stands before the data of a ``.pdrt`` file; the data is not touched.

    For tools that list or compare files. It trusts the file more than the runtime does: load a file with
    `pdrt.Session` to have it checked.

    Raises:
        ValueError: This is not a ``.pdrt`` file.
        OSError: The file cannot be read.
    """
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        text = file.read(length) if length <= _MAX_HEADER_BYTES else b""
    if len(text) != length or not text.startswith(b"{"):
        raise ValueError(f"{os.fspath(path)}: this is not a .pdrt file")
    try:
        entries = json.loads(text)
        metadata: dict[str, str] = entries.pop("__metadata__")
        infos = [
            TensorInfo(name, entry["dtype"], tuple(entry["shape"]), tuple(entry["data_offsets"]))
            for name, entry in entries.items()
        ]
        return Header(
            version=metadata.pop("pdrt.format"),
            producer=metadata.pop("pdrt.producer"),
            source_sha256=metadata.pop("pdrt.source_sha256"),
            graph=json.loads(metadata.pop("pdrt.graph")),
            tensors={info.name: info for info in sorted(infos, key=lambda info: info.offsets)},
            metadata=metadata,
            data_start=8 + length,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{os.fspath(path)}: the header cannot be read: {error!r}") from error


def _stored(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Return the array as the file stores it: contiguous and little-endian."""
    if name == "__metadata__":
        raise ValueError("a tensor cannot have the name '__metadata__': safetensors reserves it")
    array = np.asarray(array)
    if array.dtype.name not in _DTYPES:
        raise TypeError(f"tensor '{name}' is {array.dtype.name}; a .pdrt file stores {', '.join(_DTYPES)}")
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _alignment(nbytes: int) -> int:
    """Return the largest power of two, up to 64, that divides a size.

    Tensors are laid out by falling alignment of their sizes. So each starts at a multiple of its own: every size
    before it is one. Large weights, whose sizes are multiples of 64, start on cache lines, and no tensor needs
    padding.
    """
    return min(nbytes & -nbytes, _ALIGNMENT) if nbytes else _ALIGNMENT


def _compact(graph: Mapping[str, Any]) -> str:
    return json.dumps(graph, separators=(",", ":"), sort_keys=True, allow_nan=False)


def _replace(path: Path, data: bytes) -> None:
    """Write a temporary beside the file, force it to the disk, and rename it."""
    temporary = path.with_name(f"{path.name}.tmp-{os.getpid()}-{os.urandom(4).hex()}")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
