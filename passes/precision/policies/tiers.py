"""Policy: four tiers by what a tensor does and how it ranks."""

from optimum_compile.passes.precision.policies.facts import (
    TABLES,
    Facts,
    Plan,
    average_bits,
    weight_shares,
)
from optimum_compile.passes.precision.policies.fill import fitted
from optimum_compile.passes.precision.problem import Problem

BITS = (8, 6, 4, 2.5)
# Of all weights. The first tier is what it is, and the others divide what remains in their ratio.
SHARES = (0.05, 0.15, 0.50, 0.30)
# Who comes first behind the first tier; inside a rank by sensitivity, or in this order.
_RANKS = {"v": 0, "down": 0, "q": 1, "k": 1, "o": 1, "gate": 1, "up": 1}
_ORDER = (*TABLES, "v", "down", "q", "k", "o", "gate", "up")


def tiers(problem: Problem, facts: Facts) -> Plan:
    """8 bits for tables, head, first and last block; then 6, 4 and 2.5 bits by rank.

    Behind the first tier v and down rank before q, k, o, gate and up, and those before the rest;
    inside a rank the more sensitive first where there is a map (its damage at the lowest tier's
    bits), else by role and depth. The ranking is cut where 15, 50 and 30 parts of the weights end.

    The first tier was published as 5 % of the weights, which small models with large tables exceed
    by far, and 5/15/50/30 of 8/6/4/2.5 bits are 4.05 bits, not the 3.2 that were claimed: a remark
    says what it comes to here.
    """
    order = sorted(range(len(problem.units)), key=lambda at: _place(problem, facts, at))
    tier = _tiers(problem, facts, order)
    own = tuple(facts.at_bits(problem, at, BITS[tier[at]]) for at in range(len(order)))
    parts = "/".join(f"{100 * share:.0f}" for share in weight_shares(problem, tier, len(BITS)))
    said = f"tiers: {parts} % of the weights (published: 5/15/50/30), {average_bits(problem, own):.2f}bpw"
    picks = fitted(problem, own, order)
    if picks != own:
        said += f" before the budget, {average_bits(problem, picks):.2f}bpw with it"
    return Plan(picks, (said,))


def _is_first(problem: Problem, facts: Facts, at: int) -> bool:
    unit = problem.units[at].unit
    return facts.roles[unit.name] in TABLES or unit.block in (0, facts.blocks - 1)


def _place(problem: Problem, facts: Facts, at: int) -> tuple[int, float, int, int]:
    """Sorts units: rank, sensitivity, role, depth."""
    role = facts.roles[problem.units[at].name]
    rank = -1 if _is_first(problem, facts, at) else _RANKS.get(role, 2)
    place = _ORDER.index(role) if role in _ORDER else len(_ORDER)
    return rank, -_damage(problem, facts, at), place, at


def _damage(problem: Problem, facts: Facts, at: int) -> float:
    unit = problem.units[at]
    if facts.sensitivity is None or len(unit.choices) < 2:
        return 0.0
    scheme = unit.choices[facts.at_bits(problem, at, BITS[-1])].scheme
    return facts.sensitivity.score(unit.name, scheme)


def _tiers(problem: Problem, facts: Facts, order: list[int]) -> list[int]:
    """The tier of every unit: the one that the middle of its weights lies in."""
    rest = [at for at in order if not _is_first(problem, facts, at)]
    total = sum(problem.units[at].unit.elements for at in rest)
    within = sum(SHARES[1:])
    ends = [sum(SHARES[1 : n + 1]) / within * total for n in (1, 2)]
    out, passed = [0] * len(order), 0
    for at in rest:
        size = problem.units[at].unit.elements
        out[at] = 1 + sum(passed + size / 2 > end for end in ends)
        passed += size
    return out
