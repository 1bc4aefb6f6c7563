"""Lengths: what they claim about each other is true at every value of the symbols."""

import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from optimum_compile.compiler.ir.polynomial import to_dim
from optimum_compile.compiler.ir.shape import Dim, SymbolRange, as_dim, evaluate, symbol
from optimum_compile.passes.memory.rounding import rounded_up
from optimum_compile.passes.memory.ruler import Length, Ruler, parts_of

SEQ, BATCH = symbol("seq"), symbol("batch")
SYMBOLS = {"seq": SymbolRange(2, 23), "batch": SymbolRange(0, 3)}
EVERYWHERE = [{"seq": s, "batch": b} for s in range(2, 24) for b in range(4)]

small = st.integers(-3, 40)
sizes = st.builds(
    lambda a, b, c, d, e: as_dim(
        a + b * SEQ + c * SEQ * BATCH + d * SEQ**2 + e * sympy.floor(SEQ / 3)
    ),
    small,
    small,
    small,
    st.integers(-1, 3),
    small,
)


def values(ruler: Ruler, length: Length) -> list[int]:
    dim = ruler.expression(length)
    found = [evaluate(dim, at) for at in EVERYWHERE]
    assert [evaluate(dim, at) for at in ruler.samples] == [n * ruler.unit for n in length.at]
    return found


@settings(max_examples=20, deadline=None)
@given(st.lists(sizes, min_size=3, max_size=3), st.sampled_from([1, 2, 4]))
def test_sums_orders_and_joins_hold_everywhere(found: list[Dim], max_parts: int) -> None:
    ruler = Ruler(found, SYMBOLS, 1, max_parts)
    a, b, c = (ruler.length(size) for size in found)
    x, y, z = (values(ruler, length) for length in (a, b, c))
    assert [evaluate(found[0], at) for at in EVERYWHERE] == x
    assert values(ruler, a + b) == [p + q for p, q in zip(x, y, strict=True)]
    assert values(ruler, a + b - b) == x
    if a <= b:
        assert all(p <= q for p, q in zip(x, y, strict=True))
    joined = ruler.join([a, b, c])
    highest = [max(0, *each) for each in zip(x, y, z, strict=True)]
    assert len(joined.parts) <= max_parts
    assert a <= joined
    assert b <= joined
    assert all(p <= q for p, q in zip(highest, values(ruler, joined), strict=True))
    if max_parts == 4:
        assert values(ruler, joined) == highest
    assert values(ruler, joined + a) == [
        p + q for p, q in zip(values(ruler, joined), x, strict=True)
    ]


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4000), st.integers(-500, 4000), st.sampled_from([16, 64]))
def test_rounding_up_loses_little(factor: int, constant: int, unit: int) -> None:
    size = as_dim(factor * SEQ + constant + 1000)
    found = as_dim(to_dim(rounded_up(size, unit)) * unit)
    for at in EVERYWHERE:
        wanted, kept = evaluate(size, at), evaluate(found, at)
        assert kept % unit == 0
        assert wanted <= kept <= wanted * 33 / 32 + 2 * unit


def test_straight_lines_are_compared_exactly() -> None:
    # 64*s against 1408: equal at 22, one of 23 above it
    for top, below in ((22, True), (23, False)):
        ruler = Ruler([64 * SEQ, 1408], {"seq": SymbolRange(2, top)}, 64)
        assert (ruler.length(64 * SEQ) <= ruler.length(1408)) is below


def test_a_floor_division_is_compared_with_what_it_divides() -> None:
    half = as_dim(128 * sympy.floor(SEQ / 2))
    ruler = Ruler([half, 64 * SEQ, 64 * SEQ + 64], SYMBOLS, 64)
    assert ruler.length(half) <= ruler.length(64 * SEQ)
    assert not ruler.length(64 * SEQ) <= ruler.length(half)
    more = ruler.length(half) + ruler.length(64 * SEQ + 64)
    assert ruler.length(64 * SEQ) <= more
    assert ruler.length(64 * SEQ) + ruler.length(64 * SEQ) <= more


def test_one_line_above_two_is_tight_at_both_ends() -> None:
    ruler = Ruler([64 * SEQ, 64 * 12], SYMBOLS, 64, max_parts=1)
    joined = ruler.expression(ruler.join([ruler.length(64 * SEQ), ruler.length(64 * 12)]))
    assert parts_of(joined) == (joined,)
    assert evaluate(joined, {"seq": 2}) < 64 * (2 + 12)
    assert all(evaluate(joined, at) >= 64 * max(12, at["seq"]) for at in EVERYWHERE)
