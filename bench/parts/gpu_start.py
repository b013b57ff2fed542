"""From the file to the first result in a fresh process: nothing built yet, pdrt's folder filled, everything filled.

Alone, with a .pdrt file, an image (.npy), a device and a folder, it is one such process and prints one JSON object.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from context import Bench
    from parts.zoo_files import ZooFiles

Row = dict[str, Any]
# Where drivers keep what they built, so that they can be made to forget: PoCL, NVIDIA, Intel, Mesa.
DRIVER_FOLDERS = ("POCL_CACHE_DIR", "CUDA_CACHE_PATH", "cl_cache_dir", "NEO_CACHE_DIR", "MESA_SHADER_CACHE_DIR")
KINDS = ("nothing built yet", "pdrt's folder filled", "the driver's folder filled, too")


def measure(files: ZooFiles, device: str, repeats: int) -> Row:
    """Return milliseconds by kind of start: medians of several processes each."""
    kinds: dict[str, list[Row]] = {kind: [] for kind in KINDS}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            for kind, driver in zip(KINDS, ("driver 1", "driver 2", "driver 2"), strict=True):
                kinds[kind].append(_fresh(files, device, Path(folder) / "pdrt", Path(folder) / driver))
    return {
        "network": files.name,
        "kinds": {
            kind: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for kind, runs in kinds.items()
        },
    }


def _fresh(files: ZooFiles, device: str, own: Path, driver: Path) -> Row:
    for folder in (own, driver):
        folder.mkdir(mode=0o700, exist_ok=True)
    environment = {**os.environ, **dict.fromkeys(DRIVER_FOLDERS, str(driver))}
    from parts.gpu_zoo import NotMeasuredError

    command = [sys.executable, __file__, str(files.dense["pdrt"]), str(files.image_file), device, str(own)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)
    if done.returncode:
        raise NotMeasuredError(f"it fails in a process of its own: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout.splitlines()[-1])


def alone(model: str, image_file: str, device: str, folder: str) -> dict[str, float]:
    """Return milliseconds of this process: opening, the first run, a later one."""
    import numpy as np

    import pdrt

    image = np.load(image_file)
    times = [time.perf_counter()]
    session = pdrt.Session(model, device=device, cache_dir=folder)
    name = session.inputs[0].name
    times.append(time.perf_counter())
    for _ in range(4):
        session.run({name: image})
        times.append(time.perf_counter())
    steps = [1000 * (after - before) for before, after in pairwise(times)]
    return {"open_ms": steps[0], "first_ms": steps[1], "later_ms": min(steps[2:])}


def table(bench: Bench) -> list[Row]:
    rows = []
    for row in bench.results.rows("gpu start"):
        for kind, times in row["kinds"].items():
            ready = times["open_ms"] + times["first_ms"]
            figures = {"to the first result ms": ready, "opening ms": times["open_ms"]}
            figures |= {"first run ms": times["first_ms"], "a later run ms": times["later_ms"]}
            rows.append({"network": row["network"], "start": kind, **figures})
    return rows


if __name__ == "__main__":
    print(json.dumps(alone(*sys.argv[1:])))
