"""Small assignment problems."""

import numpy as np

from optimum_compile.backends.base import WeightUse
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.allocate.quadratic import Quadratic, starts_of
from optimum_compile.passes.precision.problem import Choice, Problem, UnitChoices
from optimum_compile.passes.precision.units import Unit

SCHEMES = ("vec8x4:channel@shared", "vec6x2:channel@shared", "int4:g32@bf16", "int8:channel", "f16")
CODEBOOKS = {(8, 4): (2048, 2112), (6, 2): (256, 320)}


def some_problem(units: int, seed: int = 0, schemes: tuple[str, ...] = SCHEMES) -> Problem:
    """Matrices of several sizes on two targets that pad differently; no limit."""
    rng = np.random.default_rng(seed)
    table = []
    for at in range(units):
        rows = int(rng.integers(1, 9)) * 32
        unit = Unit(f"layers.{at // 3}.w{at}", at // 3, WeightUse(f"w{at}", rows, 128, True, False))
        choices = []
        for scheme in map(parse_scheme, schemes):
            size = scheme.stored_bytes(rows, 128)
            choices.append(Choice(scheme, (size, size + 64)))
        table.append(UnitChoices(unit, tuple(choices)))
    parameters = sum(u.unit.elements for u in table)
    return Problem(tuple(table), (1000, 1500), (1 << 62,) * 2, CODEBOOKS, parameters)


def between(problem: Problem, share: float) -> Problem:
    """The problem with a limit of that share of the way from its least to its most bytes."""
    low, high = (max(problem.bytes_of(p)) for p in (problem.least(), problem.most()))
    return problem.limited((int(low + share * (high - low)),) * 2)


def some_damage(
    problem: Problem, base: tuple[int, ...], seed: int = 0, width: int = 64
) -> Quadratic:
    """Damage of random vectors, shorter with more bits, which share directions across units."""
    rng = np.random.default_rng(seed)
    starts = starts_of(problem)
    vectors = np.zeros((starts[-1], width))
    common = rng.standard_normal((4, width))
    for at, unit in enumerate(problem.units):
        size = np.exp(rng.normal()) * 0.1
        shared = common[rng.integers(4)] * rng.normal()
        for index in range(len(unit.choices)):
            noise = rng.standard_normal(width) + shared
            vectors[starts[at] + index] = size * 2.0 ** -unit.bits_per_weight(index) * noise
    slope = rng.normal(0, 1e-3, starts[-1])
    for at in range(len(problem.units)):
        rows = slice(starts[at], starts[at + 1])
        vectors[rows] -= vectors[starts[at] + base[at]].copy()
        slope[starts[at] + base[at]] = 0
    gram = vectors @ vectors.T
    return Quadratic(starts, 0.1, slope + np.diagonal(gram) / 2, gram.astype(np.float32))
