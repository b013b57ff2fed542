"""What the planner decides, seen from outside: counts of each layer, and what explain() says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

import pdrt
from network import Network
from oracle import assert_equal, expected


def run(net: Network, outputs: list[str], **options: Any) -> tuple[pdrt.Session, Mapping[str, NDArray[Any]]]:
    """Run the network on its example input, check the result against ONNX Runtime, return session and active counts."""
    session = pdrt.Session(net.model(outputs), **options)
    assert_equal(session.run(net.feeds), expected(net.model(outputs), net.feeds))
    return session, session.last_run.active


def mask(net: Network, values: list[float]) -> str:
    """Add a per-channel multiplier that the caller chooses."""
    return net.input(f"mask{len(net.feeds)}", np.array(values, np.float32).reshape(1, -1, 1, 1))


def test_a_block_that_is_off_takes_its_inner_gates_along() -> None:
    """Convolutions and gates inside a residual branch multiplied by zero: nothing of them runs."""
    net = Network(1)
    stem = net.relu(net.conv(net.image, 8))
    first = net.conv(stem, 8)
    inner = net.add("Sigmoid", net.conv(net.add("GlobalAveragePool", stem), 8, size=1))
    gated = net.add("Mul", net.relu(first), inner)
    second = net.conv(gated, 8)
    block = net.input("block", np.zeros((1, 1, 1, 1)))
    total = net.add("Add", net.add("Mul", second, block), stem)
    _, active = run(net, [net.relu(total)])
    gate_layer = net.inputs_of(inner)[0]
    assert active[first] == 0
    assert active[second] == 0
    assert active[gate_layer] == 0
    assert active[net.inputs_of(stem)[0]] == 8


@pytest.mark.parametrize("threads", [1, 2])
def test_need_goes_through_slices_splits_and_padding(threads: int) -> None:
    """Of eight kernels a split takes four and four: a slice needs two of the first, a mask one of the second."""
    net = Network(2)
    conv = net.conv(net.image, 8)
    left = net.add("Split", conv, net.integers(4, 4), outputs=2, axis=1)
    right = f"{left}.1"
    sliced = net.add("Slice", left, net.integers(1), net.integers(3), net.integers(1))
    padded = net.add("Pad", sliced, net.integers(0, 2, 0, 0, 0, 0, 0, 0), mode="constant")
    kept = net.add("Mul", net.relu(right), mask(net, [0, 1, 0, 0]))
    _, active = run(net, [net.relu(padded), kept], threads=threads)
    assert active[conv] == 3


def test_concatenation_takes_only_what_is_needed_of_each_part() -> None:
    """One mask over two concatenated convolutions switches kernels in both."""
    net = Network(3)
    squeeze = net.relu(net.conv(net.image, 4))
    one, three = net.conv(squeeze, 4, size=1), net.conv(squeeze, 6, size=3)
    both = net.add("Concat", net.relu(one), net.relu(three), axis=1)
    _, active = run(net, [net.add("Mul", both, mask(net, [1, 0, 0, 1, 1, 1, 0, 0, 0, 1]))])
    assert active[one] == 2
    assert active[three] == 3


def test_a_value_with_two_uses_needs_the_union() -> None:
    """Two masks on one convolution: off only where both are."""
    net = Network(4)
    conv = net.conv(net.image, 6)
    value = net.relu(conv)
    a = net.add("Mul", value, mask(net, [1, 1, 0, 0, 0, 0]))
    b = net.add("Mul", value, mask(net, [0, 1, 1, 0, 0, 0]))
    _, active = run(net, [net.conv(a, 2), net.conv(b, 2)])
    assert active[conv] == 3


def test_squeeze_and_excitation_stays_a_product_and_says_so() -> None:
    """A multiplier computed from the convolution it multiplies cannot be hoisted."""
    net = Network(5)
    conv = net.conv(net.image, 6)
    scale = net.add("Sigmoid", net.conv(net.add("GlobalAveragePool", conv), 6, size=1))
    session, active = run(net, [net.add("Mul", conv, scale)])
    assert active[conv] == 6
    step = next(step for step in session.explain().steps if step.name == conv)
    assert not step.switches
    assert any(scale in note and "own output" in note for note in step.notes)


def test_two_branches_that_gate_each_other() -> None:
    """Each gate pools one whole branch, so neither branch can be switched; both say why, and the result is right."""
    net = Network(6, batch=3)
    a, b = net.conv(net.image, 8), net.conv(net.image, 8)

    def gate(source: str) -> str:
        level = net.store(np.median(net.value(source).mean((2, 3))))
        above = net.add("Greater", net.add("GlobalAveragePool", source), level)
        return net.add("Cast", above, to=1)

    gate_a, gate_b = gate(a), gate(b)
    session, active = run(net, [net.add("Mul", a, gate_b), net.add("Mul", b, gate_a)])
    for conv, multiplier in ((a, gate_b), (b, gate_a)):
        assert (active[conv] == 8).all()
        report = next(step for step in session.explain().steps if step.name == conv)
        assert any(multiplier in note and "another use" in note for note in report.notes)


def test_gates_of_a_sample_that_is_off_are_not_fed() -> None:
    """In a block that is off for one sample of two, what feeds an inner top-k gate is not computed for it."""
    net = Network(14, batch=2)
    block = net.input("block", np.array([0.0, 1.0]).reshape(2, 1, 1, 1))
    policy = net.conv(net.image, 6)
    logits = net.pooled(policy)
    chosen = net.add("TopK", logits, net.integers(3), outputs=2, axis=1)
    ones = net.add("Cast", net.add("Not", net.add("Cast", net.add("Sub", chosen, chosen), to=9)), to=1)
    scattered = net.add("ScatterElements", net.add("Sub", logits, logits), f"{chosen}.1", ones, axis=1)
    inner = net.add("Reshape", scattered, net.integers(0, 6, 1, 1))
    body = net.conv(net.image, 6)
    gated = net.add("Mul", net.relu(body), inner)
    _, active = run(net, [net.add("Mul", net.conv(gated, 4), block)])
    assert active[policy].tolist() == [0, 6]
    assert active[body].tolist() == [0, 3]


def test_stored_zeros_are_switches_too() -> None:
    """A constant mask, as pruning leaves it behind: the kernels it zeroes never run."""
    net = Network(7)
    first = net.conv(net.image, 6)
    second = net.conv(net.relu(first), 4)
    keep = net.store(np.array([1, 0, 1, 0]).reshape(1, 4, 1, 1))
    _, active = run(net, [net.add("Mul", second, keep)])
    assert active[second] == 2
    assert active[first] == 6


def test_expanded_masks_are_seen_through() -> None:
    """A mask expanded to the whole feature map switches like the mask itself."""
    net = Network(8)
    conv = net.conv(net.image, 4)
    whole = net.add("Expand", mask(net, [0, 1, 0, 1]), net.integers(1, 4, 12, 12))
    _, active = run(net, [net.add("Mul", net.relu(conv), whole)])
    assert active[conv] == 2


def test_nan_multipliers_are_not_zero() -> None:
    """A switch that is NaN is on: the NaN reaches the output, as it would without skipping."""
    net = Network(9)
    conv = net.conv(net.image, 2)
    product = net.add("Mul", conv, mask(net, [1, 0]))
    session = pdrt.Session(net.model([product]))
    poisoned = dict(net.feeds)
    name = next(name for name in poisoned if name.startswith("mask"))
    poisoned[name] = np.array([np.nan, 0], np.float32).reshape(1, 2, 1, 1)
    result = session.run(poisoned, check_finite=False)[product]
    assert np.isnan(result[0, 0]).all()
    assert (result[0, 1] == 0).all()
    assert session.last_run.active[conv] == 1


def test_buffers_are_shared_by_lifetime() -> None:
    """Twelve layers deep or three: the arena does not grow with depth."""

    def arena(depth: int) -> int:
        net = Network(10)
        x = net.image
        for _ in range(depth):
            x = net.relu(net.conv(x, 16))
        return int(pdrt.Session(net.model([x])).explain().arena_bytes)

    assert arena(12) == arena(3)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("size", [7, 14, 23])
def test_results_take_the_place_of_a_residual_that_nobody_reads_again(threads: int, batch: int, size: int) -> None:
    """No memory beside that of a chain without residuals; one that is read again, or by the layer itself, is kept."""

    def network(add: bool) -> tuple[Network, list[str]]:
        net = Network(28, batch=batch, size=size)
        x = net.relu(net.conv(net.image, 20, 1))
        x = net.add("Mul", x, mask(net, [0, 0.5] + [1] * 18))  # one channel of the first residual is off
        for _ in range(3):
            hidden = net.relu(net.conv(x, 20, 1))
            off = net.add("Mul", net.conv(hidden, 20, 1), mask(net, [0] * 3 + [1] * 17))
            x = net.relu(net.add("Add", off, x) if add else off)
        return net, [net.add("GlobalAveragePool", x)]

    nets = [network(add) for add in (True, False)]
    sessions = [run(net, outputs, threads=threads)[0] for net, outputs in nets]
    with_residuals, without = (session.explain().arena_bytes for session in sessions)
    assert with_residuals == without

    net, _ = network(add=True)
    x = net.relu(net.conv(net.image, 20, 1))
    for _ in range(2):
        hidden = net.relu(net.conv(x, 20, 1))
        again = net.relu(net.add("Add", net.conv(hidden, 20, 1), x))
        itself = net.add("Add", net.conv(again, 20, 1), again)
        x = net.add("Add", itself, x)
    run(net, [net.add("GlobalAveragePool", x)], threads=threads)


def test_threads_do_not_change_a_bit() -> None:
    """Any number of threads gives the same bits."""
    net = Network(11, batch=2, size=40)
    x = net.relu(net.conv(net.image, 24))
    x = net.add("Mul", net.relu(net.conv(x, 30)), mask(net, [float(k % 3 > 0) for k in range(30)]))
    x = net.conv(x, 20, stride=2)
    model = net.model([net.linear(net.pooled(x), 7), x])
    results = [pdrt.Session(model, threads=threads).run(net.feeds) for threads in (1, 2, 3, 8)]
    for other in results[1:]:
        for name, value in results[0].items():
            np.testing.assert_array_equal(other[name], value)


@pytest.mark.parametrize("stride", [1, 2])
def test_constants_are_folded_where_no_tap_reads_padding(stride: int) -> None:
    """Expand, mask, batch norm, depthwise, batch norm, project: what is off reaches the projection as a constant."""
    net = Network(16, batch=2)
    expand = net.conv(net.image, 8, size=1)
    masked = net.add("Mul", expand, net.input("mask", np.array([[0, 1] * 4, [0, 0, 0, 1] * 2]).reshape(2, 8, 1, 1)))
    one = net.relu(net.batch_norm(masked))
    project = net.conv(one, 5, size=1, stride=stride)
    bordered = net.conv(one, 5, stride=stride)
    session, active = run(net, [project, bordered])
    assert active[expand].tolist() == [4, 2]
    assert session.last_run.visited[project].tolist() == [5 * 4, 5 * 2]
    # There the constants that are not zero are visited: batch norm and ReLU leave some of each kind.
    assert (session.last_run.visited[bordered] > [5 * 4, 5 * 2]).all()


def test_reference_device_is_the_specification() -> None:
    """Unfused and naive, it agrees with the planes, skips nothing and reports no other implementation."""
    net = Network(12)
    x = net.relu(net.batch_norm(net.conv(net.image, 6)))
    x = net.add("Mul", net.relu(net.conv(x, 6)), mask(net, [0, 1, 1, 0, 0, 1]))
    session, _ = run(net, [net.add("Softmax", net.pooled(x), axis=1)], device="reference")
    assert {step.implementation for step in session.explain().steps} == {"reference"}
    assert 0 < session.last_run.macs_executed == session.last_run.macs_dense


def test_layers_that_run_as_their_reference_are_counted() -> None:
    """A convolution with weights that are computed, and a product of two computed matrices: explained, and counted."""
    net = Network(15, batch=2)
    weights = net.input("weights", net.rng.standard_normal((2, 3, 3, 3)))
    planes = net.add("Conv", net.image, weights, pads=[1, 1, 1, 1])
    rows = net.add("Reshape", planes, net.integers(2, 12, 24))
    product = net.add("MatMul", rows, net.add("Transpose", rows, perm=[0, 2, 1]))
    session, _ = run(net, [product])
    counts = {layer.name: layer for layer in session.last_run.layers}
    assert counts[planes].macs_per_pair == 9 * 12 * 12
    assert counts[planes].visited.tolist() == [2 * 3, 2 * 3]
    assert counts[product].macs_per_pair * counts[product].visited.sum() == 2 * 12 * 24 * 12
    assert session.last_run.macs_dense == session.last_run.macs_executed
    shapes = {name: array.shape for name, array in net.feeds.items()}
    report = next(step for step in session.explain(shapes).steps if step.name == planes)
    assert any("weights are not stored" in reason for reason in report.refused)


FAR = 2**31 - 1


@pytest.mark.parametrize(
    "window",
    [
        {"strides": [FAR, FAR]},
        {"dilations": [2**21, 2**21], "pads": [2**20, 0, 2**21, 0], "kernel_shape": [2, 1], "strides": [2**20, 1]},
        {"auto_pad": "SAME_UPPER", "strides": [FAR, 3]},
        {"auto_pad": "SAME_LOWER", "strides": [2, 2], "dilations": [2, 1]},
        {"auto_pad": "VALID", "pads": [0, 0, 0, 0]},
    ],
    ids=["strides", "dilations", "same and strides", "same lower", "valid"],
)
def test_windows_of_any_reach_are_the_reference_s(window: dict[str, Any]) -> None:
    """Windows whose offsets would not fit the plane engine go to the reference and say so; all give the same."""
    net = Network(17)
    kernel = window.get("kernel_shape", [3, 3])
    weights = net.store(net.rng.standard_normal((4, 3, *kernel)), "weights")
    conv = net.add("Conv", net.image, weights, **window)
    model = net.model([conv])
    fast, exact = pdrt.Session(model), pdrt.Session(model, device="reference")
    assert_equal(fast.run(net.feeds), exact.run(net.feeds))
    (step,) = fast.explain().steps
    far = any(FAR in window.get(name, []) or 2**21 in window.get(name, []) for name in ("strides", "dilations"))
    assert step.implementation == ("reference" if far else "planes.convolution")
    assert far == any("2^20" in reason for reason in step.refused)


def test_a_bias_of_rank_0_for_one_kernel() -> None:
    """Gemm's bias may be a bare number."""
    net = Network(18)
    flat = net.pooled(net.image)
    run(net, [net.add("Gemm", flat, net.store(np.ones((3, 1))), net.store(np.float32(0.5)))])


def test_outputs_can_be_any_value() -> None:
    """A fused intermediate asked for by name is computed whole, also where nothing else needs it."""
    net = Network(13)
    conv = net.conv(net.image, 4)
    product = net.add("Mul", net.relu(conv), mask(net, [0, 1, 0, 1]))
    model = net.model([product])
    got = pdrt.Session(model, outputs=[conv, product]).run(net.feeds)
    assert_equal(got, {conv: net.value(conv), product: net.value(product)})


def test_what_is_equal_is_computed_once() -> None:
    """Two gates pool one value, and an output is a copy of another's computation: one step each."""
    net = Network(21)
    value = net.relu(net.conv(net.image, 6))
    gates = [net.add("Sigmoid", net.conv(net.add("GlobalAveragePool", value), 8, size=1)) for _ in range(2)]
    branches = [net.add("Mul", net.conv(value, 8), gate) for gate in gates]
    windows = [net.add("MaxPool", value, kernel_shape=[size, size]) for size in (2, 2, 3)]
    session, active = run(net, [*branches, *windows])
    operators = [operator for step in session.explain().steps for operator in step.operators]
    assert operators.count("GlobalAveragePool") == 1
    assert operators.count("MaxPool") == 2
    assert len(active) == 5  # layers stay, equal or not


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("off", [(), (1, 4)])
def test_multipliers_of_one_change_no_bit(residual: bool, off: tuple[int, ...]) -> None:
    """Gates that are all on, and the kernels that are: the same bits as without gates."""

    def outputs(gated: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        net = Network(22)
        image = net.relu(net.conv(net.image, 8))
        branch = net.relu(net.conv(image, 8))
        if gated:
            branch = net.add("Mul", branch, mask(net, [0 if k in off else 1 for k in range(8)]))
        if residual:
            branch = net.relu(net.add("Add", branch, image))
        session = pdrt.Session(net.model([branch, image]))
        results = session.run(net.feeds)
        return results[branch], results[image]

    with_gates, image = outputs(True)
    without, _ = outputs(False)
    for k in range(8):
        off_value = image[:, k] if residual else np.zeros_like(image[:, k])
        np.testing.assert_array_equal(with_gates[:, k], off_value if k in off else without[:, k])


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("comparison", ["Greater", "GreaterOrEqual", "Less", "LessOrEqual"])
def test_thresholds_are_part_of_the_layer_before(comparison: str, left: bool) -> None:
    """A comparison whose answer is only read as a number; a logit that is exactly the threshold is among them."""
    net = Network(7, batch=3)
    logits = net.linear(net.pooled(net.image), 12)
    net.weights[f"{logits}.w"][0] = 0
    net.weights[f"{logits}.b"][0] = 0.25
    threshold = net.store(np.float32(0.25))
    sides = [logits, threshold] if left else [threshold, logits]
    switch = net.add("Cast", net.add(comparison, *sides), to=onnx.TensorProto.FLOAT)
    planes = net.conv(net.image, 12)
    mask = net.add("Reshape", switch, net.integers(0, 12, 1, 1))
    model = net.model([switch, net.add("Mul", planes, mask)])
    session = pdrt.Session(model)
    assert_equal(session.run(net.feeds), expected(model, net.feeds))
    assert np.array_equal(session.last_run.active[planes], (net.value(switch) != 0).sum(axis=1))
    assert ("Gemm", comparison, "Cast") in [step.operators for step in session.explain().steps]


def test_a_comparison_that_is_read_elsewhere_stays_a_step() -> None:
    net = Network(8)
    above = net.add("Greater", net.linear(net.pooled(net.image), 4), net.store(np.float32(0)))
    out = net.add("Cast", above, to=onnx.TensorProto.FLOAT)
    session = pdrt.Session(net.model([above, out]))
    assert ("Greater",) in [step.operators for step in session.explain().steps]


@pytest.mark.parametrize("join", ["Add", "Mul"])
def test_a_threshold_that_becomes_planes_stays_a_step(join: str) -> None:
    """Of maps of one pixel: the layer makes dense numbers, and what reads the answer wants planes."""
    net = Network(3, batch=2, channels=8, size=6)
    pixel = net.add("MaxPool", net.conv(net.image, 8), kernel_shape=[6, 6])
    logits = net.conv(net.add("GlobalAveragePool", net.image), 8, size=1)
    above = net.add("Greater", logits, net.store(np.float32(0.1)))
    switch = net.add("Cast", above, to=onnx.TensorProto.FLOAT)
    run(net, [net.relu(net.add(join, pixel, switch))])
