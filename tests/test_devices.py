"""The list of devices: what each machine is told, whatever is wrong with its OpenCL, and that nothing leaks or crashes.

The faults are those of a library that hands every call on to the real one but for the calls it is told to fail
(tests/cpp/faulty_opencl.cpp).
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import pdrt
from pdrt import _core

HINT = "apt-get install pocl-opencl-icd"


@pytest.fixture(scope="module")
def faulty(core_build: Path) -> str:
    """The library that fails on purpose; it needs a real one."""
    try:
        ctypes.CDLL("libOpenCL.so.1")
    except OSError:
        pytest.skip("needs an OpenCL loader: apt-get install ocl-icd-libopencl1 pocl-opencl-icd")
    return str(core_build / "tests" / "cpp" / "libfaulty_opencl.so")


@pytest.fixture(scope="module")
def working() -> list[pdrt.Device]:
    """The machine's OpenCL devices that can be used."""
    devices = [device for device in pdrt.devices() if device.name.startswith("opencl:") and device.usable]
    if not devices:
        pytest.skip(f"needs an OpenCL device: {HINT}")
    return devices


def listed(*arguments: str, **environment: str) -> str:
    """What `pdrt devices` prints in a process of its own: it looks for a library once."""
    command = [sys.executable, "-m", "pdrt", "devices", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout


def opencl_rows(**environment: str) -> list[dict[str, Any]]:
    rows = json.loads(listed("--json", **environment))["devices"]
    assert rows[0]["name"] == "cpu"
    assert rows[0]["usable"]
    assert all(row["name"].startswith("opencl") for row in rows[1:])
    return rows[1:]


def test_every_device_says_something() -> None:
    devices = pdrt.devices()
    assert devices[0].name == "cpu"
    assert devices[0].usable
    assert len(devices) > 1
    assert all(device.details.strip() for device in devices)
    numbered = [device.name for device in devices if device.name.startswith("opencl:")]
    assert numbered == [f"opencl:{number}" for number in range(len(numbered))]
    assert devices == pdrt.devices()


def test_what_a_device_is(working: list[pdrt.Device]) -> None:
    for device in working:
        assert "units" in device.details
        assert "GiB" in device.details
        assert "driver" in device.details
        assert "\n" not in device.details


def test_no_library() -> None:
    (row,) = opencl_rows(PDRT_OPENCL_LIBRARY="/no/such/library.so")
    assert (row["name"], row["usable"]) == ("opencl", False)
    first, hint, places = row["details"].splitlines()
    assert first == "this machine has no OpenCL device"
    assert HINT in hint
    assert places == "not there: /no/such/library.so"


def test_another_library(tmp_path: Path) -> None:
    (row,) = opencl_rows(PDRT_OPENCL_LIBRARY="libm.so.6")
    assert "libm.so.6: not OpenCL 1.2: it has no clGetPlatformIDs, clGetPlatformInfo" in row["details"]
    text = tmp_path / "text.so"
    text.write_text("no library")
    (row,) = opencl_rows(PDRT_OPENCL_LIBRARY=str(text))
    assert f"{text}: " in row["details"]


def test_no_driver(faulty: str, tmp_path: Path) -> None:
    for environment in (
        {"OCL_ICD_VENDORS": str(tmp_path), "PDRT_OPENCL_LIBRARY": "libOpenCL.so.1"},
        {"PDRT_OPENCL_LIBRARY": faulty, "PDRT_FAULT": "clGetPlatformIDs:1+:-1001"},
    ):
        (row,) = opencl_rows(**environment)
        assert row["name"] == "opencl"
        assert "it knows no platform (no driver is installed for it)" in row["details"]
        assert HINT in row["details"]


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("clGetDeviceIDs:1+:-1", "has no device"),
        ("clGetDeviceIDs:1+:-32", "clGetDeviceIDs failed: CL_INVALID_PLATFORM (-32)"),
        ("clGetDeviceInfo:3+:-6", "clGetDeviceInfo failed: CL_OUT_OF_HOST_MEMORY (-6); the machine's memory"),
        ("clGetPlatformInfo:1+:-30", "clGetPlatformInfo failed: CL_INVALID_VALUE (-30)"),
    ],
)
def test_devices_that_cannot_be_listed(faulty: str, fault: str, said: str) -> None:
    (row,) = opencl_rows(PDRT_OPENCL_LIBRARY=faulty, PDRT_FAULT=fault)
    assert (row["name"], row["usable"]) == ("opencl", False)
    assert said in row["details"]


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"PDRT_FAULT_NO_COMPILER": "1"}, "cannot compile programs"),
        ({"PDRT_FAULT": "clCreateContext:1+:-2"}, "clCreateContext failed: CL_DEVICE_NOT_AVAILABLE (-2)"),
        ({"PDRT_FAULT": "clCreateBuffer:1+:-4"}, "CL_MEM_OBJECT_ALLOCATION_FAILURE (-4); 256 bytes (0 MiB)"),
        ({"PDRT_FAULT": "clBuildProgram:1+:-11", "PDRT_FAULT_LOG": "a line\nof the log"}, "a line\nof the log"),
        ({"PDRT_FAULT": "clEnqueueNDRangeKernel:1+:-36"}, "the device may be lost"),
        ({"PDRT_FAULT": "clEnqueueReadBuffer:1+:-9999"}, "NVIDIA's illegal read or write by a kernel (-9999)"),
    ],
)
def test_devices_that_do_not_work(faulty: str, tmp_path: Path, environment: dict[str, str], said: str) -> None:
    report = tmp_path / "balance"
    rows = opencl_rows(PDRT_OPENCL_LIBRARY=faulty, PDRT_FAULT_REPORT=str(report), **environment)
    assert rows
    for row in rows:
        assert row["name"].startswith("opencl:")
        assert not row["usable"]
        assert "units" in row["details"].splitlines()[0]
        assert said in row["details"]
    assert report.read_text() == "0\n"


def test_nothing_leaks(faulty: str, working: list[pdrt.Device], tmp_path: Path) -> None:
    report = tmp_path / "balance"
    rows = opencl_rows(PDRT_OPENCL_LIBRARY=faulty, PDRT_FAULT_REPORT=str(report))
    assert [row["name"] for row in rows if row["usable"]] == [device.name for device in working]
    assert report.read_text() == "0\n"


def test_text_is_aligned() -> None:
    lines = listed(PDRT_OPENCL_LIBRARY="/no/such/library.so").splitlines()
    column = lines[1].index("this machine has no OpenCL device")
    assert lines[0].index("instruction sets") == column
    assert lines[2].startswith(" " * column + "on Debian")
    assert lines[3].startswith(" " * column + "not there: ")
    assert not lines[4]


def test_places_inside_packages(tmp_path: Path) -> None:
    """Python's packages are looked at behind the system's places, and only where those have no driver."""
    code = "import pdrt, sys; pdrt._core.add_opencl_library(sys.argv[1]); print(pdrt.devices()[-1].details)"
    environment = {**os.environ, "OCL_ICD_VENDORS": str(tmp_path)}
    environment.pop("PDRT_OPENCL_LIBRARY", None)
    place = str(tmp_path / "libOpenCL.so")
    done = subprocess.run([sys.executable, "-c", code, place], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert place in done.stdout
    _core.add_opencl_library(place)  # of no consequence in a process that has looked already
    assert pdrt.devices() == pdrt.devices()
