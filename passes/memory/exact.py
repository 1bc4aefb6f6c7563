"""Placing numbers by an integer program, where searching did not reach what is alive.

For two buffers that are alive together a binary says which lies below. Below the height H:

    offset_a + size_a <= offset_b + H * (1 - below_ab)
    offset_b + size_b <= offset_a + H * below_ab
"""

from collections.abc import Sequence
from math import gcd

import numpy as np
from scipy.optimize import Bounds, LinearConstraint
from scipy.sparse import coo_array

from optimum_compile.passes.memory.place import Recipe
from optimum_compile.passes.precision.allocate.highs import quiet_milp

MAX_PAIRS = 1500
MAX_NODES = 100  # a count and not a time, so that the same graph always gets the same plan


def place_exactly(
    sizes: Sequence[int], near: Sequence[Sequence[int]], height: int
) -> Recipe | None:
    """The order, from low to high, of a placement that fits under `height`; None where none was found.

    Buffers placed in this order, each as low as it fits, stay under `height`. None says nothing for
    problems that are too large, or need too many nodes.
    """
    pairs = [(a, b) for a, others in enumerate(near) for b in others if a < b]
    if not pairs or len(pairs) > MAX_PAIRS:
        return None
    # Small numbers keep the solver's tolerance small: no sum of sizes falls between its multiples.
    unit = gcd(*sizes)
    height //= unit
    size = np.array(sizes, np.float64) / unit
    count, rows = len(sizes), 2 * len(pairs)
    at = np.arange(len(pairs))
    low, high = np.array(pairs).T
    binary = count + at
    # 2k: low below high, 2k + 1: high below low
    entries = [
        (2 * at, low, 1.0),
        (2 * at, high, -1.0),
        (2 * at, binary, float(height)),
        (2 * at + 1, high, 1.0),
        (2 * at + 1, low, -1.0),
        (2 * at + 1, binary, -float(height)),
    ]
    matrix = coo_array(
        (
            np.concatenate([np.full(len(at), value) for _, _, value in entries]),
            (
                np.concatenate([r for r, _, _ in entries]),
                np.concatenate([c for _, c, _ in entries]),
            ),
        ),
        shape=(rows, count + len(pairs)),
    )
    limits = np.empty(rows)
    limits[0::2] = height - size[low]
    limits[1::2] = -size[high]
    above = np.concatenate([height - size, np.ones(len(pairs))])
    if (above < 0).any():
        return None
    found = quiet_milp(
        np.zeros(count + len(pairs)),
        integrality=np.ones(count + len(pairs)),
        bounds=Bounds(0, above),
        constraints=LinearConstraint(matrix.tocsr(), -np.inf, limits),
        options={"node_limit": MAX_NODES},
    )
    if found.x is None:
        return None
    offsets = np.round(found.x[:count])
    return Recipe(tuple(sorted(range(count), key=lambda i: (offsets[i], i))))
