"""A profiled run as a file that trace viewers read: Perfetto (https://ui.perfetto.dev), or Chrome at chrome://tracing.

The format is Chrome's JSON event format: complete events ("X") on one track for the host's thread and one for the
device's queue, and flow arrows ("s" to "f") from each step that computed a switch to what it decided over.
"""

import json
import os
from typing import Any

from pdrt.reports import Explanation, RunStats, StepReport, TraceEvent

_PROCESS = 1
_TRACKS = {"host": 1, "device": 2}  # track -> tid
TRANSFERS = ("read", "write", "map", "unmap")
"""What a device does only to move numbers between it and the host."""


def trace_events(run: RunStats, plan: Explanation) -> list[dict[str, Any]]:
    """Returns the events of a profiled run as the format has them, times in microseconds.

    Args:
        run: `Session.last_run` of a session with `profile=True`.
        plan: `Session.explain` for the shapes of that run.

    Raises:
        ValueError: the run was not profiled, or the plan is another run's.
    """
    if not run.events:
        raise ValueError("the run has no events: its session was not made with profile=True")
    if len(run.steps) != len(plan.steps):
        raise ValueError(f"the run has {len(run.steps)} steps and the plan {len(plan.steps)}: it is another run's")
    events = _names(run, plan)
    events += [_event(event, plan) for event in run.events]
    return events + _arrows(run, plan)


def write(path: str | os.PathLike[str], run: RunStats, plan: Explanation) -> None:
    """Writes the trace of a profiled run; arguments as for `trace_events`, errors as there and of writing files."""
    content = {
        "traceEvents": trace_events(run, plan),
        "displayTimeUnit": "ms",
        "otherData": {
            "device": plan.device,
            "run_ms": run.milliseconds,
            "clock_error_ms": run.clock_error_milliseconds,
            "macs_executed": run.macs_executed,
            "macs_dense": run.macs_dense,
        },
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=0)
        file.write("\n")


def _names(run: RunStats, plan: Explanation) -> list[dict[str, Any]]:
    tracks = {"host": "host: the thread of the run"}
    if any(event.track == "device" for event in run.events):
        error = 1000 * run.clock_error_milliseconds
        tracks["device"] = f"device: its queue (times to within {error:.1f} us)"
    named = [_metadata("process_name", 0, name=f"pdrt on {plan.device}")]
    for track, text in tracks.items():
        named.append(_metadata("thread_name", _TRACKS[track], name=text))
        named.append(_metadata("thread_sort_index", _TRACKS[track], sort_index=_TRACKS[track]))
    return named


def _metadata(kind: str, thread: int, **arguments: Any) -> dict[str, Any]:
    return {"ph": "M", "ts": 0, "pid": _PROCESS, "tid": thread, "name": kind, "args": arguments}


def _event(event: TraceEvent, plan: Explanation) -> dict[str, Any]:
    step = plan.steps[event.step] if event.step >= 0 else None
    arguments: dict[str, Any] = {"what": event.name}
    if step is not None:
        arguments.update(step=event.step, node=step.name, operators=" ".join(step.operators), output=list(step.output))
        if step.switches:
            arguments["switches"] = list(step.switches)
    return {
        "ph": "X",
        "ts": 1000 * event.start_ms,
        "dur": 1000 * (event.end_ms - event.start_ms),
        "pid": _PROCESS,
        "tid": _TRACKS[event.track],
        "name": _label(event, step),
        "cat": _category(event),
        "args": arguments,
    }


def _label(event: TraceEvent, step: StepReport | None) -> str:
    if step is None:
        return event.name
    return step.name if event.name == "compute" else f"{event.name} {step.name}"


def _category(event: TraceEvent) -> str:
    if event.track == "device":
        return "transfer" if event.name in TRANSFERS else "launch"
    return event.name


def _arrows(run: RunStats, plan: Explanation) -> list[dict[str, Any]]:
    """Returns a start and an end for each step that a switch decided over, if anything of it ran."""
    work: dict[int, list[TraceEvent]] = {}
    for event in run.events:
        if event.step >= 0 and _category(event) in ("compute", "launch"):
            work.setdefault(event.step, []).append(event)
    decisions = {event.step: event for event in run.events if event.name == "decide"}
    arrows: list[dict[str, Any]] = []
    for number, step in enumerate(plan.steps):
        at = work.get(number, [decisions[number]] if number in decisions else [])
        for decider in step.decided_by:
            before = [event for event in work.get(decider, []) if at and event.start_ms <= at[0].start_ms]
            if not before:
                continue
            flow = {"pid": _PROCESS, "id": len(arrows) // 2 + 1, "name": "decides", "cat": "switch"}
            # A viewer ties an arrow's end to the event that is open at that time on that track.
            start = {"ph": "s", "ts": 1000 * _middle(before[-1]), "tid": _TRACKS[before[-1].track]}
            end = {"ph": "f", "bp": "e", "ts": 1000 * at[0].start_ms, "tid": _TRACKS[at[0].track]}
            arrows += [{**flow, **start}, {**flow, **end}]
    return arrows


def _middle(event: TraceEvent) -> float:
    return (event.start_ms + event.end_ms) / 2
