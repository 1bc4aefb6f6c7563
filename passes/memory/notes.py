"""What the memory pass writes: where every buffer of the arena begins."""

from dataclasses import dataclass

from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.ir.shape import Dim


@dataclass(frozen=True)
class Placed:
    """One buffer of the arena: bytes from `offset`, alive from step `first` to step `last` inclusive."""

    name: str
    offset_bytes: Dim
    size_bytes: Dim
    first: int
    last: int


@dataclass(frozen=True)
class MemoryPlan(Note):
    """On the graph: the arena of one function, valid for every value of its symbols.

    peak_bytes: size of the arena. lower_bound_bytes: the greatest sum of what is alive at one step, one
    expression a step that can be the greatest; its maximum is what no plan can be below.
    """

    placed: tuple[Placed, ...]
    peak_bytes: Dim
    lower_bound_bytes: tuple[Dim, ...]
    alignment_bytes: int = 64
