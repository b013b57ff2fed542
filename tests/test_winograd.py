"""Winograd convolution: chosen where it pays, right to rounding, gated like the taps it replaces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pdrt
from network import Network
from oracle import assert_equal, expected


def implementation(session: pdrt.Session, name: str) -> str:
    return next(step.implementation.split()[0] for step in session.explain().steps if step.name == name)


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(5, 61),
    width=st.integers(5, 61),
    channels=st.integers(20, 40),
    kernels=st.integers(20, 50),
    pad=st.sampled_from([0, 1]),
    threads=st.sampled_from([1, 2]),
    seed=st.integers(0, 2**16),
)
def test_against_float64(
    height: int, width: int, channels: int, kernels: int, pad: int, threads: int, seed: int
) -> None:
    """Any map size and padding, bias and ReLU behind it; compared with a convolution in float64."""
    rng = np.random.default_rng(seed)
    net = Network(seed)
    image = rng.standard_normal((1, channels, height, width)).astype(np.float32)
    net.input("planes", image)
    net.weights["w"] = (rng.standard_normal((kernels, channels, 3, 3)) / np.sqrt(9 * channels)).astype(np.float32)
    net.weights["b"] = rng.standard_normal(kernels).astype(np.float32)
    conv = net.add("Conv", "planes", "w", "b", pads=[pad] * 4)
    session = pdrt.Session(net.model([net.relu(conv)]), threads=threads)
    result = next(iter(session.run({"planes": image, "image": net.feeds["image"]}).values()))

    padded = np.pad(image.astype(np.float64), [(0, 0), (0, 0), (pad, pad), (pad, pad)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    exact = np.einsum("nchwij,kcij->nkhw", windows, net.weights["w"].astype(np.float64), optimize=True)
    exact = np.maximum(exact + net.weights["b"].astype(np.float64)[:, None, None], 0)
    # F(4x4, 3x3) loses about two digits to its transforms: a few 1e-6 of the largest value.
    assert np.abs(result - exact).max() <= 2e-5 * np.abs(exact).max()


def large(gate: list[float]) -> tuple[Network, str, str, str]:
    """Build two convolutions on a map that is large enough for Winograd, the first with a switch for every kernel."""
    net = Network(3, channels=32, size=40)
    first = net.conv(net.image, 64)
    mask = net.input("mask", np.array(gate).reshape(1, -1, 1, 1))
    second = net.conv(net.add("Mul", net.relu(first), mask), 80)
    return net, first, second, net.add("Add", net.relu(second), net.conv(net.image, 80, size=1))


@pytest.mark.parametrize("share", [1.0, 0.5, 0.06, 0.0])
def test_gated(share: float) -> None:
    """From all kernels to none, across the point where visiting taps is cheaper; the weights of what is off are NaN."""
    net, first, second, out = large([float(k < 64 * share) for k in range(64)])
    truth = expected(net.model([out]), net.feeds)
    off = net.feeds["mask"].ravel() == 0
    net.weights[f"{first}.w"][off] = np.nan
    net.weights[f"{second}.w"][:, off] = np.nan
    session = pdrt.Session(net.model([out]))
    assert_equal(session.run(net.feeds), truth)
    assert implementation(session, first) == implementation(session, second) == "planes.winograd"
    assert session.last_run.active[first] == (~off).sum()
    assert session.last_run.visited[second] == 80 * (~off).sum()


@settings(max_examples=25, deadline=None)
@given(
    size=st.integers(7, 30),
    channels=st.integers(24, 90),
    kernels=st.integers(24, 70),
    share=st.sampled_from([1.0, 0.9, 0.7, 0.5, 0.3]),
    threads=st.sampled_from([1, 2]),
    seed=st.integers(0, 2**16),
)
def test_inputs_that_are_off(size: int, channels: int, kernels: int, share: float, threads: int, seed: int) -> None:
    """Other channels in every sample, anywhere among the others; kernels that are never off read them."""
    net = Network(seed, channels=16, size=size, batch=2)
    first = net.conv(net.image, channels, lift=4.0)  # no plane dies in the ReLU
    mask = net.input("mask", (np.random.default_rng(seed).random((2, channels, 1, 1)) < share).astype(np.float32))
    second = net.conv(net.add("Mul", net.relu(first), mask), kernels)
    truth = expected(net.model([second]), net.feeds)
    net.weights[f"{second}.w"][:, ~net.feeds["mask"].any((0, 2, 3))] = np.nan
    session = pdrt.Session(net.model([second]), threads=threads)
    assert_equal(session.run(net.feeds), truth)
    assert np.array_equal(session.last_run.visited[second], kernels * net.feeds["mask"].sum((1, 2, 3)))


def test_other_filters_and_few_channels_visit_their_taps() -> None:
    """Where Winograd cannot be used, or no gain is expected."""
    net = Network(4, channels=32, size=40)
    strided, wide = net.conv(net.image, 32, stride=2), net.conv(net.image, 32, size=5)
    thin = net.conv(net.conv(net.image, 3, size=1), 3)
    session = pdrt.Session(net.model([strided, wide, thin]))
    assert {implementation(session, name) for name in (strided, wide, thin)} == {"planes.convolution"}


@pytest.mark.parametrize("right", [1200, 1390, 1500, 1900])
def test_padding_wider_than_the_map(right: int) -> None:
    """Rows of pixels up to what tiles have room for, and longer ones, of an input that is short itself."""
    rng = np.random.default_rng(right)
    net = Network(7)
    net.input("planes", rng.standard_normal((1, 32, 6, 100)).astype(np.float32))
    net.weights["w"] = rng.standard_normal((32, 32, 3, 3)).astype(np.float32)
    conv = net.add("Conv", "planes", "w", pads=[1, 1, 1, right])
    session = pdrt.Session(net.model([conv]))
    assert_equal(session.run(net.feeds), expected(net.model([conv]), net.feeds))
    assert implementation(session, conv) == ("planes.winograd" if right < 1500 else "planes.convolution")


def test_threads_do_not_change_a_bit() -> None:
    """Any number of threads gives the same bits."""
    net, _, _, out = large([float(k % 3 > 0) for k in range(64)])
    results = [pdrt.Session(net.model([out]), threads=threads).run(net.feeds)[out] for threads in (1, 2, 5)]
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])


def test_plans_of_a_session_share_their_weights() -> None:
    """Transformed weights are larger than the file's: another batch size must not make them again."""
    net, _, _, out = large([1.0] * 64)
    session = pdrt.Session(net.model([out]))
    session.run(net.feeds)
    once = session.explain().packed_bytes
    twice = {name: np.concatenate([array, array]) for name, array in net.feeds.items()}
    session.run(twice)
    assert session.explain({name: array.shape for name, array in twice.items()}).packed_bytes == once
