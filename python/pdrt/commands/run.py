"""Runs a model once, on a picture or on arrays, and prints its answer."""

import argparse
import sys
import zipfile
from typing import Any

import numpy
from numpy.typing import NDArray

import pdrt
from pdrt.commands._images import SUFFIXES, add_image, load_image
from pdrt.commands._options import (
    add_model,
    add_session,
    by_input_name,
    load_array,
    open_session,
    print_json,
    shape_text,
)
from pdrt.text import Style, align, format_count, format_milliseconds

HELP = "run a model on a picture or an array"
EXAMPLES = """\
examples:
  pdrt run net.pdrt --input cat.jpg --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --labels classes.txt
  pdrt run squeezenet.onnx --input cat.jpg --bgr --scale 1 --mean 104,117,123
  pdrt run net.pdrt --input x.npy --save y.npy
  pdrt run net.pdrt --input left=l.npy --input right=r.npy --output depth --save depth.npy
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    add_model(parser)
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        required=True,
        metavar="[NAME=]FILE",
        help="a picture or a .npy array, by input name where the model has several; may be repeated",
    )
    parser.add_argument(
        "--output", action="append", metavar="NAME", help="a value of the graph to return; may be repeated"
    )
    parser.add_argument("--save", metavar="FILE", help="write the outputs: .npy for a single one, .npz for any number")
    parser.add_argument("--top", type=int, default=5, metavar="K", help="classes to print (default: %(default)s)")
    parser.add_argument("--labels", metavar="FILE", help="names of the classes, one per line")
    parser.add_argument("--softmax", action="store_true", help="turn the scores into probabilities before printing")
    add_session(parser)
    add_image(parser)


def execute(options: argparse.Namespace) -> int:
    """Runs and prints: the best classes of a row of scores, the range of anything else."""
    if options.top < 1:
        raise pdrt.InputError(f"--top is 1 or more, not {options.top}")
    session = open_session(options, options.model, outputs=options.output)
    if options.save is not None:
        _require_savable(options.save, len(session.outputs))
    labels = _read_labels(options.labels)
    files = by_input_name(options.input, session.inputs, "--input")
    inputs = {spec.name: _load(files[spec.name], spec, options) for spec in session.inputs if spec.name in files}
    outputs = session.run(inputs)
    stats = session.last_run
    if options.save is not None:
        _save(options.save, outputs)
    if options.json:
        print_json(
            {
                "model": options.model,
                "outputs": [_summary(name, array, labels, options) for name, array in outputs.items()],
                "macs_dense": stats.macs_dense,
                "macs_executed": stats.macs_executed,
                "milliseconds": stats.milliseconds,
                "saved": options.save,
            }
        )
        return 0
    style = Style(sys.stdout)
    for name, array in outputs.items():
        print(style.bold(f"{name} {shape_text(array.shape)} {array.dtype}"))
        for line in _lines(_summary(name, array, labels, options)):
            print(f"  {line}")
    work = f"{format_count(stats.macs_executed)} of {format_count(stats.macs_dense)} MACs ({stats.share:.0%})"
    print(style.dim(f"{work}, {format_milliseconds(stats.milliseconds)} (a first run; for times, see 'pdrt bench')"))
    if options.save is not None:
        print(f"saved {options.save}")
    return 0


def _load(path: str, spec: pdrt.Spec, options: argparse.Namespace) -> NDArray[Any]:
    if path.lower().endswith(SUFFIXES):
        return load_image(path, spec, options)
    if path.lower().endswith(".npy"):
        return load_array(path)
    raise pdrt.InputError(f"{path}: an input is a .npy array or a picture ({' '.join(SUFFIXES)})")


def _read_labels(path: str | None) -> list[str]:
    if path is None:
        return []
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()


def _summary(name: str, array: NDArray[Any], labels: list[str], options: argparse.Namespace) -> dict[str, Any]:
    """The best classes where the output is one row of scores, else its range."""
    report: dict[str, Any] = {"name": name, "shape": list(array.shape), "dtype": str(array.dtype)}
    scores = array.reshape(-1)
    if array.dtype.kind == "f" and scores.size > 1 and scores.size == array.shape[-1 if array.ndim < 3 else 1]:
        if options.softmax:
            scores = numpy.exp(scores - scores.max())
            scores = scores / scores.sum()
        best = numpy.argsort(-scores, kind="stable")[: options.top]
        report["top"] = [
            {"class": int(i), "label": labels[i] if i < len(labels) else None, "score": float(scores[i])} for i in best
        ]
    elif scores.size and array.dtype.kind != "b":
        report |= {"min": float(scores.min()), "mean": float(scores.mean()), "max": float(scores.max())}
    return report


def _lines(summary: dict[str, Any]) -> list[str]:
    if "top" in summary:
        return align(
            [[f"{row['score']:.4f}", str(row["class"]), row["label"] or ""] for row in summary["top"]], right=(0, 1)
        )
    if "min" in summary:
        return [f"min {summary['min']:.6g}  mean {summary['mean']:.6g}  max {summary['max']:.6g}"]
    return []


def _require_savable(path: str, count: int) -> None:
    if not path.endswith((".npy", ".npz")):
        raise pdrt.InputError(f"--save {path}: the name ends in .npy or .npz")
    if path.endswith(".npy") and count != 1:
        raise pdrt.InputError(
            f"--save {path}: a .npy file holds one array and there are {count} outputs; "
            "choose one with --output, or save an .npz"
        )


def _save(path: str, outputs: dict[str, NDArray[Any]]) -> None:
    if path.endswith(".npy"):
        with open(path, "wb") as file:
            (array,) = outputs.values()
            numpy.save(file, array)
        return
    with zipfile.ZipFile(path, "w") as archive:  # numpy.savez would refuse an output called "file"
        for name, array in outputs.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                numpy.lib.format.write_array(member, array, allow_pickle=False)
