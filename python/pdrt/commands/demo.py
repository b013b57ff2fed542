"""Reads handwritten digits with a small network that decides, for every picture, which of its kernels to run.

The pictures were held out of its training. Shown for a dozen of them: the picture, the answer, how many kernels of
each layer ran, and the multiply-adds (MACs) computed of all there are. Then, over all of them: how often the answer is
right, and the time with unneeded kernels skipped, with every kernel computed, and in ONNX Runtime where installed.
"""

import argparse
import itertools
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

import pdrt
from pdrt.commands import _onnxruntime
from pdrt.commands._options import print_json
from pdrt.commands._pictures import bar, draw, side_by_side
from pdrt.commands._timing import interleaved
from pdrt.text import Style, align, format_count, format_milliseconds

HELP = "see a network switch its kernels on and off"
EXAMPLES = """\
examples:
  pdrt demo
  pdrt demo --threads 2
  pdrt demo --json | jq .accuracy
"""

_SMALL = 0.01  # layers with a smaller part of all multiply-adds, the switches' own, are not listed


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument(
        "--threads", type=int, default=1, metavar="N", help="threads for everyone (default: %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="times each picture is timed (default: %(default)s)")


def execute(options: argparse.Namespace) -> int:
    """Runs the held-out pictures, then shows what happened."""
    if options.rounds < 1:
        raise pdrt.InputError(f"--rounds is 1 or more, not {options.rounds}")
    with resources.as_file(resources.files("pdrt") / "data") as folder:
        reading = read(folder, options.threads)
        times = time_each(folder, reading.images, options.threads, options.rounds)
    if options.json:
        print_json(report(reading, times, options))
    else:
        show(reading, times, options, Style(sys.stdout))
    return 0


@dataclass
class Reading:
    """What the network made of N pictures."""

    images: NDArray[numpy.float32]
    """[N, 1, height, width], 0 to 1."""
    labels: NDArray[numpy.int64]
    """What was written, (N,)."""
    answers: NDArray[numpy.int64]
    """What was read, (N,)."""
    macs_dense: int
    """Multiply-adds of the whole network for one picture."""
    macs: NDArray[numpy.int64]
    """Those each picture needed, (N,)."""
    layers: list[pdrt.LayerCounts]
    """The layers that do the work, with the kernels each picture needed."""
    difference: float
    """The largest difference of any score from the one with every kernel computed."""
    score: float
    """The largest magnitude of any score."""

    @property
    def share(self) -> NDArray[numpy.float64]:
        """Multiply-adds needed of all there are, for each picture, (N,)."""
        return self.macs / self.macs_dense

    @property
    def right(self) -> NDArray[numpy.bool_]:
        """Whether each picture was read right, (N,)."""
        return numpy.equal(self.answers, self.labels)

    def chosen(self) -> list[tuple[int, str]]:
        """Twelve pictures by number: the first of each digit, the one that needed least, the one that needed most."""
        first = [(int(numpy.argmax(self.labels == digit)), "") for digit in range(10)]
        return [*first, (int(self.macs.argmin()), "needs least"), (int(self.macs.argmax()), "needs most")]


def read(folder: Path, threads: int) -> Reading:
    """Runs all held-out pictures as one batch, with and without skipping."""
    with numpy.load(folder / "digits_heldout.npz") as heldout:
        images, labels = heldout["images"], heldout["labels"]
    model = pdrt.load(folder / "digits.pdrt")
    session = pdrt.Session(model, threads=threads)
    (scores,) = session.run({"image": images}).values()
    stats = session.last_run
    (dense,) = pdrt.Session(model, threads=threads, skip=False).run({"image": images}).values()
    macs_dense = stats.macs_dense // len(images)
    return Reading(
        images=images,
        labels=labels,
        answers=scores.argmax(axis=1),
        macs_dense=macs_dense,
        macs=stats.macs_per_sample,
        layers=[
            layer
            for layer in stats.layers
            if layer.kernels * layer.channels * layer.macs_per_pair >= _SMALL * macs_dense
        ],
        difference=float(numpy.abs(scores - dense).max()),
        score=float(numpy.abs(dense).max()),
    )


def time_each(folder: Path, images: NDArray[Any], threads: int, rounds: int) -> dict[str, NDArray[numpy.float64]]:
    """Times every picture on its own, the candidates taking turns; returns each picture's median time in ms."""
    model = pdrt.load(folder / "digits.pdrt")
    skipping = pdrt.Session(model, threads=threads)
    dense = pdrt.Session(model, threads=threads, skip=False)
    runs: dict[str, Callable[[dict[str, NDArray[Any]]], Any]] = {
        "pdrt, skipping": skipping.run,
        "pdrt, every kernel": dense.run,
    }
    if _onnxruntime.installed():
        reference, _, version = _onnxruntime.open_onnx(str(folder / "digits.onnx"), threads)
        runs[version] = reference
    singles = [{"image": images[i : i + 1]} for i in range(len(images))]

    def one_after_another(run: Callable[[dict[str, NDArray[Any]]], Any]) -> Callable[[], Any]:
        queue = itertools.cycle(singles)
        return lambda: run(next(queue))

    candidates = {name: one_after_another(run) for name, run in runs.items()}
    times = interleaved(candidates, runs=rounds * len(singles), warmup=len(singles))
    return {name: numpy.median(numpy.reshape(ms, (rounds, -1)), axis=0) for name, ms in times.items()}


def report(reading: Reading, times: dict[str, NDArray[Any]], options: argparse.Namespace) -> dict[str, Any]:
    """Returns everything the text shows, and each picture's counts, ready for JSON."""
    share = reading.share
    return {
        "images": len(reading.labels),
        "accuracy": float(reading.right.mean()),
        "macs_dense": reading.macs_dense,
        "macs_share": {
            "mean": float(share.mean()),
            "least": {"image": int(share.argmin()), "share": float(share.min())},
            "most": {"image": int(share.argmax()), "share": float(share.max())},
        },
        "layers": [
            {"name": layer.name, "kernels": layer.kernels, "mean_active": float(layer.active.mean())}
            for layer in reading.layers
        ],
        "largest_difference_from_every_kernel": reading.difference,
        "threads": options.threads,
        "rounds": options.rounds,
        "milliseconds": {
            name: {"median": float(numpy.median(ms)), "least": float(ms.min()), "most": float(ms.max())}
            for name, ms in times.items()
        },
        "each": [
            {
                "label": int(reading.labels[i]),
                "answer": int(reading.answers[i]),
                "macs": int(reading.macs[i]),
                "active": [int(layer.active[i]) for layer in reading.layers],
            }
            for i in range(len(reading.labels))
        ],
    }


def show(reading: Reading, times: dict[str, NDArray[Any]], options: argparse.Namespace, style: Style) -> None:
    """Prints the pictures and the figures."""
    columns = min(shutil.get_terminal_size((80, 24)).columns, 120)
    print(style.bold("\nHandwritten digits, each read with only the kernels that it needs\n"))
    width = max(17, reading.images.shape[3])
    for line in side_by_side([_card(reading, *chosen, style) for chosen in reading.chosen()], width, columns):
        print(line)
    names = ", ".join(layer.name for layer in reading.layers)
    kernels = ", ".join(str(layer.kernels) for layer in reading.layers)
    print(style.dim(f"Under each picture: what was read; kernels on in {names}"))
    print(style.dim(f"(of {kernels}); and the multiply-adds computed, of {format_count(reading.macs_dense)}.\n"))

    print(style.bold(f"All {len(reading.labels)} pictures, none of them seen in training"))
    wrong = int((~reading.right).sum())
    share = reading.share
    facts = [
        ["read right", f"{reading.right.mean():.1%}", f"{wrong} wrong"],
        ["MACs computed", f"{share.mean():.1%}", f"from {share.min():.1%} to {share.max():.1%}, by picture"],
        [
            "scores differ",
            f"{reading.difference:.2g}",
            f"at most from those of every kernel (they reach {reading.score:.0f})",
        ],
    ]
    for line in align(facts, right=(1,)):
        print(f"  {line}")

    print(style.bold("\nMACs computed, by the digit written"))
    for digit in range(10):
        mean = float(share[reading.labels == digit].mean())
        print(f"  {digit}  {style.accent(bar(mean, 40))} {mean:5.1%}")

    threads = "one thread" if options.threads == 1 else f"{options.threads} threads"
    print(style.bold("\nTime for one picture") + style.dim(f"  median of all; in turns, on {threads} each"))
    medians = {name: float(numpy.median(ms)) for name, ms in times.items()}
    slowest, width = max(medians.values()), max(map(len, medians))
    for name, median in medians.items():
        line = bar(median / slowest, 40)
        line = style.good(line) if name == "pdrt, skipping" else line
        print(f"  {name.ljust(width)}  {line} {format_milliseconds(median)}")
    least, most = (times["pdrt, skipping"][i] for i in (reading.macs.argmin(), reading.macs.argmax()))
    print(
        style.dim(
            f"  skipping: {format_milliseconds(least)} where least is needed, "
            f"{format_milliseconds(most)} where most is\n"
        )
    )


def _card(reading: Reading, number: int, remark: str, style: Style) -> list[tuple[str, int]]:
    image = reading.images[number, 0]
    lines = [(line, image.shape[1]) for line in draw(image, style)]
    answer, label = int(reading.answers[number]), int(reading.labels[number])
    if answer == label:
        said, shown = style.good(f"reads {answer}"), f"reads {answer}"
    else:
        shown = f"reads {answer}, is {label}"
        said = style.bad(shown)
    kernels = " ".join(f"{int(layer.active[number]):2d}" for layer in reading.layers)
    work = f"{reading.share[number]:.0%} {remark or 'of the MACs'}"
    return [*lines, (said, len(shown)), (kernels, len(kernels)), (style.dim(work), len(work))]
