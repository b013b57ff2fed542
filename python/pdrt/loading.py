"""From a file, bytes or an ONNX model to a `Model`."""

import os
from collections.abc import Sequence
from typing import TypeAlias

from pdrt._core import InputError, Model, ModelError

Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | Model
"""What a model may be given as: a path ending in .pdrt or .onnx, the bytes of either, or a loaded model."""


def load(source: Source) -> Model:
    """Loads a model.

    A .pdrt file is mapped and its weights are not copied. A path that ends in .onnx, or bytes that begin as an ONNX
    file does, are converted in memory and go through the same loader; this needs the `onnx` package.

    Raises:
        ModelError: the file, its graph or its weights cannot be accepted, or `onnx` is needed and not installed.
        InputError: `source` is none of the things a model can be given as.
    """
    return load_for(source, None)


def load_for(source: Source, outputs: Sequence[str] | None) -> Model:
    """As `load`, for a session that returns these values: what an ONNX model needs only for them is kept."""
    if isinstance(source, Model):
        return source
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
        return Model.from_bytes(_from_onnx(data, outputs) if _begins_like_onnx(data) else data)
    try:
        path = os.fspath(source)
    except TypeError:
        path = None
    if not isinstance(path, str):
        raise InputError(f"a model is given as a path, as bytes or as a pdrt.Model, not as {type(source).__name__}")
    if not path.lower().endswith(".onnx"):
        return Model.load(path)
    if not os.path.isfile(path):
        raise ModelError(f"{path}: {'not a file' if os.path.exists(path) else 'no such file'}")
    return Model.from_bytes(_from_onnx(path, outputs), name=path)


def convert(source: Source, destination: str | os.PathLike[str]) -> None:
    """Writes `source` (usually an .onnx path) as the .pdrt file `destination`.

    The file appears whole or not at all: it is written beside its place and renamed.

    Raises:
        ModelError: the model cannot be accepted, or the file cannot be written.
    """
    load(source).save(destination)


def _begins_like_onnx(data: bytes) -> bool:
    # An ONNX file is a protobuf whose writers put ir_version first (field 1, a varint: the byte 0x08). A .pdrt file
    # begins with a 64-bit length and then the '{' of its JSON header.
    return data[:1] == b"\x08" and data[8:9] != b"{"


def _from_onnx(source: str | bytes, outputs: Sequence[str] | None) -> bytes:
    try:
        from pdrt import onnx_import

        return onnx_import.convert(source, outputs=outputs)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != "onnx":
            raise
        raise ModelError("reading an ONNX model needs the onnx package: pip install 'pdrt[onnx]'") from None
