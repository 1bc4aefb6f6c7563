"""The section `GPU` as data: the tables of `docs/gpu.md`, one class a table."""

from dataclasses import dataclass
from enum import IntEnum, IntFlag

from optimum_compile.backends.native.program import Expr

KIND = 100  # of the section
VERSION = 1
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
class Launches:
    """One function. optional_head: logits of fewer tokens than all can be asked for."""

    optional_head: bool
    dispatches: tuple[Dispatch, ...]


@dataclass(frozen=True)
class GpuSection:
    """Everything that the section holds."""

    kernels: tuple[Kernel, ...]
    expressions: tuple[Expr, ...]
    pipelines: tuple[Pipeline, ...]
    functions: tuple[Launches, ...]
