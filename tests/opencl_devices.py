"""The OpenCL devices that sessions are tested on, and sessions on them that share one folder of built programs."""

from __future__ import annotations

import functools
from typing import Any

import native
import pdrt

# Enough for anything: the first number that no device has ends the search.
_MOST = 16


def _sigmoid() -> bytes:
    node = {"name": "sigmoid", "op": "Sigmoid", "inputs": ["x"], "outputs": ["y"], "attributes": {}}
    return native.model({"x": ("float32", [1, 1, 1, 1])}, ["y"], [node], {})


@functools.cache
def names() -> list[str]:
    """Return the names of all devices on which a session can be made."""
    found = []
    for number in range(_MOST):
        try:
            pdrt.Session(_sigmoid(), device=f"opencl:{number}", fallback="cpu")
        except pdrt.DeviceError as error:
            if "there is no" in str(error):
                break
            continue
        found.append(f"opencl:{number}")
    return found


class Maker:
    """Makes sessions on one device."""

    def __init__(self, device: str, programs: str):
        self.device, self.programs = device, programs

    def __call__(self, model: Any, *, threads: int = 1, **options: Any) -> pdrt.Session:
        """Return a session of one host thread unless told otherwise."""
        return pdrt.Session(model, device=self.device, cache_dir=self.programs, threads=threads, **options)
