"""What each IR op becomes in MIL. See `lower` for constants and states."""

from collections.abc import Callable
from typing import Any

import numpy as np
from coremltools.converters.mil import Builder as mb

from optimum_compile.backends.coreml.lower import Lowering, array_type, axes_of, shape_of
from optimum_compile.backends.coreml.lower_composed import hadamard, route, router
from optimum_compile.backends.coreml.lower_weights import lower_embedding, lower_linear
from optimum_compile.backends.coreml.schemes import is_wide_router
from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Node, Value
from optimum_compile.compiler.ir.ops import ints

# Returns the variable of the output, or None where it stored a wide one itself.
Kernel = Callable[[Lowering, Node], Any]
READS_WIDE = ("rms_norm", "layer_norm", "hadamard")
# Far below any score, and well inside fp16: -inf would give NaN rows in some runtimes.
HIDDEN = np.float16(-30000.0)


def _x(low: Lowering, node: Node, index: int = 0) -> Any:
    return low.var(node.input(index))


def _optional(low: Lowering, node: Node, index: int) -> Any:
    absent = index >= len(node.inputs) or node.inputs[index] is None
    return None if absent else _x(low, node, index)


def _rms_norm(low: Lowering, node: Node) -> Any:
    x = low.wide(node.input(0))
    mean = mb.reduce_mean(x=mb.mul(x=x, y=x), axes=[-1], keep_dims=True)
    scale = mb.rsqrt(x=mean, epsilon=np.float32(str(node.attrs["eps"])))
    out = mb.mul(x=x, y=scale)
    weight = node.inputs[1] if len(node.inputs) > 1 else None
    if weight is not None:
        out = mb.mul(x=out, y=low.float_constant(weight))
    return mb.cast(x=out, dtype="fp16", name=low.name(node))


def _add(low: Lowering, node: Node) -> Any:
    """A sum that a norm or a rotation reads is the residual stream: it stays in fp32."""
    if not any(user.op in READS_WIDE for user in node.output.users):
        return mb.add(x=_x(low, node), y=_x(low, node, 1), name=low.name(node))
    a, b = low.wide(node.input(0)), low.wide(node.input(1))
    low.wides[node.output] = mb.add(x=a, y=b, name=low.name(node))
    return None


def _layer_norm(low: Lowering, node: Node) -> Any:
    arguments: dict[str, Any] = {}
    for key, index in (("gamma", 1), ("beta", 2)):
        value = node.inputs[index] if index < len(node.inputs) else None
        if value is not None:
            arguments[key] = low.float_constant(value)
    wide = low.wide(node.input(0))
    out = mb.layer_norm(x=wide, axes=[-1], epsilon=np.float32(str(node.attrs["eps"])), **arguments)
    return mb.cast(x=out, dtype="fp16", name=low.name(node))


def _rope(low: Lowering, node: Node) -> Any:
    """Cosines and sines come from tables over the context, gathered once for all layers."""
    x, seq = _x(low, node), node.input(0).type.shape[2]
    cos, sin = _tables(low, node, int(seq))
    half = int(node.input(0).type.shape[3]) // 2
    a, b = mb.split(x=x, num_splits=2, axis=-1, name=low.name(node, "_halves"))
    if half == 0:
        raise InternalError("rope on a head of width 0")
    left = mb.sub(x=mb.mul(x=a, y=cos), y=mb.mul(x=b, y=sin))
    right = mb.add(x=mb.mul(x=b, y=cos), y=mb.mul(x=a, y=sin))
    return mb.concat(values=[left, right], axis=-1, name=low.name(node))


def _tables(low: Lowering, node: Node, seq: int) -> tuple[Any, Any]:
    key = ("rope", node.input(1), node.input(2), node.attrs["scale"])
    if key not in low.memo:
        frequencies = low.float_constant(node.input(2)).astype(np.float64)
        context = low.memo["context"]
        angle = np.arange(context)[:, None] * frequencies[None, :]
        where = _positions(low, node.input(1), seq)
        scale = float(str(node.attrs["scale"]))
        made = []
        for name, function in (("cos", np.cos), ("sin", np.sin)):
            table = mb.const(val=(function(angle) * scale).astype(np.float16), name=f"rope_{name}")
            made.append(mb.gather(x=table, indices=where, axis=0, validate_indices=False))
        low.memo[key] = tuple(made)
    found: tuple[Any, Any] = low.memo[key]
    return found


def _positions(low: Lowering, past: Value, seq: int) -> Any:
    key = ("positions", past, seq)
    if key not in low.memo:
        low.memo[key] = mb.add(x=low.var(past), y=np.arange(seq, dtype=np.int32), name="positions")
    return low.memo[key]


def _kv_write(low: Lowering, node: Node) -> Any:
    cache, new = node.input(0), node.input(1)
    axis, shape = int(str(node.attrs["axis"])), cache.type.static_shape()
    past = low.var(node.input(2))
    zero = [np.array([0], np.int32)]
    begin = mb.concat(values=[past if a == axis else zero[0] for a in range(len(shape))], axis=0)
    stop = mb.add(x=past, y=np.array([int(new.type.shape[axis])], np.int32))
    sizes = [np.array([s], np.int32) for s in shape]
    end = mb.concat(values=[stop if a == axis else sizes[a] for a in range(len(shape))], axis=0)
    return mb.slice_update(
        x=low.var(cache), update=_x(low, node, 1), begin=begin, end=end, name=low.name(node, "_row")
    )


def _index_copy(low: Lowering, node: Node) -> Any:
    return mb.scatter(
        data=_x(low, node),
        indices=_x(low, node, 1),
        updates=_x(low, node, 2),
        axis=int(str(node.attrs["axis"])),
        mode="update",
        validate_indices=False,
        name=low.name(node, "_rows"),
    )


def _cache_attention(low: Lowering, node: Node) -> Any:
    """Query heads of one KV head are stacked into rows, so that K and V are never repeated."""
    batch, heads, seq, width = node.input(0).type.static_shape()
    kv, context = (int(s) for s in node.input(1).type.shape[1:3])
    groups = heads // kv
    # Scaled before the product: scores then stay far from the end of fp16.
    q = mb.mul(x=_x(low, node), y=np.float16(str(node.attrs["scale"])))
    rows = mb.reshape(x=q, shape=[batch, kv, groups * seq, width], name=low.name(node, "_rows"))
    scores = mb.matmul(x=rows, y=_x(low, node, 1), transpose_y=True, name=low.name(node, "_scores"))
    scores = mb.reshape(x=scores, shape=[batch, kv, groups, seq, context])
    scores = mb.add(x=scores, y=_mask(low, node, seq, context))
    weights = mb.softmax(x=scores, axis=-1, name=low.name(node, "_weights"))
    weights = mb.reshape(x=weights, shape=[batch, kv, groups * seq, context])
    out = mb.matmul(x=weights, y=_x(low, node, 2))
    return mb.reshape(x=out, shape=[batch, heads, seq, width], name=low.name(node))


def _mask(low: Lowering, node: Node, seq: int, context: int) -> Any:
    window = int(str(node.attrs["window"]))
    key = ("mask", node.input(3), seq, context, window)
    if key not in low.memo:
        row = mb.expand_dims(x=_positions(low, node.input(3), seq), axes=[1])
        column = np.arange(context, dtype=np.int32)[None, :]
        seen = mb.less_equal(x=column, y=row)
        if window > 0:
            near = mb.greater(x=column, y=mb.sub(x=row, y=np.int32(window)))
            seen = mb.logical_and(x=seen, y=near)
        low.memo[key] = mb.select(cond=seen, a=np.float16(0), b=HIDDEN, name="causal_mask")
    return low.memo[key]


def _attention(low: Lowering, node: Node) -> Any:
    q = mb.mul(x=_x(low, node), y=np.float16(str(node.attrs["scale"])))
    k, v, mask = _x(low, node, 1), _x(low, node, 2), _optional(low, node, 3)
    heads, kv = int(node.input(0).type.shape[-3]), int(node.input(1).type.shape[-3])
    if heads != kv:
        k, v = (_repeat(t, node.input(1).type.static_shape(), heads // kv) for t in (k, v))
    scores = mb.matmul(x=q, y=k, transpose_y=True)
    if mask is not None and node.input(3).type.dtype is DType.BOOL:
        mask = mb.select(cond=mask, a=np.float16(0), b=HIDDEN)
    if node.attrs["causal"]:
        rows, columns = int(node.input(0).type.shape[-2]), int(node.input(1).type.shape[-2])
        seen = np.tril(np.ones((rows, columns), bool))
        scores = mb.add(x=scores, y=np.where(seen, np.float16(0), HIDDEN))
    if mask is not None:
        scores = mb.add(x=scores, y=mask)
    return mb.matmul(x=mb.softmax(x=scores, axis=-1), y=v, name=low.name(node))


def _repeat(x: Any, shape: tuple[int, ...], times: int) -> Any:
    batch, kv, seq, width = shape
    grown = mb.tile(x=mb.expand_dims(x=x, axes=[2]), reps=[1, 1, times, 1, 1])
    return mb.reshape(x=grown, shape=[batch, kv * times, seq, width])


def _unary(function: str, **arguments: Any) -> Kernel:
    return lambda low, node: getattr(mb, function)(
        x=_x(low, node), name=low.name(node), **arguments
    )


def _binary(function: str) -> Kernel:
    return lambda low, node: getattr(mb, function)(
        x=_x(low, node), y=_x(low, node, 1), name=low.name(node)
    )


def _reduce(function: str) -> Kernel:
    return lambda low, node: getattr(mb, function)(
        x=_x(low, node),
        axes=axes_of(node),
        keep_dims=bool(node.attrs["keepdims"]),
        name=low.name(node),
    )


def _gelu(low: Lowering, node: Node) -> Any:
    mode = "TANH_APPROXIMATION" if node.attrs["approximate"] == "tanh" else "EXACT"
    return mb.gelu(x=_x(low, node), mode=mode, name=low.name(node))


def _cast(low: Lowering, node: Node) -> Any:
    kind = DType(str(node.attrs["dtype"]))
    name = {np.float16: "fp16", np.int32: "int32", np.bool_: "bool"}[array_type(kind)]
    return mb.cast(x=_x(low, node), dtype=name, name=low.name(node))


def _slice(low: Lowering, node: Node) -> Any:
    shape, axis = node.input(0).type.static_shape(), int(str(node.attrs["axis"]))
    begin, end, stride = [0] * len(shape), list(shape), [1] * len(shape)
    begin[axis], end[axis] = int(str(node.attrs["start"])), int(str(node.attrs["stop"]))
    stride[axis] = int(str(node.attrs["step"]))
    return mb.slice_by_index(
        x=_x(low, node), begin=begin, end=end, stride=stride, name=low.name(node)
    )


def _expand(low: Lowering, node: Node) -> Any:
    old, new = node.input(0).type.static_shape(), shape_of(node)
    old = (1,) * (len(new) - len(old)) + old
    x = mb.reshape(x=_x(low, node), shape=list(old))
    reps = [n // o for n, o in zip(new, old, strict=True)]
    return mb.tile(x=x, reps=reps, name=low.name(node))


def _full(low: Lowering, node: Node) -> Any:
    kind = array_type(DType(str(node.attrs["dtype"])))
    limit = np.finfo(np.float16).max if kind is np.float16 else None
    number = node.attrs["value"]
    if limit is not None and isinstance(number, float):
        number = float(np.clip(number, -limit, limit))
    return mb.const(val=np.full(shape_of(node), number, kind), name=low.name(node))


def _arange(low: Lowering, node: Node) -> Any:
    kind = array_type(DType(str(node.attrs["dtype"])))
    numbers = np.arange(int(str(node.attrs["start"])), int(str(node.attrs["stop"])))
    return mb.const(val=numbers.astype(kind), name=low.name(node))


def _gathering(function: str, **fixed: Any) -> Kernel:
    """A gather of any kind; MIL has none for bool, which travels as int32."""

    def build(low: Lowering, node: Node) -> Any:
        arguments = dict(fixed)
        if "axis" in node.attrs:
            arguments["axis"] = int(str(node.attrs["axis"]))
        x, bools = _x(low, node), node.input(0).type.dtype is DType.BOOL
        found = getattr(mb, function)(
            x=mb.cast(x=x, dtype="int32") if bools else x,
            indices=_x(low, node, 1),
            validate_indices=False,
            name=low.name(node, "_rows" if bools else ""),
            **arguments,
        )
        return mb.cast(x=found, dtype="bool", name=low.name(node)) if bools else found

    return build


KERNELS: dict[str, Kernel] = {
    "embedding": lower_embedding,
    "linear": lambda low, node: (router if is_wide_router(node) else lower_linear)(low, node),
    "rms_norm": _rms_norm,
    "layer_norm": _layer_norm,
    "hadamard": hadamard,
    "route": route,
    "rope": _rope,
    "kv_write": _kv_write,
    "cache_attention": _cache_attention,
    "attention": _attention,
    **{n: _unary(n) for n in "silu relu tanh sigmoid exp sqrt abs cos sin erf floor".split()},
    "log": _unary("log", epsilon=np.float16(0)),
    "rsqrt": _unary("rsqrt", epsilon=np.float16(0)),
    "reciprocal": _unary("inverse", epsilon=np.float16(0)),
    "neg": lambda low, node: mb.mul(x=_x(low, node), y=np.float16(-1), name=low.name(node)),
    "logical_not": _unary("logical_not"),
    "gelu": _gelu,
    "softmax": lambda low, node: mb.softmax(
        x=_x(low, node), axis=int(str(node.attrs["axis"])), name=low.name(node)
    ),
    "add": _add,
    "sub": _binary("sub"),
    "mul": _binary("mul"),
    "div": _binary("real_div"),
    "pow": _binary("pow"),
    "maximum": _binary("maximum"),
    "minimum": _binary("minimum"),
    "eq": _binary("equal"),
    "ne": _binary("not_equal"),
    "lt": _binary("less"),
    "le": _binary("less_equal"),
    "gt": _binary("greater"),
    "ge": _binary("greater_equal"),
    "logical_and": _binary("logical_and"),
    "logical_or": _binary("logical_or"),
    "matmul": _binary("matmul"),
    "where": lambda low, node: mb.select(
        cond=_x(low, node), a=_x(low, node, 1), b=_x(low, node, 2), name=low.name(node)
    ),
    "cast": _cast,
    "mean": _reduce("reduce_mean"),
    "sum": _reduce("reduce_sum"),
    "max": _reduce("reduce_max"),
    "reshape": lambda low, node: mb.reshape(
        x=_x(low, node), shape=shape_of(node), name=low.name(node)
    ),
    "permute": lambda low, node: mb.transpose(
        x=_x(low, node), perm=list(ints(node.attrs["perm"])), name=low.name(node)
    ),
    "expand": _expand,
    "slice": _slice,
    "concat": lambda low, node: mb.concat(
        values=[_x(low, node, i) for i in range(len(node.inputs))],
        axis=int(str(node.attrs["axis"])),
        name=low.name(node),
    ),
    "gather": _gathering("gather"),
    "gather_elements": _gathering("gather_along_axis"),
    "gather_nd": _gathering("gather_nd", batch_dims=0),
    "index_copy": _index_copy,
    "arange": _arange,
    "full": _full,
}


def lower_nodes(low: Lowering) -> list[Any]:
    """Build every node in order; returns the variables of the outputs.

    The last value of a state is written back where it is made, and the value that the write returns
    goes on.
    """
    last = {s.written: s for s in low.graph.states if s.written is not s.read}
    for node in low.graph.nodes:
        made = KERNELS[node.op](low, node)
        state = last.pop(node.output, None)
        if state is not None:
            made = low.var(node.output) if made is None else made
            made = mb.coreml_update_state(
                state=low.state_vars[state.name], value=made, name=low.name(node)
            )
        if made is not None:
            low.env[node.output] = made
    for value, state in last.items():
        mb.coreml_update_state(state=low.state_vars[state.name], value=low.var(value))
    return [low.var(v) for v in low.graph.outputs]
