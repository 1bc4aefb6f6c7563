"""What each IR op becomes. See `lower` for the two layouts, `lower_linear` and `lower_attention`."""

import math
from collections.abc import Callable

import numpy as np

from optimum_compile.backends.nnapi.lower import FLOAT, INT, Lowering
from optimum_compile.backends.nnapi.lower_attention import cache_attention, rope
from optimum_compile.backends.nnapi.lower_linear import embedding, linear
from optimum_compile.backends.nnapi.names import LOGITS, NEW, TOKENS
from optimum_compile.backends.nnapi.plan import Piece
from optimum_compile.backends.onnxruntime.schemes import hadamard_factors
from optimum_compile.compiler.errors import InternalError, UnsupportedError
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.ops import dims, ints

Kernel = Callable[[Lowering, Node], None]


def _plain(low: Lowering, value: Value) -> str:
    """A weight that is no matrix, as floats."""
    if value.weight is None:
        return low.row(value)
    return low.stored(f"{value.name}/value", value.weight.load_f32(), FLOAT)


def _gain(low: Lowering, node: Node, index: int) -> str | None:
    absent = index >= len(node.inputs) or node.inputs[index] is None
    return None if absent else _plain(low, node.input(index))


def _rms_norm(low: Lowering, node: Node) -> None:
    x = low.row(node.input(0))
    mean = low.op("ReduceMean", low.op("Mul", x, x), axes=[-1], keepdims=1)
    root = low.op("Sqrt", low.op("Add", mean, low.number(float(str(node.attrs["eps"])))))
    out, gain = low.op("Div", x, root), _gain(low, node, 1)
    low.rows[node.output] = out if gain is None else low.op("Mul", out, gain)


def _layer_norm(low: Lowering, node: Node) -> None:
    x = low.row(node.input(0))
    centred = low.op("Sub", x, low.op("ReduceMean", x, axes=[-1], keepdims=1))
    square = low.op("Mul", centred, centred)
    mean = low.op("ReduceMean", square, axes=[-1], keepdims=1)
    root = low.op("Sqrt", low.op("Add", mean, low.number(float(str(node.attrs["eps"])))))
    out = low.op("Div", centred, root)
    for kind, index in (("Mul", 1), ("Add", 2)):
        gain = _gain(low, node, index)
        out = out if gain is None else low.op(kind, out, gain)
    low.rows[node.output] = out


def _hadamard(low: Lowering, node: Node) -> None:
    """H of n = left * right is the Kronecker product of two small ones: two products."""
    shape = node.input(0).type.static_shape()
    left, right = hadamard_factors(int(str(node.attrs["block"])))
    count = math.prod(shape) // (left * right)
    x = low.reshape(low.row(node.input(0)), (count * left, right))
    x = low.reshape(low.op("MatMul", x, _walsh(low, right)), (count, left, right))
    x = low.reshape(low.op("Transpose", x, perm=[0, 2, 1]), (count * right, left))
    x = low.reshape(low.op("MatMul", x, _walsh(low, left)), (count, right, left))
    low.rows[node.output] = low.reshape(low.op("Transpose", x, perm=[0, 2, 1]), shape)


def _walsh(low: Lowering, size: int) -> str:
    """H / sqrt(size) of size x size."""
    matrix: np.ndarray = np.ones((1, 1))
    while len(matrix) < size:
        matrix = np.kron(matrix, [[1, 1], [1, -1]])
    return low.constant(f"hadamard/{size}", matrix / np.sqrt(size), FLOAT)


def _elementwise(build: Callable[[Lowering, list[str]], str]) -> Kernel:
    """An operator on numbers one by one: in columns where every input is held so."""

    def kernel(low: Lowering, node: Node) -> None:
        values = [v for v in node.inputs if v is not None]
        shape = node.output.type.shape
        alike = all(v.type.shape == shape for v in values)
        if alike and all(v in low.columns for v in values):
            low.columns[node.output] = build(low, [low.columns[v] for v in values])
        else:
            low.rows[node.output] = build(low, [_plain(low, v) for v in values])

    return kernel


def _unary(kind: str) -> Kernel:
    return _elementwise(lambda low, names: low.op(kind, names[0]))


def _binary(kind: str) -> Kernel:
    return _elementwise(lambda low, names: low.op(kind, *names))


def _silu(low: Lowering, names: list[str]) -> str:
    return low.op("Mul", names[0], low.op("Sigmoid", names[0]))


def _gelu(low: Lowering, names: list[str]) -> str:
    """0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))."""
    x = names[0]
    cube = low.op("Mul", low.op("Mul", x, x), x)
    inner = low.op("Add", x, low.op("Mul", cube, low.number(0.044715)))
    turned = low.op("Tanh", low.op("Mul", inner, low.number(math.sqrt(2 / math.pi))))
    half = low.op("Mul", x, low.number(0.5))
    return low.op("Mul", half, low.op("Add", turned, low.number(1.0)))


def _reshape(low: Lowering, node: Node) -> None:
    shape = [int(str(d)) for d in dims(node.attrs["shape"])]
    low.rows[node.output] = low.reshape(low.row(node.input(0)), shape)


def _permute(low: Lowering, node: Node) -> None:
    perm = list(ints(node.attrs["perm"]))
    low.rows[node.output] = low.op("Transpose", low.row(node.input(0)), perm=perm)


def _slice(low: Lowering, node: Node) -> None:
    start, stop, step, axis = (int(str(node.attrs[k])) for k in ("start", "stop", "step", "axis"))
    given = (low.longs(start), low.longs(stop), low.longs(axis), low.longs(step))
    low.rows[node.output] = low.op("Slice", low.row(node.input(0)), *given)


def _concat(low: Lowering, node: Node) -> None:
    parts = [low.row(v) for v in node.inputs if v is not None]
    low.rows[node.output] = low.op("Concat", *parts, axis=int(str(node.attrs["axis"])))


KERNELS: dict[str, Kernel] = {
    "embedding": embedding,
    "linear": linear,
    "rms_norm": _rms_norm,
    "layer_norm": _layer_norm,
    "hadamard": _hadamard,
    "rope": rope,
    "silu": _elementwise(_silu),
    "gelu": _elementwise(_gelu),
    "relu": _unary("Relu"),
    "tanh": _unary("Tanh"),
    "sigmoid": _unary("Sigmoid"),
    "add": _binary("Add"),
    "sub": _binary("Sub"),
    "mul": _binary("Mul"),
    "reshape": _reshape,
    "permute": _permute,
    "slice": _slice,
    "concat": _concat,
}


def lower_piece(graph: Graph, piece: Piece, tokens: int, context: int) -> Lowering:
    """Build one stage. Raises UnsupportedError for what has no form in NNAPI's operators."""
    low = Lowering(piece, tokens, context)
    words = graph.inputs[0]
    if any(words in node.inputs for node in piece.nodes):
        low.rows[words] = low.input(TOKENS, words.type.static_shape(), INT)
    for node in piece.nodes:
        low.enter(node.origin or node.op)
        if node.op == "cache_attention":
            cache_attention(low, node, piece.caches[node])
        elif node.op in KERNELS:
            KERNELS[node.op](low, node)
        else:
            raise UnsupportedError(f"nnapi: {node.op} at {node.origin} has no form in NNAPI")
    for value in piece.gives:
        name = LOGITS if value in graph.outputs else value.name
        low.give(name, low.row(value), value.type.static_shape())
    for use in piece.caches.values():
        _give_rows(low, use.keys.name, use.key_write.input(1), turned=True)
        _give_rows(low, use.values.name, use.value_write.input(1), turned=False)
    return low


def _give_rows(low: Lowering, state: str, value: Value, *, turned: bool) -> None:
    shape = list(value.type.static_shape())
    if not turned:
        low.give(f"{NEW}{state}", low.row(value), shape)
        return
    made = low.memo.get(("turned", value))
    if made is None:
        raise InternalError(f"{state}: no attention read the new rows")
    low.give(f"{NEW}{state}", made, [shape[0], shape[1], shape[3], shape[2]])
