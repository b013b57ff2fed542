"""Operators that also have a training form, and second outputs that inference does not need."""

from __future__ import annotations

from collections.abc import Mapping

from ..lowering import Lowering, Rule

_EVALUATION = "export the model in evaluation mode"


def _batch_normalization(low: Lowering) -> None:
    # Until opset 13 the statistics as outputs are what makes the node a training one.
    if low.take("training_mode", 0) or (low.opset < 14 and len(low.node.outputs) > 1):
        raise low.error(f"normalises with the statistics of the batch (training mode); {_EVALUATION}")
    low.node.outputs = low.node.outputs[:1]
    low.keep()


def _dropout(low: Lowering) -> None:
    mode = low.input(2)
    if mode:
        training = low.stored(mode)
        if training is None or training.size != 1 or bool(training.reshape(())):
            raise low.error(f"is in training mode; {_EVALUATION}")
    _refuse_output(low, 1, "the mask")
    low.take("ratio", 0.0)
    low.take("seed", 0)
    low.finish("Identity", low.node.inputs[:1])


def _max_pool(low: Lowering) -> None:
    _refuse_output(low, 1, "the indices")
    low.node.outputs = low.node.outputs[:1]
    low.keep()


def _refuse_output(low: Lowering, index: int, what: str) -> None:
    if low.is_read(index):
        raise low.error(f"{what}, its output '{low.node.outputs[index]}', is not supported")


INFERENCE: Mapping[str, Rule] = {
    "BatchNormalization": _batch_normalization,
    "Dropout": _dropout,
    "MaxPool": _max_pool,
}
