"""Give symbols values: one graph becomes prefill and decode functions."""

from collections.abc import Mapping

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.ir.graph import Attr, Graph, State, Value
from optimum_compile.compiler.ir.guards import Guards, needed
from optimum_compile.compiler.ir.shape import (
    Dim,
    bounds,
    format_dim,
    parse_dim,
    substitute,
    symbols_of,
)
from optimum_compile.passes.symbolic_shape.context import CONTEXT, resize_context

# Attributes that hold dimensions as text.
DIM_ATTRS = {
    "reshape": ("shape",),
    "expand": ("shape",),
    "full": ("shape",),
    "slice": ("start", "stop"),
    "arange": ("start", "stop"),
}


def specialize(graph: Graph, bindings: Mapping[str, Dim], name: str | None = None) -> Graph:
    """A new graph in which the symbols of `bindings` have their values.

    Before:  input %tokens : i64[1, seq]    with seq in 1..512
    After:   input %tokens : i64[1, 64]     specialize(graph, {"seq": 64})

    `context` is the length of the KV cache, also where the graph was imported with a number.

    Weights are shared by reference; notes are copied. Raises OptionError for an unknown symbol, a
    value outside its range, or one that a guard forbids.
    """
    if CONTEXT in bindings and CONTEXT not in graph.symbols:
        rest = {n: v for n, v in bindings.items() if n != CONTEXT}
        longer = specialize(graph, {}, name)
        resize_context(longer, bindings[CONTEXT])
        return specialize(longer, rest, name) if rest else longer
    _check(graph, bindings)
    out = Graph(name or graph.name)
    out.symbols = {s: r for s, r in graph.symbols.items() if s not in bindings}
    new_symbols = {s for v in bindings.values() for s in symbols_of(v)}
    out.symbols |= {s: graph.symbols[s] for s in sorted(new_symbols) if s in graph.symbols}
    out.notes.copy_from(graph.notes)
    _keep_guards(out, bindings)
    made: dict[Value, Value] = {}

    def copy(old: Value, new: Value) -> None:
        new.notes.copy_from(old.notes)
        made[old] = new

    for value in graph.inputs:
        copy(value, out.add_input(value.name, value.type.substituted(bindings)))
    for state in graph.states:
        copy(state.read, out.add_state(state.name, state.read.type.substituted(bindings)).read)
    for value in graph.weights.values():
        if value.weight is not None:
            fresh = out.add_weight(value.weight)
            fresh.type = value.type
            copy(value, fresh)
    for node in graph.nodes:
        fresh_node = out.add_node(
            node.op,
            [None if v is None else made[v] for v in node.inputs],
            [v.type.substituted(bindings) for v in node.outputs],
            _attrs(node.op, node.attrs, bindings),
            origin=node.origin,
            names=[v.name for v in node.outputs],
        )
        fresh_node.notes.copy_from(node.notes)
        for old, new in zip(node.outputs, fresh_node.outputs, strict=True):
            copy(old, new)
    out.outputs = [made[v] for v in graph.outputs]
    out.states = [
        State(s.name, fresh_state.read, made[s.written])
        for s, fresh_state in zip(graph.states, out.states, strict=True)
    ]
    return out


def _check(graph: Graph, bindings: Mapping[str, Dim]) -> None:
    for name, value in bindings.items():
        allowed = graph.symbols.get(name)
        if allowed is None:
            known = ", ".join(graph.symbols) or "none"
            raise OptionError(f"symbol {name!r} is not in the graph; it has: {known}")
        span = bounds(value, graph.symbols)
        if span is None or span.low < allowed.low or span.high > allowed.high:
            raise OptionError(
                f"{name}={format_dim(value)}: expected {allowed.low} to {allowed.high}"
            )


def _keep_guards(out: Graph, bindings: Mapping[str, Dim]) -> None:
    """Put the values into the guards; what is met is dropped, what never can be is refused."""
    note = out.notes.get(Guards)
    if note is None:
        return
    placed = [g.substituted(bindings) for g in note.guards]
    for guard, fresh in zip(note.guards, placed, strict=True):
        if not fresh.symbols and not fresh.holds({}):
            given = ", ".join(f"{n}={format_dim(v)}" for n, v in bindings.items())
            raise OptionError(
                f"{given}: expected {guard} ({guard.reason}); choose other values, or export the "
                "model without that condition"
            )
    kept = needed(placed, out.symbols)
    out.notes.drop(Guards)
    if kept or note.unread:
        out.notes.put(Guards(kept, note.unread))


def _attrs(op: str, attrs: Mapping[str, Attr], bindings: Mapping[str, Dim]) -> dict[str, Attr]:
    if op == "aten":
        return {k: _aten(v, bindings) if k == "args" else v for k, v in attrs.items()}
    keys = DIM_ATTRS.get(op, ())
    return {k: _dims(v, bindings) if k in keys else v for k, v in attrs.items()}


def _dims(value: Attr, bindings: Mapping[str, Dim]) -> Attr:
    if isinstance(value, tuple):
        return tuple(_dims(v, bindings) for v in value)
    return dim_text(substitute(parse_dim(value), bindings)) if isinstance(value, str) else value


def _aten(value: Attr, bindings: Mapping[str, Dim]) -> Attr:
    if not isinstance(value, tuple):
        return value
    if len(value) == 2 and value[0] == "$dim" and isinstance(value[1], str):
        dim = substitute(parse_dim(value[1]), bindings)
        return dim if isinstance(dim, int) else ("$dim", format_dim(dim))
    return tuple(_aten(v, bindings) for v in value)


def dim_text(dim: Dim) -> int | str:
    """A dimension as an attribute holds it."""
    return dim if isinstance(dim, int) else format_dim(dim)
