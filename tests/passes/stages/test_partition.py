"""The cut of least cost, against every cut there is and against joining neighbours greedily."""

import itertools
import time
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from optimum_compile.passes.stages.partition import (
    Piece,
    best_cut,
    cut_by_elements,
    exception_costs,
    exceptions_in,
)

CLASSES = ["INT8", "INT4", "INT2", "FP16"]


def spans(pieces):
    return [(p.name, (p.first, p.last)) for p in pieces]


def pure(names):
    return [Counter({name: 10}) for name in names]


def cost_of(costs, pieces):
    return sum(costs[b][p.name] for p in pieces for b in range(p.first, p.last + 1))


def every_cut(blocks, names, limit):
    """All ways to give at most `limit` contiguous stages their classes."""
    for count in range(1, min(limit, blocks) + 1):
        for ends in itertools.combinations(range(1, blocks), count - 1):
            edges = [0, *ends, blocks]
            for chosen in itertools.product(names, repeat=count):
                yield tuple(
                    Piece(name, a, b - 1)
                    for name, a, b in zip(chosen, edges, edges[1:], strict=False)
                )


def greedy(elements, limit):
    """Runs of equal dominant class, neighbours joined where that misnames the fewest weights."""

    def dominant(count):
        return min(count, key=lambda c: (-count[c], c))

    runs = []
    for row in map(Counter, elements):
        if runs and (not row or dominant(row) == dominant(runs[-1])):
            runs[-1] += row
        else:
            runs.append(row)
    while len(runs) > limit:
        joined = [a + b for a, b in itertools.pairwise(runs)]
        cost = [sum(j.values()) - max(j.values()) for j in joined]
        at = cost.index(min(cost))
        runs[at : at + 2] = [joined[at]]
    return sum(sum(r.values()) - max(r.values()) for r in runs)


blocks_of_weights = st.lists(
    st.dictionaries(st.sampled_from(CLASSES[:3]), st.integers(1, 9), min_size=1),
    min_size=1,
    max_size=6,
)


@given(elements=blocks_of_weights, limit=st.integers(1, 4))
@example(elements=[{"INT8": 5, "INT4": 5}, {"INT8": 9}], limit=4)
def test_no_cut_is_better(elements, limit):
    pieces = cut_by_elements(elements, limit)
    costs = exception_costs(elements)
    found = (cost_of(costs, pieces), len(pieces))
    assert found[0] == exceptions_in(elements, pieces)
    assert found == min(
        (cost_of(costs, cut), len(cut)) for cut in every_cut(len(elements), costs[0], limit)
    )


@given(
    costs=st.lists(
        st.tuples(*[st.integers(-20, 20)] * 3).map(lambda row: dict(zip("abc", row, strict=True))),
        min_size=1,
        max_size=6,
    ),
    limit=st.integers(1, 5),
)
def test_costs_may_be_any_numbers(costs, limit):
    least = min(cost_of(costs, cut) for cut in every_cut(len(costs), "abc", limit))
    assert cost_of(costs, best_cut(costs, limit)) == least


@given(
    elements=st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=1, max_size=40)
)
def test_it_is_never_worse_than_joining_neighbours(elements):
    rows = [Counter({c: n for c, n in zip(CLASSES, row, strict=False) if n}) for row in elements]
    rows[0]["INT8"] += 1
    for limit in (1, 2, 3, 5):
        assert exceptions_in(rows, cut_by_elements(rows, limit)) <= greedy(rows, limit)


def test_it_is_better_where_joining_the_cheapest_neighbours_first_is_wrong():
    elements = [{"INT8": 5}, {"INT2": 5}, {"INT4": 5}, {"INT2": 5}]
    pieces = cut_by_elements(elements, 2)
    assert spans(pieces) == [("INT8", (0, 0)), ("INT2", (1, 3))]
    assert (exceptions_in(elements, pieces), greedy(elements, 2)) == (5, 10)


@given(names=st.lists(st.sampled_from(CLASSES), min_size=1, max_size=30), limit=st.integers(1, 6))
def test_stages_cover_the_blocks_in_order(names, limit):
    pieces = cut_by_elements(pure(names), limit)
    assert len(pieces) <= limit
    assert [b for p in pieces for b in range(p.first, p.last + 1)] == list(range(len(names)))
    assert all(a.name != b.name for a, b in itertools.pairwise(pieces))


@given(names=st.lists(st.sampled_from(CLASSES), min_size=1, max_size=30))
def test_with_room_for_them_all_every_run_is_a_stage(names):
    runs = [name for name, _ in itertools.groupby(names)]
    pieces = cut_by_elements(pure(names), len(runs))
    assert [p.name for p in pieces] == runs


def test_equal_neighbours_form_one_stage():
    pieces = cut_by_elements(pure(["INT8", "INT4", "INT4", "INT2"]), 4)
    assert spans(pieces) == [("INT8", (0, 0)), ("INT4", (1, 2)), ("INT2", (3, 3))]


def test_a_small_block_joins_its_large_neighbours():
    elements = [{"INT8": 9}, {"INT4": 1}, {"INT8": 9}, {"INT2": 9}]
    assert spans(cut_by_elements(elements, 2)) == [("INT8", (0, 2)), ("INT2", (3, 3))]


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ([{}, {"INT4": 5}, {}], [("INT4", (0, 2))]),
        ([{"INT8": 5}, {}, {"INT4": 5}], [("INT8", (0, 1)), ("INT4", (2, 2))]),
        ([{}, {}], [("FP16", (0, 1))]),
        ([], [("FP16", (0, 0))]),
    ],
)
def test_a_block_without_weights_joins_the_one_before_it(elements, expected):
    assert spans(cut_by_elements(elements, 3)) == expected


def test_two_hundred_blocks_in_sixty_four_stages_take_well_under_a_second():
    elements = [{name: 1 + (7 * b + at) % 5 for at, name in enumerate(CLASSES)} for b in range(200)]
    begin = time.perf_counter()
    assert len(cut_by_elements(elements, 64)) <= 64
    assert time.perf_counter() - begin < 2
