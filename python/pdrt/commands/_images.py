"""From a picture file to the array a network reads."""

import argparse
from typing import Any

import numpy
from numpy.typing import NDArray

import pdrt
from pdrt.commands._options import parse_sizes

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff")


def add_image(parser: argparse.ArgumentParser) -> None:
    """Adds how a picture becomes numbers."""
    group = parser.add_argument_group("pictures", "pixels are resized, then (pixel / scale - mean) / std per channel")
    group.add_argument("--size", metavar="HxW", help="size of the picture, where the model leaves it free")
    group.add_argument(
        "--fit",
        choices=("stretch", "crop"),
        default="stretch",
        help="stretch the picture to the size, or cut its middle out at its own proportions (default: %(default)s)",
    )
    group.add_argument("--scale", type=float, default=255.0, help="what a pixel is divided by (default: %(default)s)")
    group.add_argument("--mean", metavar="M[,M,M]", default="0", help="subtracted, in the model's channel order")
    group.add_argument("--std", metavar="S[,S,S]", default="1", help="divided by, in the model's channel order")
    group.add_argument("--bgr", action="store_true", help="the model reads blue, green, red")


def load_image(path: str, spec: pdrt.Spec, options: argparse.Namespace) -> NDArray[Any]:
    """Returns the picture as [1, channels, height, width] in the input's dtype.

    Raises:
        pdrt.InputError: the file is no picture, the input cannot take one, or Pillow is not installed.
    """
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise pdrt.InputError(f"{path}: reading a picture needs Pillow: pip install 'pdrt[image]'") from None
    if len(spec.shape) != 4 or spec.shape[1] not in (None, 1, 3) or spec.shape[0] not in (None, 1):
        raise pdrt.InputError(
            f"{path}: input '{spec.name}' is {list(spec.shape)}; a picture needs [1, 1 or 3, height, width]"
        )
    channels = spec.shape[1] or 3
    try:
        with Image.open(path) as file:
            picture = file.convert("RGB" if channels == 3 else "L")
    except UnidentifiedImageError:
        raise pdrt.InputError(f"{path}: not a picture that Pillow knows") from None
    height, width = _target_size(spec, options.size, (picture.height, picture.width))
    box = None
    if options.fit == "crop":
        factor = min(picture.width / width, picture.height / height)
        left, top = (picture.width - width * factor) / 2, (picture.height - height * factor) / 2
        box = (left, top, left + width * factor, top + height * factor)
    pixels = numpy.asarray(picture.resize((width, height), Image.Resampling.BILINEAR, box=box))
    planes = pixels.reshape(height, width, channels).transpose(2, 0, 1)[None]
    if options.bgr:
        planes = planes[:, ::-1]
    if spec.dtype.kind != "f":
        return numpy.asarray(planes, spec.dtype)
    mean, std = (_per_channel(getattr(options, name), channels, f"--{name}") for name in ("mean", "std"))
    return numpy.asarray((planes / options.scale - mean) / std, spec.dtype)


def _target_size(spec: pdrt.Spec, size: str | None, own: tuple[int, int]) -> tuple[int, int]:
    asked: tuple[int | None, ...] = (None, None)
    if size is not None:
        asked = parse_sizes(size, "--size")
        if len(asked) != 2:
            raise pdrt.InputError(f"--size: '{size}' is not a height and a width such as 224x224")
    sizes = []
    for fixed, wanted, fallback in zip(spec.shape[2:], asked, own, strict=True):
        if fixed is not None and wanted is not None and fixed != wanted:
            raise pdrt.InputError(f"--size {size}: input '{spec.name}' is fixed to {list(spec.shape)}")
        sizes.append(fixed or wanted or fallback)
    return sizes[0], sizes[1]


def _per_channel(text: str, channels: int, option: str) -> NDArray[Any]:
    try:
        numbers = [float(number) for number in text.split(",")]
    except ValueError:
        raise pdrt.InputError(
            f"{option}: '{text}' is not a number, or one per channel such as 0.485,0.456,0.406"
        ) from None
    if len(numbers) not in (1, channels) or (option == "--std" and 0.0 in numbers):
        raise pdrt.InputError(f"{option}: '{text}' needs one number, or {channels}, none of them a division by zero")
    return numpy.asarray(numbers).reshape(1, -1, 1, 1)
