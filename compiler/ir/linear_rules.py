"""Types of linears and of the fused ops, as `ops` has them in its table."""

from collections.abc import Mapping

from optimum_compile.compiler.ir.graph import Attr
from optimum_compile.compiler.ir.rules import ShapeError, Types, need
from optimum_compile.compiler.ir.types import TensorType

# What `gated` applies to the gate.
ACTIVATIONS = ("silu", "gelu", "gelu_tanh", "relu", "sigmoid", "tanh")
# Ops that only `passes.fuse` makes: planned programs have them, exported ones do not.
FUSED_OPS = frozenset({"linears", "linear_add", "gated", "add_rms_norm", "rope_table"})


def linear(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    """X (.., columns), weight (rows, columns)."""
    x, w = need(types, 0), need(types, 1)
    if x.shape[-1] != w.shape[1]:
        raise ShapeError(f"linear: x has {x.shape[-1]} columns, the weight {w.shape[1]}")
    return (TensorType(x.dtype, (*x.shape[:-1], w.shape[0])),)


def linears(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    """X, then pairs of a weight and a bias or none: one output a pair."""
    if len(types) < 3 or len(types) % 2 == 0:
        raise ShapeError(f"linears: {len(types) - 1} weights and biases, expected pairs of them")
    pairs = zip(types[1::2], types[2::2], strict=True)
    return tuple(linear([types[0], *pair], attrs)[0] for pair in pairs)


def linear_add(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    """A linear and what is added to it, of its type."""
    made, residual = linear(types, attrs), need(types, 3)
    if made != (residual,):
        raise ShapeError(f"linear_add: {made[0]} and the residual {residual} differ")
    return made


def gated(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    """Gate and up of one type."""
    gate, up, activation = need(types, 0), need(types, 1), attrs["activation"]
    if gate != up:
        raise ShapeError(f"gated: the gate {gate} and {up} differ")
    if activation not in ACTIVATIONS:
        raise ShapeError(f"gated: {activation!r}: expected one of {', '.join(ACTIVATIONS)}")
    return (up,)


def add_rms_norm(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    """The sum, and the sum normed."""
    a, b = need(types, 0), need(types, 1)
    if a != b:
        raise ShapeError(f"add_rms_norm: {a} and {b} differ")
    return (a, a)


def rope_table(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    """X (.., seq, head_dim), a table (context, head_dim)."""
    x, table = need(types, 0), need(types, 2)
    if x.rank < 2 or table.rank != 2 or table.shape[1] != x.shape[-1]:
        raise ShapeError(f"rope_table: {x} against the table {table}")
    return (x,)
