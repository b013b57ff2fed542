"""`make bench`: pdrt beside the other runtimes, what skipping gives, memory, start-up, batches and threads.

    .venv/bin/python bench/run.py                      everything, about ten minutes
    .venv/bin/python bench/run.py --quick              two networks, shorter: a minute or two
    .venv/bin/python bench/run.py --resume             go on with the latest run where it was cut off
    .venv/bin/python bench/run.py --show               print the latest run's tables again, and make its page
    .venv/bin/python bench/run.py --parts zoo --networks ResNet-18 VGG-16 --threads 1

Numbers (JSON), a picture and a page go to bench/results/. bench/README.md says what the columns mean.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
from importlib import metadata
from pathlib import Path

import page
import pdrt
from context import Bench
from parts import alone, batch, layers, sessions, skipping, trained, zoo_speed
from parts.zoo_files import prepared
from pdrt import _core
from peers import RUNTIMES
from report import tables, text
from results_file import Results
from zoo import NETWORKS

PARTS = ("zoo", "alone", "batch", "skipping", "trained", "sessions", "layers")
DENSITIES = (1.0, 0.75, 0.5, 0.25)
QUICK_NETWORKS = ("SqueezeNet 1.1", "ResNet-18")
ZOO_PARTS = {"zoo", "alone", "batch"}


def zoo(bench: Bench, parts: set[str], names: list[str]) -> None:
    """Measure the well-known networks, one after another, each with all that is done with its files."""
    for name in names:
        tasks = [("zoo", threads) for threads in bench.threads if "zoo" in parts]
        tasks += [("alone", 1)] if "alone" in parts else []
        tasks += [("batch", threads) for threads in bench.threads if "batch" in parts]
        missing = [task for task in tasks if not bench.results.has(task[0], f"{name}, {task[1]}")]
        if not missing:
            bench.say(f"{name} (known)")
            continue
        bench.say(f"{name}: building it, dense and gated, and converting it for every runtime")
        with prepared(name, bench.densities) as files:
            for part, threads in missing:
                bench.say(f"{name}: {part}, {threads} thread(s)")
                if part == "zoo":
                    row = zoo_speed.measure(bench, files, threads)
                elif part == "alone":
                    row = alone.measure(bench, files)
                else:
                    row = batch.measure(bench, files, threads)
                bench.results.add(part, f"{name}, {threads}", row)
                gc.collect()  # sessions of hundreds of megabytes


def machine() -> dict[str, object]:
    """Return what the figures depend on."""
    found: dict[str, object] = {
        "processor": processor(),
        "cores": os.cpu_count(),
        "engine": _core.selected_engine(),
        "peak_gflops_one_thread": _core.measured_fma_peak(),
        "platform": platform.platform(),
        "load_at_start": os.getloadavg()[0],
        "pdrt": pdrt.__version__,
    }
    for name, kind in RUNTIMES.items():
        if name != "pdrt":
            try:
                found[name] = metadata.version(kind.package)
            except metadata.PackageNotFoundError:
                found[name] = "not installed"
    return found


def processor() -> str:
    """Return the processor's name as Linux gives it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"only {' and '.join(QUICK_NETWORKS)}, shorter")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), metavar="NAME", help=", ".join(NETWORKS))
    parser.add_argument("--threads", type=int, nargs="+", metavar="N", help="numbers of threads (1 and 2)")
    parser.add_argument("--seconds", type=float, help="for each measurement that takes turns (4; quick 1)")
    parser.add_argument("--best", action="store_true", help="fastest calls in place of medians, for busy machines")
    parser.add_argument("--resume", action="store_true", help="go on with the latest run, as it was asked for")
    parser.add_argument("--show", action="store_true", help="measure nothing; the latest run once more")
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    results = Results.last() if arguments.resume or arguments.show else Results.fresh()
    if results is None:
        raise SystemExit("there is no earlier run in bench/results")
    if arguments.resume or arguments.show:
        options = results.content["options"]
    else:
        cores = _core.available_threads()
        options = {
            "parts": arguments.parts,
            "networks": arguments.networks or list(QUICK_NETWORKS if arguments.quick else NETWORKS),
            "threads": arguments.threads or sorted({1, min(2, cores)}),
            "seconds": arguments.seconds or (1.0 if arguments.quick else 4.0),
            "densities": [1.0, 0.5] if arguments.quick else list(DENSITIES),
            "repeats": 1 if arguments.quick else 7,
        }
        results.content.update(options=options, machine=machine())
        results.save()
    measured, parts, threads = results.machine, set(options["parts"]), tuple(options["threads"])
    bench = Bench(
        results,
        measured["peak_gflops_one_thread"],
        threads,
        options["seconds"],
        tuple(options["densities"]),
        options["repeats"],
        _steps(options),
    )
    if not arguments.show:
        print(
            f"{measured['processor']}, {measured['engine']}, measured peak "
            f"{bench.peak:.0f} GFLOP/s on one thread; {results.path}"
        )
        if parts & ZOO_PARTS:
            zoo(bench, parts, options["networks"])
        for name, part in (("skipping", skipping), ("trained", trained), ("sessions", sessions), ("layers", layers)):
            if name in parts:
                part.run(bench)
        measured["load_at_end"] = os.getloadavg()[0]
        results.save()
    show(bench, "best" if arguments.best else "median")


def show(bench: Bench, statistic: str) -> None:
    """Print the tables, draw the picture and write the page."""
    found = list(tables(bench, statistic))
    for table in found:
        print(f"\n{text(table)}")
    for row in bench.results.rows("layers"):
        print(f"\nLayers by themselves, one thread\n{row['text']}")
    path = bench.results.path
    picture = path.with_suffix(".png")
    drawn = page.draw(bench, statistic, picture)
    page.write(bench, found, picture if drawn else None, path.with_suffix(".html"))
    load = bench.results.machine
    print(f"\nload average on {load['cores']} cores: {load['load_at_start']:.1f}", end="")
    print(f" at the start, {load['load_at_end']:.1f} at the end" if "load_at_end" in load else " at the start")
    print(f"numbers: {path}\npage:    {path.with_suffix('.html')}")


def _steps(options: dict) -> int:
    """Return how many progress lines the run will print."""
    threads, parts = len(options["threads"]), options["parts"]
    each = 1 + threads * ("zoo" in parts) + ("alone" in parts) + threads * ("batch" in parts)
    steps = each * len(options["networks"]) if ZOO_PARTS & set(parts) else 0
    steps += threads * len(skipping.STACKS) * ("skipping" in parts)
    steps += threads * len(trained.inputs()) * ("trained" in parts) + ("layers" in parts)
    return steps + (1 + max(options["threads"])) * ("sessions" in parts)


if __name__ == "__main__":
    main()
