"""Sizes in units of the alignment, as polynomials of symbols and floor divisions."""

from math import lcm

from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.polynomial import (
    Floor,
    Polynomial,
    UnsupportedExpressionError,
    floor,
    from_dim,
    number,
)
from optimum_compile.compiler.ir.shape import Dim, format_dim

# What rounding a term up may add to it: one part of so many.
LOSS = 32


def polynomial_of(size: Dim) -> tuple[Polynomial, int]:
    """`size` over a positive number. Raises UnsupportedError where it is no such thing."""
    try:
        return from_dim(size)
    except UnsupportedExpressionError as error:
        raise UnsupportedError(
            f"a buffer of {format_dim(size)} bytes cannot be planned ({error}); give its symbols "
            "fixed values"
        ) from error


def rounded_up(size: Dim, unit: int) -> Polynomial:
    """Units that hold `size` bytes for every value of the symbols.

    Each coefficient is rounded up by itself where that adds little, so that a size stays a product; terms
    that would grow by more are divided together:

        2000*seq    32*seq
        40*seq      floor((5*seq+7)/8)
    """
    found, by = polynomial_of(size)
    terms = []
    rest = []
    for monomial, value in found.terms:
        units = -(-value // (by * unit))
        lost = units * by * unit - value
        loose = monomial and value > 0 and lost * LOSS > value
        if loose and not any(isinstance(a, Floor) for a, _ in monomial):
            rest.append((monomial, value))
        else:
            terms.append((monomial, units))
    out = Polynomial(tuple((m, n) for m, n in terms if n))
    if not rest:
        return out
    divisor = by * unit
    return out + floor(Polynomial(tuple(rest)) + number(divisor - 1), divisor)


def floor_bounds(monomial: Polynomial) -> tuple[Polynomial, Polynomial, int] | None:
    """Polynomials below and above a product with a floor division, both over the number that follows.

    None where there is no floor division: the product is one itself. Raises UnsupportedError for several,
    or one within another.
    """
    (powers, _), *_ = monomial.terms
    floors = [(a, p) for a, p in powers if isinstance(a, Floor)]
    if not floors:
        return None
    (found, power), *more = floors
    if more or power > 1 or any(isinstance(a, Floor) for a in found.numerator.atoms):
        raise UnsupportedError(
            f"a buffer of {monomial} times some bytes cannot be planned: several floor divisions in one "
            "product; give its symbols fixed values"
        )
    others = Polynomial(((tuple((a, p) for a, p in powers if not isinstance(a, Floor)), 1),))
    # floor(x / d) is from (x - d + 1) / d to x / d; symbols, and so the other factors, are not negative
    above = others * found.numerator
    return above - others.scaled(found.divisor - 1), above, found.divisor


def common_divisor(sizes: list[Dim]) -> int:
    """The least number whose product with every size has whole coefficients."""
    return lcm(*(polynomial_of(size)[1] for size in sizes))
