"""Options that several commands share, and what they stand for."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

import pdrt
from pdrt import _core
from pdrt.loading import Source

PRECISIONS = ("float32", "float16", "float16-arithmetic")


def add_model(parser: argparse.ArgumentParser) -> None:
    """Adds the model, every command's one positional argument."""
    parser.add_argument("model", metavar="MODEL", help="a .pdrt file, or an .onnx file (needs 'pdrt[onnx]')")


def add_session(parser: argparse.ArgumentParser) -> None:
    """Adds where and how wide to run."""
    parser.add_argument("--device", default="auto", help="where to run: see 'pdrt devices' (default: %(default)s)")
    parser.add_argument("--threads", type=int, metavar="N", help="threads to use (default: all this process may)")
    parser.add_argument(
        "--fallback",
        choices=("error", "cpu"),
        default="error",
        help="nodes that an OpenCL device has no program for: an error, or run on the CPU (default: %(default)s)",
    )
    parser.add_argument(
        "--switches",
        choices=("auto", "cpu", "device"),
        default="auto",
        help="where an OpenCL device's switches are evaluated (default: %(default)s, what is faster)",
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="how an OpenCL device stores planes, and with -arithmetic what it multiplies (default: %(default)s)",
    )


def open_session(options: argparse.Namespace, model: Source, **more: Any) -> pdrt.Session:
    """Returns a session as the options of `add_session` want it; `more` are other options of a session."""
    return pdrt.Session(
        model,
        options.device,
        options.threads,
        fallback=options.fallback,
        switches=options.switches,
        precision=options.precision,
        **more,
    )


def measured_peak(options: argparse.Namespace) -> float:
    """Returns the GFLOP/s that nothing but multiply-adds reaches where a session of these options computes."""
    if options.device.startswith("opencl"):
        return _core.device_peaks(options.device)["gflops"]
    threads = _core.available_threads() if options.threads is None else options.threads
    return _core.measured_fma_peak() * threads


def add_random_inputs(parser: argparse.ArgumentParser) -> None:
    """Adds what to feed a model whose answers do not matter, only its time or its error."""
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="[NAME=]FILE.npy",
        help="an array to feed, by input name where the model has several; may be repeated (default: random numbers)",
    )
    parser.add_argument(
        "--shape",
        action="append",
        default=[],
        metavar="[NAME=]1x3x224x224",
        help="the shape of a random input; may be repeated (default: the model's, its free sizes being 1)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers (default: %(default)s)")


def add_shapes(parser: argparse.ArgumentParser) -> None:
    """Adds the shapes to plan for."""
    parser.add_argument(
        "--shape",
        action="append",
        default=[],
        metavar="[NAME=]1x3x224x224",
        help="the shape of an input; may be repeated (default: the model's, its free sizes being 1)",
    )


def chosen_shapes(options: argparse.Namespace, specs: Sequence[pdrt.Spec]) -> dict[str, tuple[int, ...]]:
    """Returns a shape for every input: of --shape, else of the model.

    Raises:
        pdrt.InputError: naming the option that does not fit the model.
    """
    shapes = by_input_name(options.shape, specs, "--shape")
    return {
        spec.name: parse_sizes(shapes[spec.name], "--shape")
        if spec.name in shapes
        else tuple(size or 1 for size in spec.shape)
        for spec in specs
    }


def print_json(report: dict[str, Any]) -> None:
    """Prints the one object that --json promises."""
    print(json.dumps(report, indent=2))


def by_input_name(settings: Sequence[str], specs: Sequence[pdrt.Spec], option: str) -> dict[str, str]:
    """Returns {"image": "x.npy"} for ["image=x.npy"], and for ["x.npy"] where the model has a single input.

    Raises:
        pdrt.InputError: naming the option, where it names no input of the model or does not say which.
    """
    names = [spec.name for spec in specs]
    chosen: dict[str, str] = {}
    for setting in settings:
        name, equals, value = setting.rpartition("=")
        if not equals:
            if len(names) != 1:
                raise pdrt.InputError(
                    f"{option} {setting}: say for which input, {option} NAME={setting}; {_listed(names)}"
                )
            name = names[0]
        if name not in names:
            raise pdrt.InputError(f"{option} {setting}: the model has no input '{name}'; {_listed(names)}")
        if name in chosen:
            raise pdrt.InputError(f"{option} {setting}: input '{name}' was given before")
        chosen[name] = value
    return chosen


def parse_sizes(text: str, what: str) -> tuple[int, ...]:
    """Returns (1, 3, 224, 224) for "1x3x224x224"; raises pdrt.InputError beginning with `what`."""
    sizes = text.lower().split("x")
    if not all(size.isdecimal() and int(size) > 0 for size in sizes):
        raise pdrt.InputError(f"{what}: '{text}' is not a shape such as 1x3x224x224")
    return tuple(int(size) for size in sizes)


def load_array(path: str) -> NDArray[Any]:
    """Reads a .npy file; raises pdrt.InputError naming it where it holds no plain array."""
    try:
        array = numpy.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise pdrt.InputError(f"{path}: not a .npy array: {error}") from None
    if not isinstance(array, numpy.ndarray):
        raise pdrt.InputError(f"{path}: an archive of several arrays; give a .npy file")
    return array


def chosen_inputs(options: argparse.Namespace, specs: Sequence[pdrt.Spec], seed: int) -> dict[str, NDArray[Any]]:
    """Returns an array for every input: from --input, else random numbers in the shape of --shape, else of the model.

    Raises:
        pdrt.InputError: naming the option that does not fit the model.
    """
    files = by_input_name(options.input, specs, "--input")
    shapes = by_input_name(options.shape, specs, "--shape")
    generator = numpy.random.default_rng(seed)
    arrays: dict[str, NDArray[Any]] = {}
    for spec in specs:
        if spec.name in files:
            if spec.name in shapes:
                raise pdrt.InputError(f"input '{spec.name}' has both --input and --shape; give one of them")
            arrays[spec.name] = load_array(files[spec.name])
        elif spec.name in shapes:
            arrays[spec.name] = random_array(parse_sizes(shapes[spec.name], "--shape"), spec, generator)
        else:
            arrays[spec.name] = random_array(tuple(size or 1 for size in spec.shape), spec, generator)
    return arrays


def random_array(shape: tuple[int, ...], spec: pdrt.Spec, generator: numpy.random.Generator) -> NDArray[Any]:
    """Returns standard normal numbers; 0 to 255 for a uint8 input, 0 and 1 for any other that is not floating."""
    if spec.dtype.kind == "f":
        return generator.standard_normal(shape).astype(spec.dtype)
    return generator.integers(0, 256 if spec.dtype == numpy.uint8 else 2, shape).astype(spec.dtype)


def shape_text(shape: Sequence[int]) -> str:
    """Returns "1x3x224x224", or "scalar"."""
    return "x".join(map(str, shape)) or "scalar"


def file_name(path: str) -> str:
    """Returns the last part of a path."""
    return Path(path).name


def _listed(names: Sequence[str]) -> str:
    return f"the model's inputs: {', '.join(names)}"
