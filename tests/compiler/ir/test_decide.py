"""Decisions over ranges, against brute force."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimum_compile.compiler.ir.conditions import Condition, Relation, parse_condition
from optimum_compile.compiler.ir.decide import (
    Verdict,
    at_most,
    decide,
    decide_at_most,
    decide_divisible,
    decide_equal,
)
from optimum_compile.compiler.ir.polynomial import UnsupportedExpressionError, from_dim, to_dim
from optimum_compile.compiler.ir.shape import SymbolRange, as_dim, evaluate, parse_dim

NAMES = ("batch", "past", "seq")
DECODER = {
    "past": SymbolRange(0, 2047),
    "seq": SymbolRange(1, 512),
    "batch": SymbolRange(1, 8),
    "context": SymbolRange(1, 4096),
}
FITS = parse_condition("past+seq <= 2048")


def dims():
    leaf = st.one_of(st.integers(-9, 9).map(str), st.sampled_from(NAMES), st.sampled_from(NAMES))

    def grow(inner):
        return st.one_of(
            st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({t[0]}{t[1]}{t[2]})"),
            st.tuples(st.sampled_from(["Max", "Min"]), inner, inner).map(
                lambda t: f"{t[0]}({t[1]},{t[2]})"
            ),
            st.tuples(inner, st.integers(2, 5)).map(lambda t: f"floor(({t[0]})/{t[1]})"),
        )

    return st.recursive(leaf, grow, max_leaves=6).map(parse_dim)


def all_ranges():
    one = st.tuples(st.integers(0, 4), st.integers(0, 6)).map(
        lambda t: SymbolRange(t[0], t[0] + t[1])
    )
    return st.fixed_dictionaries(dict.fromkeys(NAMES, one))


def conditions():
    return st.builds(Condition, dims(), st.sampled_from(list(Relation)), dims())


def points(ranges):
    spans = (range(r.low, r.high + 1) for r in ranges.values())
    return [dict(zip(ranges, v, strict=True)) for v in itertools.product(*spans)]


@settings(max_examples=300, deadline=None)
@given(conditions(), all_ranges(), st.lists(conditions(), max_size=2))
def test_decisions_agree_with_brute_force(condition, ranges, facts):
    found = decide(condition, ranges, facts)
    legal = [p for p in points(ranges) if all(f.holds(p) for f in facts)]
    if found.verdict is Verdict.YES:
        assert all(condition.holds(p) for p in legal)
    elif found.verdict is Verdict.NO:
        at = ranges_at(ranges, found.witness)
        assert all(f.holds(at) for f in facts)
        assert not condition.holds(at)


def ranges_at(ranges, witness):
    at = {n: r.low for n, r in ranges.items()} | dict(witness)
    assert all(ranges[n].low <= v <= ranges[n].high for n, v in at.items())
    return at


@settings(max_examples=300, deadline=None)
@given(dims(), dims(), all_ranges())
def test_small_ranges_are_always_decided(left, right, ranges):
    """Nothing is left undecided where every range is small; NO exactly where a point fails."""
    for relation in Relation:
        condition = Condition(left, relation, right)
        expected = all(condition.holds(p) for p in points(ranges))
        if relation is Relation.DIVISIBLE and not isinstance(right, int):
            continue
        found = decide(condition, ranges).verdict
        if relation is Relation.AT_MOST:
            assert found is (Verdict.YES if expected else Verdict.NO)
        elif found is not Verdict.UNDECIDED:
            assert (found is Verdict.YES) is expected


@settings(max_examples=200, deadline=None)
@given(dims(), all_ranges())
def test_polynomials_keep_the_value(dim, ranges):
    try:
        polynomial, divisor = from_dim(dim)
    except UnsupportedExpressionError:
        assert "Max" in str(dim) or "Min" in str(dim)
        return
    back = to_dim(polynomial)
    for point in points(ranges)[:20]:
        value = evaluate(dim, point)
        assert polynomial.value(point) == value * divisor
        assert evaluate(back, point) == value * divisor


@pytest.mark.parametrize(
    ("left", "right", "verdict"),
    [
        ("64*past+64*seq", "64*2048", Verdict.YES),
        ("batch*past*64+batch*seq*64", "batch*64*2048", Verdict.YES),
        ("past", "2047", Verdict.YES),
        ("past", "2046", Verdict.NO),
        ("past+seq", "2047", Verdict.NO),
        ("seq", "8*floor((seq+7)/8)", Verdict.YES),
        ("8*floor((seq+7)/8)", "seq+7", Verdict.YES),
        ("8*floor((seq+7)/8)", "seq+6", Verdict.NO),
        ("batch*seq", "batch*seq*seq", Verdict.YES),
        ("seq*seq", "seq", Verdict.NO),
        ("floor((past+seq)/32)*32", "2048", Verdict.YES),
    ],
)
def test_order_of_a_decoder(left, right, verdict):
    found = decide_at_most(parse_dim(left), parse_dim(right), DECODER, (FITS,))
    assert found.verdict is verdict, str(found)


def test_without_the_guard_the_cache_may_overflow():
    found = decide_at_most(parse_dim("past+seq"), 2048, DECODER)
    assert found.verdict is Verdict.NO
    assert sum(dict(found.witness).values()) > 2048
    assert "for example at past=" in str(found)


@pytest.mark.parametrize(
    ("left", "right", "verdict"),
    [
        ("64*seq", "32", Verdict.YES),
        ("64*seq+16", "32", Verdict.NO),
        ("seq*seq+seq", "2", Verdict.YES),
        ("seq*batch*64", "seq", Verdict.YES),
        ("seq*seq+seq*past", "seq+past", Verdict.YES),
        ("8*floor((seq+7)/8)", "8", Verdict.YES),
        ("floor(seq/2)", "2", Verdict.NO),
        ("seq", "0", Verdict.NO),
    ],
)
def test_divisibility(left, right, verdict):
    assert decide_divisible(parse_dim(left), parse_dim(right), DECODER).verdict is verdict


def test_divisibility_under_a_guard():
    eight = parse_condition("seq % 8 == 0")
    assert decide_divisible(parse_dim("3*seq"), 4, DECODER, (eight,)).verdict is Verdict.YES
    assert decide_divisible(parse_dim("3*seq"), 16, DECODER, (eight,)).verdict is Verdict.NO
    rounded = parse_dim("8*floor((seq+7)/8)")
    assert decide_equal(rounded, parse_dim("seq"), DECODER, (eight,)).verdict is Verdict.YES
    assert decide_equal(rounded, parse_dim("seq"), DECODER).verdict is Verdict.NO


def test_a_guard_of_divisibility_makes_floor_divisions_plain():
    eight = parse_condition("seq % 8 == 0")
    whole = parse_dim("floor(seq/8)*floor(seq/floor(seq/8))")
    assert decide_equal(whole, parse_dim("seq"), DECODER, (eight,)).verdict is Verdict.YES
    found = decide_at_most(parse_dim("seq"), 504, DECODER, (eight,))
    assert found.witness == (("seq", 512),)


def test_maximum_and_minimum():
    total, window = parse_dim("past+seq"), parse_dim("Min(past+seq,256)")
    assert at_most(window, total, DECODER) is Verdict.YES
    assert at_most(window, 256, DECODER) is Verdict.YES
    assert at_most(total, window, DECODER) is Verdict.NO
    assert at_most(parse_dim("Max(1,seq)"), parse_dim("seq"), DECODER) is Verdict.YES


def test_equality_is_of_expressions_not_of_text():
    assert (
        decide_equal(parse_dim("(seq+1)*(seq+1)"), parse_dim("seq**2+2*seq+1"), DECODER).verdict
        is Verdict.YES
    )
    assert decide_equal(parse_dim("seq"), parse_dim("past"), DECODER).verdict is Verdict.NO


def test_a_symbol_without_a_range_is_a_size():
    assert at_most(0, parse_dim("free"), {}) is Verdict.YES
    assert at_most(parse_dim("free"), 2**40, {}) is Verdict.NO
    assert at_most(3, 4, {}) is Verdict.YES
    assert at_most(5, 4, {}) is Verdict.NO


@settings(max_examples=60, deadline=None)
@given(conditions())
def test_conditions_read_back(condition):
    again = parse_condition(str(condition))
    assert again == Condition(as_dim(condition.left), condition.relation, as_dim(condition.right))


@pytest.mark.parametrize("text", ["", "seq", "seq < 3", "seq <= __import__('os')", "a == "])
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(ValueError):
        parse_condition(text)
