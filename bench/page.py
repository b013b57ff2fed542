"""What a benchmark run looks like: a picture, and a page with the picture and all tables."""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from context import Bench
from parts import alone
from parts.zoo_speed import fastest_peer
from peers import RUNTIMES
from report import Table, cell

Row = dict[str, Any]
COLOURS = {
    "pdrt": "#d1495b",
    "ONNX Runtime": "#5b8bbd",
    "OpenVINO": "#7d6ba8",
    "ncnn": "#58a07c",
    "MNN": "#b0a16b",
}
LABEL_GAP = 0.11  # between labelled dots, in logarithms
INK, FAINT = "#222222", "#8a8a8a"
NETWORK_COLOURS = ("#1b6ca8", "#2a9d8f", "#8ab17d", "#e9a23b", "#d1495b")


def draw(bench: Bench, statistic: str, path: Path) -> bool:
    """Draw speed, gates, start and memory; return False where matplotlib or the numbers are missing."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot

    speed = [row for row in bench.results.rows("zoo") if row["threads"] == min(bench.threads)]
    starts = bench.results.rows("alone")
    if not speed and not starts:
        return False
    pyplot.rcParams.update({"font.size": 10, "text.color": INK, "axes.edgecolor": FAINT, "axes.labelcolor": INK})
    count = bool(speed) + bool(starts)  # rows of two: only what was measured
    figure, axes = pyplot.subplots(count, 2, figsize=(14, 4.5 * count), squeeze=False, layout="constrained")
    rows = iter(axes)
    for place in axes.flat:
        place.spines[["top", "right"]].set_visible(False)
        place.tick_params(colors=INK, length=0)
    if speed:
        left, right = next(rows)
        _speed(left, speed, statistic)
        _gates(right, speed, statistic)
    if starts:
        ready, memory = _by_network(starts, alone.ready_ms), _by_network(starts, alone.own_mib)
        left, right = next(rows)
        _dots(left, ready, "From the file to being ready, milliseconds (left is better)")
        _dots(right, memory, "Memory to load and run, MiB over the imports (left is better)")
    for place in axes.flat:
        place.set_visible(place.has_data())
    machine = bench.results.machine
    figure.suptitle(
        f"pdrt {machine['pdrt']} on {machine['processor']}, {machine['engine']}, 32-bit floats, batch 1, 224x224",
        x=0.01,
        ha="left",
        fontsize=13,
    )
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
    return True


def _by_network(rows: Sequence[Row], figure: Callable[[Row], float]) -> dict[str, dict[str, float]]:
    return {row["network"]: {name: figure(of) for name, of in row["runtimes"].items()} for row in rows}


def _speed(axes: Any, rows: Sequence[Row], statistic: str) -> None:
    """Draw every runtime's dense time as a share of pdrt's, so that networks of any size stand beside each other."""
    shares = {
        row["network"]: {k: row[statistic][k] / row[statistic]["pdrt"] for k in RUNTIMES if k in row[statistic]}
        for row in rows
    }
    _bars(axes, shares, "Dense, time over pdrt's (above 1: pdrt is faster)")
    axes.axhline(1, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=3)
    names = [f"{row['network']}\n{cell(row[statistic]['pdrt'])} ms" for row in rows]
    axes.set_xticks(range(len(rows)), names)


def _bars(axes: Any, values: dict[str, dict[str, float]], title: str) -> None:
    """Draw a group of bars for each network."""
    present = [name for name in RUNTIMES if any(name in group for group in values.values())]
    width = 0.8 / max(1, len(present))
    for index, name in enumerate(present):
        places = [place + (index - (len(present) - 1) / 2) * width for place in range(len(values))]
        heights = [group.get(name, 0) for group in values.values()]
        bars = axes.bar(places, heights, width * 0.92, label=name, color=COLOURS[name])
        axes.bar_label(bars, [cell(float(x)) if x else "" for x in heights], fontsize=7, padding=2, color=INK)
    axes.set_xticks(range(len(values)), list(values))
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)
    axes.set_title(title, loc="left", fontsize=11, pad=22)
    axes.legend(ncols=len(present), frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(-0.01, 0.985))


def _dots(axes: Any, values: dict[str, dict[str, float]], title: str) -> None:
    """Draw a line for each network with a dot for each runtime, on a scale of powers of ten."""
    from matplotlib import ticker

    present = [name for name in RUNTIMES if any(name in group for group in values.values())]
    for place, group in enumerate(values.values()):
        axes.plot([min(group.values()), max(group.values())], [place] * 2, color="#d8d8d8", linewidth=1, zorder=1)
        labelled: list[float] = []
        for name in present:  # pdrt first, so that it has its label and lies on top
            if name not in group:
                continue
            axes.plot([group[name]], [place], "o", color=COLOURS[name], markersize=9, zorder=4 - (name != "pdrt"))
            if all(abs(math.log(group[name] / other)) > LABEL_GAP for other in labelled):
                labelled.append(group[name])
                axes.annotate(
                    cell(float(group[name])),
                    (group[name], place),
                    (0, 9),
                    textcoords="offset points",
                    ha="center",
                    fontsize=8,
                    color=COLOURS[name],
                )
    for name in present:
        axes.plot([], [], "o", color=COLOURS[name], markersize=8, label=name)
    axes.set_xscale("log", subs=[])
    axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda x, _: f"{x:g}"))
    axes.set_ylim(len(values) - 0.5, -0.6)
    axes.set_yticks(range(len(values)), list(values))
    axes.grid(axis="x", color="#eeeeee")
    axes.set_axisbelow(True)
    axes.set_title(title, loc="left", fontsize=11, pad=22)
    axes.legend(ncols=len(present), frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(-0.01, 0.985))


def _gates(axes: Any, rows: Sequence[Row], statistic: str) -> None:
    """Draw the time of gated networks over the share of multiply-adds they need, both of dense."""
    axes.plot([0, 100], [0, 100], color=FAINT, linestyle=":", label="all that the arithmetic allows")
    for row, colour in zip(rows, NETWORK_COLOURS, strict=False):
        dense = row[statistic]["pdrt"]
        needed = [100 * value / row["macs"] for value in row["needed"].values()]
        spent = [100 * row[statistic][key] / dense for key in row["needed"]]
        axes.plot(needed, spent, "o-", color=colour, label=row["network"], markersize=4)
        _, fastest = fastest_peer(row[statistic])
        axes.plot([102.5], [100 * fastest / dense], marker="<", color=colour, markersize=6, linestyle="none")
    label = "fastest other runtime, which computes everything"
    axes.plot([], [], marker="<", color=FAINT, linestyle="none", label=label)
    axes.set_xlim(0, 105)
    axes.set_ylim(0)
    axes.set_xlabel("multiply-adds that the image needs, % of dense")
    axes.set_title("Gated: time, % of pdrt without gates", loc="left", fontsize=11, pad=22)
    axes.legend(frameon=False, fontsize=9, loc="upper left")


STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 78rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin: 2.2rem 0 0 } p { margin: .2rem 0 .8rem; color: #666 }
img { width: 100%; margin: 1rem 0 } .scroll { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .7rem; text-align: right; white-space: nowrap } th { color: #666; font-weight: 500 }
tr:not(:last-child) td, th { border-bottom: 1px solid #e6e6e6 } td:first-child, th:first-child { text-align: left }
td.good { color: #1a7f4b; font-weight: 600 } td.bad { color: #b3402f; font-weight: 600 }
pre { background: #f7f7f7; padding: 1rem; overflow-x: auto }
@media (prefers-color-scheme: dark) {
  body { background: #161616; color: #ddd } p, th { color: #999 } tr:not(:last-child) td, th { border-color: #333 }
  pre { background: #222 } img { filter: invert(.9) hue-rotate(180deg) }
  td.good { color: #5fc08d } td.bad { color: #e08070 }
}
"""


def write(bench: Bench, tables: Sequence[Table], picture: Path | None, path: Path) -> None:
    """Write a page that needs nothing but itself."""
    machine = bench.results.machine
    facts = ", ".join(f"{key.replace('_', ' ')} {cell(value)}" for key, value in machine.items())
    parts = [f"<h1>pdrt {machine['pdrt']}: benchmarks</h1><p>{html.escape(facts)}</p>"]
    if picture is not None:
        encoded = base64.b64encode(picture.read_bytes()).decode()
        parts.append(f'<img alt="speed, gates, start and memory" src="data:image/png;base64,{encoded}">')
    for table in tables:
        parts.append(f"<h2>{html.escape(table.title)}</h2><p>{html.escape(table.note)}</p>{_html(table)}")
    for row in bench.results.rows("layers"):
        parts.append("<h2>Layers by themselves</h2><p>one thread, no runtime around them</p>")
        parts.append(f"<pre>{html.escape(row['text'])}</pre>")
    body = "\n".join(parts)
    path.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>pdrt: benchmarks</title><style>{STYLE}</style>'
        f"<body>{body}</body></html>\n"
    )


def _html(table: Table) -> str:
    heads = list(dict.fromkeys(head for row in table.rows for head in row))
    lines = ["".join(f"<th>{html.escape(head)}</th>" for head in heads)]
    for row in table.rows:
        values = [(_class(head, row.get(head)), html.escape(cell(row.get(head, "-")))) for head in heads]
        lines.append("".join(f'<td class="{kind}">{value}</td>' for kind, value in values))
    return '<div class="scroll"><table>' + "".join(f"<tr>{line}</tr>" for line in lines) + "</table></div>"


def _class(head: str, value: Any) -> str:
    """Return "good" or "bad" for the figures that have a side they should be on."""
    if not isinstance(value, float):
        return ""
    if head in ("it / pdrt", "fastest peer / gated", "conversion, peer"):
        return "good" if value >= 1 else "bad"
    if head.startswith("8 / 1") and "ONNX" not in head:
        return "good" if value <= 1 else "bad"
    if head == "all-on cost %":
        return "good" if value <= 2 else "bad"
    return ""
