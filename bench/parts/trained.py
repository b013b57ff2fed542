"""Trained networks on pictures and noise: the digits network, and those of the data folder where it is present."""

from __future__ import annotations

import os
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import pdrt
from context import Bench
from measure import interleaved

DATA = Path(os.environ.get("PDRT_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
NETWORKS = {  # file -> shape of its input; free sizes are 1
    "squeezenet_v1.1.onnx": (1, 3, 227, 227),
    "resnet20_cifar10.onnx": (1, 3, 32, 32),
    "ultraface_rfb320.onnx": (1, 3, 240, 320),
}


def run(bench: Bench) -> None:
    for threads in bench.threads:
        for name, (model, image) in inputs().items():
            key = f"{name}, {threads}"
            if bench.wanted("trained", key, f"trained: {name}, {threads} thread(s)"):
                bench.results.add("trained", key, {"network": name, **measure(bench, model, image, threads)})


def inputs() -> dict[str, tuple[str, Any]]:
    """Return each network with one real or random input."""
    data = resources.files("pdrt") / "data"
    digits = np.load(str(data / "digits_heldout.npz"))["images"][:1].astype(np.float32)
    found = {"digits": (str(data / "digits.onnx"), digits)}
    for file, shape in NETWORKS.items():
        if (DATA / file).exists():
            found[file] = str(DATA / file), np.random.default_rng(4).standard_normal(shape).astype(np.float32)
    return found


def measure(bench: Bench, model: str, image: Any, threads: int) -> dict[str, Any]:
    """Measure one network with and without skipping, and on ONNX Runtime where that is installed."""
    ours = pdrt.Session(model, device="cpu", threads=threads)
    dense = pdrt.Session(model, device="cpu", threads=threads, skip=False)
    feed = {ours.inputs[0].name: image}
    contenders: dict[str, Any] = {"pdrt": lambda: ours.run(feed), "dense": lambda: dense.run(feed)}
    if find_spec("onnxruntime"):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        other = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        contenders["ONNX Runtime"] = lambda: other.run(None, feed)
    times = interleaved(contenders, bench.seconds / 4, threads)
    ours.run(feed)
    stats = ours.last_run
    return {"threads": threads, "ms": times, "executed": stats.macs_executed, "macs": stats.macs_dense}


def table(bench: Bench, threads: int) -> list[dict[str, Any]]:
    rows = []
    for row in bench.results.rows("trained"):
        if row["threads"] != threads:
            continue
        times = row["ms"]
        other = times.get("ONNX Runtime")
        rows.append(
            {
                "network": row["network"],
                "pdrt ms": times["pdrt"],
                "without skipping": times["dense"],
                "ONNX Runtime ms": other or "-",
                "it / pdrt": other / times["pdrt"] if other else "-",
                "MACs executed %": 100 * row["executed"] / max(row["macs"], 1),
            }
        )
    return rows
