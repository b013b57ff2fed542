"""ONNX Runtime beside pdrt, where it is installed: to compare answers and times."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from numpy.typing import NDArray

import pdrt

Run: TypeAlias = Callable[[dict[str, NDArray[Any]]], Sequence[NDArray[Any]]]
"""From inputs by name to outputs in order."""


def installed() -> bool:
    """Returns whether ONNX Runtime can be imported."""
    try:
        import onnxruntime  # noqa: F401
    except ImportError:
        return False
    return True


def open_onnx(path: str, threads: int) -> tuple[Run, list[str], str]:
    """Opens an ONNX file on ONNX Runtime's CPU provider.

    Its threads are told not to spin once a run is over, because the other candidate's turn begins there.

    Returns:
        A function from inputs to outputs, the outputs' names, and "ONNX Runtime 1.20.0".

    Raises:
        pdrt.DeviceError: ONNX Runtime is not installed.
        pdrt.ModelError: it refuses the file.
    """
    try:
        import onnxruntime
    except ImportError:
        raise pdrt.DeviceError("comparing needs ONNX Runtime: pip install onnxruntime") from None
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 3
    settings.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no base class but this
        raise pdrt.ModelError(f"{path}: ONNX Runtime refuses it: {_first_line(error)}") from None
    names = [output.name for output in session.get_outputs()]

    def run(inputs: dict[str, NDArray[Any]]) -> Sequence[NDArray[Any]]:
        outputs: Sequence[NDArray[Any]] = session.run(None, inputs)
        return outputs

    return run, names, f"ONNX Runtime {onnxruntime.__version__}"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
