"""The rewrites: for each operator whose native form differs from some ONNX opset's, the rule that makes it.

An operator without a rule is native and had one form ever since opset 9.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..lowering import Rule
from .compositions import COMPOSITIONS
from .inference import INFERENCE
from .moves import MOVES
from .softmax import SOFTMAX

RULES: Mapping[str, Rule] = {**MOVES, **SOFTMAX, **INFERENCE, **COMPOSITIONS}
