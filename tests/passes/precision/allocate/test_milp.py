"""The separable start: optimal, within every limit, refused where nothing fits."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.problems import between, some_problem

from optimum_compile.compiler.errors import BudgetError
from optimum_compile.passes.precision.allocate.milp import solve_separable


def costs_of(problem, seed):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=len(u.choices)).tolist() for u in problem.units]


@given(st.integers(0, 999), st.floats(0, 1))
@settings(max_examples=25, deadline=None)
def test_no_other_picks_that_fit_cost_less(seed, share):
    problem = between(some_problem(4, seed), share)
    costs = costs_of(problem, seed)
    picks = solve_separable(problem, costs)
    assert problem.fits(picks)
    every = product(*(range(len(u.choices)) for u in problem.units))
    total = {p: sum(c[i] for c, i in zip(costs, p, strict=True)) for p in every if problem.fits(p)}
    best = min(total.values())
    assert total[picks] <= best + 1e-3 * max(1.0, abs(best))


def test_a_shared_codebook_is_paid_once():
    problem = some_problem(2, schemes=("vec8x4:channel@shared", "f16"))
    sizes = [u.choices[0].bytes[1] for u in problem.units]
    exact = 1500 + 2112 + sum(sizes)
    costs = [[0.0, 1.0], [0.0, 1.0]]
    assert solve_separable(problem.limited((exact, exact)), costs) == (0, 0)
    with pytest.raises(BudgetError):
        solve_separable(problem.limited((exact - 1, exact - 1)), costs)


def test_the_tightest_target_decides():
    problem = some_problem(3, schemes=("int4:g32@bf16", "int8:channel"))
    wide = problem.bytes_of((1, 1, 1))
    cheap_first = [[1.0, 0.0]] * 3
    assert solve_separable(problem.limited(wide), cheap_first) == (1, 1, 1)
    tight = (wide[0], wide[1] - 1)
    assert solve_separable(problem.limited(tight), cheap_first) != (1, 1, 1)


def test_an_impossible_budget_names_the_range():
    problem = some_problem(3).limited((10, 10))
    low, high = (max(problem.bytes_of(p)) for p in (problem.least(), problem.most()))
    with pytest.raises(BudgetError, match=rf"budget of 10 bytes .*{low:,} to {high:,} bytes"):
        solve_separable(problem, costs_of(problem, 0))
