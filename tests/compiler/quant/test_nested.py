"""Slices of a nested weight, and its planes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.packed import nested_schemes, random_packed

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.quant.nested import at_width, from_planes, table_start, to_planes
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Lut, Nested
from optimum_compile.compiler.quant.stored import from_parts, stored_parts

SHAPES = {"rows": st.integers(1, 9), "columns": st.integers(1, 70)}


@settings(max_examples=100, deadline=None)
@given(scheme=nested_schemes(), seed=st.integers(0, 99), **SHAPES)
def test_every_width_is_the_truncation_of_the_widest(
    scheme: Nested, seed: int, rows: int, columns: int
) -> None:
    weight = random_packed(scheme, rows, columns, seed)
    slices = {b: at_width(weight, b) for b in scheme.widths}
    for width, found in slices.items():
        assert found.scheme == Lut(width, scheme.rows_per_table)
        np.testing.assert_array_equal(found.codes, weight.codes >> (scheme.bits - width))
        if width > scheme.seed_bits:
            np.testing.assert_array_equal(slices[width - 1].codes, found.codes >> 1)
    np.testing.assert_array_equal(slices[scheme.bits].dequantize(), weight.dequantize())


@settings(max_examples=100, deadline=None)
@given(scheme=nested_schemes(), seed=st.integers(0, 99), **SHAPES)
def test_a_reader_of_few_bits_touches_only_its_planes_and_its_table(
    scheme: Nested, seed: int, rows: int, columns: int
) -> None:
    weight = random_packed(scheme, rows, columns, seed)
    parts = stored_parts(weight)
    for width in scheme.widths:
        planes = parts["codes"][: width * ((rows * columns + 7) // 8)]
        first = scheme.tables(rows) * table_start(scheme, width)
        table = parts["table"][first : first + (scheme.tables(rows) << width)]
        assert planes.nbytes + table.nbytes == scheme.read_bytes(rows, columns, width)
        codes = from_planes(planes, width, rows * columns).reshape(rows, columns)
        alone = PackedWeight(
            Lut(width, scheme.rows_per_table), codes, table=table.reshape(-1, 1 << width)
        )
        np.testing.assert_array_equal(alone.dequantize(), at_width(weight, width).dequantize())


def test_planes_begin_with_the_leading_bit() -> None:
    codes = np.array([[0b100, 0b010, 0b001, 0b110, 0, 0, 0, 0, 0b111]], np.uint8)
    planes = to_planes(codes, 3)
    assert planes.tolist() == [0b1001, 1, 0b1010, 1, 0b0100, 1]


@pytest.mark.parametrize("width", [1, 5, 0, -1])
def test_a_width_that_is_not_there_is_refused(width: int) -> None:
    weight = random_packed(Nested(2, 4), 2, 8)
    with pytest.raises(OptionError, match=rf"nest2-4:r1 at {width} bits: expected one of 2, 3, 4"):
        at_width(weight, width)


def test_only_nested_weights_have_slices() -> None:
    with pytest.raises(ValueError, match="lut4:r1: not a nested weight"):
        at_width(random_packed(Lut(4), 2, 8), 2)


@pytest.mark.parametrize(("part", "message"), [("codes", "bytes of planes"), ("table", "entries")])
def test_parts_of_another_size_are_refused(part: str, message: str) -> None:
    weight = random_packed(Nested(2, 4, 2), 5, 9)
    for data in (stored_parts(weight)[part][:-1], np.tile(stored_parts(weight)[part], 2)):
        with pytest.raises(ValueError, match=message):
            from_parts(weight.scheme, (5, 9), stored_parts(weight) | {part: data})


def test_bytes_of_short_rows_are_not_free() -> None:
    # 256 columns, a table for every four rows: 28 entries of 16 bits for 1024 weights.
    scheme = Nested(2, 4, 4)
    assert scheme.stored_bytes(64, 256) * 8 / (64 * 256) == 4 + 28 * 16 / 1024
    assert scheme.read_bytes(64, 256, 2) * 8 / (64 * 256) == 2 + 4 * 16 / 1024


def test_a_part_keeps_its_tables() -> None:
    weight = random_packed(Nested(2, 4, 3), 8, 5)
    np.testing.assert_array_equal(weight.part(3, 8).dequantize(), weight.dequantize()[3:])
