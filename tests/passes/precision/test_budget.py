import pytest

from optimum_compile.compiler.errors import BudgetError, OptionError
from optimum_compile.passes.precision.budget import Budget, limits


def test_bits_and_shares_are_about_weights_alone():
    """Neither container nor cache comes off, so that all targets have one limit."""
    assert limits(Budget(bits_per_weight=3.5), 1000, (400, 9), (7, 7)) == (437, 437)
    assert limits(Budget(fraction=0.25), 1000, (400,), (0,)) == (500,)


def test_bytes_are_about_the_file_of_each_target():
    assert limits(Budget(bytes=1000), 10_000, (300, 120), (0, 0)) == (700, 880)
    assert limits(Budget(bytes=1000), 10_000, (300, 120), (50, 100)) == (650, 780)
    assert limits(Budget(bytes=300), 10_000, (300,), (0,)) == (0,)


def test_a_budget_that_the_program_alone_exceeds_is_refused():
    with pytest.raises(BudgetError, match=r"budget of 299 bytes: .* 300 bytes beside its weights;"):
        limits(Budget(bytes=299), 10_000, (10, 300), (0, 0))
    with pytest.raises(BudgetError, match=r"and 80 for the KV cache; .*lower --context"):
        limits(Budget(bytes=379), 10_000, (300,), (80,))


def test_an_empty_budget_is_refused():
    with pytest.raises(OptionError, match="budget: expected bytes, bits per weight"):
        limits(Budget(), 10, (1,), (0,))


def test_the_strictest_of_several_holds():
    both = Budget(bytes=1000, bits_per_weight=4, weight_bytes=600)
    assert limits(both, 1000, (300, 700), (0, 0)) == (500, 300)
    assert limits(both, 10_000, (300, 700), (0, 0)) == (600, 300)
    assert both.limit_bytes(1000) == 500
