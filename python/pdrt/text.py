"""Plain text for people: numbers with units, aligned columns, and colour where a terminal shows it."""

import os
from collections.abc import Sequence
from typing import TextIO


def format_count(number: float) -> str:
    """Returns e.g. "3.86 G", "512 k", "37": three digits and a decimal prefix."""
    for limit, prefix in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(number) >= limit * 0.9995:
            return f"{number / limit:#.3g}".rstrip(".") + prefix
    return f"{number:.3g}"


def format_bytes(number: float) -> str:
    """Returns e.g. "1.20 MiB"."""
    for limit, prefix in ((2**30, "Gi"), (2**20, "Mi"), (2**10, "Ki")):
        if number >= limit:
            return f"{number / limit:#.3g}".rstrip(".") + f" {prefix}B"
    return f"{number:.0f} B"


def format_milliseconds(milliseconds: float) -> str:
    """Returns e.g. "12.3 ms", "45.6 us", "1.23 s"."""
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.3g} s"
    if milliseconds >= 1:
        return f"{milliseconds:#.3g}".rstrip(".") + " ms"
    return f"{milliseconds * 1000:#.3g}".rstrip(".") + " us"


def align(rows: Sequence[Sequence[str]], right: Sequence[int] = (), *, rule: bool = False) -> list[str]:
    """Returns one line per row, its columns aligned, those in `right` to the right; `rule` underlines the first."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    if rule:
        lines.insert(1, "  ".join("-" * width for width in widths))
    return lines


class Style:
    """Colours and emphasis for one stream: real on a terminal, nothing elsewhere or where NO_COLOR is set."""

    def __init__(self, stream: TextIO) -> None:
        self.on = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def _wrap(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.on else text

    def bold(self, text: str) -> str:
        """Headings and results."""
        return self._wrap("1", text)

    def dim(self, text: str) -> str:
        """What matters less."""
        return self._wrap("2", text)

    def good(self, text: str) -> str:
        """What is as hoped."""
        return self._wrap("32", text)

    def bad(self, text: str) -> str:
        """What is not."""
        return self._wrap("31", text)

    def accent(self, text: str) -> str:
        """What the eye should find."""
        return self._wrap("36", text)
