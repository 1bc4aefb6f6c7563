"""Policy: the mixed recipes of mlx-lm, which follow llama.cpp's K-quant mixtures."""

from optimum_compile.passes.precision.policies.facts import Facts, Plan
from optimum_compile.passes.precision.policies.fill import fitted
from optimum_compile.passes.precision.problem import Picks, Problem

RECIPES = ((2, 6), (3, 4), (3, 6), (4, 6))  # bits of most tensors, and of those with more


def mlx_mixed(problem: Problem, facts: Facts) -> Plan:
    """More bits for the head, and for v and down of some blocks; the recipe by the budget.

    A tied head keeps the lower width: the published rule knows heads by the name `lm_head`, and a tied
    one goes by that of the embedding. Of the recipes that fit, the one with most bytes; without a
    budget `facts.bits` (2, 3 or 4, otherwise 4) and 6 bits.
    """
    more = [_has_more(problem, facts, at) for at in range(len(problem.units))]
    low, high = (facts.bits if facts.bits in (2, 3, 4) else 4), 6
    if problem.is_limited:
        fitting = [r for r in RECIPES if problem.fits(_recipe(problem, facts, more, *r))]
        sizes = {r: max(problem.bytes_of(_recipe(problem, facts, more, *r))) for r in fitting}
        low, high = max(sizes, key=lambda r: sizes[r], default=RECIPES[0])
    order = sorted(range(len(more)), key=lambda at: (not more[at], at))
    picks = fitted(problem, _recipe(problem, facts, more, low, high), order)
    said = f"mlx-mixed: {sum(more)} of {len(more)} tensors begin with {high} bits, the others with {low}"
    return Plan(picks, (said,))


def use_more_bits(index: int, blocks: int) -> bool:
    """Whether v and down of block `index` get more bits: the outer eighths, and every third between."""
    eighth = blocks // 8
    return index < eighth or index >= 7 * blocks // 8 or (index - eighth) % 3 == 2


def _has_more(problem: Problem, facts: Facts, at: int) -> bool:
    unit = problem.units[at].unit
    role = facts.roles[unit.name]
    return role == "head" or (role in ("v", "down") and use_more_bits(unit.block, facts.blocks))


def _recipe(problem: Problem, facts: Facts, more: list[bool], low: int, high: int) -> Picks:
    return tuple(facts.at_bits(problem, at, high if m else low) for at, m in enumerate(more))
