"""Random graphs over the op table, for property tests."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Graph, Value
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.ir.ops import OPS, ShapeError, infer_types
from optimum_compile.compiler.ir.shape import Dim, SymbolRange, as_dim, parse_dim, symbol
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.compiler.ir.weights import FileBytes, WeightRef, inline_weight


class Colour(Enum):
    RED = 1
    BLUE = "b"


@dataclass(frozen=True)
class Part:
    number: float
    dim: Dim
    colour: Colour = Colour.RED


@dataclass(frozen=True)
class Remark(Note):
    text: str
    parts: tuple[Part, ...] = ()
    where: Path = Path("somewhere")
    maybe: int | None = None


@dataclass(frozen=True)
class Mark(Note):
    value: bool


names = st.text(min_size=1, max_size=6) | st.from_regex(
    r"[a-z_.$-][a-z0-9_.$-]{0,8}", fullmatch=True
)
scalars = (
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=8)
)
attrs = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=6)

_SYMBOLS = ("seq", "past", "batch")


@st.composite
def dims(draw: st.DrawFn) -> Dim:
    """A number, or an expression over the symbols."""
    shape = draw(st.integers(0, 5))
    a, b = (draw(st.integers(1, 9)) for _ in range(2))
    s, t = (symbol(draw(st.sampled_from(_SYMBOLS))) for _ in range(2))
    forms: list[Dim] = [a, s, as_dim(a * s + b), as_dim(s * t + a), as_dim(s**2 - t)]
    forms.append(parse_dim(f"({s}+{a})//{b}"))
    return forms[shape]


types = st.builds(TensorType, st.sampled_from(list(DType)), st.lists(dims(), max_size=4).map(tuple))
parts = st.builds(Part, st.floats(allow_nan=False), dims(), st.sampled_from(list(Colour)))
remarks = st.builds(
    Remark,
    st.text(max_size=8),
    st.lists(parts, max_size=2).map(tuple),
    st.sampled_from([Path("a"), Path("b.bin")]),
    st.none() | st.integers(),
)
notes = st.lists(remarks | st.builds(Mark, st.booleans()), max_size=2)


def _annotate(draw: st.DrawFn, holder: Value) -> Value:
    for note in draw(notes):
        holder.notes.put(note)
    return holder


def _weight(draw: st.DrawFn, graph: Graph) -> None:
    name = draw(names.filter(lambda n: n not in graph.weights))
    form = draw(st.sampled_from(["file", "inline", "unknown"]))
    if form == "inline":
        data = np.array(draw(st.lists(st.integers(0, 9), max_size=3)), np.float32)
        _annotate(draw, graph.add_weight(inline_weight(name, data, DType.F32)))
        return
    kind = TensorType(DType.BF16, (draw(st.integers(0, 9)), 4))
    offset = draw(st.integers(0, 1 << 40))
    source = FileBytes(Path("model.safetensors"), offset, kind.elements() * 2)
    ref = WeightRef(name, kind, source if form == "file" else None)
    value = _annotate(draw, graph.add_weight(ref))
    if draw(st.booleans()):
        value.type = TensorType(DType.F32, kind.shape)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any graph that can be written down: operands and attributes need not make sense."""
    graph = Graph(draw(st.text(max_size=8)))
    for name in _SYMBOLS:
        low = draw(st.integers(0, 9))
        graph.symbols[name] = SymbolRange(low, low + draw(st.integers(0, 1 << 40)))
    for _ in range(draw(st.integers(0, 2))):
        _annotate(draw, graph.add_input(draw(names), draw(types)))
    for _ in range(draw(st.integers(0, 2))):
        name = draw(names.filter(lambda n: all(s.name != n for s in graph.states)))
        _annotate(draw, graph.add_state(name, draw(types)).read)
    for _ in range(draw(st.integers(0, 2))):
        _weight(draw, graph)
    for note in draw(notes):
        graph.notes.put(note)
    for _ in range(draw(st.integers(0, 5))):
        known = list(graph.values())
        operand = st.none() | st.sampled_from(known) if known else st.none()
        node = graph.add_node(
            draw(st.sampled_from(sorted(OPS))),
            draw(st.lists(operand, max_size=3)),
            draw(st.lists(types, max_size=2)),
            draw(st.dictionaries(names, attrs, max_size=3)),
            origin=draw(st.text(max_size=8)),
            names=draw(st.lists(names, max_size=2)),
        )
        for note in draw(notes):
            node.notes.put(note)
        for value in node.outputs:
            _annotate(draw, value)
    known = list(graph.values())
    if known:
        graph.outputs = draw(st.lists(st.sampled_from(known), max_size=2))
        for state in graph.states:
            state.written = draw(st.sampled_from(known))
    return graph


_UNARY = ("silu", "tanh", "neg", "abs", "sigmoid", "floor")
_BINARY = ("add", "mul", "sub", "maximum", "minimum")


@st.composite
def programs(draw: st.DrawFn) -> Graph:
    """A graph that verifies and runs: `x` f32[n, 4], n in 1..8, and float arithmetic on it."""
    graph = Graph("program")
    graph.symbols["n"] = SymbolRange(1, 8)
    graph.add_input("x", TensorType(DType.F32, (symbol("n"), 4)))
    data = np.linspace(-1, 1, 16, dtype=np.float32).reshape(4, 4)
    graph.add_weight(inline_weight("w", data, DType.F32))
    pool = [graph.inputs[0]]
    for _ in range(draw(st.integers(1, 8))):
        op = draw(st.sampled_from([*_UNARY, *_BINARY, "linear", "softmax", "permute"]))
        a, b = draw(st.sampled_from(pool)), draw(st.sampled_from(pool))
        inputs: list[Value | None] = [a, b] if op in _BINARY else [a]
        if op == "linear":
            inputs = [a, graph.weights["w"], None]
        settings = {"softmax": {"axis": 1}, "permute": {"perm": (1, 0)}}.get(op, {})
        try:
            inferred = infer_types(op, [None if v is None else v.type for v in inputs], settings)
        except ShapeError:
            continue
        assert inferred is not None
        pool.append(graph.add_node(op, inputs, inferred, settings, origin=f"m.{op}").output)
    graph.outputs = [pool[-1]]
    graph.prune_weights()
    return graph
