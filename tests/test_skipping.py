"""What is switched off is not computed: its weights can be anything, and the counts say so exactly.

Every case is a small network whose active sets are known from its gates. The weights of all kernels that are off, and
the taps that would read their planes, are overwritten with NaN: not a bit of the outputs may change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

import pdrt
from gates import AMONG_CHANNELS, DECISIONS, GROUPS, LOGITS, gate
from network import Array, Network
from oracle import TOLERANCE, assert_equal, expected

Sets = dict[str, Array]  # by layer: bool (batch, channels), True for a channel that is on

# Added to the bias in front of a ReLU, so that no plane dies there: what is off is off by a switch alone.
LIFT = 2.0


@dataclass
class Case:
    """A network and what of it must be computed; layers that are not named are dense."""

    net: Network
    outputs: list[str]
    kernels: Sets  # kernels a layer computes
    taps: Sets = field(default_factory=dict)  # input channels a layer reads
    groups: dict[str, int] = field(default_factory=dict)  # of layers that have more than one


def mask_of(net: Network, multiplier: str) -> Array:
    """The active sets of a multiplier on the example input; at least one kernel is off in each sample."""
    value = net.value(multiplier)
    on = (value != 0).reshape(len(value), -1)
    assert not on.all()
    return on


def finish(net: Network, planes: str) -> str:
    """A last layer over everything."""
    return net.linear(net.pooled(planes), 3)


def behind_relu(net: Network) -> Case:
    first = net.conv(net.image, 8, lift=LIFT)
    mask = gate(net, net.image, 8)
    last = net.conv(net.add("Mul", net.relu(first), mask), 6)
    on = mask_of(net, mask)
    return Case(net, [finish(net, last)], {first: on}, {last: on})


def before_batch_norm(net: Network) -> Case:
    """Off planes have a value of their own here, which is not zero: only the kernels are skipped."""
    first = net.conv(net.image, 8, bias=False)
    mask = gate(net, net.image, 8)
    normalised = net.batch_norm(net.add("Mul", first, mask))
    shift = net.store(np.full((1, 8, 1, 1), 3.0), "shift")
    last = net.conv(net.relu(net.add("Add", normalised, shift)), 6)
    return Case(net, [finish(net, last)], {first: mask_of(net, mask)})


def in_series(net: Network) -> Case:
    """A mask before the batch norm, gains for the same winners behind it: what is off is zero after all.

    The gains of the losers are not needed either, so the layer that computes the gains is switched as well.
    """
    first = net.conv(net.image, 8, bias=False)
    mask = gate(net, net.image, 8)
    normalised = net.batch_norm(net.add("Mul", first, mask))
    weighing = net.conv(net.add("GlobalAveragePool", net.image), 8, 1)
    gains = net.add("Mul", net.add("Sigmoid", weighing), mask)
    last = net.conv(net.add("Mul", normalised, gains), 6)
    on = mask_of(net, mask)
    return Case(net, [finish(net, last)], {first: on, weighing: on}, {last: on})


def gain_and_shift(net: Network) -> Case:
    """FBS: the shift is masked as well."""
    first = net.conv(net.image, 8, bias=False)
    gains = gate(net, net.image, 8, decision="top k values")
    shift = net.add("Mul", gains, net.store(np.full((1, 8, 1, 1), 4.0), "shift"))
    normalised = net.batch_norm(first, affine=False)
    rectified = net.relu(net.add("Add", net.add("Mul", normalised, gains), shift))
    last = net.conv(rectified, 6)
    on = mask_of(net, gains)
    return Case(net, [finish(net, last)], {first: on}, {last: on})


def input_of_one_reader(net: Network) -> Case:
    """Two layers read the planes and one of them through a mask: its taps are skipped, the planes are computed."""
    shared = net.relu(net.conv(net.image, 8, lift=LIFT))
    mask = gate(net, net.image, 8)
    masked = net.conv(net.add("Mul", shared, mask), 6)
    whole = net.conv(shared, 6)
    joined = net.add("Add", masked, whole)
    return Case(net, [finish(net, joined)], {}, {masked: mask_of(net, mask)})


def depthwise(net: Network) -> Case:
    """MobileNetV2: the mask in front of the last layer switches the depthwise one and the one before it."""
    wide = net.conv(net.image, 8, 1, lift=LIFT)
    deep = net.conv(net.relu(wide), 8, 3, stride=2, groups=8, lift=4 * LIFT)
    mask = gate(net, net.image, 8)
    last = net.conv(net.add("Mul", net.relu(deep), mask), 6, 1)
    on = mask_of(net, mask)
    return Case(net, [finish(net, last)], {wide: on, deep: on}, {last: on})


def concatenated(net: Network) -> Case:
    """Branches with their own masks side by side."""
    branches, masks = [], []
    for kernels, size in ((4, 1), (8, 3)):
        convolution = net.conv(net.image, kernels, size, lift=LIFT)
        masks.append(gate(net, net.image, kernels))
        branches.append((convolution, net.add("Mul", net.relu(convolution), masks[-1])))
    joined = net.add("Concat", *(masked for _, masked in branches), axis=1)
    last = net.conv(joined, 6)
    sets = [mask_of(net, mask) for mask in masks]
    kernels = {convolution: on for (convolution, _), on in zip(branches, sets, strict=True)}
    return Case(net, [finish(net, last)], kernels, {last: np.concatenate(sets, axis=1)})


def masked_after_concatenation(net: Network) -> Case:
    """One mask over two branches."""
    first, second = net.conv(net.image, 4, 1, lift=LIFT), net.conv(net.image, 8, lift=LIFT)
    joined = net.add("Concat", net.relu(first), net.relu(second), axis=1)
    mask = gate(net, net.image, 12)
    last = net.conv(net.add("Mul", joined, mask), 6)
    on = mask_of(net, mask)
    return Case(net, [finish(net, last)], {first: on[:, :4], second: on[:, 4:]}, {last: on})


def pooled(net: Network) -> Case:
    """Pooling between the mask and the next layer."""
    first = net.conv(net.image, 8, lift=LIFT)
    mask = gate(net, net.image, 8)
    masked = net.add("Mul", net.relu(first), mask)
    last = net.conv(net.add("MaxPool", masked, kernel_shape=[2, 2], strides=[2, 2]), 6)
    on = mask_of(net, mask)
    return Case(net, [finish(net, last)], {first: on}, {last: on})


def mask_behind_pool(net: Network) -> Case:
    """The mask is met only after the pooling: need flows back through it."""
    first = net.conv(net.image, 8, lift=LIFT)
    mask = gate(net, net.image, 8)
    small = net.add("AveragePool", net.relu(first), kernel_shape=[2, 2], strides=[2, 2])
    last = net.conv(net.add("Mul", small, mask), 6)
    on = mask_of(net, mask)
    return Case(net, [finish(net, last)], {first: on}, {last: on})


def channels_of_a_branch(net: Network) -> Case:
    """A residual branch masked by channel: its last layer skips kernels, and the sum is whole."""
    stem = net.relu(net.conv(net.image, 8, lift=LIFT))
    inner = net.conv(stem, 8, lift=4 * LIFT)
    outer = net.conv(net.relu(inner), 8)
    mask = gate(net, stem, 8)
    total = net.relu(net.add("Add", net.add("Mul", outer, mask), stem))
    last = net.conv(total, 6)
    return Case(net, [finish(net, last)], {outer: mask_of(net, mask)})


def depthwise_branch(net: Network) -> Case:
    """The same with a depthwise last layer: of a kernel that is off its stages are left, of no inputs at all."""
    stem = net.relu(net.conv(net.image, 8, lift=LIFT))
    outer = net.conv(stem, 8, groups=8)
    mask = gate(net, stem, 8)
    total = net.relu(net.add("Add", net.add("Mul", outer, mask), stem))
    last = net.conv(total, 6)
    return Case(net, [finish(net, last)], {outer: mask_of(net, mask)})


def _off(net: Network, channels: int) -> Array:
    return np.zeros((len(net.feeds["image"]), channels), dtype=bool)


def _always_off(net: Network) -> str:
    """A multiplier N x 1 x 1 x 1 that is computed, and zero."""
    mean = net.add("ReduceMean", net.image, axes=[1, 2, 3], keepdims=1)
    return net.add("Cast", net.add("Greater", mean, net.store(np.float32(1e6), "never")), to=1)


def whole_branch(net: Network) -> Case:
    """A residual branch switched off whole: nothing of it is visited."""
    stem = net.relu(net.conv(net.image, 8, lift=LIFT))
    inner = net.conv(stem, 8, lift=4 * LIFT)
    outer = net.conv(net.relu(inner), 8)
    branch = net.add("Mul", net.batch_norm(outer), _always_off(net))
    last = net.conv(net.relu(net.add("Add", stem, branch)), 6)
    return Case(net, [finish(net, last)], {inner: _off(net, 8), outer: _off(net, 8)})


def skipped_block(net: Network) -> Case:
    """SkipNet: m block(x) + (1 - m) x, the block with its shortcut and ReLU."""
    stem = net.relu(net.conv(net.image, 8, lift=LIFT))
    inner = net.conv(stem, 8, lift=4 * LIFT)
    outer = net.conv(net.relu(inner), 8)
    block = net.relu(net.add("Add", outer, stem))
    mask = _always_off(net)
    rest = net.add("Sub", net.store(np.float32(1), "one"), mask)
    total = net.add("Add", net.add("Mul", block, mask), net.add("Mul", stem, rest))
    last = net.conv(total, 6)
    return Case(net, [finish(net, last)], {inner: _off(net, 8), outer: _off(net, 8)})


def filled(net: Network) -> Case:
    """x w + 2 (1 - w): what is off has the value two."""
    first = net.conv(net.image, 8, lift=LIFT)
    mask = gate(net, net.image, 8)
    rest = net.add("Mul", net.add("Sub", net.store(np.float32(1), "one"), mask), net.store(np.float32(2), "two"))
    total = net.add("Add", net.add("Mul", net.relu(first), mask), rest)
    last = net.conv(total, 6)
    return Case(net, [finish(net, last)], {first: mask_of(net, mask)})


def neurons(net: Network) -> Case:
    """Fully connected layers: rows of the first, columns of the second, which are read sixteen at a time."""
    first = net.linear(net.pooled(net.image), 64, lift=4 * LIFT)
    mask = net.add("Flatten", gate(net, net.image, 64, groups=4))
    last = net.linear(net.add("Mul", net.relu(first), mask), 3)
    on = mask_of(net, mask)
    return Case(net, [last], {first: on}, {last: on})


def single_neurons(net: Network) -> Case:
    """Neurons switched one by one: rows are skipped, and no block of columns is whole zero."""
    first = net.linear(net.pooled(net.image), 8, lift=4 * LIFT)
    mask = net.add("Flatten", gate(net, net.image, 8))
    last = net.linear(net.add("Mul", net.relu(first), mask), 3)
    return Case(net, [last], {first: mask_of(net, mask)})


def neurons_behind_planes(net: Network) -> Case:
    """Planes flattened into features: a plane that is off takes a run of columns with it, here of 64 pixels."""
    small = net.add("AveragePool", net.image, kernel_shape=[5, 5], strides=[1, 1])
    first = net.conv(small, 8, lift=LIFT)
    mask = gate(net, net.image, 8)
    last = net.linear(net.add("Flatten", net.add("Mul", first, mask)), 3)
    on = mask_of(net, mask)
    return Case(net, [last], {first: on}, {last: np.repeat(on, 64, axis=1)})


def grouped(net: Network) -> Case:
    """A grouped convolution between two masks: pairs count within their group, and each group has some on."""
    first = net.conv(net.image, 8, lift=LIFT)
    mask = gate(net, net.image, 8)
    second = net.conv(net.add("Mul", net.relu(first), mask), 8, groups=2, lift=4 * LIFT)
    half = gate(net, net.image, 4, decision="top k scattered")
    next_mask = net.add("Concat", half, half, axis=1)
    last = net.conv(net.add("Mul", net.relu(second), next_mask), 6)
    on, next_on = mask_of(net, mask), mask_of(net, next_mask)
    return Case(net, [finish(net, last)], {first: on, second: next_on}, {second: on, last: next_on}, {second: 2})


def read_by_an_output(net: Network) -> Case:
    """An auxiliary output that reads the masked planes changes nothing."""
    case = behind_relu(net)
    (last,) = case.taps
    masked, _, _ = net.inputs_of(last)
    return Case(net, [*case.outputs, net.pooled(masked)], case.kernels, case.taps)


def gated_by_masked_planes(net: Network) -> Case:
    """The second gate looks at what the first one left."""
    first = net.conv(net.image, 8, lift=LIFT)
    mask = gate(net, net.image, 8)
    masked = net.add("Mul", net.relu(first), mask)
    second = net.conv(masked, 8, lift=LIFT)
    next_mask = gate(net, masked, 8)
    last = net.conv(net.add("Mul", net.relu(second), next_mask), 6)
    on, next_on = mask_of(net, mask), mask_of(net, next_mask)
    return Case(net, [finish(net, last)], {first: on, second: next_on}, {second: on, last: next_on})


CASES: tuple[Callable[[Network], Case], ...] = (
    behind_relu,
    before_batch_norm,
    in_series,
    gain_and_shift,
    input_of_one_reader,
    depthwise,
    concatenated,
    masked_after_concatenation,
    pooled,
    mask_behind_pool,
    channels_of_a_branch,
    depthwise_branch,
    whole_branch,
    skipped_block,
    filled,
    neurons,
    single_neurons,
    neurons_behind_planes,
    grouped,
    read_by_an_output,
    gated_by_masked_planes,
)


def check_counts(case: Case, session: pdrt.Session) -> None:
    """Every layer computed exactly the pairs its active sets leave."""
    layers = {layer.name: layer for layer in session.last_run.layers}
    assert not (case.kernels.keys() | case.taps.keys()) - layers.keys()
    everything = 0
    for name, layer in layers.items():
        batch, groups = len(layer.active), case.groups.get(name, 1)
        kernels = case.kernels.get(name, np.ones((batch, layer.kernels), bool))
        taps = case.taps.get(name, np.ones((batch, layer.channels * groups), bool))
        by_group = [part.reshape(batch, groups, -1).sum(axis=2) for part in (kernels, taps)]
        pairs = (by_group[0] * by_group[1]).sum(axis=1)
        np.testing.assert_array_equal(layer.active, kernels.sum(axis=1), err_msg=f"kernels of {name}")
        np.testing.assert_array_equal(layer.visited, pairs, err_msg=f"pairs of {name}")
        everything += int(pairs.sum()) * layer.macs_per_pair
    assert session.last_run.macs_executed == everything < session.last_run.macs_dense


def on_one_thread(model: bytes) -> pdrt.Session:
    """Return a session on the CPU."""
    return pdrt.Session(model, threads=1)


def poisoned(case: Case, sample: int) -> tuple[bytes, int]:
    """The network with NaN for every weight that this sample does not need, and how many channels those are."""
    clean = {name: weights.copy() for name, weights in case.net.weights.items()}
    spoilt = 0
    for name, on in case.kernels.items():
        for stored in (f"{name}.w", f"{name}.b"):
            if stored in clean:
                case.net.weights[stored] = case.net.weights[stored].copy()
                case.net.weights[stored][~on[sample]] = np.nan
                spoilt += int((~on[sample]).sum())
    for name, on in case.taps.items():
        weights = case.net.weights[f"{name}.w"] = case.net.weights[f"{name}.w"].copy()
        groups = case.groups.get(name, 1)
        for kernels, off in zip(np.split(weights, groups), np.split(~on[sample], groups), strict=True):
            kernels[:, off] = np.nan
        spoilt += int((~on[sample]).sum())
    model = case.net.model(case.outputs)
    case.net.weights = clean
    return model, spoilt


def check_with_poison(
    make_case: Callable[[Network], Case],
    batch: int,
    make: Callable[[bytes], pdrt.Session],
    tolerance: float = TOLERANCE,
) -> None:
    """The network computes exactly what its gates leave, and NaN everywhere else changes not a bit."""
    case = make_case(Network(seed=batch, batch=batch))
    model = case.net.model(case.outputs)
    session = make(model)
    outputs = session.run(case.net.feeds)
    assert_equal(outputs, expected(model, case.net.feeds), tolerance)
    check_counts(case, session)

    spoilt = 0
    for sample in range(batch):
        model, channels = poisoned(case, sample)
        spoilt += channels
        again = make(model).run(case.net.feeds)
        for name in outputs:
            np.testing.assert_array_equal(again[name][sample], outputs[name][sample], err_msg=name)
    assert spoilt > 0


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_only_what_is_needed_is_computed(make: Callable[[Network], Case], batch: int, threads: int) -> None:
    check_with_poison(make, batch, lambda model: pdrt.Session(model, threads=threads))


def layers_of(
    net: Network, outputs: list[str], make: Callable[[bytes], pdrt.Session] = on_one_thread
) -> dict[str, pdrt.LayerCounts]:
    """Run the network, which must give the oracle's outputs; return what its layers computed."""
    model = net.model(outputs)
    session = make(model)
    assert_equal(session.run(net.feeds), expected(model, net.feeds))
    return {layer.name: layer for layer in session.last_run.layers}


def test_planes_that_something_else_reads_are_computed() -> None:
    """The mask does not count for an output that looks at the planes in front of it."""
    net = Network(seed=5, batch=2)
    layer = net.conv(net.image, 8, lift=LIFT)
    planes = net.relu(layer)
    mask = gate(net, net.image, 8)
    assert not mask_of(net, mask).all()
    outputs = [finish(net, net.add("Mul", planes, mask)), net.pooled(planes)]
    np.testing.assert_array_equal(layers_of(net, outputs)[layer].active, [8, 8])


def test_gate_of_the_planes_it_masks_switches_nothing() -> None:
    """Squeeze and excitation needs every kernel before it can say which of them it wants."""
    net = Network(seed=6, batch=2)
    layer = net.conv(net.image, 8, lift=LIFT)
    planes = net.relu(layer)
    mask = gate(net, planes, 8)
    last = net.conv(net.add("Mul", planes, mask), 6)
    layers = layers_of(net, [finish(net, last)])
    np.testing.assert_array_equal(layers[layer].active, [8, 8])
    # The planes it switched off are zero all the same, and their taps are not visited.
    np.testing.assert_array_equal(layers[last].visited, 6 * mask_of(net, mask).sum(axis=1))


def test_planes_that_died_in_a_relu_are_not_visited() -> None:
    """No gate at all: what came out zero everywhere has no taps."""
    net = Network(seed=7, batch=2)
    layer = net.conv(net.image, 8, lift=LIFT)
    net.weights[f"{layer}.b"][[1, 4, 5]] = -1e3
    last = net.conv(net.relu(layer), 6)
    layers = layers_of(net, [finish(net, last)])
    np.testing.assert_array_equal(layers[layer].active, [8, 8])
    np.testing.assert_array_equal(layers[last].visited, [6 * 5, 6 * 5])


def check_single_switch(
    logits: str,
    decision: str,
    groups: int | None,
    spread: str,
    make: Callable[[bytes], pdrt.Session] = on_one_thread,
) -> None:
    """One layer behind one gate of this kind computes the kernels that the gate leaves on, and no more."""
    net = Network(seed=3, batch=2)
    layer = net.conv(net.image, 8, lift=LIFT)
    mask = gate(net, net.image, 8, logits=logits, decision=decision, groups=groups, spread=spread)
    layers = layers_of(net, [finish(net, net.add("Mul", net.relu(layer), mask))], make)
    np.testing.assert_array_equal(layers[layer].active, mask_of(net, mask).sum(axis=1))


@pytest.mark.parametrize("decision", list(DECISIONS))
@pytest.mark.parametrize("logits", list(LOGITS))
def test_every_gate_switches(logits: str, decision: str) -> None:
    check_single_switch(logits, decision, None, "expanded")


@pytest.mark.parametrize("decision", [name for name in DECISIONS if name not in AMONG_CHANNELS])
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("spread", list(GROUPS))
def test_every_gate_switches_groups(decision: str, groups: int, spread: str) -> None:
    check_single_switch("pointwise", decision, groups, spread)
