"""The handwritten-digits network with LKAM switches, its data, and its cost in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pdrt.torch.lkam import LKAM

SIZE = 16  # pixels of the image's side after doubling scikit-learn's 8
HELDOUT_EVERY = 5  # image i of the data set is held out where i % 5 == 4
GATED = (2, 3, 4, 5)  # the convolutions with an LKAM


class Multiply(nn.Module):
    """``a * b``, as a module so that the node of the exported graph has a name."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """``a * b``."""
        return a * b


class DigitsNet(nn.Module):
    """Five 3x3 convolutions on a 16x16 image, an LKAM on every one but the first, ten classes.

    Each is convolution, batch normalisation, ReLU, times switch. The switch multiplies behind the ReLU, so a kernel
    that is off leaves a plane of zeros: neither it nor the taps of the next convolution that read it are needed.
    A 2x2 maximum pooling stands behind convolution 3; a zero plane stays zero through it.

    ``forward`` takes (N, 1, 16, 16), pixels 0 to 1, and returns logits (N, 10).
    """

    widths = (1, 32, 32, 48, 48, 48)  # channels in front of convolution 1, then kernels of convolutions 1 to 5
    pixels = (SIZE * SIZE,) * 3 + (SIZE * SIZE // 4,) * 2  # output pixels of convolutions 1 to 5

    def __init__(self, hidden: int = 16) -> None:
        super().__init__()
        for i in range(1, 6):
            channels, kernels = self.widths[i - 1], self.widths[i]
            if i in GATED:
                self.add_module(f"lkam{i}", LKAM(channels, kernels, hidden, normalise=True))
                self.add_module(f"switch{i}", Multiply())
            self.add_module(f"conv{i}", nn.Conv2d(channels, kernels, 3, padding=1, bias=False))
            self.add_module(f"norm{i}", nn.BatchNorm2d(kernels))
            self.add_module(f"relu{i}", nn.ReLU())
        self.pool3 = nn.MaxPool2d(2)
        self.pool5 = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.classifier = nn.Linear(self.widths[-1], 10)

    def forward(self, image: Tensor, computation: float | Tensor | None = None) -> Tensor:
        """Logits (N, 10). ``computation`` goes to every LKAM: above 0 more kernels are on, below 0 fewer.

        It may be a tensor: one number, or one per image as (N, 1, 1, 1).
        """
        x = image
        for i in range(1, 6):
            part = self.get_submodule
            y = part(f"relu{i}")(part(f"norm{i}")(part(f"conv{i}")(x)))
            x = part(f"switch{i}")(y, part(f"lkam{i}")(x, computation)) if i in GATED else y
            if i == 3:
                x = self.pool3(x)
        logits: Tensor = self.classifier(self.flatten(self.pool5(x)))
        return logits

    def switches(self) -> list[Tensor]:
        """The switches (N, K) of convolutions 2 to 5 in the last forward pass."""
        found = [self.get_submodule(f"lkam{i}").switches for i in GATED]
        if not all(isinstance(sw, Tensor) for sw in found):
            raise ValueError("DigitsNet: no switches yet; run the network forward first")
        return [sw for sw in found if isinstance(sw, Tensor)]


def convolution_macs(switches: list[NDArray[np.bool_]]) -> tuple[NDArray[np.int64], int]:
    """Multiply-adds of the five 3x3 convolutions, counted as kernels on x inputs on x 9 taps x output pixels.

    Taps that fall on the zero border count. The LKAMs and the classifier are not counted (under 1 % of the dense
    network together).

    Args:
        switches: on or off, (N, K) for convolutions 2 to 5 in this order.

    Returns:
        The multiply-adds executed for each image, (N,), and those of one dense image.
    """
    count = len(switches[0])
    on = [np.full(count, 1), np.full(count, DigitsNet.widths[1]), *(np.sum(sw, axis=1) for sw in switches)]
    executed = sum(9 * p * on[i] * on[i + 1] for i, p in enumerate(DigitsNet.pixels))
    dense = sum(9 * p * DigitsNet.widths[i] * DigitsNet.widths[i + 1] for i, p in enumerate(DigitsNet.pixels))
    return np.asarray(executed, dtype=np.int64), dense


@dataclass(frozen=True)
class Digits:
    """scikit-learn's 1797 handwritten digits, doubled to 16x16: images (n, 1, 16, 16) 0 to 1, labels (n,)."""

    train_images: Tensor
    train_labels: Tensor
    heldout_images: Tensor
    heldout_labels: Tensor


def load_digits() -> Digits:
    """Reads the data that scikit-learn carries; every fifth image (number 4, 9, 14, ...) is held out: 359 of 1797."""
    from sklearn import datasets

    raw = datasets.load_digits()
    small = torch.from_numpy(raw.images.astype(np.float32) / 16.0)[:, None]
    images = nn.functional.interpolate(small, size=(SIZE, SIZE), mode="bilinear", align_corners=False)
    labels = torch.from_numpy(raw.target.astype(np.int64))
    held = torch.arange(len(labels)) % HELDOUT_EVERY == HELDOUT_EVERY - 1
    return Digits(images[~held], labels[~held], images[held], labels[held])
