"""The op table: the whole IR on one page.

Optional inputs end in "?"; a trailing "*" repeats. Shapes are those of the rule in `Op.infer`,
which gives output types from input types and attributes. What has no row here stays an `aten` op
that carries its overload name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Attr
from optimum_compile.compiler.ir.shape import Dim, as_dim, parse_dim
from optimum_compile.compiler.ir.types import TensorType

Types = list[TensorType | None]
Infer = Callable[[Types, Mapping[str, Attr]], tuple[TensorType, ...]]


class ShapeError(ValueError):
    """Input types that an op cannot take."""


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


def _need(types: Types, index: int) -> TensorType:
    kind = types[index] if index < len(types) else None
    if kind is None:
        raise ShapeError(f"input {index} is absent")
    return kind


def _int(attrs: Mapping[str, Attr], key: str) -> int:
    value = attrs[key]
    if not isinstance(value, int):
        raise ShapeError(f"{key}={value!r}: expected an integer")
    return value


def ints(value: Attr) -> tuple[int, ...]:
    """An attribute that is a tuple of integers."""
    if not isinstance(value, tuple):
        raise ShapeError(f"{value!r}: expected a tuple of integers")
    out = []
    for item in value:
        if not isinstance(item, int):
            raise ShapeError(f"{value!r}: expected a tuple of integers")
        out.append(item)
    return tuple(out)


def dims(value: Attr) -> tuple[Dim, ...]:
    """An attribute that is a tuple of dimensions: integers, or expressions as text."""
    if not isinstance(value, tuple):
        raise ShapeError(f"{value!r}: expected a tuple of dimensions")
    out: list[Dim] = []
    for item in value:
        if isinstance(item, str):
            out.append(parse_dim(item))
        elif isinstance(item, int):
            out.append(item)
        else:
            raise ShapeError(f"{item!r}: expected a dimension")
    return tuple(out)


def dim_attr(value: Attr) -> Dim:
    """An attribute that is one dimension: an integer, or an expression as text."""
    return dims((value,))[0]


def broadcast(left: tuple[Dim, ...], right: tuple[Dim, ...]) -> tuple[Dim, ...]:
    """Shape of an element-wise op. Raises ShapeError where the dimensions differ."""
    rank = max(len(left), len(right))
    a = (1,) * (rank - len(left)) + left
    b = (1,) * (rank - len(right)) + right
    out: list[Dim] = []
    for p, q in zip(a, b, strict=True):
        if p != q and p != 1 and q != 1:
            raise ShapeError(f"cannot broadcast {left} with {right}: {p} against {q}")
        out.append(q if p == 1 else p)
    return tuple(out)


def _same(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    return (_need(types, 0),)


def _elementwise(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    a, b = _need(types, 0), _need(types, 1)
    return (TensorType(a.dtype, broadcast(a.shape, b.shape)),)


def _compare(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    a, b = _need(types, 0), _need(types, 1)
    return (TensorType(DType.BOOL, broadcast(a.shape, b.shape)),)


def _embedding(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    ids, table = _need(types, 0), _need(types, 1)
    return (TensorType(table.dtype, (*ids.shape, table.shape[1])),)


def _linear(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, w = _need(types, 0), _need(types, 1)
    if x.shape[-1] != w.shape[1]:
        raise ShapeError(f"linear: x has {x.shape[-1]} columns, the weight {w.shape[1]}")
    return (TensorType(x.dtype, (*x.shape[:-1], w.shape[0])),)


def _matmul(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    a, b = _need(types, 0), _need(types, 1)
    if a.rank < 2 or b.rank < 2 or a.shape[-1] != b.shape[-2]:
        raise ShapeError(f"matmul: {a} against {b}")
    batch = broadcast(a.shape[:-2], b.shape[:-2])
    return (TensorType(a.dtype, (*batch, a.shape[-2], b.shape[-1])),)


def _hadamard(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, block = _need(types, 0), _int(attrs, "block")
    width = x.shape[-1] if x.rank else None
    if block < 1 or block & (block - 1) or not isinstance(width, int) or width % block:
        raise ShapeError(f"hadamard: block={block} is no power of two that divides {x}")
    return (x,)


def _route(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, top_k, renormalise = _need(types, 0), _int(attrs, "top_k"), attrs["renormalise"]
    experts = x.shape[-1] if x.rank else None
    if not isinstance(experts, int) or not x.dtype.is_float:
        raise ShapeError(f"route: {x} has no fixed number of experts, or no floats")
    if not 1 <= top_k <= experts:
        raise ShapeError(f"route: top_k={top_k} of {experts} experts")
    if not isinstance(renormalise, bool):
        raise ShapeError(f"route: renormalise={renormalise!r}: expected true or false")
    return (x,)


def _kv_write(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    cache, new = _need(types, 0), _need(types, 1)
    axis = _int(attrs, "axis")
    for at, (c, n) in enumerate(zip(cache.shape, new.shape, strict=True)):
        if at != axis and c != n:
            raise ShapeError(f"kv_write: cache {cache} against {new} at axis {at}")
    return (cache,)


def _reshape(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x = _need(types, 0)
    shape = dims(attrs["shape"])
    before, after = _product(x.shape), _product(shape)
    if before != after:
        raise ShapeError(f"reshape: {x} has {before} elements, the new shape {after}")
    return (TensorType(x.dtype, shape),)


def _product(shape: tuple[Dim, ...]) -> Dim:
    out: Dim = 1
    for d in shape:
        out = out * d
    return as_dim(out)


def _permute(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, perm = _need(types, 0), ints(attrs["perm"])
    if sorted(perm) != list(range(x.rank)):
        raise ShapeError(f"permute: {perm} is no permutation of {x.rank} axes")
    return (TensorType(x.dtype, tuple(x.shape[p] for p in perm)),)


def _slice(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, axis = _need(types, 0), _int(attrs, "axis")
    start, stop = dim_attr(attrs["start"]), dim_attr(attrs["stop"])
    step = _int(attrs, "step")
    size = as_dim((stop - start + step - 1) // step) if step != 1 else as_dim(stop - start)
    return (TensorType(x.dtype, (*x.shape[:axis], size, *x.shape[axis + 1 :])),)


def _concat(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    axis, first = _int(attrs, "axis"), _need(types, 0)
    total: Dim = 0
    for at in range(len(types)):
        total = total + _need(types, at).shape[axis]
    shape = (*first.shape[:axis], as_dim(total), *first.shape[axis + 1 :])
    return (TensorType(first.dtype, shape),)


def _expand(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, shape = _need(types, 0), dims(attrs["shape"])
    if broadcast(x.shape, shape) != shape:
        raise ShapeError(f"expand: {x} to {shape}")
    return (TensorType(x.dtype, shape),)


def _gather(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, ids, axis = _need(types, 0), _need(types, 1), _int(attrs, "axis")
    return (TensorType(x.dtype, (*x.shape[:axis], *ids.shape, *x.shape[axis + 1 :])),)


def _index_copy(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, ids, new = _need(types, 0), _need(types, 1), _need(types, 2)
    axis = _int(attrs, "axis")
    if ids.rank != 1 or new.shape != (*x.shape[:axis], ids.shape[0], *x.shape[axis + 1 :]):
        raise ShapeError(f"index_copy: {new} at {ids} does not fit {x} on axis {axis}")
    return (x,)


def _gather_elements(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, ids, axis = _need(types, 0), _need(types, 1), _int(attrs, "axis")
    if ids.rank != x.rank or any(
        a != b for at, (a, b) in enumerate(zip(x.shape, ids.shape, strict=True)) if at != axis
    ):
        raise ShapeError(f"gather_elements: {ids} does not fit {x} on axis {axis}")
    return (TensorType(x.dtype, ids.shape),)


def _gather_nd(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, ids = _need(types, 0), _need(types, 1)
    count = ids.shape[-1]
    if not isinstance(count, int) or not 1 <= count <= x.rank:
        raise ShapeError(f"gather_nd: {ids} does not index {x}")
    return (TensorType(x.dtype, (*ids.shape[:-1], *x.shape[count:])),)


def _cast(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    return (TensorType(DType(str(attrs["dtype"])), _need(types, 0).shape),)


def _reduce(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    x, axes, keep = _need(types, 0), ints(attrs["axes"]), attrs["keepdims"]
    shape = [1 if at in axes else d for at, d in enumerate(x.shape)]
    if not keep:
        shape = [d for at, d in enumerate(x.shape) if at not in axes]
    return (TensorType(x.dtype, tuple(shape)),)


def _where(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    c, a, b = _need(types, 0), _need(types, 1), _need(types, 2)
    return (TensorType(a.dtype, broadcast(c.shape, broadcast(a.shape, b.shape))),)


def _arange(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    size = as_dim(dim_attr(attrs["stop"]) - dim_attr(attrs["start"]))
    return (TensorType(DType(str(attrs["dtype"])), (size,)),)


def _full(types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...]:
    return (TensorType(DType(str(attrs["dtype"])), dims(attrs["shape"])),)


_ROWS = (
    # ---- the language-model ops; every backend has these
    Op("embedding", ("ids", "table"), (), _embedding, "table[ids]; table (vocab, width)"),
    Op("linear", ("x", "weight", "bias?"), (), _linear, "x @ weight.T + bias; weight (out, in)"),
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


def infer_types(op: str, types: Types, attrs: Mapping[str, Attr]) -> tuple[TensorType, ...] | None:
    """Output types by the table's rule; None where the op has none (aten).

    Raises ShapeError for inputs that the op cannot take, InternalError for an unknown op.
    """
    row = OPS.get(op)
    if row is None:
        raise InternalError(f"no op named {op!r} in the table")
    return None if row.infer is None else row.infer(types, attrs)
