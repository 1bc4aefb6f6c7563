"""The op table: the whole IR on one page.

Optional inputs end in "?"; a trailing "*" repeats. Shapes are those of the rule in `Op.infer`,
which gives output types from input types and attributes. What has no row here stays an `aten` op
that carries its overload name.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Attr
from optimum_compile.compiler.ir.linear_rules import (
    FUSED_OPS,
    add_rms_norm,
    gated,
    linear,
    linear_add,
    linears,
    rope_table,
)
from optimum_compile.compiler.ir.rules import (
    Infer,
    ShapeError,
    Types,
    broadcast,
    dim_attr,
    dims,
    int_of,
    ints,
    need,
)
from optimum_compile.compiler.ir.shape import Dim, as_dim
from optimum_compile.compiler.ir.simplify import same
from optimum_compile.compiler.ir.types import TensorType

__all__ = [
    "EXPORTED_OPS",
    "FUSED_OPS",
    "OPS",
    "Op",
    "ShapeError",
    "broadcast",
    "dim_attr",
    "dims",
    "infer_types",
    "ints",
    "is_matrix_input",
]


@dataclass(frozen=True)
class Op:
    """One row of the table."""

    name: str
    inputs: tuple[str, ...]
    attrs: tuple[str, ...]
    infer: Infer | None  # None: the importer's types stand (aten)
    summary: str

    def arity(self) -> tuple[int, int | None]:
        """Least and greatest number of inputs (None: any)."""
        least = sum(not i.endswith(("?", "*")) for i in self.inputs)
        return least, None if any(i.endswith("*") for i in self.inputs) else len(self.inputs)


def _same(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    return (need(types, 0),)


def _elementwise(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    a, b = need(types, 0), need(types, 1)
    return (TensorType(a.dtype, broadcast(a.shape, b.shape)),)


def _compare(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    a, b = need(types, 0), need(types, 1)
    return (TensorType(DType.BOOL, broadcast(a.shape, b.shape)),)


def _embedding(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    ids, table = need(types, 0), need(types, 1)
    return (TensorType(table.dtype, (*ids.shape, table.shape[1])),)


def _matmul(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    a, b = need(types, 0), need(types, 1)
    if a.rank < 2 or b.rank < 2 or not same(a.shape[-1], b.shape[-2]):
        raise ShapeError(f"matmul: {a} against {b}")
    batch = broadcast(a.shape[:-2], b.shape[:-2])
    return (TensorType(a.dtype, (*batch, a.shape[-2], b.shape[-1])),)


def _hadamard(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, block = need(types, 0), int_of(attrs, "block")
    width = x.shape[-1] if x.rank else None
    if block < 1 or block & (block - 1) or not isinstance(width, int) or width % block:
        raise ShapeError(f"hadamard: block={block} is no power of two that divides {x}")
    return (x,)


def _route(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, top_k, renormalise = need(types, 0), int_of(attrs, "top_k"), attrs["renormalise"]
    experts = x.shape[-1] if x.rank else None
    if not isinstance(experts, int) or not x.dtype.is_float:
        raise ShapeError(f"route: {x} has no fixed number of experts, or no floats")
    if not 1 <= top_k <= experts:
        raise ShapeError(f"route: top_k={top_k} of {experts} experts")
    if not isinstance(renormalise, bool):
        raise ShapeError(f"route: renormalise={renormalise!r}: expected true or false")
    return (x,)


def _kv_write(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    cache, new = need(types, 0), need(types, 1)
    axis = int_of(attrs, "axis")
    for at, (c, n) in enumerate(zip(cache.shape, new.shape, strict=True)):
        if at != axis and not same(c, n):
            raise ShapeError(f"kv_write: cache {cache} against {new} at axis {at}")
    return (cache,)


def _reshape(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x = need(types, 0)
    shape = dims(attrs["shape"])
    before, after = _product(x.shape), _product(shape)
    if not same(before, after):
        raise ShapeError(f"reshape: {x} has {before} elements, the new shape {after}")
    return (TensorType(x.dtype, shape),)


def _product(shape: tuple[Dim, ...]) -> Dim:
    out: Dim = 1
    for d in shape:
        out = out * d
    return as_dim(out)


def _permute(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, perm = need(types, 0), ints(attrs["perm"])
    if sorted(perm) != list(range(x.rank)):
        raise ShapeError(f"permute: {perm} is no permutation of {x.rank} axes")
    return (TensorType(x.dtype, tuple(x.shape[p] for p in perm)),)


def _slice(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, axis = need(types, 0), int_of(attrs, "axis")
    start, stop = dim_attr(attrs["start"]), dim_attr(attrs["stop"])
    step = int_of(attrs, "step")
    size = as_dim((stop - start + step - 1) // step) if step != 1 else as_dim(stop - start)
    return (TensorType(x.dtype, (*x.shape[:axis], size, *x.shape[axis + 1 :])),)


def _concat(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    axis, first = int_of(attrs, "axis"), need(types, 0)
    total: Dim = 0
    for at in range(len(types)):
        total = total + need(types, at).shape[axis]
    shape = (*first.shape[:axis], as_dim(total), *first.shape[axis + 1 :])
    return (TensorType(first.dtype, shape),)


def _expand(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, shape = need(types, 0), dims(attrs["shape"])
    if broadcast(x.shape, shape) != shape:
        raise ShapeError(f"expand: {x} to {shape}")
    return (TensorType(x.dtype, shape),)


def _gather(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, ids, axis = need(types, 0), need(types, 1), int_of(attrs, "axis")
    return (TensorType(x.dtype, (*x.shape[:axis], *ids.shape, *x.shape[axis + 1 :])),)


def _index_copy(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, ids, new = need(types, 0), need(types, 1), need(types, 2)
    axis = int_of(attrs, "axis")
    if ids.rank != 1 or new.shape != (*x.shape[:axis], ids.shape[0], *x.shape[axis + 1 :]):
        raise ShapeError(f"index_copy: {new} at {ids} does not fit {x} on axis {axis}")
    return (x,)


def _gather_elements(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, ids, axis = need(types, 0), need(types, 1), int_of(attrs, "axis")
    if ids.rank != x.rank or any(
        a != b for at, (a, b) in enumerate(zip(x.shape, ids.shape, strict=True)) if at != axis
    ):
        raise ShapeError(f"gather_elements: {ids} does not fit {x} on axis {axis}")
    return (TensorType(x.dtype, ids.shape),)


def _gather_nd(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, ids = need(types, 0), need(types, 1)
    count = ids.shape[-1]
    if not isinstance(count, int) or not 1 <= count <= x.rank:
        raise ShapeError(f"gather_nd: {ids} does not index {x}")
    return (TensorType(x.dtype, (*ids.shape[:-1], *x.shape[count:])),)


def _cast(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    return (TensorType(DType(str(attrs["dtype"])), need(types, 0).shape),)


def _reduce(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, axes, keep = need(types, 0), ints(attrs["axes"]), attrs["keepdims"]
    shape = [1 if at in axes else d for at, d in enumerate(x.shape)]
    if not keep:
        shape = [d for at, d in enumerate(x.shape) if at not in axes]
    return (TensorType(x.dtype, tuple(shape)),)


def _where(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    c, a, b = need(types, 0), need(types, 1), need(types, 2)
    return (TensorType(a.dtype, broadcast(c.shape, broadcast(a.shape, b.shape))),)


def _arange(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    size = as_dim(dim_attr(attrs["stop"]) - dim_attr(attrs["start"]))
    return (TensorType(DType(str(attrs["dtype"])), (size,)),)


def _full(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    return (TensorType(DType(str(attrs["dtype"])), dims(attrs["shape"])),)


_ROWS = (
    # ---- the language-model ops; every backend has these
    Op("embedding", ("ids", "table"), (), _embedding, "table[ids]; table (vocab, width)"),
    Op("linear", ("x", "weight", "bias?"), (), linear, "x @ weight.T + bias; weight (out, in)"),
    Op("rms_norm", ("x", "weight?"), ("eps",), _same, "x / sqrt(mean(x^2, -1) + eps) * weight"),
    Op("layer_norm", ("x", "weight?", "bias?"), ("eps",), _same, "over the last axis"),
    # H H^T = 1: its own inverse. Rotated models with a tied head need it twice a token.
    Op("hadamard", ("x",), ("block",), _hadamard, "x H / sqrt(block), each block of the last axis"),
    # x (batch, heads, seq, head_dim); positions past .. past+seq-1; rotate-half pairs (i, i + half)
    Op("rope", ("x", "past", "inv_freq"), ("scale",), _same, "inv_freq (head_dim/2,) f32"),
    # cache (batch, kv_heads, context, head_dim), new (batch, kv_heads, seq, head_dim)
    Op("kv_write", ("cache", "new", "past"), ("axis",), _kv_write, "cache[past:past+seq] = new"),
    # q (batch, heads, seq, d), k/v (batch, kv_heads, total, d): row s sees positions <= past + s,
    # and, where window > 0, only the last `window` of those. heads is a multiple of kv_heads.
    Op("cache_attention", ("q", "k", "v", "past"), ("scale", "window"), _same, "causal, cached"),
    # plain attention: optional additive mask, or is_causal; kv_heads may divide heads
    Op("attention", ("q", "k", "v", "mask?"), ("scale", "causal"), _same, "softmax(qk*scale+m) v"),
    # Gates of a mixture of experts, from the router's logits over the last axis: the softmax over all
    # experts for the top_k greatest, 0 for the rest; equal ones in the order of the experts.
    # renormalise: divided by their sum, which is the softmax over the top_k logits alone.
    Op("route", ("logits",), ("top_k", "renormalise"), _route, "softmax where in top_k, else 0"),
    # ---- fused; see FUSED_OPS. linears: w1, b1 or none, w2, b2 or none, ..; one output a weight
    Op(
        "linears",
        ("x", "weights_and_biases*"),
        (),
        linears,
        "the linears of one x, each its output",
    ),
    Op("linear_add", ("x", "weight", "bias?", "residual"), (), linear_add, "linear + residual"),
    Op("gated", ("gate", "up"), ("activation",), gated, "activation(gate) * up; see ACTIVATIONS"),
    Op("add_rms_norm", ("a", "b", "weight?"), ("eps",), add_rms_norm, "a + b, rms_norm(a + b)"),
    # rope with its angles in a table (context, head_dim) f32: cos in the first half, sin in the second,
    # both times the scale; row p for position p
    Op("rope_table", ("x", "past", "table"), (), rope_table, "positions past .. past+seq-1"),
    # ---- element-wise
    *(
        Op(name, ("x",), (), _same, f"{name}(x)")
        for name in (
            "silu relu tanh sigmoid exp log sqrt rsqrt neg abs cos sin erf reciprocal floor".split()
        )
    ),
    Op("gelu", ("x",), ("approximate",), _same, 'approximate: "none" or "tanh"'),
    Op("softmax", ("x",), ("axis",), _same, "over one axis"),
    *(
        Op(name, ("a", "b"), (), _elementwise, f"{name}, broadcast")
        for name in "add sub mul div pow maximum minimum".split()
    ),
    *(
        Op(name, ("a", "b"), (), _compare, f"{name}, broadcast, bool")
        for name in "eq ne lt le gt ge logical_and logical_or".split()
    ),
    Op("logical_not", ("x",), (), _same, "bool"),
    Op("where", ("condition", "a", "b"), (), _where, "condition ? a : b"),
    Op("cast", ("x",), ("dtype",), _cast, "change the element type"),
    # ---- linear algebra and reductions
    Op("matmul", ("a", "b"), (), _matmul, "batched, broadcast"),
    Op("mean", ("x",), ("axes", "keepdims"), _reduce, "over axes"),
    Op("sum", ("x",), ("axes", "keepdims"), _reduce, "over axes"),
    Op("max", ("x",), ("axes", "keepdims"), _reduce, "over axes"),
    # ---- layout; shapes are dims: integers, or expressions as text
    Op("reshape", ("x",), ("shape",), _reshape, "same elements, new shape"),
    Op("permute", ("x",), ("perm",), _permute, "reorder axes"),
    Op("expand", ("x",), ("shape",), _expand, "broadcast to shape"),
    Op(
        "slice", ("x",), ("axis", "start", "stop", "step"), _slice, "x[start:stop:step] on one axis"
    ),
    Op("concat", ("x*",), ("axis",), _concat, "join along one axis"),
    Op("gather", ("x", "ids"), ("axis",), _gather, "take rows along one axis"),
    Op("gather_elements", ("x", "ids"), ("axis",), _gather_elements, "one element an index"),
    Op("gather_nd", ("x", "ids"), (), _gather_nd, "x[ids[..., 0], ids[..., 1], ..]"),
    Op("index_copy", ("x", "ids", "new"), ("axis",), _index_copy, "x, with rows `ids` from new"),
    # ---- constants of the program
    Op("arange", (), ("start", "stop", "dtype"), _arange, "start .. stop-1"),
    Op("full", (), ("shape", "value", "dtype"), _full, "one value everywhere"),
    # ---- what has no row: attrs hold the overload name and its arguments (see frontend.aten)
    Op("aten", ("x*",), ("target", "args"), None, "an ATen operator, passed through"),
)

OPS: dict[str, Op] = {row.name: row for row in _ROWS}
EXPORTED_OPS = frozenset(OPS) - FUSED_OPS


def is_matrix_input(op: str, index: int) -> bool:
    """Whether input `index` of an op is the matrix of a linear or an embedding."""
    if op == "linears":
        return index % 2 == 1
    return index == 1 and op in ("linear", "embedding", "linear_add")


def infer_types(op: str, types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...] | None:
    """Output types by the table's rule; None where the op has none (aten).

    Raises ShapeError for inputs that the op cannot take, InternalError for an unknown op.
    """
    row = OPS.get(op)
    if row is None:
        raise InternalError(f"no op named {op!r} in the table")
    return None if row.infer is None else row.infer(types, attrs)
