"""Stored tensors: from protobuf, or from a file beside the model, to numpy arrays."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from .source import Named, Source

Array = NDArray[Any]

# The element types of the native file. The rest of ONNX's is refused by name.
DTYPES: dict[int, np.dtype[Any]] = {
    TensorProto.FLOAT: np.dtype(np.float32),
    TensorProto.DOUBLE: np.dtype(np.float64),
    TensorProto.INT32: np.dtype(np.int32),
    TensorProto.INT64: np.dtype(np.int64),
    TensorProto.UINT8: np.dtype(np.uint8),
    TensorProto.BOOL: np.dtype(np.bool_),
}
_HALVES = (TensorProto.FLOAT16, TensorProto.BFLOAT16)


def checked_dtype(element_type: int, what: str, source: Source, node: Named | None = None) -> np.dtype[Any]:
    """The numpy type of an ONNX element type. Raises pdrt.ModelError saying that ``what`` has another one."""
    if element_type in DTYPES:
        return DTYPES[element_type]
    known = element_type in TensorProto.DataType.values()
    name = TensorProto.DataType.Name(element_type).lower() if known else f"of the unknown type {element_type}"
    expected = ", ".join(str(dtype) for dtype in DTYPES.values())
    advice = "export the model in float32" if element_type in _HALVES else f"expected one of {expected}"
    raise source.error(f"{what} is {name}, which pdrt does not compute with; {advice}", node)


def to_array(
    tensor: onnx.TensorProto, what: str, source: Source, folder: Path | None, node: Named | None = None
) -> Array:
    """The tensor's values in a contiguous array of its own shape.

    what: how messages call it.
    folder: the model's folder, the only place external data is read from; None refuses external data.
    """
    dtype = checked_dtype(tensor.data_type, what, source, node)
    shape = tuple(tensor.dims)
    if any(size < 0 for size in shape):
        raise source.error(f"{what} has the negative size {min(shape)} in its shape", node)
    if tensor.data_location == TensorProto.EXTERNAL:
        values = _external(tensor, math.prod(shape) * dtype.itemsize, what, source, folder, node).view(dtype)
    else:
        try:
            values = numpy_helper.to_array(tensor)
        except (ValueError, TypeError) as error:
            raise source.error(f"{what} holds no values of shape {list(shape)}: {error}", node) from error
    if values.size != math.prod(shape):
        raise source.error(f"{what} holds {values.size} values, expected those of shape {list(shape)}", node)
    return np.ascontiguousarray(values, dtype=dtype).reshape(shape)


def _external(
    tensor: onnx.TensorProto,
    expected: int,
    what: str,
    source: Source,
    folder: Path | None,
    node: Named | None,
) -> Array:
    """The ``expected`` raw bytes of a tensor stored in a file in the model's folder and nowhere else."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    if folder is None:
        raise source.error(f"{what} is stored in the file '{location}': give the model by its path", node)
    home = folder.resolve()
    # resolve() follows symbolic links, so that a link out of the folder is refused as well as "../".
    path = (home / location).resolve()
    if not location or not path.is_relative_to(home):
        raise source.error(f"{what} is stored in '{location}', outside of the model's folder", node)
    if not path.is_file():
        raise source.error(f"{what} is stored in '{location}', which is not a file beside the model", node)
    try:
        offset = int(entries.get("offset", 0))
        length = int(entries.get("length", expected))
    except ValueError as error:
        raise source.error(f"{what} has an offset or length that is not a number", node) from error
    if length != expected:
        raise source.error(f"{what} needs {expected} bytes, its file entry has {length}", node)
    if offset < 0 or offset + length > path.stat().st_size:
        raise source.error(f"{what} reaches past the end of '{location}'", node)
    with path.open("rb") as file:
        file.seek(offset)
        return np.frombuffer(file.read(length), dtype=np.uint8)
