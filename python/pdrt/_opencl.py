"""OpenCL's loader inside Python's packages, for machines whose system has none."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

from pdrt import _core


def add_libraries() -> None:
    """Tells the core where else to look. Nothing is imported and nothing loaded by this."""
    for path in _libraries():
        _core.add_opencl_library(str(path))


def _libraries() -> Iterator[Path]:
    # pyopencl's wheel brings a loader, and pocl-binary-distribution puts a driver beside it.
    try:
        spec = importlib.util.find_spec("pyopencl")
    except (ImportError, ValueError):  # half-installed, or replaced by something without a spec
        spec = None
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        for folder in (package / ".libs", package.parent / "pyopencl.libs"):
            yield from sorted(folder.glob("libOpenCL*.so*"))
    # intel-opencl-rt's wheel installs into the environment's own lib.
    own = Path(sys.prefix) / "lib" / "libOpenCL.so.1"
    if own.exists():
        yield own
