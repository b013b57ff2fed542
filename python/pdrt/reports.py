"""What a session says about itself: the counts of a run, and the plan."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from pdrt.text import align, format_bytes, format_count


@dataclass(frozen=True, eq=False)
class LayerCounts:
    """What one convolution or fully connected layer computed, per sample of the batch."""

    name: str
    """The node's name."""
    kernels: int
    """Kernels (output channels) it has."""
    channels: int
    """Input channels it has (of one group)."""
    macs_per_pair: int
    """Multiply-adds of one kernel on one input channel, one sample."""
    active: NDArray[numpy.int64]
    """Kernels computed, shape (N,)."""
    visited: NDArray[numpy.int64]
    """(kernel, input channel) pairs computed, shape (N,)."""


@dataclass(frozen=True)
class StepTime:
    """One step of a profiled run."""

    milliseconds: float
    """Wall clock."""
    macs_executed: int
    """Multiply-adds computed, whole batch; 0 where none are counted."""


@dataclass(frozen=True)
class TraceEvent:
    """Something that happened in a profiled run."""

    track: str
    """"host", the thread that ran, or "device", what its queue carried out."""
    name: str
    """Of the host: "compute", "decide", "enqueue", "wait" and so on; of a device: a program's name, or "read", "write",
    "copy", "fill", "map" and "unmap"."""
    step: int
    """Number of the step in `Explanation.steps`; -1 for none."""
    start_ms: float
    """Since the run began, by the host's clock."""
    end_ms: float


@dataclass(frozen=True, eq=False)
class RunStats:
    """The counts of one run."""

    macs_dense: int
    """Multiply-adds of every kernel on every input channel, whole batch."""
    macs_executed: int
    """Multiply-adds computed."""
    milliseconds: float
    """Wall clock of the run."""
    synchronisations: int
    """On a device: how often the host waited for it in order to go on, beside the wait for the outputs."""
    waiting_milliseconds: float
    """On a device: how long those waits were."""
    enqueue_milliseconds: float
    """On a device: how long the host took to decide and to enqueue."""
    layers: tuple[LayerCounts, ...]
    """The layers whose work is counted, in the order they run."""
    steps: tuple[StepTime, ...] = ()
    """Of a session with `profile=True`: what each step took, in the order of `Explanation.steps`."""
    events: tuple[TraceEvent, ...] = ()
    """Of a session with `profile=True`: what happened when. `pdrt.trace.write` makes a file of it to look at."""
    clock_error_milliseconds: float = 0.0
    """To within how much it is known when the device did what it did."""

    @classmethod
    def from_core(cls, stats: dict[str, Any]) -> "RunStats":
        """Builds it from what the runtime hands over."""
        layers = tuple(LayerCounts(**layer) for layer in stats.pop("layers"))
        steps = tuple(StepTime(**step) for step in stats.pop("steps"))
        events = tuple(TraceEvent(**event) for event in stats.pop("events"))
        return cls(**stats, layers=layers, steps=steps, events=events)

    @property
    def active(self) -> dict[str, NDArray[numpy.int64]]:
        """Kernels computed, by layer name; each an array of shape (N,)."""
        return {layer.name: layer.active for layer in self.layers}

    @property
    def visited(self) -> dict[str, NDArray[numpy.int64]]:
        """(kernel, input channel) pairs computed, by layer name; each an array of shape (N,)."""
        return {layer.name: layer.visited for layer in self.layers}

    @property
    def share(self) -> float:
        """Multiply-adds computed, of those there are: 0 to 1."""
        return self.macs_executed / self.macs_dense if self.macs_dense else 1.0

    @property
    def macs_per_sample(self) -> NDArray[numpy.int64]:
        """Multiply-adds computed for each sample of the batch, shape (N,); of no length where no layer is counted."""
        if not self.layers:
            return numpy.zeros(0, numpy.int64)
        work: NDArray[numpy.int64] = numpy.sum([layer.visited * layer.macs_per_pair for layer in self.layers], axis=0)
        return work

    def to_dict(self) -> dict[str, Any]:
        """Returns the same as lists and numbers, ready for JSON."""
        report = dataclasses.asdict(self)
        for layer in report["layers"]:
            layer["active"] = layer["active"].tolist()
            layer["visited"] = layer["visited"].tolist()
        return report


@dataclass(frozen=True)
class StepReport:
    """One step of a plan."""

    name: str
    """The first node's name."""
    operators: tuple[str, ...]
    """The operators of the nodes fused into this step, in order."""
    implementation: str
    """What runs it."""
    refused: tuple[str, ...]
    """"implementation: why not", in order of preference."""
    macs: int
    """Multiply-adds when nothing is skipped."""
    output: tuple[int, ...]
    """Shape of its first output."""
    switches: tuple[str, ...]
    """Names of the multipliers that can switch it off."""
    notes: tuple[str, ...]
    """What could not be skipped, and why; what runs together; beside a device, whether planes are shared or copied."""
    decided_by: tuple[int, ...]
    """The steps, by number, that compute its switches."""
    launches: tuple[str, ...] = ()
    """On a device, when all is on: "program options global range in local range"."""

    @classmethod
    def from_core(cls, step: dict[str, Any]) -> "StepReport":
        """Builds it from what the runtime hands over."""
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in step.items()
        }
        return cls(**fields)


@dataclass(frozen=True)
class Explanation:
    """A plan: what runs each step, why not something else, and what can be skipped. Prints as a table."""

    device: str
    """For example "cpu (avx512, 2 threads)"."""
    costs: str
    """What ways to compute are chosen by: expected costs, or those that `pdrt tune` measured, and in which file."""
    switches_at: str
    """On a device: where switches are evaluated, and why there; else empty."""
    programs: str
    """On a device: how many programs were built, how many were on disk already, and where; else empty."""
    steps: tuple[StepReport, ...]
    macs: int
    """Multiply-adds when nothing is skipped."""
    arena_bytes: int
    """Buffers, shared between values that do not live at the same time."""
    weight_bytes: int
    """Weights, as stored in the model."""
    packed_bytes: int
    """Weights rearranged when the plan was made."""

    @classmethod
    def from_core(cls, explanation: dict[str, Any]) -> "Explanation":
        """Builds it from what the runtime hands over."""
        steps = tuple(StepReport.from_core(step) for step in explanation.pop("steps"))
        return cls(**explanation, steps=steps)

    @property
    def switches(self) -> tuple[str, ...]:
        """Names of all multipliers that can switch something off, in the order they first act."""
        return tuple(dict.fromkeys(name for step in self.steps for name in step.switches))

    def to_dict(self) -> dict[str, Any]:
        """Returns the same as lists and numbers, ready for JSON."""
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        remarks: dict[str, int] = {}  # each said once, below the table, by number
        rows = []
        for step in self.steps:
            said = (*(f"not {reason}" for reason in step.refused), *step.notes)
            numbers = [remarks.setdefault(text, len(remarks) + 1) for text in said]
            rows.append(
                [
                    step.name,
                    " ".join(step.operators),
                    step.implementation,
                    "x".join(map(str, step.output)) or "scalar",
                    format_count(step.macs) if step.macs else "",
                    " ".join(step.switches),
                    " ".join(f"[{number}]" for number in numbers),
                ]
            )
        header = ["step", "operators", "runs as", "output", "MACs", "switches", "see"]
        lines = align([header, *rows], right=(4,), rule=True)
        lines += [f"[{number}] {text}" for text, number in remarks.items()]
        lines.append(
            f"{self.device}: {len(self.steps)} steps, {format_count(self.macs)} MACs, "
            f"{format_bytes(self.weight_bytes)} of weights ({format_bytes(self.packed_bytes)} rearranged), "
            f"{format_bytes(self.arena_bytes)} of buffers"
        )
        lines.append(f"costs: {self.costs}")
        if self.switches_at:
            lines.append(f"switches: {self.switches_at}")
        if self.programs:
            lines.append(f"programs: {self.programs}")
        return "\n".join(lines)
