"""The integer program finds placements that orders miss, and says so when there is none."""

from hypothesis import given, settings
from hypothesis import strategies as st

from optimum_compile.passes.memory.exact import MAX_PAIRS, place_exactly
from optimum_compile.passes.memory.place import Problem, place
from optimum_compile.passes.memory.requests import Request, live_sets, neighbours


def peak(sizes: list[int], requests: list[Request], height: int) -> int | None:
    near = tuple(tuple(n) for n in neighbours(requests))
    recipe = place_exactly(sizes, near, height)
    if recipe is None:
        return None
    problem = Problem(tuple(sizes), near, 0, height, lambda v: (v,), (1,), max)
    return max(place(problem, recipe).ends)


def lives(*spans: tuple[int, int]) -> list[Request]:
    return [Request(str(at), 0, *span) for at, span in enumerate(spans)]


def test_what_is_alive_is_reached() -> None:
    # As low as possible one after the other, 5 would sit on 3 and leave no room for 4 beside 2.
    requests = lives((0, 1), (1, 2), (0, 0), (2, 3), (3, 4), (2, 4))
    sizes = [640, 320, 320, 320, 320, 320]
    alive = max(sum(sizes[i] for i in each) for each in live_sets(requests))
    assert peak(sizes, requests, alive) == alive


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 4), st.integers(1, 9)), min_size=2, max_size=9
    )
)
def test_what_it_finds_fits(found: list[tuple[int, int, int]]) -> None:
    requests = lives(*((first, first + life) for first, life, _ in found))
    sizes = [4096 * size for _, _, size in found]
    alive = max(sum(sizes[i] for i in each) for each in live_sets(requests))
    for height in (alive, sum(sizes)):
        reached = peak(sizes, requests, height)
        assert reached is None or alive <= reached <= height
    if any(neighbours(requests)):
        assert peak(sizes, requests, sum(sizes)) is not None


def test_no_placement_is_none() -> None:
    assert peak([64, 64], lives((0, 1), (1, 2)), 64) is None
    assert peak([64, 64], lives((0, 0), (1, 1)), 64) is None  # nothing to decide
    assert peak([128, 64], lives((0, 1), (1, 2)), 64) is None


def test_large_problems_are_left_alone() -> None:
    many = lives(*((0, 1) for _ in range(100)))
    assert len(many) * (len(many) - 1) // 2 > MAX_PAIRS
    assert peak([64] * 100, many, 6400) is None
