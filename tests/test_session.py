"""The Python surface: what goes in, what comes out, and what a session says about itself."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import native
import pdrt

GATED = native.gated()
PIXELS = native.SIZE**2


@pytest.fixture(scope="module")
def session() -> pdrt.Session:
    return pdrt.Session(GATED)


@pytest.fixture(scope="module")
def dense() -> pdrt.Session:
    return pdrt.Session(GATED, skip=False)


def test_specs(session: pdrt.Session) -> None:
    (image,), (scores,) = session.inputs, session.outputs
    assert (image.name, image.shape, image.dtype) == ("image", (None, 3, 12, 12), np.float32)
    assert (scores.name, scores.shape, scores.dtype) == ("scores", (None, 5), np.float32)
    assert repr(image) == "Spec(name='image', shape=(None, 3, 12, 12), dtype='float32')"
    assert repr(session) == "<pdrt.Session image float32 [?, 3, 12, 12] -> scores float32 [?, 5]>"


def test_sources_give_the_same_model(tmp_path: Path, session: pdrt.Session) -> None:
    path = tmp_path / "net.pdrt"
    path.write_bytes(GATED)
    x = native.images(2)
    expected = session.run({"image": x})["scores"]
    for source in (path, str(path), GATED, bytearray(GATED), memoryview(GATED), pdrt.load(path)):
        np.testing.assert_array_equal(pdrt.Session(source).run({"image": x})["scores"], expected)


def test_convert_and_save_keep_the_model(tmp_path: Path, session: pdrt.Session) -> None:
    pdrt.convert(GATED, tmp_path / "a.pdrt")
    pdrt.load(tmp_path / "a.pdrt").save(tmp_path / "b.pdrt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdrt", "b.pdrt"]
    x = native.images(1)
    again = pdrt.Session(tmp_path / "b.pdrt")
    np.testing.assert_array_equal(again.run({"image": x})["scores"], session.run({"image": x})["scores"])
    assert again.model.metadata["pdrt.producer"] == "tests"


def test_onnx_bytes_and_path(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    tensor = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("Relu", ["x"], ["h"]),
            onnx.helper.make_node("Neg", ["h"], ["y"]),
            onnx.helper.make_node("Abs", ["x"], ["aside"]),
        ],
        "g",
        [tensor("x", onnx.TensorProto.FLOAT, ["N", 3])],
        [tensor("y", onnx.TensorProto.FLOAT, ["N", 3])],
    )
    proto = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "net.onnx"
    onnx.save(proto, path)
    x = np.array([[-1, 2, 3]], np.float32)
    for source in (path, proto.SerializeToString()):
        np.testing.assert_array_equal(pdrt.Session(source).run({"x": x})["y"], -np.maximum(x, 0))
    hidden = pdrt.Session(path, outputs=["aside", "h"]).run({"x": x})
    assert list(hidden) == ["aside", "h"]
    np.testing.assert_array_equal(hidden["h"], np.maximum(x, 0))
    np.testing.assert_array_equal(hidden["aside"], np.abs(x))


def test_outputs_choose_values_of_the_graph() -> None:
    x = native.images(2)
    outputs = pdrt.Session(GATED, outputs=["switch", "scores"]).run({"image": x})
    assert list(outputs) == ["switch", "scores"]
    assert outputs["switch"].shape == (2, native.KERNELS, 1, 1)
    np.testing.assert_array_equal(outputs["switch"].sum(axis=(1, 2, 3)), native.kernels_on(x))


def test_outputs_own_their_memory() -> None:
    session = pdrt.Session(GATED)
    x = native.images(1)
    first = session.run({"image": x})["scores"]
    kept = first.copy()
    for seed in range(1, 4):
        session.run({"image": native.images(1, seed)})
    del session
    np.testing.assert_array_equal(first, kept)
    assert first.flags.writeable
    assert first.flags.c_contiguous


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "uint8", "bool"])
def test_every_dtype_passes_through(dtype: str) -> None:
    source = native.model({"x": (dtype, ["N", 2, 3])}, ["y"], [native.node("y", "Transpose", ["x"], perm=[0, 2, 1])])
    x = np.arange(12).reshape(2, 2, 3).astype(dtype)
    y = pdrt.Session(source).run({"x": x})["y"]
    assert y.dtype == x.dtype
    np.testing.assert_array_equal(y, x.transpose(0, 2, 1))


# ---- arrays as they come

steps = st.sampled_from([-3, -2, -1, 1, 2])


@given(order=st.permutations(range(4)), steps=st.tuples(steps, steps, steps, steps))
def test_any_strides_equal_contiguous(order: list[int], steps: tuple[int, ...]) -> None:
    x = native.images(2)
    wide = np.full([abs(step) * x.shape[axis] for axis, step in zip(order, steps, strict=True)], np.nan, np.float32)
    window = wide[tuple(slice(None, None, step) for step in steps)]  # as many elements as x has, any way round
    view = window.transpose(np.argsort(order))
    view[...] = x
    session = shared_session()
    got = session.run({"image": view})["scores"]
    np.testing.assert_array_equal(got, session.run({"image": x})["scores"])


@cache
def shared_session() -> pdrt.Session:
    return pdrt.Session(GATED)


def test_zero_strides_and_packed_records(session: pdrt.Session) -> None:
    one = native.images(1)
    repeated = np.broadcast_to(one, (3, *one.shape[1:]))
    records = np.zeros(3, np.dtype([("tag", "u1"), ("pixels", "f4", one.shape[1:])]))
    records["pixels"] = repeated
    expected = session.run({"image": repeated.copy()})["scores"]
    np.testing.assert_array_equal(session.run({"image": repeated})["scores"], expected)
    assert not records["pixels"].flags.aligned
    np.testing.assert_array_equal(session.run({"image": records["pixels"]})["scores"], expected)


def test_read_only_input_is_left_alone(session: pdrt.Session) -> None:
    x = native.images(1)
    x.flags.writeable = False
    kept = x.copy()
    session.run({"image": x})
    np.testing.assert_array_equal(x, kept)


class Exported:
    """Speaks DLPack and nothing else."""

    def __init__(self, array: np.ndarray[Any, Any], device: tuple[int, int] = (1, 0)) -> None:
        self.array, self.device = array, device

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device


def test_dlpack(session: pdrt.Session) -> None:
    x = native.images(2)
    expected = session.run({"image": x})["scores"]
    exported: list[Any] = [Exported(x), Exported(x[:, :, ::-1][:, :, ::-1])]
    if find_spec("torch"):
        import torch

        exported += [torch.from_numpy(x), torch.from_numpy(np.ascontiguousarray(x.swapaxes(2, 3))).transpose(2, 3)]
    for tensor in exported:
        np.testing.assert_array_equal(session.run({"image": tensor})["scores"], expected)


def test_dlpack_from_another_device_is_refused(session: pdrt.Session) -> None:
    with pytest.raises(pdrt.InputError, match=r"input 'image', an Exported, is not in CPU memory"):
        session.run({"image": Exported(native.images(1), device=(2, 0))})


# ---- counts and plan


def test_statistics_of_a_run(session: pdrt.Session) -> None:
    x = native.images(6)
    session.run({"image": x})
    stats, on = session.last_run, native.kernels_on(x)
    assert 0 < on.min() < on.max() < native.KERNELS  # the images were chosen so
    np.testing.assert_array_equal(stats.active["second"], on)
    np.testing.assert_array_equal(stats.visited["second"], 4 * on)
    np.testing.assert_array_equal(stats.active["third"], np.full(6, native.CLASSES))
    np.testing.assert_array_equal(stats.visited["third"], native.CLASSES * on)
    dense_layers = {
        "first": 4 * 3 * 9 * PIXELS,
        "gate": native.KERNELS * native.CHANNELS,
        "second": native.KERNELS * 4 * 9 * PIXELS,
        "third": native.CLASSES * native.KERNELS * PIXELS,
    }
    assert {layer.name: layer.kernels * layer.channels * layer.macs_per_pair for layer in stats.layers} == dense_layers
    assert stats.macs_dense == 6 * sum(dense_layers.values())
    expected = dense_layers["first"] + dense_layers["gate"] + on * (4 * 9 + native.CLASSES) * PIXELS
    np.testing.assert_array_equal(stats.macs_per_sample, expected)
    assert stats.macs_executed == expected.sum()
    assert stats.share == expected.sum() / stats.macs_dense
    assert stats.milliseconds > 0
    assert [layer["name"] for layer in json.loads(json.dumps(stats.to_dict()))["layers"]] == list(stats.active)


def test_skipping_changes_no_answer(session: pdrt.Session, dense: pdrt.Session) -> None:
    x = native.images(6)
    np.testing.assert_allclose(
        session.run({"image": x})["scores"], dense.run({"image": x})["scores"], rtol=1e-5, atol=1e-4
    )
    assert dense.last_run.macs_executed == dense.last_run.macs_dense
    np.testing.assert_array_equal(dense.last_run.active["second"], np.full(6, native.KERNELS))


def test_profile_times_every_step(session: pdrt.Session) -> None:
    profiled = pdrt.Session(GATED, profile=True)
    assert profiled.last_run.steps == ()
    profiled.run({"image": native.images(6)})
    stats = profiled.last_run
    assert len(stats.steps) == len(profiled.explain().steps)
    assert all(step.milliseconds > 0 for step in stats.steps if step.macs_executed)
    assert sum(step.macs_executed for step in stats.steps) == stats.macs_executed > 0
    session.run({"image": native.images(6)})
    assert session.last_run.steps == ()


def test_before_the_first_run() -> None:
    stats = pdrt.Session(GATED).last_run
    assert (stats.macs_dense, stats.macs_executed, stats.layers, stats.active) == (0, 0, (), {})
    assert stats.share == 1
    assert stats.macs_per_sample.shape == (0,)


def test_explain(session: pdrt.Session) -> None:
    plan = session.explain()
    second = next(step for step in plan.steps if step.name == "second")
    assert second.switches
    assert second.macs == native.KERNELS * 4 * 9 * PIXELS
    assert second.output == (1, native.KERNELS, native.SIZE, native.SIZE)
    assert set(plan.switches) == set(second.switches)
    assert sum(step.macs for step in plan.steps) == plan.macs
    text = str(plan)
    for step in plan.steps:
        assert step.name in text
        assert step.implementation in text
        assert all(reason in text for reason in (*step.refused, *step.notes))
    assert json.loads(json.dumps(plan.to_dict()))["macs"] == plan.macs
    assert session.explain({"image": (4, 3, 12, 12)}).macs == 4 * plan.macs


# ---- threads and processes


def test_threads_share_a_session(session: pdrt.Session) -> None:
    batches = [native.images(1 + seed % 3, seed) for seed in range(24)]
    expected = [session.run({"image": batch})["scores"] for batch in batches]
    with ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda batch: session.run({"image": batch})["scores"], batches * 4))
    for scores, one in zip(got, expected * 4, strict=True):
        np.testing.assert_array_equal(scores, one)


def test_the_interpreter_lock_is_released() -> None:
    session, inputs, limit = pdrt.Session(GATED, threads=1), {"image": native.images(64)}, 3000
    done, seen = [], []

    def work() -> None:
        while len(done) < limit and not seen:
            done.append(session.run(inputs, check_finite=False))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)  # nobody gets the lock unless it is given away
    thread = threading.Thread(target=work)
    try:
        thread.start()
        while thread.is_alive():
            if 0 < len(done) < limit:
                seen.append(len(done))
            time.sleep(0)
    finally:
        sys.setswitchinterval(interval)
        thread.join()
    assert seen, "another thread got its turn only when all runs were over"


def _scores_in_child(queue: multiprocessing.Queue[Any]) -> None:
    queue.put(shared_session().run({"image": native.images(2)})["scores"])


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_session_works_in_a_forked_child() -> None:
    expected = shared_session().run({"image": native.images(2)})["scores"]
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_scores_in_child, args=(queue,))
    child.start()
    np.testing.assert_array_equal(queue.get(timeout=60), expected)
    child.join()


# ---- the package


def test_import_loads_nothing_but_numpy() -> None:
    code = "import sys, pdrt; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"onnx", "onnxruntime", "torch", "PIL", "argparse", "matplotlib"} & set(loaded)


def test_devices() -> None:
    devices = {device.name: device for device in pdrt.devices()}
    assert devices["cpu"].usable
    assert all(device.details for device in devices.values())
