"""Someone else's C++ project: install the core, find it with CMake, build the example, run it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from conftest import REPOSITORY, environment

DIGITS = REPOSITORY / "python" / "pdrt" / "data" / "digits.pdrt"


def run(*command: str | Path) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=environment())
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_example_with_the_installed_library(core_build: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "a prefix"
    run("cmake", "--install", core_build, "--prefix", prefix, "--component", "core")
    example = tmp_path / "example"
    run("cmake", "-S", REPOSITORY / "examples" / "cpp", "-B", example, f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", example)

    line = run(example / "classify", DIGITS)
    found = re.fullmatch(r"class (\d) of 10, computed (\d+) of (\d+) multiply-adds in [0-9.e-]+ ms\n", line)
    assert found, line
    _, executed, dense = map(int, found.groups())
    assert 0 < executed < dense


def test_installed_tools_say_what_they_do(core_build: Path, tmp_path: Path) -> None:
    run("cmake", "--install", core_build, "--prefix", tmp_path, "--component", "core")
    for tool in ("pdrt-check", "pdrt-bench"):
        assert "--threads" in run(tmp_path / "bin" / tool, "--help")
    assert '"p50_ms"' in run(tmp_path / "bin" / "pdrt-bench", DIGITS, "--runs", "2", "--threads", "1", "--json")


def test_headers_stand_alone(tmp_path: Path) -> None:
    for header in sorted((REPOSITORY / "csrc" / "include" / "pdrt").glob("*.h")):
        source = tmp_path / f"{header.stem}.cpp"
        source.write_text(f"#include <pdrt/{header.name}>\n")
        run("c++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{header.parent.parent}", source)
