"""What benchmarks leave behind: tables on the terminal, numbers in bench/results/."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"


def table(title: str, rows: list[dict[str, Any]]) -> None:
    print(f"\n{title}")
    if not rows:
        print("  nothing to measure")
        return
    heads = list(rows[0])
    cells = [[f"{row[head]:.3g}" if isinstance(row[head], float) else str(row[head]) for head in heads] for row in rows]
    widths = [max(len(head), *(len(row[i]) for row in cells)) for i, head in enumerate(heads)]
    for line in [heads, *cells]:
        print("  " + "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))


def save(results: dict[str, Any], prefix: str = "") -> Path:
    """Write the results as JSON, named after the time; return the file."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{prefix}{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(results, indent=2) + "\n")
    print(f"\nresults: {path}")
    return path
