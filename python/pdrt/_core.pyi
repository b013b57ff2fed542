from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any

import numpy
from numpy.typing import NDArray

__version__: str

class Error(Exception):
    """Base of everything pdrt raises on purpose."""

class ModelError(Error):
    """The model (its file, graph, operators or weights) cannot be accepted."""

class InputError(Error):
    """The caller's input (name, shape, dtype, option) cannot be accepted."""

class DeviceError(Error):
    """The device, or a part of it that was asked for, cannot do the work."""

class Spec:
    """What an input or output looks like."""

    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> tuple[int | None, ...]:
        """Sizes; None for a dimension that each run's arrays fix."""
    @property
    def dtype(self) -> numpy.dtype[Any]: ...

class Model:
    """Graph and weights, immutable; may be shared between threads and sessions."""

    @staticmethod
    def load(path: str | PathLike[str]) -> Model:
        """Maps a .pdrt file. Raises ModelError naming the file and what is wrong with it."""
    @staticmethod
    def from_bytes(data: bytes, name: str = "<bytes>") -> Model:
        """The same from memory; `name` stands for the file in messages."""
    def save(self, path: str | PathLike[str]) -> None:
        """Writes a .pdrt file, atomically: to a temporary beside it, then renamed."""
    @property
    def inputs(self) -> tuple[Spec, ...]: ...
    @property
    def outputs(self) -> tuple[Spec, ...]: ...
    @property
    def metadata(self) -> dict[str, str]: ...

class DeviceArray:
    """An array in an OpenCL buffer, given by its handle; offset and strides are bytes."""

    shape: list[int]
    def __init__(
        self, buffer: int, offset: int, shape: list[int], strides: list[int], dtype: numpy.dtype[Any]
    ) -> None: ...

class Session:
    def __init__(
        self,
        model: Model,
        *,
        device: str,
        threads: int,
        outputs: list[str],
        cache_dir: str,
        fallback: str,
        switches: str,
        precision: str,
        skip: bool,
        profile: bool,
        context: int,
        device_id: int,
        queue: int,
    ) -> None: ...
    @property
    def inputs(self) -> tuple[Spec, ...]: ...
    @property
    def outputs(self) -> tuple[Spec, ...]: ...
    def run(self, inputs: dict[str, NDArray[Any]], *, check_finite: bool = ...) -> dict[str, NDArray[Any]]: ...
    def run_into(
        self,
        inputs: Sequence[DeviceArray | NDArray[Any]],
        outputs: Sequence[DeviceArray | NDArray[Any]],
        *,
        check_finite: bool = ...,
    ) -> None: ...
    def output_shapes(self, shapes: list[list[int]]) -> list[list[int]]: ...
    def last_run(self) -> dict[str, Any]: ...
    def explain(self, shapes: list[list[int]]) -> dict[str, Any]: ...

def tune(
    model: Model,
    device: str,
    cache_dir: str,
    shapes: list[list[int]],
    progress: Callable[[int, int], None],
    precision: str = "float32",
) -> list[dict[str, Any]]: ...
def operators() -> list[dict[str, Any]]:
    """One row per operator: name, min_inputs, max_inputs (-1: any number), min_outputs, max_outputs, attributes."""

def devices() -> list[dict[str, Any]]:
    """One row per device: name, usable, details. Never raises."""

def add_opencl_library(path: str) -> None:
    """One more place to look for OpenCL, behind the system's own; of no effect once it was found."""

def available_threads() -> int:
    """Threads this process may use at once: affinity mask and cgroup quota."""

def device_peaks(device: str) -> dict[str, float]:
    """Measures what an OpenCL device reaches at best.

    Returns: gflops (2 per multiply-add), gigabytes_per_second (read and written, in its own memory), to_device and
    to_host (gigabytes per second, from and to ordinary memory), launch_microseconds (the smallest launch, waited for).
    """

def engines() -> list[str]:
    """Instruction sets this machine can run, best first."""

def selected_engine() -> str:
    """The one in use: PDRT_ISA, else the best. Raises DeviceError where PDRT_ISA cannot be had."""

def measured_fma_peak() -> float:
    """Measures what one thread of the selected engine reaches in multiply-adds, in GFLOP/s (2 per multiply-add)."""

def measured_two_threads() -> tuple[float, float]:
    """Measures what the calling thread and another are to each other at this moment, in less than a millisecond.

    Returns: nanoseconds for a cache line to go to the other thread and back; how many times as long multiply-adds take
    on one thread while the other does the same (1: each has a core of its own, about 2: they share one). Raises
    RuntimeError where no thread can be started.
    """
