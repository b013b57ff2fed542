"""Traces: every event where viewers expect it, the device's work inside the run, arrows from switches."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import native
import pdrt
import pdrt.trace
from pdrt import cli

Event = dict[str, Any]
HOST, DEVICE = 1, 2  # tid
NANOSECOND = 1e-3  # microseconds; what rounding may do


@pytest.fixture(params=[("cpu", "auto"), ("opencl", "cpu"), ("opencl", "device")], ids="-".join)
def profiled(request: pytest.FixtureRequest) -> pdrt.Session:
    """Return a session that profiles the gated network."""
    device, switches = request.param
    try:
        return pdrt.Session(native.gated(), device=device, switches=switches, profile=True)
    except pdrt.DeviceError as error:
        pytest.skip(f"no OpenCL device: {error}")


def events_of(session: pdrt.Session, batch: int = 1) -> tuple[list[Event], pdrt.RunStats, pdrt.Explanation]:
    images = native.images(batch)
    for _ in range(2):
        session.run({"image": images})
    run, plan = session.last_run, session.explain({"image": images.shape})
    return pdrt.trace.trace_events(run, plan), run, plan


@pytest.mark.parametrize("batch", [1, 3])
def test_what_viewers_expect(profiled: pdrt.Session, batch: int) -> None:
    events, run, _ = events_of(profiled, batch)
    assert {event["ph"] for event in events} <= {"M", "X", "s", "f"}
    for event in events:
        assert isinstance(event["name"], str)
        assert isinstance(event["pid"], int)
        assert isinstance(event["tid"], int)
        assert event["ts"] >= 0
    spans = [event for event in events if event["ph"] == "X"]
    assert spans
    for event in spans:
        assert event["dur"] >= 0
        assert event["ts"] + event["dur"] <= 1000 * run.milliseconds + NANOSECOND
    named = {event["tid"] for event in events if event["name"] == "thread_name"}
    assert named == {event["tid"] for event in spans}


def test_spans_of_a_track_nest(profiled: pdrt.Session) -> None:
    """Viewers draw spans of a track inside each other or side by side; what overlaps otherwise, they draw wrong."""
    events, _, _ = events_of(profiled)
    tracks = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            tracks[event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    for spans in tracks.values():
        open_until: list[float] = []
        for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
            while open_until and open_until[-1] <= start + NANOSECOND:
                open_until.pop()
            assert not open_until or end <= open_until[-1] + NANOSECOND
            open_until.append(end)


def test_arrows(profiled: pdrt.Session) -> None:
    events, _, plan = events_of(profiled)
    (deciding,) = {number for step in plan.steps for number in step.decided_by}
    assert plan.steps[deciding].operators[-1] == "Cast"
    decided = [number for number, step in enumerate(plan.steps) if step.decided_by]
    assert any("second" in plan.steps[number].name for number in decided)

    arrows = defaultdict(dict)
    for event in events:
        if event["ph"] in "sf":
            assert event["ph"] not in arrows[event["id"]]
            arrows[event["id"]][event["ph"]] = event
    assert len(arrows) == len(decided)
    for arrow in arrows.values():
        start, end = arrow["s"], arrow["f"]
        assert end["bp"] == "e"
        assert (start["cat"], start["name"]) == (end["cat"], end["name"])
        assert start["ts"] <= end["ts"]
        assert at(events, start)["args"]["step"] == deciding
        assert at(events, end)["args"]["step"] in decided


def at(events: list[Event], arrow: Event) -> Event:
    """Return the innermost span in which one end of an arrow lies."""
    spans = [
        event
        for event in events
        if event["ph"] == "X"
        and event["tid"] == arrow["tid"]
        and event["ts"] <= arrow["ts"] <= event["ts"] + event["dur"]
        and "step" in event["args"]
    ]
    return min(spans, key=lambda event: event["dur"])


def test_every_step_has_its_work(profiled: pdrt.Session) -> None:
    events, _, plan = events_of(profiled)
    work = Counter(
        (event["args"]["step"], event["tid"])
        for event in events
        if event.get("cat") in ("compute", "launch") and "step" in event["args"]
    )
    for number, step in enumerate(plan.steps):
        if step.implementation == "view":
            continue
        device = step.implementation.startswith("opencl.")
        assert work[number, DEVICE if device else HOST] > 0
        assert work[number, HOST if device else DEVICE] == 0


def test_the_device_beside_the_host(profiled: pdrt.Session) -> None:
    """What a device did, by the host's clock, lies in the run, one command after the other."""
    _, run, plan = events_of(profiled)
    device = [event for event in run.events if event.track == "device"]
    if not plan.device.startswith("opencl"):
        assert not device
        assert run.clock_error_milliseconds == 0
        return
    assert {event.name for event in device} >= {"convolution", "load", "read", "write"}
    assert 0 <= run.clock_error_milliseconds < run.milliseconds
    for event in device:
        assert 0 <= event.start_ms <= event.end_ms <= run.milliseconds + NANOSECOND / 1000
    ordered = sorted(device, key=lambda event: event.start_ms)
    assert all(a.end_ms <= b.start_ms + NANOSECOND / 1000 for a, b in pairwise(ordered))
    if plan.switches_at == "on the device":
        assert run.synchronisations == 0
    else:
        assert run.synchronisations > 0
    assert sum(event.name == "wait" for event in run.events) == run.synchronisations + 1  # and for the outputs


def test_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net, out = tmp_path / "net.pdrt", tmp_path / "out.json"
    net.write_bytes(native.gated())
    assert cli.main(["profile", str(net), "--runs", "3", "--trace", str(out)]) == 0
    assert str(out) in capsys.readouterr().out
    content = json.loads(out.read_text())
    assert content["otherData"]["device"].startswith("cpu")
    assert any(event["name"] == "first" for event in content["traceEvents"])
    assert cli.main(["profile", str(net), "--runs", "3", "--trace", str(tmp_path / "none" / "out.json")]) == 2
    assert "none" in capsys.readouterr().err


def test_a_queue_of_the_callers(tmp_path: Path) -> None:
    """On arrays of pyopencl's, in a queue of the caller's, which must be one that keeps times."""
    cl = pytest.importorskip("pyopencl", reason="no OpenCL device: pyopencl is not installed")
    import pyopencl.array

    context = cl.Context([cl.get_platforms()[0].get_devices()[0]])
    with pytest.raises(pdrt.DeviceError, match="PROFILING_ENABLE"):
        pdrt.Session(native.gated(), device=cl.CommandQueue(context), profile=True)
    queue = cl.CommandQueue(context, properties=cl.command_queue_properties.PROFILING_ENABLE)
    session = pdrt.Session(native.gated(), device=queue, profile=True)
    session.run({"image": pyopencl.array.to_device(queue, native.images(2))})
    assert sum(event.track == "device" for event in session.last_run.events) > 0
    pdrt.trace.write(tmp_path / "out.json", session.last_run, session.explain({"image": (2, 3, 12, 12)}))


def test_a_run_that_was_not_profiled() -> None:
    session = pdrt.Session(native.gated())
    session.run({"image": native.images(1)})
    assert session.last_run.events == ()
    with pytest.raises(ValueError, match="profile=True"):
        pdrt.trace.trace_events(session.last_run, session.explain())


def test_another_runs_plan() -> None:
    session = pdrt.Session(native.gated(), profile=True)
    session.run({"image": native.images(1)})
    small = native.model({"x": ("float32", [1, 2])}, ["y"], [native.node("y", "Relu", ["x"])])
    with pytest.raises(ValueError, match="another run"):
        pdrt.trace.trace_events(session.last_run, pdrt.Session(small).explain())


def test_a_run_does_not_change_the_result(profiled: pdrt.Session) -> None:
    images = native.images(2)
    expected = pdrt.Session(native.gated(), device="reference").run({"image": images})["scores"]
    np.testing.assert_allclose(profiled.run({"image": images})["scores"], expected, rtol=1e-4, atol=1e-4)
