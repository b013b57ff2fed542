"""Trained networks made elsewhere: the same answers as ONNX Runtime, and the accuracy that goes with them.

They lie beside the repository, in ../shared/data, or where PDRT_DATA says.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import pdrt
from oracle import TOLERANCE, assert_equal, expected, onnxruntime_session

DATA = Path(os.environ.get("PDRT_DATA") or Path(__file__).resolve().parent.parent.parent / "shared" / "data")

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not there; PDRT_DATA names the folder of networks"),
]

Array = NDArray[Any]


def picture(name: str, width: int, height: int) -> Array:
    """A photograph as float32 RGB, height x width x 3, 0 to 255."""
    image = Image.open(DATA / name).convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.float32)


def as_planes(pixels: Array) -> Array:
    """One image, height x width x 3, as a batch of planes."""
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[np.newaxis])


@pytest.mark.parametrize("threads", [1, 2])
def test_squeezenet_knows_the_cat(threads: int) -> None:
    blue_green_red = picture("cat.jpg", 227, 227)[..., ::-1] - np.float32([104, 117, 123])
    feeds = {"data": as_planes(blue_green_red)}
    path = DATA / "squeezenet_v1.1.onnx"
    ours = pdrt.Session(path, threads=threads).run(feeds)["prob"][0]
    theirs = expected(path, feeds)["prob"][0]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)

    classes = (DATA / "synset_words.txt").read_text().splitlines()
    best = np.argsort(-ours)[:5]
    names = [classes[index].split(" ", 1)[1].split(",")[0] for index in best]
    assert names == ["kit fox", "tabby", "tiger cat", "Chihuahua", "red fox"]
    np.testing.assert_allclose(ours[best], [0.196, 0.166, 0.147, 0.119, 0.094], rtol=0, atol=1e-3)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("photograph", ["face_1.jpg", "face_13.jpg"])
def test_ultraface_with_its_post_processing(photograph: str, threads: int) -> None:
    feeds = {"input": as_planes((picture(photograph, 320, 240) - 127) / 128)}
    path = DATA / "ultraface_rfb320.onnx"
    ours = pdrt.Session(path, threads=threads).run(feeds)
    assert_equal(ours, expected(path, feeds))
    assert (ours["scores"][0, :, 1] > 0.7).any()  # it sees the face


def cifar10_test() -> tuple[Array, Array]:
    """The 10,000 test images as normalised planes, and their labels."""
    archive = np.load(DATA / "cifar10_jpeg.npz")
    stream, offsets = archive["jpeg"].tobytes(), archive["offsets"]
    chosen = np.flatnonzero(archive["is_test"])
    images = np.empty((len(chosen), 3, 32, 32), np.float32)
    for row, index in enumerate(chosen):
        image = Image.open(io.BytesIO(stream[offsets[index] : offsets[index + 1]])).convert("RGB")
        images[row] = np.asarray(image, dtype=np.float32).transpose(2, 0, 1)
    mean, deviation = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
    return (images / 255 - mean[:, None, None]) / deviation[:, None, None], archive["labels"][chosen]


def test_resnet20_on_the_whole_of_cifar10() -> None:
    """81.03 % on this copy, and every logit that of ONNX Runtime.

    The error of a logit is relative to the largest logit of its image: those are what decides the class.
    """
    images, labels = cifar10_test()
    assert len(images) == 10_000
    path = DATA / "resnet20_cifar10.onnx"
    session, oracle = pdrt.Session(path), onnxruntime_session(path)
    correct = 0
    for first in range(0, len(images), 100):
        batch = images[first : first + 100]
        ours = session.run({"image": batch})["logits"]
        theirs = oracle.run(["logits"], {"image": batch})[0]
        error = np.abs(ours - theirs) / np.abs(theirs).max(axis=1, keepdims=True)
        assert error.max() <= TOLERANCE, f"images {first} and on"
        correct += int((ours.argmax(axis=1) == labels[first : first + 100]).sum())
    assert correct == 8103
