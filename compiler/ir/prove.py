"""Decide a condition between polynomials over a box; `compiler.ir.decide` is the way in."""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import TypeAlias

from optimum_compile.compiler.ir.conditions import Condition, Decision, Relation, Verdict
from optimum_compile.compiler.ir.intervals import impossible, maximum
from optimum_compile.compiler.ir.polynomial import (
    Floor,
    Monomial,
    Polynomial,
    UnsupportedExpressionError,
    floor,
    from_dim,
    number,
    to_dim,
)

MAX_BOXES = 256  # of the search that halves ranges
MAX_POINTS = 1024  # tried for a counterexample
MAX_TRIED = 128  # where every point is slow
MAX_RESIDUES = 20_000

_Box: TypeAlias = dict[str, tuple[int, int]]
Items: TypeAlias = tuple[tuple[str, int, int], ...]  # symbols with inclusive bounds

YES = Decision(Verdict.YES)
UNDECIDED = Decision(Verdict.UNDECIDED)


@lru_cache(maxsize=16384)
def prove(condition: Condition, items: Items, facts: tuple[Condition, ...]) -> Decision:
    """Whether `condition` holds in the box for every binding that meets `facts`."""
    box = {n: (low, high) for n, low, high in items}
    if any(low > high for low, high in box.values()):
        return YES  # there is no binding at all
    try:
        left, left_by = from_dim(condition.left)
        right, right_by = from_dim(condition.right)
        known = _Facts(facts)
    except UnsupportedExpressionError:
        return _search(condition, box, facts)
    difference = left.scaled(right_by) - right.scaled(left_by)
    if condition.relation is Relation.AT_MOST:
        return _never_above(difference, box, known)
    if condition.relation is Relation.EQUAL:
        return _always_zero(difference, box, known)
    if condition.relation is Relation.NOT_EQUAL:
        return _never_zero(difference, box, known)
    # left/left_by is a multiple of right/right_by
    return _multiple(left.scaled(right_by), right.scaled(left_by), box, known)


class _Facts:
    """The conditions that may be taken for granted, and their rows `polynomial <= 0`.

    One that is no polynomial gives no row; counterexamples meet it all the same.
    """

    def __init__(self, facts: tuple[Condition, ...]) -> None:
        self.conditions = facts
        self.rows: list[Polynomial] = []
        self.multiples: list[tuple[Condition, Polynomial, int]] = []
        for fact in facts:
            with suppress(UnsupportedExpressionError):
                self._add(fact)

    def _add(self, fact: Condition) -> None:
        left, left_by = from_dim(fact.left)
        right, right_by = from_dim(fact.right)
        difference = left.scaled(right_by) - right.scaled(left_by)
        if fact.relation in (Relation.AT_MOST, Relation.EQUAL):
            self.rows.append(difference)
        if fact.relation is Relation.EQUAL:
            self.rows.append(difference.scaled(-1))
        if fact.relation is Relation.DIVISIBLE and right.is_constant and right_by == 1:
            divisor = right.constant * left_by
            if divisor > 0:
                self.rows += _multiple_rows(left, divisor)
                self.multiples.append((fact, left, divisor))

    def hold(self, bindings: Mapping[str, int]) -> bool:
        return all(c.holds(bindings) for c in self.conditions)

    def exclude(self, box: _Box) -> bool:
        """Whether no binding in the box can meet the conditions (a quick look)."""
        return any(-maximum(r.scaled(-1), box) > 0 for r in self.rows)


def _multiple_rows(left: Polynomial, divisor: int) -> list[Polynomial]:
    """Rows that say that `left` is divisor * floor(left/divisor)."""
    rest = left - floor(left, divisor).scaled(divisor)
    return [rest, rest.scaled(-1)]


# ---- order


def _never_above(difference: Polynomial, box: _Box, known: _Facts) -> Decision:
    """Whether difference <= 0."""
    if maximum(difference, box) <= 0:
        return YES
    found = _witness(lambda b: difference.value(b) > 0, _points(box), known)
    if found:
        return found
    if impossible([number(1) - _primitive(difference, box), *known.rows], box):
        return YES
    return _halve(difference, box, known)


def _primitive(difference: Polynomial, box: _Box) -> Polynomial:
    """Without the factor that all terms share: where that is positive, the signs agree.

    Before:  64*batch*past + 64*batch*seq - 64*batch*context
    After:   past + seq - context
    """
    shared = difference.terms[0][0]
    for monomial, _ in difference.terms:
        powers = dict(monomial)
        shared = tuple((a, min(p, powers.get(a, 0))) for a, p in shared if powers.get(a, 0))
    # Where the factor may be negative the sign of the rest says nothing.
    shared = tuple((a, p) for a, p in shared if isinstance(a, str) and box[a][0] >= 0)
    scale = math.gcd(*(c for _, c in difference.terms))
    return Polynomial(tuple((_divided(m, shared), c // scale) for m, c in difference.terms))


def _divided(monomial: Monomial, by: Monomial) -> Monomial:
    gone = dict(by)
    return tuple((a, p - gone.get(a, 0)) for a, p in monomial if p > gone.get(a, 0))


def _halve(difference: Polynomial, box: _Box, known: _Facts) -> Decision:
    """Halve the widest range until every part is decided or there are too many."""
    todo = [box]
    for _ in range(MAX_BOXES):
        if not todo:
            return YES
        part = todo.pop()
        if maximum(difference, part) <= 0 or known.exclude(part):
            continue
        widest = max(part, key=lambda n: part[n][1] - part[n][0])
        low, high = part[widest]
        if low == high:
            if known.hold({n: r[0] for n, r in part.items()}):
                return no({n: r[0] for n, r in part.items()})
            continue
        found = _witness(lambda b: difference.value(b) > 0, _points(part, few=True), known)
        if found:
            return found
        middle = (low + high) // 2
        todo += [part | {widest: (low, middle)}, part | {widest: (middle + 1, high)}]
    return UNDECIDED if todo else YES


# ---- equality


def _always_zero(difference: Polynomial, box: _Box, known: _Facts) -> Decision:
    if not difference.terms:
        return YES
    found = _witness(lambda b: difference.value(b) != 0, _grid(difference, box), known)
    if found:
        return found
    above = _never_above(difference, box, known)
    below = _never_above(difference.scaled(-1), box, known) if above is YES else above
    return next((d for d in (above, below) if d is not YES), YES)


def _never_zero(difference: Polynomial, box: _Box, known: _Facts) -> Decision:
    found = _witness(lambda b: difference.value(b) == 0, _points(box), known)
    if found:
        return found
    rows = [difference, difference.scaled(-1), *known.rows]
    if maximum(difference, box) < 0 or maximum(difference.scaled(-1), box) < 0:
        return YES
    if impossible(rows, box):
        return YES
    return _search(Condition(to_dim(difference), Relation.NOT_EQUAL, 0), box, known.conditions)


# ---- divisibility


def _multiple(left: Polynomial, right: Polynomial, box: _Box, known: _Facts) -> Decision:
    if not right.is_constant:
        return _multiple_of_symbols(left, right, box, known)
    divisor = abs(right.constant)
    if divisor == 0:
        return _witness(lambda b: True, _points(box), known) or UNDECIDED
    # A symbol matters only by its remainder: what repeats is looked at once.
    periods = {n: _period(left, divisor, n) for n in sorted(left.symbols)}
    for _, side, modulus in known.multiples:
        for name in side.symbols:
            periods[name] = math.lcm(periods.get(name, 1), _period(side, modulus, name))
    spans = {n: min(p, box[n][1] - box[n][0] + 1) for n, p in periods.items()}
    if math.prod(spans.values()) > MAX_RESIDUES:
        return _witness(lambda b: left.value(b) % divisor != 0, _points(box), known) or UNDECIDED
    rest = [c for c, _, _ in known.multiples]
    suspects = False
    names = list(spans)
    for step in itertools.product(*(range(spans[n]) for n in names)):
        point = {n: box[n][0] + k for n, k in zip(names, step, strict=True)}
        if left.value(point) % divisor == 0:
            continue
        if not all(c.holds(point) for c in rest if c.symbols <= set(point)):
            continue
        suspects = True
        found = _witness(lambda b: True, _same_remainders(point, periods, box), known)
        if found:
            return found
    return UNDECIDED if suspects else YES


def _same_remainders(
    point: Mapping[str, int], periods: Mapping[str, int], box: _Box
) -> Iterator[dict[str, int]]:
    """Points of the box with the remainders of `point`: the least, and the greatest."""
    for others in itertools.islice(_points({n: r for n, r in box.items() if n not in point}), 16):
        yield {**others, **point}
        last = {n: v + (box[n][1] - v) // periods[n] * periods[n] for n, v in point.items()}
        yield {**others, **last}


def _period(polynomial: Polynomial, modulus: int, name: str) -> int:
    """After how many steps of a symbol the value repeats modulo `modulus`."""
    out = 1
    for monomial, coefficient in polynomial.terms:
        own = modulus // math.gcd(modulus, coefficient)
        for part, _ in monomial:
            if part == name:
                out = math.lcm(out, own)
            elif isinstance(part, Floor):
                out = math.lcm(out, _period(part.numerator, own * part.divisor, name))
    return out


def _multiple_of_symbols(left: Polynomial, right: Polynomial, box: _Box, known: _Facts) -> Decision:
    condition = Condition(to_dim(left), Relation.DIVISIBLE, to_dim(right))
    positive = maximum(right.scaled(-1), box) < 0 or maximum(right, box) < 0
    if positive and _quotient(left, right) is not None:
        return YES
    return _search(condition, box, known.conditions)


def _quotient(left: Polynomial, right: Polynomial) -> Polynomial | None:
    """The quotient, where that is a polynomial with whole coefficients."""
    names = sorted({str(a) for a in (*left.atoms, *right.atoms)})

    def order(term: tuple[Monomial, int]) -> list[int]:
        powers = {str(a): p for a, p in term[0]}
        return [powers.get(n, 0) for n in names]

    lead, scale = max(right.terms, key=order)
    out = Polynomial()
    for _ in range(64):
        if not left.terms:
            return out
        monomial, coefficient = max(left.terms, key=order)
        powers = dict(monomial)
        if coefficient % scale or any(powers.get(a, 0) < p for a, p in lead):
            return None
        step = Polynomial(((_divided(monomial, lead), coefficient // scale),))
        out, left = out + step, left - step * right
    return None


# ---- counterexamples


def _witness(
    fails: Callable[[dict[str, int]], bool], points: Iterable[dict[str, int]], known: _Facts
) -> Decision | None:
    """The first point that `fails` and meets the conditions."""
    return next((no(p) for p in points if fails(p) and known.hold(p)), None)


def no(bindings: Mapping[str, int]) -> Decision:
    """The verdict NO, false for `bindings`."""
    return Decision(Verdict.NO, tuple(sorted(bindings.items())))


def _points(box: _Box, few: bool = False) -> Iterator[dict[str, int]]:
    """Corners first, then combinations with values inside."""
    names = list(box)
    ends = [list(dict.fromkeys(box[n])) for n in names]
    inside = ends if few else [_inner(*box[n]) for n in names]
    both = itertools.chain(itertools.product(*ends), itertools.product(*inside))
    for values in itertools.islice(both, MAX_POINTS):
        yield dict(zip(names, values, strict=True))


def _inner(low: int, high: int) -> list[int]:
    near = (low, low + 1, low + 2, (low + high) // 2, high - 1, high)
    return list(dict.fromkeys(v for v in near if low <= v <= high))


def _grid(difference: Polynomial, box: _Box) -> Iterator[dict[str, int]]:
    """Enough points that a polynomial that is zero on all of them is zero everywhere."""
    names = list(box)
    degree = max((p for m, _ in difference.terms for _, p in m), default=0)
    counts = [min(box[n][1] - box[n][0], degree) + 1 for n in names]
    steps = itertools.product(*(range(c) for c in counts))
    grid = ({n: box[n][0] + k for n, k in zip(names, s, strict=True)} for s in steps)
    return itertools.islice(itertools.chain(_points(box), grid), 2 * MAX_POINTS)


def _search(condition: Condition, box: _Box, facts: tuple[Condition, ...]) -> Decision:
    """Every binding where there are few, else some: for what is no polynomial."""
    names = list(box)
    count = math.prod(high - low + 1 for low, high in box.values())
    every = itertools.product(*(range(box[n][0], box[n][1] + 1) for n in names))
    whole = count <= MAX_POINTS
    some = itertools.islice(_points(box), MAX_TRIED)
    points = (dict(zip(names, v, strict=True)) for v in every) if whole else some
    for point in points:
        if all(f.holds(point) for f in facts) and not condition.holds(point):
            return no(point)
    return YES if whole else UNDECIDED
