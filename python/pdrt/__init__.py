"""pdrt runs convolutional networks that change size with their input.

    import pdrt

    session = pdrt.Session("net.onnx")           # or "net.pdrt", or the bytes of either
    outputs = session.run({"image": images})     # arrays in, arrays out
    session.last_run.macs_executed               # what this input needed, of session.last_run.macs_dense
    print(session.explain())                     # the plan, step by step, and why

A kernel that the network itself multiplies by zero for an input is not computed, nor is anything that only feeds it.
"""

from pdrt import _opencl
from pdrt._core import DeviceError, Error, InputError, Model, ModelError, Spec, __version__
from pdrt.devices import Device, devices
from pdrt.loading import convert, load
from pdrt.reports import Explanation, LayerCounts, RunStats, StepReport
from pdrt.session import Session

__all__ = [
    "Device",
    "DeviceError",
    "Error",
    "Explanation",
    "InputError",
    "LayerCounts",
    "Model",
    "ModelError",
    "RunStats",
    "Session",
    "Spec",
    "StepReport",
    "__version__",
    "convert",
    "devices",
    "load",
]

_opencl.add_libraries()
