"""Other runtimes to stand beside: ONNX Runtime, OpenVINO, ncnn and MNN, each only where it is installed.

All of them compute in 32-bit floats, get a fixed number of threads, fixed shapes, and the vendor's own converter and
optimiser. What a peer cannot do is said, and the peer left out.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from calibrated import INPUT, OUTPUT, Array

Runner = Callable[[Array], Array]
TOLERANCE = 1e-2  # of the largest logit; some trade digits for speed (Winograd), and what they lose is written down


class PeerError(Exception):
    """A peer cannot be used; the message says why."""


class Peer(Protocol):
    """A runtime with one model, made from the ONNX file, the input's shape and a folder for its own files."""

    def __init__(self, model: bytes, shape: tuple[int, ...], folder: Path) -> None: ...

    def runner(self, threads: int) -> Runner:
        """Return a function that runs the model on so many threads; image -> logits."""


class OnnxRuntime:
    """ONNX Runtime on its CPU provider, all graph optimisations on."""

    def __init__(self, model: bytes, shape: tuple[int, ...], folder: Path) -> None:
        self._model = model

    def runner(self, threads: int) -> Runner:  # noqa: D102
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(self._model, options, providers=["CPUExecutionProvider"])
        return lambda image: session.run(None, {INPUT: image})[0]


class OpenVino:
    """OpenVINO on its CPU plugin, for latency."""

    def __init__(self, model: bytes, shape: tuple[int, ...], folder: Path) -> None:
        import openvino

        self._core = openvino.Core()
        self._model = self._core.read_model(model)
        self._model.reshape(list(shape))

    def runner(self, threads: int) -> Runner:  # noqa: D102
        options = {
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "f32",
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
        }
        compiled = self._core.compile_model(self._model, "CPU", options)
        request = compiled.create_infer_request()
        return lambda image: request.infer({0: image}, share_inputs=True)[0]


class Ncnn:
    """The ncnn runtime, its model made by pnnx (`pip install --no-deps pnnx`: the program in it needs nothing else)."""

    def __init__(self, model: bytes, shape: tuple[int, ...], folder: Path) -> None:
        import ncnn  # noqa: F401  before the slow conversion

        found = importlib.util.find_spec("pnnx")
        if found is None or not found.submodule_search_locations:
            raise PeerError("pnnx, which converts for it, is not installed (pip install --no-deps pnnx)")
        program = Path(found.submodule_search_locations[0]) / "pnnx"
        source = folder / "ncnn.onnx"
        source.write_bytes(model)
        sizes = ",".join(str(size) for size in shape)
        _convert([str(program), source.name, f"inputshape=[{sizes}]f32", "fp16=0"], folder)
        self._files = [str(folder / f"ncnn.ncnn.{end}") for end in ("param", "bin")]

    def runner(self, threads: int) -> Runner:  # noqa: D102
        import ncnn

        net = ncnn.Net()
        net.opt.num_threads = threads
        net.opt.use_vulkan_compute = False
        for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"):
            setattr(net.opt, option, False)
        if net.load_param(self._files[0]) or net.load_model(self._files[1]):
            raise PeerError("it does not load what pnnx made")

        def run(image: Array) -> Array:
            extractor = net.create_extractor()
            extractor.input("in0", ncnn.Mat(image[0]))
            status, logits = extractor.extract("out0")
            if status:
                raise PeerError(f"extract() gives {status}")
            return np.array(logits).reshape(1, -1)

        return run


class Mnn:
    """MNN through its module interface, precision high."""

    def __init__(self, model: bytes, shape: tuple[int, ...], folder: Path) -> None:
        import MNN  # noqa: F401

        source = folder / "mnn.onnx"
        source.write_bytes(model)
        self._file = str(folder / "mnn.mnn")
        program = "from MNN.tools.mnnconvert import main; main()"
        options = ["-f", "ONNX", "--modelFile", source.name, "--MNNModel", self._file, "--bizCode", "bench"]
        _convert([sys.executable, "-c", program, *options], folder)

    def runner(self, threads: int) -> Runner:  # noqa: D102
        import MNN

        config = {"backend": "CPU", "precision": "high", "numThread": threads}
        runtime = MNN.nn.create_runtime_manager((config,))
        net = MNN.nn.load_module_from_file(self._file, [INPUT], [OUTPUT], runtime_manager=runtime, shape_mutable=False)

        def run(image: Array) -> Array:
            placed = MNN.expr.const(image, list(image.shape), MNN.expr.NCHW)
            (logits,) = net.onForward([placed])
            return np.array(logits.read()).reshape(1, -1)

        return run


PEERS: dict[str, type[Peer]] = {"ONNX Runtime": OnnxRuntime, "OpenVINO": OpenVino, "ncnn": Ncnn, "MNN": Mnn}


def load(model: bytes, image: Array, expected: Array, folder: Path) -> dict[str, tuple[Peer, float]]:
    """Return the peers that compute what is expected, each with its error; print why the others are left out."""
    loaded: dict[str, tuple[Peer, float]] = {}
    for name, kind in PEERS.items():
        try:
            peer = kind(model, image.shape, folder)
            error = relative_error(peer.runner(1)(image), expected)
            if error > TOLERANCE:
                raise PeerError(f"its result is wrong by {error:.1g} of the largest")
        except (ImportError, PeerError, RuntimeError) as problem:
            print(f"  {name} is left out: {problem}")
        else:
            loaded[name] = peer, error
    return loaded


def relative_error(value: Array, expected: Array) -> float:
    """Return the largest difference as a share of the largest number expected."""
    return float(np.abs(value - expected).max() / np.abs(expected).max())


def _convert(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise PeerError(f"{Path(command[0]).name} fails: {''.join(last)}")
