"""The numbers of one benchmark run: rows by part and key, on disk after every one of them."""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
Row = dict[str, Any]


class Results:
    """Rows of a run, written whenever one is added, so that a run that was cut off goes on where it stopped."""

    def __init__(self, path: Path, content: dict[str, Any] | None = None) -> None:
        self.path = path
        self.content = content or {"machine": {}, "options": {}, "parts": {}}

    @classmethod
    def fresh(cls, prefix: str = "") -> Results:
        """Return an empty one, named after the time."""
        RESULTS.mkdir(exist_ok=True)
        return cls(RESULTS / f"{prefix}{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}.json")

    @classmethod
    def read(cls, path: Path) -> Results:
        """Return those of an earlier run."""
        return cls(path, json.loads(path.read_text()))

    @classmethod
    def last(cls, prefix: str = "") -> Results | None:
        """Return those of the latest run, or None."""
        files = sorted(RESULTS.glob(f"{prefix}2*.json"))
        return cls.read(files[-1]) if files else None

    @property
    def machine(self) -> Row:
        """What it was measured on."""
        return self.content["machine"]

    def rows(self, part: str) -> list[Row]:
        """Return the rows of one part, in the order they were measured."""
        return list(self.content["parts"].get(part, {}).values())

    def has(self, part: str, key: str) -> bool:
        """Say whether a row has been measured."""
        return key in self.content["parts"].get(part, {})

    def add(self, part: str, key: str, row: Row) -> None:
        """Take a row in, and write the file."""
        self.content["parts"].setdefault(part, {})[key] = row
        self.save()

    def save(self) -> None:
        """Write the file anew, whole or not at all."""
        unfinished = self.path.with_suffix(".part")
        unfinished.write_text(json.dumps(self.content, indent=1) + "\n")
        os.replace(unfinished, self.path)
