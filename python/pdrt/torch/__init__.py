"""The training kit: LKAM switches for torch networks, their cost term, and ONNX export. Needs the ``torch`` extra.

``python -m pdrt.torch.digits --help`` trains a small network with it. See docs/training.md.
"""

from pdrt.torch.export import export_onnx
from pdrt.torch.lkam import LKAM, kernel_usage, kernel_usage_loss, lkams

__all__ = ["LKAM", "export_onnx", "kernel_usage", "kernel_usage_loss", "lkams"]
