"""What the sub-tensor pass writes: where every tensor lies, and what still has to be copied.

Every value has a `View`, but for weights that kernels read as weights, the position `past`, the output of
a linear with a `Split`, and caches of fewer than 16 bits (`Cached`).
"""

from dataclasses import dataclass
from enum import Enum

from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Value
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.ir.shape import Dim, Shape

CACHE_ALIGNMENT = 64  # bytes, of each layer's cache in the arena of its role


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
class StoredAs(Note):
    """On a value, before this pass: its buffer has elements of another type than the graph computes in.

    Values that are views of one another have the same.
    """

    dtype: DType


def stored_dtype(value: Value) -> DType:
    """The element type of a buffer for this value."""
    note = value.notes.get(StoredAs)
    return value.type.dtype if note is None else note.dtype


@dataclass(frozen=True)
class Elided(Note):
    """On a node: its output is a view of what its input, or its consumer, already owns: no work remains.

    `reason` says why, as "a slice of the fused projection".
    """

    reason: str


@dataclass(frozen=True)
class Rows:
    """The outputs begin .. end-1 of a linear, which are the rows of its weight, and where they go."""

    begin: int
    end: int
    view: View


@dataclass(frozen=True)
class Split(Note):
    """On a linear that is read in slices: each slice goes to a place of its own, in order of the rows.

    The whole output lies nowhere then, so its value has no `View`; the slices have theirs.
    """

    parts: tuple[Rows, ...]


@dataclass(frozen=True)
class Cached(Note):
    """On the values that a cache has at entry and at the end of a call: the buffer that it is.

    A 16-bit cache has a `View` of it too. Others are read and written by `kv_attention` alone, as bytes.
    """

    buffer: str


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

    def in_space(self, space: Space) -> tuple[Buffer, ...]:
        """The buffers of one owner, in order."""
        return tuple(b for b in self.buffers if b.space is space)

    def named(self, name: str) -> Buffer:
        """The buffer of that name. Raises KeyError."""
        return {b.name: b for b in self.buffers}[name]

    def cache_offsets(self, space: Space) -> dict[str, int]:
        """Where each cache begins in the arena of `space`, in bytes; "" is the end of it."""
        out, at = {}, 0
        for buffer in self.in_space(space):
            out[buffer.name] = at
            at += -(-int(buffer.size_bytes) // CACHE_ALIGNMENT) * CACHE_ALIGNMENT
        return out | {"": at}
