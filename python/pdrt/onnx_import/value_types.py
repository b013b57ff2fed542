"""Element types and shapes of values, as far as ONNX's own shape inference finds them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import onnx

from .tensors import DTYPES

Shape = tuple[int | str | None, ...]


class Types:
    """Looks up what a value is. Inference runs on the first question, as most models need none answered.

    Rules may only use an answer to choose a simpler form, or must refuse by name where there is none:
    inference is allowed to know nothing.
    """

    def __init__(self, proto: onnx.ModelProto) -> None:
        self._proto = proto

    def dtype(self, name: str) -> np.dtype[Any] | None:
        """The numpy type of a value; None where unknown or not one of the native file's."""
        found = self._tensors.get(name)
        return None if found is None else DTYPES.get(found.elem_type)

    def shape(self, name: str) -> Shape | None:
        """Its sizes, names of free dimensions and None for unknown ones; None where the rank is unknown."""
        found = self._tensors.get(name)
        if found is None or not found.HasField("shape"):
            return None
        return tuple(_dimension(dimension) for dimension in found.shape.dim)

    @cached_property
    def _tensors(self) -> dict[str, onnx.TypeProto.Tensor]:
        try:
            graph = onnx.shape_inference.infer_shapes(self._proto, data_prop=True).graph
        except Exception:  # 2 GB and more, models that do not infer: the class promises no answer
            graph = self._proto.graph
        values = (*graph.value_info, *graph.input, *graph.output)
        found = {value.name: value.type.tensor_type for value in values}
        for tensor in graph.initializer:
            found[tensor.name] = onnx.helper.make_tensor_type_proto(tensor.data_type, tensor.dims).tensor_type
        return found


def _dimension(dimension: onnx.TensorShapeProto.Dimension) -> int | str | None:
    if dimension.HasField("dim_value") and dimension.dim_value > 0:
        return int(dimension.dim_value)
    return dimension.dim_param or None
