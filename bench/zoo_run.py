"""Five well-known networks, dense and gated, beside the runtimes that are installed.

    .venv/bin/python bench/zoo_run.py [--seconds 4] [--threads 1 2] [--networks ResNet-18 VGG-16]

Every result is compared with ONNX Runtime's before anything is measured. bench/README.md says what the columns mean.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import pdrt
from calibrated import INPUT, OUTPUT
from measure import rounds
from pdrt import _core
from peers import PEERS, Runner, load, relative_error
from report import save, table
from zoo import NETWORKS, Built, build

DENSITIES = (1.0, 0.75, 0.5, 0.25)
TOLERANCE = 1e-4  # of pdrt's largest logit
PACKAGES = {"ONNX Runtime": "onnxruntime", "OpenVINO": "openvino", "ncnn": "ncnn", "MNN": "MNN"}
Row = dict[str, Any]


def checked(built: Built, threads: int) -> pdrt.Session:
    """Return a session that has been seen to compute what ONNX Runtime does, one that has run once."""
    session = pdrt.Session(built.model, device="cpu", threads=threads)
    error = relative_error(session.run({INPUT: built.image})[OUTPUT], built.logits)
    if error > TOLERANCE:
        raise SystemExit(f"pdrt's result is wrong by {error:.1g} of the largest: nothing is measured")
    return session


def measure(dense: Built, gated: dict[float, Built], runners: dict[str, Runner], threads: int, seconds: float) -> Row:
    """Return the times of one network's contenders, and what its runs computed."""
    sessions = {"pdrt": checked(dense, threads)}
    sessions |= {f"gated {share}": checked(net, threads) for share, net in gated.items()}
    feed = {INPUT: dense.image}
    contenders: dict[str, Callable[[], object]] = {}
    for key, session in sessions.items():
        contenders[key] = partial(session.run, feed)
    for key, runner in runners.items():
        contenders[key] = partial(runner, dense.image)
    calls = rounds(contenders, seconds, threads, unmeasured=1, measured=3, least=9)
    return {
        "threads": threads,
        "macs": dense.macs,
        "needed": {f"gated {share}": net.needed for share, net in gated.items()},
        "executed": {key: int(session.last_run.macs_executed) for key, session in sessions.items()},
        "median": {key: statistics.median(times) for key, times in calls.items()},
        "best": {key: min(times) for key, times in calls.items()},
    }


def dense_row(row: Row, peak: float, statistic: str) -> Row:
    times = row[statistic]
    fastest = min(times[peer] for peer in PEERS if peer in times)
    gflops = 2 * row["executed"]["pdrt"] / times["pdrt"] / 1e6
    return {
        "network": row["network"],
        "pdrt ms": times["pdrt"],
        **{f"{peer} ms": times.get(peer, "-") for peer in PEERS},
        "fastest / pdrt": fastest / times["pdrt"],
        "executed %": 100 * row["executed"]["pdrt"] / row["macs"],
        "GFLOP/s": gflops,
        "% of peak": 100 * gflops / (peak * row["threads"]),
    }


def gated_rows(row: Row, peak: float, statistic: str) -> list[Row]:
    times = row[statistic]
    fastest = min(times[peer] for peer in PEERS if peer in times)
    rows = []
    for share in DENSITIES:
        key = f"gated {share}"
        needed = row["needed"][key] / row["macs"]
        gflops = 2 * row["executed"][key] / times[key] / 1e6
        rows.append(
            {
                "network": row["network"],
                "kernels on %": 100 * share,
                "needed MACs %": 100 * needed,
                "executed %": 100 * row["executed"][key] / row["macs"],
                "pdrt ms": times[key],
                "pdrt, dense / gated": times["pdrt"] / times[key],
                "conversion, pdrt": times["pdrt"] * needed / times[key],
                "fastest peer / gated": fastest / times[key],
                "conversion, peer": fastest * needed / times[key],
                "all-on cost %": 100 * (times[key] / times["pdrt"] - 1) if share == 1 else "",
                "% of peak": 100 * gflops / (peak * row["threads"]),
            }
        )
    return rows


def plot(rows: list[Row], path: Path, statistic: str) -> None:
    """Draw speed beside the peers, and what gates give; where matplotlib is installed."""
    try:
        import matplotlib
    except ImportError:
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
    names = [row["network"] for row in rows]
    kinds = ["pdrt", *(peer for peer in PEERS if any(peer in row[statistic] for row in rows))]
    for index, kind in enumerate(kinds):
        speeds = [2 * row["macs"] / row[statistic].get(kind, np.inf) / 1e6 for row in rows]
        left.bar(np.arange(len(rows)) + (index - len(kinds) / 2 + 0.5) * 0.15, speeds, 0.15, label=kind)
    left.set_xticks(np.arange(len(rows)), names, fontsize=8)
    left.set_ylabel("GFLOP/s, dense")
    left.legend(fontsize=8)
    for row in rows:
        needed = [100 * row["needed"][f"gated {share}"] / row["macs"] for share in DENSITIES]
        spent = [100 * row[statistic][f"gated {share}"] / row[statistic]["pdrt"] for share in DENSITIES]
        right.plot(needed, spent, "o-", label=row["network"])
    right.plot([0, 100], [0, 100], "k:", label="all that the arithmetic allows")
    right.set_xlabel("needed multiply-adds, % of dense")
    right.set_ylabel("time, % of dense")
    right.legend(fontsize=8)
    figure.suptitle(f"{_core.selected_engine()}, {rows[0]['threads']} thread(s), batch 1, 224x224")
    figure.savefig(path)
    pyplot.close(figure)
    print(f"plot: {path}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4, help="time for each network and number of threads (4)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="numbers of threads (1 2)")
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=list(NETWORKS), metavar="NAME")
    parser.add_argument("--best", action="store_true", help="tables of fastest calls, not medians: for a busy machine")
    arguments = parser.parse_args()
    statistic = "best" if arguments.best else "median"

    versions = {name: metadata.version(package) for name, package in PACKAGES.items() if installed(package)}
    peak = _core.measured_fma_peak()
    print(f"{_core.selected_engine()}, measured peak {peak:.0f} GFLOP/s on one thread; {versions}")
    results: dict[str, Any] = {
        "machine": {
            "engine": _core.selected_engine(),
            "peak_gflops_one_thread": peak,
            "platform": platform.platform(),
            "load_at_start": os.getloadavg(),
            "pdrt": pdrt.__version__,
            **versions,
        },
        "networks": [],
    }
    for name in arguments.networks:
        print(f"{name} ...", flush=True)
        dense = build(name)
        gated = {share: build(name, share) for share in DENSITIES}
        with tempfile.TemporaryDirectory() as folder:
            peers = load(dense.model, dense.image, dense.logits, Path(folder))
            for threads in arguments.threads:
                runners = {key: peer.runner(threads) for key, (peer, _) in peers.items()}
                row = measure(dense, gated, runners, threads, arguments.seconds)
                errors = {key: error for key, (_, error) in peers.items()}
                results["networks"].append({"network": name, "errors": errors, **row})
    results["machine"]["load_at_end"] = os.getloadavg()

    for threads in arguments.threads:
        rows = [row for row in results["networks"] if row["threads"] == threads]
        kind = f"{threads} thread(s), batch 1, {statistic} calls"
        table(f"Dense, {kind}", [dense_row(row, peak, statistic) for row in rows])
        table(f"Gated, {kind}", [line for row in rows for line in gated_rows(row, peak, statistic)])
    loads = [results["machine"][key][0] for key in ("load_at_start", "load_at_end")]
    print(f"\nload average on {os.cpu_count()} cores: {loads[0]:.1f} at the start, {loads[1]:.1f} at the end")
    path = save(results, "zoo-")
    for threads in arguments.threads:
        rows = [row for row in results["networks"] if row["threads"] == threads]
        plot(rows, path.with_name(f"{path.stem}-{threads}.png"), statistic)


def installed(package: str) -> bool:
    """Say whether a package is there."""
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    main()
