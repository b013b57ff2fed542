"""Five well-known networks, dense beside the other runtimes, and gated: THE TABLE."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

import pdrt
from context import Bench
from measure import pause_between, rounds
from parts.zoo_files import ZooFiles
from peers import INPUT, OUTPUT, PEERS, RUNTIMES, TOLERANCE, PeerError, relative_error

Row = dict[str, Any]
PDRT_TOLERANCE = 1e-4  # of the largest logit
CALLS = 3  # of a turn, that are measured
SETTLING = 0.02  # seconds that calls on several threads, which have slept, take to become as quick as they will be


def measure(bench: Bench, files: ZooFiles, threads: int) -> Row:
    """Return the times of one network's contenders, checked before, and what its runs computed."""
    sessions = {"pdrt": pdrt.Session(files.dense["pdrt"], device="cpu", threads=threads)}
    expected = {"pdrt": files.logits}
    for share, gated in files.gated.items():
        sessions[f"gated {share}"] = pdrt.Session(gated.file, device="cpu", threads=threads)
        expected[f"gated {share}"] = gated.logits
    feed = {INPUT: files.image}
    contenders: dict[str, Callable[[], object]] = {}
    errors: dict[str, float] = {}
    for key, session in sessions.items():
        errors[key] = relative_error(session.run(feed)[OUTPUT], expected[key])
        if errors[key] > PDRT_TOLERANCE:
            raise SystemExit(f"{files.name}: pdrt's result is wrong by {errors[key]:.1g} of the largest: not measured")
        contenders[key] = partial(session.run, feed)
    for key in PEERS:
        if key not in files.dense:
            continue
        try:
            runner = RUNTIMES[key].open(files.dense[key], threads)
            errors[key] = relative_error(runner(files.image), files.logits)
            if errors[key] > TOLERANCE:
                raise PeerError(f"its result is wrong by {errors[key]:.1g} of the largest")
        except (PeerError, RuntimeError) as problem:
            print(f"  {key} is left out: {problem}")
        else:
            contenders[key] = partial(runner, files.image)
    bench.places.begin()
    calls = rounds(
        contenders,
        bench.seconds,
        threads,
        unmeasured=1,
        settling=SETTLING if threads > 1 else 0,
        measured=CALLS,
        least=9,
        pause=pause_between(threads),
        before=bench.places.look if threads > 1 else lambda name: None,
    )
    return {
        "network": files.name,
        "threads": threads,
        "macs": files.macs,
        "errors": errors,
        "needed": {f"gated {share}": gated.needed for share, gated in files.gated.items()},
        "executed": {key: int(session.last_run.macs_executed) for key, session in sessions.items()},
        "median": {key: statistics.median(times) for key, times in calls.items()},
        "best": {key: min(times) for key, times in calls.items()},
        "places": {
            place: {
                "turns": len(trips),
                "round_trip_ns": statistics.median(trips),
                "calls": {key: len(times) for key, times in there.items()},
                "median": {key: statistics.median(times) for key, times in there.items()},
                "best": {key: min(times) for key, times in there.items()},
            }
            for place, trips, there in bench.places.split(calls, CALLS)
        },
    }


def fastest_peer(times: dict[str, float]) -> tuple[str, float]:
    """Return the fastest of the others and its time; ("-", nan) where none is installed."""
    present = [(times[peer], peer) for peer in PEERS if peer in times]
    time, peer = min(present, default=(float("nan"), "-"))
    return peer, time


def dense_table(bench: Bench, threads: int, statistic: str) -> list[Row]:
    rows = []
    for row in bench.results.rows("zoo"):
        if row["threads"] != threads:
            continue
        times = row[statistic]
        name, fastest = fastest_peer(times)
        gflops = 2 * row["executed"]["pdrt"] / times["pdrt"] / 1e6
        rows.append(
            {
                "network": row["network"],
                "pdrt ms": times["pdrt"],
                **{f"{peer} ms": times.get(peer, "-") for peer in PEERS},
                "fastest peer": name,
                "it / pdrt": fastest / times["pdrt"],
                "GFLOP/s": gflops,
                "% of peak": 100 * gflops / (bench.peak * threads),
            }
        )
    return rows


def gated_table(bench: Bench, threads: int, statistic: str) -> list[Row]:
    rows = []
    for row in bench.results.rows("zoo"):
        if row["threads"] != threads:
            continue
        times = row[statistic]
        _, fastest = fastest_peer(times)
        for key, needed_macs in row["needed"].items():
            share = float(key.split()[1])
            needed = needed_macs / row["macs"]
            rows.append(
                {
                    "network": row["network"],
                    "kernels on %": 100 * share,
                    "needed MACs %": 100 * needed,
                    "executed %": 100 * row["executed"][key] / row["macs"],
                    "pdrt ms": times[key],
                    "fastest peer / gated": fastest / times[key],
                    "conversion, peer": fastest * needed / times[key],
                    "pdrt dense / gated": times["pdrt"] / times[key],
                    "conversion, pdrt": times["pdrt"] * needed / times[key],
                    "all-on cost %": 100 * (times[key] / times["pdrt"] - 1) if share == 1 else "",
                }
            )
    return rows


def scaling_table(bench: Bench, statistic: str) -> list[Row]:
    """Return how much faster several threads are than one, for pdrt and the others."""
    by_network: dict[str, dict[int, Row]] = {}
    for row in bench.results.rows("zoo"):
        by_network.setdefault(row["network"], {})[row["threads"]] = row[statistic]
    rows = []
    for network, times in by_network.items():
        for threads in sorted(times):
            if threads == 1 or 1 not in times:
                continue
            names = [name for name in RUNTIMES if name in times[1] and name in times[threads]]
            gains = {name: times[1][name] / times[threads][name] for name in names}
            rows.append({"network": network, "threads": threads, **gains})
    return rows


def places_table(bench: Bench, statistic: str) -> list[Row]:
    """Return the dense networks' times by where the threads ran."""
    rows = []
    for row in bench.results.rows("zoo"):
        places = row.get("places", {})
        all_turns = sum(found["turns"] for found in places.values())
        for place, found in places.items():
            times = found[statistic]
            name, fastest = fastest_peer(times)
            own = times.get("pdrt")
            rows.append(
                {
                    "network": row["network"],
                    "threads": row["threads"],
                    "where": place,
                    "turns %": 100 * found["turns"] / all_turns,
                    "line there and back ns": found["round_trip_ns"],
                    "pdrt ms": own or "-",
                    "calls": found["calls"].get("pdrt", 0),
                    "fastest peer": name,
                    "its ms": fastest if name != "-" else "-",
                    "its calls": found["calls"].get(name, 0),
                    "it / pdrt": fastest / own if own and name != "-" else "-",
                }
            )
    return rows
