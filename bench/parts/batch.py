"""Eight images at once, each with its own set of kernels that are on, against one after another."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import numpy as np

import pdrt
from context import Bench
from measure import pause_between, rounds
from parts.zoo_files import ZooFiles
from peers import INPUT, OUTPUT, PEERS, RUNTIMES, relative_error

Row = dict[str, Any]
SIZE = 8
SHARE = 0.5  # of the kernels, on the image that the gates are fitted to; less or more on the others


def measure(bench: Bench, files: ZooFiles, threads: int) -> Row:
    """Return milliseconds per image, in batches of one and of SIZE."""
    random = np.random.default_rng(6)
    others = random.standard_normal((SIZE - 1, *files.image.shape[1:]), np.float32)
    others += random.standard_normal((SIZE - 1, files.image.shape[1], 1, 1), np.float32)  # each with colours of its own
    batch = np.concatenate([files.image, others])
    images = [np.ascontiguousarray(batch[i : i + 1]) for i in range(SIZE)]

    contenders: dict[str, Callable[[], object]] = {}
    models = {"dense": files.dense["pdrt"]}
    if SHARE in files.gated:
        models["gated"] = files.gated[SHARE].file
    sets = 0
    for kind, model in models.items():
        session = pdrt.Session(model, device="cpu", threads=threads)
        together = session.run({INPUT: batch})[OUTPUT]
        if kind == "gated":
            sets = len({tuple(int(layer.active[n]) for layer in session.last_run.layers) for n in range(SIZE)})
        apart = np.concatenate([session.run({INPUT: image})[OUTPUT] for image in images])
        if relative_error(together, apart) > 1e-5:
            raise SystemExit(f"{files.name}: a batch does not give what its images give: not measured")
        contenders[f"{kind}, 1"] = lambda session=session: [session.run({INPUT: image}) for image in images]
        contenders[f"{kind}, {SIZE}"] = lambda session=session: session.run({INPUT: batch})
    for peer in PEERS:  # those whose file leaves the batch free
        if peer != "ONNX Runtime" or peer not in files.dense:
            continue
        runner = RUNTIMES[peer].open(files.dense[peer], threads)
        contenders[f"{peer}, 1"] = lambda runner=runner: [runner(image) for image in images]
        contenders[f"{peer}, {SIZE}"] = lambda runner=runner: runner(batch)
    calls = rounds(contenders, bench.seconds, threads, unmeasured=1, least=3, pause=pause_between(threads))
    return {
        "network": files.name,
        "threads": threads,
        "sets": sets,
        "ms": {key: statistics.median(times) / SIZE for key, times in calls.items()},
    }


def table(bench: Bench, threads: int) -> list[Row]:
    rows = []
    for row in bench.results.rows("batch"):
        if row["threads"] != threads:
            continue
        times = row["ms"]
        cells: Row = {"network": row["network"]}
        for kind in ("dense", "gated", "ONNX Runtime"):
            one, many = times.get(f"{kind}, 1"), times.get(f"{kind}, {SIZE}")
            cells[f"{kind}, 1 (ms)"] = one or "-"
            cells[f"{kind}, {SIZE} (ms/image)"] = many or "-"
            cells[f"{SIZE} / 1 " + kind] = many / one if one and many else "-"
        rows.append({**cells, "different sets": row["sets"]})
    return rows
