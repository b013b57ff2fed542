"""The core on 64-bit Arm: cross-compiled, and run on the stored cases under qemu."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import REPOSITORY, cmake_build

COMPILER = "aarch64-linux-gnu-g++"
EMULATOR = "qemu-aarch64-static"


@pytest.fixture(scope="module")
def arm_check() -> Path:
    """Return pdrt-check for aarch64, linked statically."""
    for program, package in ((COMPILER, "g++-aarch64-linux-gnu"), (EMULATOR, "qemu-user-static")):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed: apt-get install {package}")
    toolchain = REPOSITORY / "cmake" / "aarch64-linux-gnu.cmake"
    folder = REPOSITORY / "build" / "aarch64"
    cmake_build(folder, "pdrt-check", f"-DCMAKE_TOOLCHAIN_FILE={toolchain}")
    return folder / "csrc" / "tools" / "pdrt-check"


@pytest.mark.slow
@pytest.mark.parametrize("isa", ["neon", "portable"])
def test_stored_cases_on_arm(isa: str, arm_check: Path, stored_cases: Path) -> None:
    command = [EMULATOR, arm_check, "--isa", isa, "--threads", "2", stored_cases]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
