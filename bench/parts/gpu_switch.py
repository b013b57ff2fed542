"""What deciding costs: a network as small as can be, with one switch and without."""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import pdrt
from context import Bench
from measure import rounds

Row = dict[str, Any]
CHANNELS, SIZE = 16, 8


def network(switch: bool) -> bytes:
    """Return `x` -> 1x1 convolution -> 1x1 convolution, times a switch made from what it reads -> global mean `y`."""
    random = np.random.default_rng(1)
    shape = (CHANNELS, CHANNELS, 1, 1)
    names = ("first", "gate", "second") if switch else ("first", "second")
    weights = [numpy_helper.from_array(random.standard_normal(shape).astype("f4"), f"{name}.w") for name in names]
    nodes = [helper.make_node("Conv", ["x", "first.w"], ["a"], "first")]
    if switch:
        weights.append(numpy_helper.from_array(np.zeros((), np.float32), "threshold"))
        nodes += [
            helper.make_node("GlobalAveragePool", ["a"], ["pooled"], "pool"),
            helper.make_node("Conv", ["pooled", "gate.w"], ["score"], "gate"),
            helper.make_node("Greater", ["score", "threshold"], ["above"], "above"),
            helper.make_node("Cast", ["above"], ["on"], "switch", to=TensorProto.FLOAT),
        ]
    nodes.append(helper.make_node("Conv", ["a", "second.w"], ["b"], "second"))
    if switch:
        nodes.append(helper.make_node("Mul", ["b", "on"], ["c"], "masked"))
    nodes.append(helper.make_node("GlobalAveragePool", ["c" if switch else "b"], ["y"], "mean"))
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, CHANNELS, SIZE, SIZE])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, CHANNELS, 1, 1])
    graph = helper.make_graph(nodes, "switch", [given], [result], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def measure(bench: Bench, device: str) -> Row:
    """Return microseconds of each, medians of calls that take turns."""
    x = {"x": np.random.default_rng(2).standard_normal((1, CHANNELS, SIZE, SIZE), np.float32)}
    sessions = {"without": pdrt.Session(network(False), device=device)}
    for where in ("cpu", "device"):
        sessions[f"switch at {where}"] = pdrt.Session(network(True), device=device, switches=where)
    contenders = {name: lambda session=session: session.run(x) for name, session in sessions.items()}
    calls = rounds(contenders, bench.seconds / 2, 0, unmeasured=3, measured=10, least=50)
    return {"us": {name: 1000 * statistics.median(times) for name, times in calls.items()}}


def table(bench: Bench) -> list[Row]:
    rows = []
    for row in bench.results.rows("gpu switch"):
        times = row["us"]
        for name, time in times.items():
            more = time - times["without"] if name != "without" else "-"
            rows.append({"network": name, "us": time, "more than without (us)": more})
    return rows
