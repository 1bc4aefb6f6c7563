"""Dimensions: an int, or an integer expression over named symbols with ranges."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

import sympy

Dim: TypeAlias = int | sympy.Expr
Shape: TypeAlias = tuple[Dim, ...]

_TOKEN = re.compile(r"\s*(?:(\d{1,18})|([A-Za-z_][A-Za-z0-9_]*)|(\*\*|//|[-+*/(),]))")
MAX_EXPRESSION_CHARS = 200
MAX_NUMBER = 2**63 - 1
MAX_EXPRESSION_TERMS = 64
MAX_PARENTHESES = 20


@dataclass(frozen=True)
class SymbolRange:
    """Inclusive bounds of a symbol."""

    low: int
    high: int


def symbol(name: str) -> sympy.Symbol:
    """The symbol of that name: a non-negative integer."""
    return sympy.Symbol(name, integer=True, nonnegative=True)


def as_dim(value: object) -> Dim:
    """Canonical form: a Python int where the expression is constant, else expanded."""
    if isinstance(value, bool):
        raise TypeError("a dimension cannot be a bool")
    if isinstance(value, int):
        return value
    if not isinstance(value, sympy.Expr):
        raise TypeError(f"a dimension is an int or an expression, not {type(value).__name__}")
    expression: sympy.Expr = sympy.expand(value)
    return int(expression) if expression.is_Integer else expression


def evaluate(dim: Dim, bindings: Mapping[str, int]) -> int:
    """The number that `dim` has under `bindings`. Raises KeyError for an unbound symbol."""
    if isinstance(dim, int):
        return dim
    value = dim.subs({s: bindings[s.name] for s in sorted(dim.free_symbols, key=str)})
    return int(value)


def substitute(dim: Dim, bindings: Mapping[str, Dim]) -> Dim:
    """Replace the symbols that `bindings` names."""
    if isinstance(dim, int):
        return dim
    return as_dim(dim.subs({symbol(n): v for n, v in bindings.items()}, simultaneous=True))


def symbols_of(dim: Dim) -> frozenset[str]:
    """Names of the symbols that occur in `dim`."""
    return frozenset() if isinstance(dim, int) else frozenset(s.name for s in dim.free_symbols)


def bounds(dim: Dim, ranges: Mapping[str, SymbolRange]) -> SymbolRange | None:
    """Interval of `dim` over `ranges`, by interval arithmetic; None where not decidable.

    Covers sums, products and powers of symbols with known ranges, floor division by numbers, and
    maxima and minima. `compiler.ir.decide` gives sharper answers to sharper questions.
    """
    if isinstance(dim, int):
        return SymbolRange(dim, dim)
    found = _interval(dim, ranges)
    return None if found is None else SymbolRange(math.ceil(found[0]), math.floor(found[1]))


def _interval(
    dim: sympy.Expr, ranges: Mapping[str, SymbolRange]
) -> tuple[Fraction, Fraction] | None:
    if isinstance(dim, sympy.Rational):
        value = Fraction(int(dim.p), int(dim.q))
        return value, value
    if isinstance(dim, sympy.Symbol):
        span = ranges.get(dim.name)
        return None if span is None else (Fraction(span.low), Fraction(span.high))
    parts = [_interval(a, ranges) for a in dim.args if isinstance(a, sympy.Expr)]
    known = [p for p in parts if p is not None]
    if len(known) != len(parts) or not known:
        return None
    lows, highs = [p[0] for p in known], [p[1] for p in known]
    if isinstance(dim, sympy.Add):
        return sum(lows, Fraction(0)), sum(highs, Fraction(0))
    if isinstance(dim, sympy.Mul):
        low, high = known[0]
        for p in known[1:]:
            corners = [a * b for a in (low, high) for b in p]
            low, high = min(corners), max(corners)
        return low, high
    if isinstance(dim, sympy.Pow) and lows[0] >= 0 and lows[1] == highs[1] >= 0:
        return lows[0] ** int(lows[1]), highs[0] ** int(lows[1])
    if isinstance(dim, sympy.floor):
        return Fraction(math.floor(lows[0])), Fraction(math.floor(highs[0]))
    if isinstance(dim, sympy.Max):
        return max(lows), max(highs)
    if isinstance(dim, sympy.Min):
        return min(lows), min(highs)
    return None


def format_dim(dim: Dim) -> str:
    """Text of a dimension; `parse_dim` reads it back."""
    return str(dim) if isinstance(dim, int) else _format_expression(dim)


@lru_cache(maxsize=4096)  # sympy's printer is slow, and a graph repeats a handful of dimensions
def _format_expression(dim: sympy.Expr) -> str:
    return str(dim).replace(" ", "")


def parse_dim(text: str) -> Dim:
    """Read an integer expression: numbers, symbols, + - * // ** floor() Max() Min(), parentheses.

    A "/" may stand inside floor() only. Written by hand because `sympy.sympify` evaluates its
    argument as Python code. Raises ValueError for anything else.
    """
    if len(text) > MAX_EXPRESSION_CHARS:
        raise ValueError(f"expression of {len(text)} characters is too long")
    if text.count("(") > MAX_PARENTHESES:
        raise ValueError(f"more than {MAX_PARENTHESES} parentheses in expression {text!r}")
    tokens: list[str] = []
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"unexpected {text[at:].strip()[:12]!r} in expression {text!r}")
        tokens.append(match.group().strip())
        at = match.end()
    value, rest = _sum(tokens, 0)
    if rest != len(tokens):
        raise ValueError(f"unexpected {tokens[rest]!r} in expression {text!r}")
    if not (value.is_integer or _is_whole(value)):
        raise ValueError(f"{text!r} is not an integer for every value of its symbols")
    return as_dim(value)


def _is_whole(value: sympy.Expr) -> bool:
    """Whether it is a whole number wherever it is one at all: x/0 is none."""
    if isinstance(value, sympy.Pow):
        return _is_whole(value.base) and value.exp.is_Integer and int(value.exp) >= 0
    if isinstance(value, (sympy.Add, sympy.Mul, sympy.Max, sympy.Min)):
        return all(_is_whole(a) for a in value.args)
    return isinstance(value, (sympy.Integer, sympy.Symbol, sympy.floor))


def _sum(tokens: list[str], at: int) -> tuple[sympy.Expr, int]:
    value, at = _product(tokens, at)
    while at < len(tokens) and tokens[at] in "+-":
        sign = tokens[at]
        right, at = _product(tokens, at + 1)
        value = value + right if sign == "+" else value - right
    return value, at


def _product(tokens: list[str], at: int) -> tuple[sympy.Expr, int]:
    value, at = _power(tokens, at)
    while at < len(tokens) and tokens[at] in ("*", "//", "/"):
        operator = tokens[at]
        right, at = _power(tokens, at + 1)
        if operator != "*" and right == 0:
            raise ValueError("division by zero in expression")
        _bound_terms(_terms(value) * _terms(right))
        quotient = _bound_numbers(sympy.expand(value * right if operator == "*" else value / right))
        value = sympy.floor(quotient) if operator == "//" else quotient
    return value, at


def _power(tokens: list[str], at: int) -> tuple[sympy.Expr, int]:
    value, at = _atom(tokens, at)
    if at < len(tokens) and tokens[at] == "**":
        exponent, at = _atom(tokens, at + 1)
        if not exponent.is_Integer or not 0 <= int(exponent) <= 8:
            raise ValueError("an exponent must be a number from 0 to 8")
        _bound_terms(_terms(value) ** int(exponent))
        value = _bound_numbers(sympy.expand(value**exponent))
    return value, at


def _bound_numbers(value: sympy.Expr) -> sympy.Expr:
    # ((9**8)**8)**8 and so on is short to write and long to compute.
    if any(abs(n) > MAX_NUMBER for n in value.atoms(sympy.Integer)):
        raise ValueError("a number of an expression does not fit 64 bits")
    return value


def _terms(value: sympy.Expr) -> int:
    return len(sympy.Add.make_args(value))


def _bound_terms(count: int) -> None:
    # Multiplying out sums grows without bound, and the text may come from a file.
    if count > MAX_EXPRESSION_TERMS:
        raise ValueError(f"expression with more than {MAX_EXPRESSION_TERMS} terms")


def _atom(tokens: list[str], at: int) -> tuple[sympy.Expr, int]:
    if at >= len(tokens):
        raise ValueError("expression ends too early")
    token = tokens[at]
    if token == "-":
        value, at = _power(tokens, at + 1)
        return -value, at
    if token == "(":
        value, at = _sum(tokens, at + 1)
        if at >= len(tokens) or tokens[at] != ")":
            raise ValueError("missing ) in expression")
        return value, at + 1
    if token.isdigit():
        return sympy.Integer(int(token)), at + 1
    if at + 1 < len(tokens) and tokens[at + 1] == "(":
        if token == "floor":
            return _floor(tokens, at + 2)
        if token in _CHOICES:
            return _choice(_CHOICES[token], tokens, at + 2)
    if not (token[0].isalpha() or token[0] == "_"):
        raise ValueError(f"unexpected {token!r} in expression")
    return symbol(token), at + 1


def _floor(tokens: list[str], at: int) -> tuple[sympy.Expr, int]:
    # sympy prints x//2 as floor(x/2)
    value, at = _sum(tokens, at)
    if at >= len(tokens) or tokens[at] != ")":
        raise ValueError("missing ) after floor(")
    return sympy.floor(value), at + 1


_CHOICES = {"Max": sympy.Max, "Min": sympy.Min}


def _choice(choose: type[sympy.Expr], tokens: list[str], at: int) -> tuple[sympy.Expr, int]:
    first, at = _sum(tokens, at)
    parts = [first]
    while at < len(tokens) and tokens[at] == ",":
        value, at = _sum(tokens, at + 1)
        parts.append(value)
    if at >= len(tokens) or tokens[at] != ")" or len(parts) > MAX_PARENTHESES:
        raise ValueError("missing ) after Max( or Min(, or too many arguments")
    return choose(*parts), at + 1
