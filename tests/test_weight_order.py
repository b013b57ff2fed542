"""Fully connected layers whose weights are stored input by input: read as they lie, or turned over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pdrt
from network import Network
from opencl_devices import Maker
from oracle import assert_equal, expected
from pdrt.format import read_header


def by_input(net: Network, x: str, kernels: int, op: str) -> str:
    """Append a layer whose weights are stored as (inputs, kernels)."""
    features = net.shape(x)[1]
    random = np.random.default_rng(kernels)
    weights = net.store(random.standard_normal((features, kernels)) / np.sqrt(features), "w")
    if op == "MatMul":
        return net.add("MatMul", x, weights)
    return net.add("Gemm", x, weights, net.store(random.standard_normal(kernels), "b"))


def step(session: pdrt.Session, name: str) -> str:
    """Return what runs a layer."""
    return next(step.implementation for step in session.explain().steps if step.name == name)


@settings(max_examples=25, deadline=None)
@given(
    op=st.sampled_from(["Gemm", "MatMul"]),
    kernels=st.sampled_from([1, 16, 33, 255, 256, 272, 300, 1024]),
    channels=st.integers(1, 24),
    zeros=st.booleans(),
    batch=st.integers(1, 9),
    threads=st.integers(1, 3),
)
def test_stored_by_input(op: str, kernels: int, channels: int, zeros: bool, batch: int, threads: int) -> None:
    """Whatever order they are read in."""
    net = Network(kernels, size=5, batch=batch)
    planes = net.conv(net.image, channels)
    last = by_input(net, net.add("Flatten", net.relu(planes) if zeros else planes), kernels, op)
    session = pdrt.Session(net.model([last]), threads=threads)
    assert_equal(session.run(net.feeds), expected(net.model([last]), net.feeds))


@pytest.mark.parametrize(("kernels", "zeros"), [(272, True), (272, False), (280, True)])
def test_read_as_they_lie(kernels: int, zeros: bool) -> None:
    """Behind a ReLU, in whole groups of lanes, nothing is copied, and the weights of zeros may be NaN."""
    net = Network(3, size=6)
    planes = net.conv(net.image, 40)
    values = net.add("Flatten", net.relu(planes) if zeros else planes)
    last = by_input(net, values, kernels, "Gemm")
    truth = expected(net.model([last]), net.feeds)
    zero = (net.value(values) == 0).all(0)
    assert zero.any() == zeros
    net.weights[net.inputs_of(last)[1]][zero] = np.nan
    session = pdrt.Session(net.model([last]))
    assert step(session, last) == ("fully_connected by input" if zeros else "fully_connected")
    copied = session.explain().packed_bytes >= 40 * 36 * kernels * 4
    assert copied == (not zeros or kernels % 16 != 0)
    assert session.explain().packed_bytes < 2 * 40 * 36 * kernels * 4
    assert_equal(session.run(net.feeds), truth)


@pytest.mark.parametrize(
    ("kernels", "between", "turned"),
    [
        (1472, "Relu", True),
        (1472, "Relu MaxPool", True),
        (1472, "MaxPool", False),
        (1472, "Relu Sigmoid", False),
        (1480, "Relu", False),
        (256, "Relu", False),
    ],
)
def test_files_have_them_as_they_are_read(kernels: int, between: str, turned: bool, tmp_path: Path) -> None:
    """Large ones with zeros to leave out; results are the same, and the same bits from anywhere."""
    net = Network(5, size=6, batch=2)
    values = net.conv(net.image, 20)
    for op in between.split():
        pool = {"kernel_shape": [1, 1]} if op == "MaxPool" else {}
        values = net.add(op, values, **pool)
    last = net.linear(net.add("Flatten", values), kernels)
    model = net.model([last])
    pdrt.convert(model, tmp_path / "net.pdrt")
    header = read_header(tmp_path / "net.pdrt")
    node = next(node for node in header.graph["nodes"] if node["name"] == last)
    assert node["attributes"]["transB"] == (0 if turned else 1)
    assert header.tensors[f"{last}.w"].shape == ((720, kernels) if turned else (kernels, 720))
    sources = [model, str(tmp_path / "net.pdrt")]
    results = [pdrt.Session(source, threads=n).run(net.feeds) for source in sources for n in (1, 2, 5)]
    assert_equal(results[0], expected(model, net.feeds))
    for other in results[1:]:
        np.testing.assert_array_equal(other[last], results[0][last])


@pytest.mark.parametrize("other", ["layer", "operator"])
def test_weights_that_others_read_stay(other: str, tmp_path: Path) -> None:
    """Two layers with the same weights, or one whose weights something else reads, too."""
    net = Network(6, size=6)
    values = net.add("Flatten", net.relu(net.conv(net.image, 20)))
    first = net.linear(values, 1472)
    weights = f"{first}.w"
    second = net.add("Gemm", net.add("Neg", values), weights, transB=1) if other == "layer" else net.add("Neg", weights)
    model = net.model([first, second])
    pdrt.convert(model, tmp_path / "net.pdrt")
    assert read_header(tmp_path / "net.pdrt").tensors[weights].shape == (1472, 720)
    assert_equal(pdrt.Session(tmp_path / "net.pdrt").run(net.feeds), expected(model, net.feeds))


def test_programs_read_kernels(on_device: Maker) -> None:
    """A device has the weights kernel by kernel, however they came."""
    net = Network(7, size=6, batch=3)
    last = by_input(net, net.add("Flatten", net.relu(net.conv(net.image, 20))), 512, "Gemm")
    session = on_device(net.model([last]))
    assert step(session, last) == "opencl.fully_connected"
    assert_equal(session.run(net.feeds), expected(net.model([last]), net.feeds))
