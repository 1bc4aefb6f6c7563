"""Dimensions under assumptions: written simply, and compared as what they are rather than as text."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import sympy

from optimum_compile.compiler.ir.conditions import Condition, Relation, Verdict
from optimum_compile.compiler.ir.decide import at_most, decide_equal
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.guards import facts_of
from optimum_compile.compiler.ir.shape import Dim, SymbolRange, as_dim, symbol


@dataclass(frozen=True)
class Assumptions:
    """What is known of the symbols: ranges, and conditions that hold for every legal call."""

    ranges: Mapping[str, SymbolRange] = field(default_factory=dict)
    given: tuple[Condition, ...] = ()


_NOTHING = Assumptions()
_current: ContextVar[Assumptions] = ContextVar("assumptions", default=_NOTHING)


@contextmanager
def assuming(graph: Graph) -> Iterator[Assumptions]:
    """Within this context `same` knows the ranges and guards of `graph`."""
    known = Assumptions(dict(graph.symbols), facts_of(graph))
    token = _current.set(known)
    try:
        yield known
    finally:
        _current.reset(token)


def same(a: Dim, b: Dim) -> bool:
    """Whether two dimensions are equal for every legal call, as far as can be decided.

    Before:  batch*seq   against   8*batch*floor(seq/8)      two texts
    After:   equal, where a guard says seq % 8 == 0
    """
    if a == b:
        return True
    known = _current.get()
    if not known.given and not (_is_involved(a) or _is_involved(b)):
        return False  # different polynomials are different
    return decide_equal(a, b, known.ranges, known.given).verdict is Verdict.YES


def _is_involved(dim: Dim) -> bool:
    return isinstance(dim, sympy.Expr) and bool(dim.atoms(sympy.floor, sympy.Max, sympy.Min))


def simplified(dim: Dim, known: Assumptions) -> Dim:
    """`dim` in the simplest form that the assumptions allow.

    Before:  floor(seq/floor(seq/8))     Max(1, seq)
    After:   8                           seq             with seq in 1..64 and seq % 8 == 0
    """
    if not _is_involved(dim):
        return dim
    best = _without_choices(dim, known)
    for fact in known.given:
        plain = isinstance(fact.left, sympy.Symbol) and isinstance(fact.right, int)
        if fact.relation is Relation.DIVISIBLE and plain and _is_involved(best):
            best = _divided(best, fact.left, int(str(fact.right)))
    return best


def _divided(dim: Dim, name: Dim, divisor: int) -> Dim:
    """With name = divisor * part: what floor divisions become, and back."""
    part = symbol(f"{name}//{divisor}")
    placed = sympy.expand(sympy.sympify(dim).xreplace({name: divisor * part}))
    plain = as_dim(placed.xreplace({part: sympy.Rational(1, divisor) * sympy.sympify(name)}))
    floored = as_dim(placed.xreplace({part: sympy.floor(sympy.sympify(name) / divisor)}))
    whole = isinstance(plain, int) or not any(not r.is_Integer for r in plain.atoms(sympy.Rational))
    return min([dim, floored, *([plain] if whole else [])], key=_effort)


def _without_choices(dim: Dim, known: Assumptions) -> Dim:
    for choice in sorted(sympy.sympify(dim).atoms(sympy.Max, sympy.Min), key=str):
        for picked in choice.args:
            others = [as_dim(a) for a in choice.args if a is not picked]
            own = as_dim(picked)
            wins = (
                at_most(
                    *((o, own) if isinstance(choice, sympy.Max) else (own, o)),
                    known.ranges,
                    known.given,
                )
                for o in others
            )
            if all(v is Verdict.YES for v in wins):
                return _without_choices(
                    as_dim(sympy.sympify(dim).xreplace({choice: picked})), known
                )
    return dim


def _effort(dim: Dim) -> tuple[int, int]:
    floors = 0 if isinstance(dim, int) else len(list(_floors(dim)))
    return floors, len(str(dim))


def _floors(dim: sympy.Expr) -> Iterator[sympy.Expr]:
    return (e for e in sympy.preorder_traversal(dim) if isinstance(e, sympy.floor))
