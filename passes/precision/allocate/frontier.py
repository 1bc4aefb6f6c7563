"""From one measurement: the best assignment at every budget, and the fewest bytes for a quality."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optimum_compile.compiler.errors import BudgetError
from optimum_compile.passes.precision.allocate.quadratic import Quadratic
from optimum_compile.passes.precision.allocate.search import solve
from optimum_compile.passes.precision.problem import Picks, Problem

HALVINGS = 14  # of the range of bytes: the last step is below a ten-thousandth of it


@dataclass(frozen=True)
class Point:
    """An assignment that no other beats in both: weight bytes on each target, predicted KL.

    `schemes` by the name of the unit, as text.
    """

    bytes: tuple[int, ...]
    bits_per_weight: float
    predicted_kl: float
    schemes: dict[str, str]


def frontier(problem: Problem, damage: Quadratic, base: Picks, steps: int = 40) -> list[Point]:
    """The best assignment at `steps` budgets from the least to the most bytes, fewest bytes first.

    Assignments that take more bytes than another without less damage are left out. Damage is read as a
    distance from the widest choices, since most of the frontier is far from `base`, where it is exact.
    """
    low, high = _span(problem)
    damage = damage.from_widest(base)
    found: list[Point] = []
    best = np.inf
    # Even steps of the logarithm: damage falls with bits exponentially.
    for limit in np.geomspace(low, high, steps):
        here = problem.limited((int(np.ceil(limit)),) * len(problem.limits))
        picks = solve(here, damage, base)
        value = damage.value(picks)
        if value < best:
            best = value
            found.append(_point(problem, picks, value))
    return found


def smallest(problem: Problem, damage: Quadratic, base: Picks, max_kl: float) -> Picks:
    """Picks of the fewest bytes whose predicted KL is at most `max_kl`.

    Raises BudgetError with the range where even the widest choices are predicted to do worse.
    """
    low, high = _span(problem)
    best = solve(problem.limited((high,) * len(problem.limits)), damage, base)
    least = damage.value(best)
    if least > max_kl:
        raise BudgetError(
            f"max-kl of {max_kl:g}: the least that is predicted is {least:.3g} nats a token, with "
            f"{high:,} bytes; raise --max-kl"
        )
    for _ in range(HALVINGS):
        middle = (low + high) // 2
        picks = solve(problem.limited((middle,) * len(problem.limits)), damage, base)
        if damage.value(picks) <= max_kl:
            best, high = picks, middle
        else:
            low = middle
    return best


def _span(problem: Problem) -> tuple[int, int]:
    sizes: Sequence[int] = [
        max(problem.bytes_of(picks)) for picks in (problem.least(), problem.most())
    ]
    return sizes[0], sizes[1]


def _point(problem: Problem, picks: Picks, value: float) -> Point:
    sizes = problem.bytes_of(picks)
    schemes = {name: str(scheme) for name, scheme in problem.schemes(picks).items()}
    return Point(sizes, 8 * max(sizes) / max(1, problem.parameters), value, schemes)
