"""Conditions on symbols: what a guard demands, what a decision may take for granted, and decides."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from optimum_compile.compiler.ir.shape import Dim, evaluate, format_dim, parse_dim, symbols_of


class Relation(Enum):
    """How the two sides of a condition stand to each other."""

    AT_MOST = "<="
    EQUAL = "=="
    NOT_EQUAL = "!="
    DIVISIBLE = "%"  # left is a multiple of right


@dataclass(frozen=True)
class Condition:
    """`left <= right`, `left == right`, `left != right`, or `left % right == 0`."""

    left: Dim
    relation: Relation
    right: Dim

    @property
    def symbols(self) -> frozenset[str]:
        """Names of the symbols of both sides."""
        return symbols_of(self.left) | symbols_of(self.right)

    def holds(self, bindings: Mapping[str, int]) -> bool:
        """Whether it is true under `bindings`; where it divides by zero it is not.

        Raises KeyError for an unbound symbol.
        """
        try:
            left, right = evaluate(self.left, bindings), evaluate(self.right, bindings)
        except (TypeError, ZeroDivisionError):  # sympy's x/0 is no number
            return False
        if self.relation is Relation.AT_MOST:
            return left <= right
        if self.relation is Relation.DIVISIBLE:
            return right != 0 and left % right == 0
        return (left == right) is (self.relation is Relation.EQUAL)

    def __str__(self) -> str:
        left, right = format_dim(self.left), format_dim(self.right)
        if self.relation is Relation.DIVISIBLE:
            plain = re.fullmatch(r"\w+", left) is not None
            return f"{left if plain else f'({left})'} % {right} == 0"
        return f"{left} {self.relation.value} {right}"


class Verdict(Enum):
    """The answer to a question about all values of the symbols."""

    YES = "yes"
    NO = "no"  # false for some binding
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Decision:
    """A verdict; with NO the bindings for which the statement is false."""

    verdict: Verdict
    witness: tuple[tuple[str, int], ...] = ()

    def __str__(self) -> str:
        if self.verdict is not Verdict.NO or not self.witness:
            return self.verdict.value
        return f"no, for example at {', '.join(f'{n}={v}' for n, v in self.witness)}"


def parse_condition(text: str) -> Condition:
    """Read what `str` of a condition writes. Raises ValueError."""
    match = re.fullmatch(r"(.+?) (<=|==|!=|%) (.+)", text)
    if match is None:
        raise ValueError(f"condition {text!r}: expected two expressions and <=, ==, != or %")
    left, relation, right = match.groups()
    if relation == "%":
        right = right.removesuffix(" == 0")
    return Condition(parse_dim(left), Relation(relation), parse_dim(right))
