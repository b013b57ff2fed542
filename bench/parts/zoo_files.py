"""The files of one well-known network: dense for every runtime, gated for pdrt; gone when it has been measured."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import pdrt
from peers import RUNTIMES, Array, convert
from results_file import RESULTS
from zoo import build


@dataclass
class Gated:
    """A network with a gate on every layer that can have one."""

    file: Path
    logits: Array
    needed: int


@dataclass
class ZooFiles:
    """One network as the runtimes open it, and what it gives for its image."""

    name: str
    image: Array
    logits: Array
    macs: int
    folder: Path
    dense: dict[str, Path] = field(default_factory=dict)
    """By runtime."""
    gated: dict[float, Gated] = field(default_factory=dict)
    """By the share of kernels that is on."""

    @property
    def image_file(self) -> Path:
        """The image as a .npy file."""
        return self.folder / "image.npy"


@contextmanager
def prepared(name: str, densities: tuple[float, ...], runtimes: Iterable[str] = tuple(RUNTIMES)) -> Iterator[ZooFiles]:
    """Build and convert a network in a folder beside the results (large ones take gigabytes), then remove it."""
    RESULTS.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="files-", dir=RESULTS))
    try:
        dense = build(name)
        files = ZooFiles(name, dense.image, dense.logits, dense.macs, folder)
        np.save(files.image_file, dense.image)
        source = folder / "dense.onnx"
        source.write_bytes(dense.model)
        del dense
        files.dense, problems = convert(source, files.image.shape, folder, runtimes)
        for runtime, problem in problems.items():
            print(f"  {runtime} is left out: {problem}")
        for share in densities:
            net = build(name, share)
            file = folder / f"gated-{share}.pdrt"
            pdrt.convert(net.model, file)
            files.gated[share] = Gated(file, net.logits, net.needed)
        yield files
    finally:
        shutil.rmtree(folder, ignore_errors=True)
