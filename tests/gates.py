"""The gates of published dynamic networks, as multipliers: logits from planes, decisions from logits.

Every threshold is put into the widest gap of the logits around their middle, on the example input of the network: the
gate is then mixed, and no rounding of either runtime can turn a decision around.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx

from network import Array, Network

FLOAT = onnx.TensorProto.FLOAT


def separating(values: Array, net: Network) -> float:
    """Return a threshold with about half of the values above it, as far from all of them as can be."""
    ordered = np.unique(values)
    if ordered.size == 1:  # one decision for everything: on or off, by chance
        return float(ordered[0] + net.rng.choice([-1.0, 1.0]) * (0.1 + abs(ordered[0]) / 2))
    quarter = ordered.size // 4
    middle = ordered[quarter : max(ordered.size - quarter, quarter + 2)]
    gap = int(np.argmax(np.diff(middle)))
    return float((middle[gap] + middle[gap + 1]) / 2)


# --- logits: (N, count, 1, 1) from planes ---


def _pointwise(net: Network, planes: str, count: int) -> str:
    return net.conv(net.add("GlobalAveragePool", planes), count, 1)


def _pointwise_of_maximum(net: Network, planes: str, count: int) -> str:
    return net.conv(net.add("GlobalMaxPool", planes), count, 1)


def _two_pointwise(net: Network, planes: str, count: int) -> str:
    """The channel masks of DGNet."""
    hidden = net.conv(net.add("GlobalAveragePool", planes), max(2, count // 4), 1, bias=False)
    return net.conv(net.relu(net.batch_norm(hidden)), count, 1)


def _linear(net: Network, planes: str, count: int) -> str:
    mean = net.add("ReduceMean", planes, axes=[2, 3], keepdims=0)
    logits = net.linear(net.relu(net.linear(mean, max(2, count // 2))), count)
    return net.add("Unsqueeze", net.add("Unsqueeze", logits, net.integers(2)), net.integers(3))


def _convolved(net: Network, planes: str, count: int) -> str:
    """A network of its own on the planes: LKAM and the gates of SkipNet."""
    features = net.relu(net.conv(planes, 4, 3, stride=2))
    return net.add("GlobalAveragePool", net.conv(features, count, 1))


LOGITS: dict[str, Callable[[Network, str, int], str]] = {
    "pointwise": _pointwise,
    "pointwise of maximum": _pointwise_of_maximum,
    "two pointwise": _two_pointwise,
    "linear": _linear,
    "convolved": _convolved,
}


# --- decisions: a multiplier (N, count, 1, 1) from logits of as many or twice as many channels ---


def _constant(net: Network, value: float) -> str:
    return net.store(np.float32(value), "threshold")


def _threshold(net: Network, logits: str) -> str:
    return _constant(net, separating(net.value(logits), net))


def _cast(net: Network, condition: str) -> str:
    return net.add("Cast", condition, to=FLOAT)


def _centred(net: Network, logits: str) -> str:
    """Move them to both sides of zero: of numbers such as -13, ONNX Runtime's sigmoid is wrong by percents."""
    return net.add("Sub", logits, _threshold(net, logits))


def _not_negative(net: Network, logits: str) -> str:
    return _cast(net, net.add("GreaterOrEqual", _centred(net, logits), _constant(net, 0.0)))


def _sigmoid_above(net: Network, logits: str) -> str:
    probability = net.add("Sigmoid", _centred(net, logits))
    return _cast(net, net.add("Greater", probability, _threshold(net, probability)))


def _not_below(net: Network, logits: str) -> str:
    return _cast(net, net.add("Not", net.add("Less", logits, _threshold(net, logits))))


def _where(net: Network, logits: str) -> str:
    below = net.add("LessOrEqual", logits, _threshold(net, logits))
    return net.add("Where", below, _constant(net, 0.0), _constant(net, 1.0))


def _sign(net: Network, logits: str) -> str:
    return net.relu(net.add("Sign", _centred(net, logits)))


def _rounded(net: Network, logits: str) -> str:
    return net.add("Round", net.add("Sigmoid", _centred(net, logits)))


def _scaled(net: Network, logits: str) -> str:
    """A gate with a gain: what is on is also weighed."""
    return net.add("Mul", net.add("Sigmoid", _centred(net, logits)), _not_negative(net, logits))


def _rectified(net: Network, logits: str) -> str:
    return net.relu(net.add("Sub", logits, _threshold(net, logits)))


def _clamped(net: Network, logits: str) -> str:
    """The gates of ManiDP: clamped gains, zero below a stored threshold."""
    gains = net.add("Clip", net.relu(logits), _constant(net, 0.0), _constant(net, 2.0))
    return net.add("Where", net.add("Less", gains, _threshold(net, gains)), _constant(net, 0.0), gains)


def _pairs(net: Network, logits: str) -> tuple[str, str]:
    """Split (N, 2 G, 1, 1) into two of (N, G), the second moved so that each is the larger about half the time."""
    groups = net.shape(logits)[1] // 2
    pairs = net.add("Reshape", logits, net.integers(0, 2, groups))
    first = net.add("Gather", pairs, net.store(0, "index", np.int64), axis=1)
    second = net.add("Gather", pairs, net.store(1, "index", np.int64), axis=1)
    difference = net.value(first) - net.value(second)
    return first, net.add("Add", second, _constant(net, separating(difference, net)))


def _as_planes(net: Network, mask: str) -> str:
    """Reshape (N, G) to (N, G, 1, 1)."""
    return net.add("Reshape", mask, net.integers(0, net.shape(mask)[1], 1, 1))


def _pairwise(net: Network, logits: str) -> str:
    """The gates of LAUDNet: on where the first of two logits is not the smaller one."""
    return _as_planes(net, _cast(net, net.add("GreaterOrEqual", *_pairs(net, logits))))


def _arg_max(net: Network, logits: str) -> str:
    """The gates of ConvNet-AIG: on where the second of two logits is the larger one."""
    both = [net.add("Unsqueeze", one, net.integers(1)) for one in _pairs(net, logits)]
    winner = net.add("ArgMax", net.add("Concat", *both, axis=1), axis=1, keepdims=0)
    return _as_planes(net, _cast(net, winner))


def _softmax(net: Network, logits: str) -> str:
    """The gates of SkipNet: on where the probability of the second of two is above one half."""
    both = [net.add("Unsqueeze", one, net.integers(1)) for one in _pairs(net, logits)]
    probabilities = net.add("Softmax", net.add("Concat", *both, axis=1), axis=1)
    second = net.add("Gather", probabilities, net.store(1, "index", np.int64), axis=1)
    return _as_planes(net, _cast(net, net.add("Greater", second, _constant(net, 0.5))))


def _best_count(net: Network, flat: str) -> int:
    """How many winners leave the widest gap between the last winner and the first loser in every sample."""
    ordered = -np.sort(-net.value(flat), axis=1)
    gaps = (ordered[:, :-1] - ordered[:, 1:]).min(axis=0)
    count = ordered.shape[1]
    first, last = (count - 1) // 4, max((count - 1) * 3 // 4, (count - 1) // 4 + 1)
    return first + int(np.argmax(gaps[first:last])) + 1


def _top_k_values(net: Network, logits: str) -> str:
    """The gates of FBS: gains, zero where below the last winner of the sample."""
    gains = net.add("Flatten", net.add("Softplus", logits))
    winners = net.add("TopK", gains, net.integers(_best_count(net, gains)), outputs=2, axis=1)
    last = net.add("ReduceMin", winners, axes=[1], keepdims=1)
    mask = _cast(net, net.add("GreaterOrEqual", gains, last))
    return _as_planes(net, net.add("Mul", gains, mask))


def _top_k_scattered(net: Network, logits: str) -> str:
    flat = net.add("Flatten", logits)
    winners = net.add("TopK", flat, net.integers(_best_count(net, flat)), outputs=2, axis=1)
    ones = net.add("Add", net.add("Mul", winners, _constant(net, 0.0)), _constant(net, 1.0))
    zeros = net.add("Expand", _constant(net, 0.0), net.add("Shape", flat))
    return _as_planes(net, net.add("ScatterElements", zeros, f"{winners}.1", ones, axis=1))


def _one_winner(net: Network, logits: str) -> str:
    flat = net.add("Flatten", logits)
    winner = net.add("ArgMax", flat, axis=1, keepdims=0)
    depth = net.store(net.shape(flat)[1], "depth", np.int64)
    return _as_planes(net, net.add("OneHot", winner, depth, net.store([0.0, 1.0], "off and on"), axis=-1))


def _prefix(net: Network, logits: str) -> str:
    """The gates of DS-Net: one of four widths, of which the channels are the first so many."""
    flat = net.add("Flatten", logits)
    count = net.shape(flat)[1]
    step = max(1, count // 4)
    winner = net.add("ArgMax", net.add("Slice", flat, *map(net.integers, (0, 4, 1))), axis=1, keepdims=1)
    one = net.store(1, "one", np.int64)
    width = net.add("Mul", net.add("Add", winner, one), net.store(step, "step", np.int64))
    channels = net.store(np.arange(count)[np.newaxis], "channels", np.int64)
    return _as_planes(net, _cast(net, net.add("Less", channels, width)))


DECISIONS: dict[str, Callable[[Network, str], str]] = {
    "not negative": _not_negative,
    "sigmoid above": _sigmoid_above,
    "not below": _not_below,
    "where": _where,
    "sign": _sign,
    "rounded": _rounded,
    "scaled": _scaled,
    "rectified": _rectified,
    "clamped": _clamped,
    "pairwise": _pairwise,
    "arg max": _arg_max,
    "softmax": _softmax,
    "top k values": _top_k_values,
    "top k scattered": _top_k_scattered,
    "one winner": _one_winner,
    "prefix": _prefix,
}
_OF_PAIRS = ("pairwise", "arg max", "softmax")
# A choice among several channels, which one channel alone does not give.
AMONG_CHANNELS = ("top k values", "top k scattered", "one winner", "prefix")


# --- groups: (N, groups, 1, 1) to (N, channels, 1, 1), neighbours together ---


def _expanded(net: Network, mask: str, channels: int) -> str:
    groups = net.shape(mask)[1]
    column = net.add("Reshape", mask, net.integers(0, groups, 1))
    repeated = net.add("Expand", column, net.integers(1, groups, channels // groups))
    return net.add("Reshape", repeated, net.integers(0, channels, 1, 1))


def _gathered(net: Network, mask: str, channels: int) -> str:
    groups = net.shape(mask)[1]
    return net.add("Gather", mask, net.integers(*np.arange(channels) // (channels // groups)), axis=1)


def _tiled(net: Network, mask: str, channels: int) -> str:
    groups = net.shape(mask)[1]
    repeated = net.add("Tile", mask, net.integers(1, 1, channels // groups, 1))
    return net.add("Reshape", repeated, net.integers(0, channels, 1, 1))


GROUPS: dict[str, Callable[[Network, str, int], str]] = {
    "expanded": _expanded,
    "gathered": _gathered,
    "tiled": _tiled,
}


def gate(
    net: Network,
    planes: str,
    channels: int,
    *,
    logits: str = "pointwise",
    decision: str = "not negative",
    groups: int | None = None,
    spread: str = "expanded",
) -> str:
    """Append a gate computed from planes; return its multiplier (N, channels, 1, 1).

    groups: how many decisions; each serves channels / groups neighbours. None: one for each channel.
    """
    decisions = channels if groups is None else groups
    computed = LOGITS[logits](net, planes, decisions * 2 if decision in _OF_PAIRS else decisions)
    mask = DECISIONS[decision](net, computed)
    return mask if decisions == channels else GROUPS[spread](net, mask, channels)


def spatial_gate(net: Network, planes: str, height: int, width: int) -> str:
    """Append the mask of DynConv; return its multiplier (N, 1, height, width)."""
    scale = net.shape(planes)[2] // height
    logits = net.conv(planes, 1, 3, stride=scale)
    assert net.shape(logits)[2:] == (height, width)
    return _not_negative(net, logits)


def any_gate(net: Network, planes: str, channels: int, pick: Callable[[Any], Any]) -> str:
    """Append a gate of a picked kind; see `gate`."""
    divisors = [count for count in (1, 2, 4) if channels % count == 0 and count < channels]
    groups = pick([None, *divisors])
    few = (channels if groups is None else groups) < 4
    decisions = [name for name in DECISIONS if not (few and name in AMONG_CHANNELS)]
    return gate(
        net,
        planes,
        channels,
        logits=pick(list(LOGITS)),
        decision=pick(decisions),
        groups=groups,
        spread=pick(list(GROUPS)),
    )
