"""What the memory pass writes: where every buffer of the arena begins."""

from collections.abc import Mapping
from dataclasses import dataclass

from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.ir.shape import Dim, evaluate


@dataclass(frozen=True)
class Placed:
    """One buffer of the arena: bytes from `offset`, alive from step `first` to step `last` inclusive.

    size_bytes: what is kept free for it: its bytes rounded up to the plan's alignment, so that it may be
    a little more than the buffer needs.
    """

    name: str
    offset_bytes: Dim
    size_bytes: Dim
    first: int
    last: int


@dataclass(frozen=True)
class Scratch(Note):
    """On a node: bytes of the arena that its kernel needs while it runs, beside inputs and outputs."""

    size_bytes: Dim


@dataclass(frozen=True)
class MemoryPlan(Note):
    """On the graph: the arena of one function, valid for every value of its symbols.

    peak_bytes: size of the arena. lower_bound_bytes: the sum of what is alive at one step, before
    rounding, one expression a step that can be the greatest; no plan can be below their maximum.
    """

    placed: tuple[Placed, ...]
    peak_bytes: Dim
    lower_bound_bytes: tuple[Dim, ...]
    alignment_bytes: int = 64

    def peak_at(self, bindings: Mapping[str, int]) -> int:
        """Bytes of the arena for these values of the symbols."""
        return evaluate(self.peak_bytes, bindings)

    def bound_at(self, bindings: Mapping[str, int]) -> int:
        """Bytes that no plan can be below, for these values of the symbols."""
        return max((evaluate(d, bindings) for d in self.lower_bound_bytes), default=0)
