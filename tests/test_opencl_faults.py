"""Sessions on a device that fails: DeviceError says in which call, nothing leaks, and the next session works.

Every call of OpenCL fails once, at places spread over the making of a session and two runs. The failures come from
tests/cpp/faulty_opencl.cpp, which hands on every other call to the real library.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from opencl_devices import Maker

SWEEP = Path(__file__).parent / "opencl_fault_sweep.py"


def test_every_call(on_device: Maker, core_build: Path, tmp_path: Path) -> None:
    try:
        ctypes.CDLL("libOpenCL.so.1")
    except OSError:
        pytest.skip("needs the system's OpenCL loader: apt-get install ocl-icd-libopencl1")
    library = core_build / "tests" / "cpp" / "libfaulty_opencl.so"
    environment = {**os.environ, "PDRT_OPENCL_LIBRARY": str(library)}
    command = [sys.executable, str(SWEEP), str(library), on_device.device, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "failures, all as they should be" in done.stdout
