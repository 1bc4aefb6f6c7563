"""Guards of a graph as the runtime checks them in each call: one expression that must not be negative."""

import sympy

from optimum_compile.backends.native.exprs import Expressions
from optimum_compile.backends.native.program import MAX_STRING_BYTES, PAST, SEQ, Guard, Relation
from optimum_compile.compiler.ir.conditions import Condition
from optimum_compile.compiler.ir.conditions import Relation as Sides
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.guards import guards_of
from optimum_compile.compiler.ir.shape import Dim, as_dim, symbol


def lower_guards(graph: Graph, exprs: Expressions, context: int) -> tuple[Guard, ...]:
    """That the tokens fit into the cache, and what torch.export demanded of the symbols.

    Alternatives become their maximum: where one of them holds, it is not negative.
    """
    room = as_dim(context - symbol(SEQ) - symbol(PAST))
    made = [_guard(exprs, room, f"the cache holds {context} tokens")]
    for guard in guards_of(graph):
        if guard.symbols <= {SEQ, PAST}:
            slack = sympy.Max(*(slack_of(condition) for condition in guard.any_of))
            made.append(_guard(exprs, slack, f"{guard} ({guard.reason})"))
    return tuple(made)


def _guard(exprs: Expressions, slack: Dim, text: str) -> Guard:
    short = text.encode()[:MAX_STRING_BYTES].decode("utf-8", "ignore")
    return Guard(exprs.add(slack), Relation.NOT_NEGATIVE, 0, short)


def slack_of(condition: Condition) -> Dim:
    """A number that is 0 or more where the condition holds, and less where it does not."""
    more = sympy.sympify(condition.right) - sympy.sympify(condition.left)
    if condition.relation is Sides.AT_MOST:
        return more
    if condition.relation is Sides.EQUAL:
        return sympy.Min(more, -more)
    if condition.relation is Sides.NOT_EQUAL:
        return sympy.Max(more - 1, -more - 1)
    left, right = sympy.sympify(condition.left), sympy.sympify(condition.right)
    return sympy.floor(left / right) * right - left
