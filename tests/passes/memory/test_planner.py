"""Plans are sound for every value of the symbols, and small: against brute force on random buffers."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations, product

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from optimum_compile.compiler.errors import InternalError, OptionError, UnsupportedError
from optimum_compile.compiler.ir.shape import Dim, SymbolRange, as_dim, evaluate, symbol
from optimum_compile.passes.memory.notes import MemoryPlan, Placed
from optimum_compile.passes.memory.planner import PlanOptions, overlaps, plan_buffers, prove
from optimum_compile.passes.memory.requests import Request, live_sets
from optimum_compile.passes.memory.search import SearchOptions

SEQ, BATCH = symbol("seq"), symbol("batch")
SYMBOLS = {"seq": SymbolRange(1, 96), "batch": SymbolRange(0, 5)}
QUICK = PlanOptions(search=SearchOptions(placements=400))

coefficients = st.integers(1, 1500)
straight = st.builds(lambda a, b: as_dim(a * SEQ + b), coefficients, st.integers(0, 5000))
mixed = st.one_of(
    coefficients,
    straight,
    st.builds(lambda a: as_dim(a * SEQ * BATCH), coefficients),
    st.builds(lambda a, b: as_dim(a * SEQ**2 + b * SEQ), st.integers(1, 90), coefficients),
    st.builds(lambda a, d: as_dim(a * sympy.floor((SEQ + 1) / d)), coefficients, st.integers(2, 5)),
    st.builds(lambda a: as_dim(a * (1500 - SEQ)), st.integers(1, 9)),
)


@st.composite
def buffers(draw: st.DrawFn, sizes: st.SearchStrategy[Dim], most: int = 14) -> list[Request]:
    out = []
    for at in range(draw(st.integers(1, most))):
        first = draw(st.integers(0, 12))
        out.append(Request(f"b{at}", draw(sizes), first, first + draw(st.integers(0, 5))))
    return out


def check(plan: MemoryPlan, requests: Sequence[Request], bindings: dict[str, int]) -> None:
    """By counting alone: offsets, sizes, every pair, the peak and the bound."""
    spans = []
    for placed, asked in zip(plan.placed, requests, strict=True):
        begin, size = (evaluate(d, bindings) for d in (placed.offset_bytes, placed.size_bytes))
        assert (placed.name, placed.first, placed.last) == (asked.name, asked.first, asked.last)
        assert begin >= 0
        assert begin % plan.alignment_bytes == 0 == size % plan.alignment_bytes
        assert size >= evaluate(asked.size_bytes, bindings)
        spans.append((begin, begin + size, asked.first, asked.last))
    for at, (begin, end, first, last) in enumerate(spans):
        assert end <= plan.peak_at(bindings)
        for other_begin, other_end, other_first, other_last in spans[:at]:
            together = first <= other_last and other_first <= last
            assert not together or end <= other_begin or other_end <= begin or begin == end
    alive = max(
        sum(evaluate(r.size_bytes, bindings) for r in requests if r.first <= step <= r.last)
        for step in range(20)
    )
    assert plan.bound_at(bindings) == alive <= plan.peak_at(bindings)
    assert list(overlaps(plan, bindings)) == []


@settings(max_examples=60, deadline=None)
@given(buffers(mixed), st.sampled_from([1, 4]), st.data())
def test_no_overlap_at_any_value(
    requests: list[Request], max_parts: int, data: st.DataObject
) -> None:
    plan = plan_buffers(requests, SYMBOLS, replace(QUICK, max_parts=max_parts))
    corners = list(product((1, 96), (0, 5)))
    inner = [data.draw(st.tuples(st.integers(1, 96), st.integers(0, 5))) for _ in range(4)]
    for seq, batch in corners + inner:
        check(plan, requests, {"seq": seq, "batch": batch})


def least_peak(sizes: Sequence[int], requests: Sequence[Request]) -> int:
    """The least peak there is: for some order, placing each as low as it fits is the best placement."""
    best = sum(sizes)
    for order in permutations(range(len(sizes))):
        spans: dict[int, tuple[int, int]] = {}
        for at in order:
            near = sorted(
                spans[i]
                for i in spans
                if requests[i].first <= requests[at].last and requests[at].first <= requests[i].last
            )
            start = 0
            for begin, end in near:
                if start + sizes[at] <= begin:
                    break
                start = max(start, end)
            spans[at] = start, start + sizes[at]
        best = min(best, max(end for _, end in spans.values()))
    return best


@settings(max_examples=40, deadline=None)
@given(buffers(st.sampled_from([64, 128, 192, 256, 320, 448, 640]), 6))
def test_numbers_are_placed_as_well_as_possible(requests: list[Request]) -> None:
    plan = plan_buffers(requests, {})
    assert plan.peak_at({}) == least_peak([int(r.size_bytes) for r in requests], requests)


@settings(max_examples=25, deadline=None)
@given(buffers(st.sampled_from([64, 128, 192, 256, 448]), 6))
def test_multiples_of_one_symbol_are_as_good_as_numbers(requests: list[Request]) -> None:
    scaled = [replace(r, size_bytes=as_dim(r.size_bytes * SEQ)) for r in requests]
    assert plan_buffers(scaled, SYMBOLS).peak_bytes == as_dim(
        plan_buffers(requests, {}).peak_bytes * SEQ
    )


@settings(max_examples=10, deadline=None)
@given(buffers(mixed))
def test_the_same_buffers_get_the_same_plan(requests: list[Request]) -> None:
    assert plan_buffers(requests, SYMBOLS, QUICK) == plan_buffers(requests, SYMBOLS, QUICK)


def test_ends_that_cannot_be_compared_are_bridged_by_their_maximum() -> None:
    # b begins where the greater of two ends, of which neither is always the greater.
    requests = [
        Request("a", 64 * SEQ, 0, 1),
        Request("c", 2048, 3, 4),
        Request("b", 64 * SEQ, 1, 3),
        Request("long", 64 * SEQ, 0, 4),
    ]
    plan = plan_buffers(requests, SYMBOLS)
    for seq in (1, 16, 31, 32, 33, 96):
        check(plan, requests, {"seq": seq})
        assert plan.peak_at({"seq": seq}) == plan.bound_at({"seq": seq})
    offsets = [p.offset_bytes for p in plan.placed if not isinstance(p.offset_bytes, int)]
    assert any(d.has(sympy.Max) for d in [*offsets, sympy.sympify(plan.peak_bytes)])
    flat = plan_buffers(requests, SYMBOLS, PlanOptions(max_parts=1))
    for seq in (1, 32, 96):
        check(flat, requests, {"seq": seq})
    assert not any(
        d.has(sympy.Max) for p in flat.placed if not isinstance(d := p.offset_bytes, int)
    )
    assert flat.peak_at({"seq": 32}) >= plan.peak_at({"seq": 32})


def test_turns_are_taken_at_both_ends() -> None:
    # Sums over experts: each sum is made while the last one lives, beside three wide buffers. Placing all of
    # one size first leaves no room for the sums but above them, twice.
    requests = [Request("x", 256 * SEQ, 0, 100)]
    for expert in range(6):
        step = 10 * expert
        requests.append(Request(f"sum{expert}", 256 * SEQ, step + 9, step + 19))
        requests += [
            Request(f"wide{expert}.{i}", 1024 * SEQ, step + 1 + i, step + 3 + i) for i in range(3)
        ]
        requests.append(Request(f"out{expert}", 256 * SEQ, step + 6, step + 9))
    plan = plan_buffers(requests, SYMBOLS)
    assert plan.peak_bytes == as_dim(3584 * SEQ)
    assert plan.lower_bound_bytes == (as_dim(3584 * SEQ),)


def test_the_bound_keeps_sums_that_cannot_be_compared_only() -> None:
    requests = [
        Request("a", 100 * SEQ, 0, 0),
        Request("b", 3000, 1, 1),
        Request("c", 90 * SEQ, 2, 2),
        Request("d", 2999, 3, 3),
    ]
    plan = plan_buffers(requests, SYMBOLS)
    assert set(plan.lower_bound_bytes) == {as_dim(100 * SEQ), 3000}
    assert plan.bound_at({"seq": 29}) == 3000
    assert plan.bound_at({"seq": 31}) == 3100


def test_nothing_needs_nothing() -> None:
    plan = plan_buffers([], SYMBOLS)
    assert plan == MemoryPlan((), 0, ())
    assert plan.peak_at({}) == 0 == plan.bound_at({})


def test_live_sets_are_those_that_are_in_no_greater_one() -> None:
    lives = [(0, 2), (1, 1), (2, 4), (5, 5)]
    requests = [Request(str(i), 1, first, last) for i, (first, last) in enumerate(lives)]
    assert live_sets(requests) == [(0, 1), (0, 2), (3,)]


@pytest.mark.parametrize(
    ("placed", "peak", "message"),
    [
        ([("a", 0, 64, 0, 1), ("b", 32, 64, 5, 5)], 128, "b at 32 is not aligned"),
        ([("a", 0, 64 * SEQ, 0, 1), ("b", 64, 64, 1, 1)], 64 * SEQ + 64, "a may overlap b"),
        ([("a", 0, 64 * SEQ, 0, 1)], 64, "a at 0 leaves the arena"),
        ([("a", 64 * SEQ - 128, 64, 0, 1)], 64 * SEQ, "a at 64\\*seq-128 leaves the arena"),
    ],
    ids=("alignment", "overlap", "above", "below"),
)
def test_what_is_not_sound_for_some_value_is_refused(
    placed: list[tuple[str, Dim, Dim, int, int]], peak: Dim, message: str
) -> None:
    plan = MemoryPlan(tuple(Placed(*p) for p in placed), peak, ())
    with pytest.raises(InternalError, match=message):
        prove(plan, SYMBOLS)


def test_overlaps_are_named() -> None:
    both = (Placed("a", 0, 64 * SEQ, 0, 1), Placed("b", 128, 64, 1, 1))
    plan = MemoryPlan(both, 1024, ())
    assert list(overlaps(plan, {"seq": 2})) == []
    assert list(overlaps(plan, {"seq": 3})) == [("a", "b")]


@pytest.mark.parametrize(
    ("size", "symbols", "message"),
    [
        (64 * symbol("n"), SYMBOLS, "symbol 'n' of a size has no range; known: seq, batch"),
        (64 * SEQ, {"seq": SymbolRange(-1, 4)}, "from -1 to 4"),
        (sympy.Max(SEQ, 4), SYMBOLS, r"a buffer of Max\(4,seq\) bytes cannot be planned"),
        (sympy.floor(SEQ / 2) * sympy.floor(SEQ / 3), SYMBOLS, "several floor divisions"),
    ],
    ids=str,
)
def test_sizes_that_cannot_be_compared_are_refused(
    size: Dim, symbols: dict[str, SymbolRange], message: str
) -> None:
    with pytest.raises(UnsupportedError, match=message):
        plan_buffers([Request("a", size, 0, 0)], symbols)


@pytest.mark.parametrize(
    ("requests", "message"),
    [
        ([Request("a", 1, 0, 0), Request("a", 1, 1, 1)], "two buffers of the name 'a'"),
        ([Request("a", 1, 2, 1)], "'a' lives from 2 to 1"),
    ],
)
def test_requests_are_checked(requests: list[Request], message: str) -> None:
    with pytest.raises(InternalError, match=message):
        plan_buffers(requests, {})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alignment_bytes": 48}, "alignment_bytes=48: expected a power of two from 1 to 4096"),
        ({"max_parts": 0}, "max_parts=0: expected 1 to 16"),
    ],
)
def test_options_are_checked(options: dict[str, int], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        PlanOptions(**options)  # type: ignore[arg-type]
