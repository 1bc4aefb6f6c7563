"""Policy: one precision for everything."""

from optimum_compile.passes.precision.policies.facts import Facts, Plan, average_bits
from optimum_compile.passes.precision.policies.fill import fitted, toward
from optimum_compile.passes.precision.problem import Picks, Problem, UnitChoices


def uniform(problem: Problem, facts: Facts) -> Plan:
    """The widest rung that fits everywhere, and the next one for the first tensors by depth.

    A rung is a class where the facts know classes, otherwise a scheme of the unit with most weights;
    units that lack it get what is nearest in bits. Few models fill a budget in one rung to within a
    percent: the remainder is spent on the first tensors, and a remark says on how many. Without a
    budget everything gets `facts.bits`.
    """
    everything = range(len(problem.units))
    if not problem.is_limited:
        return Plan(tuple(facts.at_bits(problem, at, facts.bits) for at in everything))
    ladder = rungs(problem, facts)
    fitting = [n for n, picks in enumerate(ladder) if problem.fits(picks)]
    base = ladder[fitting[-1] if fitting else 0]
    picks = base
    if fitting and fitting[-1] + 1 < len(ladder):
        picks = toward(problem, base, ladder[fitting[-1] + 1], everything)
    # What is left goes to tensors that still are on the lower rung.
    order = sorted(everything, key=lambda at: (picks[at] > base[at], at))
    picks = fitted(problem, picks, order)
    wider = sum(now > own for now, own in zip(picks, base, strict=True))
    narrower = sum(now < own for now, own in zip(picks, base, strict=True))
    free = [u for u in problem.units if len(u.choices) > 1]
    scheme = _name(problem, base)
    said = [
        f"uniform: {count} of {len(free)} tensors are {how} than {scheme}"
        for count, how in ((wider, "wider"), (narrower, "narrower"))
        if count
    ]
    return Plan(picks, tuple(said))


def rungs(problem: Problem, facts: Facts) -> list[Picks]:
    """Uniform assignments, the narrowest first."""
    if facts.classes:
        found = list(facts.classes.values())
    else:
        largest = max(problem.units, key=lambda u: (len(u.choices) > 1, u.unit.elements))
        found = [
            tuple(_like(unit, largest, index) for unit in problem.units)
            for index in range(len(largest.choices))
        ]
    return sorted(dict.fromkeys(found), key=lambda p: (max(problem.bytes_of(p)), p))


def _like(unit: UnitChoices, model: UnitChoices, index: int) -> int:
    """The same scheme, or the nearest in bits."""
    wanted = model.choices[index].scheme
    same = [i for i, choice in enumerate(unit.choices) if choice.scheme == wanted]
    return same[0] if same else unit.nearest(model.bits_per_weight(index))


def _name(problem: Problem, picks: Picks) -> str:
    largest = max(range(len(picks)), key=lambda at: problem.units[at].unit.elements)
    scheme = problem.units[largest].choices[picks[largest]].scheme
    return f"{scheme} everywhere ({average_bits(problem, picks):.2f}bpw)"
