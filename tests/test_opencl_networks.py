"""Random gated networks on every OpenCL device give what ONNX Runtime gives, skip what they may, and wait for no more
than their gates.

PDRT_EXAMPLES=2000 tries so many networks instead of a few.
"""

from __future__ import annotations

import os
import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import graphs
import pdrt
from graphs import Example, build, networks
from network import Array
from opencl_devices import Maker
from oracle import assert_equal, expected
from test_graphs import check_counts

EXAMPLES = int(os.environ.get("PDRT_EXAMPLES", "12"))
Feeds = dict[str, Array]


def example_of(seed: int) -> Example:
    """Return the network of a seed."""
    return build(random.Random(seed).choice, seed)


def other_feeds(example: Example, seed: int) -> Feeds:
    """Return another input, on which every gate decides as it happens to."""
    rng = np.random.default_rng(seed)
    return {name: rng.permuted(array, axis=0) * np.float32(0.5) for name, array in example.feeds.items()}


def helped_for_the_host(session: pdrt.Session) -> int:
    """Count the steps for which the device has no program: each may wait for the planes it reads."""
    return sum(bool(step.refused and "no OpenCL program" in step.refused[0]) for step in session.explain().steps)


def check_network(on_device: Maker, example: Example) -> pdrt.RunStats:
    """Run it skipping and not skipping, on the device and the CPU; return the counts of the device that skipped."""
    theirs = expected(example.model, example.feeds)
    batch = len(example.feeds["image"])

    cpu = pdrt.Session(example.model, threads=1)
    cpu.run(example.feeds)
    skipping = on_device(example.model, fallback="cpu")
    assert_equal(skipping.run(example.feeds), theirs)
    counts = skipping.last_run
    check_counts(counts, batch)
    assert cpu.last_run.macs_executed <= counts.macs_executed <= counts.macs_dense == cpu.last_run.macs_dense

    dense = on_device(example.model, fallback="cpu", skip=False)
    assert_equal(dense.run(example.feeds), theirs)
    assert dense.last_run.macs_executed == dense.last_run.macs_dense == counts.macs_dense
    return counts


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(example=networks())
def test_random_network(on_device: Maker, example: Example) -> None:
    check_network(on_device, example)
