"""Each runtime alone in a fresh process: time to the first result, and memory."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable
from typing import Any

from contender import fresh
from context import Bench
from parts.zoo_files import ZooFiles
from peers import RUNTIMES

Row = dict[str, Any]
MIB = 2**20


def measure(bench: Bench, files: ZooFiles) -> Row:
    """Return, by runtime, the medians of several processes on one thread, the runtimes taking turns.

    Where a host takes memory back that lies idle, asking for it again costs 2 ms per MiB, whoever does: turns in random
    order have every runtime find what any other has left.
    """
    order = list(files.dense)
    runs: dict[str, list[Row]] = {runtime: [] for runtime in order}
    shuffle = random.Random(0).shuffle
    for _ in range(bench.repeats):
        shuffle(order)
        for runtime in tuple(order):
            try:
                runs[runtime].append(fresh(files.dense[runtime], files.image_file, runtime, 1))
            except (RuntimeError, OSError) as problem:
                print(f"  {runtime} is left out: {problem}")
                order.remove(runtime)
                del runs[runtime]
    found = {
        runtime: {key: statistics.median(run[key] for run in rows) for key in rows[0]} for runtime, rows in runs.items()
    }
    return {"network": files.name, "runtimes": found}


def _table(bench: Bench, figure: str, value: Callable[[Row], float], better_of: str) -> list[Row]:
    rows = []
    for row in bench.results.rows("alone"):
        figures = {name: value(row["runtimes"][name]) for name in RUNTIMES if name in row["runtimes"]}
        peers = {name: x for name, x in figures.items() if name != "pdrt"}
        best = min(peers, key=peers.__getitem__) if peers else None
        rows.append(
            {
                "network": row["network"],
                **{f"{name} {figure}": x for name, x in figures.items()},
                better_of: best or "-",
                "it / pdrt": peers[best] / figures["pdrt"] if best else "-",
            }
        )
    return rows


def ready_ms(figures: Row) -> float:
    """Return the time to being ready: opening and the first run, less a usual run."""
    return float(figures["open_ms"] + figures["first_ms"] - figures["run_ms"])


def own_mib(figures: Row) -> float:
    """Return the most memory held beyond what the process held after its imports."""
    return float(figures["peak_bytes"] - figures["before_bytes"]) / MIB


def start_table(bench: Bench) -> list[Row]:
    """Return the time from the file to being ready."""
    return _table(bench, "ms", ready_ms, "quickest peer")


def memory_table(bench: Bench) -> list[Row]:
    """Return the most memory held, without the imports."""
    return _table(bench, "MiB", own_mib, "leanest peer")


def whole_memory_table(bench: Bench) -> list[Row]:
    """Return the most memory held, everything included."""
    return _table(bench, "MiB", lambda x: x["peak_bytes"] / MIB, "leanest peer")


def import_table(bench: Bench) -> list[Row]:
    """Return what importing each runtime takes, numpy being there."""
    rows = bench.results.rows("alone")
    names = [name for name in RUNTIMES if rows and name in rows[0]["runtimes"]]
    return [
        {"runtime": name, "import ms": statistics.median(row["runtimes"][name]["import_ms"] for row in rows)}
        for name in names
    ]
