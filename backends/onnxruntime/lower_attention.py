"""Attention, positions and caches in ONNX. What layers share is made once, see `Lowering.memo`."""

from optimum_compile.backends.onnxruntime.lower import BOOL, FLOAT, INT, Lowering, element_type
from optimum_compile.backends.onnxruntime.lower_grouped import grouped_attention
from optimum_compile.compiler.ir.graph import Node, Value
from optimum_compile.compiler.ir.shape import Dim

HIDDEN = float("-inf")


def x_of(low: Lowering, node: Node, index: int = 0) -> str:
    """The tensor of an input."""
    return low.var(node.input(index))


def optional(low: Lowering, node: Node, index: int) -> str | None:
    """The tensor of an input, or None where it is absent."""
    absent = index >= len(node.inputs) or node.inputs[index] is None
    return None if absent else x_of(low, node, index)


def number(node: Node, key: str) -> float:
    """A number attribute."""
    return float(str(node.attrs[key]))


def axis_of(node: Node) -> int:
    """The axis attribute."""
    return int(str(node.attrs["axis"]))


def kind_of(value: Value) -> int:
    """Element type of a value inside the graph."""
    return element_type(value.type.dtype)


def make_range(low: Lowering, start: Dim, stop: Dim) -> str:
    """Start .. stop - 1: int64 (stop - start,)."""
    bounds = [low.op("Squeeze", low.size(d)) for d in (start, stop)]
    return low.op("Range", *bounds, low.scalar(1, INT))


def _positions(low: Lowering, past: Value, seq: Dim) -> str:
    """Past .. past + seq - 1, made once for all layers: int64 (seq,)."""
    key = ("positions", past, str(seq))
    if key not in low.memo:
        low.memo[key] = low.op("Add", low.var(past), make_range(low, 0, seq))
    return low.memo[key]


def rope(low: Lowering, node: Node) -> str:
    """Cosines and sines are computed at run time, once for all layers."""
    x, kind = x_of(low, node), node.input(0).type
    cos, sin = (_wave(low, node, f, kind.shape[2]) for f in ("Cos", "Sin"))
    half = int(kind.shape[3]) // 2
    a = low.op("Slice", x, low.ints(0), low.ints(half), low.ints(3))
    b = low.op("Slice", x, low.ints(half), low.ints(2 * half), low.ints(3))
    left = low.op("Sub", low.op("Mul", a, cos), low.op("Mul", b, sin))
    right = low.op("Add", low.op("Mul", b, cos), low.op("Mul", a, sin))
    return low.op("Concat", left, right, axis=-1)


def _wave(low: Lowering, node: Node, function: str, seq: Dim) -> str:
    past, frequencies, scale = node.input(1), node.input(2), number(node, "scale")
    angle_key = ("angle", past, frequencies, str(seq))
    if angle_key not in low.memo:
        rows = low.op("Cast", _positions(low, past, seq), to=FLOAT)
        column = low.op("Unsqueeze", rows, low.ints(1))
        low.memo[angle_key] = low.op("Mul", column, low.var(frequencies))
    key = (function, *angle_key, scale)
    if key not in low.memo:
        wave = low.op(function, low.memo[angle_key])
        low.memo[key] = wave if scale == 1 else low.op("Mul", wave, low.scalar(scale))
    return low.memo[key]


def kv_write(low: Lowering, node: Node) -> str:
    """Rows past .. past + seq - 1 of the cache from the new ones."""
    axis, new = axis_of(node), node.input(1)
    rows = _positions(low, node.input(2), new.type.shape[axis])
    return _write_rows(low, node, rows, x_of(low, node, 1), axis, new.type.shape)


def index_copy(low: Lowering, node: Node) -> str:
    """Rows with given numbers from the new ones."""
    axis, new = axis_of(node), node.input(2)
    return _write_rows(low, node, x_of(low, node, 1), x_of(low, node, 2), axis, new.type.shape)


def _write_rows(
    low: Lowering, node: Node, rows: str, new: str, axis: int, shape: tuple[Dim, ...]
) -> str:
    """The first input with `rows` of one axis from `new`.

    ScatterND copies whole rows, and nothing else where the caller binds one buffer as the state before
    and after. Its indices are the coordinates of a row, made once for all layers.
    """
    key = ("coordinates", rows, axis, str(shape[: axis + 1]))
    if key not in low.memo:
        lead = low.shape(shape[: axis + 1])
        parts = []
        for at in range(axis + 1):
            line = rows if at == axis else make_range(low, 0, shape[at])
            line = low.op(
                "Reshape", line, low.ints(*(-1 if a == at else 1 for a in range(axis + 1)))
            )
            parts.append(low.op("Unsqueeze", low.op("Expand", line, lead), low.ints(-1)))
        low.memo[key] = low.op("Concat", *parts, axis=-1) if axis else parts[0]
    return low.op("ScatterND", x_of(low, node), low.memo[key], new)


def cache_attention(low: Lowering, node: Node) -> str:
    """Query heads of one KV head are stacked into rows, so that K and V are never repeated."""
    if node in low.grouped:
        return grouped_attention(low, node, low.grouped[node])
    heads, width = (int(node.input(0).type.shape[at]) for at in (1, 3))
    kv, seq, past = int(node.input(1).type.shape[1]), node.input(0).type.shape[2], node.input(3)
    keys, values = (_seen(low, node.input(at), past, seq) for at in (1, 2))
    scaled = low.op("Mul", x_of(low, node), low.scalar(number(node, "scale")))
    rows = low.op("Reshape", scaled, low.ints(0, kv, -1, width))
    scores = low.op("MatMul", rows, low.op("Transpose", keys, perm=[0, 1, 3, 2]))
    window = int(str(node.attrs["window"]))
    scores = low.op("Add", scores, _mask(low, past, seq, heads // kv, window))
    out = low.op("MatMul", low.op("Softmax", scores, axis=-1), values)
    return low.op("Reshape", out, low.ints(0, heads, -1, width))


def _seen(low: Lowering, cache: Value, past: Value, seq: Dim) -> str:
    """The part of a cache (batch, heads, context, width) that holds tokens."""
    return low.op("Slice", low.var(cache), low.ints(0), _total(low, past, seq), low.ints(2))


def _total(low: Lowering, past: Value, seq: Dim) -> str:
    key = ("total", past, str(seq))
    if key not in low.memo:
        low.memo[key] = low.op("Add", low.var(past), low.size(seq))
    return low.memo[key]


def _mask(low: Lowering, past: Value, seq: Dim, groups: int, window: int) -> str:
    """Additive mask (groups * seq, past + seq), made once for all layers."""
    key = ("mask", past, str(seq), groups, window)
    if key not in low.memo:
        total = _total(low, past, seq)
        row = low.op("Unsqueeze", _positions(low, past, seq), low.ints(1))
        end = low.op("Squeeze", total)
        column = low.op("Range", low.scalar(0, INT), end, low.scalar(1, INT))
        hidden = low.op("Greater", column, row)
        if window > 0:
            edge = low.op("Sub", row, low.scalar(window, INT))
            hidden = low.op("Or", hidden, low.op("LessOrEqual", column, edge))
        mask = low.op("Where", hidden, low.scalar(HIDDEN), low.scalar(0.0))
        if groups > 1:
            shape = low.op("Concat", low.ints(groups), low.size(seq), total, axis=0)
            flat = low.op("Concat", low.ints(-1), total, axis=0)
            mask = low.op("Reshape", low.op("Expand", mask, shape), flat)
        low.memo[key] = mask
    return low.memo[key]


def attention(low: Lowering, node: Node) -> str:
    """Plain attention: every row of K and V, an optional mask."""
    shape, width = node.input(0).type.shape, node.input(0).type.shape[-1]
    given = node.attrs["scale"]
    scale = float(str(given)) if given is not None else int(width) ** -0.5
    k, v, mask = x_of(low, node, 1), x_of(low, node, 2), optional(low, node, 3)
    heads, kv = int(shape[1]), int(node.input(1).type.shape[1])
    if heads != kv:
        k, v = (
            _repeat(low, name, node.input(1 + at), heads // kv) for at, name in enumerate((k, v))
        )
    scaled = low.op("Mul", x_of(low, node), low.scalar(scale))
    scores = low.op("MatMul", scaled, low.op("Transpose", k, perm=[0, 1, 3, 2]))
    if mask is not None and kind_of(node.input(3)) == BOOL:
        mask = low.op("Where", mask, low.scalar(0.0), low.scalar(HIDDEN))
    if node.attrs["causal"]:
        row = low.op("Unsqueeze", make_range(low, 0, shape[2]), low.ints(1))
        late = low.op("Greater", make_range(low, 0, node.input(1).type.shape[2]), row)
        causal = low.op("Where", late, low.scalar(HIDDEN), low.scalar(0.0))
        scores = low.op("Add", scores, causal)
    if mask is not None:
        scores = low.op("Add", scores, mask)
    return low.op("MatMul", low.op("Softmax", scores, axis=-1), v)


def _repeat(low: Lowering, name: str, value: Value, times: int) -> str:
    batch, kv, seq, width = value.type.shape
    grown = low.op("Unsqueeze", name, low.ints(2))
    grown = low.op("Expand", grown, low.shape((batch, kv, times, seq, width)))
    return low.op("Reshape", grown, low.shape((batch, int(kv) * times, seq, width)))
