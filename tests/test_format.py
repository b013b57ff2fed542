"""The .pdrt file: every fault is refused by name, what is not a fault is read, what is written can be read back."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

import pdrt
from attacks import ATTACKS
from attacks.build import DATA, GRAPH, Attack, file, file_with_graph, metadata
from pdrt import format as pdrt_format
from pdrt._core import Model

REPOSITORY = Path(__file__).resolve().parent.parent
FAULT_HEADER = (REPOSITORY / "csrc" / "model" / "fault.h").read_text(encoding="utf-8")
FAULTS = set(re.findall(r"^  ([a-z_0-9]+),$", FAULT_HEADER, re.MULTILINE))
DTYPES = ("float32", "float64", "int32", "int64", "uint8", "bool")
EMPTY_GRAPH: dict[str, Any] = {
    "inputs": [{"name": "x", "dtype": "float32", "shape": ["N", 3]}],
    "outputs": ["x"],
    "nodes": [],
}


def write(tensors: dict[str, NDArray[Any]], graph: dict[str, Any] = EMPTY_GRAPH, path: Path | None = None) -> bytes:
    return pdrt_format.write(path, graph, tensors, producer="test", source_sha256="")


# ---- faults


def test_the_file_the_attacks_start_from_is_good() -> None:
    model = Model.from_bytes(file())
    assert [(spec.name, spec.shape, spec.dtype) for spec in model.inputs] == [("x", (None, 4), np.float32)]
    assert [(spec.name, spec.shape, spec.dtype) for spec in model.outputs] == [("z", (None, 4), np.float32)]
    assert model.metadata == {"pdrt.format": "1.0", "pdrt.producer": "test", "pdrt.source_sha256": ""}


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_each_fault_is_refused_by_name(attack: Attack) -> None:
    with pytest.raises(pdrt.ModelError) as refused:
        Model.from_bytes(attack.make(), "bad.pdrt")
    assert str(refused.value).startswith(f"bad.pdrt: {attack.fault}: ")
    assert attack.tells in str(refused.value)


def test_a_path_that_is_no_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "empty.pdrt").touch()
    os.mkfifo(tmp_path / "pipe.pdrt")
    for name, fault in [
        ("missing.pdrt", "file_unreadable: the file cannot be read: No such file or directory"),
        (".", "file_not_regular: this is a directory"),
        ("pipe.pdrt", "file_not_regular: this is not a regular file"),
        ("empty.pdrt", "file_empty: the file is empty"),
    ]:
        with pytest.raises(pdrt.ModelError, match=f"^{re.escape(str(tmp_path / name))}: {fault}$"):
            Model.load(tmp_path / name)


def test_every_fault_has_an_attack_and_a_description() -> None:
    attacked = {attack.fault for attack in ATTACKS} | {"file_unreadable", "file_not_regular"}
    page = (REPOSITORY / "docs" / "format.md").read_text(encoding="utf-8").split("## Faults")[1]
    described = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert attacked == FAULTS
    assert sorted(described) == sorted(FAULTS)


@pytest.mark.parametrize(
    "graph",
    [
        {**GRAPH, "inputs": [{"name": "x", "dtype": "float32", "shape": ["any"]}]},
        {**GRAPH, "nodes": [*GRAPH["nodes"], {"name": "unused", "op": "Relu", "inputs": ["w"], "outputs": ["u"]}]},
        {**GRAPH, "outputs": ["z", "x", "w", "y"]},
        {"inputs": [], "outputs": ["w"], "nodes": []},
        {**GRAPH, "nodes": [{**GRAPH["nodes"][0], "attributes": {}}, {**GRAPH["nodes"][1], "name": "/a/Ä 'ß'"}]},
    ],
)
def test_what_is_unusual_is_not_a_fault(graph: dict[str, Any]) -> None:
    model = Model.from_bytes(file_with_graph(graph))
    assert [spec.name for spec in model.outputs] == graph["outputs"]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_refused_or_loads(data: st.DataObject) -> None:
    good = file()
    damaged = bytearray(good)
    positions = st.integers(0, len(good) - 1)
    kind = data.draw(st.sampled_from(["flip", "truncate", "splice"]))
    if kind == "flip":
        for position in data.draw(st.lists(positions, min_size=1, max_size=8)):
            damaged[position] ^= 1 << data.draw(st.integers(0, 7))
    elif kind == "truncate":
        del damaged[data.draw(positions) :]
    else:
        start, stop = sorted((data.draw(positions), data.draw(positions)))
        damaged[data.draw(positions) : data.draw(positions)] = good[start:stop]
    message = ""
    try:
        assert len(Model.from_bytes(bytes(damaged)).outputs) == 1
    except pdrt.ModelError as error:
        message = str(error)
    assert message == "" or message.split(": ")[1] in FAULTS


@given(position=st.integers(0, 31), value=st.integers(0, 255))
def test_weights_may_be_any_bytes(position: int, value: int) -> None:
    damaged = bytearray(DATA)
    damaged[position] = value  # of the numbers; the bytes after them are booleans
    Model.from_bytes(file(data=bytes(damaged)))


# ---- writing


def tensors_by_name() -> st.SearchStrategy[dict[str, NDArray[Any]]]:
    shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
    arrays = st.sampled_from(DTYPES).flatmap(lambda dtype: hnp.arrays(dtype, shapes))
    names = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
    return st.dictionaries(names.filter(lambda name: name not in ("x", "__metadata__")), arrays, max_size=5)


@settings(deadline=None)
@given(tensors=tensors_by_name())
def test_what_is_written_is_read_by_safetensors_and_by_the_runtime(tensors: dict[str, NDArray[Any]]) -> None:
    written = write(tensors)
    Model.from_bytes(written)
    read = safetensors.numpy.load(written)
    assert read.keys() == tensors.keys()
    for name, array in tensors.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)


@settings(deadline=None)
@given(tensors=tensors_by_name(), seed=st.randoms())
def test_bytes_do_not_depend_on_the_order_of_dictionaries(tensors: dict[str, NDArray[Any]], seed: Any) -> None:
    names = list(tensors)
    seed.shuffle(names)
    reversed_graph = dict(reversed(EMPTY_GRAPH.items()))
    assert write(tensors) == write({name: tensors[name] for name in names}, reversed_graph)


def test_layout_of_memory_does_not_matter() -> None:
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    expected = write({"w": array})
    for same in (np.asfortranarray(array), array.astype(">f4"), np.repeat(array, 2, axis=2)[:, :, ::2]):
        assert write({"w": same}) == expected
    assert write({"w": array.T}) != expected


def test_tensors_start_aligned(tmp_path: Path) -> None:
    tensors = {
        "flag": np.array([True]),
        "odd": np.zeros(3, np.uint8),
        "bias": np.zeros(5, np.float32),
        "weights": np.zeros((16, 3, 3, 3), np.float32),
        "axes": np.array([1], np.int64),
        "table": np.zeros((64, 64), np.float32),
    }
    write(tensors, path=tmp_path / "net.pdrt")
    header = pdrt_format.read_header(tmp_path / "net.pdrt")
    assert header.data_start % 64 == 0
    for name, info in header.tensors.items():
        assert info.offsets[0] % tensors[name].dtype.itemsize == 0
    assert header.tensors["weights"].offsets[0] % 64 == 0
    assert header.tensors["table"].offsets[0] % 64 == 0


def test_the_header_can_be_read_alone(tmp_path: Path) -> None:
    path = tmp_path / "net.pdrt"
    weights = {"w": np.zeros((2, 3), np.float32), "k": np.array(7, np.int64)}
    digest = hashlib.sha256(b"source").hexdigest()
    written = pdrt_format.write(path, EMPTY_GRAPH, weights, producer="me", source_sha256=digest)
    assert path.read_bytes() == written
    header = pdrt_format.read_header(path)
    assert (header.version, header.producer, header.source_sha256) == ("1.0", "me", digest)
    assert header.graph == EMPTY_GRAPH
    assert header.metadata == {}
    assert list(header.tensors) == ["k", "w"]  # 8 divides both sizes; then by name
    assert header.tensors["w"] == pdrt_format.TensorInfo("w", "F32", (2, 3), (8, 32))
    assert header.tensors["w"].nbytes == 24
    assert Model.load(path).metadata["pdrt.source_sha256"] == digest


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + bytes(60), b"\xff" * 64, file()[:80], file(meta={"a": "b"})])
def test_reading_the_header_of_another_file_says_so(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.bin"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"other\.bin: "):
        pdrt_format.read_header(path)


def test_what_cannot_be_stored_is_refused() -> None:
    with pytest.raises(TypeError, match=r"tensor 'h' is float16; a \.pdrt file stores float32"):
        write({"h": np.zeros(3, np.float16)})
    with pytest.raises(ValueError, match="__metadata__"):
        write({"__metadata__": np.zeros(3, np.float32)})
    with pytest.raises(ValueError, match="JSON"):
        write({}, {**EMPTY_GRAPH, "nodes": [{"attributes": {"alpha": float("nan")}}]})
    with pytest.raises(TypeError, match="int64"):
        write({}, {**EMPTY_GRAPH, "inputs": [{"shape": [np.int64(3)]}]})


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.pdrt"
    old = write({}, path=path)

    def fail(source: str, target: str) -> None:
        raise OSError("no")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no"):
        write({"w": np.zeros(3, np.float32)}, path=path)
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["net.pdrt"]


# ---- writing from C++


def graphs() -> st.SearchStrategy[dict[str, Any]]:
    """Graphs of the right form that mean nothing: a writer does not look at what it writes."""
    texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
    names = st.lists(texts, max_size=3)
    integers = st.integers(-(2**63), 2**63 - 1)
    reals = st.floats(allow_nan=False, allow_infinity=False)
    attributes = st.one_of(integers, reals, texts, st.lists(integers, max_size=3), st.lists(reals, max_size=3))
    graph_input = {"name": texts, "dtype": st.sampled_from(DTYPES), "shape": st.lists(integers | texts, max_size=4)}
    node = {"name": texts, "op": texts, "inputs": names, "outputs": names}
    node["attributes"] = st.dictionaries(texts, attributes, max_size=4)
    inputs, nodes = (st.lists(st.fixed_dictionaries(kind), max_size=3) for kind in (graph_input, node))
    return st.fixed_dictionaries({"inputs": inputs, "outputs": names, "nodes": nodes})


EVERYTHING: dict[str, Any] = {
    "inputs": [
        {"name": "Bild 'ä' \U0001f600", "dtype": "float32", "shape": ["N", 3, "Höhe", 2**63 - 1]},
        {"name": 'a "quoted" \\ / \x00\x1f\x7f\x80\ufffd\uffff\b\f\n\r\t', "dtype": "bool", "shape": []},
    ],
    "outputs": ["", "\u20ac"],
    "nodes": [
        {"name": "n", "op": "Conv", "inputs": ["x", "", "w"], "outputs": [], "attributes": {}},
        {
            "name": "numbers",
            "op": "Op",
            "inputs": [],
            "outputs": ["y"],
            "attributes": {
                "z": [0.1, 3.0, -0.0, 1e-05, 0.0001, 1e15, 1e16, 123456789012345678.0, 5e-324, 1.7976931348623157e308],
                "integers": [0, -1, 2**53 + 1, -(2**63)],
                "empty": [],
                "real": 1 / 3,
                "text": "\u2028",
                "B": 2**63 - 1,
                "powers": [float(2.0**power) for power in range(-1074, 1024)],
                "\uffff": 1,
                "\U00010000": 2,
            },
        },
    ],
}
OF_EACH_KIND: dict[str, NDArray[Any]] = {
    **{f"{dtype} ü": np.arange(6).reshape(2, 3).astype(dtype) for dtype in DTYPES},
    **{f"{dtype} scalar": np.array(1, dtype) for dtype in DTYPES},
    "empty": np.zeros((2, 0, 3), np.float64),
    "\uffff": np.array([np.nan, -0.0]),  # sorted by characters, not by halves of UTF-16
    "\U00010000": np.array([np.inf, 5e-324]),
    '"': np.zeros(16, np.float32),
}


@settings(max_examples=50, deadline=None)
@example(graph=EVERYTHING, tensors=OF_EACH_KIND, producer="P\x00\U0001f600", digest="0" * 64)
@given(graph=graphs(), tensors=tensors_by_name(), producer=st.text(max_size=10), digest=st.just(""))
def test_what_cpp_writes_is_the_same_to_the_byte(
    core_build: Path,
    tmp_path_factory: pytest.TempPathFactory,
    graph: dict[str, Any],
    tensors: dict[str, NDArray[Any]],
    producer: str,
    digest: str,
) -> None:
    folder = tmp_path_factory.mktemp("rewritten")
    written = pdrt_format.write(folder / "python", graph, tensors, producer=producer, source_sha256=digest)
    subprocess.run([core_build / "tests" / "cpp" / "test_writer", folder / "python", folder / "cpp"], check=True)
    assert (folder / "cpp").read_bytes() == written


# ---- saving from the runtime


def test_a_saved_model_is_the_loaded_file(tmp_path: Path) -> None:
    tensors = {"w": np.random.default_rng(1).normal(size=(8, 3)).astype(np.float32), "flag": np.array([True, False])}
    written = write(tensors, path=tmp_path / "a.pdrt")
    Model.load(tmp_path / "a.pdrt").save(tmp_path / "b.pdrt")
    Model.from_bytes(written).save(tmp_path / "c.pdrt")
    assert (tmp_path / "b.pdrt").read_bytes() == (tmp_path / "c.pdrt").read_bytes() == written
    np.testing.assert_array_equal(safetensors.numpy.load_file(tmp_path / "b.pdrt")["w"], tensors["w"])
    assert sorted(os.listdir(tmp_path)) == ["a.pdrt", "b.pdrt", "c.pdrt"]


def test_metadata_of_others_is_kept(tmp_path: Path) -> None:
    Model.from_bytes(file(meta={**metadata(), "author": "somebody"})).save(tmp_path / "net.pdrt")
    assert Model.load(tmp_path / "net.pdrt").metadata["author"] == "somebody"
    assert pdrt_format.read_header(tmp_path / "net.pdrt").metadata == {"author": "somebody"}


def test_a_model_may_be_saved_over_its_own_file(tmp_path: Path) -> None:
    path = tmp_path / "net.pdrt"
    written = write({"w": np.ones(1000, np.float32)}, path=path)
    model = Model.load(path)
    model.save(path)
    assert path.read_bytes() == written
    with pytest.raises(pdrt.ModelError, match="cannot be written: No such file or directory"):
        model.save(tmp_path / "absent" / "net.pdrt")
