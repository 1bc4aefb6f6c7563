"""What each op of a planned graph becomes: steps of `docs/native.md`."""

from collections.abc import Callable

from optimum_compile.backends.native.function import FunctionBuilder, row_major
from optimum_compile.backends.native.program import (
    ABSENT,
    BINARY,
    REDUCE,
    UNARY,
    Attribute,
    AttributeKind,
    Op,
    Operand,
)
from optimum_compile.compiler.errors import InternalError, UnsupportedError
from optimum_compile.compiler.ir.graph import Node, Value
from optimum_compile.compiler.ir.ops import dim_attr, ints
from optimum_compile.compiler.ir.shape import Dim, as_dim, symbol
from optimum_compile.passes.fuse.notes import Form, FormKind
from optimum_compile.passes.subtensor.notes import Elided, Split, View

Lower = Callable[[FunctionBuilder, Node], None]
PAST = symbol("past")
KEPT = 16  # bits of a cache that is not rounded


def lower_node(made: FunctionBuilder, node: Node) -> None:
    """Append the steps of a node; none where it was elided.

    Raises UnsupportedError for an op that the runtime has not.
    """
    made.enter(node)
    if node.notes.get(Elided) is not None:
        return
    lower = LOWERINGS.get(node.op)
    if lower is None:
        raise UnsupportedError(f"native: no step computes {node.op} (at {node.origin})")
    lower(made, node)


def _int(value: int) -> Attribute:
    return Attribute(AttributeKind.INT, value)


def _float(node: Node, key: str) -> Attribute:
    return Attribute(AttributeKind.FLOAT, float(str(node.attrs[key])))


def _optional(node: Node, index: int) -> Value | None:
    return node.inputs[index] if index < len(node.inputs) else None


def _embedding(made: FunctionBuilder, node: Node) -> None:
    inputs = (made.view(node.input(0)), made.matrix(node.input(1)))
    made.add(Op.EMBEDDING, inputs, (made.view(node.output),))


# ---- linears


def _linear(made: FunctionBuilder, node: Node) -> None:
    _matrix_step(made, node, node.input(1), _optional(node, 2), ABSENT, _linear_outputs(made, node))


def _linear_add(made: FunctionBuilder, node: Node) -> None:
    residual, outputs = made.view(node.input(3)), (made.view(node.output),)
    _matrix_step(made, node, node.input(1), _optional(node, 2), residual, outputs)


def _linears(made: FunctionBuilder, node: Node) -> None:
    pairs = zip(node.inputs[1::2], node.inputs[2::2], node.outputs, strict=True)
    for weight, bias, output in pairs:
        if weight is None:
            raise InternalError(f"linears at {node.origin}: a weight is absent")
        _matrix_step(made, node, weight, bias, ABSENT, (made.view(output),))


def _matrix_step(
    made: FunctionBuilder,
    node: Node,
    weight: Value,
    bias: Value | None,
    residual: Operand,
    outputs: tuple[Operand, ...],
) -> None:
    note = node.notes.get(Form)
    form = _int(int(note is None or note.kind is FormKind.MATRIX))
    inputs = (made.view(node.input(0)), made.matrix(weight), made.vector(bias), residual)
    made.add(Op.LINEAR, inputs, outputs, form)


def _linear_outputs(made: FunctionBuilder, node: Node) -> tuple[Operand, ...]:
    """The output, or the places to which its rows go."""
    split = node.notes.get(Split)
    if split is None:
        return (made.view(node.output),)
    at = 0
    for rows in split.parts:
        if rows.begin != at:
            raise InternalError(f"linear at {node.origin}: its rows {at} .. go nowhere")
        at = rows.end
    if at != node.output.type.shape[-1]:
        raise InternalError(f"linear at {node.origin}: its rows {at} .. go nowhere")
    return tuple(made.part(node.output, rows.view) for rows in split.parts)


# ---- norms and what lies on one tensor


def _rms_norm(made: FunctionBuilder, node: Node) -> None:
    inputs = (made.view(node.input(0)), made.vector(_optional(node, 1)))
    made.add(Op.RMS_NORM, inputs, (made.view(node.output),), _float(node, "eps"))


def _layer_norm(made: FunctionBuilder, node: Node) -> None:
    inputs = (
        made.view(node.input(0)),
        made.vector(_optional(node, 1)),
        made.vector(_optional(node, 2)),
    )
    made.add(Op.LAYER_NORM, inputs, (made.view(node.output),), _float(node, "eps"))


def _add_rms_norm(made: FunctionBuilder, node: Node) -> None:
    inputs = (
        made.view(node.input(0)),
        made.view(node.input(1)),
        made.vector(_optional(node, 2)),
    )
    outputs = tuple(made.view(output) for output in node.outputs)
    made.add(Op.ADD_RMS_NORM, inputs, outputs, _float(node, "eps"))


def _hadamard(made: FunctionBuilder, node: Node) -> None:
    block = _int(int(str(node.attrs["block"])))
    made.add(Op.HADAMARD, (made.view(node.input(0)),), (made.view(node.output),), block)


def _softmax(made: FunctionBuilder, node: Node) -> None:
    axis = _int(int(str(node.attrs["axis"])) % node.output.type.rank)
    made.add(Op.SOFTMAX, (made.view(node.input(0)),), (made.view(node.output),), axis)


def _route(made: FunctionBuilder, node: Node) -> None:
    numbers = _int(int(str(node.attrs["top_k"]))), _int(int(bool(node.attrs["renormalise"])))
    made.add(Op.ROUTE, (made.view(node.input(0)),), (made.view(node.output),), *numbers)


# ---- positions and caches


def _rope_table(made: FunctionBuilder, node: Node) -> None:
    inputs = (made.view(node.input(0)), made.vector(node.input(2)))
    made.add(Op.ROPE, inputs, (made.view(node.output),), made.expr(PAST))


def _kv_write(made: FunctionBuilder, node: Node) -> None:
    if _stored_by_attention(made, node.output):
        return
    inputs = (made.view(node.input(1)), made.cache(node.output))
    made.add(Op.KV_WRITE, inputs, (), made.expr(PAST))


def _stored_by_attention(made: FunctionBuilder, written: Value) -> bool:
    """Whether the attention that reads a written cache stores its rows: it does where bits are few."""
    readers = [user for user in written.users if user.op == "cache_attention"]
    return any(_rounds(made, user) for user in readers)


def _rounds(made: FunctionBuilder, node: Node) -> bool:
    caches = [made.caches.caches[made.cache(node.input(at)).index] for at in (1, 2)]
    return any(cache.bits != KEPT for cache in caches)


def _cache_attention(made: FunctionBuilder, node: Node) -> None:
    caches = (made.cache(node.input(1)), made.cache(node.input(2)))
    numbers = (made.expr(PAST), _float(node, "scale"), _int(int(str(node.attrs["window"]))))
    query, output = made.view(node.input(0)), (made.view(node.output),)
    if not _rounds(made, node):
        made.add(Op.ATTENTION, (query, *caches, made.scratch(node)), output, *numbers)
        return
    rows = tuple(made.view(_written(node, at)) for at in (1, 2))
    made.add(Op.KV_ATTENTION, (query, *rows, *caches, made.scratch(node)), output, *numbers)


def _written(node: Node, index: int) -> Value:
    """The new rows of the cache that an attention reads."""
    producer = node.input(index).producer
    if producer is None or producer.op != "kv_write":
        raise UnsupportedError(
            f"native: {node.op} at {node.origin} reads a rounded cache that no write precedes"
        )
    return producer.input(1)


# ---- arithmetic


def _gated(made: FunctionBuilder, node: Node) -> None:
    inputs = (made.view(node.input(0)), made.view(node.input(1)))
    activation = _int(UNARY.index(str(node.attrs["activation"])))
    made.add(Op.GATED, inputs, (made.view(node.output),), activation)


def _unary(made: FunctionBuilder, node: Node) -> None:
    tanh = node.op == "gelu" and node.attrs["approximate"] == "tanh"
    function = _int(UNARY.index("gelu_tanh" if tanh else node.op))
    made.add(Op.UNARY, (made.view(node.input(0)),), (made.view(node.output),), function)


def _binary(made: FunctionBuilder, node: Node) -> None:
    shape = node.output.type.shape
    inputs = tuple(_repeated(made, node.input(at), shape) for at in (0, 1))
    made.add(Op.BINARY, inputs, (made.view(node.output),), _int(BINARY.index(node.op)))


def _repeated(made: FunctionBuilder, value: Value, shape: tuple[Dim, ...]) -> Operand:
    """A view of the rank and dimensions of the result: what is missing repeats."""
    view = made.note(value)
    missing = len(shape) - len(view.shape)
    found: tuple[Dim, ...] = (1,) * missing + view.shape
    strides: tuple[Dim, ...] = (0,) * missing + view.strides
    kept = tuple(
        stride if have == want else 0
        for stride, have, want in zip(strides, found, shape, strict=True)
    )
    return made.part(value, View(view.buffer, view.offset, shape, kept))


def _reduce(made: FunctionBuilder, node: Node) -> None:
    x = node.input(0)
    axes = {axis % x.type.rank for axis in ints(node.attrs["axes"])}
    view, output = made.note(node.output), node.output
    if not node.attrs["keepdims"]:
        shape, strides = list(view.shape), list(view.strides)
        for axis in sorted(axes):
            shape.insert(axis, 1)
            strides.insert(axis, 0)
        view = View(view.buffer, view.offset, tuple(shape), tuple(strides))
    numbers = _int(REDUCE.index(node.op)), _int(sum(1 << axis for axis in axes))
    made.add(Op.REDUCE, (made.view(x),), (made.part(output, view),), *numbers)


# ---- what only moves numbers, where no view could be found


def _copy(made: FunctionBuilder, source: Operand, target: Operand) -> None:
    made.add(Op.COPY, (source,), (target,))


def _reshape(made: FunctionBuilder, node: Node) -> None:
    x, target = node.input(0), made.note(node.output)
    if target.strides != row_major(target.shape):
        raise InternalError(f"reshape at {node.origin}: its output has gaps")
    seen = View(target.buffer, target.offset, x.type.shape, row_major(x.type.shape))
    _copy(made, made.view(x), made.part(node.output, seen))


def _permute(made: FunctionBuilder, node: Node) -> None:
    view, perm = made.note(node.input(0)), ints(node.attrs["perm"])
    shape = tuple(view.shape[p] for p in perm)
    seen = View(view.buffer, view.offset, shape, tuple(view.strides[p] for p in perm))
    _copy(made, made.part(node.input(0), seen), made.view(node.output))


def _expand(made: FunctionBuilder, node: Node) -> None:
    source = _repeated(made, node.input(0), node.output.type.shape)
    _copy(made, source, made.view(node.output))


def _slice(made: FunctionBuilder, node: Node) -> None:
    view, axis = made.note(node.input(0)), int(str(node.attrs["axis"]))
    step, start = int(str(node.attrs["step"])), dim_attr(node.attrs["start"])
    strides = list(view.strides)
    offset = as_dim(view.offset + start * strides[axis])
    strides[axis] = as_dim(strides[axis] * step)
    seen = View(view.buffer, offset, node.output.type.shape, tuple(strides))
    _copy(made, made.part(node.input(0), seen), made.view(node.output))


def _concat(made: FunctionBuilder, node: Node) -> None:
    target, axis = made.note(node.output), int(str(node.attrs["axis"]))
    at: Dim = 0
    for index in range(len(node.inputs)):
        x = node.input(index)
        offset = as_dim(target.offset + at * target.strides[axis])
        seen = View(target.buffer, offset, x.type.shape, target.strides)
        at = as_dim(at + x.type.shape[axis])
        if made.note(x) != seen:
            _copy(made, made.view(x), made.part(node.output, seen))


LOWERINGS: dict[str, Lower] = {
    "embedding": _embedding,
    "linear": _linear,
    "linear_add": _linear_add,
    "linears": _linears,
    "rms_norm": _rms_norm,
    "layer_norm": _layer_norm,
    "add_rms_norm": _add_rms_norm,
    "hadamard": _hadamard,
    "softmax": _softmax,
    "route": _route,
    "rope_table": _rope_table,
    "kv_write": _kv_write,
    "cache_attention": _cache_attention,
    "gated": _gated,
    **dict.fromkeys((name for name in UNARY if name != "gelu_tanh"), _unary),
    **dict.fromkeys(BINARY, _binary),
    **dict.fromkeys(REDUCE, _reduce),
    "reshape": _reshape,
    "permute": _permute,
    "expand": _expand,
    "slice": _slice,
    "concat": _concat,
}
