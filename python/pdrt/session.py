"""The session: a model planned for one device, ready to run."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from numpy.typing import NDArray

from pdrt import _core
from pdrt._core import InputError, Model, Spec
from pdrt.arrays import are_arrays, as_arrays
from pdrt.loading import Source, load_for
from pdrt.opencl_arrays import Place, core_array, is_of_pyopencl, new_outputs, place_of
from pdrt.reports import Explanation, RunStats


class Session:
    """A model, planned for one device, with its buffers and threads.

    Args:
        model: a path ending in .pdrt or .onnx, the bytes of either, or a `pdrt.Model`.
        device: "auto" (the CPU), "cpu", "opencl" (the best OpenCL device that works), "opencl:1" (one of several, as
            `devices` numbers them), or "reference" (every operator as plainly as it is specified: slow, to compare
            with). Or a `pyopencl.Context` of one device, or a `pyopencl.CommandQueue`, to run there. A device that
            cannot be had is an error, never replaced by another.
        threads: how many threads a run may use; None for as many as this process is allowed. Two whose caches lie apart
            share only steps that gain from it; results are the same.
        outputs: names of the values to return, any of the graph's; None for the model's outputs.
        cache_dir: where results that depend on the machine are kept.
        fallback: what becomes of nodes that an OpenCL device has no program for: "error", or "cpu" to run them there;
            `explain` tells which.
        switches: where an OpenCL device's switches are evaluated: "cpu", where the host waits for pooled numbers and
            enqueues only what is active; "device", where nobody waits, but the host does not know what is active;
            "auto": whichever is faster with this model on noise, measured when it is opened.
        precision: how an OpenCL device stores planes: "float32", or "float16", which halves their memory and rounds
            every stored number to 11 bits, while sums are float32. "float16-arithmetic": convolutions multiply halves,
            too, and add a few of them at a time as halves; for devices with the extension cl_khr_fp16.
        skip: False computes every kernel and multiplies afterwards, to see what skipping gives.
        profile: True times every step of every run: `last_run.steps`.

    Raises:
        ModelError: the model cannot be accepted.
        InputError: an option cannot be accepted.
        DeviceError: the device cannot be had.
    """

    __slots__ = ("_core", "_dtypes", "_queue", "model")

    model: Model
    """The model this session runs."""

    def __init__(
        self,
        model: Source,
        device: Any = "auto",
        threads: int | None = None,
        outputs: Sequence[str] | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        *,
        fallback: Literal["error", "cpu"] = "error",
        switches: Literal["auto", "cpu", "device"] = "auto",
        precision: Literal["float32", "float16", "float16-arithmetic"] = "float32",
        skip: bool = True,
        profile: bool = False,
    ) -> None:
        place = Place()
        self._queue: Any = None
        if is_of_pyopencl(device):
            place, self._queue, device = place_of(device), device, "opencl"
        elif not isinstance(device, str):
            raise InputError(f"device is a name such as 'auto' or 'cpu', or one of pyopencl's, not {device!r}")
        names = _output_names(outputs)
        self.model = load_for(model, names or None)
        self._core = _core.Session(
            self.model,
            device=device,
            threads=_thread_count(threads),
            outputs=names,
            cache_dir="" if cache_dir is None else os.fspath(cache_dir),
            fallback=fallback,
            switches=switches,
            precision=precision,
            skip=bool(skip),
            profile=bool(profile),
            context=place.context,
            device_id=place.device_id,
            queue=place.queue,
        )
        self._dtypes = {spec.name: spec.dtype for spec in self._core.inputs}

    @property
    def inputs(self) -> tuple[Spec, ...]:
        """What `run` takes, in the model's order. A size of None is free: each run's arrays fix it."""
        return self._core.inputs

    @property
    def outputs(self) -> tuple[Spec, ...]:
        """What `run` returns, in order."""
        return self._core.outputs

    def run(
        self, inputs: Mapping[str, Any], *, out: Mapping[str, Any] | None = None, check_finite: bool = True
    ) -> dict[str, Any]:
        """Runs the model once.

        Arrays may have any strides, negative ones too, and are read where they are; so are tensors that speak DLPack
        (`torch.Tensor`, for one) in CPU memory. Outputs are new arrays. Safe to call from several threads at once: the
        interpreter lock is released while the model runs.

        A session on an OpenCL device also takes each input as a `pyopencl.array.Array` (with any strides that are not
        negative) or a `pyopencl.Buffer` of its context, where it is read without a copy. Then, or where `out` is given,
        outputs stay on the device, too; they are complete when this returns.

        Args:
            inputs: an array for every input, by name, of exactly its dtype and shape (any size where that is free).
            out: arrays of pyopencl to write outputs to, by name; the others are new.
            check_finite: refuse inputs that hold a NaN or an infinity. One pass over each input; False leaves it out,
                and inputs on a device are never looked through.

        Returns:
            An array for every output, by name: of numpy, or of pyopencl where an input was.

        Raises:
            InputError: naming the input, what it is and what was expected.
        """
        if out is None and are_arrays(inputs, self._dtypes):
            return self._core.run(inputs, check_finite=check_finite)
        if out is not None or (isinstance(inputs, Mapping) and any(map(is_of_pyopencl, inputs.values()))):
            return self._run_on_device(inputs, out or {}, check_finite)
        return self._core.run(as_arrays(inputs, self._dtypes), check_finite=check_finite)

    def _run_on_device(self, inputs: Mapping[str, Any], out: Mapping[str, Any], check_finite: bool) -> dict[str, Any]:
        there = {name: value for name, value in inputs.items() if is_of_pyopencl(value)}
        here = {name: value for name, value in inputs.items() if name not in there}
        arrays = as_arrays(here, self._dtypes)
        for kind, named, specs in (("input", there, self.inputs), ("output", out, self.outputs)):
            names = [spec.name for spec in specs]
            if unknown := [name for name in named if name not in names]:
                raise InputError(f"the model has no {kind} '{unknown[0]}'; its {kind}s: {', '.join(names)}")
        given: list[_core.DeviceArray | NDArray[Any]] = []
        for spec in self.inputs:
            if spec.name in there:
                given.append(core_array(there[spec.name], spec, f"input '{spec.name}'"))
            elif spec.name in arrays:
                given.append(arrays[spec.name])
            else:
                raise InputError(f"input '{spec.name}' is missing")
        shapes = [list(array.shape) for array in given]
        queue = next((value.queue for value in there.values() if getattr(value, "queue", None)), self._queue)
        outputs = new_outputs(queue, self._core.output_shapes(shapes), self.outputs, out)
        to = [core_array(outputs[spec.name], spec, f"output '{spec.name}'") for spec in self.outputs]
        self._core.run_into(given, to, check_finite=check_finite)
        return outputs

    @property
    def last_run(self) -> RunStats:
        """Statistics of the run that finished last; all zero and without layers before the first."""
        return RunStats.from_core(self._core.last_run())

    def explain(self, shapes: Mapping[str, Sequence[int]] | None = None) -> Explanation:
        """Returns the plan: per step what runs it, why not the others, its multiply-adds and what can switch it off.

        Args:
            shapes: a shape for every input, by name; without it, free sizes count as 1.

        Raises:
            InputError: an input is missing, unknown or cannot have that shape.
        """
        if shapes is None:
            return Explanation.from_core(self._core.explain([]))
        names = [spec.name for spec in self.inputs]
        if set(shapes) != set(names):
            raise InputError(f"explain() takes a shape for each of {names}, not for {list(shapes)}")
        return Explanation.from_core(self._core.explain([[int(size) for size in shapes[name]] for name in names]))

    def __repr__(self) -> str:
        inputs = ", ".join(format_spec(spec) for spec in self.inputs)
        outputs = ", ".join(format_spec(spec) for spec in self.outputs)
        return f"<pdrt.Session {inputs} -> {outputs}>"


def format_spec(spec: Spec) -> str:
    """Returns e.g. "image float32 [?, 3, 224, 224]"; a question mark is a free size."""
    sizes = ", ".join("?" if size is None else str(size) for size in spec.shape)
    return f"{spec.name} {spec.dtype} [{sizes}]"


def _thread_count(threads: int | None) -> int:
    if threads is None:
        return 0
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise InputError(f"threads is a number of 1 or more, or None for as many as allowed; not {threads!r}")
    return threads


def _output_names(outputs: Sequence[str] | None) -> list[str]:
    if outputs is None:
        return []
    if isinstance(outputs, str) or not all(isinstance(name, str) for name in outputs):
        raise InputError(f"outputs is a list of names, not {outputs!r}")
    if not outputs:
        raise InputError("outputs is empty; name at least one value, or leave it out for the model's outputs")
    return list(outputs)
