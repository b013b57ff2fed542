"""Maps of few pixels, whose planes may have no gap between their rows: everything that reads or writes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pdrt
from network import Network
from oracle import assert_equal, expected

pytestmark = pytest.mark.usefixtures("each_isa")

# So many kernels make it worth while to leave the gap out; of few kernels it stays.
kernels = st.sampled_from([2, 7, 96])


@st.composite
def windows(draw: st.DrawFn, size: tuple[int, int]) -> dict[str, Any]:
    """Draw the window of a convolution that fits a map."""
    window: dict[str, list[int]] = {"kernel_shape": [], "strides": [], "dilations": []}
    pads: list[tuple[int, int]] = []
    for length in size:
        filter_ = draw(st.sampled_from([1, 2, 3, 3, 3, 5]))
        dilation = draw(st.sampled_from([1, 1, 2]))
        reach = (filter_ - 1) * dilation
        before, behind = draw(st.integers(0, reach)), draw(st.integers(0, reach))
        short = max(0, reach + 1 - length - before - behind)
        window["kernel_shape"].append(filter_)
        window["strides"].append(draw(st.sampled_from([1, 1, 2, 2, 3])))
        window["dilations"].append(dilation)
        pads.append((before + short, behind))
    window["pads"] = [before for before, _ in pads] + [behind for _, behind in pads]
    return window


@settings(deadline=None, max_examples=60)
@given(data=st.data(), size=st.tuples(st.integers(1, 16), st.integers(1, 16)), batch=st.integers(1, 2), count=kernels)
def test_everything_on_small_maps(data: st.DataObject, size: tuple[int, int], batch: int, count: int) -> None:
    """Convolutions of every kind, residuals, pools, concatenations and switches, in memory that was full of NaN."""
    net = Network(sum(size))
    x = net.input("map", net.rng.standard_normal((batch, 3, *size)))
    window = data.draw(windows(size))
    weights = net.store(net.rng.standard_normal((count, 3, *window["kernel_shape"])), "weights")
    first = net.relu(net.add("Conv", x, weights, **window))
    mask = net.input("mask", (np.arange(count) % 2).reshape(1, count, 1, 1).repeat(batch, 0))
    gated = net.add("Mul", net.relu(net.conv(first, count)), mask)
    total = net.add("Add", net.conv(gated, count), first)
    thin = net.conv(total, 4 * count, groups=count, stride=data.draw(st.integers(1, 2)))
    pooled = net.add("MaxPool", total, kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])
    both = net.add("Concat", total, net.conv(pooled, 5, size=data.draw(st.sampled_from([1, 3, 5]))), axis=1)
    outputs = [thin, both, net.add("GlobalAveragePool", both), net.add("GlobalMaxPool", pooled)]
    model = net.model(outputs)
    wanted = expected(model, net.feeds)
    results = []
    for threads in (1, 2):
        session = pdrt.Session(model, threads=threads)
        session.run({**net.feeds, "map": np.full_like(net.feeds["map"], np.nan)}, check_finite=False)
        results.append(session.run(net.feeds))
    assert_equal(results[0], wanted)
    for name, value in results[0].items():
        np.testing.assert_array_equal(results[1][name], value)


@pytest.mark.parametrize("side", [7, 13, 14, 16])
@pytest.mark.parametrize("stride", [1, 2])
def test_common_layers(side: int, stride: int) -> None:
    """The sizes that networks end with, enough kernels for several threads, half of the inputs switched off."""
    net = Network(side, batch=2, channels=24, size=side * stride)
    mask = net.input("mask", (np.arange(24) % 2).reshape(1, 24, 1, 1).repeat(2, 0))
    x = net.relu(net.conv(net.add("Mul", net.image, mask), 200, stride=stride))
    x = net.add("Add", net.conv(x, 200), x)
    model = net.model([net.conv(x, 50, size=1), net.pooled(x)])
    # With 24, Winograd's positions are fewer than pieces of work should be: kernels are cut, too.
    sessions = [pdrt.Session(model, threads=threads) for threads in (1, 2, 3, 24)]
    assert side == 7 or any("winograd" in step.implementation for step in sessions[0].explain().steps)
    results = [session.run(net.feeds) for session in sessions]
    assert_equal(results[0], expected(model, net.feeds))
    for other in results[1:]:
        for name, value in results[0].items():
            np.testing.assert_array_equal(other[name], value)
