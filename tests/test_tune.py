"""Tuning: what is measured is kept, found again, and never trusted blindly."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import numpy as np
import pytest

import pdrt
from network import Network
from pdrt import _core
from pdrt.cli import main

LAYER = "24x24 3x3 stride 1x1 dilation 1x1 pad 1,1 20x20 to 20x20"


def network() -> tuple[Network, str]:
    net = Network(5, channels=24, size=20)
    return net, net.relu(net.conv(net.image, 24))


def tuned(folder: Path) -> tuple[Network, str, Path]:
    net, out = network()
    model = pdrt.load(net.model([out]))
    seen: list[tuple[int, int]] = []
    shapes = [list(net.feeds["image"].shape)]
    layers = _core.tune(model, "cpu", str(folder), shapes, lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] == len(seen)
    assert [layer["key"].removesuffix(" in panels") for layer in layers] == [LAYER]
    assert [way["name"] for way in layers[0]["ways"]] == [
        "planes.convolution",
        *(f"planes.winograd F({side}x{side}, 3x3)" for side in (2, 4, 6)),
    ]
    (file,) = folder.iterdir()
    return net, out, file


def costs(net: Network, out: str, folder: Path) -> str:
    return pdrt.Session(net.model([out]), cache_dir=folder).explain().costs


def test_the_result_is_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    net, out, file = tuned(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert costs(net, out, folder) == f"measured on this machine, {file}"
    assert "expected" in costs(net, out, tmp_path / "elsewhere")


@pytest.mark.parametrize("fastest", ["direct", "winograd2", "winograd4", "winograd6"])
def test_the_cheapest_way_is_taken(tmp_path: Path, fastest: str) -> None:
    """Every way gives the same numbers, and the file decides which one runs."""
    net, out, file = tuned(tmp_path / "cache")
    document = json.loads(file.read_text())
    (ways,) = document["layers"].values()
    for name in ways:
        ways[name] = [1.0 if name == fastest else 2.0, 0.0, 0.0]
    file.write_text(json.dumps(document))
    session = pdrt.Session(net.model([out]), cache_dir=file.parent)
    step = next(step for step in session.explain().steps if step.macs)
    side = fastest[-1]
    expected = "planes.convolution" if fastest == "direct" else f"planes.winograd F({side}x{side}, 3x3)"
    assert step.implementation == expected
    exact = pdrt.Session(net.model([out]), device="reference").run(net.feeds)[out]
    np.testing.assert_allclose(session.run(net.feeds)[out], exact, rtol=0, atol=2e-5 * np.abs(exact).max())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "json_syntax"),
        ("{}", "it is no tuning of this version"),
        ('{"pdrt.tuning": 1}', "it has no layers"),
        ('{"pdrt.tuning": 1, "layers": {"a": {}}}', "layer 'a' has no direct cost"),
        ('{"pdrt.tuning": 1, "layers": {"a": {"direct": [1, 2]}}}', "a cost is not three numbers"),
        ('{"pdrt.tuning": 1, "layers": {"a": {"direct": [1, 2, -3]}}}', "a cost is negative"),
    ],
)
def test_a_spoilt_file_is_left_alone_and_named(tmp_path: Path, text: str, why: str) -> None:
    net, out, file = tuned(tmp_path / "cache")
    file.write_text(text)
    told = costs(net, out, file.parent)
    assert told.startswith(f"expected: {file} is ignored: ")
    assert why in told
    assert file.read_text() == text


def test_later_layers_join_earlier_ones(tmp_path: Path) -> None:
    _, _, file = tuned(tmp_path)
    other = Network(6, channels=8, size=12)
    _core.tune(pdrt.load(other.model([other.conv(other.image, 8)])), "cpu", str(tmp_path), [], lambda done, total: None)
    assert len(json.loads(file.read_text())["layers"]) == 2


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net, out = network()
    pdrt.convert(net.model([out]), tmp_path / "net.pdrt")
    assert main(["tune", str(tmp_path / "net.pdrt"), "--cache-dir", str(tmp_path / "cache"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["costs"].startswith("measured")
    assert main(["tune", str(tmp_path / "net.pdrt"), "--cache-dir", str(tmp_path / "cache")]) == 0
    assert LAYER in capsys.readouterr().out


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net, out = network()
    pdrt.convert(net.model([out]), tmp_path / "net.pdrt")
    (tmp_path / "file").write_text("")
    assert main(["tune", str(tmp_path / "net.pdrt"), "--cache-dir", str(tmp_path / "file" / "cache")]) == 2
    assert f"{tmp_path}/file/cache cannot be made" in capsys.readouterr().err
