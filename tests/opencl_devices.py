"""The OpenCL devices that sessions are tested on, and what the tests ask of a session there."""

from __future__ import annotations

import functools
import platform
from collections.abc import Mapping
from typing import Any

import pdrt
from network import Array


@functools.cache
def names() -> list[str]:
    """Return the names of all OpenCL devices that work."""
    return [device.name for device in pdrt.devices() if device.usable and device.name.startswith("opencl:")]


def with_half_arithmetic() -> list[str]:
    """Return the names of those that have half arithmetic, the extension cl_khr_fp16."""
    return [name for name in names() if ", half arithmetic;" in details_of(name)]


def no_half_arithmetic() -> str:
    """Return why a test is skipped that needs such a device."""
    why = "no OpenCL device here has half arithmetic (cl_khr_fp16)"
    if platform.machine() in ("x86_64", "AMD64"):
        return f"{why}: pip install intel-opencl-rt intel-cmplr-lib-rt"
    return f"{why}, and none can be installed for this processor"


def details_of(name: str) -> str:
    """Return what `pdrt.devices` says about a device."""
    return next(device.details for device in pdrt.devices() if device.name == name)


class Maker:
    """Makes sessions on one device."""

    def __init__(self, device: str, programs: str):
        self.device = device
        # PoCL keeps what it built by itself. Asked for programs to keep, it builds them a second time, for work-groups
        # of any size.
        self.programs = "/dev/null" if "Portable Computing Language" in details_of(device) else programs

    def __call__(self, model: Any, **options: Any) -> pdrt.Session:
        """Return a session of one host thread, whose switches are the host's, unless told otherwise."""
        options = {"threads": 1, "switches": "cpu", **options}
        return pdrt.Session(model, device=self.device, cache_dir=self.programs, **options)


def without_program(session: pdrt.Session, feeds: Mapping[str, Array]) -> dict[str, str]:
    """Return the steps that the host runs for want of a program, and why."""
    shapes = {spec.name: feeds[spec.name].shape for spec in session.inputs}
    reasons = {step.name: step.refused[0] for step in session.explain(shapes).steps if step.refused}
    gate = "opencl: it decides what runs, on the host"
    return {
        name: reason.removeprefix("opencl: ")
        for name, reason in reasons.items()
        if reason.startswith("opencl: ") and reason != gate
    }
