"""Measures a model: loading, planning, the first run, then many, and what skipping gives. Candidates take turns."""

import argparse
import sys
from collections.abc import Callable
from typing import Any

import pdrt
from pdrt import _core
from pdrt.commands._onnxruntime import open_onnx
from pdrt.commands._options import (
    add_model,
    add_random_inputs,
    add_session,
    chosen_inputs,
    file_name,
    measured_peak,
    open_session,
    print_json,
    shape_text,
)
from pdrt.commands._rounding import rounding_error, rows_of_error
from pdrt.commands._timing import interleaved, peak_resident_bytes, percentiles, timed
from pdrt.text import Style, align, format_bytes, format_count, format_milliseconds

HELP = "how long it takes, and what skipping gives"
EXAMPLES = """\
examples:
  pdrt bench net.pdrt
  pdrt bench net.onnx --compare --threads 1 --runs 200      beside ONNX Runtime, on one thread each
  pdrt bench net.pdrt --input x.npy                         times that depend on the input: give a real one
  pdrt bench net.pdrt --shape 8x3x224x224 --json
  pdrt bench net.pdrt --device opencl --precision float16-arithmetic     and how far that is from float32

Random numbers are not pictures: how much of a network with switches they need says little. Give it an --input.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    add_model(parser)
    add_session(parser)
    add_random_inputs(parser)
    parser.add_argument("--runs", type=int, default=50, help="counted runs (default: %(default)s)")
    parser.add_argument("--warmup", type=int, default=5, help="uncounted runs before them (default: %(default)s)")
    parser.add_argument("--compare", action="store_true", help="take turns with ONNX Runtime (MODEL is an .onnx file)")


def execute(options: argparse.Namespace) -> int:
    """Measures, then prints."""
    if options.runs < 1 or options.warmup < 0:
        raise pdrt.InputError("--runs is 1 or more, and --warmup 0 or more")
    if options.compare and not options.model.lower().endswith(".onnx"):
        raise pdrt.InputError(f"{options.model}: --compare needs the ONNX file, which ONNX Runtime reads")
    report = measure(options)
    if options.json:
        print_json(report)
    else:
        _print_report(report)
    return 0


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Returns all the figures, times in milliseconds, by name."""
    threads = _core.available_threads() if options.threads is None else options.threads
    memory_before = peak_resident_bytes()
    model, load_ms = timed(lambda: pdrt.load(options.model))
    inputs = chosen_inputs(options, model.inputs, options.seed)
    session, session_ms = timed(lambda: open_session(options, model))
    plan, explain_ms = timed(lambda: session.explain({name: array.shape for name, array in inputs.items()}))
    _, first_ms = timed(lambda: session.run(inputs))
    stats = session.last_run
    memory_after = peak_resident_bytes()

    candidates: dict[str, Callable[[], Any]] = {"pdrt": lambda: session.run(inputs, check_finite=False)}
    if plan.switches or stats.macs_executed < stats.macs_dense:
        dense = open_session(options, model, skip=False)
        candidates["every kernel"] = lambda: dense.run(inputs, check_finite=False)
    if options.compare:
        reference, _, version = open_onnx(options.model, threads)
        candidates[version] = lambda: reference(inputs)
    times = {name: percentiles(ms) for name, ms in interleaved(candidates, options.runs, options.warmup).items()}

    error = None if options.precision == "float32" else rounding_error(options, model, inputs, plan)
    gflops = 2 * stats.macs_executed / times["pdrt"]["p50"] / 1e6
    peak = measured_peak(options)
    return {
        "model": options.model,
        "device": plan.device,
        "threads": threads,
        "inputs": {name: list(array.shape) for name, array in inputs.items()},
        "random_inputs": not options.input,
        "programs": session.explain({name: array.shape for name, array in inputs.items()}).programs,
        "runs": options.runs,
        "warmup": options.warmup,
        "load_ms": load_ms,
        "plan_ms": session_ms + explain_ms,
        "first_run_ms": first_ms,
        "times_ms": times,
        "macs_dense": stats.macs_dense,
        "macs_executed": stats.macs_executed,
        "precision": options.precision,
        "error": error,
        "gflops": gflops,
        "fma_peak_gflops": peak,
        "share_of_peak": gflops / peak,
        "every_kernel_over_skip": times["every kernel"]["p50"] / times["pdrt"]["p50"]
        if "every kernel" in times
        else None,
        "peak_memory_bytes": memory_after,
        "peak_memory_before_loading_bytes": memory_before,
    }


def _print_report(report: dict[str, Any]) -> None:
    style = Style(sys.stdout)
    shapes = ", ".join(f"{name} {shape_text(shape)}" for name, shape in report["inputs"].items())
    print(style.bold(f"{file_name(report['model'])}  {shapes}"))
    print(style.dim(f"{report['device']}, {report['runs']} runs after {report['warmup']} to warm up\n"))
    table = [["", "min", "P50", "P90", "P99"]]
    for name, row in report["times_ms"].items():
        table.append([name, *(format_milliseconds(row[key]) for key in ("min", "p50", "p90", "p99"))])
    for line in align(table, right=(1, 2, 3, 4)):
        print(line)
    share = report["macs_executed"] / report["macs_dense"] if report["macs_dense"] else 1.0
    lines = [
        ["load", format_milliseconds(report["load_ms"])],
        ["plan", format_milliseconds(report["plan_ms"])],
        *([["programs", report["programs"]]] if report["programs"] else []),
        ["first run", format_milliseconds(report["first_run_ms"])],
        ["MACs", f"{format_count(report['macs_executed'])} of {format_count(report['macs_dense'])} ({share:.1%})"],
        [
            "speed",
            f"{report['gflops']:.1f} GFLOP/s executed at the median, {report['share_of_peak']:.0%} of the "
            f"{report['fma_peak_gflops']:.0f} measured as peak",
        ],
        [
            "memory",
            f"{format_bytes(report['peak_memory_bytes'])} at most "
            f"({format_bytes(report['peak_memory_before_loading_bytes'])} before loading)",
        ],
    ]
    if report["error"] is not None:
        lines += rows_of_error(report["error"])
    if report["every_kernel_over_skip"] is not None:
        note = ", on random numbers" if report["random_inputs"] else ""
        lines.append(["skipping", f"{report['every_kernel_over_skip']:.2f}x faster than every kernel{note}"])
    print()
    for line in align(lines):
        print(line)
