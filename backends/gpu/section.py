"""The section `GPU` as data: the tables of `docs/gpu.md`, one class a table."""

from dataclasses import dataclass, replace
from enum import IntEnum, IntFlag

from optimum_compile.backends.native.program import Expr

KIND = 100  # of the section
VERSION = 2
ALIGNMENT = 256  # bytes, of parts and caches
FIRST = "first"  # the symbol behind those of the program: the first token whose logits are wanted
MOST_PARAMS, MOST_BUFFERS, MOST_CONSTANTS = 64, 12, 64
LEAST_LOCAL, MOST_LOCAL = 32, 256  # threads of a workgroup, a power of two


class BufferKind(IntEnum):
    """What a binding is."""

    ARENA = 0
    CACHE = 1
    PART = 2
    TOKENS = 3
    LOGITS = 4
    NONE = 5


class ParamKind(IntEnum):
    """What a param is."""

    BITS = 0  # of an unsigned number, or of a signed one
    FLOAT = 1
    EXPR = 2


class Flags(IntFlag):
    """Of a dispatch."""

    BARRIER = 1  # it waits for all before it
    LOGITS = 2  # it is left out where no logits are wanted


@dataclass(frozen=True)
class Kernel:
    """A kernel of the runtime by name; crc32: of its interface."""

    name: str
    crc32: int


@dataclass(frozen=True)
class Pipeline:
    """A kernel with its constants, `local_size_x` first."""

    kernel: int
    constants: tuple[int, ...]


@dataclass(frozen=True)
class Bound:
    """A storage buffer. offset, size_bytes: of a part only."""

    kind: BufferKind
    index: int = 0
    offset: int = 0
    size_bytes: int = 0


@dataclass(frozen=True)
class Param:
    """A number of the uniform block: 32 bits, or the index of an expression."""

    kind: ParamKind
    value: int


@dataclass(frozen=True)
class Dispatch:
    """One launch. groups: expressions. buffers and params in the order of the kernel's interface."""

    pipeline: int
    stage: int
    flags: Flags
    groups: tuple[int, int, int]
    buffers: tuple[Bound, ...]
    params: tuple[Param, ...]


@dataclass(frozen=True)
class Change:
    """What a dispatch of a function is at one width: the same buffers for another pipeline of its kernel.

    dispatch: its place in the function. params: those that differ, by their place.
    """

    dispatch: int
    pipeline: int
    groups: tuple[int, int, int]
    params: tuple[tuple[int, Param], ...]

    def of(self, dispatch: Dispatch) -> Dispatch:
        """The dispatch at that width."""
        params = list(dispatch.params)
        for place, param in self.params:
            params[place] = param
        return replace(dispatch, pipeline=self.pipeline, groups=self.groups, params=tuple(params))


@dataclass(frozen=True)
class Launches:
    """One function. optional_head: logits of fewer tokens than all can be asked for.

    dispatches: where a call names no width. changes: by the widths of the section.
    """

    optional_head: bool
    dispatches: tuple[Dispatch, ...]
    changes: tuple[tuple[Change, ...], ...] = ()

    def at(self, index: int) -> tuple[Dispatch, ...]:
        """The dispatches at a width, by its place in the section's `widths`."""
        out = list(self.dispatches)
        for change in self.changes[index]:
            out[change.dispatch] = change.of(out[change.dispatch])
        return tuple(out)


@dataclass(frozen=True)
class GpuSection:
    """Everything that the section holds. widths: of nested weights, without gaps, the fewest bits first."""

    widths: tuple[int, ...]
    kernels: tuple[Kernel, ...]
    expressions: tuple[Expr, ...]
    pipelines: tuple[Pipeline, ...]
    functions: tuple[Launches, ...]
