"""pdrt, and the runtimes it stands beside: ONNX Runtime, OpenVINO, ncnn and MNN, each only where it is installed.

All of them compute in 32-bit floats, get a fixed number of threads, the vendor's own converter and optimiser, and open
a file of their own. What a runtime cannot do is said, and the runtime left out.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Runner = Callable[[Array], Array]
INPUT, OUTPUT = "image", "logits"
# Of the largest logit; some trade digits for speed (Winograd), and what they lose is written down.
TOLERANCE = 1e-2


class PeerError(Exception):
    """A runtime cannot be used; the message says why."""


class Runtime(Protocol):
    """How to get from an ONNX file to a function that runs it."""

    package: str
    """What pip calls it, and where its version is found."""

    @staticmethod
    def convert(source: Path, shape: tuple[int, ...], folder: Path) -> Path:
        """Return the file the runtime opens, made from the ONNX file for inputs of this shape."""

    @staticmethod
    def imported() -> None:
        """Import what `open` needs."""

    @staticmethod
    def open(file: Path, threads: int) -> Runner:
        """Return a function that runs the model on so many threads; image -> logits."""


class Pdrt:
    """This project, from its own file."""

    package = "pdrt"

    @staticmethod
    def convert(source: Path, shape: tuple[int, ...], folder: Path) -> Path:  # noqa: D102
        import pdrt

        pdrt.convert(source, folder / "pdrt.pdrt")
        return folder / "pdrt.pdrt"

    @staticmethod
    def imported() -> None:  # noqa: D102
        import pdrt  # noqa: F401

    @staticmethod
    def open(file: Path, threads: int) -> Runner:  # noqa: D102
        import pdrt

        session = pdrt.Session(file, device="cpu", threads=threads)
        return lambda image: session.run({INPUT: image})[OUTPUT]


class OnnxRuntime:
    """ONNX Runtime on its CPU provider, all graph optimisations on."""

    package = "onnxruntime"

    @staticmethod
    def convert(source: Path, shape: tuple[int, ...], folder: Path) -> Path:  # noqa: D102
        return source

    @staticmethod
    def imported() -> None:  # noqa: D102
        import onnxruntime  # noqa: F401

    @staticmethod
    def open(file: Path, threads: int) -> Runner:  # noqa: D102
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        return lambda image: session.run(None, {INPUT: image})[0]


class OpenVino:
    """OpenVINO on its CPU plugin, for latency; from its own files, with the input's shape fixed."""

    package = "openvino"

    @staticmethod
    def convert(source: Path, shape: tuple[int, ...], folder: Path) -> Path:  # noqa: D102
        import openvino

        model = openvino.Core().read_model(str(source))
        model.reshape(list(shape))
        openvino.save_model(model, str(folder / "openvino.xml"), compress_to_fp16=False)
        return folder / "openvino.xml"

    @staticmethod
    def imported() -> None:  # noqa: D102
        import openvino  # noqa: F401

    @staticmethod
    def open(file: Path, threads: int) -> Runner:  # noqa: D102
        import openvino

        options = {
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "f32",
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
        }
        compiled = openvino.Core().compile_model(str(file), "CPU", options)
        request = compiled.create_infer_request()
        return lambda image: request.infer({0: image}, share_inputs=True)[0]


class Ncnn:
    """The ncnn runtime, its model made by pnnx (`pip install --no-deps pnnx`: the program in it needs nothing else)."""

    package = "ncnn"

    @staticmethod
    def convert(source: Path, shape: tuple[int, ...], folder: Path) -> Path:  # noqa: D102
        import ncnn  # noqa: F401  before the slow conversion

        found = importlib.util.find_spec("pnnx")
        if found is None or not found.submodule_search_locations:
            raise PeerError("pnnx, which converts for it, is not installed (pip install --no-deps pnnx)")
        program = Path(found.submodule_search_locations[0]) / "pnnx"
        own = folder / "ncnn.onnx"  # pnnx names its files after its input, beside it
        own.symlink_to(source)
        sizes = ",".join(str(size) for size in shape)
        _convert([str(program), own.name, f"inputshape=[{sizes}]f32", "fp16=0"], folder)
        for unused in ("ncnn.pnnx.bin", "ncnn.pnnx.onnx"):
            (folder / unused).unlink(missing_ok=True)
        return folder / "ncnn.ncnn.param"

    @staticmethod
    def imported() -> None:  # noqa: D102
        import ncnn  # noqa: F401

    @staticmethod
    def open(file: Path, threads: int) -> Runner:  # noqa: D102
        import ncnn

        net = ncnn.Net()
        net.opt.num_threads = threads
        net.opt.use_vulkan_compute = False
        for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"):
            setattr(net.opt, option, False)
        if net.load_param(str(file)) or net.load_model(str(file.with_suffix(".bin"))):
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

    package = "MNN"

    @staticmethod
    def convert(source: Path, shape: tuple[int, ...], folder: Path) -> Path:  # noqa: D102
        import MNN  # noqa: F401

        file = folder / "mnn.mnn"
        program = "from MNN.tools.mnnconvert import main; main()"
        options = ["-f", "ONNX", "--modelFile", str(source), "--MNNModel", str(file), "--bizCode", "bench"]
        _convert([sys.executable, "-c", program, *options], folder)
        return file

    @staticmethod
    def imported() -> None:  # noqa: D102
        import MNN  # noqa: F401

    @staticmethod
    def open(file: Path, threads: int) -> Runner:  # noqa: D102
        import MNN

        config = {"backend": "CPU", "precision": "high", "numThread": threads}
        runtime = MNN.nn.create_runtime_manager((config,))
        net = MNN.nn.load_module_from_file(str(file), [INPUT], [OUTPUT], runtime_manager=runtime, shape_mutable=False)

        def run(image: Array) -> Array:
            placed = MNN.expr.const(image, list(image.shape), MNN.expr.NCHW)
            (logits,) = net.onForward([placed])
            return np.array(logits.read()).reshape(image.shape[0], -1)

        return run


PEERS: dict[str, type[Runtime]] = {"ONNX Runtime": OnnxRuntime, "OpenVINO": OpenVino, "ncnn": Ncnn, "MNN": Mnn}
RUNTIMES: dict[str, type[Runtime]] = {"pdrt": Pdrt, **PEERS}


def convert(
    source: Path, shape: tuple[int, ...], folder: Path, runtimes: Iterable[str]
) -> tuple[dict[str, Path], dict[str, str]]:
    """Return the file of each runtime that can have one, and why the others cannot."""
    files: dict[str, Path] = {}
    problems: dict[str, str] = {}
    for name in runtimes:
        kind = RUNTIMES[name]
        try:
            files[name] = kind.convert(source, shape, folder)
        except ImportError:
            problems[name] = f"not installed (pip install {kind.package})"
        except (PeerError, RuntimeError, OSError) as problem:
            problems[name] = str(problem)
    return files, problems


def relative_error(value: Array, expected: Array) -> float:
    """Return the largest difference as a share of the largest number expected."""
    return float(np.abs(value - expected).max() / np.abs(expected).max())


def _convert(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise PeerError(f"{Path(command[0]).name} fails: {''.join(last)}")
