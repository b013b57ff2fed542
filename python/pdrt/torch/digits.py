"""Trains the handwritten-digits network with LKAM switches: ``python -m pdrt.torch.digits --out directory``.

Writes ``digits.onnx``, ``digits.pdrt`` and ``digits_heldout.npz``: the held-out images as the network reads them, and
their labels. One seed gives one file, bit for bit, on one machine.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.nn import functional

import pdrt
from pdrt.torch.digits_network import Digits, DigitsNet, convolution_macs, load_digits
from pdrt.torch.export import export_onnx
from pdrt.torch.lkam import kernel_usage_loss

BATCH = 64
LEARNING_RATE = 2e-3
SHIFT = 1  # pixels an image may move in each direction while training


def train(
    data: Digits, *, epochs: int, gain: float, spread: float, seed: int, quiet: bool = False
) -> tuple[DigitsNet, list[float]]:
    """Trains a new network and returns it with the mean training loss of each epoch (without the cost of kernels).

    The gain is 0 in the first fifth of the epochs, rises linearly to ``gain`` in the next two, then stays: switches
    are first learned, then paid for. Adam, its rate falling to 0 along half a cosine. Each image is seen with another
    ``computation``, uniform in [-spread, spread]: the network learns to do with more and with fewer kernels, and is
    surer of its switches where nothing is added.
    """
    torch.manual_seed(seed)
    network = DigitsNet()
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    steps = (len(data.train_labels) + BATCH - 1) // BATCH
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * steps)
    history: list[float] = []
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=quiet) as progress:
        bar = progress.add_task("training", total=epochs * steps)
        for epoch in range(epochs):
            network.train()
            now = gain * min(max((epoch / epochs - 0.2) / 0.4, 0.0), 1.0)
            total, usage = 0.0, 0.0
            for picked in torch.split(torch.randperm(len(data.train_labels)), BATCH):
                images, labels = _shift(data.train_images[picked]), data.train_labels[picked]
                computation = (2 * torch.rand(len(picked), 1, 1, 1) - 1) * spread
                task = functional.cross_entropy(network(images, computation), labels)
                loss = task + kernel_usage_loss(network, now)
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
                schedule.step()
                total += float(task.detach()) * len(picked)
                usage += sum(float(sw.detach().mean()) for sw in network.switches()) / 4 * len(picked)
                progress.advance(bar)
            history.append(total / len(data.train_labels))
            usage /= len(data.train_labels)
            text = f"epoch {epoch + 1}/{epochs}  loss {history[-1]:.4f}  kernels on {usage:.0%}"
            progress.update(bar, description=text)
    return network.eval(), history


def _shift(images: Tensor) -> Tensor:
    """Moves every image by up to SHIFT pixels in each direction, zeros entering: (N, 1, H, W) to the same."""
    n, _, height, width = images.shape
    padded = functional.pad(images, (SHIFT,) * 4)
    dy, dx = torch.randint(0, 2 * SHIFT + 1, (2, n, 1, 1))
    rows = torch.arange(height).view(1, -1, 1) + dy
    cols = torch.arange(width).view(1, 1, -1) + dx
    return padded[torch.arange(n).view(-1, 1, 1), 0, rows, cols][:, None]


def evaluate(
    network: DigitsNet, images: Tensor, computation: float | None = None
) -> tuple[NDArray[np.float32], list[NDArray[np.bool_]]]:
    """Logits (N, 10) and the switches (N, K) of convolutions 2 to 5, in evaluation mode."""
    network.eval()
    with torch.no_grad():
        logits = network(images, computation).numpy()
    return logits, [sw.numpy() != 0 for sw in network.switches()]


def report(network: DigitsNet, data: Digits) -> None:
    """Prints accuracy and executed multiply-adds on the held-out images, by class, and with fewer or more kernels."""
    labels = data.heldout_labels.numpy()
    logits, switches = evaluate(network, data.heldout_images)
    macs, dense = convolution_macs(switches)
    share = macs / dense
    print(f"held-out images {len(labels)}, accuracy {np.mean(logits.argmax(1) == labels):.2%}")
    spread = f"mean {share.mean():.1%}, min {share.min():.1%}, max {share.max():.1%}"
    print(f"convolution MACs: dense {dense:,}; executed {spread}")
    for i, sw in zip((2, 3, 4, 5), switches, strict=True):
        use = sw.mean(axis=0)
        print(
            f"  conv{i}: {sw.mean():.1%} of {sw.shape[1]} kernels on; always on {np.sum(use == 1)}, "
            f"never {np.sum(use == 0)}, by the image {np.sum((use > 0) & (use < 1))}"
        )
    print("  by class: " + "  ".join(f"{c}: {share[labels == c].mean():.1%}" for c in range(10)))
    for computation in (-2.0, -1.0, 1.0, 2.0):
        other, on = evaluate(network, data.heldout_images, computation)
        accuracy = np.mean(other.argmax(1) == labels)
        executed = np.mean(convolution_macs(on)[0]) / dense
        print(f"  computation {computation:+.0f}: accuracy {accuracy:.2%}, executed {executed:.1%}")


def write(network: nn.Module, data: Digits, out: Path, *, computation_input: bool = False) -> list[Path]:
    """Writes digits.onnx, digits.pdrt and digits_heldout.npz into ``out``; returns their paths in this order.

    With ``computation_input`` the network has a second input of that name, a scalar: see :class:`DigitsNet`.
    """
    out.mkdir(parents=True, exist_ok=True)
    onnx_path, native_path, heldout_path = (out / n for n in ("digits.onnx", "digits.pdrt", "digits_heldout.npz"))
    inputs = {"image": data.heldout_images[:2]}
    if computation_input:
        inputs["computation"] = torch.zeros(())
    export_onnx(network, inputs, onnx_path)
    np.savez_compressed(heldout_path, images=data.heldout_images.numpy(), labels=data.heldout_labels.numpy())
    pdrt.convert(onnx_path, native_path)
    return [onnx_path, native_path, heldout_path]


def compare(network: DigitsNet, data: Digits, onnx_path: Path, native_path: Path) -> None:
    """Runs the written files on the held-out images and prints accuracy, difference from torch and counted work."""
    images, labels = data.heldout_images, data.heldout_labels.numpy()
    logits, switches = evaluate(network, images)
    session = pdrt.Session(native_path)
    results = {"pdrt": session.run({"image": images})["logits"]}
    if importlib.util.find_spec("onnxruntime"):
        runtime = importlib.import_module("onnxruntime")
        oracle = runtime.InferenceSession(str(onnx_path), providers=["CPUExecutionProvider"])
        (results["ONNX Runtime"],) = oracle.run(None, {"image": images.numpy()})
    for name, theirs in results.items():
        accuracy, difference = np.mean(theirs.argmax(1) == labels), np.abs(theirs - logits).max()
        print(f"{name}: accuracy {accuracy:.2%}, logits within {difference:.1e} of torch's")
    layers = [layer for layer in session.last_run.layers if layer.name.startswith("conv")]
    counted = sum(int((layer.visited * layer.macs_per_pair).sum()) for layer in layers)
    by_switches = convolution_macs(switches)[0].sum()
    print(f"convolution MACs: the switches leave {by_switches:,}, pdrt counts {counted:,}")
    print("  (it also leaves out input planes that happen to be zero everywhere)")


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m pdrt.torch.digits", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="directory to write into; made if absent")
    parser.add_argument("--epochs", type=int, default=80, help="passes over the data (default %(default)s)")
    parser.add_argument("--gain", type=float, default=1.0, help="price of kernels: G (default %(default)s)")
    parser.add_argument(
        "--spread", type=float, default=1.0, help="how far `computation` varies while training (default %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of weights and order (default %(default)s)")
    parser.add_argument(
        "--computation-input", action="store_true", help="give the network a scalar input which asks for more or less"
    )
    parser.add_argument(
        "--threads", type=int, default=1, help="of torch; another number may change the last bits (default %(default)s)"
    )
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    torch.use_deterministic_algorithms(True)
    data = load_digits()
    network, _ = train(data, epochs=options.epochs, gain=options.gain, spread=options.spread, seed=options.seed)
    report(network, data)
    written = write(network, data, options.out, computation_input=options.computation_input)
    if not options.computation_input:
        compare(network, data, written[0], written[1])
    for path in written:
        content = path.read_bytes()
        print(f"{path}  {len(content):,} bytes  sha256 {hashlib.sha256(content).hexdigest()[:16]}")


if __name__ == "__main__":
    main()
