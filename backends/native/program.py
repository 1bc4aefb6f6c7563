"""The native program as data: the tables of `docs/native.md`, one class a table.

Indices are those of the file. Numbers that depend on the length of a call are indices of expressions.
"""

from dataclasses import dataclass
from enum import IntEnum

NONE = 0xFFFFFFFF  # an operand or part that is absent
MAGIC = b"\x89OCM\r\n\x1a\n"
VERSION = 1
MAX_STRING_BYTES = 4096
MAX_SECTIONS = 16
MAX_RANK = 8
MAX_STACK = 64  # values on the stack of an expression
PART_ALIGNMENT = 64
WEIGHTS_ALIGNMENT = 4096
SEQ, PAST = "seq", "past"  # symbols that every program has


class Section(IntEnum):
    """Kinds of sections. A reader skips those of `FIRST_PRIVATE` and more."""

    META = 1
    PROGRAM = 2
    WEIGHTS = 3


FIRST_PRIVATE = 100


class Element(IntEnum):
    """Element types of parts and buffers."""

    F32 = 0
    F16 = 1
    I64 = 2
    U8 = 3

    @property
    def itemsize(self) -> int:
        """Bytes of one."""
        return (4, 2, 8, 1)[self]


class ExprOp(IntEnum):
    """Items of a postfix expression."""

    CONST = 0
    SYMBOL = 1
    ADD = 2
    SUB = 3
    MUL = 4
    FLOORDIV = 5
    MAX = 6
    MIN = 7
    REF = 8


class Relation(IntEnum):
    """What a guard asks of its expression."""

    ZERO = 0
    NOT_NEGATIVE = 1
    DIVISIBLE = 2


class WeightKind(IntEnum):
    """How a weight is stored."""

    F32 = 0
    F16 = 1
    AFFINE = 2
    LUT = 3
    E0M4 = 4
    NESTED = 5
    VECTORS = 6


# Names of a kind's parameters and parts, in the order of the file.
PARAMETERS: dict[WeightKind, tuple[str, ...]] = {
    WeightKind.F32: (),
    WeightKind.F16: (),
    WeightKind.AFFINE: ("bits", "group", "symmetric", "zero_bits", "scale_bits", "run"),
    WeightKind.LUT: ("bits", "rows_per_table", "run"),
    WeightKind.E0M4: ("group", "run"),
    WeightKind.NESTED: ("seed_bits", "bits", "rows_per_table", "width"),
    WeightKind.VECTORS: ("bits", "width", "group", "scale_bits"),
}
OUTLIERS = ("counts", "places", "values")
PARTS: dict[WeightKind, tuple[str, ...]] = {
    WeightKind.F32: ("codes",),
    WeightKind.F16: ("codes",),
    WeightKind.AFFINE: ("codes", "scales", "zeros", "supers", *OUTLIERS, "outlier_scales"),
    WeightKind.LUT: ("codes", "table", *OUTLIERS),
    WeightKind.E0M4: ("codes", "scales", "offsets", *OUTLIERS),
    WeightKind.NESTED: ("codes", "table"),
    WeightKind.VECTORS: ("codes", "table", "scales", "supers"),
}


class Space(IntEnum):
    """Who owns the bytes of a buffer."""

    ARENA = 0
    KEYS = 1
    VALUES = 2
    INPUT = 3
    OUTPUT = 4
    CONSTANT = 5


class Role(IntEnum):
    """What a cache holds."""

    KEYS = 0
    VALUES = 1


class OperandKind(IntEnum):
    """What an operand is an index of."""

    NONE = 0
    VIEW = 1
    WEIGHT = 2
    CACHE = 3


class AttributeKind(IntEnum):
    """The type of an attribute."""

    INT = 0
    FLOAT = 1
    EXPR = 2


class Op(IntEnum):
    """Steps."""

    EMBEDDING = 1
    LINEAR = 2
    RMS_NORM = 3
    LAYER_NORM = 4
    ADD_RMS_NORM = 5
    HADAMARD = 6
    ROPE = 7
    KV_WRITE = 8
    ATTENTION = 9
    KV_ATTENTION = 10
    GATED = 11
    UNARY = 12
    BINARY = 13
    SOFTMAX = 14
    ROUTE = 15
    COPY = 16
    REDUCE = 17
    SKIP = 18


# Numbers of `unary` functions and of the activations of `gated`, which are the first few.
UNARY = (
    *("silu", "relu", "gelu", "gelu_tanh", "tanh", "sigmoid", "exp", "log", "sqrt", "rsqrt", "neg"),
    *("abs", "cos", "sin", "erf", "reciprocal", "floor"),
)
BINARY = ("add", "sub", "mul", "div", "pow", "maximum", "minimum")
REDUCE = ("mean", "sum", "max")


@dataclass(frozen=True)
class Sizes:
    """Tokens that can be predicted, tokens that the caches hold, tokens of one call at most."""

    vocabulary: int
    context: int
    max_prefill: int


@dataclass(frozen=True)
class Symbol:
    """A symbol and its inclusive bounds."""

    name: str
    low: int
    high: int


@dataclass(frozen=True)
class Expr:
    """A postfix expression: pairs of op and argument."""

    items: tuple[tuple[ExprOp, int], ...]


@dataclass(frozen=True)
class Guard:
    """What must hold in each call. `text` tells the user."""

    expr: int
    relation: Relation
    argument: int
    text: str


@dataclass(frozen=True)
class Stage:
    """A precision subgraph by name and class."""

    name: str
    precision_class: str


@dataclass(frozen=True)
class Part:
    """Bytes inside the section of weights."""

    offset: int
    size_bytes: int
    dtype: Element


@dataclass(frozen=True)
class Weight:
    """A stored matrix. `parameters` and `parts` are those that `PARAMETERS` and `PARTS` name."""

    name: str
    kind: WeightKind
    rows: int
    columns: int
    parameters: tuple[int, ...] = ()
    parts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Cache:
    """The keys or the values of one layer. offset: bytes inside the arena of its role."""

    name: str
    role: Role
    bits: int
    heads: int
    context: int
    width: int
    group: int
    window: int
    sinks: int
    offset: int


@dataclass(frozen=True)
class Buffer:
    """A parent of views.

    elements: an expression. at, by space: the expression of the offset in bytes (arena), the cache
    (keys, values), the number of the argument (input, output), the part (constant).
    """

    name: str
    space: Space
    dtype: Element
    elements: int
    at: int


@dataclass(frozen=True)
class View:
    """A part of a buffer; offset, shape and strides are expressions that count elements."""

    buffer: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True)
class Operand:
    """An input or output of a step."""

    kind: OperandKind
    index: int


ABSENT = Operand(OperandKind.NONE, NONE)


@dataclass(frozen=True)
class Attribute:
    """A number of a step; of kind EXPR the index of an expression."""

    kind: AttributeKind
    value: int | float


@dataclass(frozen=True)
class Step:
    """One call of a kernel. stage: index into the stages."""

    op: Op
    stage: int
    inputs: tuple[Operand, ...]
    outputs: tuple[Operand, ...]
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True)
class Function:
    """What one call executes, for `seq` from `low` to `high`. arena: expression, bytes."""

    name: str
    low: int
    high: int
    arena: int
    buffers: tuple[Buffer, ...]
    views: tuple[View, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Program:
    """Everything but the bytes of the weights."""

    sizes: Sizes
    symbols: tuple[Symbol, ...]
    expressions: tuple[Expr, ...]
    guards: tuple[Guard, ...]
    stages: tuple[Stage, ...]
    parts: tuple[Part, ...]
    weights: tuple[Weight, ...]
    caches: tuple[Cache, ...]
    functions: tuple[Function, ...]

    @property
    def widths(self) -> tuple[int, ...]:
        """Bits that calls may read nested weights with, the fewest first; none without such weights."""
        nested = [w.parameters[:2] for w in self.weights if w.kind is WeightKind.NESTED]
        least, most = min((n[0] for n in nested), default=1), max((n[1] for n in nested), default=0)
        return tuple(range(least, most + 1))
