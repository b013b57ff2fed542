"""Small models in pdrt's own format, written without ONNX, whose counts are known in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pdrt import format

CHANNELS, SIZE, KERNELS, CLASSES = 3, 12, 8, 5


def node(name: str, op: str, inputs: list[str], **attributes: Any) -> dict[str, Any]:
    """Return a node with one output, called as the node is."""
    return {"name": name, "op": op, "inputs": inputs, "outputs": [name], "attributes": attributes}


def model(
    inputs: dict[str, tuple[str, list[Any]]],
    outputs: list[str],
    nodes: list[dict[str, Any]],
    tensors: dict[str, NDArray[Any]] | None = None,
) -> bytes:
    """Return a .pdrt file; inputs are {name: (dtype, shape)}."""
    declared = [{"name": name, "dtype": dtype, "shape": shape} for name, (dtype, shape) in inputs.items()]
    graph = {"inputs": declared, "outputs": outputs, "nodes": nodes}
    return format.write(None, graph, tensors or {}, producer="tests")


def gate_weights() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return weights [KERNELS, CHANNELS] and thresholds [KERNELS] of the gate in `gated`."""
    rng = np.random.default_rng(7)
    return rng.standard_normal((KERNELS, CHANNELS)).astype("f4"), np.linspace(-0.2, 0.2, KERNELS).astype("f4")


def gated() -> bytes:
    """Return image [N, 3, 12, 12] -> first -> second, times a switch read from the image -> third -> scores [N, 5].

    Kernel k of `second` is on where `gate_weights` row k times the image's channel means exceeds threshold k.
    """
    rng = np.random.default_rng(3)
    weights, thresholds = gate_weights()
    same = {"pads": [1, 1, 1, 1]}
    nodes = [
        node("first", "Conv", ["image", "first.w", "first.b"], **same),
        node("first_relu", "Relu", ["first"]),
        node("means", "GlobalAveragePool", ["image"]),
        node("gate", "Conv", ["means", "gate.w"]),
        node("on", "Greater", ["gate", "thresholds"]),
        node("switch", "Cast", ["on"], to=1),
        node("second", "Conv", ["first_relu", "second.w", "second.b"], **same),
        node("second_relu", "Relu", ["second"]),
        node("masked", "Mul", ["second_relu", "switch"]),
        node("third", "Conv", ["masked", "third.w"]),
        node("pooled", "GlobalAveragePool", ["third"]),
        node("scores", "Flatten", ["pooled"]),
    ]
    tensors = {
        "first.w": rng.standard_normal((4, CHANNELS, 3, 3)).astype("f4"),
        "first.b": np.full(4, 2, "f4"),
        "gate.w": weights.reshape(KERNELS, CHANNELS, 1, 1),
        "thresholds": thresholds.reshape(1, KERNELS, 1, 1),
        "second.w": rng.standard_normal((KERNELS, 4, 3, 3)).astype("f4"),
        "second.b": np.full(KERNELS, 20, "f4"),  # so that no plane is zero but by the switch
        "third.w": rng.standard_normal((CLASSES, KERNELS, 1, 1)).astype("f4"),
    }
    return model({"image": ("float32", ["N", CHANNELS, SIZE, SIZE])}, ["scores"], nodes, tensors)


def helped() -> bytes:
    """Return image [N, 3, 12, 12] -> first -> Erf, which no device has a program for -> last -> scores [N, 5]."""
    rng = np.random.default_rng(5)
    nodes = [
        node("first", "Conv", ["image", "first.w"]),
        node("erf", "Erf", ["first"]),
        node("last", "Conv", ["erf", "last.w"]),
        node("pooled", "GlobalAveragePool", ["last"]),
        node("scores", "Flatten", ["pooled"]),
    ]
    tensors = {
        "first.w": rng.standard_normal((4, CHANNELS, 3, 3)).astype("f4"),
        "last.w": rng.standard_normal((CLASSES, 4, 1, 1)).astype("f4"),
    }
    return model({"image": ("float32", ["N", CHANNELS, SIZE, SIZE])}, ["scores"], nodes, tensors)


def images(count: int, seed: int = 0) -> NDArray[np.float32]:
    """Return images for `gated`, each channel of each with a brightness of its own."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((count, CHANNELS, SIZE, SIZE))
    return (noise + rng.standard_normal((count, CHANNELS, 1, 1))).astype("f4")


def kernels_on(batch: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return how many kernels of `second` are on for each image, (N,)."""
    weights, thresholds = gate_weights()
    means = batch.astype("f8").mean(axis=(2, 3))
    return np.sum(means @ weights.T.astype("f8") > thresholds, axis=1)
