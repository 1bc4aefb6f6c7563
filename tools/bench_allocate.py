"""Time of an assignment: 400 units of 8 choices with made-up damage, on one core.

    python -m optimum_compile.tools.bench_allocate [--units 400] [--repeat 5]

Prints medians: the integer program alone, and the whole search with interactions.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from statistics import median

import numpy as np

from optimum_compile.backends.base import WeightUse
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.allocate.milp import solve_separable
from optimum_compile.passes.precision.allocate.quadratic import Quadratic, starts_of
from optimum_compile.passes.precision.allocate.search import solve
from optimum_compile.passes.precision.problem import Choice, Problem, UnitChoices
from optimum_compile.passes.precision.units import Unit

SCHEMES = (
    "vec8x4:channel@shared",
    "vec6x2:channel@shared",
    "uint3:g32@u4,zu4",
    "vec8x2:channel@shared",
    "int4:g32@bf16",
    "lut6:r16",
    "int8:channel",
    "f16",
)
COLUMNS = 2048
DIRECTIONS = 2048  # of the made-up changes of logits
BPW = 3.0


def made_up(count: int, seed: int) -> tuple[Problem, Quadratic, tuple[int, ...]]:
    """Matrices of several sizes, random changes of which a third points the same way, and a base."""
    rng = np.random.default_rng(seed)
    table = []
    for at in range(count):
        rows = int(rng.integers(4, 40)) * 64
        unit = Unit(f"w{at}", at // 7, WeightUse(f"w{at}", rows, COLUMNS, True, False))
        schemes = (parse_scheme(text) for text in SCHEMES)
        sized = [(s, s.stored_bytes(rows, COLUMNS)) for s in schemes]
        choices = [Choice(scheme, (size, size + 64)) for scheme, size in sized]
        choices.sort(key=lambda c: c.bytes)
        table.append(UnitChoices(unit, tuple(choices)))
    parameters = sum(u.unit.elements for u in table)
    books = {(8, 4): (2048, 2112), (6, 2): (256, 320), (8, 2): (1024, 1088)}
    limit = int(BPW * parameters / 8)
    problem = Problem(tuple(table), (1000, 2000), (limit,) * 2, books, parameters)
    base = tuple(u.nearest(BPW) for u in table)
    starts = starts_of(problem)
    common = rng.standard_normal((20, DIRECTIONS))
    vectors = np.zeros((starts[-1], DIRECTIONS), np.float32)
    for at, each in enumerate(table):
        size = float(np.exp(rng.normal())) / 30
        for index in range(len(each.choices)):
            noise = rng.standard_normal(DIRECTIONS) + 0.5 * common[rng.integers(20)]
            vectors[starts[at] + index] = size * 2.0 ** -each.bits_per_weight(index) * noise
        own = vectors[starts[at] + base[at]].copy()
        vectors[starts[at] : starts[at + 1]] -= own
    gram = vectors @ vectors.T / DIRECTIONS
    # Fewer bits harm, more help: the slope that a base with damage of its own has.
    bits = np.array([u.bits_per_weight(i) for u in table for i in range(len(u.choices))])
    alone = np.diagonal(gram) / 2 + 1e-4 * (2.0**-bits - 2.0**-BPW)
    return problem, Quadratic(starts, 0.1, alone.astype(np.float64), gram), base


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="bench_allocate", description=__doc__)
    parser.add_argument("--units", type=int, default=400)
    parser.add_argument("--repeat", type=int, default=5)
    args = parser.parse_args(argv)
    alone, whole = [], []
    for seed in range(args.repeat):
        problem, damage, base = made_up(args.units, seed)
        costs = damage.separable(base)
        begin = time.perf_counter()
        solve_separable(problem, costs)
        alone.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        picks = solve(problem, damage, base)
        whole.append(time.perf_counter() - begin)
        if not problem.fits(picks):
            raise SystemExit("an assignment that does not fit")
    print(
        f"{args.units} units, {len(SCHEMES)} choices: integer program {median(alone):.2f} s, "
        f"with interactions {median(whole):.2f} s (medians of {args.repeat})"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
