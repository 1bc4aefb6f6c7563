"""Exchange rates of damage for bytes, and the sentences made of them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimum_compile.backends.base import WeightUse
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.explain import (
    Option,
    Prices,
    Step,
    Subject,
    explain,
    marginal_rates,
    prices,
    steps,
    subjects_of,
)
from optimum_compile.passes.precision.problem import Choice, Problem, UnitChoices
from optimum_compile.passes.precision.units import Unit


def subject(name, chosen, *pairs, **more):
    """Options by their bytes and damage; schemes are called after the bytes."""
    options = tuple(Option(f"s{n}", n / 100, (n, n - 1), damage) for n, damage in pairs)
    return Subject(name, (10, 80), options, chosen, **more)


A = subject("a", 1, (1000, 0.5), (2000, 0.2), (4000, 0.1))
B = subject("b", 1, (1000, 0.9), (2000, 0.1), (4000, 0.08))
WORTH = Prices(Step("a", "s2000", "s4000", 2000, -0.1), Step("a", "s2000", "s1000", -1000, 0.3))


def why(tensor, policy="measured", left=None, worth=None):
    worth = prices([A, B]) if worth is None else worth
    return explain(tensor, worth, 10_000, left, policy).why


def test_steps_lead_from_what_was_chosen_to_everything_else():
    assert [(s.before, s.after, s.bytes) for s in steps(A)] == [
        ("s2000", "s1000", -1000),
        ("s2000", "s4000", 2000),
    ]
    assert [s.damage for s in steps(A)] == pytest.approx([0.3, -0.1])
    assert [s.rate for s in steps(A)] == pytest.approx([0.3 / 1000, 0.1 / 2000])


def test_options_of_the_same_size_are_no_step():
    twin = subject("a", 0, (1000, 0.5), (1000, 0.4), (2000, 0.1))
    assert [s.bytes for s in steps(twin)] == [1000]


def test_prices_are_the_best_that_was_left_and_the_worst_that_was_bought():
    found = prices([A, B])
    assert (found.refused.name, found.refused.after) == ("a", "s4000")
    assert (found.bought.name, found.bought.after) == ("a", "s1000")
    assert found.refused.rate == pytest.approx(5e-5)
    assert found.bought.rate == pytest.approx(3e-4)


def test_a_pinned_tensor_makes_no_price():
    found = prices([replace(A, pinned=True), B])
    assert (found.refused.name, found.bought.name) == ("b", "b")


def test_a_wider_scheme_that_harms_is_no_bargain():
    assert prices([subject("a", 0, (1000, 0.1), (2000, 0.2))]) == Prices()


def test_what_was_not_measured_has_no_rate():
    half = subject("a", 1, (1000, None), (2000, 0.2), (4000, None))
    assert [s.rate for s in steps(half)] == [None, None]
    assert prices([half]) == Prices()
    assert "not measured" in why(half)
    assert explain(half, Prices(), 1, None, "measured").gap is None


numbers = st.lists(st.integers(-50, 50), min_size=2, max_size=5)


@given(rows=st.lists(numbers, min_size=1, max_size=6), data=st.data())
def test_prices_are_extremes_of_all_steps(rows, data):
    subjects = []
    for at, row in enumerate(rows):
        pairs = [(100 * (i + 1), d / 8) for i, d in enumerate(row)]
        subjects.append(subject(str(at), data.draw(st.integers(0, len(row) - 1)), *pairs))
    found = prices(subjects)
    for each in (s for one in subjects for s in steps(one)):
        if each.bytes > 0 and each.damage < 0:
            assert found.refused.rate >= each.rate
        if each.bytes < 0 and each.damage > 0:
            assert found.bought.rate <= each.rate
    free = [one for one in subjects if any(s.bytes < 0 and s.damage <= 0 for s in steps(one))]
    assert found.idle == len(free)


@given(shift=st.floats(-100, 100))
def test_only_differences_within_a_tensor_count(shift):
    def moved(one):
        return replace(one, options=tuple(replace(o, damage=o.damage + shift) for o in one.options))

    was, now = prices([A, B]), prices([moved(A), moved(B)])
    assert now.refused.rate == pytest.approx(was.refused.rate, abs=1e-12)
    assert now.bought.rate == pytest.approx(was.bought.rate, abs=1e-12)
    one, two = (explain(each, was, 9, None, "x") for each in (A, moved(A)))
    assert two.gap == pytest.approx(one.gap, abs=1e-9)


def test_shares_steps_and_what_is_beyond_the_widest():
    found = explain(A, prices([A, B]), 20_000, None, "measured")
    assert found.share == pytest.approx(0.1)
    assert found.gap == pytest.approx(0.1)
    assert (found.wider.after, found.narrower.after) == ("s4000", "s1000")


def test_the_next_wider_scheme_is_one_that_helps():
    odd = subject("a", 0, (1000, 0.1), (1500, 0.2), (2000, 0.05))
    assert explain(odd, Prices(), 1, None, "measured").wider.after == "s2000"
    worse = subject("a", 0, (1000, 0.1), (1500, 0.2), (2000, 0.3))
    assert explain(worse, Prices(), 1, None, "measured").wider.after == "s1500"


@pytest.mark.parametrize(
    ("tensor", "text"),
    [
        (
            A,
            "the cheapest to narrow of all: s1000 would lose 0.3 nats a token for each kB; s4000 "
            "would save 0.05 nats a token for each kB; every step that was bought elsewhere saves more",
        ),
        (
            B,
            "narrowing it to s1000 would lose 0.8 nats a token for each kB, more than the cheapest "
            "elsewhere (0.3 nats a token for each kB); s4000 would save 0.01 nats a token for each kB; "
            "every step that was bought elsewhere saves more",
        ),
        (
            subject("c", 0, (1000, 0.5), (2000, 0.6)),
            "it has the fewest bytes that it may have; no wider scheme is predicted to help",
        ),
        (
            subject("c", 1, (1000, 0.5), (2000, 0.6)),
            "s1000 would free 1,000 bytes, and is predicted to do no harm alone; it has the most bytes "
            "that it may have",
        ),
        (
            subject("c", 0, (1000, 0.9), (2000, 0.1)),
            "it has the fewest bytes that it may have; s2000 would save 0.8 nats a token for each kB, "
            "more than the cheapest step that was bought (0.3 nats a token for each kB): the two "
            "cannot be exchanged within the bytes, or their joint effect speaks against it",
        ),
        (subject("c", 0, (1000, 0.9), pinned=True, reason="pinned"), "pinned by the user"),
        (subject("c", 0, (1000, 0.9)), "the only scheme that it may have on these targets"),
        (subject("c", 0, (1000, None), reason="it routes"), "it routes"),
    ],
)
def test_the_reason_is_a_sentence(tensor, text):
    assert why(tensor) == text


def test_bytes_that_are_left_are_told_where_they_are_too_few():
    assert (
        "s4000 would save 0.05 nats a token for each kB, but takes 2,000 bytes where 7 are"
        in why(A, left=7)
    )
    assert "are left" not in why(A, left=2000)


def test_other_policies_and_reasons_come_first():
    assert why(A, "cascade").startswith("given by policy 'cascade'; the cheapest to narrow of all")
    told = why(replace(A, reason="int4: coreml: no groups"), "cascade")
    assert told.startswith("int4: coreml: no groups; the cheapest")
    bare = subject("c", 0, (1000, None), (2000, None))
    assert why(bare, "tiers") == "given by policy 'tiers'; its damage was not measured"


def test_a_problem_has_the_same_rates():
    schemes = [parse_scheme(t) for t in ("uint2:g32", "int4:g32", "int8")]
    units = tuple(
        UnitChoices(
            Unit(name, at, WeightUse(name, 8, 64, True, False)),
            tuple(Choice(s, (n, n + 1)) for s, n in zip(schemes, (100, 200, 400), strict=True)),
            refused=(("f16", "no room"),),
        )
        for at, name in enumerate("ab")
    )
    problem = Problem(units, (0, 0), (10**9,) * 2, {}, 1024)
    damage = [[0.5, 0.2, 0.1], [0.9, 0.1, 0.08]]
    assert marginal_rates(problem, (1, 1), damage) == pytest.approx((0.1 / 200, 0.3 / 100))
    assert marginal_rates(problem, (2, 2), [[0.0] * 3] * 2) == (None, None)
    first = subjects_of(problem, (1, 0), damage)[0]
    assert (first.now.scheme, first.shape, first.refused) == ("int4:g32", (8, 64), units[0].refused)
    assert first.now.bits_per_weight == 8 * 201 / 512
