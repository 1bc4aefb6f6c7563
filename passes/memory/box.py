"""Where symbols can be, and rows of numbers that compare polynomials there.

A polynomial on a box is a row of Bernstein coefficients, one a corner or inner point of a grid. It is nowhere
above the greatest of them nor below the least, so p <= q holds everywhere if it holds coefficient by
coefficient. Where no symbol has a power above 1, as nearly always, the coefficients are the values in the
corners of the box, and the test is exact. Rows of sums are sums of rows, so that sums of sizes are compared
by the thousand. (`compiler.ir.decide` answers single questions, and knows more.)
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from math import comb, lcm, prod
from typing import TypeAlias

from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.polynomial import Polynomial
from optimum_compile.compiler.ir.shape import SymbolRange

Row: TypeAlias = tuple[int, ...]

MAX_GRID = 1024


@dataclass(frozen=True)
class Box:
    """The values that symbols can take, and the greatest power of each."""

    ranges: Mapping[str, SymbolRange]
    degrees: Mapping[str, int]

    @classmethod
    def of(cls, sizes: Iterable[Polynomial], symbols: Mapping[str, SymbolRange]) -> "Box":
        """The box on which `sizes`, polynomials without floor divisions, can be compared.

        Raises UnsupportedError for a symbol without range, one that can be negative, or far too many powers.
        """
        degrees: dict[str, int] = {}
        for atom, power in (a for p in sizes for monomial, _ in p.terms for a in monomial):
            degrees[str(atom)] = max(degrees.get(str(atom), 0), power)
        for name in degrees:
            _check_range(name, symbols)
        if prod(d + 1 for d in degrees.values()) > MAX_GRID:
            raise UnsupportedError(
                f"sizes in {len(degrees)} symbols ({', '.join(degrees)}) are too many to compare; give "
                "some of them fixed values"
            )
        return cls({n: symbols[n] for n in sorted(degrees)}, dict(sorted(degrees.items())))

    def row(self, size: Polynomial) -> Row:
        """Bernstein coefficients, times the same positive number for every polynomial."""
        out = [0] * prod(d + 1 for d in self.degrees.values())
        for monomial, times in size.terms:
            given = {str(a): p for a, p in monomial}
            axes = (self._axis(name, given.get(name, 0)) for name in self.degrees)
            for at, point in enumerate(product(*axes)):
                out[at] += times * prod(point)
        return tuple(out)

    def samples(self, inner: Iterable[int]) -> list[dict[str, int]]:
        """Values of the symbols to score plans at: all least, `inner`, one greatest, all greatest."""
        known = self.ranges.items()
        least, greatest = {n: r.low for n, r in known}, {n: r.high for n, r in known}
        inside = [{n: min(max(at, r.low), r.high) for n, r in known} for at in inner]
        out: list[dict[str, int]] = []
        for each in (least, *inside, *(least | {n: greatest[n]} for n, _ in known), greatest):
            if each not in out:
                out.append(each)
        return out

    def _axis(self, name: str, power: int) -> list[int]:
        # x = low + width * t. With t from 0 to 1, t^j has the coefficients C(i, j) / C(n, j) of degree n.
        low, width = self.ranges[name].low, self.ranges[name].high - self.ranges[name].low
        n = self.degrees[name]
        scale = lcm(*(comb(n, j) for j in range(n + 1)))
        shifted = [comb(power, j) * low ** (power - j) * width**j for j in range(power + 1)]
        return [
            sum(scale // comb(n, j) * comb(i, j) * shifted[j] for j in range(min(i, power) + 1))
            for i in range(n + 1)
        ]


def _check_range(name: str, symbols: Mapping[str, SymbolRange]) -> None:
    span = symbols.get(name)
    if span is None:
        known = ", ".join(symbols) or "none"
        raise UnsupportedError(f"symbol {name!r} of a size has no range; known: {known}")
    if not 0 <= span.low <= span.high:
        raise UnsupportedError(
            f"symbol {name!r} is from {span.low} to {span.high}: a plan needs symbols that are never "
            "negative"
        )
