"""Dimensions as postfix expressions: what the planner wrote with sympy, the runtime only evaluates."""

import sympy

from optimum_compile.backends.native.program import MAX_STACK, Expr, ExprOp
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.shape import Dim, format_dim

Items = list[tuple[ExprOp, int]]
MAX_POWER = 8


class Expressions:
    """The table of expressions; equal ones are one entry."""

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self.symbols = symbols
        self.table: list[Expr] = []
        self._known: dict[Expr, int] = {}

    def add(self, dim: Dim) -> int:
        """Index of an expression. Raises UnsupportedError for what cannot be written so."""
        expr = Expr(tuple(self._items(dim)))
        if expr not in self._known:
            if _depth(expr) > MAX_STACK:
                raise UnsupportedError(f"native: {format_dim(dim)} needs too deep a stack")
            self._known[expr] = len(self.table)
            self.table.append(expr)
        return self._known[expr]

    def _items(self, dim: Dim) -> Items:
        if isinstance(dim, int) or dim.is_Integer:
            return [(ExprOp.CONST, int(dim))]
        if isinstance(dim, sympy.Symbol):
            return [(ExprOp.SYMBOL, self._symbol(dim))]
        if isinstance(dim, sympy.Add):
            return self._fold(ExprOp.ADD, dim.as_ordered_terms())
        if isinstance(dim, sympy.Mul) and all(a.is_integer for a in dim.args):
            return self._fold(ExprOp.MUL, dim.as_ordered_factors())
        if isinstance(dim, sympy.Pow) and dim.exp.is_Integer and 1 <= int(dim.exp) <= MAX_POWER:
            return self._fold(ExprOp.MUL, [dim.base] * int(dim.exp))
        if isinstance(dim, sympy.Max | sympy.Min):
            op = ExprOp.MAX if isinstance(dim, sympy.Max) else ExprOp.MIN
            return self._fold(op, sorted(dim.args, key=str))
        if isinstance(dim, sympy.floor | sympy.ceiling):
            over, under = sympy.fraction(sympy.together(dim.args[0]))
            more = under - 1 if isinstance(dim, sympy.ceiling) else sympy.Integer(0)
            parts = (self._items(sympy.expand(over + more)), self._items(sympy.expand(under)))
            return [*parts[0], *parts[1], (ExprOp.FLOORDIV, 0)]
        raise UnsupportedError(f"native: {format_dim(dim)} cannot be evaluated by the runtime")

    def _fold(self, op: ExprOp, parts: list[sympy.Expr]) -> Items:
        out = self._items(parts[0])
        for part in parts[1:]:
            out += [*self._items(part), (op, 0)]
        return out

    def _symbol(self, dim: sympy.Symbol) -> int:
        if dim.name not in self.symbols:
            known = ", ".join(self.symbols)
            raise UnsupportedError(f"native: symbol {dim.name} is none of {known}")
        return self.symbols.index(dim.name)


def _depth(expr: Expr) -> int:
    depth = most = 0
    for op, _ in expr.items:
        depth += 1 if op in (ExprOp.CONST, ExprOp.SYMBOL, ExprOp.REF) else -1
        most = max(most, depth)
    return most
