import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimum_compile.compiler.errors import OptionError
from optimum_compile.passes.precision.classes import table_rows
from optimum_compile.passes.precision.policies import Shares
from optimum_compile.passes.precision.policies.cascade import (
    cascade_counts,
    cascade_layout,
    cascade_options,
)

BYTES = {"FP16": 16, "INT8": 8, "INT4": 4, "INT2": 2}


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
