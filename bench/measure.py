"""Timing that can be compared: contenders take turns, so that what disturbs one disturbs all."""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable, Mapping

PAUSE = 0.06  # seconds: ONNX Runtime's threads look for more work for 45 ms, on every processor, others' for less


def pause_between(threads: int) -> float:
    """Return the seconds that threads of other runtimes need to stop looking for work; alone nobody has such."""
    return PAUSE if threads > 1 else 0


def interleaved(
    contenders: Mapping[str, Callable[[], object]], seconds: float, threads: int, least: int = 7
) -> dict[str, float]:
    """Return each contender's median time of one call, in milliseconds; see `rounds`."""
    return {name: statistics.median(calls) for name, calls in rounds(contenders, seconds, threads, least=least).items()}


def rounds(
    contenders: Mapping[str, Callable[[], object]],
    seconds: float,
    threads: int,
    *,
    unmeasured: int = 0,
    settling: float = 0,
    measured: int = 1,
    least: int = 7,
    pause: float = 0,
    before: Callable[[str], object] = lambda name: None,
) -> dict[str, list[float]]:
    """Return the times of each contender's calls, in milliseconds.

    They run in turn, after two calls for warming up, until `seconds` have passed and each has at least `least`
    measured calls behind it. Every round has another order: what a contender finds in the caches is left by any of the
    others, not always by the same one. A turn is a pause of so many seconds, in which threads stop spinning, and which
    do not count; `before`, which gets the contender's name; `unmeasured` calls, or more until `settling` seconds have
    passed, which bring the contender's weights back into the caches, and its threads back to work; and `measured` ones.
    On one thread the time is the calling thread's own processor time, which other programs disturb least (all runtimes
    measured here then compute on the thread that calls); on several it is that of the clock on the wall.
    """
    clock = time.thread_time if threads == 1 else time.perf_counter
    for _ in range(2):
        for call in contenders.values():
            call()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    order = list(contenders.items())
    shuffle = random.Random(0).shuffle
    gc.collect()
    gc.disable()
    try:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or min(map(len, times.values())) < least:
            shuffle(order)
            for name, call in order:
                if pause > 0:
                    time.sleep(pause)
                    end += pause
                before(name)
                settled, count = time.perf_counter() + settling, 0
                while count < unmeasured or time.perf_counter() < settled:
                    call()
                    count += 1
                for _ in range(measured):
                    start = clock()
                    call()
                    times[name].append((clock() - start) * 1e3)
    finally:
        gc.enable()
    return times
