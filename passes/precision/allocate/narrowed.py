"""Smaller problems around an assignment, and the way back."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from optimum_compile.passes.precision.problem import Picks, Problem

SPARE = 0.005  # share of the limit


def around(problem: Problem, picks: Sequence[int], steps: int) -> tuple[Problem, Picks]:
    """Each matrix with its choice and `steps` on either side of it; and the picks in that problem.

    Caches keep all choices, which cost no rounding.
    """
    units, fresh = [], []
    for unit, index in zip(problem.units, picks, strict=True):
        low, high = max(0, index - steps), min(len(unit.choices), index + steps + 1)
        if unit.unit.is_cache:
            low, high = 0, len(unit.choices)
        units.append(replace(unit, choices=unit.choices[low:high]))
        fresh.append(index - low)
    return replace(problem, units=tuple(units)), tuple(fresh)


def translated(source: Problem, picks: Sequence[int], target: Problem) -> Picks:
    """Picks of one problem in another that has the same units and at least those schemes."""
    return target.picks_of(source.schemes(picks))


def filled(problem: Problem, picks: Sequence[int], gain: Sequence[Sequence[float]]) -> Picks:
    """Spend what is left: the upgrade of least cost a byte that fits, again and again.

    `gain` is the predicted change of the damage for every choice. Upgrades that are predicted to harm
    are taken only while more than `SPARE` of the limit is left: at the optimum the last differences are
    noise, and more bits seldom hurt.
    """
    out = tuple(picks)
    while True:
        spare = problem.slack(out) > SPARE * min(problem.limits)
        tried = sorted(_upgrades(problem, out, gain))
        found = next((o for price, _, o in tried if (spare or price < 0) and problem.fits(o)), None)
        if found is None:
            return out
        out = found


def _upgrades(
    problem: Problem, picks: Picks, gain: Sequence[Sequence[float]]
) -> Iterator[tuple[float, int, Picks]]:
    """Every change of one unit to more bytes that there is room for: price, unit, picks."""
    room = problem.slack(picks)
    for at, unit in enumerate(problem.units):
        now = picks[at]
        for index in range(now + 1, len(unit.choices)):
            added = max(unit.choices[index].bytes) - max(unit.choices[now].bytes)
            if 0 < added <= room:
                price = (gain[at][index] - gain[at][now]) / added
                yield price, at, (*picks[:at], index, *picks[at + 1 :])
