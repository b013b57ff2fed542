"""Small grey pictures, bars and rows of cards, in a terminal or in plain text."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy
from numpy.typing import NDArray

from pdrt.text import Style

_SHADES = " ░▒▓█"
_PLAIN_SHADES = " .:*#"
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def draw(image: NDArray[Any], style: Style) -> list[str]:
    """Returns the lines of a picture [height, width] of 0 (dark) to 1, two rows of pixels to a line.

    Where colours are shown, a half block carries both rows, exactly; elsewhere one shade stands for their mean.
    """
    rows = numpy.clip(image, 0, 1)
    if len(rows) % 2:
        rows = numpy.vstack([rows, numpy.zeros_like(rows[:1])])
    upper, lower = rows[::2], rows[1::2]
    if style.on:
        return [
            "".join(f"\x1b[38;5;{_grey(u)};48;5;{_grey(v)}m▀" for u, v in zip(above, below, strict=True)) + "\x1b[0m"
            for above, below in zip(upper, lower, strict=True)
        ]
    shades = _SHADES if speaks_unicode() else _PLAIN_SHADES
    levels = numpy.rint((upper + lower) / 2 * (len(shades) - 1)).astype(int)
    return ["".join(shades[level] for level in line) for line in levels]


def bar(share: float, width: int) -> str:
    """Returns a bar of `width` characters, filled to `share` of it."""
    if not speaks_unicode():
        return ("#" * round(share * width)).ljust(width)
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def side_by_side(cards: Sequence[Sequence[tuple[str, int]]], width: int, columns: int) -> list[str]:
    """Returns cards in rows as wide as `columns` allows.

    A card is a list of lines, each with the width it shows as (colours take none); all have as many lines.
    """
    gap = 3
    across = max(1, (columns + gap) // (width + gap))
    lines = []
    for first in range(0, len(cards), across):
        row = cards[first : first + across]
        for parts in zip(*row, strict=True):
            lines.append((" " * gap).join(text + " " * (width - shown) for text, shown in parts).rstrip())
        lines.append("")
    return lines


def speaks_unicode() -> bool:
    """Returns whether standard output can show block characters."""
    try:
        _SHADES.encode(sys.stdout.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def _grey(value: float) -> int:
    # The 24 greys of the 256-colour palette, from almost black to almost white.
    return 232 + round(float(value) * 23)
