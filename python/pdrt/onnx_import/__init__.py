"""ONNX import: rewrites an ONNX model, opset 9 to current, as a native ``.pdrt`` image in memory.

The native file knows one form of every operator, that of ONNX's newest opset. This package brings every older
or sugared form to it, one idea per module, in the order a model passes through them:

============ =================================================================================
reader       file or bytes -> protobuf: domains, opset, external data, functions inlined
draft        protobuf -> the graph that is rewritten: live nodes under unique names, checked
support      which operators can be imported; lists all that cannot
constants    initializers and Constant nodes -> numpy arrays, safely (tensors.py)
rules        the table of rewrites, one function per operator that needs one
simplify     forwards Identity, drops what nothing reads any more
weight_order weights of wide fully connected layers in the order in which they are read
writer       checks the result against pdrt's own operator table and writes the image
============ =================================================================================

Needs the extra ``pdrt[onnx]``. Everything refused raises :class:`pdrt.ModelError` naming file, node and
operator.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from .constants import store_constants
from .draft import build
from .lowering import lower
from .reader import read
from .rules import RULES
from .simplify import simplify
from .support import refuse_unsupported
from .weight_order import order_weights
from .writer import write

__all__ = ["convert"]


def convert(source: str | os.PathLike[str] | bytes, *, outputs: Sequence[str] | None = None) -> bytes:
    """Convert an ONNX model to a ``.pdrt`` image.

    source: path of an ``.onnx`` file, or its bytes. Tensors stored outside the file are read only from
        regular files inside the model's own folder; from bytes they are refused.
    outputs: names of the values to compute, any values of the ONNX graph; None keeps the model's own outputs.

    Returns the bytes of a ``.pdrt`` file: nodes that nothing reads are gone, free dimensions keep their ONNX
    names, unnamed ones are called ``dim0``, ``dim1``, …

    Raises pdrt.ModelError, naming the file and where there is one the node and its operator. Unsupported
    operators are all listed in one error.
    """
    loaded = read(source)
    draft = build(loaded, outputs)
    refuse_unsupported(draft)
    store_constants(draft, loaded)
    lower(draft, RULES)
    simplify(draft)
    order_weights(draft)
    return write(draft)
