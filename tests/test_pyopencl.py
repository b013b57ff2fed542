"""Sessions in a context of pyopencl's, on its arrays: nothing is copied, and nothing of theirs is changed."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import pdrt
from graphs import Example, build
from oracle import assert_equal, expected

cl = pytest.importorskip("pyopencl", reason="no OpenCL device: pyopencl is not installed")
import pyopencl.array  # noqa: E402


def queues() -> list[Any]:
    """Return a queue on every device that pdrt can use."""
    usable = [row.usable for row in pdrt.devices() if row.name.startswith("opencl:")]
    try:
        devices = [device for platform in cl.get_platforms() for device in platform.get_devices()]
    except cl.LogicError:
        return []
    CONTEXTS.extend(cl.Context([one]) for one, works in zip(devices, usable, strict=False) if works)
    return [cl.CommandQueue(context) for context in CONTEXTS]


CONTEXTS: list[Any] = []  # Intel's queues do not keep theirs alive
QUEUES = queues()
on_each_queue = pytest.mark.parametrize(
    "queue",
    QUEUES or [pytest.param(None, marks=pytest.mark.skip(reason="no OpenCL device works"))],
    ids=lambda queue: queue.device.platform.name if queue is not None else "none",
)


@pytest.fixture(scope="module")
def example() -> Example:
    return build(random.Random(3).choice, 3)


def fetched(arrays: dict[str, Any]) -> dict[str, np.ndarray]:
    return {name: array.get() for name, array in arrays.items()}


@on_each_queue
@pytest.mark.parametrize("given", ["context", "queue"])
def test_arrays_in_arrays_out(queue: Any, given: str, example: Example) -> None:
    theirs = expected(example.model, example.feeds)
    session = pdrt.Session(example.model, device=queue if given == "queue" else queue.context, fallback="cpu")
    feeds = {name: pyopencl.array.to_device(queue, array) for name, array in example.feeds.items()}
    outputs = session.run(feeds)
    assert all(isinstance(array, pyopencl.array.Array) for array in outputs.values())
    assert_equal(fetched(outputs), theirs)
    for name, array in example.feeds.items():
        np.testing.assert_array_equal(feeds[name].get(), array)
    # Arrays of the host go with the same session, before and after.
    assert_equal(session.run(example.feeds), theirs)
    assert_equal(fetched(session.run(feeds)), theirs)


@on_each_queue
def test_strides_offsets_and_out(queue: Any, example: Example) -> None:
    """An input that is part of a larger array, transposed; outputs into a part of the caller's."""
    theirs = expected(example.model, example.feeds)
    session = pdrt.Session(example.model, device=queue, fallback="cpu")
    feeds = {}
    for name, array in example.feeds.items():
        room = pyopencl.array.empty(queue, tuple(2 + size for size in reversed(array.shape)), array.dtype)
        room.fill(np.nan)
        part = room[tuple(slice(1, 1 + size) for size in reversed(array.shape))].transpose()
        host = np.full(room.shape, np.nan, array.dtype)
        host[tuple(slice(1, 1 + size) for size in reversed(array.shape))] = array.T
        room.set(host)
        feeds[name] = part
    rooms = {name: pyopencl.array.empty(queue, 3 + array.size, array.dtype) for name, array in theirs.items()}
    for room in rooms.values():
        room.fill(-7)
    out = {name: rooms[name][2 : 2 + array.size].reshape(array.shape) for name, array in theirs.items()}
    outputs = session.run(feeds, out=out)
    assert_equal(fetched(outputs), theirs)
    for name, room in rooms.items():
        assert outputs[name] is out[name]
        beside = np.concatenate([room.get()[:2], room.get()[2 + theirs[name].size :]])
        np.testing.assert_array_equal(beside, np.full(3, -7, room.dtype))


@on_each_queue
def test_buffers(queue: Any, example: Example) -> None:
    theirs = expected(example.model, example.feeds)
    session = pdrt.Session(example.model, device=queue, fallback="cpu")
    flags = cl.mem_flags.READ_ONLY | cl.mem_flags.COPY_HOST_PTR
    feeds = {name: cl.Buffer(queue.context, flags, hostbuf=array) for name, array in example.feeds.items()}
    if any(None in spec.shape for spec in session.inputs):
        with pytest.raises(pdrt.InputError, match="has no shape"):
            session.run(feeds)
    else:
        assert_equal(fetched(session.run(feeds)), theirs)


@on_each_queue
def test_refused(queue: Any, example: Example) -> None:
    name, array = next(iter(example.feeds.items()))
    there = pyopencl.array.to_device(queue, array)
    with pytest.raises(pdrt.InputError, match="computes on the cpu"):
        pdrt.Session(example.model, device="cpu")._core.run_into(
            [pdrt.opencl_arrays.core_array(there, pdrt.Session(example.model).inputs[0], name)], []
        )
    other = cl.Context([queue.device])
    elsewhere = pyopencl.array.to_device(cl.CommandQueue(other), array)
    session = pdrt.Session(example.model, device=queue, fallback="cpu")
    with pytest.raises(pdrt.DeviceError, match="another context"):
        session.run({**example.feeds, name: elsewhere})
    with pytest.raises(pdrt.InputError, match="dtype"):
        session.run({**example.feeds, name: there.astype(np.float64)})
    out_of_order = cl.command_queue_properties.OUT_OF_ORDER_EXEC_MODE_ENABLE
    if queue.device.queue_properties & out_of_order:
        with pytest.raises(pdrt.DeviceError, match="order"):
            pdrt.Session(example.model, device=cl.CommandQueue(queue.context, properties=out_of_order))
    assert_equal(session.run(example.feeds), expected(example.model, example.feeds))


@on_each_queue
def test_outlives_the_callers_context(queue: Any, example: Example) -> None:
    """A session keeps what it needs when the caller lets go of its context and queue."""
    context = cl.Context([queue.device])
    own = cl.CommandQueue(context)
    session = pdrt.Session(example.model, device=own, fallback="cpu")
    session._queue = None
    del own, context
    assert_equal(session.run(example.feeds), expected(example.model, example.feeds))
