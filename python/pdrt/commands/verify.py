"""Runs a model in pdrt and in ONNX Runtime, or in pdrt's plain implementation, and compares every output.

The exit code is 1 where an output differs by more than the tolerance.
"""

import argparse
import sys
from typing import Any

import pdrt
from pdrt.commands._compare import compare
from pdrt.commands._onnxruntime import Run, open_onnx
from pdrt.commands._options import (
    add_model,
    add_random_inputs,
    add_session,
    chosen_inputs,
    open_session,
    print_json,
)
from pdrt.text import Style, align

HELP = "compare the answers with ONNX Runtime's"
EXAMPLES = """\
examples:
  pdrt verify net.onnx
  pdrt verify net.pdrt --onnx net.onnx --runs 10
  pdrt verify net.onnx --input x.npy --tolerance 1e-5
  pdrt verify net.pdrt --reference                  against pdrt's own plain implementation: slow, and needs nothing

The error of an output is the largest difference of any element, divided by the largest magnitude in the output it is
compared with. Random inputs can fall beside a switch's threshold, where rounding decides whether a kernel is on.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    add_model(parser)
    parser.add_argument("--onnx", metavar="FILE", help="the ONNX file of the same model, where MODEL is a .pdrt file")
    parser.add_argument("--reference", action="store_true", help="compare with pdrt's own plain implementation")
    add_session(parser)
    add_random_inputs(parser)
    parser.add_argument("--runs", type=int, default=3, help="how many different inputs to try (default: %(default)s)")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="error to accept (default: %(default)s)")


def execute(options: argparse.Namespace) -> int:
    """Prints a line per output, over all runs."""
    if options.runs < 1:
        raise pdrt.InputError(f"--runs is 1 or more, not {options.runs}")
    session = open_session(options, options.model)
    reference, names, version = _open_other(options)
    rows: dict[str, dict[str, Any]] = {}
    for run in range(1 if options.input else options.runs):
        inputs = chosen_inputs(options, session.inputs, options.seed + run)
        outputs = session.run(inputs)
        for name, expected in zip(names, reference(inputs), strict=True):
            if name not in outputs:
                raise pdrt.ModelError(f"{options.model}: has no output '{name}', which {version} gives")
            _keep_worst(rows, name, compare(outputs[name], expected))
    for row in rows.values():
        row["ok"] = row["error"] <= options.tolerance
    ok = all(row["ok"] for row in rows.values())
    if options.json:
        print_json(
            {
                "model": options.model,
                "against": version,
                "tolerance": options.tolerance,
                "ok": ok,
                "outputs": [{"name": name, **row} for name, row in rows.items()],
            }
        )
        return 0 if ok else 1
    style = Style(sys.stdout)
    table = [["output", "shape", "largest difference", "error", ""]]
    for name, row in rows.items():
        verdict = "agrees" if row["ok"] else "DIFFERS"
        table.append([name, row["shape"], f"{row['difference']:.2e}", f"{row['error']:.2e}", verdict])
    header, *lines = align(table, right=(2, 3))
    print(header)
    for line, row in zip(lines, rows.values(), strict=True):
        print(style.good(line) if row["ok"] else style.bad(line))
    print(f"{'agrees with' if ok else 'differs from'} {version}; tolerance {options.tolerance:g}")
    return 0 if ok else 1


def _open_other(options: argparse.Namespace) -> tuple[Run, list[str], str]:
    """Returns what to compare with: how to run it, its outputs' names, and what it is called."""
    if options.reference:
        session = pdrt.Session(options.model, "reference")
        return lambda x: list(session.run(x).values()), [spec.name for spec in session.outputs], "the reference"
    onnx = options.onnx or options.model
    if not onnx.lower().endswith(".onnx"):
        raise pdrt.InputError(f"{onnx}: ONNX Runtime needs the ONNX file: name it with --onnx, or use --reference")
    return open_onnx(onnx, options.threads or 0)


def _keep_worst(rows: dict[str, dict[str, Any]], name: str, row: dict[str, Any]) -> None:
    if name not in rows or row["error"] > rows[name]["error"]:
        rows[name] = row
