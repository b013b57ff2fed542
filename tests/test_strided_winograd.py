"""Winograd's algorithm for 7x7 filters of stride 2, with which many networks begin: right to rounding, and gated."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pdrt
from network import Array, Network
from oracle import assert_equal, expected
from pdrt import _core

WAY = "planes.strided_winograd"


def implementation(session: pdrt.Session, name: str) -> str:
    return next(step.implementation.split()[0] for step in session.explain().steps if step.name == name)


def stem(image: Array, kernels: int, pads: list[int], seed: int = 0) -> tuple[Network, str]:
    """A network that begins with such a layer."""
    net = Network(seed)
    net.input("planes", image)
    rng, channels = np.random.default_rng(seed), image.shape[1]
    net.weights["w"] = (rng.standard_normal((kernels, channels, 7, 7)) / np.sqrt(49 * channels)).astype(np.float32)
    net.weights["b"] = rng.standard_normal(kernels).astype(np.float32)
    return net, net.add("Conv", "planes", "w", "b", strides=[2, 2], pads=pads)


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(32, 150),
    width=st.integers(32, 230),
    channels=st.integers(1, 16),
    kernels=st.integers(6, 40),
    pads=st.lists(st.integers(0, 4), min_size=4, max_size=4),
    threads=st.sampled_from([1, 2, 3]),
    seed=st.integers(0, 2**16),
)
def test_against_float64(
    height: int, width: int, channels: int, kernels: int, pads: list[int], threads: int, seed: int
) -> None:
    """Any map size and padding, two samples, bias and ReLU behind it; compared with a convolution in float64."""
    image = np.random.default_rng(seed).standard_normal((2, channels, height, width)).astype(np.float32)
    net, conv = stem(image, kernels, pads, seed)
    relu = net.relu(conv)
    session = pdrt.Session(net.model([relu]), threads=threads)
    result = session.run(net.feeds)[relu]
    top, left, bottom, right = pads
    padded = np.pad(image.astype(np.float64), [(0, 0), (0, 0), (top, bottom), (left, right)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (7, 7), axis=(2, 3))[:, :, ::2, ::2]
    exact = np.einsum("nchwij,kcij->nkhw", windows, net.weights["w"].astype(np.float64), optimize=True)
    exact = np.maximum(exact + net.weights["b"].astype(np.float64)[:, None, None], 0)
    assert np.abs(result - exact).max() <= 2e-5 * np.abs(exact).max()


def picture(size: int = 96, batch: int = 1) -> Array:
    return np.random.default_rng(5).standard_normal((batch, 3, size, size)).astype(np.float32)


@pytest.mark.parametrize("size", [224, 226, 331, 1333])
def test_usual_pictures(size: int) -> None:
    """It is what such layers run by, and agrees with ONNX Runtime, with a pool behind it."""
    net, conv = stem(picture(size), 64, [3] * 4)
    pool = net.add("MaxPool", net.relu(conv), kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    session = pdrt.Session(net.model([pool]))
    assert implementation(session, conv) == WAY
    assert_equal(session.run(net.feeds), expected(net.model([pool]), net.feeds))


def test_arrays_that_are_not_dense() -> None:
    """Pictures are read where the caller holds them, also as a part of larger ones, and nothing beside them."""
    whole = np.full((1, 3, 120, 130), np.nan, np.float32)
    whole[:, :, 7:103, 11:107] = picture()
    net, conv = stem(picture(), 16, [3] * 4)
    session = pdrt.Session(net.model([conv]))
    assert implementation(session, conv) == WAY
    np.testing.assert_array_equal(
        session.run({**net.feeds, "planes": whole[:, :, 7:103, 11:107]})[conv], session.run(net.feeds)[conv]
    )


@pytest.mark.parametrize("share", [1.0, 0.6, 0.03, 0.0])
def test_gated(share: float) -> None:
    """Kernels that are off, other ones in every sample, have weights that are not numbers."""
    net, conv = stem(picture(batch=2), 40, [3] * 4)
    mask = (np.random.default_rng(1).random((2, 40, 1, 1)) < share).astype(np.float32)
    mask[:, 3] = 0
    out = net.add("Mul", net.relu(conv), net.input("mask", mask))
    truth = expected(net.model([out]), net.feeds)
    off = ~net.feeds["mask"].any((0, 2, 3))
    net.weights["w"][off] = np.nan
    session = pdrt.Session(net.model([out]))
    assert_equal(session.run(net.feeds), truth)
    assert implementation(session, conv) == WAY
    assert session.last_run.active[conv].tolist() == net.feeds["mask"].sum((1, 2, 3)).tolist()


def test_inputs_that_are_off() -> None:
    """Behind a layer with switches, weights of the inputs that are off are not read."""
    net = Network(3, channels=3, size=80)
    mask = net.input("mask", np.array([1, 0, 0, 1, 1, 0, 1, 0], np.float32).reshape(1, -1, 1, 1))
    first = net.add("Mul", net.relu(net.conv(net.image, 8, lift=4.0)), mask)
    conv = net.conv(first, 24, 7, stride=2)
    truth = expected(net.model([conv]), net.feeds)
    net.weights[f"{conv}.w"][:, net.feeds["mask"].ravel() == 0] = np.nan
    session = pdrt.Session(net.model([conv]))
    assert_equal(session.run(net.feeds), truth)
    assert implementation(session, conv) == WAY
    assert session.last_run.visited[conv] == 24 * 4


@pytest.mark.parametrize("pooled_only", [True, False])
def test_means_of_its_planes(pooled_only: bool) -> None:
    """A global average pool behind it is part of the step, whether or not somebody else reads the planes."""
    net, conv = stem(picture(batch=2), 20, [3] * 4)
    relu = net.relu(conv)
    outputs = [net.add("GlobalAveragePool", relu), *([] if pooled_only else [relu])]
    results = []
    for threads in (1, 2, 5):
        session = pdrt.Session(net.model(outputs), threads=threads)
        results.append(session.run(net.feeds))
        assert_equal(results[-1], expected(net.model(outputs), net.feeds))
    assert implementation(session, conv) == WAY
    for name in outputs:
        assert all(np.array_equal(result[name], results[0][name]) for result in results)


def test_threads_do_not_change_a_bit() -> None:
    """Strips are cut differently for every number of threads, pixels are the same."""
    net, conv = stem(picture(225), 33, [3, 2, 3, 4])
    results = [pdrt.Session(net.model([conv]), threads=threads).run(net.feeds)[conv] for threads in (1, 2, 3, 5, 16)]
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])


def test_other_layers_visit_their_taps() -> None:
    """Another stride or filter, many inputs, or maps so wide that there are no masks for their columns."""
    net = Network(4, channels=3, size=64)
    others = [net.conv(net.image, 16, 7), net.conv(net.image, 16, 5, stride=2)]
    others.append(net.conv(net.conv(net.image, 17), 16, 7, stride=2))
    wide = net.input("wide", np.zeros((1, 3, 8, 1700), np.float32))
    others.append(net.conv(wide, 16, 7, stride=2))
    session = pdrt.Session(net.model(others))
    assert {implementation(session, name) for name in others} == {"planes.convolution"}
    assert_equal(session.run(net.feeds), expected(net.model(others), net.feeds))


@pytest.mark.parametrize("fastest", ["direct", "strided_winograd"])
def test_tuned(tmp_path: Path, fastest: str) -> None:
    """Measured beside the taps, and what was measured decides."""
    net, conv = stem(picture(), 16, [3] * 4)
    model = net.model([conv])
    shapes = [list(array.shape) for array in net.feeds.values()]
    (layer,) = _core.tune(pdrt.load(model), "cpu", str(tmp_path), shapes, lambda done, total: None)
    assert [way["name"] for way in layer["ways"]] == ["planes.convolution", f"{WAY} F(4x4, 4x4)"]
    (file,) = tmp_path.iterdir()
    document = json.loads(file.read_text())
    ways = document["layers"][layer["key"]]
    for name in ways:
        ways[name] = [1.0 if name == fastest else 2.0, 0.0, 0.0]
    file.write_text(json.dumps(document))
    session = pdrt.Session(model, cache_dir=tmp_path)
    assert implementation(session, conv) == ("planes.convolution" if fastest == "direct" else WAY)
