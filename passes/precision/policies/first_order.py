"""Policy: integer programming over first-order scores, as if damages added up."""

from optimum_compile.compiler.errors import InternalError
from optimum_compile.passes.precision.policies.facts import Facts, Plan
from optimum_compile.passes.precision.policies.fill import fitted
from optimum_compile.passes.precision.problem import Picks, Problem


def first_order(problem: Problem, facts: Facts) -> Plan:
    """The least sum of Taylor scores under true bytes; what is left by score a byte.

    A unit without a choice (pinned, or a router) has no score and needs none.
    """
    from optimum_compile.passes.precision.allocate.milp import solve_separable

    if facts.sensitivity is None:
        raise InternalError("first-order without a sensitivity map")
    costs = [
        [facts.sensitivity.score(u.name, c.scheme) for c in u.choices]
        if len(u.choices) > 1
        else [0.0]
        for u in problem.units
    ]
    picks = solve_separable(problem, costs)
    order = sorted(range(len(picks)), key=lambda at: (-_gain(problem, costs, picks, at), at))
    total = sum(row[index] for row, index in zip(costs, picks, strict=True))
    said = f"first-order: the scores add up to {total:.4g} {facts.sensitivity.quantity}"
    return Plan(fitted(problem, picks, order), (said,))


def _gain(problem: Problem, costs: list[list[float]], picks: Picks, at: int) -> float:
    """What the next wider choice takes off the score, a byte."""
    now, choices = picks[at], problem.units[at].choices
    if now + 1 == len(choices):
        return 0.0
    added = max(choices[now + 1].bytes) - max(choices[now].bytes)
    return (costs[at][now] - costs[at][now + 1]) / max(1, added)
