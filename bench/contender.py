"""One runtime alone in a process: how long it takes to its first result, and how much memory that takes.

    .venv/bin/python bench/contender.py ResNet.pdrt image.npy pdrt 1     prints one JSON object

`fresh` starts it and reads what it prints.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

RUNS = 7


def fresh(file: Path, image: Path, runtime: str, threads: int) -> dict[str, Any]:
    """Return what a new process measures; raise RuntimeError with its last words where it fails."""
    command = [sys.executable, __file__, str(file), str(image), runtime, str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise RuntimeError(f"{runtime} fails alone ({done.returncode}): {''.join(last)}")
    return json.loads(lines[-1])


def resident(key: str) -> int:
    """Return VmRSS or VmHWM of this process in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {key}")


def forget_peak() -> None:
    """Have the kernel count the most memory from now on, so that importing does not hide what follows."""
    with suppress(OSError):  # not allowed everywhere; the peak then includes that of the imports
        Path("/proc/self/clear_refs").write_text("5")


def measure(file: Path, image_file: Path, runtime: str, threads: int) -> dict[str, Any]:
    """Return times in milliseconds and memory in bytes."""

    def timed(work: Callable[[], Any]) -> tuple[Any, float]:
        start = time.perf_counter()
        result = work()
        return result, (time.perf_counter() - start) * 1e3

    import numpy as np

    from peers import RUNTIMES

    kind = RUNTIMES[runtime]
    _, import_ms = timed(kind.imported)
    image = np.load(image_file)
    forget_peak()
    before = resident("VmRSS")
    run, open_ms = timed(lambda: kind.open(file, threads))
    opened = resident("VmHWM")
    _, first_ms = timed(lambda: run(image))
    later = [timed(lambda: run(image))[1] for _ in range(RUNS)]
    peak = resident("VmHWM")
    return {
        "import_ms": import_ms,
        "open_ms": open_ms,
        "first_ms": first_ms,
        "run_ms": statistics.median(later),
        "before_bytes": before,
        "opened_bytes": opened,
        "peak_bytes": peak,
        "end_bytes": resident("VmRSS"),
    }


if __name__ == "__main__":
    model, picture, name, count = sys.argv[1:]
    print(json.dumps(measure(Path(model), Path(picture), name, int(count))))
