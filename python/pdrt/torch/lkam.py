"""LKAM: a small network beside a convolution that decides, per image, which of its kernels are needed.

What is published, and used here (US 11,321,613 B2 and US 12,591,777 B2, claims; arXiv 1701.05221, abstract):

* the module sits between two convolutions, reads the feature maps that enter the second one and returns a vector with
  one number per kernel of that second convolution: on or off;
* it is itself a network of one or two layers, made of NxN convolutions, average or maximum pooling (global or local)
  and a sigmoid, followed by a threshold;
* it is trained by ordinary back-propagation with an added cost proportional to the number of kernels that are on, with
  a gain factor ``G_i`` and the vector's length ``m``: see :func:`kernel_usage_loss`;
* an external parameter may set the amount of computation at inference.

What the publications we could read do not say, and is therefore **our design**: the widths of the layers, the rectifier
between them, the threshold 0.5, the straight-through gradient, the normalisation of what enters the sigmoid, the first
biases, and how the external parameter enters (it is added before the sigmoid).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Pooling = Literal["average", "maximum"]
Gradient = Literal["straight_through", "soft"]


class LKAM(nn.Module):
    """The switches of one convolution, computed from that convolution's input.

    Multiply the result into the convolution's output, behind its activation::

        lkam2 = LKAM(channels=32, kernels=64)
        y = relu(conv2(x)) * lkam2(x)          # x: (N, 32, H, W), lkam2(x): (N, 64, 1, 1)

    Behind a ReLU a kernel that is off leaves zeros, so a runtime need not compute it, nor read it in the next layer.

    In evaluation mode the switches are exactly 0 or 1 (times the sigmoid where ``scaled``). In training mode
    ``gradient`` decides: "straight_through" (the default) computes with 0 and 1 as evaluation does and sends the
    gradient through the sigmoid; "soft" computes with the sigmoid itself, which leaves a gap to close at evaluation.

    Args:
        channels: channels C of the convolution's input.
        kernels: kernels K of the convolution.
        hidden: width of the first of two layers; ``None`` for one layer.
        pooling: "average" or "maximum".
        window: ``None`` pools globally, and the layers see one number per channel. A number pools locally first, over
            windows of that many pixels (rounded up at the border); the first layer then is a convolution on
            what is left, followed by a global pooling of the same kind.
        kernel_size: filter size of the first layer, odd; only with ``window``.
        threshold: a kernel is on where its sigmoid is greater; in (0, 1).
        scaled: multiply by the sigmoid where on, so that switches are 0 or in (threshold, 1).
        gradient: "straight_through" or "soft", see above.
        normalise: batch-normalise what enters the sigmoid. A switch then differs between images from the first step on,
            where without it most become always on or never on. Training needs batches of two or more. Export folds it
            into the last layer, unless a pooling stands between.
        bias: first value of the last bias; positive, so that training starts with most kernels on.

    Raises:
        ValueError: an argument is outside what is said above.
    """

    switches: Tensor | None
    """The on/off vector (N, K) of the last forward pass, before any scaling; differentiable in training mode."""

    def __init__(
        self,
        channels: int,
        kernels: int,
        hidden: int | None = None,
        *,
        pooling: Pooling = "average",
        window: int | None = None,
        kernel_size: int = 1,
        threshold: float = 0.5,
        scaled: bool = False,
        gradient: Gradient = "straight_through",
        normalise: bool = False,
        bias: float = 1.0,
    ) -> None:
        super().__init__()
        if min(channels, kernels, 1 if hidden is None else hidden, 1 if window is None else window) < 1:
            raise ValueError("LKAM: channels, kernels, hidden and window must be at least 1")
        if pooling not in ("average", "maximum"):
            raise ValueError(f"LKAM: pooling must be 'average' or 'maximum', not {pooling!r}")
        if gradient not in ("straight_through", "soft"):
            raise ValueError(f"LKAM: gradient must be 'straight_through' or 'soft', not {gradient!r}")
        if not 0.0 < threshold < 1.0:
            raise ValueError(f"LKAM: threshold must lie between 0 and 1, not {threshold}")
        if kernel_size < 1 or kernel_size % 2 == 0 or (kernel_size > 1 and window is None):
            raise ValueError(f"LKAM: kernel_size must be odd, and 1 without a window, not {kernel_size}")
        self.pooling = pooling
        self.window = window
        self.threshold = threshold
        self.scaled = scaled
        self.gradient = gradient
        width = kernels if hidden is None else hidden
        single = hidden is None
        self.first = nn.Conv2d(channels, width, kernel_size, padding=kernel_size // 2, bias=not (single and normalise))
        self.second = None if single else nn.Conv2d(width, kernels, 1, bias=not normalise)
        self.norm = nn.BatchNorm2d(kernels) if normalise else None
        last = self.norm or self.second or self.first
        assert last.bias is not None
        nn.init.constant_(last.bias, bias)
        self.switches = None

    def forward(self, features: Tensor, computation: float | Tensor | None = None) -> Tensor:
        """The multiplier of the convolution's output.

        Args:
            features: the convolution's input, (N, C, H, W).
            computation: added before the sigmoid: above 0 turns more kernels on, below 0 fewer. A number, or a tensor
                that broadcasts to (N, K, 1, 1).

        Returns:
            (N, K, 1, 1), of the dtype of ``features``.
        """
        logits = self._logits(features)
        if computation is not None:
            logits = logits + computation
        soft = torch.sigmoid(logits)
        switches: Tensor = (soft > self.threshold).to(soft.dtype)
        if self.training:
            # The bracket is exactly zero, so the value stays 0 or 1; only its gradient is the sigmoid's.
            switches = soft if self.gradient == "soft" else switches + (soft - soft.detach())
        if not torch.onnx.is_in_onnx_export():
            self.switches = switches.flatten(1)
        if self.scaled and switches is not soft:
            switches = switches * soft
        return switches

    def _logits(self, features: Tensor) -> Tensor:
        """What the sigmoid is applied to, (N, K, 1, 1)."""
        if self.window is None:
            x = self.first(self._pool_all(features))
        else:
            pool = functional.avg_pool2d if self.pooling == "average" else functional.max_pool2d
            x = self.first(pool(features, self.window, ceil_mode=True))
        if self.second is not None:
            x = torch.relu(x)
        if self.window is not None:
            x = self._pool_all(x)
        if self.second is not None:
            x = self.second(x)
        logits: Tensor = x if self.norm is None else self.norm(x)
        return logits

    def _pool_all(self, x: Tensor) -> Tensor:
        # amax rather than adaptive_max_pool2d, whose export is a pooling with the example's size written into it.
        if self.pooling == "maximum":
            return x.amax((2, 3), keepdim=True)
        pooled: Tensor = functional.adaptive_avg_pool2d(x, 1)
        return pooled

    def extra_repr(self) -> str:
        """What ``print`` shows beside the layers."""
        where = "global" if self.window is None else f"window {self.window}"
        return f"{self.pooling} ({where}), threshold={self.threshold}, {self.gradient}"

    def __getstate__(self) -> dict[str, Any]:
        # The last switches belong to one forward pass, and a tensor with a gradient history cannot be copied.
        return {**self.__dict__, "switches": None}


def lkams(model: nn.Module) -> dict[str, LKAM]:
    """The LKAM modules of a model, by their dotted name, in the order they were registered."""
    return {name: module for name, module in model.named_modules() if isinstance(module, LKAM)}


def _last_switches(model: nn.Module) -> dict[str, Tensor]:
    found = lkams(model)
    if not found:
        raise ValueError("the model has no LKAM module")
    switches: dict[str, Tensor] = {}
    for name, module in found.items():
        if module.switches is None:
            raise ValueError(f"{name}: no switches yet; run the model forward first")
        switches[name] = module.switches
    return switches


def kernel_usage_loss(model: nn.Module, gain: float | Mapping[str, float]) -> Tensor:
    """The added cost of kernels that are on in the last forward pass: add it to the task's loss.

    ``sum over layers i of G_i / (2 m_i) * sum over kernels k of sw_ik``, averaged over the batch, where ``m_i`` is
    the number of kernels of layer i. The term of one layer is that of US 11,321,613 B2, claim 3 (whose fraction
    we read as G_i / (2 m)); the sum over layers and the mean over the batch are our reading.

    Args:
        model: a model with LKAM modules that has run forward in training mode.
        gain: G, one number for all layers or one per LKAM by its dotted name (each must be named).

    Returns:
        A scalar with gradient.

    Raises:
        ValueError: no LKAM, no forward pass yet, or a gain that is missing or names no LKAM.
    """
    switches = _last_switches(model)
    gains = gain if isinstance(gain, Mapping) else dict.fromkeys(switches, gain)
    if set(gains) != set(switches):
        raise ValueError(f"gain names {sorted(gains)}, but the model's LKAM modules are {sorted(switches)}")
    terms = [gains[name] / (2 * sw.shape[1]) * sw.sum(dim=1).mean() for name, sw in switches.items()]
    return torch.stack(terms).sum()


def kernel_usage(model: nn.Module) -> dict[str, float]:
    """Fraction of kernels on in the last forward pass, 0 to 1, per LKAM by its dotted name.

    Raises:
        ValueError: the model has no LKAM, or has not run forward yet.
    """
    return {name: float(sw.detach().mean()) for name, sw in _last_switches(model).items()}
