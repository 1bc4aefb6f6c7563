"""ATen to IR, one rule an operator: arithmetic, norms, linear algebra and constants.

A rule returns the values that replace the node's outputs, or None to leave it as `aten`. A KeyError
inside a rule means that an argument has a form which the rule does not cover: the node stays too.
"""

from collections.abc import Callable

from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Value
from optimum_compile.passes.canonicalize.call import AtenCall

Rule = Callable[[AtenCall], list[Value] | None]


def _gone(c: AtenCall) -> list[Value] | None:
    first = next(iter(c.node.inputs), None)
    return None if first is None or first.type != c.result else [first]


def _unary(op: str) -> Rule:
    return lambda c: [c.emit(op, c.need("self"))]


def _binary(op: str) -> Rule:
    def rule(c: AtenCall) -> list[Value] | None:
        a = c.need("self")
        if c.args.get("alpha", 1) != 1 or c.args.get("rounding_mode") is not None:
            return None
        b = c.tensor("other") or c.tensor("exponent")
        if b is None:
            number = c.args.get("other", c.args.get("exponent"))
            if not isinstance(number, (int, float)):
                return None
            compares = c.result.dtype is DType.BOOL
            kind = a.type.dtype if compares else c.result.dtype
            if not _holds(kind, number):
                return None
            b = c.constant(number, kind)
        a, b = _promoted(c, a), _promoted(c, b)
        return [c.emit(op, a, b)]

    return rule


def _holds(kind: DType, number: float) -> bool:
    """Whether a number keeps its value in an element type."""
    if kind is DType.BOOL:
        return number in (0, 1)
    return kind.is_float or float(number) == number == number // 1


def _promoted(c: AtenCall, value: Value) -> Value:
    """Bring an operand to the element type that torch promoted to; comparisons keep their own."""
    kind = c.result.dtype
    if kind is DType.BOOL or value.type.dtype is kind:
        return value
    return c.emit("cast", value, dtype=kind.value)


def _rsub(c: AtenCall) -> list[Value] | None:
    if c.args.get("alpha", 1) != 1:
        return None
    b = c.tensor("other") or c.constant(c.number("other"), c.result.dtype)
    return [c.emit("sub", _promoted(c, b), _promoted(c, c.need("self")))]


def _logical_not(c: AtenCall) -> list[Value] | None:
    """Of numbers, `bitwise_not` flips bits and `logical_not` compares with zero."""
    x = c.need("self")
    return [c.emit("logical_not", x)] if x.type.dtype is DType.BOOL else None


def _linear(c: AtenCall) -> list[Value] | None:
    return [_affine(c, c.need("input"), c.need("weight"), c.tensor("bias"))]


def _affine(c: AtenCall, x: Value, weight: Value, bias: Value | None) -> Value:
    """A linear whose bias may be of any shape that broadcasts."""
    if bias is None or bias.type.shape == weight.type.shape[:1]:
        return c.emit("linear", x, weight, bias)
    return c.emit("add", c.emit("linear", x, weight, None), bias)


def _transposed(value: Value) -> Value | None:
    """The weight whose transpose `value` is, through a permute of two axes."""
    node = value.producer
    if node is None or node.op != "permute" or node.attrs["perm"] != (1, 0):
        return None
    source = node.input(0)
    return source if source.weight is not None else None


def _matmul(c: AtenCall) -> list[Value] | None:
    a, b = c.need("self"), c.tensor("mat2") or c.need("other")
    weight = _transposed(b)
    if weight is not None:
        return [c.emit("linear", a, weight, None)]
    return None if a.type.rank < 2 or b.type.rank < 2 else [c.emit("matmul", a, b)]


def _addmm(c: AtenCall) -> list[Value] | None:
    a, b, bias = c.need("mat1"), c.need("mat2"), c.need("self")
    if c.args.get("alpha", 1) != 1 or c.args.get("beta", 1) != 1:
        return None
    weight = _transposed(b)
    if weight is not None:
        return [_affine(c, a, weight, bias)]
    return [c.emit("add", c.emit("matmul", a, b), bias)]


def _embedding(c: AtenCall) -> list[Value] | None:
    return [c.emit("embedding", c.need("indices"), c.need("weight"))]


def _rms_norm(c: AtenCall) -> list[Value] | None:
    x, eps = c.need("input"), c.args.get("eps")
    if c.integers("normalized_shape") != x.type.shape[-1:]:
        return None
    # Without eps torch takes the element type's own.
    value = float(eps) if isinstance(eps, (int, float)) else 1.1920928955078125e-07
    return [c.emit("rms_norm", x, c.tensor("weight"), eps=value)]


def _layer_norm(c: AtenCall) -> list[Value] | None:
    x = c.need("input")
    if c.integers("normalized_shape") != x.type.shape[-1:]:
        return None
    if any(c.graph.is_used(v) for v in c.node.outputs[1:]):
        return None
    eps = float(c.number("eps", 1e-5))
    out = c.emit("layer_norm", x, c.tensor("weight"), c.tensor("bias"), eps=eps)
    return [out] * len(c.node.outputs)


def _attention(c: AtenCall) -> list[Value] | None:
    q, k, v = c.need("query"), c.need("key"), c.need("value")
    if c.args.get("dropout_p", 0.0) not in (0, 0.0) or q.type.rank != 4:
        return None
    width = q.type.shape[-1]
    scale = c.args.get("scale")
    if not isinstance(scale, (int, float)):
        if not isinstance(width, int):
            return None
        scale = width**-0.5
    mask = c.tensor("attn_mask")
    causal = bool(c.args.get("is_causal", False))
    return [c.emit("attention", q, k, v, mask, scale=float(scale), causal=causal)]


def _softmax(c: AtenCall) -> list[Value] | None:
    x = c.need("self")
    if not x.type.dtype.is_float:
        return None
    return [c.emit("softmax", x, axis=c.axis("dim", x.type.rank))]


def _reduce(op: str) -> Rule:
    def rule(c: AtenCall) -> list[Value] | None:
        x, rank = c.need("self"), c.need("self").type.rank
        axes = c.args.get("dim")
        if axes is None or axes == ():
            axes = tuple(range(rank))
        listed = axes if isinstance(axes, tuple) else (axes,)
        # torch lets a scalar be reduced over its axis 0.
        clean = tuple(sorted(int(a) % rank for a in listed if isinstance(a, int) and rank))
        keep = bool(c.args.get("keepdim", False))
        return (
            [c.emit(op, x, axes=clean, keepdims=keep)] if x.type.dtype is c.result.dtype else None
        )

    return rule


def _gelu(c: AtenCall) -> list[Value] | None:
    return [c.emit("gelu", c.need("self"), approximate=str(c.args.get("approximate", "none")))]


def _where(c: AtenCall) -> list[Value] | None:
    condition = c.need("condition")
    kind = c.result.dtype.value
    values = []
    for name in ("self", "other"):
        value = c.tensor(name)
        if value is None:
            value = c.emit("full", shape=(), value=float(c.number(name)), dtype=kind)
        values.append(value)
    return [c.emit("where", condition, *values)]


def _masked_fill(c: AtenCall) -> list[Value] | None:
    x = c.need("self")
    value = c.tensor("value") or c.constant(c.number("value"), x.type.dtype)
    return [c.emit("where", c.need("mask"), value, x)]


def _full(value: float | None) -> Rule:
    def rule(c: AtenCall) -> list[Value] | None:
        number = c.number("fill_value") if value is None else value
        return [c.emit("full", shape=c.shaped(), value=float(number), dtype=c.result.dtype.value)]

    return rule


def _arange(c: AtenCall) -> list[Value] | None:
    start, stop = c.dim("start", 0), c.dim("end")
    if c.args.get("step", 1) != 1 or stop is None or start is None:
        return None
    return [c.emit("arange", start=start, stop=stop, dtype=c.result.dtype.value)]


def _cast(c: AtenCall) -> list[Value] | None:
    x = c.need("self") if "self" in c.args else c.node.input(0)
    return (
        [x] if x.type.dtype is c.result.dtype else [c.emit("cast", x, dtype=c.result.dtype.value)]
    )


def _index_copy(c: AtenCall) -> list[Value] | None:
    """Writing past..past+seq-1 of a cache, or one row of it, is kv_write."""
    cache, new, axis = c.need("self"), c.need("source"), c.axis("dim", c.need("self").type.rank)
    index = c.need("index")
    if index.type.shape == (1,):
        return [c.emit("kv_write", cache, new, index, axis=axis)]
    add = index.producer
    if add is None or add.op != "add":
        return [c.emit("index_copy", cache, index, new, axis=axis)]
    for past, run in (add.inputs, reversed(add.inputs)):
        source = run.producer if run is not None else None
        if source is None or source.op != "arange" or source.attrs["start"] != 0:
            continue
        if past is not None and past.type.shape == (1,) and run is not None:
            if run.type.shape != (new.type.shape[axis],):
                continue
            return [c.emit("kv_write", cache, new, past, axis=axis)]
    return [c.emit("index_copy", cache, index, new, axis=axis)]


def _dropout(c: AtenCall) -> list[Value] | None:
    return None if c.args.get("train") is True else [c.need("input")]


ARITHMETIC: dict[str, Rule] = {
    "alias": _gone,
    "clone": _gone,
    "contiguous": _gone,
    "detach": _gone,
    "detach_": _gone,
    "lift_fresh_copy": _gone,
    "dropout": _dropout,
    **{
        op: _unary(op)
        for op in "silu relu tanh sigmoid exp log sqrt rsqrt neg abs cos sin erf reciprocal floor".split()
    },
    "bitwise_not": _logical_not,
    "logical_not": _logical_not,
    "gelu": _gelu,
    **{
        op: _binary(op)
        for op in "add sub mul div pow maximum minimum eq ne lt le gt ge logical_and logical_or".split()
    },
    "bitwise_and": _binary("logical_and"),
    "bitwise_or": _binary("logical_or"),
    "__and__": _binary("logical_and"),
    "__or__": _binary("logical_or"),
    "rsub": _rsub,
    "linear": _linear,
    "mm": _matmul,
    "bmm": _matmul,
    "matmul": _matmul,
    "addmm": _addmm,
    "embedding": _embedding,
    "rms_norm": _rms_norm,
    "layer_norm": _layer_norm,
    "native_layer_norm": _layer_norm,
    "scaled_dot_product_attention": _attention,
    "softmax": _softmax,
    "_softmax": _softmax,
    "mean": _reduce("mean"),
    "sum": _reduce("sum"),
    "amax": _reduce("max"),
    "where": _where,
    "masked_fill": _masked_fill,
    "full": _full(None),
    "full_like": _full(None),
    "zeros": _full(0.0),
    "zeros_like": _full(0.0),
    "new_zeros": _full(0.0),
    "ones": _full(1.0),
    "ones_like": _full(1.0),
    "new_ones": _full(1.0),
    "arange": _arange,
    "to": _cast,
    "_to_copy": _cast,
    "type_as": _cast,
    "index_copy": _index_copy,
}
