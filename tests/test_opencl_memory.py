"""Steps on the host between steps of a device, on planes that both share and on copies of them.

PDRT_UNIFIED_MEMORY says which, whatever the device says: maps are allowed on all of them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pdrt
from gates import gate
from network import Array, Network
from opencl_devices import Maker, without_program
from oracle import assert_equal, expected, relative_error
from pdrt import _core
from test_opencl_sessions import HALF_ERROR

Arrays = dict[str, Array]
SHARED = "its planes are shared with the device"
COPIED = "its planes are copied from and to the device: "


@pytest.fixture(params=["shared", "copied"])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make every device one that shares the host's memory, or one that does not."""
    monkeypatch.setenv("PDRT_UNIFIED_MEMORY", "1" if request.param == "shared" else "0")
    return str(request.param)


# Operators that no device has a program for: "Erf" keeps zeros, "Softplus" makes them 0.69.


def between_layers(net: Network) -> list[str]:
    """Maps of two sizes: at 14x14 rows have no gap between them, at 28x28 they do."""
    x = net.add("Erf", net.conv(net.image, 16))
    x = net.add("Softplus", net.conv(x, 16, stride=2))
    return [net.linear(net.pooled(net.relu(net.conv(x, 8))), 5)]


def in_a_row(net: Network) -> list[str]:
    """The host keeps the planes from one of its steps to the next."""
    x = net.add("Softplus", net.add("Erf", net.conv(net.image, 8)))
    return [net.pooled(net.conv(x, 8))]


def gated(net: Network) -> list[str]:
    """Planes that are off on both sides, at zero and at another constant."""
    x = net.relu(net.conv(net.image, 8))
    mask = gate(net, x, 8)
    erf = net.add("Erf", net.add("Mul", net.relu(net.conv(x, 8)), mask))
    x = net.relu(net.conv(erf, 8))
    x = net.add("Softplus", net.add("Mul", x, mask))
    x = net.add("Mul", net.conv(x, 8), gate(net, x, 8))
    return [net.linear(net.pooled(net.relu(net.conv(x, 8, 1))), 5)]


def concatenated(net: Network) -> list[str]:
    """Both sides write planes of one value."""
    x = net.relu(net.conv(net.image, 8))
    mask = gate(net, x, 8)
    left = net.add("Mul", net.relu(net.conv(x, 8)), mask)
    x = net.add("Concat", left, net.add("Softplus", net.conv(x, 8)), left, axis=1)
    return [net.pooled(net.add("Erf", x)), net.pooled(net.conv(x, 8))]


def input_of_both(net: Network) -> list[str]:
    """Both sides read the image."""
    x = net.relu(net.conv(net.image, 8))
    y = net.conv(net.add("Erf", net.image), 8)
    return [net.pooled(net.conv(net.add("Add", x, y), 8))]


def outputs_of_both(net: Network) -> list[str]:
    """Outputs are planes: one side's, the other's, and what a gate left out."""
    x = net.conv(net.image, 8)
    mask = gate(net, net.image, 8)
    masked = net.add("Mul", net.relu(net.conv(x, 8)), mask)
    return [net.add("Erf", x), masked, net.add("Softplus", masked), net.relu(net.conv(net.add("Erf", masked), 4))]


NETWORKS: tuple[Callable[[Network], list[str]], ...] = (
    between_layers, in_a_row, gated, concatenated, input_of_both, outputs_of_both,
)  # fmt: skip
each_network = pytest.mark.parametrize("make", NETWORKS, ids=lambda make: make.__name__)


def made(make: Callable[[Network], list[str]], batch: int) -> tuple[bytes, Arrays]:
    net = Network(seed=8, batch=batch, size=28)
    return net.model(make(net)), net.feeds


def after_poison(session: pdrt.Session, feeds: Arrays) -> Arrays:
    """Run it twice, after a run that left NaN wherever something is written."""
    session.run({name: array * np.float32("nan") for name, array in feeds.items()}, check_finite=False)
    first = session.run(feeds)
    assert_equal(session.run(feeds), first, 0)
    return first


def notes_of(session: pdrt.Session, feeds: Arrays) -> list[str]:
    """Return what `explain` says of the memory of planes, by step."""
    steps = session.explain({name: array.shape for name, array in feeds.items()}).steps
    return [note for step in steps for note in step.notes if note.startswith((SHARED, COPIED))]


@each_network
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("switches", ["cpu", "device"])
def test_float32(on_device: Maker, make: Callable[..., list[str]], batch: int, switches: str, memory: str) -> None:
    model, feeds = made(make, batch)
    theirs = expected(model, feeds)
    for skip in (True, False):
        session = on_device(model, fallback="cpu", switches=switches, skip=skip)
        assert_equal(after_poison(session, feeds), theirs)
    notes = notes_of(session, feeds)
    assert len(notes) == len(without_program(session, feeds)) > 0
    why = "the device has a memory of its own"
    assert set(notes) == {SHARED if memory == "shared" else COPIED + why}


@pytest.mark.parametrize("make", [gated, outputs_of_both], ids=lambda make: make.__name__)
@pytest.mark.parametrize("memory", ["shared"], indirect=True)
def test_float16(on_device: Maker, make: Callable[..., list[str]], memory: str) -> None:
    """Halves are copied, whatever memory they are in."""
    model, feeds = made(make, 2)
    session = on_device(model, fallback="cpu", precision="float16")
    outputs, theirs = after_poison(session, feeds), expected(model, feeds)
    for name, array in outputs.items():
        assert relative_error(array, theirs[name]) <= HALF_ERROR, name
    assert set(notes_of(session, feeds)) == {COPIED + "the device stores them as halves"}


@each_network
def test_as_much_is_computed(on_device: Maker, make: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    model, feeds = made(make, 3)
    counts = []
    for unified in "01":
        monkeypatch.setenv("PDRT_UNIFIED_MEMORY", unified)
        session = on_device(model, fallback="cpu")
        session.run(feeds)
        counts.append((session.last_run.macs_executed, session.last_run.active))
    assert counts[0][0] == counts[1][0] <= session.last_run.macs_dense
    for name, active in counts[0][1].items():
        np.testing.assert_array_equal(active, counts[1][1][name])


@pytest.mark.parametrize("switches", ["cpu", "device"])
def test_layers_on_the_host(on_device: Maker, switches: str, memory: str, tmp_path: Path) -> None:
    """Convolutions that `tune` would have placed there, one after the other, with gates on both sides of each.

    Where planes of 56x56 pixels were, those of 28x28 lie, with gaps between their rows that a convolution reads.
    """
    net = Network(seed=9, batch=2, size=56)
    x = net.relu(net.conv(net.relu(net.conv(net.image, 6)), 12, stride=2))
    for kernels in (8, 16):
        y = net.add("Mul", net.relu(net.conv(x, kernels)), gate(net, x, kernels))
        x = net.relu(net.conv(y, 12))
    model, feeds = net.model([net.linear(net.pooled(x), 5)]), net.feeds
    theirs = expected(model, feeds)
    shapes = [list(net.shape(net.image))]
    _core.tune(pdrt.load(model), on_device.device, str(tmp_path), shapes, lambda done, total: None)
    (file,) = tmp_path.glob("tuning-opencl-*.json")
    stored = json.loads(file.read_text())
    layers = list(stored["layers"])
    for hosts in (layers[::2], layers[1::2], layers):
        stored["layers"] = dict.fromkeys(layers, "winograd 2") | dict.fromkeys(hosts, "cpu")
        file.write_text(json.dumps(stored))
        session = pdrt.Session(model, device=on_device.device, cache_dir=tmp_path, switches=switches, threads=2)
        assert_equal(after_poison(session, feeds), theirs)
        assert notes_of(session, feeds)


def test_waits(on_device: Maker, memory: str) -> None:
    """Once for the planes that steps on the host read one after the other."""
    for make, waits in ((between_layers, 2), (in_a_row, 1)):
        model, feeds = made(make, 2)
        session = on_device(model, fallback="cpu")
        session.run(feeds)
        assert session.last_run.synchronisations == waits


def test_nothing_is_copied(on_device: Maker, memory: str) -> None:
    """Beside the image, flags and the outputs."""
    model, feeds = made(between_layers, 2)
    session = on_device(model, fallback="cpu", profile=True)
    session.run(feeds)
    events = Counter(event.name for event in session.last_run.events if event.track == "device")
    assert events["map"] == events["unmap"] == (2 if memory == "shared" else 0)
    assert events["read"] == 2  # scores and flags; copies wait for themselves, and are no events
    assert session.last_run.steps


def test_threads_share_a_session(on_device: Maker, memory: str) -> None:
    model, feeds = made(gated, 3)
    session = on_device(model, fallback="cpu")
    alone = session.run(feeds)
    with ThreadPoolExecutor(4) as pool:
        for outputs in pool.map(lambda _: session.run(feeds), range(16)):
            assert_equal(outputs, alone, 0)


def test_arrays_on_the_device(on_device: Maker, memory: str) -> None:
    """Images there are read by steps on the host, and what these make goes there."""
    cl = pytest.importorskip("pyopencl", reason="no OpenCL device: pyopencl is not installed")
    import pyopencl.array

    number = int(on_device.device.removeprefix("opencl:"))
    devices: list[Any] = [device for platform in cl.get_platforms() for device in platform.get_devices()]
    context = cl.Context([devices[number]])  # Intel's queues do not keep it alive
    queue = cl.CommandQueue(context)
    for make in (input_of_both, outputs_of_both):
        model, feeds = made(make, 2)
        session = pdrt.Session(model, device=queue, cache_dir=on_device.programs, fallback="cpu", threads=1)
        there = {name: pyopencl.array.to_device(queue, array) for name, array in feeds.items()}
        outputs = {name: array.get() for name, array in session.run(there).items()}
        assert_equal(outputs, expected(model, feeds))
        assert_equal(session.run(feeds), outputs, 1e-6)


def test_unified_is_yes_or_no(on_device: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = made(in_a_row, 1)
    monkeypatch.setenv("PDRT_UNIFIED_MEMORY", "perhaps")
    with pytest.raises(pdrt.DeviceError, match="PDRT_UNIFIED_MEMORY is 'perhaps'; it must be 0 or 1"):
        on_device(model, fallback="cpu").explain({"image": (1, 3, 28, 28)})
