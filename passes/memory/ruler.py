"""Lengths in the arena: expressions that add, join and compare fast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import lcm

import sympy

from optimum_compile.compiler.ir.polynomial import Polynomial, to_dim
from optimum_compile.compiler.ir.shape import Dim, SymbolRange, as_dim
from optimum_compile.passes.memory.box import Box, Row
from optimum_compile.passes.memory.rounding import floor_bounds, rounded_up

INNER_SAMPLES = (17, 61, 509)  # odd: rounding shows there, and at powers of two it does not


@dataclass(frozen=True, slots=True)
class Part:
    """One polynomial in units of the alignment.

    terms: coefficients of the ruler's monomials. floors: those of its monomials with a floor division.
    row: the terms on the box.
    """

    terms: tuple[int, ...]
    floors: tuple[int, ...]
    row: Row


@dataclass(frozen=True, slots=True)
class Length:
    """The greatest of a few polynomials, of which none is at most another: mostly a single one.

    at: values at the ruler's samples, to score with.
    """

    parts: tuple[Part, ...]
    at: tuple[int, ...]
    ruler: "Ruler" = field(repr=False, compare=False)

    def __add__(self, other: "Length") -> "Length":
        if len(self.parts) == 1 == len(other.parts):
            return Length(
                (_sum(self.parts[0], other.parts[0]),), _plus(self.at, other.at), self.ruler
            )
        sums = [_sum(p, q) for p in self.parts for q in other.parts]
        return self.ruler.greatest(sums, _plus(self.at, other.at))

    def __sub__(self, other: "Length") -> "Length":
        """Without a length of one part."""
        minus = self.ruler.scaled(other, -1)
        return Length(
            tuple(_sum(p, minus.parts[0]) for p in self.parts), _plus(self.at, minus.at), self.ruler
        )

    def __le__(self, other: "Length") -> bool:
        """Proved for every value of the symbols. Neither of two lengths may be at most the other."""
        at_most = self.ruler.at_most
        return all(any(at_most(a, b) for b in other.parts) for a in self.parts)


class Ruler:
    """Makes lengths of the sizes of one problem, and of those lengths others.

    Args:
        sizes: in bytes; see `rounding.rounded_up` for what becomes of them.
        symbols: ranges of the symbols.
        unit: the alignment, bytes.
        max_parts: polynomials in a length, at most; further ones are joined into one that is above them.
    """

    def __init__(
        self,
        sizes: Sequence[Dim],
        symbols: Mapping[str, SymbolRange],
        unit: int,
        max_parts: int = 1,
    ) -> None:
        known = {size: rounded_up(size, unit) for size in dict.fromkeys(sizes)}
        self.unit, self.max_parts = unit, max_parts
        found = {m: Polynomial(((m, 1),)) for p in known.values() for m, _ in p.terms}
        spans = {m: floor_bounds(p) for m, p in found.items()}
        self.monomials = [m for m in found if spans[m] is None]
        self.floored = [m for m in found if spans[m] is not None]
        pairs = [s for s in spans.values() if s is not None]
        scale = lcm(*(by for _, _, by in pairs))
        plain = [found[m].scaled(scale) for m in self.monomials]
        low = [p.scaled(scale // by) for p, _, by in pairs]
        high = [p.scaled(scale // by) for _, p, by in pairs]
        self.box = Box.of([*plain, *low, *high], symbols)
        self.samples = self.box.samples(INNER_SAMPLES)
        self._rows = [self.box.row(p) for p in plain]
        self._low, self._high = ([self.box.row(p) for p in each] for each in (low, high))
        self._width = len(self.box.row(Polynomial()))
        self._at = [
            tuple(found[m].value(s) for s in self.samples) for m in (*self.monomials, *self.floored)
        ]
        self.zero = self._single((0,) * len(found))
        self._known = {
            size: self._single(
                tuple(dict(p.terms).get(m, 0) for m in (*self.monomials, *self.floored))
            )
            for size, p in known.items()
        }

    def length(self, size: Dim) -> Length:
        """The length of one of `sizes`."""
        return self._known[size]

    def scaled(self, length: Length, times: int) -> Length:
        """A length of one part, so many times."""
        part = length.parts[0]
        return self._single(tuple(n * times for n in (*part.terms, *part.floors)))

    def at_most(self, a: Part, b: Part) -> bool:
        """Whether it is proved that `a` is nowhere above `b`."""
        if a.floors == b.floors:
            return all(x <= y for x, y in zip(a.row, b.row, strict=True))
        slack = [y - x for x, y in zip(a.row, b.row, strict=True)]
        for m, n, low, high in zip(a.floors, b.floors, self._low, self._high, strict=True):
            if m != n:
                edge = low if n > m else high
                slack = [s + (n - m) * e for s, e in zip(slack, edge, strict=True)]
        return min(slack) >= 0

    def greatest(self, parts: Sequence[Part], at: tuple[int, ...]) -> Length:
        """The greatest of `parts`, values `at`; something above where that has too many parts."""
        kept = self.undominated(parts)
        if len(kept) <= self.max_parts:
            return Length(tuple(kept), at, self)
        while len(kept) > self.max_parts:
            # The pair goes whose join is the least.
            joins = [(j, a, b) for a, b in combinations(kept, 2) for j in self._joins(a, b)]
            best, a, b = min(joins, key=lambda j: (sum(j[0].row), j[0].terms, j[0].floors))
            kept = self.undominated([best, *(p for p in kept if p is not a and p is not b)])
        values = (self._values((*p.terms, *p.floors)) for p in kept)
        return Length(tuple(kept), tuple(map(max, at, *values)), self)

    def join(self, lengths: Sequence[Length]) -> Length:
        """A length that is nowhere below any of `lengths`: their maximum where few parts say it."""
        if len(lengths) == 1:
            return lengths[0]
        parts = [p for each in (self.zero, *lengths) for p in each.parts]
        return self.greatest(parts, tuple(map(max, self.zero.at, *(each.at for each in lengths))))

    def undominated(self, parts: Sequence[Part]) -> list[Part]:
        """Those that are at most no other one; of equal ones the first."""
        kept: list[Part] = []
        for each in parts:
            if not any(self.at_most(each, other) for other in kept):
                kept = [other for other in kept if not self.at_most(other, each)]
                kept.append(each)
        return kept

    def expression(self, length: Length) -> Dim:
        """Bytes."""
        found = [self._dim(p) for p in length.parts]
        return found[0] if len(found) == 1 else as_dim(sympy.Max(*found))

    def _joins(self, a: Part, b: Part) -> list[Part]:
        """Polynomials that are nowhere below `a` nor `b`."""
        # Symbols are never negative, so that the greater coefficients make the greater sum.
        terms = map(max, (*a.terms, *a.floors), (*b.terms, *b.floors))
        out = [self._part(tuple(terms))]
        chord = self._chord(a, b)
        return [*out, chord] if chord else out

    def _chord(self, a: Part, b: Part) -> Part | None:
        # The greater of two straight lines is convex: the line through its ends is above it.
        names = list(self.box.ranges)
        straight = {(), ((names[0], 1),)} if len(names) == 1 else set()
        if set(self.monomials) != straight or self.floored or len(a.row) != 2:
            return None
        span = self.box.ranges[names[0]]
        width = span.high - span.low
        if not width:
            return None
        low, high = max(a.row[0], b.row[0]), max(a.row[1], b.row[1])
        steep, flat = -((low - high) // width), (high - low) // width
        # Slopes are whole numbers, so that one end stays a little above.
        lines = [(low - steep * span.low, steep), (high - flat * span.high, flat)]
        found = (self._part(tuple(line[bool(m)] for m in self.monomials)) for line in lines)
        return min(found, key=lambda c: sum(c.row))

    def _single(self, terms: tuple[int, ...]) -> Length:
        return Length((self._part(terms),), self._values(terms), self)

    def _part(self, terms: tuple[int, ...]) -> Part:
        plain = terms[: len(self.monomials)]
        return Part(plain, terms[len(plain) :], _combine(plain, self._rows, self._width))

    def _values(self, terms: tuple[int, ...]) -> tuple[int, ...]:
        return _combine(terms, self._at, len(self.samples))

    def _dim(self, part: Part) -> Dim:
        terms = zip((*self.monomials, *self.floored), (*part.terms, *part.floors), strict=True)
        return to_dim(Polynomial(tuple((m, n * self.unit) for m, n in terms if n)))


def parts_of(dim: Dim) -> tuple[Dim, ...]:
    """The expressions of which `dim` is the greatest."""
    return tuple(as_dim(a) for a in dim.args) if isinstance(dim, sympy.Max) else (dim,)


def _sum(a: Part, b: Part) -> Part:
    return Part(_plus(a.terms, b.terms), _plus(a.floors, b.floors), _plus(a.row, b.row))


def _plus(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    return tuple([x + y for x, y in zip(a, b, strict=True)])  # hot: faster than a generator


def _combine(terms: Sequence[int], columns: Sequence[Sequence[int]], width: int) -> tuple[int, ...]:
    out = [0] * width
    for times, column in zip(terms, columns, strict=True):
        if times:
            for at, value in enumerate(column):
                out[at] += times * value
    return tuple(out)
