"""What pdrt does without: memory for weights, modules nobody asked for, and waiting when many threads run at once."""

from __future__ import annotations

import faulthandler
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest

import native
import pdrt
from network import Network

PROBE = """
import json, sys
from pathlib import Path
import numpy as np
import pdrt

def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))

x = np.ones((1, 8192), np.float32)
start = resident()
session = pdrt.Session(sys.argv[1], threads=1)
session.explain()
planned = resident()
session.run({"x": x})
print(json.dumps([planned - start, resident() - start]))
"""


@pytest.fixture
def timeout() -> Iterator[None]:
    """Ends the tests with every thread's traceback where one hangs."""
    faulthandler.dump_traceback_later(120, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def test_weights_stay_in_the_file(tmp_path: Path) -> None:
    """Loading and planning touch none of the weights; a run brings in what it reads, once."""
    weights = np.full((1024, 8192), 0.5, np.float32)
    file = tmp_path / "wide.pdrt"
    nodes = [native.node("y", "Gemm", ["x", "w"], transB=1)]
    file.write_bytes(native.model({"x": ("float32", [1, 8192])}, ["y"], nodes, {"w": weights}))
    done = subprocess.run([sys.executable, "-c", PROBE, str(file)], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    planned, ran = json.loads(done.stdout)
    assert planned < weights.nbytes / 4
    assert weights.nbytes / 2 < ran < 1.3 * weights.nbytes


def test_importing_brings_only_numpy() -> None:
    program = "import sys, pdrt; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert {"pdrt", "numpy"} <= modules
    assert not modules & {"onnx", "onnxruntime", "PIL", "matplotlib", "torch", "argparse", "asyncio", "multiprocessing"}


def test_the_first_run_imports_nothing(tmp_path: Path) -> None:
    """Whoever starts a process for a few images waits for every module."""
    file = tmp_path / "gated.pdrt"
    file.write_bytes(native.gated())
    program = f"""
import sys, numpy, pdrt
image = numpy.ones({native.images(1).shape}, numpy.float32)
before = set(sys.modules)
session = pdrt.Session({str(file)!r})
session.run({{"image": image}})
session.run({{"image": image.view(type("Mine", (numpy.ndarray,), {{}}))}})  # the way that converts
print(*sorted(set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("\n", "")


@pytest.mark.usefixtures("timeout")
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_sessions_in_many_threads(threads: int) -> None:
    """More callers than processors, sessions of their own and one for all, batches of several sizes."""
    model = pdrt.load(native.gated())
    shared = pdrt.Session(model, threads=threads)
    batches = [native.images(1 + index % 3, seed=index) for index in range(6)]
    expected = [pdrt.Session(model, threads=1).run({"image": batch})["scores"] for batch in batches]
    wrong: list[int] = []
    begin = threading.Barrier(len(batches))

    def work(index: int) -> None:
        own = pdrt.Session(model, threads=threads)
        begin.wait()
        for _ in range(40):
            for session in (own, shared):
                if not np.array_equal(session.run({"image": batches[index]})["scores"], expected[index]):
                    wrong.append(index)

    workers = [threading.Thread(target=work, args=(index,)) for index in range(len(batches))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_a_batch_has_room_for_one_sample_between_layers() -> None:
    """Eight images take the memory of eight only where all of them must be there at once."""
    same = {"pads": [1, 1, 1, 1]}
    names, channels = ["image", "wide", "wider", "scores"], [2, 16, 24, 2]
    random = np.random.default_rng(1)
    nodes, weights = [], {}
    for layer in (1, 2, 3):
        shape = (channels[layer], channels[layer - 1], 3, 3)
        weights[f"w{layer}"] = random.standard_normal(shape).astype("f4")
        nodes.append(native.node(names[layer], "Conv", [names[layer - 1], f"w{layer}"], **same))
    model = pdrt.Model.from_bytes(native.model({"image": ("float32", ["N", 2, 40, 40])}, ["scores"], nodes, weights))
    session = pdrt.Session(model, threads=2)
    one, eight = (session.explain({"image": (count, 2, 40, 40)}).arena_bytes for count in (1, 8))
    assert eight < 3 * one
    images = random.standard_normal((8, 2, 40, 40)).astype("f4")
    together = session.run({"image": images})["scores"]
    for index in range(8):
        assert np.array_equal(session.run({"image": images[index : index + 1]})["scores"][0], together[index])


def test_switches_between_layers_leave_room_for_one_sample() -> None:
    """The layers that decide for a sample come between its other layers, not after those of all samples."""
    net = Network(3, batch=8, channels=2, size=40)
    planes = net.image
    for kernels in (16, 24, 16):
        logits = net.conv(net.relu(net.conv(net.add("GlobalAveragePool", planes), 8, 1)), kernels, 1)
        on = net.add("Cast", net.add("Greater", logits, net.store(0.0)), to=onnx.TensorProto.FLOAT)
        planes = net.add("Mul", net.relu(net.conv(planes, kernels)), on)
    output = net.conv(planes, 2)
    session = pdrt.Session(net.model([output]), threads=2)
    one, eight = (session.explain({"image": (count, 2, 40, 40)}).arena_bytes for count in (1, 8))
    assert eight < 3 * one
    images = net.feeds["image"]
    together = session.run({"image": images})[output]
    assert len({tuple(active) for active in zip(*session.last_run.active.values(), strict=True)}) > 1
    for index in range(8):
        assert np.array_equal(session.run({"image": images[index : index + 1]})[output][0], together[index])


@pytest.mark.parametrize("threads", [1, 2])
def test_a_batch_is_its_images(threads: int) -> None:
    """Whatever is on for the others: the same bits, the same counts."""
    session = pdrt.Session(native.gated(), threads=threads)
    batch = native.images(8)
    scores = session.run({"image": batch})["scores"]
    visited = session.last_run.visited
    assert len(set(native.kernels_on(batch).tolist())) > 1
    for index in range(len(batch)):
        assert np.array_equal(session.run({"image": batch[index : index + 1]})["scores"][0], scores[index])
        alone = session.last_run.visited
        assert {name: int(pairs[index]) for name, pairs in visited.items()} == {
            name: int(pairs[0]) for name, pairs in alone.items()
        }
