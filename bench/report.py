"""The tables of a benchmark run, in one order for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from context import Bench
from parts import alone, batch, sessions, skipping, trained, zoo_speed

Row = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """Rows under a title, and a sentence that says how to read them."""

    title: str
    note: str
    rows: list[Row]


def tables(bench: Bench, statistic: str) -> Iterator[Table]:
    """Yield all tables that have rows."""
    for table in _all(bench, statistic):
        if table.rows:
            yield table


def _all(bench: Bench, statistic: str) -> Iterator[Table]:
    calls = f"{statistic} calls, batch 1, 224x224"
    for threads in bench.threads:
        yield Table(
            f"Dense, {_threads(threads)}",
            f"{calls}. 'it / pdrt' above 1: pdrt is faster than the fastest other runtime.",
            zoo_speed.dense_table(bench, threads, statistic),
        )
        yield Table(
            f"Gated, {_threads(threads)}",
            "conversion: how much of the multiply-adds saved arrives as time, 1 being all of it, against the fastest "
            "peer's dense time and against pdrt's own.",
            zoo_speed.gated_table(bench, threads, statistic),
        )
    yield Table("More threads, times faster than one", f"{calls}.", zoo_speed.scaling_table(bench, statistic))
    yield Table(
        "Dense, by where the threads ran",
        f"{statistic} calls; before every turn: how long a cache line takes from one thread to another and back, and "
        "whether multiply-adds slow each other down.",
        zoo_speed.places_table(bench, statistic),
    )
    yield Table(
        "From the file to being ready, one thread",
        "opening and the first run, less a usual run; each runtime from its own file, in a fresh process.",
        alone.start_table(bench),
    )
    yield Table("Importing, numpy being there", "medians of the same processes.", alone.import_table(bench))
    yield Table(
        "Most memory held to load and run, over what imports took",
        "resident, mapped files included, in the same processes.",
        alone.memory_table(bench),
    )
    yield Table("Most memory held, interpreter and imports included", "the same.", alone.whole_memory_table(bench))
    for threads in bench.threads:
        yield Table(
            f"Eight images at once, {_threads(threads)}",
            "milliseconds per image; at most 1 in '8 / 1' is wanted. Every image has its own set of kernels on.",
            batch.table(bench, threads),
        )
        yield Table(
            f"Stacks of gated layers, {_threads(threads)}",
            "times faster than all on; the arithmetic allows 4 with half of the kernels on, 16 with a quarter.",
            skipping.table(bench, threads),
        )
        yield Table(f"Trained networks, {_threads(threads)}", "medians.", trained.table(bench, threads))
    yield Table("Threads and sessions", "x above 1: several are better than one.", sessions.table(bench))


def text(table: Table) -> str:
    """Return a table as lines for the terminal."""
    heads = list(dict.fromkeys(head for row in table.rows for head in row))
    cells = [[cell(row.get(head, "-")) for head in heads] for row in table.rows]
    widths = [max(len(head), *(len(row[i]) for row in cells)) for i, head in enumerate(heads)]
    lines = [table.title, f"  ({table.note})"]
    for line in [heads, *cells]:
        lines.append("  " + "  ".join(x.rjust(width) for x, width in zip(line, widths, strict=True)))
    return "\n".join(lines)


def cell(value: Any) -> str:
    """Return a number with three digits, anything else as it is."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}".rstrip(".")


def _threads(count: int) -> str:
    return "one thread" if count == 1 else f"{count} threads"
