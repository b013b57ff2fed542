"""What the tests share: the C++ tools, and the rule that continuous integration skips nothing it can install."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import opencl_devices
from pdrt import _core

REPOSITORY = Path(__file__).resolve().parent.parent

# Costs that someone measured on this machine decide which way a convolution runs; tests start without.
os.environ["PDRT_CACHE_DIR"] = str(REPOSITORY / "build" / "no-such-cache")

# The only good reasons for a skip when PDRT_CI is set: data beside the repository, and what this processor is.
ALLOWED_IN_CI = ("PDRT_DATA", "processor")


def fail_if_skipped_in_ci(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure where PDRT_CI is set and its reason is not one of ALLOWED_IN_CI."""
    if not os.environ.get("PDRT_CI") or report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    if not any(word in reason for word in ALLOWED_IN_CI):
        report.outcome = "failed"
        report.longrepr = f"skipped, but PDRT_CI is set and everything can be installed there: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Apply the rule to tests."""
    report = yield
    fail_if_skipped_in_ci(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    """Apply the rule to whole files."""
    report = yield
    fail_if_skipped_in_ci(report)
    return report


@pytest.fixture(scope="module", params=_core.engines())
def each_isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run a module's tests once for every instruction set that this machine has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PDRT_ISA", request.param)
        yield request.param


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for `on_device` once for every OpenCL device; nobody else looks for devices."""
    if "on_device" in metafunc.fixturenames:
        metafunc.parametrize("on_device", opencl_devices.names() or [None], indirect=True, scope="session")
    if "on_half_device" in metafunc.fixturenames:
        found = opencl_devices.with_half_arithmetic() or [None]
        metafunc.parametrize("on_half_device", found, indirect=True, scope="session")


@pytest.fixture(scope="session")
def on_device(request: pytest.FixtureRequest, programs: str) -> opencl_devices.Maker:
    """Return what makes sessions on an OpenCL device; skip where there is none."""
    if request.param is None:
        pytest.skip("no OpenCL device works here: install pocl-opencl-icd")
    return opencl_devices.Maker(request.param, programs)


@pytest.fixture(scope="session")
def on_half_device(request: pytest.FixtureRequest, programs: str) -> opencl_devices.Maker:
    """Return what makes sessions on an OpenCL device with half arithmetic; skip where there is none."""
    if request.param is None:
        pytest.skip(opencl_devices.no_half_arithmetic())
    return opencl_devices.Maker(request.param, programs)


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a folder for built programs, so that no program is built twice."""
    return str(tmp_path_factory.mktemp("programs"))


def cmake_build(folder: Path, target: str, *definitions: str) -> Path:
    """Configure the repository in `folder` and build one target there; what is built already is not built again."""
    configure = ["cmake", "-S", str(REPOSITORY), "-B", str(folder), *definitions]
    if not (folder / "CMakeCache.txt").exists():
        configure += ["-G", "Ninja"]
    for command in (configure, ["cmake", "--build", str(folder), "--target", target]):
        done = subprocess.run(command, capture_output=True, text=True, env=environment())
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return folder


def environment() -> dict[str, str]:
    """Return the environment with this Python's own cmake and ninja first."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


@pytest.fixture(scope="session")
def core_build() -> Path:
    """Return a folder with the core, its tools and C++ tests: `make test` names its own, else they are built here."""
    if given := os.environ.get("PDRT_BUILD"):
        return Path(given).resolve()
    return cmake_build(REPOSITORY / "build" / "tools", "all", "-DPDRT_TESTS=ON")


@pytest.fixture(scope="session")
def pdrt_check(core_build: Path) -> Path:
    """Return the program that runs stored cases."""
    return core_build / "csrc" / "tools" / "pdrt-check"


@pytest.fixture(scope="session")
def stored_cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of models with their inputs and the outputs ONNX Runtime gives, written by make_cases.py."""
    folder = tmp_path_factory.mktemp("cases")
    command = [sys.executable, str(REPOSITORY / "tests" / "make_cases.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder
