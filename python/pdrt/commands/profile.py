"""Times every step of a model's plan: where a run spends its time, and how close each step comes to the machine's peak.

A step is a node and what is fused into it. Columns: time is the median of the counted runs (on a device by its own
clock, without transfers), share its part of all steps together, GFLOP/s what was computed in it, 'of peak' that as a
share of what a loop of nothing but multiply-adds reaches where the step runs, and computed the multiply-adds done of
those there are: below 100 % where switches are off.

--trace writes what happened when in one run, the one that took the median time: a track for the host's thread, one for
the device's queue, and an arrow from each step that computed a switch to what it decided over. Look at the file with
https://ui.perfetto.dev or chrome://tracing; docs/heterogeneous.md says how to read it.
"""

import argparse
import sys
from dataclasses import asdict, dataclass
from typing import Any

import numpy

import pdrt
import pdrt.trace
from pdrt import _core
from pdrt.commands._options import (
    add_model,
    add_random_inputs,
    add_session,
    chosen_inputs,
    file_name,
    open_session,
    print_json,
    shape_text,
)
from pdrt.text import Style, align, format_count, format_milliseconds

HELP = "where the time goes, step by step"
EXAMPLES = """\
examples:
  pdrt profile net.pdrt
  pdrt profile net.pdrt --top 10                     the ten slowest steps, the others in one line
  pdrt profile net.pdrt --threads 1 --runs 100
  pdrt profile net.pdrt --input x.npy                a network with switches: give it a real input
  pdrt profile net.pdrt --device opencl --trace out.json     when the device works, and when it waits for the host
  pdrt profile net.pdrt --json                       every step, for other programs

What to make of it: a slow step far from the peak is the one to look at; 'pdrt inspect' says why nothing faster runs
it. Steps far below the peak that take little of the time do no harm. Two threads help only where steps are large.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    add_model(parser)
    add_session(parser)
    add_random_inputs(parser)
    parser.add_argument("--runs", type=int, default=20, help="counted runs (default: %(default)s)")
    parser.add_argument("--warmup", type=int, default=3, help="uncounted runs before them (default: %(default)s)")
    parser.add_argument("--top", type=int, metavar="N", help="show the N slowest steps, in the plan's order")
    parser.add_argument("--trace", metavar="OUT.json", help="write what happened when, for trace viewers")


@dataclass(frozen=True)
class StepProfile:
    """What one step took and did, in one run."""

    name: str
    operators: tuple[str, ...]
    implementation: str
    output: tuple[int, ...]
    milliseconds: float
    """Median."""
    share: float
    """Of the time of all steps."""
    macs: int
    macs_executed: int
    gflops: float
    share_of_peak: float


def execute(options: argparse.Namespace) -> int:
    """Measures, then prints."""
    if options.runs < 1 or options.warmup < 0:
        raise pdrt.InputError("--runs is 1 or more, and --warmup 0 or more")
    if options.top is not None and options.top < 1:
        raise pdrt.InputError("--top is 1 or more")
    report, run, plan = measure(options)
    if options.trace:
        pdrt.trace.write(options.trace, run, plan)
    if options.json:
        report["steps"] = [asdict(step) for step in report["steps"]]
        print_json(report)
    else:
        _print_report(report, options.top)
        if options.trace:
            print(
                f"trace of the run that took {format_milliseconds(run.milliseconds)}: {options.trace} "
                "(open it at https://ui.perfetto.dev)"
            )
    return 0


def measure(options: argparse.Namespace) -> tuple[dict[str, Any], pdrt.RunStats, pdrt.Explanation]:
    """Returns all the figures by name, times in milliseconds; the run that took the median time; and the plan."""
    threads = _core.available_threads() if options.threads is None else options.threads
    model = pdrt.load(options.model)
    inputs = chosen_inputs(options, model.inputs, options.seed)
    session = open_session(options, model, profile=True)
    plan = session.explain({name: array.shape for name, array in inputs.items()})
    host_peak = _core.measured_fma_peak() * threads
    device = _core.device_peaks(options.device) if options.device.startswith("opencl") else None
    for _ in range(options.warmup):
        session.run(inputs, check_finite=False)
    runs = []
    for _ in range(options.runs):
        session.run(inputs, check_finite=False)
        runs.append(session.last_run)
    medians = numpy.median([[step.milliseconds for step in run.steps] for run in runs], axis=0)
    total = float(medians.sum())
    steps = []
    for planned, ran, median in zip(plan.steps, runs[-1].steps, medians.tolist(), strict=True):
        gflops = 2 * ran.macs_executed / median / 1e6 if median else 0.0
        peak = device["gflops"] if device and planned.implementation.startswith("opencl.") else host_peak
        steps.append(
            StepProfile(
                name=planned.name,
                operators=planned.operators,
                implementation=planned.implementation,
                output=planned.output,
                milliseconds=median,
                share=median / total if total else 0.0,
                macs=planned.macs,
                macs_executed=ran.macs_executed,
                gflops=gflops,
                share_of_peak=gflops / peak,
            )
        )
    report = {
        "model": options.model,
        "device": plan.device,
        "threads": threads,
        "inputs": {name: list(array.shape) for name, array in inputs.items()},
        "random_inputs": not options.input,
        "runs": options.runs,
        "warmup": options.warmup,
        "fma_peak_gflops": device["gflops"] if device else host_peak,
        "run_ms": float(numpy.median([run.milliseconds for run in runs])),
        "steps_ms": total,
        "macs": plan.macs,
        "macs_executed": runs[-1].macs_executed,
        "switches": len(plan.switches),
        "steps": steps,
    }
    typical = sorted(runs, key=lambda run: run.milliseconds)[len(runs) // 2]
    if device:
        report["on_device"] = {"peaks": device, **_on_device(runs, typical)}
    return report, typical, plan


def _on_device(runs: list[pdrt.RunStats], typical: pdrt.RunStats) -> dict[str, float]:
    """Returns how the host and the device waited for each other, in milliseconds."""
    events = [event for event in typical.events if event.track == "device"]
    moved = [event for event in events if event.name in pdrt.trace.TRANSFERS]
    return {
        "synchronisations": typical.synchronisations,
        "waiting_ms": float(numpy.median([run.waiting_milliseconds for run in runs])),
        "enqueue_ms": float(numpy.median([run.enqueue_milliseconds for run in runs])),
        "busy_share": sum(event.end_ms - event.start_ms for event in events) / typical.milliseconds,
        "launches": len(events) - len(moved),
        "transfers": len(moved),
        "transfer_ms": sum(event.end_ms - event.start_ms for event in moved),
    }


def _print_report(report: dict[str, Any], top: int | None) -> None:
    style = Style(sys.stdout)
    shapes = ", ".join(f"{name} {shape_text(shape)}" for name, shape in report["inputs"].items())
    print(style.bold(f"{file_name(report['model'])}  {shapes}"))
    print(style.dim(f"{report['device']}, medians of {report['runs']} runs after {report['warmup']} to warm up\n"))
    steps: list[StepProfile] = report["steps"]
    limit = sorted((step.milliseconds for step in steps), reverse=True)[: len(steps) if top is None else top]
    shown = [step for step in steps if limit and step.milliseconds >= limit[-1]][: len(limit)]
    rows = [[step.name, " ".join(step.operators), step.implementation, *_figures(step)] for step in shown]
    rest = [step for step in steps if step not in shown]
    if rest:
        time = sum(step.milliseconds for step in rest)
        share = sum(step.share for step in rest)
        rows.append([f"({len(rest)} others)", "", "", "", format_milliseconds(time), f"{share:.1%}", "", "", ""])
    gflops = 2 * report["macs_executed"] / report["steps_ms"] / 1e6 if report["steps_ms"] else 0.0
    rows.append(
        [
            "all steps",
            "",
            "",
            "",
            format_milliseconds(report["steps_ms"]),
            "100%",
            f"{gflops:.0f}",
            f"{gflops / report['fma_peak_gflops']:.0%}",
            f"{report['macs_executed'] / report['macs']:.0%}" if report["macs"] else "",
        ]
    )
    header = ["step", "operators", "runs as", "output", "time", "share", "GFLOP/s", "of peak", "computed"]
    lines = align([header, *rows], right=(4, 5, 6, 7, 8), rule=True)
    for line in [*lines[:-1], style.bold(lines[-1])]:
        print(line)
    print(
        f"\na run takes {format_milliseconds(report['run_ms'])}, copying in and out included; "
        f"{format_count(report['macs_executed'])} of {format_count(report['macs'])} multiply-adds; "
        f"the peak is {report['fma_peak_gflops']:.0f} GFLOP/s"
    )
    if "on_device" in report:
        device = report["on_device"]
        print(
            f"the device is busy for {device['busy_share']:.0%} of it, with {device['launches']} launches and "
            f"{device['transfers']} transfers ({format_milliseconds(device['transfer_ms'])}); the host waits for it "
            f"{device['synchronisations']} times to decide ({format_milliseconds(device['waiting_ms'])}) and takes "
            f"{format_milliseconds(device['enqueue_ms'])} to decide and to enqueue"
        )
    if report["switches"] and report["random_inputs"]:
        print("This network has switches, and random numbers are no picture: give it an --input.")


def _figures(step: StepProfile) -> list[str]:
    """Returns the cells from the output on; those of multiply-adds only where the step has any."""
    cells = [shape_text(step.output), format_milliseconds(step.milliseconds), f"{step.share:.1%}"]
    if not step.macs:
        return [*cells, "", "", ""]
    return [*cells, f"{step.gflops:.0f}", f"{step.share_of_peak:.0%}", f"{step.macs_executed / step.macs:.0%}"]
