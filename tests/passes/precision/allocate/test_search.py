"""The damage model and the search under it, against arithmetic done the long way."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.problems import between, some_damage, some_problem

from optimum_compile.compiler.errors import InternalError
from optimum_compile.passes.precision.allocate.narrowed import around, filled, translated
from optimum_compile.passes.precision.allocate.quadratic import Quadratic
from optimum_compile.passes.precision.allocate.search import improve, solve

SEEDS = st.integers(0, 999)


def case(seed, units=4, share=0.4):
    problem = between(some_problem(units, seed), share)
    base = problem.least()
    return problem, base, some_damage(problem, base, seed)


def test_the_base_has_what_was_measured_there():
    _, base, damage = case(0)
    assert damage.value(base) == damage.base_kl


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_moves_are_differences_of_values(seed):
    problem, _, damage = case(seed)
    rng = np.random.default_rng(seed)
    picks = tuple(int(rng.integers(len(u.choices))) for u in problem.units)
    change = damage.moves(picks)
    for at, unit in enumerate(problem.units):
        for index in range(len(unit.choices)):
            moved = (*picks[:at], index, *picks[at + 1 :])
            expected = damage.value(moved) - damage.value(picks)
            assert change[damage.starts[at] + index] == pytest.approx(expected, abs=1e-6)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_two_moves_together_are_their_sum_and_the_interaction(seed):
    _, base, damage = case(seed)
    change = damage.moves(base)
    ups, downs = np.array([1, 2]), np.array([damage.starts[1] + 1, damage.starts[2] + 3])
    extra = damage.together(base, ups, downs)
    for i, first in enumerate(ups):
        for j, second in enumerate(downs):
            moved = list(base)
            moved[0] = int(first)
            at = int(np.searchsorted(damage.starts, second, side="right")) - 1
            moved[at] = int(second - damage.starts[at])
            expected = damage.value(moved) - damage.value(base)
            assert change[first] + change[second] + extra[i, j] == pytest.approx(expected, abs=1e-6)


@given(SEEDS, st.floats(0.05, 0.95))
@settings(max_examples=20, deadline=None)
def test_the_search_is_near_the_best_of_all(seed, share):
    problem, base, damage = case(seed, share=share)
    picks = solve(problem, damage, base)
    every = product(*(range(len(u.choices)) for u in problem.units))
    values = {p: damage.value(p) for p in every if problem.fits(p)}
    best, worst = min(values.values()), max(values.values())
    assert problem.fits(picks)
    assert values[picks] <= best + 0.02 * (worst - best) + 1e-9


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_improving_never_harms(seed):
    problem, base, damage = case(seed, units=9)
    found = improve(problem, damage, base)
    assert problem.fits(found)
    assert damage.value(found) <= damage.value(base)


def test_interactions_change_the_answer():
    """Two units whose errors cancel may both be narrow; a separable solver widens one."""
    problem = some_problem(2, schemes=("int4:g32@bf16", "int8:channel"))
    starts = (0, 2, 4)
    vectors = np.array([[0, 0], [-1, 0], [0, 0], [1, 0]], np.float64)
    gram = vectors @ vectors.T
    alone = np.array([0, 0.1, 0, 0.1])
    damage = Quadratic(starts, 1.0, alone, gram.astype(np.float32))
    picks = solve(problem, damage, (0, 0))
    assert picks == (1, 1)
    assert damage.value(picks) == pytest.approx(1.0 + 0.2 - 1.0)


def test_what_is_left_is_spent():
    problem, base, damage = case(3, units=9, share=0.5)
    gain = damage.separable(base)
    full = filled(problem, base, gain)
    assert problem.fits(full)
    assert problem.slack(full) <= 0.01 * min(problem.limits)


def test_a_smaller_problem_and_the_way_back():
    problem, _, _ = case(1, units=5)
    picks = (0, 1, 2, 3, 4)
    narrow, inside = around(problem, picks, 1)
    assert [len(u.choices) for u in narrow.units] == [2, 3, 3, 3, 2]
    assert narrow.schemes(inside) == problem.schemes(picks)
    assert translated(narrow, inside, problem) == picks


def test_a_damage_of_other_options_is_a_bug():
    with pytest.raises(InternalError, match="damage of 4 options"):
        Quadratic((0, 2, 4), 0.0, np.zeros(3), np.zeros((4, 4), np.float32))


def test_distances_from_the_widest_choices():
    """Nothing at the widest, what was measured at the base, and a sum of squares in between."""
    problem, _, _ = case(5)
    base = tuple(1 for _ in problem.units)
    damage = some_damage(problem, base, 5)
    wide = damage.from_widest(base)
    assert wide.value(problem.most()) == pytest.approx(0, abs=1e-9)
    assert wide.value(base) == pytest.approx(damage.base_kl, rel=1e-5)
    rng = np.random.default_rng(5)
    for _ in range(20):
        picks = tuple(int(rng.integers(len(u.choices))) for u in problem.units)
        assert wide.value(picks) >= -1e-9
