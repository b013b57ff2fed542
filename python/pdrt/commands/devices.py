"""Lists the devices pdrt can run on, and says why it cannot use the others."""

import argparse
import sys

import pdrt
from pdrt import _core
from pdrt.commands._options import print_json
from pdrt.text import Style, align

HELP = "what this machine offers, and why not the rest"
EXAMPLES = """\
examples:
  pdrt devices
  pdrt devices --peak           measure what one thread can reach, too, and how far apart two are
  pdrt run … --device opencl:0  use a device by its name
  PDRT_OPENCL_LIBRARY=/path/libOpenCL.so pdrt devices   look there alone
  PDRT_ISA=portable pdrt run …  use another instruction set than the best
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument(
        "--peak", action="store_true", help="measure the multiply-add peak of one thread, and how far apart two are"
    )


def execute(options: argparse.Namespace) -> int:
    """Prints the devices, then the instruction sets."""
    devices = pdrt.devices()
    engine = _core.selected_engine()
    threads = _core.available_threads()
    peak = _core.measured_fma_peak() if options.peak else None
    two = _core.measured_two_threads() if options.peak and threads > 1 else None
    if options.json:
        print_json(
            {
                "devices": [device._asdict() for device in devices],
                "threads": threads,
                "instruction_sets": _core.engines(),
                "selected": engine,
                "fma_peak_gflops_per_thread": peak,
                "cache_line_round_trip_ns": two[0] if two else None,
                "fma_slowdown_of_two_threads": two[1] if two else None,
            }
        )
        return 0
    style = Style(sys.stdout)
    for device, lines in zip(devices, _rows(devices), strict=True):
        for line in lines:
            print(line if device.usable else style.dim(line))
    print(f"\ninstruction sets  {', '.join(_core.engines())} (in use: {engine})")
    print(f"threads           {threads}")
    if peak is not None:
        print(f"measured peak     {peak:.0f} GFLOP/s on one thread ({engine}, 2 per multiply-add)")
    if two is not None:
        print(f"two threads       {two[0]:.0f} ns for a cache line to go to the other one and back")
        print(f"                  {two[1]:.2f} times as long for multiply-adds while the other one does the same")
    return 0


def _rows(devices: list[pdrt.Device]) -> list[list[str]]:
    """Returns the lines of each device, those after the first under its details."""
    firsts = align([(device.name, "usable" if device.usable else "not usable", "") for device in devices])
    width = max(map(len, firsts)) + 2
    rows = []
    for device, first in zip(devices, firsts, strict=True):
        details = device.details.splitlines() or [""]
        rows.append([first.ljust(width) + details[0], *(" " * width + line for line in details[1:] if line.strip())])
    return rows
