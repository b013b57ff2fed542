"""Parameters that newer opsets take as inputs and older ones as attributes."""

from __future__ import annotations

from collections.abc import Mapping

from ..lowering import Lowering, Rule

# The first opset in which the operator takes its axes as an input.
_REDUCTIONS = {
    "ReduceSum": 13,
    "ReduceL1": 18,
    "ReduceL2": 18,
    "ReduceMax": 18,
    "ReduceMean": 18,
    "ReduceMin": 18,
    "ReduceProd": 18,
}


def _clip(low: Lowering) -> None:
    if low.opset < 11:
        lowest = low.scalar("min", low.take("min", 0.0)) if low.has("min") else ""
        highest = low.scalar("max", low.take("max", 0.0)) if low.has("max") else ""
        low.node.inputs = [low.input(0), lowest, highest]
    low.keep()


def axes_to_input(low: Lowering, since: int) -> None:
    """Give the node its axes as second input, the form of opset ``since``, where they are an attribute."""
    if low.opset < since and low.has("axes"):
        axes = low.take("axes", list[int]())
        # Without axes, and with none listed, the older forms take all.
        low.node.inputs = [low.input(0), low.integers("axes", axes)] if axes else [low.input(0)]


def _reduction(low: Lowering) -> None:
    axes_to_input(low, _REDUCTIONS[low.node.op])
    low.keep()


def _squeeze(low: Lowering) -> None:
    axes_to_input(low, 13)
    low.keep()


def _slice(low: Lowering) -> None:
    if low.opset < 10:
        starts, ends = low.take("starts", list[int]()), low.take("ends", list[int]())
        axes = low.take("axes", list(range(len(starts))))
        inputs = [low.integers("starts", starts), low.integers("ends", ends), low.integers("axes", axes)]
        low.node.inputs = [low.input(0), *inputs]
    low.keep()


def _pad(low: Lowering) -> None:
    if low.opset < 11:
        pads = low.integers("pads", low.take("pads", list[int]()))
        low.node.inputs = [low.input(0), pads, low.scalar("value", low.take("value", 0.0))]
    low.keep()


def _split(low: Lowering) -> None:
    if low.opset < 13 and low.has("split"):
        low.node.inputs = [low.input(0), low.integers("split", low.take("split", list[int]()))]
    if not low.input(1) and not low.has("num_outputs"):
        low.node.attributes["num_outputs"] = len(low.node.outputs)
    low.keep()


def _top_k(low: Lowering) -> None:
    if low.opset < 10:
        low.node.inputs = [low.input(0), low.integers("k", [low.take("k", 0)])]
    low.keep()


MOVES: Mapping[str, Rule] = {
    "Clip": _clip,
    "Squeeze": _squeeze,
    "Unsqueeze": _squeeze,
    "Slice": _slice,
    "Pad": _pad,
    "Split": _split,
    "TopK": _top_k,
    **dict.fromkeys(_REDUCTIONS, _reduction),
}
