"""Bind the names and symbols of a graph to what it is given."""

from collections.abc import Iterable, Mapping
from typing import Any

import sympy

from optimum_compile.compiler.errors import UserError
from optimum_compile.compiler.ir.graph import Graph, Value
from optimum_compile.compiler.ir.guards import check_guards, guards_of
from optimum_compile.compiler.ir.shape import Dim, evaluate, symbol, symbols_of


def bind_symbols(
    graph: Graph, given: Iterable[tuple[Value, tuple[int, ...]]], bindings: dict[str, int]
) -> None:
    """Bind the symbols of `graph` from concrete shapes, adding to `bindings`.

    Raises UserError for a shape that does not fit its type, a symbol out of its range, or a guard
    that is not met.
    """
    pairs: list[tuple[Value, Dim, int]] = []
    for value, shape in given:
        if len(shape) != value.type.rank:
            raise UserError(f"{value.name}: got the shape {shape}, expected {value.type}")
        pairs += [(value, d, n) for d, n in zip(value.type.shape, shape, strict=True)]
    # Plain symbols first: they make expressions such as 2*seq checkable instead of solvable.
    for value, dim, size in sorted(pairs, key=lambda p: not isinstance(p[1], int | sympy.Symbol)):
        open_symbols = sorted(symbols_of(dim) - set(bindings))
        if len(open_symbols) == 1:
            solved = _solve(dim, open_symbols[0], size, bindings)
            if solved is not None:
                bindings[open_symbols[0]] = solved
        if symbols_of(dim) <= set(bindings) and evaluate(dim, bindings) == size:
            continue
        bound = ", ".join(f"{n}={bindings[n]}" for n in sorted(symbols_of(dim) & set(bindings)))
        raise UserError(
            f"{value.name}: got {size} where {value.type} has {dim}{bound and f' with {bound}'}"
        )
    for name, size in bindings.items():
        allowed = graph.symbols.get(name)
        if allowed is not None and not allowed.low <= size <= allowed.high:
            raise UserError(
                f"{name}={size}: expected {allowed.low}..{allowed.high}; give inputs of such a size, "
                "or export the model for a wider range"
            )
    check_guards(guards_of(graph), bindings, graph.name)


def value_symbols(graph: Graph) -> dict[str, Value]:
    """Symbols that are the number in an input of one integer, by name: `past` in a slice 0:past+seq."""
    return {
        v.name: v
        for v in graph.inputs
        if v.name in graph.symbols
        and not v.type.dtype.is_float
        and all(d == 1 for d in v.type.shape)
    }


def bound_numbers(graph: Graph, given: Iterable[tuple[Value, Any]]) -> dict[str, int]:
    """What the symbols of `value_symbols` are, from the tensors of the inputs."""
    names = {value: name for name, value in value_symbols(graph).items()}
    return {names[v]: int(t.item()) for v, t in given if v in names and t.numel() == 1}


def same_names(
    kind: str, known: Mapping[str, Value], given: Mapping[str, object], *, missing_allowed: bool
) -> None:
    """Raise UserError for a given name that is not known, or a known one that is not given."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise UserError(f"{kind} {unknown[0]!r}: expected one of {', '.join(known) or 'none'}")
    missing = [n for n in known if n not in given]
    if missing and not missing_allowed:
        raise UserError(f"{kind} {missing[0]!r} is missing; it is {known[missing[0]].type}")


def _solve(dim: Dim, name: str, size: int, bindings: Mapping[str, int]) -> int | None:
    """The value of symbol `name` that makes `dim` equal `size`; None where there is none."""
    if isinstance(dim, int):
        return None
    rest = sympy.expand(dim.subs({symbol(n): v for n, v in bindings.items()}))
    slope, offset = rest.coeff(symbol(name), 1), rest.coeff(symbol(name), 0)
    if rest - slope * symbol(name) - offset != 0 or not (slope.is_Integer and offset.is_Integer):
        return None
    found, remainder = divmod(size - int(offset), int(slope)) if slope else (0, 1)
    return None if remainder or found < 0 else found
