"""Shows a model and its plan.

That is: inputs and outputs; what runs each step, and why not something else; multiply-adds (MACs); and the switches,
which are the multipliers that can turn kernels off.
"""

import argparse
import sys

import pdrt
from pdrt.commands._options import add_model, add_session, add_shapes, chosen_shapes, open_session, print_json
from pdrt.session import format_spec
from pdrt.text import Style

HELP = "what runs, on what, and what can be skipped"
EXAMPLES = """\
examples:
  pdrt inspect net.pdrt
  pdrt inspect net.onnx --shape 8x3x224x224       the plan for a batch of eight
  pdrt inspect net.pdrt --json | jq '.plan.steps[] | select(.switches != [])'
"""

_OWN = "pdrt."  # what the format itself keeps in the metadata


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    add_model(parser)
    add_session(parser)
    add_shapes(parser)


def execute(options: argparse.Namespace) -> int:
    """Prints the model, then its plan."""
    session = open_session(options, options.model)
    plan = session.explain(chosen_shapes(options, session.inputs))
    metadata = {key: value for key, value in session.model.metadata.items() if key != "pdrt.graph"}
    if options.json:
        print_json(
            {
                "model": options.model,
                "inputs": [_spec_dict(spec) for spec in session.inputs],
                "outputs": [_spec_dict(spec) for spec in session.outputs],
                "metadata": metadata,
                "switches": list(plan.switches),
                "plan": plan.to_dict(),
            }
        )
        return 0
    style = Style(sys.stdout)
    print(style.bold(options.model))
    for title, specs in (("in ", session.inputs), ("out", session.outputs)):
        for spec in specs:
            print(f"  {title} {format_spec(spec)}")
    for key, value in metadata.items():
        if value:
            print(style.dim(f"  {key.removeprefix(_OWN)}: {value}"))
    print()
    print(plan)
    switched = sum(1 for step in plan.steps if step.switches)
    if switched:
        print(style.accent(f"{len(plan.switches)} switches can turn off kernels of {switched} steps"))
    else:
        print("no switches: every kernel runs for every input")
    return 0


def _spec_dict(spec: pdrt.Spec) -> dict[str, object]:
    return {"name": spec.name, "dtype": str(spec.dtype), "shape": list(spec.shape)}
