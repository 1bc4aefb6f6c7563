"""Symbolic sizes and conditions as torch.export writes them: SymPy's srepr, read by hand.

torch's own reader hands this text to `sympy.sympify`, which evaluates it as Python.
"""

import math
import re
from collections.abc import Mapping
from functools import reduce

import sympy

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.logic import (
    TRUE,
    Logic,
    both,
    compare,
    dim_of,
    either,
    opposite,
)
from optimum_compile.compiler.ir.shape import Dim, symbol

MAX_CHARS = 2000
MAX_DEPTH = 32
MAX_TERMS = 64
MAX_NUMBER = 1 << 63
MAX_POWER = 8
_TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|'[A-Za-z0-9_]{1,64}'|-?[0-9]{1,18}|[(),=])")


def parse_srepr(text: str, names: Mapping[str, str]) -> Dim:
    """Read Symbol('s0', ...), Integer(2), Add, Mul, Pow(..., n), FloorDiv(a, b), Mod, Max and Min.

    `names` renames symbols. Raises InputError for anything else.
    """
    value = _whole(text, names)
    if not isinstance(value, sympy.Expr):
        raise InputError(f"symbolic size {text[:80]!r}: it is a condition, not a size")
    return dim_of(value)


def parse_srepr_condition(text: str, names: Mapping[str, str]) -> Logic:
    """Read LessThan(a, b), Equality(a, b), And(...) and the like. Raises InputError."""
    value = _whole(text, names)
    if isinstance(value, sympy.Expr):
        raise InputError(f"condition {text[:80]!r}: it is a size, not a condition")
    return value


def _whole(text: str, names: Mapping[str, str]) -> sympy.Expr | Logic:
    if len(text) > MAX_CHARS:
        raise InputError(f"symbolic size of {len(text)} characters: at most {MAX_CHARS} are read")
    tokens, at = [], 0
    stripped = text.rstrip()
    while at < len(stripped):
        match = _TOKEN.match(stripped, at)
        if match is None:
            raise InputError(f"symbolic size {text[:80]!r}: unexpected {stripped[at : at + 12]!r}")
        tokens.append(match.group(1))
        at = match.end()
    value, rest = _term(tokens, 0, names, text, 0)
    if rest != len(tokens):
        raise InputError(f"symbolic size {text[:80]!r}: unexpected {tokens[rest]!r}")
    return value


def _term(
    tokens: list[str], at: int, names: Mapping[str, str], text: str, depth: int
) -> tuple[sympy.Expr | Logic, int]:
    head = tokens[at] if at < len(tokens) else ""
    if depth > MAX_DEPTH:
        raise InputError(f"symbolic size {text[:80]!r}: nested more than {MAX_DEPTH} deep")
    if re.fullmatch(r"-?[0-9]+", head):
        return sympy.Integer(int(head)), at + 1
    if head == "true":
        return TRUE, at + 1
    if at + 1 >= len(tokens) or tokens[at + 1] != "(":
        raise InputError(f"symbolic size {text[:80]!r}: expected a term, found {head!r}")
    if head == "Symbol":
        return _symbol(tokens, at, names, text)
    args: list[sympy.Expr | Logic] = []
    at += 2
    while at < len(tokens) and tokens[at] != ")":
        value, at = _term(tokens, at, names, text, depth + 1)
        args.append(value)
        if at < len(tokens) and tokens[at] == ",":
            at += 1
    if at >= len(tokens):
        raise InputError(f"symbolic size {text[:80]!r}: a parenthesis is not closed")
    numbers = [a for a in args if isinstance(a, sympy.Expr)]
    if head in _LOGIC or head in _RELATIONS:
        clauses = [a for a in args if not isinstance(a, sympy.Expr)]
        return _condition(head, numbers, clauses, text), at + 1
    if len(numbers) != len(args):
        raise InputError(f"symbolic size {text[:80]!r}: {head} of a condition")
    return _apply(head, numbers, text), at + 1


_RELATIONS = {
    "Equality": "==",
    "Unequality": "!=",
    "LessThan": "<=",
    "StrictLessThan": "<",
    "GreaterThan": ">=",
    "StrictGreaterThan": ">",
}
_LOGIC = ("And", "Or", "Not")


def _condition(head: str, numbers: list[sympy.Expr], clauses: list[Logic], text: str) -> Logic:
    try:
        if head in _RELATIONS and len(numbers) == 2 and not clauses:
            return compare(_RELATIONS[head], *numbers)
        if head == "Not" and len(clauses) == 1 and not numbers:
            return opposite(clauses[0])
        if head in ("And", "Or") and clauses and not numbers:
            return reduce(both if head == "And" else either, clauses)
    except ValueError as error:
        raise InputError(f"condition {text[:80]!r}: {error}") from error
    raise InputError(f"condition {text[:80]!r}: {head} does not take what it is given")


def _symbol(
    tokens: list[str], at: int, names: Mapping[str, str], text: str
) -> tuple[sympy.Expr, int]:
    quoted = tokens[at + 2] if at + 2 < len(tokens) else ""
    if not quoted.startswith("'"):
        raise InputError(f"symbolic size {text[:80]!r}: a symbol has no name")
    while at < len(tokens) and tokens[at] != ")":  # assumptions: integer=True, positive=True
        at += 1
    if at >= len(tokens):
        raise InputError(f"symbolic size {text[:80]!r}: a parenthesis is not closed")
    raw = quoted.strip("'")
    return symbol(names.get(raw, raw)), at + 1


def _apply(head: str, args: list[sympy.Expr], text: str) -> sympy.Expr:
    """An operator on its arguments, multiplied out; bounded, since a short text can grow huge."""
    if not args:
        raise InputError(f"symbolic size {text[:80]!r}: {head} has no arguments")
    terms = [len(sympy.Add.make_args(a)) for a in args]
    if head == "Pow" and len(args) == 2 and args[1].is_Integer:
        terms = [terms[0]] * max(0, min(int(args[1]), MAX_POWER))
    if (sum(terms) if head == "Add" else math.prod(terms)) > MAX_TERMS:
        raise InputError(f"symbolic size {text[:80]!r}: more than {MAX_TERMS} terms")
    value: sympy.Expr = sympy.expand(_value(head, args, text))
    large = any(abs(n) > MAX_NUMBER for n in value.atoms(sympy.Integer))
    if large or any(p.exp > MAX_POWER for p in value.atoms(sympy.Pow)):
        raise InputError(
            f"symbolic size {text[:80]!r}: a number above 2**63 or a power above {MAX_POWER}"
        )
    return value


def _value(head: str, args: list[sympy.Expr], text: str) -> sympy.Expr:
    if head == "Integer" and len(args) == 1:
        return args[0]
    if head == "Add":
        return sympy.Add(*args)
    if head == "Mul":
        return sympy.Mul(*args)
    if head == "Pow" and len(args) == 2 and args[1].is_Integer and 0 <= int(args[1]) <= MAX_POWER:
        return args[0] ** args[1]
    if head in ("FloorDiv", "CleanDiv") and len(args) == 2 and args[1] != 0:
        return sympy.floor(args[0] / args[1])
    if head in ("Mod", "PythonMod") and len(args) == 2 and args[1] != 0:
        return sympy.Mod(args[0], args[1])
    if head in ("Max", "Min"):
        return sympy.Max(*args) if head == "Max" else sympy.Min(*args)
    raise InputError(f"symbolic size {text[:80]!r}: {head} is not supported")
