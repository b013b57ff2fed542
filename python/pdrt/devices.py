"""What this machine offers, and why it does not offer the rest."""

from typing import NamedTuple

from pdrt import _core


class Device(NamedTuple):
    """One row of `devices()`."""

    name: str
    """What `Session(device=...)` takes."""
    usable: bool
    details: str
    """What it is, and on further lines why it cannot be used and what would help."""


def devices() -> list[Device]:
    """Returns the processor and every OpenCL device of this machine.

    Each OpenCL device is tried with a small program, which takes up to a second each the first time in a process.
    Never raises: a device that cannot be used says why in `details`.
    """
    return [Device(**row) for row in _core.devices()]
