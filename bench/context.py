"""What every part of a benchmark run is given: options, the machine's peak, where rows go, and a voice."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from places import Places
from results_file import Results


@dataclass
class Bench:
    """One run of the benchmarks."""

    results: Results
    peak: float
    """GFLOP/s that a loop of nothing but multiply-adds reaches on one thread."""
    threads: tuple[int, ...]
    seconds: float
    """For each measurement that takes turns."""
    densities: tuple[float, ...]
    repeats: int
    """Processes for each start."""
    steps: int
    """Progress lines expected, for the bar."""
    places: Places = field(default_factory=Places)
    """Where two threads ran, of the measurement under way."""
    _started: float = field(default_factory=time.monotonic)
    _done: int = 0

    def say(self, text: str) -> None:
        """Print where the run is: one line with a bar, the time so far, and what comes now."""
        elapsed = time.monotonic() - self._started
        filled = min(20, 20 * self._done // max(1, self.steps))
        bar = "#" * filled + "." * (20 - filled)
        print(f"[{bar}] {elapsed // 60:.0f}:{elapsed % 60:02.0f}  {text}", flush=True)
        self._done += 1

    def wanted(self, part: str, key: str, text: str) -> bool:
        """Say what comes, and whether it has to be measured: not if an earlier run, resumed, has it."""
        known = self.results.has(part, key)
        self.say(f"{text}{' (known)' if known else ''}")
        return not known
