"""The command line: what it prints, its JSON, its files and its exit codes."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import native
import pdrt
from opencl_devices import Maker
from pdrt import _core, cli
from pdrt.commands import _rounding


@pytest.fixture
def net(tmp_path: Path) -> str:
    path = tmp_path / "net.pdrt"
    path.write_bytes(native.gated())
    return str(path)


@pytest.fixture
def array(tmp_path: Path) -> str:
    path = tmp_path / "x.npy"
    np.save(path, native.images(1))
    return str(path)


@pytest.fixture
def onnx_net(tmp_path: Path) -> str:
    """A little ONNX model: y = softmax(x W)."""
    onnx = pytest.importorskip("onnx")
    tensor, node = onnx.helper.make_tensor_value_info, onnx.helper.make_node
    weights = np.random.default_rng(0).standard_normal((6, 4)).astype("f4")
    graph = onnx.helper.make_graph(
        [node("MatMul", ["x", "w"], ["h"]), node("Softmax", ["h"], ["y"])],
        "g",
        [tensor("x", onnx.TensorProto.FLOAT, ["N", 6])],
        [tensor("y", onnx.TensorProto.FLOAT, ["N", 4])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    path = tmp_path / "net.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), path)
    return str(path)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert cli.main(arguments) == code
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def printed_json(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    return json.loads(printed(capsys, *arguments, "--json", code=code))


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    try:
        code = cli.main(arguments)
    except SystemExit as exit_of_argparse:
        code = exit_of_argparse.code
    assert code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith(f"pdrt {arguments[0]}: error: ")
    return captured.err


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_help_teaches(capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([command, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "examples:\n" in text
    assert f"pdrt {command}" in text.partition("examples:\n")[2]
    assert "--json" in text


def test_as_a_program() -> None:
    done = subprocess.run([sys.executable, "-m", "pdrt", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"pdrt {pdrt.__version__}\n"
    missing = subprocess.run([sys.executable, "-m", "pdrt", "inspect", "none.pdrt"], capture_output=True, text=True)
    assert missing.returncode == 2
    assert missing.stdout == ""
    assert "none.pdrt" in missing.stderr
    assert "Traceback" not in missing.stderr


def test_devices(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "devices", "--peak")
    assert text.startswith("cpu ")
    assert "GFLOP/s" in text
    assert ("ns for a cache line" in text) == (_core.available_threads() > 1)
    report = printed_json(capsys, "devices")
    assert report["selected"] in report["instruction_sets"]
    assert report["threads"] >= 1
    assert report["fma_peak_gflops_per_thread"] is None
    assert report["cache_line_round_trip_ns"] is None
    measured = printed_json(capsys, "devices", "--peak")
    assert measured["fma_peak_gflops_per_thread"] > 0
    if measured["threads"] > 1:
        assert measured["cache_line_round_trip_ns"] > 0
        assert measured["fma_slowdown_of_two_threads"] > 0


def test_inspect(capsys: pytest.CaptureFixture[str], net: str) -> None:
    text = printed(capsys, "inspect", net)
    for word in ("image float32 [?, 3, 12, 12]", "scores float32 [?, 5]", "second", "producer: tests", "1 switch"):
        assert word in text
    report = printed_json(capsys, "inspect", net, "--shape", "2x3x12x12")
    assert report["inputs"] == [{"name": "image", "dtype": "float32", "shape": [None, 3, 12, 12]}]
    assert report["plan"]["macs"] == pdrt.Session(net).explain({"image": (2, 3, 12, 12)}).macs
    assert len(report["switches"]) == 1
    assert "pdrt.graph" not in report["metadata"]


def test_run_on_an_array(capsys: pytest.CaptureFixture[str], net: str, array: str, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("ant\nbee\ncat\ndog\neel\n")
    scores = pdrt.Session(net).run({"image": np.load(array)})["scores"]
    order = np.argsort(-scores[0])
    report = printed_json(capsys, "run", net, "--input", array, "--labels", str(labels), "--top", "3")
    (output,) = report["outputs"]
    assert [row["class"] for row in output["top"]] == order[:3].tolist()
    assert output["top"][0]["label"] == ("ant", "bee", "cat", "dog", "eel")[order[0]]
    assert output["top"][0]["score"] == pytest.approx(float(scores.max()))
    text = printed(capsys, "run", net, "--input", f"image={array}", "--labels", str(labels), "--softmax")
    assert ("ant", "bee", "cat", "dog", "eel")[order[0]] in text
    assert "MACs" in text


def test_run_saves(capsys: pytest.CaptureFixture[str], net: str, array: str, tmp_path: Path) -> None:
    expected = pdrt.Session(net, outputs=["switch", "scores"]).run({"image": np.load(array)})
    one, many = tmp_path / "y.npy", tmp_path / "y.npz"
    printed(capsys, "run", net, "--input", array, "--save", str(one))
    np.testing.assert_array_equal(np.load(one), expected["scores"])
    names = ["--output", "switch", "--output", "scores"]
    printed(capsys, "run", net, "--input", array, *names, "--save", str(many))
    with np.load(many) as saved:
        assert set(saved) == {"switch", "scores"}
        for name in saved:
            np.testing.assert_array_equal(saved[name], expected[name])
    assert "two" not in refused(capsys, "run", net, "--input", array, *names, "--save", str(one))


def test_run_on_a_picture(capsys: pytest.CaptureFixture[str], net: str, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8)
    path = tmp_path / "picture.png"
    image.fromarray(pixels).save(path)
    mean, std = np.array([0.1, 0.2, 0.3]), np.array([0.5, 0.6, 0.7])
    x = ((pixels[..., ::-1] / 255 - mean) / std).transpose(2, 0, 1)[None].astype(np.float32)
    expected = pdrt.Session(net).run({"image": x})["scores"][0]
    settings = ["--bgr", "--mean", "0.1,0.2,0.3", "--std", "0.5,0.6,0.7"]
    report = printed_json(capsys, "run", net, "--input", str(path), *settings)
    got = {row["class"]: row["score"] for row in report["outputs"][0]["top"]}
    np.testing.assert_allclose([got[i] for i in range(5)], expected, rtol=1e-6)


def test_a_picture_is_cropped_in_the_middle(capsys: pytest.CaptureFixture[str], net: str, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(1).integers(0, 256, (12, 12, 3), np.uint8)
    wide = np.zeros((12, 20, 3), np.uint8)
    wide[:, 4:16] = pixels
    answers = []
    for name, content in (("whole", pixels), ("wide", wide)):
        image.fromarray(content).save(tmp_path / f"{name}.png")
        arguments = ["run", net, "--input", str(tmp_path / f"{name}.png"), "--fit", "crop"]
        answers.append(printed_json(capsys, *arguments)["outputs"])
    assert answers[0] == answers[1]


def test_bench(capsys: pytest.CaptureFixture[str], net: str, array: str) -> None:
    report = printed_json(capsys, "bench", net, "--runs", "3", "--warmup", "1", "--input", array)
    assert set(report["times_ms"]) == {"pdrt", "every kernel"}
    for times in report["times_ms"].values():
        assert 0 < times["min"] <= times["p50"] <= times["p90"] <= times["p99"]
    assert 0 < report["macs_executed"] < report["macs_dense"]
    assert report["random_inputs"] is False
    assert report["precision"] == "float32"
    assert report["error"] is None
    assert report["peak_memory_bytes"] >= report["peak_memory_before_loading_bytes"] > 0
    text = printed(capsys, "bench", net, "--runs", "2", "--shape", "image=2x3x12x12")
    for word in ("P50", "first run", "GFLOP/s", "every kernel", "image 2x3x12x12"):
        assert word in text


def check_error_of_bench(
    capsys: pytest.CaptureFixture[str], net: str, array: str, on_device: Maker, precision: Any
) -> None:
    options = ["bench", net, "--runs", "1", "--input", array, "--device", on_device.device, "--switches", "cpu"]
    report = printed_json(capsys, *options, "--precision", precision)
    error = report["error"]
    precisions: list[Any] = ["float32", precision]
    scores = [on_device(net, precision=p).run({"image": np.load(array)})["scores"] for p in precisions]
    assert report["precision"] == precision
    assert 0 < error["difference"] == pytest.approx(np.abs(scores[1] - scores[0]).max())
    assert error["of_largest"] == pytest.approx(error["difference"] / np.abs(scores[0]).max())
    assert error["switches"] == native.KERNELS
    assert error["switches_turned"] == 0
    (_, largest), (_, turned) = _rounding.rows_of_error(error)
    assert f"{error['difference']:.2e} at most, {error['of_largest']:.2e} of the largest output" in largest
    assert turned == f"0 of {native.KERNELS} decided otherwise than in float32"


def test_error_of_halves(on_device: Maker, capsys: pytest.CaptureFixture[str], net: str, array: str) -> None:
    check_error_of_bench(capsys, net, array, on_device, "float16")


def test_error_of_half_arithmetic(
    on_half_device: Maker, capsys: pytest.CaptureFixture[str], net: str, array: str
) -> None:
    check_error_of_bench(capsys, net, array, on_half_device, "float16-arithmetic")


def test_switches_that_rounding_turns(monkeypatch: pytest.MonkeyPatch, net: str, array: str) -> None:
    """Counted where one of the two precisions has a zero, whatever the other has."""
    inputs = {"image": np.load(array)}
    model = pdrt.load(net)
    session = pdrt.Session(model)
    real = session.run(inputs), pdrt.Session(model, outputs=["switch"]).run(inputs)
    switch = real[1]["switch"].copy()
    switch[0, 0] = 1 - (switch[0, 0] != 0)
    answers = {"float32": {**real[0], **real[1]}, "float16": {**real[0], "switch": switch}}

    class Answering:
        def __init__(self, precision: str) -> None:
            self.precision = precision

        def run(self, *_: object, **__: object) -> dict[str, np.ndarray]:
            return answers[self.precision]

    monkeypatch.setattr(_rounding, "open_session", lambda options, *_, **__: Answering(options.precision))
    error = _rounding.rounding_error(argparse.Namespace(precision="float16"), model, inputs, session.explain())
    assert error == {"difference": 0, "of_largest": 0, "switches": switch.size, "switches_turned": 1}


def test_profile(capsys: pytest.CaptureFixture[str], net: str, array: str) -> None:
    report = printed_json(capsys, "profile", net, "--runs", "3", "--warmup", "1", "--input", array, "--threads", "1")
    plan = pdrt.Session(net, threads=1).explain({"image": (1, 3, 12, 12)})
    assert [step["name"] for step in report["steps"]] == [step.name for step in plan.steps]
    assert sum(step["share"] for step in report["steps"]) == pytest.approx(1)
    assert report["macs"] == plan.macs
    second = next(step for step in report["steps"] if step["name"] == "second")
    on = int(native.kernels_on(native.images(1))[0])
    assert second["macs_executed"] * native.KERNELS == second["macs"] * on
    assert sum(step["macs_executed"] for step in report["steps"]) == report["macs_executed"]

    text = printed(capsys, "profile", net, "--runs", "2", "--shape", "image=2x3x12x12")
    assert all(step.name in text for step in plan.steps)
    assert "all steps" in text
    assert "others" not in text
    assert "give it an --input" in text


def test_profile_of_the_slowest_steps(capsys: pytest.CaptureFixture[str], net: str, array: str) -> None:
    steps = pdrt.Session(net).explain().steps
    text = printed(capsys, "profile", net, "--runs", "1", "--top", "2", "--input", array)
    table = text[text.index("---") :]
    assert sum(f"\n{step.name} " in table for step in steps) == 2
    assert f"({len(steps) - 2} others)" in table
    assert "give it" not in text


def test_bench_beside_onnx_runtime(capsys: pytest.CaptureFixture[str], onnx_net: str, net: str) -> None:
    pytest.importorskip("onnxruntime")
    report = printed_json(capsys, "bench", onnx_net, "--compare", "--runs", "2", "--threads", "1")
    assert [name.split()[0] for name in report["times_ms"]] == ["pdrt", "ONNX"]
    assert report["every_kernel_over_skip"] is None
    assert "needs the ONNX file" in refused(capsys, "bench", net, "--compare")


def test_convert_and_verify(capsys: pytest.CaptureFixture[str], onnx_net: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    native_net = str(tmp_path / "new.pdrt")
    assert "y float32 [?, 4]" in printed(capsys, "convert", onnx_net, native_net)
    assert "agrees" in printed(capsys, "verify", native_net, "--onnx", onnx_net, "--shape", "3x6")
    report = printed_json(capsys, "verify", onnx_net, "--runs", "2")
    assert report["ok"]
    assert report["outputs"][0]["error"] <= report["tolerance"]


def test_verify_against_the_reference(capsys: pytest.CaptureFixture[str], net: str) -> None:
    report = printed_json(capsys, "verify", net, "--reference", "--shape", "4x3x12x12")
    assert report["ok"]
    assert report["against"] == "the reference"
    assert report["outputs"][0]["shape"] == "4x5"


def test_verify_finds_a_difference(capsys: pytest.CaptureFixture[str], onnx_net: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    weights = np.random.default_rng(1).standard_normal((6, 4)).astype("f4")
    nodes = [native.node("h", "MatMul", ["x", "w"]), native.node("y", "Softmax", ["h"])]
    other = tmp_path / "other.pdrt"
    other.write_bytes(native.model({"x": ("float32", ["N", 6])}, ["y"], nodes, {"w": weights}))
    assert "DIFFERS" in printed(capsys, "verify", str(other), "--onnx", onnx_net, code=1)
    assert printed_json(capsys, "verify", str(other), "--onnx", onnx_net, code=1)["ok"] is False


def test_refusals(capsys: pytest.CaptureFixture[str], net: str, array: str, tmp_path: Path) -> None:
    text = tmp_path / "x.txt"
    text.write_text("1 2 3")
    broken = tmp_path / "broken.npy"
    broken.write_bytes(b"nothing")
    for arguments, word in (
        (["inspect"], "MODEL"),
        (["inspect", str(tmp_path)], tmp_path.name),
        (["inspect", net, "--device", "abacus"], "abacus"),
        (["inspect", net, "--shape", "picture=1x3x12x12"], "picture"),
        (["inspect", net, "--shape", "1x3xbig"], "1x3xbig"),
        (["run", net], "--input"),
        (["run", net, "--input", str(text)], "x.txt"),
        (["run", net, "--input", str(broken)], "broken.npy"),
        (["run", net, "--input", str(tmp_path / "none.npy")], "none.npy"),
        (["run", net, "--input", array, "--save", "y.txt"], "y.txt"),
        (["run", net, "--input", array, "--top", "0"], "--top"),
        (["run", net, "--input", array, "--output", "nowhere"], "nowhere"),
        (["run", net, "--input", array, "--input", array], "given before"),
        (["bench", net, "--runs", "0"], "--runs"),
        (["profile", net, "--runs", "0"], "--runs"),
        (["profile", net, "--top", "0"], "--top"),
        (["bench", net, "--input", array, "--shape", "1x3x12x12"], "both"),
        (["bench", net, "--threads", "0"], "threads"),
        (["verify", net], "--onnx"),
        (["convert", net, str(tmp_path / "no" / "folder.pdrt")], "folder.pdrt"),
    ):
        assert word in refused(capsys, *arguments), arguments
