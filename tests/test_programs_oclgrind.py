"""The tests of the OpenCL programs once more, on oclgrind's simulated device: no race, nothing out of bounds.

It also reports reads of what was never written, and local memory that is not met at the same barrier by all.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
# The simulator knows code that was not optimised best. Inlining alone would leave it calls that it does not know.
BUILD = "-cl-opt-disable -DINLINE=static"
# It has no half arithmetic, and sums over many channels take it too long.
UNDER_IT = "not rounding and not half_arithmetic"


@pytest.mark.slow
@pytest.mark.parametrize("programs", ["", "_convolution", "_dense", "_winograd"])
def test_under_oclgrind(programs: str, tmp_path: Path) -> None:
    if shutil.which("oclgrind") is None:
        pytest.skip("oclgrind is not installed: apt-get install oclgrind")
    pytest.importorskip("pyopencl", reason="oclgrind runs programs by way of pyopencl: pip install pyopencl")
    log = tmp_path / "log"
    command = ["oclgrind", "--data-races", "--uninitialized", "--log", str(log), "--build-options", BUILD]
    file = TESTS / f"test_programs{programs}.py"
    command += [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", UNDER_IT, str(file)]
    environment = {**os.environ, "PDRT_EXAMPLES": "1", "PYOPENCL_NO_CACHE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
    found = log.read_text() if log.exists() else ""
    assert not found, found
