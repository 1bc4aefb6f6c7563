"""Bounds of a polynomial over a box, and proofs by eliminating variables."""

import itertools
import math
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from optimum_compile.compiler.ir.polynomial import Atom, Floor, Monomial, Polynomial, number

Box: TypeAlias = Mapping[str, tuple[int, int]]  # inclusive bounds of every symbol

MAX_CORNER_SYMBOLS = 6
MAX_ROWS = 400

_Row: TypeAlias = tuple[dict[Monomial, int], int]  # sum of coefficient * monomial + constant <= 0


def span(polynomial: Polynomial, box: Box) -> tuple[int, int]:
    """An interval that holds every value over `box`, term by term. Raises KeyError."""
    low = high = 0
    for monomial, coefficient in polynomial.terms:
        a, b = _monomial_span(monomial, box)
        a, b = (
            (a * coefficient, b * coefficient)
            if coefficient > 0
            else (b * coefficient, a * coefficient)
        )
        low, high = low + a, high + b
    return low, high


def maximum(polynomial: Polynomial, box: Box) -> int:
    """An upper bound over `box`: exact where every symbol is monotonic or of degree one.

    Before:  p*seq - p    over p in 0..9, seq in 1..8    term by term: 72
    After:   both symbols only help, so p = 9, seq = 8:  63
    """
    open_symbols = {s for s in polynomial.symbols if box[s][0] < box[s][1]}
    settled = dict(box)
    moved = True
    while moved and open_symbols:
        moved = False
        for name in sorted(open_symbols):
            way = direction(polynomial, name, settled)
            if way:
                end = settled[name][1 if way > 0 else 0]
                settled[name] = (end, end)
                open_symbols.discard(name)
                moved = True
    found = span(polynomial, settled)[1]
    if not open_symbols or len(open_symbols) > MAX_CORNER_SYMBOLS:
        return found
    if any(p > 1 or isinstance(a, Floor) for m, _ in polynomial.terms for a, p in m):
        return found
    # Affine in each symbol by itself: the maximum lies at a corner.
    names = sorted(open_symbols)
    corners = itertools.product(*(settled[n] for n in names))
    points = (settled | {n: (v, v) for n, v in zip(names, c, strict=True)} for c in corners)
    return min(found, max(span(polynomial, p)[1] for p in points))


def minimum(polynomial: Polynomial, box: Box) -> int:
    """A lower bound over `box`; see `maximum`."""
    return -maximum(polynomial.scaled(-1), box)


def direction(polynomial: Polynomial, name: str, box: Box) -> int:
    """1 where the polynomial never falls as the symbol grows, -1 where it never rises, 0 unknown."""
    ways: set[int] = set()
    for part in polynomial.atoms:
        own = _atom_direction(part, name, box)
        if own is None:
            continue
        low, high = span(polynomial.derivative(part), box)
        sign = 1 if low >= 0 else -1 if high <= 0 else 0
        ways.add(sign * own)
    return ways.pop() if len(ways) == 1 else 0


def _atom_direction(part: Atom, name: str, box: Box) -> int | None:
    """As `direction`; None where the symbol does not occur."""
    if isinstance(part, str):
        return 1 if part == name else None
    return direction(part.numerator, name, box) if name in part.numerator.symbols else None


def impossible(polynomials: Iterable[Polynomial], box: Box) -> bool:
    """Whether no integers in `box` make every polynomial <= 0: proved, or False.

    Fourier and Motzkin's elimination over monomials as variables, with rows rounded to integers.
    A floor division q = floor(p/d) joins as d*q <= p and p <= d*q + d - 1.
    """
    rows = [_row(p) for p in polynomials]
    seen: set[Monomial] = set()
    todo = [m for row, _ in rows for m in row]
    while todo:
        monomial = todo.pop()
        if monomial in seen:
            continue
        seen.add(monomial)
        low, high = _monomial_span(monomial, box)
        rows += [({monomial: 1}, -high), ({monomial: -1}, low)]
        for link in _links(monomial):
            rows.append(link)
            todo += list(link[0])
    return _eliminate(rows)


def _links(monomial: Monomial) -> list[_Row]:
    if len(monomial) != 1 or monomial[0][1] != 1 or not isinstance(monomial[0][0], Floor):
        return []
    part = monomial[0][0]
    scaled = Polynomial(((monomial, part.divisor),))
    above = part.numerator - scaled - number(part.divisor - 1)
    return [_row(scaled - part.numerator), _row(above)]


def _row(polynomial: Polynomial) -> _Row:
    return {m: c for m, c in polynomial.terms if m}, polynomial.constant


def _eliminate(rows: list[_Row]) -> bool:
    while True:
        tightened: dict[tuple[tuple[Monomial, int], ...], _Row] = {}
        for row, constant in rows:
            if not row:
                if constant > 0:
                    return True
                continue
            shared = math.gcd(*row.values())
            # sum <= -constant/shared, and the sum is whole
            fresh = {m: c // shared for m, c in row.items()}, -((-constant) // shared)
            key = tuple(sorted(fresh[0].items(), key=str))
            if key not in tightened or tightened[key][1] < fresh[1]:
                tightened[key] = fresh
        rows = list(tightened.values())
        if not rows or len(rows) > MAX_ROWS:
            return False
        # An equality with a coefficient of one goes first: putting it in loses nothing, while
        # eliminating between inequalities forgets that the values are whole.
        rows = _without(rows, _equal_to_others(rows) or _cheapest(rows))


def _equal_to_others(rows: list[_Row]) -> Monomial | None:
    known = {(frozenset(row.items()), constant) for row, constant in rows}
    for row, constant in rows:
        single = next((m for m, c in row.items() if abs(c) == 1), None)
        if single is None or len(row) == 1:
            continue
        if (frozenset((m, -c) for m, c in row.items()), -constant) in known:
            return single
    return None


def _cheapest(rows: list[_Row]) -> Monomial:
    counts: dict[Monomial, list[int]] = {}
    for row, _ in rows:
        for monomial, coefficient in row.items():
            counts.setdefault(monomial, [0, 0])[coefficient > 0] += 1
    return min(counts, key=lambda m: (counts[m][0] * counts[m][1], str(m)))


def _without(rows: list[_Row], gone: Monomial) -> list[_Row]:
    out = [r for r in rows if gone not in r[0]]
    ups = [r for r in rows if r[0].get(gone, 0) > 0]
    downs = [r for r in rows if r[0].get(gone, 0) < 0]
    for up, up_constant in ups:
        for down, down_constant in downs:
            a, b = -down[gone], up[gone]
            sums = {m: a * c for m, c in up.items()}
            for monomial, coefficient in down.items():
                sums[monomial] = sums.get(monomial, 0) + b * coefficient
            kept = {m: c for m, c in sums.items() if c}
            out.append((kept, a * up_constant + b * down_constant))
    return out


def _monomial_span(monomial: Monomial, box: Box) -> tuple[int, int]:
    low = high = 1
    for part, power in monomial:
        a, b = _atom_span(part, box)
        ends = [a**power, b**power] + ([0] if a < 0 < b else [])
        corners = [x * y for x in (low, high) for y in (min(ends), max(ends))]
        low, high = min(corners), max(corners)
    return low, high


def _atom_span(part: Atom, box: Box) -> tuple[int, int]:
    if isinstance(part, str):
        return box[part]
    low, high = span(part.numerator, box)
    return low // part.divisor, high // part.divisor
