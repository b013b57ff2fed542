"""`make bench`: what skipping gives through the whole runtime, what it costs, and ONNX Runtime beside it.

    .venv/bin/python bench/run.py [--seconds 2] [--threads 1] [--only layers|skipping|networks]

Every table says which share of the machine's measured multiply-add peak was reached. Results go to bench/results/.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

import pdrt
from measure import interleaved
from networks import Stack
from pdrt import _core
from report import save, table

REPOSITORY = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("PDRT_DATA", REPOSITORY.parent / "shared" / "data"))
PLANES = REPOSITORY / "build" / "python" / "bench" / "planes"

STACKS = (Stack(64, 56), Stack(128, 28), Stack(256, 14), Stack(512, 7, depth=4))
NETWORKS = {  # file -> shape of its input; free sizes are 1
    "squeezenet_v1.1.onnx": (1, 3, 227, 227),
    "resnet20_cifar10.onnx": (1, 3, 32, 32),
    "ultraface_rfb320.onnx": (1, 3, 240, 320),
}


def onnx_session(model: str | bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def layers(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Run the C++ layer benchmark, which prints its own table."""
    if not PLANES.exists():
        sys.exit(f"{PLANES} is not built; run this through `make bench`")
    print("\nThe plane engine by itself, one thread", flush=True)
    subprocess.run([str(PLANES)], check=True)
    return []


def skipping(arguments: argparse.Namespace, peak: float) -> list[dict[str, Any]]:
    """Measure stacks of gated layers with all, half and a quarter of the kernels on; and the same without switches."""
    rows = []
    for stack in STACKS:
        gated = pdrt.Session(stack.onnx(gated=True), device="cpu", threads=arguments.threads)
        plain = pdrt.Session(stack.onnx(gated=False), device="cpu", threads=arguments.threads)
        other = onnx_session(stack.onnx(gated=False), arguments.threads)
        image = {"x": stack.image()}

        def on(share: float, session: pdrt.Session = gated, stack: Stack = stack) -> Any:
            feed = {"x": stack.image(), "gates": stack.gates(share)}
            return lambda: session.run(feed)

        contenders = {
            "plain": lambda session=plain, image=image: session.run(image),
            "all": on(1),
            "half": on(0.5),
            "quarter": on(0.25),
            "onnxruntime": lambda session=other, image=image: session.run(None, image),
        }
        times = interleaved(contenders, arguments.seconds, arguments.threads)
        plain.run(image)
        gflops = 2 * plain.last_run.macs_dense / times["plain"] / 1e6
        rows.append(
            {
                "stack": f"{stack.depth} x {stack.channels}->{stack.channels} 3x3, {stack.size}x{stack.size}",
                "plain ms": times["plain"],
                "GFLOP/s": gflops,
                "% of peak": 100 * gflops / (peak * arguments.threads),
                "switches cost %": 100 * (times["all"] / times["plain"] - 1),
                "1/2 x 1/2": times["all"] / times["half"],
                "1/4 x 1/4": times["all"] / times["quarter"],
                "ONNX Runtime ms": times["onnxruntime"],
                "it / pdrt plain": times["onnxruntime"] / times["plain"],
            }
        )
    table(f"Skipping, {arguments.threads} thread(s): times faster with half or a quarter of the kernels on", rows)
    return rows


def network_inputs() -> dict[str, tuple[str | bytes, dict[str, Any]]]:
    """Return each network with one real or random input: the digits first, then those of the data folder."""
    data = resources.files("pdrt") / "data"
    held_out = np.load(str(data / "digits_heldout.npz"))
    images = held_out["images"][:1].astype(np.float32)
    found: dict[str, tuple[str | bytes, dict[str, Any]]] = {
        "digits": (str(data / "digits.onnx"), {pdrt.Session(str(data / "digits.onnx")).inputs[0].name: images})
    }
    for file, shape in NETWORKS.items():
        if not (DATA / file).exists():
            print(f"  {file} is left out: not in {DATA} (PDRT_DATA names another folder)")
            continue
        name = pdrt.Session(str(DATA / file)).inputs[0].name
        image = np.random.default_rng(4).standard_normal(shape).astype(np.float32)
        found[file] = (str(DATA / file), {name: image})
    return found


def networks(arguments: argparse.Namespace, peak: float) -> list[dict[str, Any]]:
    """Measure whole networks beside ONNX Runtime."""
    rows = []
    for name, (model, feed) in network_inputs().items():
        ours = pdrt.Session(model, device="cpu", threads=arguments.threads)
        dense = pdrt.Session(model, device="cpu", threads=arguments.threads, skip=False)
        other = onnx_session(model, arguments.threads)
        contenders = {
            "pdrt": lambda session=ours, feed=feed: session.run(feed),
            "dense": lambda session=dense, feed=feed: session.run(feed),
            "onnxruntime": lambda session=other, feed=feed: session.run(None, feed),
        }
        times = interleaved(contenders, arguments.seconds, arguments.threads)
        ours.run(feed)
        stats = ours.last_run
        gflops = 2 * stats.macs_executed / times["pdrt"] / 1e6
        rows.append(
            {
                "network": name,
                "pdrt ms": times["pdrt"],
                "without skipping": times["dense"],
                "ONNX Runtime ms": times["onnxruntime"],
                "it / pdrt": times["onnxruntime"] / times["pdrt"],
                "MACs executed %": 100 * stats.macs_executed / max(stats.macs_dense, 1),
                "GFLOP/s": gflops,
                "% of peak": 100 * gflops / (peak * arguments.threads),
            }
        )
    table(f"Networks, {arguments.threads} thread(s), batch 1", rows)
    return rows


def plot(results: dict[str, Any], path: Path) -> None:
    """Draw what skipping gives, where matplotlib is installed."""
    try:
        import matplotlib
    except ImportError:
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = results["skipping"]
    figure, axes = pyplot.subplots(figsize=(8, 4), layout="constrained")
    places = np.arange(len(rows))
    for place, share, ideal in ((-0.2, "1/2 x 1/2", 4), (0.2, "1/4 x 1/4", 16)):
        bars = axes.bar(places + place, [row[share] for row in rows], 0.4, label=f"{share} on ({ideal} at best)")
        axes.bar_label(bars, fmt="%.1f", fontsize=9, label_type="center", color="white")
        axes.axhline(ideal, color=bars[0].get_facecolor(), linestyle=":", zorder=0)
    axes.set_xticks(places, [row["stack"].replace(", ", "\n") for row in rows], fontsize=8)
    axes.set_ylabel("times faster than all on")
    axes.set_title(f"{results['machine']['engine']}, {results['machine']['threads']} thread(s)", loc="left")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, fontsize=8)
    figure.savefig(path)
    print(f"plot: {path}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2, help="time for each row (2)")
    parser.add_argument("--threads", type=int, default=1, help="threads for both runtimes (1)")
    parser.add_argument("--only", choices=["layers", "skipping", "networks"], help="only one of the tables")
    arguments = parser.parse_args()

    peak = _core.measured_fma_peak()
    engine = _core.selected_engine()
    print(f"{engine}, measured peak {peak:.0f} GFLOP/s on one thread; ONNX Runtime {onnxruntime.__version__}")
    results: dict[str, Any] = {
        "machine": {
            "engine": engine,
            "peak_gflops_one_thread": peak,
            "threads": arguments.threads,
            "platform": platform.platform(),
            "onnxruntime": onnxruntime.__version__,
            "pdrt": pdrt.__version__,
        }
    }
    if arguments.only in (None, "layers"):
        layers(arguments)
    if arguments.only in (None, "skipping"):
        results["skipping"] = skipping(arguments, peak)
    if arguments.only in (None, "networks"):
        results["networks"] = networks(arguments, peak)

    path = save(results)
    if "skipping" in results:
        plot(results, path.with_suffix(".png"))


if __name__ == "__main__":
    main()
