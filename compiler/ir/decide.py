"""Decide equality, divisibility and order of dimensions over the ranges of their symbols.

    decide_at_most(past * 64, context * 64, ranges, given=(past + seq <= context,))  ->  YES
    decide_equal(2 * seq, seq + 1, ranges)                     ->  NO, for example at seq=2
    decide_divisible(64 * seq, 32, ranges)                     ->  YES

YES: true for every binding of the symbols within their ranges that meets the conditions `given`.
NO: false for some binding; the decision holds one. UNDECIDED: neither was shown. YES and NO are
exact; what is undecided is large and unusual (products of several floor divisions, mostly).

Symbols are whole numbers; one without a range is 0 to 2**63 - 1, as every size is.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import sympy

from optimum_compile.compiler.ir.conditions import (
    Condition,
    Relation,
)
from optimum_compile.compiler.ir.conditions import Decision as Decision
from optimum_compile.compiler.ir.conditions import Verdict as Verdict
from optimum_compile.compiler.ir.prove import UNDECIDED, YES, no, prove
from optimum_compile.compiler.ir.shape import (
    Dim,
    SymbolRange,
    as_dim,
    substitute,
    symbol,
    symbols_of,
)

MAX_SIZE = 2**63 - 1

_Ranges: TypeAlias = Mapping[str, SymbolRange]


def at_most(a: Dim, b: Dim, ranges: _Ranges, given: Iterable[Condition] = ()) -> Verdict:
    """The verdict of `decide_at_most`."""
    return decide_at_most(a, b, ranges, given).verdict


def decide_at_most(a: Dim, b: Dim, ranges: _Ranges, given: Iterable[Condition] = ()) -> Decision:
    """Whether a <= b always."""
    return decide(Condition(a, Relation.AT_MOST, b), ranges, given)


def decide_equal(a: Dim, b: Dim, ranges: _Ranges, given: Iterable[Condition] = ()) -> Decision:
    """Whether a == b always."""
    return decide(Condition(a, Relation.EQUAL, b), ranges, given)


def decide_divisible(a: Dim, b: Dim, ranges: _Ranges, given: Iterable[Condition] = ()) -> Decision:
    """Whether a is always a multiple of b. By 0 nothing is divisible."""
    return decide(Condition(a, Relation.DIVISIBLE, b), ranges, given)


def decide(condition: Condition, ranges: _Ranges, given: Iterable[Condition] = ()) -> Decision:
    """Whether `condition` holds for every binding within `ranges` that meets `given`."""
    facts = tuple(given)
    choice = _choice(condition)
    if choice is not None:
        return _either_way(condition, choice, ranges, facts)
    multiple = next((f for f in facts if _is_multiple(f)), None)
    if multiple is not None:
        return _rescaled(condition, multiple, ranges, facts)
    names = set(condition.symbols).union(*(g.symbols for g in facts))
    if not names:
        never = not all(f.holds({}) for f in facts)
        return YES if never or condition.holds({}) else Decision(Verdict.NO)
    free = SymbolRange(0, MAX_SIZE)
    items = [(n, ranges.get(n, free)) for n in sorted(names)]
    return prove(condition, tuple((n, r.low, r.high) for n, r in items), facts)


def _is_multiple(fact: Condition) -> bool:
    plain = isinstance(fact.left, sympy.Symbol) and isinstance(fact.right, int)
    return fact.relation is Relation.DIVISIBLE and plain and fact.right > 0


def _rescaled(
    condition: Condition, multiple: Condition, ranges: _Ranges, facts: tuple[Condition, ...]
) -> Decision:
    """With `seq % 8 == 0`, seq is 8 times another symbol: floor(seq/8) and the like become plain."""
    (name,), divisor = symbols_of(multiple.left), int(str(multiple.right))
    fresh, span = f"{name}//{divisor}", ranges.get(name, SymbolRange(0, MAX_SIZE))
    put: dict[str, Dim] = {name: divisor * symbol(fresh)}
    own = {**ranges, fresh: SymbolRange(-(-span.low // divisor), span.high // divisor)}
    rest = [_put(f, put) for f in facts if f != multiple]
    found = decide(_put(condition, put), own, rest)
    if found.verdict is not Verdict.NO:
        return found
    at = dict(found.witness)
    return no(
        {
            **{n: v for n, v in at.items() if n != fresh},
            name: divisor * at.get(fresh, own[fresh].low),
        }
    )


def _put(condition: Condition, bindings: Mapping[str, Dim]) -> Condition:
    left, right = substitute(condition.left, bindings), substitute(condition.right, bindings)
    return Condition(left, condition.relation, right)


def _choice(condition: Condition) -> sympy.Expr | None:
    """A maximum or minimum inside the condition, innermost first."""
    for side in (condition.left, condition.right):
        found = () if isinstance(side, int) else side.atoms(sympy.Max, sympy.Min)
        if found:
            return min(found, key=lambda e: (len(str(e)), str(e)))
    return None


def _either_way(
    condition: Condition, choice: sympy.Expr, ranges: _Ranges, facts: tuple[Condition, ...]
) -> Decision:
    """Max(a, b) is a where b <= a, and b where a <= b."""
    first = as_dim(choice.args[0])
    rest = as_dim(choice.func(*choice.args[1:]))
    undecided = False
    for picked, other in ((first, rest), (rest, first)):
        pair = (other, picked) if isinstance(choice, sympy.Max) else (picked, other)
        where = Condition(pair[0], Relation.AT_MOST, pair[1])
        sides = (
            s if isinstance(s, int) else as_dim(s.xreplace({choice: sympy.sympify(picked)}))
            for s in (condition.left, condition.right)
        )
        found = decide(_of(sides, condition), ranges, (*facts, where))
        if found.verdict is Verdict.NO:
            return found
        undecided |= found.verdict is Verdict.UNDECIDED
    return UNDECIDED if undecided else YES


def _of(sides: Iterable[Dim], condition: Condition) -> Condition:
    left, right = sides
    return Condition(left, condition.relation, right)
