"""Makes calls of OpenCL fail, one after the other, in a process of its own; see test_opencl_faults.py.

python opencl_fault_sweep.py libfaulty_opencl.so opencl:0 folder-of-built-programs
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys

import numpy as np

import native
import pdrt

# Each with a code that such a call may give; those marked False cost time alone.
CALLS = {
    "clCreateContext": (-6, True),
    "clCreateCommandQueue": (-6, True),
    "clCreateBuffer": (-4, True),
    "clCreateProgramWithBinary": (-42, False),
    "clBuildProgram": (-11, False),  # of a binary: it is built from its source
    "clRetainProgram": (-5, True),
    "clCreateKernel": (-46, True),
    "clSetKernelArg": (-51, True),
    "clGetKernelWorkGroupInfo": (-48, True),
    "clEnqueueNDRangeKernel": (-5, True),
    "clEnqueueWriteBuffer": (-5, True),
    "clEnqueueReadBuffer": (-9999, True),
    "clEnqueueCopyBuffer": (-5, True),
    "clEnqueueFillBuffer": (-4, True),
    "clEnqueueMapBuffer": (-12, True),
    "clEnqueueUnmapMemObject": (-5, True),
    "clFlush": (-36, True),
    "clFinish": (-36, True),
    "clWaitForEvents": (-14, True),
}
# Those that differ where steps of the host use planes.
OF_PLANES = ("clCreateBuffer", "clEnqueueWriteBuffer", "clEnqueueMapBuffer", "clEnqueueUnmapMemObject")
PLACES = (1, 2, 3, 5, 8, 13, 21, 34)
IMAGES = native.images(2)

# Model, where its switches are evaluated, whether the host and the device share memory.
SWEEPS = {
    "switches on cpu": (native.gated(), "cpu", "1"),
    "switches on device": (native.gated(), "device", "1"),
    "shared planes": (native.helped(), "cpu", "1"),
    "copied planes": (native.helped(), "cpu", "0"),
}


def outcome(device: str, folder: str, model: bytes, switches: str) -> np.ndarray | str:
    """Make a session and run it twice; returns the scores, or what DeviceError said."""
    try:
        session = pdrt.Session(model, device=device, cache_dir=folder, fallback="cpu", switches=switches)
        session.run({"image": IMAGES})
        return session.run({"image": IMAGES})["scores"]
    except pdrt.DeviceError as error:
        return str(error)


def sweep(library: ctypes.CDLL, device: str, folder: str, name: str) -> tuple[dict[str, int], list[str]]:
    """Return how many calls failed, by name, and what was not as it should be."""
    model, switches, os.environ["PDRT_UNIFIED_MEMORY"] = SWEEPS[name]
    expected = pdrt.Session(model, device="cpu").run({"image": IMAGES})["scores"]
    failures, wrong = dict.fromkeys(CALLS, 0), []
    outcome(device, folder, model, switches)  # programs are built
    for call, (code, fatal) in CALLS.items():
        if "planes" in name and call not in OF_PLANES:
            continue
        if call == "clEnqueueUnmapMemObject" and name != "shared planes":
            fatal = False  # the session is over by then
        for place in PLACES:
            rule = f"{call}:{place}:{code}"
            library.pdrt_fault(rule.encode())
            said = outcome(device, folder, model, switches)
            failed = library.pdrt_fault_failed()
            library.pdrt_fault(b"")
            gc.collect()
            if library.pdrt_fault_balance() != 0:
                wrong.append(f"{rule}: {library.pdrt_fault_balance()} objects were left")
            if not failed:
                break
            failures[call] += 1
            if fatal and isinstance(said, str) and call not in said:
                wrong.append(f"{rule}: {said}")
            if fatal and not isinstance(said, str):
                wrong.append(f"{rule}: nobody heard of it")
            if not fatal and isinstance(said, str):
                wrong.append(f"{rule}: {said}")
            after = outcome(device, folder, model, switches)
            if isinstance(after, str) or not np.allclose(after, expected, rtol=1e-4, atol=1e-5):
                wrong.append(f"after {rule}: {after}")
    return failures, wrong


def main() -> int:
    """Sweep one device."""
    path, device, folder = sys.argv[1:]
    library = ctypes.CDLL(path)
    library.pdrt_fault_balance.restype = ctypes.c_long
    total, wrong = 0, []
    for name in SWEEPS:
        failures, found = sweep(library, device, folder, name)
        total += sum(failures.values())
        wrong += [f"{device}, {name}: {line}" for line in found]
        if "planes" in name and not failures["clEnqueueMapBuffer"]:
            wrong.append(f"{device}, {name}: nothing was mapped")
    print("\n".join(wrong) or f"{total} failures, all as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
