"""The well-known networks on an OpenCL device, dense and gated, beside PyTorch, ONNX Runtime and the CPU engine."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

import pdrt
from context import Bench
from measure import interleaved
from parts.zoo_files import ZooFiles
from pdrt.trace import TRANSFERS
from peers import INPUT, OUTPUT, TOLERANCE, Array, relative_error

Row = dict[str, Any]
PDRT_TOLERANCE = 1e-3  # of the largest logit
ALONE = ("torch eager, on the device", "torch graphs, on the device")
OTHERS = ("torch eager", "torch graphs", "ONNX Runtime CUDA", "pdrt on the CPU")
RESIDENT = "dense, on the device"
PRECISIONS: tuple[Literal["float16", "float16-arithmetic"], ...] = ("float16", "float16-arithmetic")
RUNS = 9  # of a session that profiles


class NotMeasuredError(Exception):
    """Something could not be measured; the message says why."""


def measure(bench: Bench, files: ZooFiles, batch: int, device: str) -> Row:
    """Return the times of one network in batches of one size, checked before: milliseconds by contender."""
    image = np.ascontiguousarray(np.repeat(files.image, batch, axis=0))
    models = {"dense": (files.dense["pdrt"], files.logits)}
    models.update({f"gated {share}": (gated.file, gated.logits) for share, gated in files.gated.items()})
    feed = {INPUT: image}
    contenders: dict[str, Callable[[], object]] = {}
    row: Row = {"network": files.name, "batch": batch, "macs": files.macs * batch, "missing": {}}
    row |= {"executed": {}, "errors": {}, "switches": {}}
    profiled: dict[str, Profiled] = {}
    for key, (model, logits) in models.items():
        session = pdrt.Session(model, device=device)
        error = relative_error(session.run(feed)[OUTPUT], np.repeat(logits, batch, axis=0))
        if error > PDRT_TOLERANCE:
            raise NotMeasuredError(f"pdrt's result ({key}) is wrong by {error:.1g} of the largest")
        row["errors"][key] = error
        row["executed"][key] = int(session.last_run.macs_executed)
        row["switches"][key] = session.explain({INPUT: image.shape}).switches_at
        contenders[key] = partial(session.run, feed)
        where: Literal["cpu", "device"] = "device" if row["switches"][key].startswith("on the device") else "cpu"
        profiled[key] = Profiled(model, feed, device, where)
        contenders[f"{key}, profiled"] = profiled[key].run
        try:
            contenders[f"{key}, on the device"] = _resident(model, image, session.explain().device, where)
        except (ImportError, LookupError) as problem:
            row["missing"]["pdrt on the device"] = str(problem)
    for precision in PRECISIONS:
        key = f"dense, {precision}"
        try:
            session = pdrt.Session(files.dense["pdrt"], device=device, precision=precision)
        except pdrt.DeviceError as problem:
            row["missing"][key] = str(problem)
            continue
        row["errors"][key] = relative_error(session.run(feed)[OUTPUT], np.repeat(files.logits, batch, axis=0))
        contenders[key] = partial(session.run, feed)
        profiled[key] = Profiled(files.dense["pdrt"], feed, device, "cpu", precision)
        contenders[f"{key}, profiled"] = profiled[key].run
    host = pdrt.Session(files.dense["pdrt"], device="cpu")
    contenders["pdrt on the CPU"] = partial(host.run, feed)
    for name, find in (("torch", _torch), ("ONNX Runtime CUDA", _onnxruntime)):
        try:
            found = find(files.dense["ONNX Runtime"], image)
        except (ImportError, RuntimeError) as problem:
            row["missing"][name] = str(problem)
            continue
        for key, run in found.items():
            error = 0.0 if key in ALONE else relative_error(run(), np.repeat(files.logits, batch, axis=0))
            if error > TOLERANCE:
                row["missing"][key] = f"its result is wrong by {error:.1g} of the largest"
            else:
                contenders[key] = run
    row["needed"] = {f"gated {share}": gated.needed * batch for share, gated in files.gated.items()}
    row["ms"] = interleaved(contenders, bench.seconds, threads=0, least=5)
    row["on_device"] = {key: each.figures() for key, each in profiled.items()}
    return row


class Profiled:
    """A network in a session that profiles, whose runs take turns with the others'."""

    def __init__(
        self,
        model: Path,
        feed: dict[str, Array],
        device: str,
        switches: Literal["cpu", "device"],
        precision: Literal["float32", "float16", "float16-arithmetic"] = "float32",
    ) -> None:
        self._session = pdrt.Session(model, device=device, switches=switches, precision=precision, profile=True)
        self._feed = feed
        self._runs: list[pdrt.RunStats] = []

    def run(self) -> None:
        """Run once more, and keep what the session says about it."""
        self._session.run(self._feed)
        self._runs.append(self._session.last_run)

    def figures(self) -> Row:
        """Return the medians: milliseconds of work on the device and of moving, and how the host waited."""
        return {
            "work_ms": statistics.median(_spent(run, moving=False) for run in self._runs),
            "transfer_ms": statistics.median(_spent(run, moving=True) for run in self._runs),
            "waiting_ms": statistics.median(run.waiting_milliseconds for run in self._runs),
            "enqueue_ms": statistics.median(run.enqueue_milliseconds for run in self._runs),
            "waits": self._runs[-1].synchronisations,
        }


def _spent(run: pdrt.RunStats, *, moving: bool) -> float:
    events = [event for event in run.events if event.track == "device" and (event.name in TRANSFERS) == moving]
    return sum(event.end_ms - event.start_ms for event in events)


def layers(files: ZooFiles, batch: int, device: str) -> list[Row]:
    """Return what every step of the dense network takes, and its GFLOP/s."""
    image = np.repeat(files.image, batch, axis=0)
    session = pdrt.Session(files.dense["pdrt"], device=device, profile=True)
    runs = []
    for _ in range(RUNS):
        session.run({INPUT: image})
        runs.append(session.last_run.steps)
    rows = []
    for number, step in enumerate(session.explain({INPUT: image.shape}).steps):
        time = statistics.median(run[number].milliseconds for run in runs)
        row: Row = {"step": step.name, "operators": " ".join(step.operators), "runs as": step.implementation}
        row |= {"output": "x".join(map(str, step.output)), "ms": time, "macs": step.macs}
        rows.append(row | {"GFLOP/s": 2 * step.macs / time / 1e6 if step.macs and time else "-"})
    return rows


def _resident(model: Path, image: Array, device: str, switches: Literal["cpu", "device"]) -> Callable[[], object]:
    """Return a function that runs the model on arrays of pyopencl's: image and logits stay on the device."""
    import pyopencl
    import pyopencl.array

    for platform in pyopencl.get_platforms():
        for candidate in platform.get_devices():
            if f"({candidate.name.strip()}, {platform.name.strip()})" in device:
                context = pyopencl.Context([candidate])  # Intel's queues do not keep theirs
                queue = pyopencl.CommandQueue(context)
                session = pdrt.Session(model, device=queue, switches=switches)
                feed = {INPUT: pyopencl.array.to_device(queue, image)}
                out = session.run(feed)
                return lambda: session.run(feed, out=out)
    raise LookupError(f"pyopencl does not find {device}")


def _torch(source: Path, image: Array) -> dict[str, Callable[[], Array]]:
    import torch_network

    if problem := torch_network.why_not():
        raise RuntimeError(problem)
    return torch_network.contenders(source.read_bytes(), image)


def _onnxruntime(source: Path, image: Array) -> dict[str, Callable[[], Array]]:
    import onnxruntime

    name = "CUDAExecutionProvider"
    if name not in onnxruntime.get_available_providers():
        raise RuntimeError("ONNX Runtime has no CUDA provider here (pip install onnxruntime-gpu)")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(source), options, providers=[(name, {"use_tf32": "0"})])
    if name not in session.get_providers():
        raise RuntimeError("ONNX Runtime's CUDA provider does not load here")
    return {"ONNX Runtime CUDA": lambda: session.run(None, {INPUT: image})[0]}


def fastest_other(times: dict[str, float]) -> tuple[str, float]:
    """Return the fastest of the others on the device, and its time; ("-", nan) where there is none."""
    present = [(times[name], name) for name in OTHERS if name in times and name != "pdrt on the CPU"]
    time, name = min(present, default=(float("nan"), "-"))
    return name, time


def dense_table(bench: Bench) -> list[Row]:
    rows = []
    for row in bench.results.rows("gpu zoo"):
        times, ours = row["ms"], row["ms"]["dense"]
        name, fastest = fastest_other(times)
        work = row["on_device"]["dense"]["work_ms"]
        gflops = 2 * row["executed"]["dense"] / work / 1e6
        rows.append(
            {
                "network": row["network"],
                "batch": row["batch"],
                "pdrt ms": ours,
                **{f"{other} ms": times[other] for other in OTHERS if other in times},
                **({"fastest other": name, "it / pdrt": fastest / ours} if name != "-" else {}),
                "images/s": 1000 * row["batch"] / ours,
                **({"pdrt, on the device ms": times[RESIDENT]} if RESIDENT in times else {}),
                "of it work ms": work,
                **{f"{other} ms": times[other] for other in ALONE if other in times},
                "GFLOP/s": gflops,
                "% of peak": 100 * gflops / bench.peak,
            }
        )
    return rows


def precision_table(bench: Bench) -> list[Row]:
    rows = []
    for row in bench.results.rows("gpu zoo"):
        for key in ("dense", *(f"dense, {precision}" for precision in PRECISIONS)):
            if key not in row["ms"]:
                continue
            rows.append(
                {
                    "network": row["network"],
                    "batch": row["batch"],
                    "precision": key.removeprefix("dense, ") if key != "dense" else "float32",
                    "pdrt ms": row["ms"][key],
                    "float32 / it": row["ms"]["dense"] / row["ms"][key],
                    "of it work ms": row["on_device"][key]["work_ms"],
                    "largest error, % of the largest logit": 100 * row["errors"][key],
                }
            )
    return rows


def gated_table(bench: Bench) -> list[Row]:
    rows = []
    for row in bench.results.rows("gpu zoo"):
        times = row["ms"]
        name, fastest = fastest_other(times)
        for key, needed_macs in row["needed"].items():
            needed, on_it = needed_macs / row["macs"], row["on_device"]
            rows.append(
                {
                    "network": row["network"],
                    "batch": row["batch"],
                    "kernels on %": 100 * float(key.split()[1]),
                    "needed MACs %": 100 * needed,
                    "executed %": 100 * row["executed"][key] / row["macs"],
                    "pdrt ms": times[key],
                    "pdrt dense / gated": times["dense"] / times[key],
                    "conversion, pdrt": times["dense"] * needed / times[key],
                    **({"on the device ms": times[f"{key}, on the device"]} if RESIDENT in times else {}),
                    "conversion of work": on_it["dense"]["work_ms"] * needed / on_it[key]["work_ms"],
                    **(
                        {
                            "fastest other / gated": fastest / times[key],
                            "conversion, other": fastest * needed / times[key],
                        }
                        if name != "-"
                        else {}
                    ),
                    "waits": on_it[key]["waits"],
                    "waiting ms": on_it[key]["waiting_ms"],
                    "enqueueing ms": on_it[key]["enqueue_ms"],
                    "switches at": row["switches"][key].split(",")[0].removeprefix("on the "),
                }
            )
    return rows
