"""Stacks of 3x3 convolutions through the whole runtime: what switches give, and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pdrt
from context import Bench
from measure import interleaved
from networks import Stack

STACKS = (Stack(64, 56), Stack(128, 28), Stack(256, 14), Stack(512, 7, depth=4))


def run(bench: Bench) -> None:
    for threads in bench.threads:
        for stack in STACKS:
            name = f"{stack.depth} x {stack.channels}->{stack.channels} 3x3, {stack.size}x{stack.size}"
            if bench.wanted("skipping", f"{name}, {threads}", f"skipping: {name}, {threads} thread(s)"):
                bench.results.add("skipping", f"{name}, {threads}", measure(bench, stack, name, threads))


def measure(bench: Bench, stack: Stack, name: str, threads: int) -> dict[str, Any]:
    """Measure one stack with all, half and a quarter of the kernels on, and the same without switches."""
    gated = pdrt.Session(stack.onnx(gated=True), device="cpu", threads=threads)
    plain = pdrt.Session(stack.onnx(gated=False), device="cpu", threads=threads)
    image = {"x": stack.image()}

    def on(share: float) -> Callable[[], object]:
        feed = {"x": stack.image(), "gates": stack.gates(share)}
        return lambda: gated.run(feed)

    contenders = {"plain": lambda: plain.run(image), "all": on(1), "half": on(0.5), "quarter": on(0.25)}
    times = interleaved(contenders, bench.seconds / 2, threads)
    plain.run(image)
    return {"stack": name, "threads": threads, "macs": plain.last_run.macs_dense, "ms": times}


def table(bench: Bench, threads: int) -> list[dict[str, Any]]:
    rows = []
    for row in bench.results.rows("skipping"):
        if row["threads"] != threads:
            continue
        times = row["ms"]
        gflops = 2 * row["macs"] / times["plain"] / 1e6
        rows.append(
            {
                "stack": row["stack"],
                "plain ms": times["plain"],
                "GFLOP/s": gflops,
                "% of peak": 100 * gflops / (bench.peak * threads),
                "switches cost %": 100 * (times["all"] / times["plain"] - 1),
                "half on, x faster": times["all"] / times["half"],
                "quarter on, x faster": times["all"] / times["quarter"],
            }
        )
    return rows
