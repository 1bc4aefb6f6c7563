import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimum_compile.compiler.errors import BudgetError, OptionError
from optimum_compile.passes.precision.classes import table_rows
from optimum_compile.passes.precision.policies import (
    Shares,
    cascade_counts,
    cascade_layout,
    cascade_options,
    fit,
    share_distance,
    uniform_layout,
)

BYTES = {"FP16": 16, "INT8": 8, "INT4": 4, "INT2": 2}


def cost(layout):
    return sum(BYTES[name] for name in layout.blocks)


def test_the_published_split_of_24_blocks():
    assert cascade_counts(24, Shares()) == (6, 14, 4)


@given(blocks=st.integers(1, 200), a=st.floats(0, 1), b=st.floats(0, 1))
def test_counts_add_up_and_are_never_negative(blocks, a, b):
    shares = Shares(a, (1 - a) * b, 1 - a - (1 - a) * b)
    counts = cascade_counts(blocks, shares)
    assert sum(counts) == blocks
    assert min(counts) >= 0


@pytest.mark.parametrize("blocks", range(3, 40))
def test_every_class_gets_a_block_from_three_blocks_on(blocks):
    assert min(cascade_counts(blocks, Shares())) >= 1


def test_classes_never_rise_with_depth():
    for counts in cascade_options(6):
        widths = [BYTES[name] for name in cascade_layout(counts, head_high=False).blocks]
        assert widths == sorted(widths, reverse=True)


@given(budget=st.integers(12, 60))
def test_a_fit_keeps_the_budget_and_wastes_little(budget):
    layouts = [cascade_layout(c, head_high=False) for c in cascade_options(6)]
    found = fit(layouts, cost, lambda layout: share_distance(layout, Shares()), budget)
    best = max(cost(layout) for layout in layouts if cost(layout) <= budget)
    assert cost(found) <= budget
    assert cost(found) >= 0.98 * best


def test_an_impossible_budget_names_the_range():
    layouts = [uniform_layout(4, name) for name in BYTES]
    with pytest.raises(BudgetError, match="budget of 7 bytes is below .*: 8 to 64 bytes"):
        fit(layouts, cost, lambda layout: 0.0, 7)


def test_shares_must_sum_to_one():
    with pytest.raises(
        OptionError, match=r"cascade shares \(0.5, 0.2, 0.1\): expected three numbers"
    ):
        Shares(0.5, 0.2, 0.1)


@given(
    rows=st.integers(1, 3000), columns=st.integers(1, 4096), bits=st.sampled_from([1, 2, 3, 4, 6])
)
def test_tables_are_shared_by_a_divisor_of_the_rows(rows, columns, bits):
    per = table_rows(rows, columns, bits)
    assert rows % per == 0
    assert per == rows or 2**bits * 16 / (per * columns) <= 0.25
