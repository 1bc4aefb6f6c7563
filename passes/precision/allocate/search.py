"""Local search under interactions: what the separable start cannot know."""

from collections.abc import Sequence

import numpy as np

from optimum_compile.passes.precision.allocate.milp import solve_separable
from optimum_compile.passes.precision.allocate.quadratic import (
    Quadratic,
    option_bytes,
    picks_from,
)
from optimum_compile.passes.precision.problem import Picks, Problem

ROUNDS = 3  # linearise, solve, search again
WIDE = 128  # single moves to more bytes, and to fewer, that are paired
STEPS = 400
LEAST_GAIN = 1e-9  # nats: below it two assignments are equal


def solve(problem: Problem, damage: Quadratic, base: Picks) -> Picks:
    """Picks of least predicted damage that fit.

    min ½ xᵀGx + cᵀx: the integer program on costs that are linear around the last solution, then
    exchanges of one and of two units under the whole quadratic form; again, while that helps.

    Raises BudgetError where nothing fits.
    """
    best = improve(problem, damage, solve_separable(problem, damage.separable(base)))
    value = damage.value(best)
    for _ in range(ROUNDS):
        start = solve_separable(problem, damage.separable(best))
        found = improve(problem, damage, start)
        fresh = damage.value(found)
        if fresh >= value - LEAST_GAIN:
            break
        best, value = found, fresh
    return best


def improve(problem: Problem, damage: Quadratic, picks: Picks) -> Picks:
    """Exchange one or two units at a time while the predicted damage falls and the bytes fit."""
    sizes = option_bytes(problem)
    for _ in range(STEPS):
        better = _single(problem, damage, picks, sizes) or _pair(problem, damage, picks, sizes)
        if better is None:
            return picks
        picks = better
    return picks


def _single(problem: Problem, damage: Quadratic, picks: Picks, sizes: np.ndarray) -> Picks | None:
    """The best change of one unit that fits, or None."""
    change = damage.moves(picks)
    at = damage.numbers(picks)
    added = sizes - sizes[np.repeat(at, np.diff(damage.starts))]
    room = np.array(problem.limits) - np.array(problem.bytes_of(picks))
    good = np.flatnonzero((change < -LEAST_GAIN) & (added <= room).all(1))
    for option in good[np.argsort(change[good], kind="stable")]:
        moved = _moved(damage, picks, (int(option),))
        if problem.fits(moved):
            return moved
    return None


def _pair(problem: Problem, damage: Quadratic, picks: Picks, sizes: np.ndarray) -> Picks | None:
    """The best change of two units, as when one gives the bytes that the other takes, or None."""
    change = damage.moves(picks)
    at = damage.numbers(picks)
    owner = np.repeat(np.arange(len(at)), np.diff(damage.starts))
    added = sizes - sizes[at[owner]]
    most = added.max(1).astype(np.float64)
    wider, narrower = np.flatnonzero(most > 0), np.flatnonzero(most < 0)
    ups = wider[np.argsort(change[wider] / most[wider], kind="stable")][:WIDE]
    downs = narrower[np.argsort(change[narrower] / -most[narrower], kind="stable")][:WIDE]
    some = np.concatenate([ups, downs])
    total = change[some][:, None] + change[some][None] + damage.together(picks, some, some)
    total[owner[some][:, None] >= owner[some][None]] = np.inf  # each pair once
    room = np.array(problem.limits) - np.array(problem.bytes_of(picks))
    for target in range(len(room)):
        bytes_of = added[some, target]
        total[bytes_of[:, None] + bytes_of[None] > room[target]] = np.inf
    good = np.flatnonzero(total < -LEAST_GAIN)
    for flat in good[np.argsort(total.flat[good], kind="stable")]:
        one, other = divmod(int(flat), len(some))
        moved = _moved(damage, picks, (int(some[one]), int(some[other])))
        if problem.fits(moved):  # codebooks, which the bytes of options do not show
            return moved
    return None


def _moved(damage: Quadratic, picks: Picks, options: Sequence[int]) -> Picks:
    numbers = damage.numbers(picks)
    owner = np.repeat(np.arange(len(numbers)), np.diff(damage.starts))
    for option in options:
        numbers[owner[option]] = option
    return picks_from(damage.starts, numbers)
