"""Random gated networks on every OpenCL device give what ONNX Runtime gives, skip what they may, and wait for no more
than their gates.

PDRT_EXAMPLES=2000 tries so many networks instead of a few.
"""

from __future__ import annotations

import functools
import os
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import graphs
import pdrt
from graphs import Example, build, networks
from network import Array, Network
from opencl_devices import Maker, without_program
from oracle import assert_equal, expected
from test_graphs import check_counts

# A program takes an OpenCL compiler up to a second, and each of these networks has a few that no other has.
EXAMPLES = int(os.environ.get("PDRT_EXAMPLES", "2"))
# Networks of several samples; these need no help from the host but for their gates.
SEEDS = (0, 12, 24)
# And these some: patterns of gates on pixels, or of operators that have no program.
HELPED_SEEDS = (9,)

Arrays = dict[str, Array]


@functools.cache
def example_of(seed: int) -> tuple[Example, int]:
    """Return the network of a seed, and how many gates it has."""
    gates = 0

    def counting(make: Any) -> Any:
        def made(*arguments: Any) -> str:
            nonlocal gates
            gates += 1
            return str(make(*arguments))

        return made

    with pytest.MonkeyPatch.context() as patch:
        for name in ("any_gate", "spatial_gate"):
            patch.setattr(graphs, name, counting(getattr(graphs, name)))
        return build(random.Random(seed).choice, seed), gates


def samples_of(arrays: Arrays, samples: Sequence[int]) -> Arrays:
    """Return some of the samples, each perhaps more than once: on these all gates decide as they were made to."""
    return {name: array[list(samples)] for name, array in arrays.items()}


def check_network(on_device: Maker, example: Example, **options: Any) -> pdrt.Session:
    """Run it skipping and not skipping, on the device and the CPU; return the session that skipped."""
    theirs = expected(example.model, example.feeds)
    cpu = pdrt.Session(example.model, threads=1)
    cpu.run(example.feeds)

    skipping = on_device(example.model, fallback="cpu", **options)
    assert_equal(skipping.run(example.feeds), theirs)
    counts = skipping.last_run
    check_counts(counts, len(example.feeds["image"]))
    assert cpu.last_run.macs_executed <= counts.macs_executed <= counts.macs_dense == cpu.last_run.macs_dense

    dense = on_device(example.model, fallback="cpu", skip=False, **options)
    assert_equal(dense.run(example.feeds), theirs)
    assert dense.last_run.macs_executed == dense.last_run.macs_dense == counts.macs_dense
    return skipping


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
@given(example=networks())
def test_random_network(on_device: Maker, example: Example) -> None:
    check_network(on_device, example)


@pytest.mark.parametrize("seed", [*SEEDS, *HELPED_SEEDS])
def test_network(on_device: Maker, seed: int) -> None:
    """Batches of every size through one session; the same input gives the same bits whenever it comes."""
    example, gates = example_of(seed)
    session = check_network(on_device, example)
    together = session.run(example.feeds)
    counts = session.last_run
    last = len(example.feeds["image"]) - 1
    for samples in ([last], [0], [*range(last, -1, -1)], [0] * (last + 1)):
        outputs = session.run(samples_of(example.feeds, samples))
        assert_equal(outputs, samples_of(together, samples), 1e-5)
        assert session.last_run.macs_executed <= session.last_run.macs_dense
    assert_equal(session.run(example.feeds), together, 0)
    assert session.last_run.macs_executed == counts.macs_executed

    helped = without_program(session, example.feeds)
    assert bool(helped) == (seed in HELPED_SEEDS)
    if not helped:
        assert 0 < counts.synchronisations <= gates


def test_networks_skip(on_device: Maker) -> None:
    """Half of the multipliers' channels are off in these networks."""
    executed = dense = 0
    for seed in SEEDS:
        example, _ = example_of(seed)
        session = on_device(example.model)
        session.run(example.feeds)
        executed += session.last_run.macs_executed
        dense += session.last_run.macs_dense
    assert executed <= 0.75 * dense


@pytest.mark.parametrize("seed", [SEEDS[0], HELPED_SEEDS[0]])
def test_threads_share_a_session(on_device: Maker, seed: int) -> None:
    """Runs that overlap do not meet: each gives the bits of the same run alone."""
    example, _ = example_of(seed)
    session = on_device(example.model, fallback="cpu")
    batch = len(example.feeds["image"])
    turns = [[(first + i) % batch for i in range(batch)] for first in range(batch)]
    alone = [session.run(samples_of(example.feeds, turn)) for turn in turns]
    with ThreadPoolExecutor(4) as pool:
        runs = [turn % len(turns) for turn in range(24)]
        results = list(pool.map(lambda turn: session.run(samples_of(example.feeds, turns[turn])), runs))
    for turn, outputs in zip(runs, results, strict=True):
        assert_equal(outputs, alone[turn], 0)


def plain_network() -> tuple[bytes, Arrays]:
    """A network without gates."""
    net = Network(seed=4, batch=2)
    x = net.relu(net.conv(net.image, 8))
    branch = net.batch_norm(net.conv(net.relu(net.conv(x, 8)), 8))
    x = net.add("MaxPool", net.relu(net.add("Add", x, branch)), kernel_shape=[2, 2], strides=[2, 2])
    return net.model([net.linear(net.pooled(x), 3)]), net.feeds


@pytest.mark.parametrize("skip", [True, False])
def test_nothing_is_waited_for_without_gates(on_device: Maker, skip: bool) -> None:
    model, feeds = plain_network()
    session = on_device(model, skip=skip)
    theirs = expected(model, feeds)
    for factor in (1, 0.5, 2):
        scaled = {name: array * np.float32(factor) for name, array in feeds.items()}
        assert_equal(session.run(scaled), theirs if factor == 1 else expected(model, scaled))
        assert session.last_run.synchronisations == 0
        assert session.last_run.macs_executed == session.last_run.macs_dense


# --- switches that the device evaluates ---


@pytest.mark.parametrize("seed", [SEEDS[0], HELPED_SEEDS[0]])
def test_the_device_switches(on_device: Maker, seed: int) -> None:
    """The same outputs, and nothing is waited for but what the host has to help with."""
    example, _ = example_of(seed)
    session = check_network(on_device, example, switches="device")
    together = session.run(example.feeds)
    again = session.run(example.feeds)
    assert_equal(again, together, 0)
    if not without_program(session, example.feeds):
        assert session.last_run.synchronisations == 0
