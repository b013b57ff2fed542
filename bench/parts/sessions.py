"""Several sessions in several threads, one thread each, and small networks with a thread more than they need."""

from __future__ import annotations

import statistics
import threading
import time
from importlib import resources
from typing import Any

import numpy as np

import pdrt
from context import Bench
from measure import rounds
from networks import Stack

Row = dict[str, Any]


def run(bench: Bench) -> None:
    most = max(bench.threads)
    if bench.wanted("sessions", "digits", f"digits on 1 and {most} threads"):
        bench.results.add("sessions", "digits", digits(bench, most))
    for count in range(1, most + 1):
        if bench.wanted("sessions", f"{count}", f"{count} session(s) in as many threads"):
            bench.results.add("sessions", f"{count}", beside_each_other(bench, count))


def digits(bench: Bench, most: int) -> Row:
    """Measure the smallest network there is with one thread and with several; the clock on the wall for both."""
    data = resources.files("pdrt") / "data"
    image = {"image": np.load(str(data / "digits_heldout.npz"))["images"][:1].astype(np.float32)}
    sessions = {f"{n} thread(s)": pdrt.Session(str(data / "digits.pdrt"), threads=n) for n in (1, most)}
    contenders = {name: lambda session=session: session.run(image) for name, session in sessions.items()}
    calls = rounds(contenders, bench.seconds / 4, 2, unmeasured=10, measured=30)
    return {"what": "digits, microseconds", **{k: 1e3 * statistics.median(v) for k, v in calls.items()}}


def beside_each_other(bench: Bench, count: int) -> Row:
    """Measure how many images a second `count` threads get through, each with a session on one thread."""
    stack = Stack(128, 28, depth=4)
    model = pdrt.load(stack.onnx(gated=False))
    feed = {"x": stack.image()}
    done = [0] * count
    stop = time.perf_counter() + bench.seconds / 4

    def work(index: int) -> None:
        session = pdrt.Session(model, threads=1)
        while time.perf_counter() < stop:
            session.run(feed)
            done[index] += 1

    workers = [threading.Thread(target=work, args=(index,), daemon=True) for index in range(count)]
    started = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
        if worker.is_alive():
            raise SystemExit("a session did not come to an end within a minute")
    return {"what": f"{count} session(s), runs a second", "rate": sum(done) / (time.perf_counter() - started)}


def table(bench: Bench) -> list[Row]:
    rows = []
    first = None
    for row in bench.results.rows("sessions"):
        if "rate" not in row:
            values = [value for key, value in row.items() if key != "what"]
            rows.append({"what": row["what"], "one": values[0], "several": values[-1], "x": values[0] / values[-1]})
        else:
            first = first or row["rate"]
            rows.append({"what": row["what"], "one": first, "several": row["rate"], "x": row["rate"] / first})
    return rows
