import math

import numpy as np
import pytest

from optimum_compile.backends.base import Call, Case, Tolerance
from optimum_compile.backends.compare import distance, failed, judge

EXPECTED = np.array([[1.0, 2.0, 4.0], [3.0, 0.0, -4.0]], np.float32)
CASES = (Case((Call("decode", {}, (EXPECTED,)),)),)


def found(*rows: object) -> list[list[list[np.ndarray]]]:
    return [[[np.array(rows, np.float32)]]]


def test_equal_outputs_have_no_distance():
    d = distance(found(*EXPECTED), CASES)
    assert (d.max_rel_err, d.top1_agreement) == (0.0, 1.0)
    assert d.cosine == pytest.approx(1.0)


def test_top1_counts_positions():
    assert distance(found([1, 5, 4], [3, 0, -4]), CASES).top1_agreement == 0.5


def test_relative_error_is_that_of_the_whole_output():
    d = distance(found([1, 2, 4], [3, 0, -3]), CASES)
    assert d.max_rel_err == pytest.approx(1 / np.linalg.norm(EXPECTED))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_infinitely_far(bad):
    verdict = judge("a.pte", "x", found([bad, 2, 4], [3, 0, -4]), CASES, Tolerance())
    assert not verdict.ok
    assert verdict.reason == "an output has another shape or is not finite"


def test_another_shape_is_infinitely_far():
    assert not judge("a.pte", "x", found([1, 2, 4]), CASES, Tolerance()).ok


def test_every_limit_that_is_missed_is_named():
    tolerance = Tolerance(max_rel_err=0.01, min_cosine=0.99999, min_top1=1.0)
    verdict = judge("a.pte", "x", found([1, 5, 4], [3, 0, -4]), CASES, tolerance)
    assert not verdict.ok
    assert verdict.executed
    assert [part.split(" ")[0] for part in verdict.reason.split("; ")] == [
        "relative",
        "cosine",
        "top-1",
    ]


@pytest.mark.parametrize(("margin", "told"), [(0.004, True), (0.01, False), (math.inf, False)])
def test_a_near_tie_of_experts_is_told_beside_a_failure(margin: float, told: bool):
    cases = (Case(CASES[0].calls, 0.5), Case(CASES[0].calls, margin))
    tolerance = Tolerance(max_rel_err=0.01)
    wrong = judge("a.pte", "x", found([1, 5, 4], [3, 0, -4]) * 2, cases, tolerance)
    assert ("nearly tied (margin 0.004 of" in wrong.reason) == told
    right = judge("a.pte", "x", found(*EXPECTED) * 2, cases, tolerance)
    assert (right.ok, right.reason) == (True, "")


def test_what_could_not_run_is_not_executed():
    verdict = failed("a.pte", Tolerance(), "the runtime failed (signal 11): ")
    assert (verdict.executed, verdict.ok) == (False, False)
