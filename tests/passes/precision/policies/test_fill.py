import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.policies import BOOK_BYTES, limited, problems

from optimum_compile.compiler.errors import BudgetError
from optimum_compile.passes.precision.policies.fill import climb, cut, fill, fitted, toward

FEW = settings(max_examples=150, deadline=None)


def upgrades(problem, picks):
    """Every assignment with one unit wider."""
    for at, unit in enumerate(problem.units):
        for index in range(picks[at] + 1, len(unit.choices)):
            yield (*picks[:at], index, *picks[at + 1 :])


def any_picks(data, problem):
    return tuple(data.draw(st.integers(0, len(u.choices) - 1)) for u in problem.units)


def any_order(data, problem):
    return data.draw(st.permutations(range(len(problem.units))))


@given(problem=limited(), data=st.data())
@FEW
def test_whatever_the_policy_likes_it_fits_or_is_refused(problem, data):
    picks, order = any_picks(data, problem), any_order(data, problem)
    if not problem.fits(problem.least()):
        with pytest.raises(BudgetError, match="the achievable range is"):
            fitted(problem, picks, order)
        return
    found = fitted(problem, picks, order)
    assert problem.fits(found)
    assert found == fitted(problem, picks, order)


@given(problem=limited(), data=st.data())
@FEW
def test_nothing_that_fits_is_left(problem, data):
    """So 99 % are used wherever there is a step of less than 1 % of a limit."""
    if not problem.fits(problem.least()):
        return
    found = fitted(problem, any_picks(data, problem), any_order(data, problem))
    wider = list(upgrades(problem, found))
    assert not any(problem.fits(other) for other in wider)
    now = problem.bytes_of(found)
    steps = [
        max((b - a) / limit for a, b, limit in zip(now, after, problem.limits, strict=True))
        for after in map(problem.bytes_of, wider)
    ]
    if steps and min(steps) < 0.01:
        used = [n / limit for n, limit in zip(now, problem.limits, strict=True)]
        assert max(used) >= 0.99


@given(problem=problems(), data=st.data())
@FEW
def test_without_a_limit_the_policy_has_its_way(problem, data):
    picks = any_picks(data, problem)
    assert fitted(problem, picks, any_order(data, problem)) == picks


@given(problem=problems(columns=1), data=st.data())
@FEW
def test_a_larger_budget_goes_further_the_same_way(problem, data):
    """What is reached along the order grows with the limit; only what is left behind may vary."""
    order, goal = any_order(data, problem), problem.most()
    low, high = sorted(data.draw(st.integers(0, 2 * max(problem.bytes_of(goal)))) for _ in range(2))
    if not problem.limited([low]).fits(problem.least()):
        return
    one, two = (
        toward(problem.limited([limit]), problem.least(), goal, order) for limit in (low, high)
    )
    assert all(a <= b for a, b in zip(one, two, strict=True))


@given(problem=limited(), data=st.data())
@FEW
def test_bytes_are_counted_as_the_problem_counts_them(problem, data):
    """Codebooks of many units come and go; what the steps add up to must be what is there."""
    picks, order = any_picks(data, problem), any_order(data, problem)
    narrow = cut(problem, picks, order)
    assert problem.fits(narrow) or narrow == problem.least()
    assert all(a <= b for a, b in zip(narrow, picks, strict=True))
    if problem.fits(narrow):
        assert problem.fits(fill(problem, narrow, order))
        assert problem.fits(climb(problem, narrow, order * 2))


def test_units_are_widened_in_order_and_narrowed_from_the_end():
    from support.policies import decoder_problem

    problem, _ = decoder_problem(layers=2)
    least, most = problem.least(), problem.most()
    order = list(range(len(problem.units)))
    one = (*least[:3], least[3] + 1, *least[4:])
    exact = problem.limited(problem.bytes_of(one))
    assert climb(exact, least, [3]) == one
    assert toward(exact, least, one, order) == one
    narrowed = problem.limited([n - 1 for n in problem.bytes_of(most)])
    assert cut(narrowed, most, order) == (*most[:-1], most[-1] - 1)
    assert cut(narrowed, most, order[::-1]) == (most[0] - 1, *most[1:])


def test_the_first_user_pays_for_a_codebook_and_the_last_one_gives_it_back():
    from support.policies import decoder_problem

    problem, _ = decoder_problem(layers=1)
    index = next(
        i for i, c in enumerate(problem.units[0].choices) if str(c.scheme).startswith("vec8x2")
    )
    most = problem.most()
    first = (index, *most[1:])
    both = (index, index, *most[2:])
    book = problem.codebooks[8, 2][0]
    assert book > BOOK_BYTES
    sizes = [problem.bytes_of(p)[0] for p in (first, both)]
    own = [u.choices[index].bytes[0] - u.choices[-1].bytes[0] for u in problem.units[:2]]
    assert sizes[1] - sizes[0] == own[1]
    assert sizes[0] - problem.bytes_of(most)[0] == own[0] + book
    # One byte too few for the second user is found by its own bytes alone.
    tight = problem.limited([sizes[1]])
    assert toward(tight, both, most, [1]) == both
    assert toward(problem.limited(problem.bytes_of(first)), both, most, [1]) == first
    assert toward(problem.limited(problem.bytes_of(most)), first, most, [0]) == most
