"""Contexts, queues and arrays of pyopencl, as a session takes them: by their handles, without a copy.

Nothing here imports pyopencl before the caller has: an object of one of its types shows that it is there.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy

from pdrt import _core
from pdrt._core import InputError, Spec


class Place(NamedTuple):
    """A context of the caller's, one of its devices, and the queue to enqueue in, as OpenCL handles; 0 for none."""

    context: int = 0
    device_id: int = 0
    queue: int = 0


def is_of_pyopencl(value: object) -> bool:
    """Tells whether an object is one of pyopencl's."""
    return "pyopencl" in sys.modules and type(value).__module__.partition(".")[0] == "pyopencl"


def place_of(device: Any) -> Place:
    """Returns what a `pyopencl.Context` or `pyopencl.CommandQueue` stands for.

    Raises:
        InputError: it is neither, or a context of several devices, which does not say where to run.
    """
    import pyopencl

    if isinstance(device, pyopencl.CommandQueue):
        return Place(device.context.int_ptr, device.device.int_ptr, device.int_ptr)
    if not isinstance(device, pyopencl.Context):
        raise InputError(f"device is a name, a pyopencl.Context or a pyopencl.CommandQueue, not {device!r}")
    if len(device.devices) != 1:
        raise InputError(
            f"the pyopencl.Context has {len(device.devices)} devices; give a CommandQueue on the one to run on"
        )
    return Place(device.int_ptr, device.devices[0].int_ptr, 0)


def core_array(value: Any, spec: Spec, what: str) -> "_core.DeviceArray":
    """Returns a `pyopencl.array.Array`, or a `pyopencl.Buffer` for all of `spec`, as the runtime reads it.

    Raises:
        InputError: beginning with `what`, where it has another dtype, or is a buffer for a shape that is not fixed.
    """
    import pyopencl
    import pyopencl.array

    if isinstance(value, pyopencl.array.Array):
        memory: Any = value.base_data
        if value.dtype != spec.dtype:
            raise InputError(f"{what} has dtype {value.dtype} and the model has {spec.dtype}")
        return _core.DeviceArray(
            buffer=memory.int_ptr,
            offset=value.offset,
            shape=list(value.shape),
            strides=list(value.strides),
            dtype=value.dtype,
        )
    if not isinstance(value, pyopencl.MemoryObject):
        raise InputError(f"{what} is a {type(value).__name__}; give an Array or a Buffer of pyopencl")
    shape = [-1 if size is None else size for size in spec.shape]
    if min(shape, default=0) < 0:
        raise InputError(f"{what} is a Buffer, which has no shape, and the model leaves a size free; give an Array")
    wanted = int(numpy.prod(shape)) * spec.dtype.itemsize
    if value.size < wanted:
        raise InputError(f"{what} is a Buffer of {value.size} bytes; {wanted} are needed")
    strides = [int(numpy.prod(shape[axis + 1 :])) * spec.dtype.itemsize for axis in range(len(shape))]
    return _core.DeviceArray(buffer=value.int_ptr, offset=0, shape=shape, strides=strides, dtype=spec.dtype)


def new_outputs(
    queue: Any, shapes: Sequence[Sequence[int]], specs: Sequence[Spec], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns an array for every output: the caller's own, or a new `pyopencl.array.Array` for `queue`."""
    import pyopencl.array

    outputs = {}
    for spec, shape in zip(specs, shapes, strict=True):
        own = given.get(spec.name)
        outputs[spec.name] = pyopencl.array.empty(queue, tuple(shape), spec.dtype) if own is None else own
    return outputs
