"""How far a lower precision is from float32 on the same inputs, and how many switches it turns."""

import argparse
from collections.abc import Mapping
from typing import Any

import numpy
from numpy.typing import NDArray

import pdrt
from pdrt.commands._compare import compare
from pdrt.commands._options import open_session


def rounding_error(
    options: argparse.Namespace, model: pdrt.Model, inputs: Mapping[str, NDArray[Any]], plan: pdrt.Explanation
) -> dict[str, Any]:
    """Runs the model in both precisions, and returns what differs.

    Args:
        options: those of `add_session`, with the lower precision.
        model: what is run.
        inputs: what it is fed.
        plan: its plan, which knows the switches.

    Returns:
        The largest difference of any output, the largest of an output's share of its largest magnitude, how many
        switches there are on these inputs, and how many of them are on in one of the precisions alone.
    """
    outputs = [spec.name for spec in model.outputs]
    wanted = list(dict.fromkeys([*outputs, *plan.switches]))
    whole_options = argparse.Namespace(**{**vars(options), "precision": "float32"})
    whole, rounded = (
        open_session(chosen, model, outputs=wanted).run(inputs, check_finite=False)
        for chosen in (whole_options, options)
    )
    rows = [compare(rounded[name], whole[name]) for name in outputs]
    turned = [(whole[name] != 0) != (rounded[name] != 0) for name in plan.switches]
    return {
        "difference": max(row["difference"] for row in rows),
        "of_largest": max(row["error"] for row in rows),
        "switches": sum(switch.size for switch in turned),
        "switches_turned": sum(int(numpy.count_nonzero(switch)) for switch in turned),
    }


def rows_of_error(error: Mapping[str, Any]) -> list[list[str]]:
    """Returns the rows of a table that say it."""
    largest = f"{error['difference']:.2e} at most, {error['of_largest']:.2e} of the largest output"
    rows = [["error", f"{largest}, beside float32"]]
    if error["switches"]:
        turned = f"{error['switches_turned']} of {error['switches']}"
        rows.append(["switches", f"{turned} decided otherwise than in float32"])
    return rows
