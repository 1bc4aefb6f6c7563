"""The integer program of what moves: most weights that stop being exceptions, within damage and bytes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint

from optimum_compile.passes.precision.allocate.highs import quiet_milp
from optimum_compile.passes.precision.codebooks import key_of
from optimum_compile.passes.precision.problem import Picks, Problem

# Without a limit in seconds, which would make the outcome depend on the machine.
LIMITS = {"mip_rel_gap": 1e-3, "node_limit": 200}


@dataclass(frozen=True)
class Move:
    """A unit to another choice: damage and bytes that it adds; `gain` weights fewer are exceptions."""

    unit: int
    index: int
    gain: int
    damage: float
    bytes: tuple[int, ...]


def gains_of(moves: Sequence[Move]) -> np.ndarray:
    """Weights that each move makes no exception, float64 (moves,)."""
    return np.array([m.gain for m in moves], float)


def moved(picks: Picks, moves: Sequence[Move]) -> Picks:
    """Picks after some moves, one a unit at most."""
    out = list(picks)
    for move in moves:
        out[move.unit] = move.index
    return tuple(out)


def solved(
    problem: Problem,
    picks: Picks,
    moves: Sequence[Move],
    allowed: float,
    *,
    whole: bool = True,
    at_least: float | None = None,
    tight: float = 0.0,
) -> np.ndarray:
    """Maximise sum gain_m x_m: one move a unit, sum damage_m x_m <= allowed, bytes in their limits.

    Damage and bytes stay below their limits by `tight` times the largest move.
    With `at_least` the least damage of what gains that much instead. A codebook that nothing reads
    yet is paid for where a move needs it. float64 (moves,); zeros where the solver found nothing.
    """
    used = {key_of(u.choices[i].scheme) for u, i in zip(problem.units, picks, strict=True)}
    need = [key_of(problem.units[m.unit].choices[m.index].scheme) for m in moves]
    fresh = sorted({k for k in need if k is not None and k not in used})
    count, columns = len(moves), len(moves) + len(fresh)
    if not count:
        return np.zeros(0)
    gains, harm = gains_of(moves), np.array([m.damage for m in moves])
    rows, most = [harm], [allowed - tight * float(np.abs(harm).max())]
    now = problem.bytes_of(picks)
    for target, limit in enumerate(problem.limits):
        books = [problem.codebooks[key][target] for key in fresh]
        rows.append(np.array([m.bytes[target] for m in moves] + books, float))
        most.append(float(limit - now[target]) - tight * float(np.abs(rows[-1]).max()))
    for at, key in enumerate(fresh):
        users = np.array([float(k == key) for k in need] + [0.0] * len(fresh))
        users[count + at] = -users.sum()
        rows.append(users)
        most.append(0.0)
    if at_least is not None:
        rows.append(-gains)
        most.append(-at_least)
    # Small whole numbers, between which the solver need not look.
    step = math.gcd(*(m.gain for m in moves)) or 1
    goal = -gains / step if at_least is None else harm / (np.abs(harm).max() or 1.0)
    owners = np.unique([m.unit for m in moves], return_inverse=True)[1]
    one_each = sparse.csr_array((np.ones(count), (owners, np.arange(count))))
    one_each.resize((one_each.shape[0], columns))
    found = quiet_milp(
        _padded(goal, columns),
        integrality=np.full(columns, int(whole)),
        bounds=Bounds(0, 1),
        constraints=[
            *(_row(row, limit, columns) for row, limit in zip(rows, most, strict=True)),
            LinearConstraint(one_each, -np.inf, 1),
        ],
        options=LIMITS,
    )
    return np.zeros(count) if found.x is None else np.asarray(found.x[:count])


def _padded(values: np.ndarray, columns: int) -> np.ndarray:
    out = np.zeros(columns)
    out[: len(values)] = values
    return out


def _row(values: np.ndarray, most: float, columns: int) -> LinearConstraint:
    """Row: values . x <= most, scaled to numbers near one: HiGHS keeps rows to an absolute tolerance."""
    scale = float(np.abs(values).max()) or 1.0
    return LinearConstraint(_padded(values, columns)[None] / scale, -np.inf, most / scale)
