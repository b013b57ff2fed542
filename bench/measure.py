"""Timing that can be compared: contenders take turns, so that what disturbs one disturbs all."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping


def interleaved(contenders: Mapping[str, Callable[[], object]], seconds: float, threads: int) -> dict[str, float]:
    """Return each contender's median time of one call, in milliseconds.

    They run in turn, one call each, after two calls for warming up, until `seconds` have passed and each has at least
    seven calls behind it. On one thread the time is the thread's own processor time, which other programs disturb
    least; on several it is that of the clock on the wall.
    """
    clock = time.thread_time if threads == 1 else time.perf_counter
    for _ in range(2):
        for call in contenders.values():
            call()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    gc.collect()
    gc.disable()
    try:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or min(map(len, times.values())) < 7:
            for name, call in contenders.items():
                start = clock()
                call()
                times[name].append((clock() - start) * 1e3)
    finally:
        gc.enable()
    return {name: statistics.median(calls) for name, calls in times.items()}
