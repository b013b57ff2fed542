"""Measures every way to compute each convolution of a model on this machine, and keeps the result for later sessions.

There are several ways to compute a convolution: visiting its taps, or Winograd's algorithm with tiles of 2x2, 4x4 or
6x6 pixels. Which is fastest depends on the layer, on the machine, and on how many kernels and channels are on for the
image at hand; pdrt decides for every image, by expected costs. This command replaces what is expected by what is
measured. It takes some seconds per network, and holds for every model with the same layers.

On an OpenCL device the ways are tiles of several sizes, Winograd's algorithm, and the CPU beside the device, to which
the planes of the layer would have to move and back.
"""

import argparse
import sys
from typing import Any

import pdrt
from pdrt import _core
from pdrt.commands._options import PRECISIONS, add_model, add_shapes, chosen_shapes, print_json
from pdrt.text import Style, align, format_milliseconds

HELP = "measure on this machine which way to compute each layer is fastest"
EXAMPLES = """\
examples:
  pdrt tune net.pdrt
  pdrt tune net.pdrt --device opencl              the OpenCL programs, and which layers the CPU should run
  pdrt tune net.onnx --shape 1x3x320x240          for images of another size
  pdrt tune net.pdrt --cache-dir /var/cache/pdrt  and later: pdrt.Session("net.pdrt", cache_dir="/var/cache/pdrt")

The result is kept in $PDRT_CACHE_DIR, else in pdrt/ in $XDG_CACHE_HOME or ~/.cache, where sessions look for it;
'pdrt inspect' says which file a session uses. Run it while the machine has nothing else to do.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    add_model(parser)
    add_shapes(parser)
    parser.add_argument(
        "--device", default="cpu", help="cpu (the default), or an OpenCL device: opencl, opencl:1; see 'pdrt devices'"
    )
    parser.add_argument(
        "--precision", choices=PRECISIONS, default="float32", help="of sessions on the device (default: %(default)s)"
    )
    parser.add_argument("--cache-dir", default="", metavar="DIR", help="where to keep the result")


def execute(options: argparse.Namespace) -> int:
    """Measures, then prints a line for each layer."""
    model = pdrt.load(options.model)
    shapes = chosen_shapes(options, model.inputs)
    layers = _core.tune(
        model,
        options.device,
        options.cache_dir,
        [list(shape) for shape in shapes.values()],
        _show_progress,
        options.precision,
    )
    session = pdrt.Session(
        model,
        device=options.device,
        threads=1,
        fallback="cpu",
        cache_dir=options.cache_dir or None,
        precision=options.precision,
    )
    costs = session.explain(shapes)
    if options.json:
        print_json({"model": options.model, "layers": layers, "costs": costs.costs})
    else:
        _print_layers(layers, costs.costs)
    return 0


def _show_progress(done: int, total: int) -> None:
    """Draws a bar on a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        return
    width = 40
    filled = width * done // total
    end = "\n" if done == total else ""
    sys.stderr.write(f"\rmeasuring [{'#' * filled}{'.' * (width - filled)}] {done}/{total}{end}")
    sys.stderr.flush()


def _print_layers(layers: list[dict[str, Any]], costs: str) -> None:
    style = Style(sys.stdout)
    shares = {"all_ms": "100 %"}
    if any(way["half_ms"] for layer in layers for way in layer["ways"]):
        print(style.dim("milliseconds on one thread, with all, half and a quarter of kernels and channels on\n"))
        shares |= {"half_ms": "50 %", "quarter_ms": "25 %"}
    else:
        print(style.dim("milliseconds with everything on\n"))
    rows = [["layer", "", "way", *shares.values()]]
    for layer in layers:
        fastest = {share: min(way[share] for way in layer["ways"]) for share in shares}
        for index, way in enumerate(layer["ways"]):
            times = [
                format_milliseconds(way[share]) + (" *" if way[share] == least else "  ")
                for share, least in fastest.items()
            ]
            rows.append([layer["name"] if index == 0 else "", layer["key"] if index == 0 else "", way["name"], *times])
    for line in align(rows, right=tuple(range(3, 3 + len(shares))), rule=True):
        print(line)
    print(f"\n* the fastest. Costs: {costs}")
