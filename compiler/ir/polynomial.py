"""Integer polynomials over symbols and floor divisions: the form in which dimensions are decided.

sympy keeps dimensions readable; here they are plain tuples of integers, which compare, hash and
evaluate fast and exactly.

    floor((3*seq+9)/2)   becomes   seq + 4 + floor((seq+1)/2)
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeAlias

import sympy

from optimum_compile.compiler.ir.shape import Dim, as_dim, symbol

MAX_TERMS = 256
MAX_POWER = 8


class UnsupportedExpressionError(ValueError):
    """An expression that is no polynomial of symbols and floor divisions by numbers."""


@dataclass(frozen=True)
class Floor:
    """floor(numerator / divisor), with a divisor above one."""

    numerator: "Polynomial"
    divisor: int

    def __str__(self) -> str:
        return f"floor(({self.numerator})/{self.divisor})"


Atom: TypeAlias = str | Floor
Monomial: TypeAlias = tuple[tuple[Atom, int], ...]  # atoms with powers, sorted by text


@dataclass(frozen=True)
class Polynomial:
    """Terms with integer coefficients, none of them zero, sorted."""

    terms: tuple[tuple[Monomial, int], ...] = ()

    @cached_property
    def constant(self) -> int:
        """The term without symbols."""
        return next((c for m, c in self.terms if not m), 0)

    @property
    def is_constant(self) -> bool:
        """Whether no symbol occurs."""
        return all(not m for m, _ in self.terms)

    @cached_property
    def atoms(self) -> tuple[Atom, ...]:
        """Symbols and floor divisions that the terms multiply, in order."""
        found = {a: None for m, _ in self.terms for a, _ in m}
        return tuple(sorted(found, key=str))

    @cached_property
    def symbols(self) -> frozenset[str]:
        """Names of all symbols, those inside floor divisions too."""
        out: set[str] = set()
        for atom in self.atoms:
            out |= {atom} if isinstance(atom, str) else atom.numerator.symbols
        return frozenset(out)

    def __add__(self, other: "Polynomial") -> "Polynomial":
        return _collect([*self.terms, *other.terms])

    def __sub__(self, other: "Polynomial") -> "Polynomial":
        return self + other.scaled(-1)

    def __mul__(self, other: "Polynomial") -> "Polynomial":
        if len(self.terms) * len(other.terms) > MAX_TERMS:
            raise UnsupportedExpressionError(f"an expression of more than {MAX_TERMS} terms")
        return _collect((_times(m, n), c * d) for m, c in self.terms for n, d in other.terms)

    def scaled(self, factor: int) -> "Polynomial":
        """Every coefficient times `factor`."""
        return Polynomial(tuple((m, c * factor) for m, c in self.terms)) if factor else Polynomial()

    def derivative(self, atom: Atom) -> "Polynomial":
        """With respect to one atom, as if the atoms were independent."""
        out = []
        for monomial, coefficient in self.terms:
            power = dict(monomial).get(atom, 0)
            if power:
                rest = tuple((a, p - (a == atom)) for a, p in monomial if a != atom or p > 1)
                out.append((rest, coefficient * power))
        return _collect(out)

    def value(self, bindings: Mapping[str, int]) -> int:
        """The number under `bindings`. Raises KeyError for an unbound symbol."""
        total = 0
        for monomial, coefficient in self.terms:
            for atom, power in monomial:
                coefficient *= _atom_value(atom, bindings) ** power
            total += coefficient
        return total

    def __str__(self) -> str:
        shown = []
        for monomial, coefficient in self.terms:
            factors = [f"{a}**{p}" if p > 1 else str(a) for a, p in monomial]
            shown.append("*".join([str(coefficient), *factors]))
        return "+".join(shown) or "0"


def number(value: int) -> Polynomial:
    """A constant."""
    return Polynomial((((), value),)) if value else Polynomial()


def atom(value: Atom) -> Polynomial:
    """One symbol or floor division."""
    return Polynomial(((((value, 1),), 1),))


def floor(numerator: Polynomial, divisor: int) -> Polynomial:
    """The floor of numerator/divisor in its canonical form; divisor > 0."""
    # Whole multiples leave: floor((8*x + r)/8) = x + floor(r/8).
    whole = _collect((m, c // divisor) for m, c in numerator.terms)
    rest = _collect((m, c % divisor) for m, c in numerator.terms)
    shared = math.gcd(divisor, *(c for m, c in rest.terms if m))
    if shared > 1:  # floor((4*x + 3)/8) = floor((x + floor(3/4))/2)
        rest = _collect((m, c // shared) for m, c in rest.terms)
        divisor //= shared
    if divisor == 1 or rest.is_constant:
        return whole + number(rest.constant // divisor) if rest.is_constant else whole + rest
    inner = _single_floor(rest)
    if inner is not None:  # floor((floor(x/2) + 1)/3) = floor((x + 2)/6)
        numerator = inner.numerator + number(rest.constant * inner.divisor)
        return whole + floor(numerator, divisor * inner.divisor)
    return whole + atom(Floor(rest, divisor))


@lru_cache(maxsize=8192)
def from_dim(dim: Dim) -> tuple[Polynomial, int]:
    """`dim` as a polynomial over one positive number. Raises UnsupportedExpressionError."""
    if isinstance(dim, int):
        return number(dim), 1
    return _convert(dim)


def to_dim(polynomial: Polynomial) -> Dim:
    """Back to the readable form."""
    total: sympy.Expr = sympy.Integer(0)
    for monomial, coefficient in polynomial.terms:
        term: sympy.Expr = sympy.Integer(coefficient)
        for part, power in monomial:
            base = symbol(part) if isinstance(part, str) else _floor_dim(part)
            term = term * base**power
        total = total + term
    return as_dim(total)


def _floor_dim(part: Floor) -> sympy.Expr:
    return sympy.floor(sympy.sympify(to_dim(part.numerator)) / part.divisor)


def _convert(expression: sympy.Expr) -> tuple[Polynomial, int]:
    if isinstance(expression, sympy.Symbol):
        return atom(expression.name), 1
    if isinstance(expression, sympy.Rational):
        return number(int(expression.p)), int(expression.q)
    handler = _HANDLERS.get(expression.func)
    if handler is None:
        raise UnsupportedExpressionError(f"{expression} holds {expression.func.__name__}")
    return handler(expression)


def _add(expression: sympy.Expr) -> tuple[Polynomial, int]:
    parts = [_convert(a) for a in expression.args]
    common = math.lcm(*(d for _, d in parts))
    total = Polynomial()
    for part, divisor in parts:
        total = total + part.scaled(common // divisor)
    return total, common


def _mul(expression: sympy.Expr) -> tuple[Polynomial, int]:
    total, divisor = number(1), 1
    for part, own in map(_convert, expression.args):
        total, divisor = total * part, divisor * own
    shared = math.gcd(divisor, *(c for _, c in total.terms))
    reduced = Polynomial(tuple((m, c // shared) for m, c in total.terms))
    return reduced, divisor // shared


def _pow(expression: sympy.Expr) -> tuple[Polynomial, int]:
    base, exponent = expression.args
    if not exponent.is_Integer or not 0 <= int(exponent) <= MAX_POWER:
        raise UnsupportedExpressionError(f"{expression}: a power other than 0 to {MAX_POWER}")
    part, divisor = _convert(base)
    total = number(1)
    for _ in range(int(exponent)):
        total = total * part
    return total, divisor ** int(exponent)


def _floor(expression: sympy.Expr) -> tuple[Polynomial, int]:
    return floor(*_convert(expression.args[0])), 1


def _ceiling(expression: sympy.Expr) -> tuple[Polynomial, int]:
    part, divisor = _convert(expression.args[0])
    return floor(part + number(divisor - 1), divisor), 1


def _mod(expression: sympy.Expr) -> tuple[Polynomial, int]:
    (left, left_by), (right, right_by) = map(_convert, expression.args)
    if not right.is_constant or right.constant <= 0 or left_by != 1 or right_by != 1:
        raise UnsupportedExpressionError(
            f"{expression}: only remainders of whole numbers by a number"
        )
    return left - floor(left, right.constant).scaled(right.constant), 1


_HANDLERS: dict[type, Callable[[sympy.Expr], tuple[Polynomial, int]]] = {
    sympy.Add: _add,
    sympy.Mul: _mul,
    sympy.Pow: _pow,
    sympy.floor: _floor,
    sympy.ceiling: _ceiling,
    sympy.Mod: _mod,
}


def _atom_value(part: Atom, bindings: Mapping[str, int]) -> int:
    if isinstance(part, str):
        return bindings[part]
    return part.numerator.value(bindings) // part.divisor


def _single_floor(rest: Polynomial) -> Floor | None:
    """The floor division of `1*floor(..) + constant`, which nests without loss."""
    variable = [(m, c) for m, c in rest.terms if m]
    if len(variable) != 1 or variable[0][1] != 1 or len(variable[0][0]) != 1:
        return None
    part, power = variable[0][0][0]
    return part if isinstance(part, Floor) and power == 1 else None


def _times(left: Monomial, right: Monomial) -> Monomial:
    powers = dict(left)
    for part, power in right:
        powers[part] = powers.get(part, 0) + power
    return tuple(sorted(powers.items(), key=lambda item: str(item[0])))


def _collect(terms: Iterable[tuple[Monomial, int]]) -> Polynomial:
    sums: dict[Monomial, int] = {}
    for monomial, coefficient in terms:
        sums[monomial] = sums.get(monomial, 0) + coefficient
    if len(sums) > MAX_TERMS:
        raise UnsupportedExpressionError(f"an expression of more than {MAX_TERMS} terms")
    kept = ((m, c) for m, c in sums.items() if c)
    return Polynomial(tuple(sorted(kept, key=lambda t: (len(t[0]), str(t[0])))))
