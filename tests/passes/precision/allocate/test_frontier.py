"""Every budget from one measurement, and back from a file."""

import numpy as np
import pytest
from support.problems import between, some_damage, some_problem

from optimum_compile.compiler.errors import BudgetError, InputError
from optimum_compile.passes.precision.allocate.frontier import frontier, smallest
from optimum_compile.passes.precision.allocate.goals import Budgeted, Candidate, Quality
from optimum_compile.passes.precision.allocate.saved import KEYS, read_damage, write_damage


def case(seed=0, units=6):
    problem = some_problem(units, seed)
    base = tuple(1 for _ in problem.units)
    return problem, base, some_damage(problem, base, seed)


def test_the_frontier_falls():
    problem, base, damage = case()
    points = frontier(problem, damage, base, steps=12)
    sizes = [max(p.bytes) for p in points]
    kls = [p.predicted_kl for p in points]
    assert sizes == sorted(sizes)
    assert kls == sorted(kls, reverse=True)
    assert points[0].bytes == problem.bytes_of(problem.least())
    assert points[-1].predicted_kl == pytest.approx(0, abs=1e-6)
    assert set(points[0].schemes) == {u.name for u in problem.units}


def test_the_smallest_that_is_good_enough():
    problem, base, damage = case()
    ends = [damage.value(p) for p in (problem.least(), problem.most())]
    wanted = min(ends) + 0.3 * (max(ends) - min(ends))
    picks = smallest(problem, damage, base, wanted)
    assert damage.value(picks) <= wanted
    less = max(problem.bytes_of(picks)) - 1
    tight = problem.limited((int(less * 0.97),) * 2)
    assert damage.value(Budgeted().solve(tight, damage, base)) > wanted


def test_a_quality_out_of_reach_names_the_best():
    problem, base, damage = case()
    with pytest.raises(BudgetError, match=r"max-kl of -5: the least that is predicted is .* nats"):
        smallest(problem, damage, base, -5)


def test_goals_choose_their_candidates():
    found = [Candidate("a", (0,), 0.1), Candidate("b", (1,), 0.2), Candidate("c", (2,), 0.5)]
    assert Budgeted().chosen(found[::-1]).name == "a"
    assert Quality(0.3, 0.3).chosen(found).name == "b"
    assert Quality(0.05, 0.05).chosen(found) is None
    assert Budgeted().chosen([]) is None


def test_a_budget_starts_inside_its_limits():
    problem = between(case()[0], 0.3)
    assert problem.fits(Budgeted().start(problem))
    with pytest.raises(BudgetError):
        Budgeted().start(problem.limited((1, 1)))


def test_measurements_come_back(tmp_path):
    problem, base, damage = case()
    write_damage(tmp_path / "a.npz", problem, base, damage)
    inside, again, found = read_damage(tmp_path / "a.npz", problem)
    assert (inside, again, found.starts) == (problem, base, damage.starts)
    np.testing.assert_array_equal(found.between, damage.between)
    np.testing.assert_array_equal(found.alone, damage.alone)


def test_a_pin_leaves_one_choice(tmp_path):
    problem, base, damage = case()
    write_damage(tmp_path / "a.npz", problem, base, damage)
    pinned = some_problem(6, 0, schemes=("f16",))
    mixed = type(problem)(
        (pinned.units[0], *problem.units[1:]),
        problem.fixed_bytes,
        problem.limits,
        problem.codebooks,
        problem.parameters,
    )
    inside, again, found = read_damage(tmp_path / "a.npz", mixed)
    assert len(inside.units[0].choices) == 1
    assert again[0] == 0
    wide = (len(problem.units[0].choices) - 1, *base[1:])
    assert found.value(again) == pytest.approx(damage.value(wide))


def damaged(path, **changes):
    with np.load(path) as file:
        data = {key: file[key] for key in KEYS} | changes
    np.savez(path, **{k: v for k, v in data.items() if v is not None})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"alone": None}, "no measurements"),
        ({"starts": np.array([0, 5])}, "contradict each other"),
        ({"alone": np.zeros(3)}, "contradict each other"),
        ({"base": np.full(6, 99)}, "contradict each other"),
        ({"base_kl": np.array(np.nan)}, "not finite"),
        ({"units": np.array(["x"] * 6)}, "was not measured; profile this model again"),
        ({"schemes": np.array(["lut2:r1"] * 30)}, "was not measured in"),
    ],
)
def test_damaged_measurements_are_refused(tmp_path, changes, why):
    problem, base, damage = case()
    path = tmp_path / "a.npz"
    write_damage(path, problem, base, damage)
    damaged(path, **changes)
    with pytest.raises(InputError, match=why):
        read_damage(path, problem)


def test_files_that_are_none_are_refused(tmp_path):
    problem, _, _ = case()
    with pytest.raises(InputError, match="cannot be read"):
        read_damage(tmp_path / "nothing.npz", problem)
    (tmp_path / "junk.npz").write_bytes(b"PK\x03\x04 junk")
    with pytest.raises(InputError, match=r"junk\.npz"):
        read_damage(tmp_path / "junk.npz", problem)
