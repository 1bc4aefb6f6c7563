"""Policy: two widths; the blocks that change the decoded token most get the wider one."""

import math

from optimum_compile.compiler.errors import InternalError
from optimum_compile.passes.precision.policies.facts import TABLES, Facts, Plan
from optimum_compile.passes.precision.policies.fill import fitted, toward
from optimum_compile.passes.precision.problem import Picks, Problem

PAIRS = ((16, 8), (8, 4), (4, 2))  # bits of the important blocks, and of the others


def lsaq(problem: Problem, facts: Facts) -> Plan:
    """As many of the most important blocks in the higher width as the budget holds (arXiv 2412.18135).

    The pair is the widest whose lower width fits everywhere. Blocks are ordered by the map's number a
    weight in the narrowest choice (which is the block's importance times a relative error), ties by
    that in the next choice, then by depth. Tables and an untied head are no blocks, and come first.
    What is left after whole blocks goes to the first tensors of the next.
    """
    order, blocks = _ranked(problem, facts)
    fitting = (pair for pair in PAIRS if problem.fits(_all(problem, facts, pair[1])))
    high, low = next(fitting, PAIRS[-1])
    least, goal = _all(problem, facts, low), _all(problem, facts, high)
    picks = least
    if problem.fits(least):
        picks = toward(problem, least, goal, order)
    rest = sorted(order, key=lambda at: picks[at] >= goal[at])  # stable
    picks = fitted(problem, picks, rest)
    whole = [b for b in blocks if all(picks[at] >= goal[at] for at in _members(problem, facts, b))]
    return Plan(
        picks,
        (
            f"lsaq: {len(whole)} of {len(blocks)} blocks in {high} bits, the others in {low}; in order "
            f"of importance {', '.join(str(b) for b in blocks)}",
        ),
    )


def _all(problem: Problem, facts: Facts, bits: int) -> Picks:
    return tuple(facts.at_bits(problem, at, bits) for at in range(len(problem.units)))


def _members(problem: Problem, facts: Facts, block: int) -> list[int]:
    """Numbers of a block's units."""
    return [
        at
        for at, unit in enumerate(problem.units)
        if unit.unit.block == block and facts.roles[unit.name] not in TABLES
    ]


def _ranked(problem: Problem, facts: Facts) -> tuple[list[int], list[int]]:
    """All units in order, and the blocks: the most important first."""
    blocks = [b for b in range(facts.blocks) if _members(problem, facts, b)]
    blocks.sort(key=lambda b: ([-n for n in _numbers(problem, facts, b)], b))
    members = [at for b in blocks for at in _members(problem, facts, b)]
    return sorted(set(range(len(problem.units))) - set(members)) + members, blocks


def _numbers(problem: Problem, facts: Facts, block: int) -> list[float]:
    """What the map says of a block, a weight: in the narrowest choice, then in the next one."""
    if facts.sensitivity is None:
        raise InternalError("lsaq without a sensitivity map")
    free = [
        u for at in _members(problem, facts, block) if len((u := problem.units[at]).choices) > 1
    ]
    weights = max(1, sum(u.unit.elements for u in free))
    score = facts.sensitivity.score
    return [
        math.fsum(score(u.name, u.choices[level].scheme) for u in free) / weights
        for level in (0, 1)
    ]
