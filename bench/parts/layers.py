"""The plane engine by itself, layer by layer: the C++ program `planes`."""

from __future__ import annotations

import subprocess
from pathlib import Path

from context import Bench

PROGRAM = Path(__file__).resolve().parents[2] / "build" / "python" / "bench" / "planes"


def run(bench: Bench) -> None:
    if not bench.wanted("layers", "all", "layers by themselves"):
        return
    if not PROGRAM.exists():
        print(f"  left out: {PROGRAM} is not built (make bench builds it)")
        return
    done = subprocess.run([str(PROGRAM), "--seconds", "0.1"], check=True, capture_output=True, text=True)
    bench.results.add("layers", "all", {"text": done.stdout})
