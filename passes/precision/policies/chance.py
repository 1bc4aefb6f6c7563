"""Policy: a control. Who gets more bits is drawn by lot."""

import numpy as np

from optimum_compile.passes.precision.policies.facts import Facts, Plan
from optimum_compile.passes.precision.policies.fill import climb, fitted
from optimum_compile.passes.precision.problem import Problem


def chance(problem: Problem, facts: Facts) -> Plan:
    """From the least, one step at a time for units in an order drawn from the seed, until full.

    Every step of every unit has one ticket, so large units are as likely as small ones. Without a
    budget every unit gets any of its choices.
    """
    rng = np.random.default_rng(facts.seed)
    if not problem.is_limited:
        return Plan(tuple(int(rng.integers(len(u.choices))) for u in problem.units))
    tickets = np.repeat(range(len(problem.units)), [len(u.choices) - 1 for u in problem.units])
    picks = climb(problem, problem.least(), (int(at) for at in rng.permutation(tickets)))
    return Plan(fitted(problem, picks, [int(at) for at in rng.permutation(len(picks))]))
