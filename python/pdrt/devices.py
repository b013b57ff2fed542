"""What this machine offers, and why it does not offer the rest."""

from typing import NamedTuple

from pdrt import _core


class Device(NamedTuple):
    """One row of `devices()`."""

    name: str
    """What `Session(device=...)` takes."""
    usable: bool
    details: str
    """Instruction set and threads, or why the device cannot be used."""


def devices() -> list[Device]:
    """Returns every device pdrt knows. Never raises: one that cannot be used says why in `details`."""
    return [Device(**row) for row in _core.devices()]
