"""Measuring: candidates take turns, so that what the machine does beside them hits all alike."""

import gc
import resource
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy


def interleaved(candidates: Mapping[str, Callable[[], Any]], runs: int, warmup: int) -> dict[str, list[float]]:
    """Runs every candidate once in turn, `runs` times after `warmup` uncounted ones; returns milliseconds by name."""
    for _ in range(warmup):
        for run in candidates.values():
            run()
    times: dict[str, list[float]] = {name: [] for name in candidates}
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(runs):
            for name, run in candidates.items():
                start = time.perf_counter_ns()
                run()
                times[name].append((time.perf_counter_ns() - start) / 1e6)
    finally:
        if collecting:
            gc.enable()
    return times


def percentiles(milliseconds: list[float]) -> dict[str, float]:
    """Returns the least time and the 50th, 90th and 99th percentile."""
    p50, p90, p99 = numpy.percentile(milliseconds, (50, 90, 99))
    return {"min": min(milliseconds), "p50": float(p50), "p90": float(p90), "p99": float(p99)}


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Returns what `work` returns, and the milliseconds it took."""
    start = time.perf_counter_ns()
    result = work()
    return result, (time.perf_counter_ns() - start) / 1e6


def peak_resident_bytes() -> int:
    """Returns the most memory this process has held at once since it began."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
