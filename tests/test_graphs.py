"""Random gated networks give what ONNX Runtime gives, skipping or not, and count what they did.

PDRT_EXAMPLES=2000 tries so many networks instead of a few.
"""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import HealthCheck, given, settings

import pdrt
from graphs import Example, build, networks
from oracle import assert_equal, expected

pytestmark = pytest.mark.usefixtures("each_isa")

EXAMPLES = int(os.environ.get("PDRT_EXAMPLES", "40"))


def check_counts(stats: pdrt.RunStats, batch: int) -> None:
    """The totals follow from the layers, and nothing is counted beyond what a layer has."""
    dense = [layer.kernels * layer.channels * layer.macs_per_pair for layer in stats.layers]
    assert stats.macs_dense == batch * sum(dense)
    assert stats.macs_executed == sum(int(layer.visited.sum()) * layer.macs_per_pair for layer in stats.layers)
    assert stats.macs_executed <= stats.macs_dense
    for layer in stats.layers:
        assert layer.active.shape == layer.visited.shape == (batch,), layer.name
        assert (layer.active >= 0).all(), layer.name
        assert (layer.active <= layer.kernels).all(), layer.name
        assert (layer.visited >= 0).all(), layer.name
        assert (layer.visited <= layer.active * layer.channels).all(), layer.name


def check_network(example: Example, threads: int) -> pdrt.RunStats:
    """Run it skipping and not skipping; return the counts of the run that skipped."""
    theirs = expected(example.model, example.feeds)
    batch = len(next(iter(example.feeds.values())))

    skipping = pdrt.Session(example.model, threads=threads)
    assert_equal(skipping.run(example.feeds), theirs)
    counts = skipping.last_run
    check_counts(counts, batch)

    dense = pdrt.Session(example.model, threads=threads, skip=False)
    assert_equal(dense.run(example.feeds), theirs)
    assert dense.last_run.macs_executed == dense.last_run.macs_dense == counts.macs_dense
    return counts


@pytest.mark.parametrize("threads", [1, 2])
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(example=networks())
def test_random_network(threads: int, example: Example) -> None:
    check_network(example, threads)


def test_random_networks_skip() -> None:
    """Half of the multipliers' channels are off in these networks, so most of them must save work."""
    counts = [check_network(build(random.Random(seed).choice, seed), threads=1) for seed in range(20)]
    skipped = [stats for stats in counts if stats.macs_executed < stats.macs_dense]
    assert len(skipped) >= 15
    # Exactly this much is skipped in these twenty networks in all is no promise; a tenth of the work is.
    assert sum(stats.macs_executed for stats in counts) <= 0.9 * sum(stats.macs_dense for stats in counts)


@pytest.mark.parametrize("seed", range(6))
def test_samples_are_on_their_own(seed: int) -> None:
    """One session, a batch and then its samples one by one: the same answers, and no work but the sample's own.

    In a batch a sample may compute more than alone: operators inside of a gate run for the whole batch or not at all.
    """
    example = build(random.Random(seed).choice, seed)
    session = pdrt.Session(example.model, threads=1)
    together = session.run(example.feeds)
    counts = session.last_run
    for sample in range(len(example.feeds["image"])):
        alone = {name: array[[sample]] for name, array in example.feeds.items()}
        assert_equal(session.run(alone), {name: array[[sample]] for name, array in together.items()}, 1e-5)
        for one, all_of_them in zip(session.last_run.layers, counts.layers, strict=True):
            assert one.active <= all_of_them.active[sample], one.name
            assert one.visited <= all_of_them.visited[sample], one.name
    assert_equal(session.run(example.feeds), together, 0)
