"""A picture of a run on a device: dense networks beside the others, and what gates give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from context import Bench
from page import FAINT, INK, NETWORK_COLOURS
from parts.gpu_zoo import OTHERS
from report import cell

Row = dict[str, Any]
COLOURS = {
    "torch eager": "#b0a16b",
    "torch graphs": "#58a07c",
    "ONNX Runtime CUDA": "#5b8bbd",
    "pdrt on the CPU": "#7d6ba8",
}


def draw(bench: Bench, path: Path) -> bool:
    """Draw the smallest and the largest batch; return False where matplotlib or the numbers are missing."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = bench.results.rows("gpu zoo")
    if not rows:
        return False
    batches = sorted({row["batch"] for row in rows})
    batches = batches if len(batches) == 1 else [batches[0], batches[-1]]
    pyplot.rcParams.update({"font.size": 10, "text.color": INK, "axes.edgecolor": FAINT, "axes.labelcolor": INK})
    size = (14, 4.5 * len(batches))
    figure, axes = pyplot.subplots(len(batches), 2, figsize=size, layout="constrained", squeeze=False)
    for line, batch in zip(axes, batches, strict=True):
        here = [row for row in rows if row["batch"] == batch]
        _dense(line[0], here, batch)
        _gates(line[1], here, batch)
        for place in line:
            place.spines[["top", "right"]].set_visible(False)
            place.tick_params(colors=INK, length=0)
    machine = bench.results.machine
    title = f"pdrt {machine['pdrt']} on {machine['device']}, 32-bit floats, 224x224"
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
    return True


def _dense(axes: Any, rows: list[Row], batch: int) -> None:
    """Draw every contender's time as a share of pdrt's on the device."""
    present = [name for name in OTHERS if any(name in row["ms"] for row in rows)]
    width = 0.8 / max(1, len(present))
    for index, name in enumerate(present):
        shares = [row["ms"].get(name, 0) / row["ms"]["dense"] for row in rows]
        places = [place + (index - (len(present) - 1) / 2) * width for place in range(len(rows))]
        bars = axes.bar(places, shares, width * 0.92, label=name, color=COLOURS[name])
        axes.bar_label(bars, [cell(float(x)) if x else "" for x in shares], fontsize=8, padding=2, color=INK)
    axes.axhline(1, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=3)
    axes.set_xlim(-0.6, len(rows) - 0.4)
    axes.set_xticks(range(len(rows)), [f"{row['network']}\n{cell(row['ms']['dense'])} ms" for row in rows])
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)
    axes.set_title(f"Dense, batch {batch}: time over pdrt's (above 1: pdrt is faster)", loc="left", fontsize=11, pad=22)
    axes.legend(ncols=max(1, len(present)), frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(-0.01, 0.985))


def _gates(axes: Any, rows: list[Row], batch: int) -> None:
    """Draw the time of gated networks over the share of multiply-adds they need, both of dense."""
    axes.plot([0, 100], [0, 100], color=FAINT, linestyle=":", label="all that the arithmetic allows")
    highest = 100.0
    for row, colour in zip(rows, NETWORK_COLOURS, strict=False):
        dense = row["ms"]["dense"]
        needed = [100 * value / row["macs"] for value in row["needed"].values()]
        spent = [100 * row["ms"][key] / dense for key in row["needed"]]
        highest = max(highest, *spent)
        axes.plot(needed, spent, "o-", color=colour, label=row["network"], markersize=5)
    axes.set_xlim(0, 105)
    axes.set_ylim(0, 1.05 * highest)
    axes.set_xlabel("multiply-adds that the image needs, % of dense")
    axes.set_title(f"Gated, batch {batch}: time, % of pdrt's without gates", loc="left", fontsize=11, pad=22)
    axes.legend(frameon=False, fontsize=9, loc="upper left")
