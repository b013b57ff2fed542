"""The trained network that comes with pdrt: accurate, input dependent, computed as far as its switches say."""

from __future__ import annotations

from importlib import resources
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

import pdrt
from oracle import expected

Array = NDArray[Any]

DATA = resources.files("pdrt") / "data"
# What each 3x3 convolution reads, its LKAM, the pixels it writes, its input channels and kernels.
LAYERS = {
    "conv1": ("image", None, 256, 1, 32),
    "conv2": ("relu1", "lkam2.Cast", 256, 32, 32),
    "conv3": ("switch2", "lkam3.Cast", 256, 32, 48),
    "conv4": ("pool3", "lkam4.Cast", 64, 48, 48),
    "conv5": ("switch4", "lkam5.Cast", 64, 48, 48),
}
# A sum may come out differently by this much in another order of addition, on either side of a switch's threshold.
UNDECIDED = 1e-4
TOLERANCE = 1e-4
FILES = ("digits.onnx", "digits.pdrt")


@pytest.fixture(scope="module")
def heldout() -> tuple[Array, Array]:
    """Return the held-out images (n, 1, 16, 16) and their labels (n,)."""
    with resources.as_file(DATA / "digits_heldout.npz") as path, np.load(path) as arrays:
        return arrays["images"], arrays["labels"]


@pytest.fixture(scope="module")
def network() -> onnx.ModelProto:
    return onnx.load_from_string((DATA / "digits.onnx").read_bytes())


@pytest.fixture(scope="module")
def values(network: onnx.ModelProto, heldout: tuple[Array, Array]) -> dict[str, Array]:
    """Return ONNX Runtime's logits, switches and inputs of convolutions on all held-out images."""
    model = onnx.ModelProto()
    model.CopyFrom(network)
    names = [name for read, switch, *_ in LAYERS.values() for name in (read, switch) if name not in (None, "image")]
    names += [f"lkam{i}.second" for i in (2, 3, 4, 5)]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    return {"image": heldout[0], **expected(model.SerializeToString(), {"image": heldout[0]})}


@pytest.fixture(scope="module")
def decided(values: dict[str, Array]) -> Array:
    """Return the numbers of the images none of whose switches is UNDECIDED: all but a few."""
    margins = [np.abs(values[f"lkam{i}.second"]).min(axis=(1, 2, 3)) for i in (2, 3, 4, 5)]
    numbers = np.flatnonzero(np.min(margins, axis=0) > UNDECIDED)
    assert len(numbers) > 0.98 * len(values["image"])
    return numbers


@pytest.fixture(scope="module")
def on(values: dict[str, Array]) -> dict[str, Array]:
    """Return for each convolution which kernels are on, bool (n, K), by its switches alone."""
    count = len(values["image"])
    return {
        name: np.ones((count, kernels), bool) if switch is None else values[switch].reshape(count, kernels) != 0
        for name, (_, switch, _, _, kernels) in LAYERS.items()
    }


@pytest.fixture(scope="module")
def pairs(values: dict[str, Array], on: dict[str, Array]) -> dict[str, Array]:
    """Return for each convolution its kernels on times its input planes that are not all zero, (n,)."""
    live = {name: (values[read] != 0).any(axis=(2, 3)).sum(axis=1) for name, (read, *_) in LAYERS.items()}
    live["conv1"] = np.ones(len(values["image"]), np.int64)
    return {name: on[name].sum(axis=1) * live[name] for name in LAYERS}


@pytest.mark.parametrize("file", FILES)
def test_accurate_and_equal_to_onnxruntime(
    file: str, heldout: tuple[Array, Array], values: dict[str, Array], decided: Array
) -> None:
    images, labels = heldout
    logits = pdrt.Session((DATA / file).read_bytes()).run({"image": images})["logits"]
    assert np.mean(logits.argmax(axis=1) == labels) >= 0.97
    assert np.abs(logits - values["logits"])[decided].max() <= TOLERANCE


@pytest.mark.parametrize("file", FILES)
def test_executed_macs_are_the_closed_form(
    file: str, heldout: tuple[Array, Array], decided: Array, on: dict[str, Array], pairs: dict[str, Array]
) -> None:
    session = pdrt.Session((DATA / file).read_bytes())
    session.run({"image": heldout[0][decided]})
    stats = session.last_run
    layers = {layer.name: layer for layer in stats.layers}
    executed, dense = np.zeros(len(decided), np.int64), 0
    for name, (_, _, pixels, channels, kernels) in LAYERS.items():
        layer = layers.pop(name)
        assert (layer.kernels, layer.channels, layer.macs_per_pair) == (kernels, channels, 9 * pixels)
        np.testing.assert_array_equal(layer.active, on[name].sum(axis=1)[decided], err_msg=name)
        np.testing.assert_array_equal(layer.visited, pairs[name][decided], err_msg=name)
        executed += pairs[name][decided] * 9 * pixels
        dense += channels * kernels * 9 * pixels
    small = sum(layer.visited * layer.macs_per_pair for layer in layers.values())
    assert stats.macs_executed == (executed + small).sum()
    np.testing.assert_array_equal(stats.macs_per_sample, executed + small)
    assert (small <= 0.01 * dense).all(), "the LKAMs and the classifier are small beside the convolutions"
    share = executed / dense
    assert share.mean() <= 0.60
    assert share.min() < share.mean() - 0.05
    assert share.max() > share.mean() + 0.05
    assert len(np.unique(share)) > len(share) // 2, "different images cost different amounts"


def test_every_gated_convolution_depends_on_the_image(on: dict[str, Array]) -> None:
    for name in ("conv2", "conv3", "conv4", "conv5"):
        use = on[name].mean(axis=0)
        assert np.mean((use > 0) & (use < 1)) > 0.5, name


def test_a_batch_is_its_images(heldout: tuple[Array, Array]) -> None:
    images = heldout[0][:24]
    session = pdrt.Session((DATA / "digits.onnx").read_bytes())
    together = session.run({"image": images})["logits"]
    stats = session.last_run
    for i in range(len(images)):
        alone = session.run({"image": images[i : i + 1]})["logits"]
        np.testing.assert_array_equal(alone[0], together[i])
        assert session.last_run.macs_executed == stats.macs_per_sample[i]
        assert {name: count[0] for name, count in session.last_run.active.items()} == {
            name: count[i] for name, count in stats.active.items()
        }


@pytest.mark.parametrize("number", [0, 7, 100])
def test_what_is_off_is_never_read(
    number: int, network: onnx.ModelProto, heldout: tuple[Array, Array], decided: Array, on: dict[str, Array]
) -> None:
    image = decided[number]
    feeds = {"image": heldout[0][image : image + 1]}
    poisoned = onnx.ModelProto()
    poisoned.CopyFrom(network)
    stored = {tensor.name: tensor for tensor in poisoned.graph.initializer}
    inputs_on = np.ones(1, bool)
    count = 0
    for name in LAYERS:
        kernels_on = on[name][image]
        for part in ("weight", "bias"):
            tensor = stored[f"{name}.{part}"]
            value = numpy_helper.to_array(tensor).copy()
            value[~kernels_on] = np.nan
            if part == "weight":
                value[:, ~inputs_on] = np.nan
            count += int(np.isnan(value).sum())
            tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))
        inputs_on = kernels_on
    assert count > 20_000
    assert np.isnan(expected(poisoned.SerializeToString(), feeds)["logits"]).any(), "the poison works"
    clean = pdrt.Session(network.SerializeToString()).run(feeds)["logits"]
    survived = pdrt.Session(poisoned.SerializeToString()).run(feeds)["logits"]
    assert survived.tobytes() == clean.tobytes()
