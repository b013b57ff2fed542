"""Writes stored cases for pdrt-check: `python tests/make_cases.py FOLDER [--graphs 60]`.

Every case of the case list, some random gated networks, one on large maps and two wide ones, each as NAME.pdrt with
NAME.safetensors beside it: the inputs, the outputs that ONNX Runtime (or ONNX's reference, where the case says so)
gives, and the tolerance.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx.reference

import graphs
import oracle
from case import Case
from cases import CASES
from network import Network
from oracle import Array
from pdrt import format, onnx_import

NO_GRAPH: dict[str, list[object]] = {"inputs": [], "outputs": [], "nodes": []}


def store(
    folder: Path, name: str, model: bytes, feeds: Mapping[str, Array], outputs: Mapping[str, Array], tolerance: float
) -> None:
    """Write one case."""
    (folder / f"{name}.pdrt").write_bytes(onnx_import.convert(model))
    tensors: dict[str, Array] = {"tolerance": np.array(tolerance)}
    tensors |= {f"input.{key}": array for key, array in feeds.items()}
    tensors |= {f"output.{key}": array for key, array in outputs.items()}
    format.write(folder / f"{name}.safetensors", NO_GRAPH, tensors, producer="tests/make_cases.py")


def answer(case: Case, model: bytes) -> dict[str, Array]:
    """Return what the case's oracle computes."""
    if case.oracle == "onnxruntime":
        return oracle.expected(model, case.feeds())
    evaluator = onnx.reference.ReferenceEvaluator(model)
    with np.errstate(all="ignore"):
        return dict(zip(evaluator.output_names, evaluator.run(None, case.feeds()), strict=True))


def is_storable(case: Case) -> bool:
    """Tell whether a session runs the case: it takes no empty input, and the importer knows no mask of Dropout."""
    return all(array.size for array in case.feeds().values()) and not (case.op == "Dropout" and case.outputs > 1)


def large_maps() -> tuple[bytes, Mapping[str, Array]]:
    """Return a gated inverted residual, on maps that pass it in strips, then planes that are only pooled."""
    net = Network(1, channels=4, size=100)
    mask = net.input("mask", np.arange(24).reshape(1, -1, 1, 1) % 3 > 0)
    expanded = net.add("Mul", net.relu(net.conv(net.image, 24, size=1)), mask)
    behind = net.relu(net.batch_norm(net.conv(expanded, 24, stride=2, groups=24)))
    last = net.relu(net.conv(net.conv(behind, 16, size=1), 32))
    return net.model([net.linear(net.pooled(last), 5)]), net.feeds


def wide_block() -> tuple[bytes, Mapping[str, Array]]:
    """Return a block by Winograd: a convolution with switches, and one without that reads what it leaves on."""
    net = Network(2, channels=32, size=26)
    mask = net.input("mask", np.arange(72).reshape(1, -1, 1, 1) % 5 < 2)
    last = net.conv(net.add("Mul", net.relu(net.conv(net.image, 72)), mask), 40)
    return net.model([net.linear(net.pooled(net.relu(last)), 5)]), net.feeds


def gated_stem() -> tuple[bytes, Mapping[str, Array]]:
    """Return what many networks begin with, a 7x7 convolution of stride 2 and a pool, with switches."""
    net = Network(4, channels=3, size=70)
    mask = net.input("mask", np.arange(24).reshape(1, -1, 1, 1) % 3 > 0)
    planes = net.add("Mul", net.relu(net.conv(net.image, 24, 7, stride=2)), mask)
    pool = net.add("MaxPool", planes, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    return net.model([net.linear(net.pooled(net.conv(pool, 8)), 5)]), net.feeds


def wide_classifier() -> tuple[bytes, Mapping[str, Array]]:
    """Return a fully connected layer whose weights lie by input: behind planes that a switch leaves on."""
    net = Network(3, channels=4, size=13)
    mask = net.input("mask", np.arange(48).reshape(1, -1, 1, 1) % 5 < 2)
    planes = net.add("Mul", net.relu(net.conv(net.image, 48)), mask)
    return net.model([net.linear(net.add("Flatten", planes), 70)]), net.feeds


def main() -> None:
    """Write all cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where to; made if it does not exist")
    parser.add_argument("--graphs", type=int, default=60, help="how many random gated networks (60)")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for old in (*arguments.folder.glob("*.pdrt"), *arguments.folder.glob("*.safetensors")):
        old.unlink()

    cases = [case for case in CASES if is_storable(case)]
    for case in cases:
        model = case.model().SerializeToString()
        store(arguments.folder, str(case), model, case.feeds(), answer(case, model), case.tolerance)
    for seed in range(arguments.graphs):
        rng = np.random.default_rng(seed)
        example = graphs.build(lambda options, rng=rng: options[int(rng.integers(len(options)))], seed)
        outputs = oracle.expected(example.model, example.feeds)
        store(arguments.folder, f"gated-{seed}", example.model, example.feeds, outputs, oracle.TOLERANCE)
    networks = {
        "large-maps": large_maps,
        "wide-block": wide_block,
        "gated-stem": gated_stem,
        "wide-classifier": wide_classifier,
    }
    for name, network in networks.items():
        model, feeds = network()
        store(arguments.folder, name, model, feeds, oracle.expected(model, feeds), oracle.TOLERANCE)
    print(f"{len(cases) + arguments.graphs + len(networks)} cases in {arguments.folder}")


if __name__ == "__main__":
    main()
