"""What is switched off is not computed on an OpenCL device either: the cases of test_skipping.py, poisoned likewise."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pytest

from gates import DECISIONS, LOGITS, gate
from network import Network
from opencl_devices import Maker
from oracle import assert_equal, expected
from test_skipping import CASES, LIFT, Case, check_single_switch, check_with_poison, finish, layers_of, mask_of


def whole_rows(make: Callable[[Network], Case]) -> Callable[[Network], Case]:
    """The same case where a neuron that is computed reads all its columns, as the device's program does."""

    def made(net: Network) -> Case:
        case = make(net)
        case.taps = {name: on for name, on in case.taps.items() if not name.startswith("gemm")}
        return case

    return made


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_only_what_is_needed_is_computed(on_device: Maker, make: Callable[[Network], Case]) -> None:
    check_with_poison(whole_rows(make), 2, functools.partial(on_device, fallback="cpu"))


# What the device finds out by itself, to the last pair of kernel and channel. Elsewhere it computes more than is
# needed, where the host would have had to wait to know better.
FOUND_BY_THE_DEVICE = {
    "behind_relu", "before_batch_norm", "input_of_one_reader", "depthwise", "concatenated",
    "masked_after_concatenation", "mask_behind_pool", "channels_of_a_branch", "filled",
}  # fmt: skip


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_switches_of_the_device(on_device: Maker, make: Callable[[Network], Case]) -> None:
    sessions = functools.partial(on_device, switches="device", fallback="cpu")
    if make.__name__ in FOUND_BY_THE_DEVICE:
        check_with_poison(make, 2, sessions)
        return
    case = make(Network(seed=2, batch=2))
    model = case.net.model(case.outputs)
    by_host, by_device = on_device(model, fallback="cpu"), sessions(model)
    assert_equal(by_device.run(case.net.feeds), expected(model, case.net.feeds))
    assert_equal(by_host.run(case.net.feeds), expected(model, case.net.feeds))
    least, counts = by_host.last_run.macs_executed, by_device.last_run
    assert least <= counts.macs_executed <= counts.macs_dense


# Decisions on the host need no program; one for each kind of logits is enough, and the other way round.
GATES = [*((logits, "not negative") for logits in LOGITS), *(("pointwise", decision) for decision in DECISIONS)]


@pytest.mark.parametrize(("logits", "decision"), sorted(set(GATES)))
def test_every_gate_switches(on_device: Maker, logits: str, decision: str) -> None:
    check_single_switch(logits, decision, None, "expanded", on_device)


def test_planes_that_something_else_reads_are_computed(on_device: Maker) -> None:
    """The mask does not count for an output that looks at the planes in front of it."""
    net = Network(seed=5, batch=2)
    layer = net.conv(net.image, 8, lift=LIFT)
    planes = net.relu(layer)
    mask = gate(net, net.image, 8)
    outputs = [finish(net, net.add("Mul", planes, mask)), net.pooled(planes)]
    np.testing.assert_array_equal(layers_of(net, outputs, on_device)[layer].active, [8, 8])


def test_gate_of_the_planes_it_masks_switches_nothing(on_device: Maker) -> None:
    """Squeeze and excitation multiplies on the device, which nobody waits for."""
    net = Network(seed=6, batch=2)
    layer = net.conv(net.image, 8, lift=LIFT)
    planes = net.relu(layer)
    mask = gate(net, planes, 8)
    assert not mask_of(net, mask).all()
    last = net.conv(net.add("Mul", planes, mask), 6)
    layers = layers_of(net, [finish(net, last)], functools.partial(on_device, fallback="cpu"))
    np.testing.assert_array_equal(layers[layer].active, [8, 8])
    np.testing.assert_array_equal(layers[last].visited, [6 * 8, 6 * 8])


@pytest.mark.parametrize("size", [1, 3])
def test_planes_that_died_in_a_relu(on_device: Maker, size: int) -> None:
    """In a step that changes from run to run they are left out, if its filter has more than one tap."""
    net = Network(seed=7, batch=2)
    dead = [1, 4, 5]
    layer = net.conv(net.image, 8, lift=LIFT)
    net.weights[f"{layer}.b"][dead] = -1e3
    mask = gate(net, net.image, 6)
    last = net.conv(net.relu(layer), 6, size, lift=LIFT)
    outputs = [finish(net, net.add("Mul", net.relu(last), mask))]
    layers = layers_of(net, outputs, on_device)
    on = mask_of(net, mask).sum(axis=1)
    np.testing.assert_array_equal(layers[layer].active, [8, 8])
    np.testing.assert_array_equal(layers[last].visited, on * (8 if size == 1 else 8 - len(dead)))
