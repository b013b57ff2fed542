"""The core on 64-bit Arm: cross-compiled, run on the stored cases under qemu, and its loops disassembled."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import arm_loops
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


@pytest.mark.slow
@pytest.mark.parametrize("taps", [0, 1, 9], ids=["any taps", "one tap", "nine taps"])
def test_hot_loop_is_multiply_adds(taps: int, arm_check: Path) -> None:
    """A tile of six kernels and four vectors takes all registers: none may be kept in memory."""
    found = arm_loops.loops(arm_check, f"tiles_in_a_row<6, 4, {taps}>")
    hot = max(found, key=lambda loop: loop.multiply_adds)
    assert hot.multiply_adds >= 4 * 24, hot
    assert hot.share >= 0.8, hot
    assert hot.on_stack == 0, hot


@pytest.mark.slow
def test_peak_is_measured_with_multiply_adds(arm_check: Path) -> None:
    """As many as are counted: kFmaBurst, in vectors of four."""
    (burst,) = arm_loops.loops(arm_check, "fma_burst")
    assert burst.multiply_adds == 768 / 4, burst
    assert burst.share >= 0.95, burst
