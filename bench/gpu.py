"""What an OpenCL device gives: peaks, five well-known networks dense and gated, layers, switches, starts.

    .venv/bin/python bench/gpu.py                        all of it on the best OpenCL device: a quarter of an hour
    .venv/bin/python bench/gpu.py --quick                one network, two batches, shorter: for a first look, or a CPU
    .venv/bin/python bench/gpu.py --device opencl:1      another device, as `pdrt devices` numbers them
    .venv/bin/python bench/gpu.py --networks ResNet-50 --batches 1 32 --parts zoo layers
    .venv/bin/python bench/gpu.py --resume               go on with the latest run where it was cut off
    .venv/bin/python bench/gpu.py --show                 measure nothing; the latest run's tables and page once more

Parts: peaks (multiply-adds, memory, transfers, launches), zoo (networks in each precision, beside PyTorch CUDA, eager
and as CUDA graphs, ONNX Runtime CUDA and pdrt's CPU engine, where they are installed), layers (every step of the dense
networks as a share of the peak), switch (what one decision costs), start (cold and warm). All compute in 32-bit floats,
without TF32, unless a row names another precision.
Contenders take turns, call by call, and medians count; all take the image from the host's memory and leave the logits
there, unless a column says otherwise. Numbers (JSON), a picture and a page go to bench/results/gpu-*;
bench/README.md says what the columns mean.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import shlex
import subprocess
import sys
from importlib import metadata

import page
import pdrt
from context import Bench
from parts import gpu_picture, gpu_start, gpu_switch, gpu_zoo
from parts.zoo_files import prepared
from pdrt import _core
from report import Table, text
from results_file import Results
from run import processor
from zoo import NETWORKS

PARTS = ("peaks", "zoo", "layers", "switch", "start")
ZOO_PARTS = {"zoo", "layers", "start"}
QUICK_NETWORKS = ("SqueezeNet 1.1",)
DENSITIES = (0.75, 0.5, 0.25)
SHOWN = 10  # layers of each network on the terminal
PREFIX = "gpu-"


def machine(device: str) -> dict[str, object]:
    """Return what the figures depend on."""
    found: dict[str, object] = {
        "device": pdrt.Session(gpu_switch.network(False), device=device).explain().device,
        "processor": processor(),
        "cores": os.cpu_count(),
        "platform": platform.platform(),
        "load_at_start": os.getloadavg()[0],
        "pdrt": pdrt.__version__,
        "command": shlex.join([os.path.basename(sys.executable), *sys.argv]),
    }
    for package in ("torch", "onnxruntime", "onnxruntime-gpu", "pyopencl"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def measure(bench: Bench, options: dict) -> None:
    """Measure what is asked for and not known yet."""
    parts, device, results = set(options["parts"]), options["device"], bench.results
    if "switch" in parts and bench.wanted("gpu switch", device, "one switch, and none"):
        results.add("gpu switch", device, gpu_switch.measure(bench, device))
    for name in options["networks"]:
        tasks = [("gpu zoo", batch) for batch in options["batches"] if "zoo" in parts]
        tasks += [("gpu layers", batch) for batch in options["batches"] if "layers" in parts]
        tasks += [("gpu start", 1)] if "start" in parts else []
        missing = [task for task in tasks if not results.has(task[0], f"{name}, {task[1]}")]
        if not missing:
            continue
        bench.say(f"{name}: building it, dense and gated")
        with prepared(name, bench.densities, ("pdrt", "ONNX Runtime")) as files:
            for part, batch in missing:
                bench.say(f"{name}: {part.removeprefix('gpu ')}, batch {batch}")
                key = f"{name}, {batch}"
                try:
                    if part == "gpu zoo":
                        row = gpu_zoo.measure(bench, files, batch, device)
                    elif part == "gpu layers":
                        row = {"network": name, "batch": batch, "steps": gpu_zoo.layers(files, batch, device)}
                    else:
                        row = gpu_start.measure(files, device, bench.repeats)
                except (gpu_zoo.NotMeasuredError, pdrt.DeviceError, subprocess.TimeoutExpired) as problem:
                    why = f"{name}, {part.removeprefix('gpu ')}, batch {batch}: {problem}"
                    print(f"  left out: {why}")
                    results.add("gpu left out", f"{part}, {key}", {"why": why})
                    continue
                results.add(part, key, row)
                gc.collect()


def tables(bench: Bench, every_layer: bool) -> list[Table]:
    """Return all tables that have rows."""
    found = [
        Table("Peaks", "measured by programs that do nothing else; the networks are compared with them.", peaks(bench)),
        Table(
            "Dense",
            "medians, image and logits in the host's memory; 'on the device': without moving them. 'it / pdrt' above "
            "1: pdrt is faster. GFLOP/s are those of the work on the device.",
            gpu_zoo.dense_table(bench),
        ),
        Table(
            "Precision",
            "dense, as above; float16 stores planes as halves, float16-arithmetic multiplies halves, too, on devices "
            "that have cl_khr_fp16. Errors beside ONNX Runtime on the CPU.",
            gpu_zoo.precision_table(bench),
        ),
        Table(
            "Gated",
            "conversion: dense time x needed share / gated time; 1: all that is saved arrives. 'of work': of the "
            "device's own work, without waiting and moving. waits: how often the host waits to decide.",
            gpu_zoo.gated_table(bench),
        ),
        Table(
            "One switch",
            "two 1x1 convolutions; with a switch between them, decided on the CPU or on the device.",
            gpu_switch.table(bench),
        ),
        Table("Start", "fresh processes, from the file to the first result; dense.", gpu_start.table(bench)),
    ]
    for row in bench.results.rows("gpu layers"):
        steps = [step for step in row["steps"] if step["macs"]]
        slowest = sorted((step["ms"] for step in steps), reverse=True)[: len(steps) if every_layer else SHOWN]
        shown = [
            {
                **{head: value for head, value in step.items() if head != "macs"},
                "M multiply-adds": step["macs"] / 1e6,
                "% of peak": 100 * step["GFLOP/s"] / bench.peak if step["GFLOP/s"] != "-" else "-",
            }
            for step in steps
            if slowest and step["ms"] >= slowest[-1]
        ]
        note = "times by the device's clock" + ("" if every_layer else f"; the {len(shown)} slowest, in order")
        found.append(Table(f"Layers of {row['network']}, batch {row['batch']}", note, shown))
    return [table for table in found if table.rows]


def peaks(bench: Bench) -> list[dict[str, object]]:
    """Return what the device could do at best, one row."""
    return [
        {
            "multiply-adds, GFLOP/s": row["gflops"],
            "memory, GB/s": row["gigabytes_per_second"],
            "to the device, GB/s": row["to_device"],
            "to the host, GB/s": row["to_host"],
            "a launch waited for, us": row["launch_microseconds"],
        }
        for row in bench.results.rows("gpu peaks")
    ]


def show(bench: Bench) -> None:
    """Print the tables and write the page, and say what is missing and why."""
    for table in tables(bench, every_layer=False):
        print(f"\n{text(table)}")
    missing = {
        f"{name}: {why}" for row in bench.results.rows("gpu zoo") for name, why in row.get("missing", {}).items()
    }
    missing |= {row["why"] for row in bench.results.rows("gpu left out")}
    for line in sorted(missing):
        print(f"\nleft out: {line}")
    machine, path = bench.results.machine, bench.results.path
    picture = path.with_suffix(".png")
    drawn = gpu_picture.draw(bench, picture)
    page.write(bench, tables(bench, every_layer=True), picture if drawn else None, path.with_suffix(".html"))
    print(f"\nmeasured on {machine['device']} beside {machine['processor']} ({machine['cores']} cores)")
    print(f"with {machine['command']}; load average {machine['load_at_start']:.1f} at the start")
    print(f"numbers: {path}\npage:    {path.with_suffix('.html')}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="opencl", help="as `pdrt devices` names it (%(default)s: the best)")
    parser.add_argument("--quick", action="store_true", help=f"only {QUICK_NETWORKS[0]}, batches of 1 and 8, shorter")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), metavar="NAME", help=", ".join(NETWORKS))
    parser.add_argument("--batches", type=int, nargs="+", metavar="N", help="images at once (1 8 32)")
    parser.add_argument("--seconds", type=float, help="for each measurement that takes turns (6; quick 1)")
    parser.add_argument("--resume", action="store_true", help="go on with the latest run, as it was asked for")
    parser.add_argument("--show", action="store_true", help="measure nothing; the latest run once more")
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    if not arguments.device.startswith("opencl"):
        raise SystemExit(f"--device {arguments.device}: this measures OpenCL devices; `pdrt devices` lists them")
    again = arguments.resume or arguments.show
    results = Results.last(PREFIX) if again else Results.fresh(PREFIX)
    if results is None:
        raise SystemExit("there is no earlier run on a device in bench/results")
    if again:
        options = results.content["options"]
    else:
        options = {
            "device": arguments.device,
            "parts": arguments.parts,
            "networks": arguments.networks or list(QUICK_NETWORKS if arguments.quick else NETWORKS),
            "batches": arguments.batches or ([1, 8] if arguments.quick else [1, 8, 32]),
            "seconds": arguments.seconds or (1.0 if arguments.quick else 6.0),
            "densities": [0.5] if arguments.quick else list(DENSITIES),
            "repeats": 1 if arguments.quick else 3,
        }
        try:
            results.content.update(options=options, machine=machine(options["device"]))
        except pdrt.DeviceError as error:
            raise SystemExit(f"{error}\n`pdrt devices` lists what there is.") from None
        results.save()
    if not results.has("gpu peaks", options["device"]) and not arguments.show:
        print("measuring what the device could do at best", flush=True)
        results.add("gpu peaks", options["device"], _core.device_peaks(options["device"]))
    (peaks_row,) = results.rows("gpu peaks")
    bench = Bench(
        results,
        peaks_row["gflops"],
        (0,),
        options["seconds"],
        tuple(options["densities"]),
        options["repeats"],
        _steps(options),
    )
    if not arguments.show:
        print(f"{results.machine['device']}, measured peak {bench.peak:.0f} GFLOP/s; {results.path}")
        measure(bench, options)
    show(bench)


def _steps(options: dict) -> int:
    """Return how many progress lines the run will print."""
    parts, batches = set(options["parts"]), len(options["batches"])
    each = 1 + batches * len(parts & {"zoo", "layers"}) + ("start" in parts)
    return len(options["networks"]) * each * bool(parts & ZOO_PARTS) + ("switch" in parts)


if __name__ == "__main__":
    main()
