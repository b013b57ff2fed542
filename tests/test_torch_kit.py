"""The training kit: LKAM switches, the cost of kernels, ONNX export, and the digits network's training."""

from __future__ import annotations

import copy
import itertools
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'pdrt[torch]'")
pytest.importorskip("sklearn", reason="scikit-learn is not installed: pip install 'pdrt[torch]'")
pytest.importorskip("rich", reason="rich is not installed: pip install 'pdrt[torch]'")

import pdrt  # noqa: E402
from conftest import REPOSITORY  # noqa: E402
from oracle import assert_equal, expected  # noqa: E402
from pdrt.torch import LKAM, digits, export_onnx, kernel_usage, kernel_usage_loss, lkams  # noqa: E402
from pdrt.torch.digits_network import Digits, DigitsNet, convolution_macs, load_digits  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture(autouse=True)
def reproducible() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(5)


VARIANTS: list[dict[str, Any]] = [
    {"hidden": hidden, "pooling": pooling, "window": window, "kernel_size": size, "scaled": scaled, "normalise": norm}
    for hidden, pooling, (window, size), (scaled, norm) in itertools.product(
        (None, 5), ("average", "maximum"), ((None, 1), (3, 1), (2, 3)), ((False, False), (True, True))
    )
]


def settled(module: torch.nn.Module, features: torch.Tensor) -> torch.nn.Module:
    """Let batch normalisation see the features once, then evaluate."""
    module.train()
    module(features)
    return module.eval()


@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_switches_in_evaluation(options: dict[str, Any], tmp_path: Path) -> None:
    features = torch.randn(6, 7, 9, 11)
    lkam = settled(LKAM(7, 12, **options, bias=0.0), features)
    last = lkam.norm or lkam.second or lkam.first
    with torch.no_grad():
        last.bias -= lkam._logits(features).median()
        multiplier = lkam(features)
    assert multiplier.shape == (6, 12, 1, 1)
    assert multiplier.dtype == features.dtype
    switches = lkam.switches.numpy()
    assert set(np.unique(switches)) == {0.0, 1.0}
    assert ((multiplier.numpy()[:, :, 0, 0] != 0) == (switches == 1)).all()
    if options["scaled"]:
        on = multiplier[multiplier != 0]
        assert on.min() > 0.5
        assert on.max() < 1
    else:
        assert set(multiplier.unique().tolist()) == {0.0, 1.0}
    path = tmp_path / "lkam.onnx"
    export_onnx(lkam, {"features": features[:2]}, path, outputs=["multiplier"])
    assert_equal({"multiplier": multiplier.numpy()}, expected(path, {"features": features.numpy()}))
    operators = {node.op_type for node in onnx.load(path).graph.node}
    assert {"Sigmoid", "Greater", "Cast", "Conv"} <= operators
    assert ("GlobalAveragePool" if options["pooling"] == "average" else "ReduceMax") in operators
    last_is_pooling = options["window"] is not None and options["hidden"] is None
    assert ("BatchNormalization" in operators) == (options["normalise"] and last_is_pooling)


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.9])
def test_threshold_is_compared_with_the_sigmoid(threshold: float) -> None:
    lkam = LKAM(3, 40, threshold=threshold, bias=0.0).eval()
    features = torch.randn(4, 3, 5, 5)
    pooled = features.mean((2, 3))
    sigmoid = torch.sigmoid(pooled @ lkam.first.weight[:, :, 0, 0].T + lkam.first.bias)
    assert torch.equal(lkam(features)[:, :, 0, 0], (sigmoid > threshold).float())


def test_computation_turns_kernels_on_and_off() -> None:
    lkam = LKAM(3, 20, 8).eval()
    features = torch.randn(5, 3, 6, 6)
    counts = [lkam(features, computation).sum().item() for computation in (-50.0, -0.3, 0.0, None, 0.3, 50.0)]
    assert counts[0] == 0
    assert counts[-1] == 5 * 20
    assert counts == sorted(counts)
    assert counts[2] == counts[3]
    each = torch.tensor([-50.0, 50.0, -50.0, 50.0, 50.0]).view(5, 1, 1, 1)
    assert lkam(features, each).sum((1, 2, 3)).tolist() == [0, 20, 0, 20, 20]


def test_straight_through_computes_hard_and_learns_soft() -> None:
    hard, soft = LKAM(4, 9, 6, gradient="straight_through", bias=0.0), LKAM(4, 9, 6, gradient="soft")
    soft.load_state_dict(hard.state_dict())
    features = torch.randn(8, 4, 5, 5)
    weight = torch.randn(8, 9, 1, 1)
    on, sigmoid = hard(features), soft(features)
    assert set(on.unique().tolist()) == {0.0, 1.0}
    assert ((sigmoid > 0) & (sigmoid < 1)).all()
    assert torch.equal(on, (sigmoid > 0.5).float())
    (on * weight).sum().backward()
    (sigmoid * weight).sum().backward()
    for ours, theirs in zip(hard.parameters(), soft.parameters(), strict=True):
        assert ours.grad.abs().max() > 0
        assert torch.allclose(ours.grad, theirs.grad)


class Pair(torch.nn.Module):
    """Two gated layers of different widths."""

    def __init__(self) -> None:
        super().__init__()
        self.a = LKAM(2, 5, bias=0.0)
        self.b = LKAM(2, 8, bias=0.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.a(x).sum() + self.b(x).sum()


def test_kernel_usage_loss_by_hand() -> None:
    model = Pair()
    features = torch.randn(6, 2, 4, 4)
    model(features)
    a, b = (m.switches.detach().numpy() for m in (model.a, model.b))
    by_hand = 0.0
    for image in range(6):
        by_hand += (0.3 / (2 * 5) * a[image].sum() + 0.7 / (2 * 8) * b[image].sum()) / 6
    loss = kernel_usage_loss(model, {"a": 0.3, "b": 0.7})
    assert loss.item() == pytest.approx(by_hand, rel=1e-6)
    assert kernel_usage_loss(model, 0.4).item() == pytest.approx(0.2 * (a.mean() + b.mean()), rel=1e-6)
    assert kernel_usage(model) == pytest.approx({"a": a.mean(), "b": b.mean()})
    loss.backward()
    assert (model.a.first.bias.grad > 0).all(), "descending must turn kernels off"
    assert (model.b.first.bias.grad > 0).all(), "descending must turn kernels off"


def test_kernel_usage_loss_refuses() -> None:
    with pytest.raises(ValueError, match="no LKAM"):
        kernel_usage_loss(torch.nn.Linear(2, 2), 1.0)
    model = Pair()
    with pytest.raises(ValueError, match="a: no switches yet"):
        kernel_usage_loss(model, 1.0)
    model(torch.randn(2, 2, 4, 4))
    with pytest.raises(ValueError, match=r"\['a', 'c'\]"):
        kernel_usage_loss(model, {"a": 1.0, "c": 1.0})


def test_a_model_that_has_run_can_be_copied() -> None:
    model = Pair()
    features = torch.randn(2, 2, 4, 4)
    twin = copy.deepcopy(model)
    before = model(features)
    twin_after = copy.deepcopy(model)
    assert torch.equal(twin(features), before)
    assert list(lkams(twin_after)) == ["a", "b"]
    assert twin_after.a.switches is None


@pytest.mark.parametrize(
    "options",
    [
        {"hidden": 0},
        {"window": 0},
        {"pooling": "median"},
        {"gradient": "hard"},
        {"threshold": 1.0},
        {"threshold": 0.0},
        {"kernel_size": 3},
        {"kernel_size": 2, "window": 2},
    ],
    ids=str,
)
def test_bad_arguments_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="LKAM"):
        LKAM(4, 4, **options)


def test_closed_form_of_the_digits_network() -> None:
    widths = [1, 32, 32, 48, 48, 48]
    dense = sum(9 * pixels * widths[i] * widths[i + 1] for i, pixels in enumerate((256, 256, 256, 64, 64)))
    everything = [np.ones((1, k), bool) for k in widths[2:]]
    assert convolution_macs(everything)[0].tolist() == [dense]
    assert convolution_macs(everything)[1] == dense
    few = [np.arange(k)[None] < on for k, on in zip(widths[2:], (5, 7, 11, 13), strict=True)]
    executed = 9 * (256 * 32 + 256 * 32 * 5 + 256 * 5 * 7 + 64 * 7 * 11 + 64 * 11 * 13)
    assert convolution_macs(few)[0].tolist() == [executed]


@pytest.fixture(scope="module")
def data() -> Digits:
    return load_digits()


def test_heldout_images_are_not_trained_on(data: Digits) -> None:
    assert len(data.train_labels) == 1438
    assert len(data.heldout_labels) == 359
    assert data.heldout_images.shape == (359, 1, 16, 16)
    assert data.heldout_images.dtype == torch.float32
    assert data.heldout_images.min() >= 0
    assert data.heldout_images.max() <= 1
    trained = {image.numpy().tobytes() for image in data.train_images}
    assert not trained & {image.numpy().tobytes() for image in data.heldout_images}


def test_two_epochs_learn_and_export(data: Digits, tmp_path: Path) -> None:
    network, losses = digits.train(data, epochs=2, gain=1.0, spread=1.0, seed=3, quiet=True)
    assert losses[1] < losses[0]
    onnx_path, _, heldout_path = digits.write(network, data, tmp_path)
    with np.load(heldout_path) as heldout:
        images = heldout["images"]
        assert (heldout["labels"] == data.heldout_labels.numpy()).all()
    logits, _ = digits.evaluate(network, torch.from_numpy(images))
    assert_equal({"logits": logits}, expected(onnx_path, {"image": images}))
    names = [node.name for node in onnx.load(onnx_path).graph.node]
    assert len(set(names)) == len(names)
    for i in (2, 3, 4, 5):
        chain = [
            f"lkam{i}.{part}" for part in ("GlobalAveragePool", "first", "Relu", "second", "Sigmoid", "Greater", "Cast")
        ]
        assert {f"conv{i}", f"relu{i}", f"switch{i}", *chain} <= set(names)


def test_computation_can_be_an_input_of_the_file(data: Digits, tmp_path: Path) -> None:
    network = settled(DigitsNet(), data.train_images[:64])
    path = digits.write(network, data, tmp_path, computation_input=True)[0]
    images = data.heldout_images[:5]
    for computation in (-0.5, 0.0, 0.5):
        logits, _ = digits.evaluate(network, images, computation)
        feeds = {"image": images.numpy(), "computation": np.float32(computation)}
        assert_equal({"logits": logits}, expected(path, {name: np.asarray(value) for name, value in feeds.items()}))


def test_one_seed_gives_one_file(data: Digits, tmp_path: Path) -> None:
    some = Digits(data.train_images[:192], data.train_labels[:192], data.heldout_images, data.heldout_labels)
    contents = []
    for seed, folder in ((7, "a"), (7, "b"), (8, "c")):
        network, _ = digits.train(some, epochs=1, gain=1.0, spread=1.0, seed=seed, quiet=True)
        contents.append([path.read_bytes() for path in digits.write(network, some, tmp_path / folder)])
    assert contents[0] == contents[1]
    assert contents[0][0] != contents[2][0]


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digits.main(["--epochs", "1", "--seed", "2", "--out", str(tmp_path / "new")])
    printed = capsys.readouterr().out
    assert "held-out images 359" in printed
    assert {"digits.onnx", "digits.pdrt", "digits_heldout.npz"} == {path.name for path in (tmp_path / "new").iterdir()}
    with pytest.raises(SystemExit) as refusal:
        digits.main(["--epochs", "1"])
    assert refusal.value.code == 2
    assert "--out" in capsys.readouterr().err


def test_example_of_the_training_page(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "training.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"\{'lkam2': [01]\.\d+\}\n", done.stdout)
    session = pdrt.Session(tmp_path / "net.onnx")
    feeds = {"image": np.random.default_rng(1).random((3, 3, 32, 32), np.float32)}
    assert_equal(session.run(feeds), expected(tmp_path / "net.onnx", feeds))
    (step,) = [step for step in session.explain().steps if step.name == "conv2"]
    assert step.switches
