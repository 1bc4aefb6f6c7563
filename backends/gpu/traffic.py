"""Dispatches and bytes of one call, counted from the program."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import sympy

from optimum_compile.backends.gpu.decode import read_program
from optimum_compile.backends.gpu.dispatch import Given, Launch, Recorder
from optimum_compile.backends.gpu.frame import Frame
from optimum_compile.backends.gpu.hazards import Hazards
from optimum_compile.backends.gpu.lower import launches_of
from optimum_compile.backends.gpu.outliers import starts_of
from optimum_compile.backends.gpu.section import BufferKind, Flags
from optimum_compile.backends.gpu.weights import stored
from optimum_compile.backends.native.arenas import expressions
from optimum_compile.backends.native.program import NONE, Op, OperandKind, Program, WeightKind
from optimum_compile.compiler.ir.shape import Dim, symbol

ROUNDING = "kv_round"  # rows become codes: work that the bytes of a cache do not stand for


@dataclass(frozen=True)
class Traffic:
    """One call of a function.

    moved_bytes: every operand of every dispatch once, as often as dispatches have it. weight_bytes: weights
    that the call reads, each once (of a table of tokens the rows); kv_bytes: what the cache holds of what
    queries see, and new rows. `kernels` counts dispatches by kernel.
    """

    function: str
    seq: int
    past: int
    dispatches: int
    barriers: int
    moved_bytes: int
    weight_bytes: int
    kv_bytes: int
    kernels: Mapping[str, int]

    @property
    def ratio(self) -> float:
        """Bytes moved over those of weights and cache, which no program can avoid."""
        return self.moved_bytes / (self.weight_bytes + self.kv_bytes)


def traffic(
    program: Program,
    function: int,
    seq: int,
    past: int,
    starts: Mapping[int, int] | None = None,
    width: int = 0,
) -> Traffic:
    """What a call of `seq` tokens behind `past` does, logits of the last token only; starts: see `Frame`.

    width: bits that nested weights are read with, 0 for all of them. Raises UnsupportedError for a
    program that has no dispatches.
    """
    dims = expressions(program)
    frame = Frame(program, program.functions[function], dims, starts)
    frame.width = width
    hazards, recorder = (
        Hazards(frame.ranges, frame.alive),
        Recorder(s.name for s in program.symbols),
    )
    values = {"seq": seq, "past": past, "first": seq - 1 if frame.optional_head else 0}
    kernels: Counter[str] = Counter()
    moved = kv = weights = 0
    seen: set[int] = set()
    for step in frame.function.steps:
        frame.step = step
        for launch in launches_of(frame):
            flags = recorder.add(launch, step.stage, hazards)
            kernels[launch.kernel] += 1
            kernels["barrier"] += Flags.BARRIER in flags
            sizes = {name: _value(g, launch, values) for name, g in launch.buffers.items()}
            moved += sum(sizes.values())
            if launch.kernel != ROUNDING:
                kv += sum(sizes[n] for n, g in launch.buffers.items() if _is_cache(g))
            if step.op is Op.EMBEDDING:
                weights += sum(sizes[n] for n, g in launch.buffers.items() if _is_part(g))
        if step.op is not Op.EMBEDDING:
            held = (o.index for o in step.inputs if o.kind is OperandKind.WEIGHT)
            for index in held:
                if index not in seen:
                    weights += _size(frame, index, seq)
                seen.add(index)
    barriers = kernels.pop("barrier")
    return Traffic(
        *(frame.function.name, seq, past, sum(kernels.values()), barriers),
        *(moved, weights, kv, dict(kernels)),
    )


def describe(path: Path) -> tuple[str, ...]:
    """A line a function and width: dispatches by kernel, and bytes of a call with an empty cache.

    Raises InputError for a file that is damaged.
    """
    program, section, _ = read_program(path)
    starts = starts_of(program, section)
    lines = []
    for at, function in enumerate(program.functions):
        for width in reversed(program.widths or (0,)):
            found = traffic(program, at, function.high, 0, starts, width)
            kernels = ", ".join(f"{count}x {name}" for name, count in found.kernels.items())
            lines.append(
                f"{found.function}, {found.seq} tokens{f' at {width} bits' if width else ''}: "
                f"{found.dispatches} dispatches, {found.barriers} barriers, {found.moved_bytes:,} bytes "
                f"moved, {found.ratio:.3f} of weights and cache: {kernels}"
            )
    return tuple(lines)


def _value(given: Given, launch: Launch, values: Mapping[str, int]) -> int:
    moved: Dim = given.moved
    if launch.logits and given.bound.kind is not BufferKind.PART:
        moved = moved * (values["seq"] - values["first"]) / values["seq"]
    return int(sympy.sympify(moved).subs({symbol(name): n for name, n in values.items()}))


def _is_cache(given: Given) -> bool:
    return given.bound.kind is BufferKind.CACHE


def _is_part(given: Given) -> bool:
    return given.bound.kind is BufferKind.PART


def _size(frame: Frame, index: int, seq: int) -> int:
    """Bytes of a weight that the frame's step reads."""
    program, weight = frame.program, frame.program.weights[index]
    if weight.kind is WeightKind.NESTED:
        held = stored(frame, index)
        return sum(held.nested_bytes(name) for name in held.parts)
    size = sum(program.parts[part].size_bytes for part in weight.parts if part != NONE)
    return size // weight.rows * seq if frame.step.op is Op.ROPE else size
