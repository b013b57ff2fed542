"""What is refused, and whether the message says what is wrong, where, and what was expected."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import native
import pdrt

GATED = native.gated()


@pytest.fixture(scope="module")
def session() -> pdrt.Session:
    return pdrt.Session(GATED)


def test_kinds() -> None:
    for kind in (pdrt.ModelError, pdrt.InputError, pdrt.DeviceError):
        assert issubclass(kind, pdrt.Error)
        assert issubclass(kind, Exception)
        assert kind.__module__ == "pdrt"


def poisoned(*values: float) -> np.ndarray[Any, Any]:
    x = native.images(1)
    x[0, 1, 2, 3 : 3 + len(values)] = values
    return x


BAD_INPUTS: list[tuple[str, Any, str]] = [
    ("wrong name", {"picture": native.images(1)}, r"picture.*image"),
    ("missing", {}, r"image"),
    ("one too many", {"image": native.images(1), "mask": native.images(1)}, r"mask"),
    ("name that is no text", {1: native.images(1)}, r"an input's name is a str, not an int: 1"),
    ("array alone", native.images(1), r"takes a dict of arrays by input name, not a ndarray.*image"),
    ("channels", {"image": np.zeros((1, 4, 12, 12), "f4")}, r"image.*1x4x12x12.*3x12x12"),
    ("size", {"image": np.zeros((2, 3, 12, 13), "f4")}, r"image.*2x3x12x13.*3x12x12"),
    ("no batch axis", {"image": np.zeros((3, 12, 12), "f4")}, r"image.*3x12x12"),
    ("scalar", {"image": np.float32(1)}, r"image.*scalar"),
    ("nine axes", {"image": np.zeros((1,) * 9, "f4")}, r"image.* 9 dim.* 8"),
    ("zero batch", {"image": np.zeros((0, 3, 12, 12), "f4")}, r"image.*0x3x12x12"),
    ("float64", {"image": native.images(1).astype("f8")}, r"image.*float64.*float32.*astype\(numpy\.float32\)"),
    ("float16", {"image": native.images(1).astype("f2")}, r"image.*float16.*float32"),
    ("integers", {"image": np.zeros((1, 3, 12, 12), "i8")}, r"image.*int64.*float32"),
    ("complex", {"image": np.zeros((1, 3, 12, 12), "c8")}, r"image.*complex64.*float32"),
    ("byte order", {"image": native.images(1).astype(">f4")}, r"image.*>f4.*float32"),
    ("objects", {"image": np.zeros((1, 3, 12, 12), "O")}, r"image.*object.*float32"),
    ("list", {"image": native.images(1).tolist()}, r"input 'image' is a list; give a numpy array"),
    ("nothing", {"image": None}, r"input 'image' is a NoneType"),
    ("masked", {"image": np.ma.masked_array(native.images(1))}, r"masked array.*filled"),
    (
        "one NaN",
        {"image": poisoned(np.nan)},
        r"'image' has 1 value that is not finite, the first nan at \(0, 1, 2, 3\)",
    ),
    (
        "infinities",
        {"image": poisoned(np.inf, -np.inf)},
        r"has 2 values that are not finite, the first inf at \(0, 1, 2",
    ),
]


@pytest.mark.parametrize(("inputs", "message"), [row[1:] for row in BAD_INPUTS], ids=[row[0] for row in BAD_INPUTS])
def test_bad_input(session: pdrt.Session, inputs: Any, message: str) -> None:
    with pytest.raises(pdrt.InputError, match=message) as caught:
        session.run(inputs)
    assert "\n" not in str(caught.value)
    assert session.run({"image": native.images(1)})["scores"].shape == (1, 5)  # a refusal breaks nothing


def test_not_finite_runs_where_asked() -> None:
    session = pdrt.Session(native.model({"x": ("float32", ["N", 4])}, ["y"], [native.node("y", "Neg", ["x"])]))
    x = np.array([[1, np.nan, np.inf, -np.inf]], np.float32)
    np.testing.assert_array_equal(session.run({"x": x}, check_finite=False)["y"], -x)


def relu(op: str = "Relu", **attributes: Any) -> dict[str, Any]:
    return native.node(f"node_{op}", op, ["x"], **attributes)


def model_of(*nodes: dict[str, Any], output: str | None = None) -> bytes:
    return native.model({"x": ("float32", ["N", 4])}, [output or nodes[-1]["name"]], list(nodes))


BAD_MODELS: list[tuple[str, bytes, str]] = [
    ("empty", b"", r"<bytes>"),
    ("text", b"not a model at all, but long enough", r"<bytes>"),
    ("cut short", GATED[: len(GATED) // 2], r"<bytes>"),
    ("unknown operators", model_of(relu("Frobnicate"), relu("Mangle")), r"Frobnicate.*Mangle|Mangle.*Frobnicate"),
    ("unknown attribute", model_of(relu(speed=3)), r"node_Relu.*speed"),
    ("unknown value", model_of(native.node("y", "Relu", ["nowhere"])), r"y.*nowhere"),
    ("no such output", model_of(relu(), output="missing"), r"missing"),
    ("wrong order", model_of(native.node("y", "Relu", ["node_Relu"]), relu(), output="y"), r"y.*node_Relu"),
]


@pytest.mark.parametrize(("source", "message"), [row[1:] for row in BAD_MODELS], ids=[row[0] for row in BAD_MODELS])
def test_bad_model(source: bytes, message: str) -> None:
    with pytest.raises(pdrt.ModelError, match=message) as caught:
        pdrt.Session(source)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["net.pdrt", "net.onnx"])
def test_bad_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(pdrt.ModelError, match=f"{name}.*no such file|{name}.*No such file"):
        pdrt.Session(path)
    path.write_bytes(b"")
    with pytest.raises(pdrt.ModelError, match=name):
        pdrt.Session(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(pdrt.ModelError, match=f"{name}.*(directory|not a)"):
        pdrt.Session(path)


def test_onnx_bytes_that_are_no_model() -> None:
    pytest.importorskip("onnx")
    with pytest.raises(pdrt.ModelError):
        pdrt.load(b"\x08\x07 garbage that begins as an ONNX file does")


def test_onnx_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "onnx" or name.startswith("pdrt.onnx_import")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(pdrt, "onnx_import", raising=False)
    monkeypatch.setitem(sys.modules, "onnx", None)
    path = tmp_path / "net.onnx"
    path.write_bytes(b"\x08\x08")
    with pytest.raises(pdrt.ModelError, match=r"pip install 'pdrt\[onnx\]'"):
        pdrt.Session(path)


BAD_OPTIONS: list[tuple[str, dict[str, Any], type[pdrt.Error], str]] = [
    ("device of a number", {"device": "opencl:99"}, pdrt.DeviceError, "opencl"),
    ("device of no number", {"device": "opencl:one"}, pdrt.DeviceError, "opencl"),
    ("device unknown", {"device": "abacus"}, pdrt.DeviceError, "abacus"),
    ("device no text", {"device": 3}, pdrt.InputError, "device.*3"),
    ("no threads", {"threads": 0}, pdrt.InputError, "threads.*0"),
    ("threads below", {"threads": -1}, pdrt.InputError, "threads.*-1"),
    ("threads no number", {"threads": "two"}, pdrt.InputError, "threads.*two"),
    ("threads a bool", {"threads": True}, pdrt.InputError, "threads.*True"),
    ("outputs a text", {"outputs": "scores"}, pdrt.InputError, "list of names.*scores"),
    ("outputs none", {"outputs": []}, pdrt.InputError, "empty"),
    ("outputs unknown", {"outputs": ["nowhere"]}, pdrt.InputError, "nowhere"),
]


@pytest.mark.parametrize(
    ("options", "kind", "message"), [row[1:] for row in BAD_OPTIONS], ids=[row[0] for row in BAD_OPTIONS]
)
def test_bad_option(options: dict[str, Any], kind: type[pdrt.Error], message: str) -> None:
    with pytest.raises(kind, match=message):
        pdrt.Session(GATED, **options)


@pytest.mark.parametrize("source", [None, 3, b"x".hex, ["net.pdrt"]])
def test_source_that_is_no_model(source: Any) -> None:
    with pytest.raises(pdrt.InputError, match=f"a model is given as a path.*not as {type(source).__name__}"):
        pdrt.load(source)


BAD_SHAPES: list[Callable[[pdrt.Session], object]] = [
    lambda session: session.explain({}),
    lambda session: session.explain({"picture": (1, 3, 12, 12)}),
    lambda session: session.explain({"image": (1, 4, 12, 12)}),
    lambda session: session.explain({"image": (0, 3, 12, 12)}),
    lambda session: session.explain({"image": (1, 3, 12)}),
]


@pytest.mark.parametrize("explain", BAD_SHAPES)
def test_explain_of_a_bad_shape(session: pdrt.Session, explain: Callable[[pdrt.Session], object]) -> None:
    with pytest.raises(pdrt.InputError, match="image"):
        explain(session)
