"""Every instruction set gives the same answers: the stored cases under each that this processor can run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ISAS = ("portable", "avx2", "avx512", "neon")


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("isa", ISAS)
def test_stored_cases(isa: str, threads: int, pdrt_check: Path, stored_cases: Path) -> None:
    known = subprocess.run([pdrt_check, "--isas"], capture_output=True, text=True, check=True).stdout.split()
    assert known[-1] == "portable"
    if isa not in known:
        pytest.skip(f"this processor has no {isa}")
    command = [pdrt_check, "--isa", isa, "--threads", str(threads), stored_cases]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = int(done.stdout.splitlines()[-1].split()[0])
    assert passed == len(list(stored_cases.glob("*.pdrt"))) > 100


def test_unknown_instruction_set_is_refused(pdrt_check: Path, stored_cases: Path) -> None:
    done = subprocess.run([pdrt_check, "--isa", "sse9", stored_cases], capture_output=True, text=True)
    assert done.returncode == 2
    assert "sse9" in done.stderr
    assert "portable" in done.stderr
