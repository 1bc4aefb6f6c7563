"""The separable problem by integer programming: each unit's choice has a cost of its own."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint

from optimum_compile.compiler.errors import InternalError
from optimum_compile.passes.precision.allocate.highs import quiet_milp
from optimum_compile.passes.precision.codebooks import key_of
from optimum_compile.passes.precision.problem import Picks, Problem

GAP = 1e-4  # relative distance to the bound at which HiGHS may stop
NODES = 20_000  # no limit in seconds, which would make the outcome depend on the machine


def solve_separable(problem: Problem, costs: Sequence[Sequence[float]]) -> Picks:
    """The picks of least summed cost that fit every limit.

    min sum c_uo x_uo, sum_o x_uo = 1, for each target sum b_uo x_uo + sum B_k y_k <= limit, and a
    shared codebook k is paid for (y_k = 1) where any unit uses it. HiGHS (Huangfu and Hall, 2018)
    through scipy solves 400 units of 8 choices in well under a second.

    Args:
        problem: units, bytes, limits.
        costs: for each unit the cost of each of its choices, any real numbers.

    Raises:
        BudgetError: not even the least fits.
        InternalError: the solver found nothing though something fits.
    """
    problem.require_possible()
    sizes = [len(u.choices) for u in problem.units]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    keys = sorted(problem.codebooks)
    count, columns = int(starts[-1]), int(starts[-1]) + len(keys)
    flat = np.concatenate([np.asarray(row, float) for row in costs])
    scale = float(np.abs(flat).max(initial=0)) or 1.0
    objective = np.concatenate([flat / scale, np.zeros(len(keys))])

    unit_rows = np.repeat(np.arange(len(sizes)), sizes)
    one_each = sparse.csr_array(
        (np.ones(count), (unit_rows, np.arange(count))), (len(sizes), columns)
    )
    used = [key_of(c.scheme) for u in problem.units for c in u.choices]
    limits = []
    for at, (limit, fixed) in enumerate(zip(problem.limits, problem.fixed_bytes, strict=True)):
        weights = [c.bytes[at] for u in problem.units for c in u.choices]
        row = np.array([*weights, *(problem.codebooks[k][at] for k in keys)], float)
        # In shares of the limit: HiGHS keeps rows to an absolute tolerance.
        room = max(1, limit - fixed)
        limits.append(LinearConstraint(row[None] / room, -np.inf, (limit - fixed) / room))
    for index, key in enumerate(keys):
        row = np.array([float(k == key) for k in used] + [0.0] * len(keys))
        row[count + index] = -float(row.sum())
        limits.append(LinearConstraint(row[None], -np.inf, 0))
    found = quiet_milp(
        objective,
        integrality=np.ones(columns),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(one_each, 1, 1), *limits],
        options={"mip_rel_gap": GAP, "node_limit": NODES},
    )
    if found.x is None:
        raise InternalError(f"integer program of {count} choices: {found.message}")
    chosen = found.x[:count]
    picks = tuple(int(chosen[a:b].argmax()) for a, b in pairwise(starts))
    return picks if problem.fits(picks) else _repaired(problem, picks, costs)


def _repaired(problem: Problem, picks: Picks, costs: Sequence[Sequence[float]]) -> Picks:
    """Narrow units, the cheapest a byte first, until rounding of the solver's rows is undone."""
    out = list(picks)
    while not problem.fits(out):
        best = None
        for at, unit in enumerate(problem.units):
            for index in range(out[at]):
                saved = max(unit.choices[out[at]].bytes) - max(unit.choices[index].bytes)
                price = (costs[at][index] - costs[at][out[at]]) / max(1, saved)
                if saved > 0 and (best is None or price < best[0]):
                    best = (price, at, index)
        if best is None:
            return problem.least()
        out[best[1]] = best[2]
    return tuple(out)
