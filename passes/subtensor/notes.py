"""What the sub-tensor pass writes: where every tensor lies, and what still has to be copied."""

from dataclasses import dataclass
from enum import Enum

from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.ir.shape import Dim, Shape


class Space(Enum):
    """Who owns the bytes of a buffer."""

    ARENA = "arena"  # activations: offsets come from the memory plan, contents last one call
    KEYS = "keys"  # the keys of all layers, from call to call
    VALUES = "values"  # the values of all layers
    INPUT = "input"  # the caller's
    OUTPUT = "output"  # the caller's
    CONSTANT = "constant"  # weights and tables, mapped from the file


@dataclass(frozen=True)
class Buffer:
    """One parent of views. elements: how many numbers of `dtype` it has, an expression."""

    name: str
    space: Space
    dtype: DType
    elements: Dim

    @property
    def size_bytes(self) -> Dim:
        """Bytes, an expression in the graph's symbols."""
        return self.elements * self.dtype.itemsize


@dataclass(frozen=True)
class View(Note):
    """On a value: the part of a buffer that it is.

    offset: of its first element, in elements of the buffer. strides: in elements, one an axis. A stride of 0
    repeats (`expand`). `shape` is that of the value's type.
    """

    buffer: str
    offset: Dim
    shape: Shape
    strides: tuple[Dim, ...]


@dataclass(frozen=True)
class Elided(Note):
    """On a node: its output is a view of what its input, or its consumer, already owns: no work remains.

    `reason` says why, as "a slice of the fused projection".
    """

    reason: str


@dataclass(frozen=True)
class Copy:
    """One movement of numbers that remains although it computes nothing."""

    node: str  # op and origin
    size_bytes: Dim
    reason: str


@dataclass(frozen=True)
class Buffers(Note):
    """On the graph: every buffer, and every copy that remains."""

    buffers: tuple[Buffer, ...]
    copies: tuple[Copy, ...] = ()
