"""Rouge-L, agreement, KL, intervals, and the controls."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from optimum_compile.compiler.schedule import Schedule, Switch
from optimum_compile.passes.phase.controls import (
    alternating,
    expected,
    from_widths,
    prior,
    smallest_lossless,
    turned,
    widths_of,
)
from optimum_compile.passes.phase.metrics import (
    agreement,
    before_stop,
    bootstrap,
    common_subsequence,
    divergence,
    first_divergence,
    rouge_l,
)

LISTS = st.lists(st.integers(0, 3), max_size=9)


def by_definition(a: list[int], b: list[int]) -> int:
    @cache
    def longest(i: int, j: int) -> int:
        if i == len(a) or j == len(b):
            return 0
        if a[i] == b[j]:
            return 1 + longest(i + 1, j + 1)
        return max(longest(i + 1, j), longest(i, j + 1))

    return longest(0, 0)


@given(LISTS, LISTS)
@settings(max_examples=200, deadline=None)
def test_the_longest_common_subsequence_is_that_of_the_definition(a, b) -> None:
    assert common_subsequence(a, b) == by_definition(a, b)


class Words:
    """What rouge-score calls a tokenizer: here tokens are numbers with spaces between."""

    def tokenize(self, text: str) -> list[str]:
        return text.split()


@given(LISTS.filter(bool), LISTS.filter(bool))
@settings(max_examples=200, deadline=None)
def test_rouge_l_is_that_of_rouge_score(answer, reference) -> None:
    scorer = RougeScorer(["rougeL"], tokenizer=Words())
    found = scorer.score(" ".join(map(str, reference)), " ".join(map(str, answer)))["rougeL"]
    assert rouge_l(answer, reference) == pytest.approx(found.fmeasure)


def test_rouge_l_of_the_paper_that_defines_it() -> None:
    # Lin (2004): "police killed the gunman" against "police kill the gunman" and "the gunman kill police".
    reference, one, two = [0, 1, 2, 3], [0, 4, 2, 3], [2, 3, 4, 0]
    assert rouge_l(one, reference) == pytest.approx(3 / 4)
    assert rouge_l(two, reference) == pytest.approx(2 / 4)
    # Precision 2/2 and recall 2/4.
    assert rouge_l([0, 1], reference) == pytest.approx(2 * 1 * 0.5 / 1.5)
    assert rouge_l([], []) == 1.0
    assert rouge_l([], [1]) == 0.0


def test_answers_end_before_their_stop() -> None:
    assert before_stop(np.array([5, 6, 2, 7, 2]), (1, 2)).tolist() == [5, 6]
    assert before_stop(np.array([5, 6]), (1, 2)).tolist() == [5, 6]
    assert before_stop(np.array([5, 6]), ()).tolist() == [5, 6]


def test_agreement_and_the_first_token_that_differs() -> None:
    known = np.array([[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]])
    found = np.array([[1, 2, 3, 4], [1, 0, 3, 4], [0, 0, 0, 0]])
    assert agreement(found, known).tolist() == [1, 0.75, 0]
    assert first_divergence(found, known).tolist() == [4, 1, 0]


def test_kl_is_that_of_the_definition() -> None:
    p, q = np.array([0.5, 0.25, 0.25]), np.array([0.25, 0.25, 0.5])
    assert divergence(np.log(p), np.log(q)) == pytest.approx((p * np.log(p / q)).sum())
    assert divergence(np.log(p), np.log(p)) == 0


def test_intervals_cover_the_mean_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        found = bootstrap(rng.exponential(1.0, 60), draws=400, seed=seed)
        assert found.low <= found.mean <= found.high
        covered += found.low <= 1.0 <= found.high
    assert 175 <= covered <= 199
    assert bootstrap(np.full(5, 0.5)).sign == 1
    assert bootstrap(np.full(5, -0.5)).sign == -1
    assert bootstrap(np.array([1.0, -1.0])).sign == 0


@given(
    st.lists(st.sampled_from([2, 3, 4]), min_size=1, max_size=20).map(
        lambda w: sorted(w, reverse=True)
    )
)
@settings(max_examples=100, deadline=None)
def test_controls_have_the_same_steps_of_each_width(widths: list[int]) -> None:
    schedule, length = from_widths(4, widths), len(widths)
    for control in (turned(schedule, length), alternating(schedule, length)):
        assert sorted(widths_of(control, length)) == sorted(widths)
        assert control.mean_bits(length) == schedule.mean_bits(length)
    assert list(widths_of(turned(schedule, length), length)) == widths[::-1]


def test_taking_turns_spreads_the_widths_evenly() -> None:
    half = Schedule.two(4, 4, 2, 4)
    assert widths_of(alternating(half, 8), 8) == (4, 2) * 4
    third = Schedule(4, (Switch(0, 3), Switch(2, 2)))
    assert widths_of(alternating(third, 6), 6) == (2, 3, 2, 2, 3, 2)


def test_labels_are_the_first_points_that_lose_nothing() -> None:
    quality = np.array([[0.2, 0.5, 0.4, 0.5], [0.9, 0.1, 0.2, 0.3], [0.1, 0.2, 0.30004, 0.3]])
    labels = smallest_lossless(quality)
    assert labels.tolist() == [1, 0, 2]
    np.testing.assert_allclose(prior(labels, 4), [1 / 3, 1 / 3, 1 / 3, 0])
    np.testing.assert_allclose(expected(quality, np.ones(4)), quality.mean(axis=1))
    np.testing.assert_allclose(expected(quality, np.array([0, 0, 0, 2.0])), quality[:, 3])
