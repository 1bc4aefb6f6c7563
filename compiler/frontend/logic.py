"""Conditions as torch.export states them, brought to clauses: each needs one of its conditions."""

import ast
from collections.abc import Callable, Mapping
from typing import TypeAlias

import sympy

from optimum_compile.compiler.ir.conditions import Condition, Relation
from optimum_compile.compiler.ir.shape import Dim, as_dim

Logic: TypeAlias = tuple[tuple[Condition, ...], ...]  # all clauses hold; of each any condition

MAX_CHARS = 2000
MAX_CLAUSES = 64
TRUE: Logic = ()
_OPPOSITE = {"<=": ">", ">": "<=", "<": ">=", ">=": "<", "==": "!=", "!=": "=="}


def compare(relation: str, left: sympy.Expr, right: sympy.Expr) -> Logic:
    """`left relation right`, of whole numbers. Raises ValueError."""
    if relation == "==" and isinstance(left, sympy.Mod) and right == 0:
        dividend, divisor = left.args
        return ((Condition(dim_of(dividend), Relation.DIVISIBLE, dim_of(divisor)),),)
    a, b = dim_of(left), dim_of(right)
    if relation in (">", ">="):
        a, b = b, a
    if relation in ("<", ">"):  # of whole numbers: one less, on the side that stays plain
        a, b = (a, b - 1) if isinstance(b, int) else (as_dim(sympy.sympify(a) + 1), b)
    kind = {"==": Relation.EQUAL, "!=": Relation.NOT_EQUAL}.get(relation, Relation.AT_MOST)
    return ((Condition(a, kind, b),),)


def both(left: Logic, right: Logic) -> Logic:
    """Left and right."""
    return _bounded((*left, *right))


def either(left: Logic, right: Logic) -> Logic:
    """Left or right: every clause of one joined with every clause of the other."""
    return _bounded(tuple((*a, *b) for a in left for b in right))


def opposite(logic: Logic) -> Logic:
    """Not so, for one clause of one condition that is no divisibility. Raises ValueError."""
    if len(logic) != 1 or len(logic[0]) != 1 or logic[0][0].relation is Relation.DIVISIBLE:
        raise ValueError("the opposite of a compound condition")
    found = logic[0][0]
    left, right = sympy.sympify(found.left), sympy.sympify(found.right)
    return compare(_OPPOSITE[found.relation.value], left, right)


def dim_of(value: sympy.Expr) -> Dim:
    """As a dimension: remainders become floor divisions."""
    plain = value.replace(sympy.Mod, lambda a, b: a - b * sympy.floor(a / b))
    return as_dim(plain)


def _bounded(logic: Logic) -> Logic:
    if len(logic) > MAX_CLAUSES or any(len(c) > MAX_CLAUSES for c in logic):
        raise ValueError(f"more than {MAX_CLAUSES} clauses")
    return logic


def parse_guard(text: str, sizes: Mapping[str, tuple[Dim, ...]]) -> Logic:
    """Read a guard as torch.export writes it: Python's operators over `L['x'].size()[1]`.

    `sizes` has the shape of every input by name. The text is parsed, never evaluated. Raises
    ValueError for anything but sizes, whole numbers, + - * // % max min, comparisons, and/or/not.
    """
    if len(text) > MAX_CHARS:
        raise ValueError(f"{len(text)} characters; at most {MAX_CHARS} are read")
    try:
        tree = ast.parse(text.strip(), mode="eval")
        return _Reader(sizes).logic(tree.body)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"not a condition: {type(error).__name__}") from error


class _Reader:
    def __init__(self, sizes: Mapping[str, tuple[Dim, ...]]) -> None:
        self.sizes = sizes

    def logic(self, node: ast.expr) -> Logic:
        if isinstance(node, ast.Constant) and node.value is True:
            return TRUE
        if isinstance(node, ast.BoolOp):
            join = both if isinstance(node.op, ast.And) else either
            parts = [self.logic(v) for v in node.values]
            out = parts[0]
            for part in parts[1:]:
                out = join(out, part)
            return out
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return opposite(self.logic(node.operand))
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        raise ValueError(f"{type(node).__name__} is no condition")

    def _comparison(self, node: ast.Compare) -> Logic:
        out, left = TRUE, self.number(node.left)
        for operator, following in zip(node.ops, node.comparators, strict=True):
            relation = _COMPARISONS.get(type(operator))
            if relation is None:
                raise ValueError(f"{type(operator).__name__} is no comparison of sizes")
            right = self.number(following)
            out = both(out, compare(relation, left, right))
            left = right
        return out

    def number(self, node: ast.expr) -> sympy.Expr:
        if isinstance(node, ast.Constant) and type(node.value) is int:
            return sympy.Integer(node.value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self.number(node.operand)
        if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            left, right = self.number(node.left), self.number(node.right)
            return sympy.expand(_ARITHMETIC[type(node.op)](left, right))
        match node:
            case ast.Call(func=ast.Name(id="max" | "min" as name), args=args, keywords=[]) if args:
                choose = sympy.Max if name == "max" else sympy.Min
                return choose(*(self.number(a) for a in args))
        return self._size(node)

    def _size(self, node: ast.expr) -> sympy.Expr:
        """`L['x'].size()[1]`, or of a nested input `L['caches'][0].size()[2]`, named caches_0."""
        text = ast.unparse(node)
        match node:
            case ast.Subscript(
                value=ast.Call(func=ast.Attribute(value=source, attr="size"), args=[], keywords=[]),
                slice=ast.Constant(value=int(axis)),
            ):
                shape = self.sizes.get("_".join(_path(source)))
                if shape is not None and 0 <= axis < len(shape):
                    return sympy.sympify(shape[axis])
        raise ValueError(f"{text[:80]} is no size of an input")


def _path(node: ast.expr) -> list[str]:
    match node:
        case ast.Name(id="L"):
            return []
        case ast.Subscript(value=inner, slice=ast.Constant(value=str() | int() as key)):
            return [*_path(inner), str(key)]
    raise ValueError(f"{ast.unparse(node)[:80]} is no input")


def _floor_divided(left: sympy.Expr, right: sympy.Expr) -> sympy.Expr:
    if right == 0:
        raise ValueError("division by zero")
    return sympy.floor(left / right)


def _remainder(left: sympy.Expr, right: sympy.Expr) -> sympy.Expr:
    if right == 0:
        raise ValueError("division by zero")
    return sympy.Mod(left, right)


_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.LtE: "<=",
    ast.Lt: "<",
    ast.GtE: ">=",
    ast.Gt: ">",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_ARITHMETIC: dict[type[ast.operator], Callable[[sympy.Expr, sympy.Expr], sympy.Expr]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.FloorDiv: _floor_divided,
    ast.Mod: _remainder,
}
