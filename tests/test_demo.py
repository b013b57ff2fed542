"""The demo: true figures, and the same on a terminal, in a file, and as JSON."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from importlib import resources

import numpy as np
import pytest

import pdrt
from pdrt import cli

DATA = resources.files("pdrt") / "data"


def program(*arguments: str, encoding: str = "utf-8") -> str:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "pdrt", "demo", "--rounds", "1", *arguments]
    done = subprocess.run(command, capture_output=True, check=True, env=environment)
    assert done.stderr == b""
    return done.stdout.decode(encoding)


def test_json_is_true() -> None:
    report = json.loads(program("--json"))
    with resources.as_file(DATA / "digits_heldout.npz") as path, np.load(path) as heldout:
        images, labels = heldout["images"], heldout["labels"]
    with resources.as_file(DATA / "digits.pdrt") as path:
        session = pdrt.Session(path)
    assert report["images"] == len(labels)
    assert [row["label"] for row in report["each"]] == labels.tolist()
    for number in (0, report["macs_share"]["least"]["image"], report["macs_share"]["most"]["image"]):
        scores = next(iter(session.run({"image": images[number : number + 1]}).values()))
        row = report["each"][number]
        assert row["answer"] == scores.argmax()
        assert row["macs"] == session.last_run.macs_executed
        assert session.last_run.macs_dense == report["macs_dense"]
        active = session.last_run.active
        assert row["active"] == [int(active[layer["name"]][0]) for layer in report["layers"]]
    right = np.array([row["answer"] == row["label"] for row in report["each"]])
    assert report["accuracy"] == right.mean() > 0.95
    macs = np.array([row["macs"] for row in report["each"]])
    assert report["macs_share"]["mean"] == pytest.approx(macs.mean() / report["macs_dense"])
    assert report["macs_share"]["least"]["share"] == pytest.approx(macs.min() / report["macs_dense"])
    assert report["macs_share"]["most"]["share"] == pytest.approx(macs.max() / report["macs_dense"])
    assert macs.min() < macs.max() < report["macs_dense"]
    assert report["largest_difference_from_every_kernel"] < 1e-3
    assert {"pdrt, skipping", "pdrt, every kernel"} <= set(report["milliseconds"])


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_text(encoding: str) -> None:
    text = program(encoding=encoding)
    assert "\x1b" not in text
    assert len(re.findall(r"reads \d", text)) == 12
    assert "needs least" in text
    assert "needs most" in text
    assert max(map(len, text.splitlines())) <= 80


def test_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert cli.main(["demo", "--rounds", "1"]) == 0
    shown = screen.getvalue()
    assert "▀" in shown
    assert "\x1b[38;5;" in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(map(len, plain.splitlines())) <= 100
