"""What is stored has exactly the predicted bytes, and gives the same weight back."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.packed import SCHEMES, random_packed

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.quant.packed import Outliers, PackedWeight, e0m4_numbers
from optimum_compile.compiler.quant.scheme import Runs, Scheme
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.compiler.quant.store import digest, read_packed, write_packed
from optimum_compile.compiler.quant.stored import (
    from_parts,
    place_bytes,
    read_places,
    scale_codes,
    stored_parts,
)

SHAPES = {"rows": st.integers(1, 9), "columns": st.integers(1, 300)}


def assert_same(left: PackedWeight, right: PackedWeight) -> None:
    assert left.scheme == right.scheme
    for name in ("codes", "scales", "zeros", "table", "supers", "offsets"):
        a, b = getattr(left, name), getattr(right, name)
        assert (a is None) == (b is None), name
        if a is not None:
            assert a.dtype == b.dtype, name
            np.testing.assert_array_equal(a, b)
    assert digest(left) == digest(right)


@settings(max_examples=250, deadline=None)
@given(scheme=SCHEMES, seed=st.integers(0, 99), **SHAPES)
def test_parts_have_the_predicted_bytes_and_come_back(
    scheme: Scheme, seed: int, rows: int, columns: int
) -> None:
    weight = random_packed(scheme, rows, columns, seed)
    parts = stored_parts(weight)
    assert sum(p.nbytes for p in parts.values()) == scheme.stored_bytes(rows, columns)
    assert weight.stored_bytes == scheme.stored_bytes(rows, columns)
    assert_same(from_parts(scheme, (rows, columns), parts), weight)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(scheme=SCHEMES, **SHAPES)
def test_the_store_gives_a_weight_back(
    tmp_path: Path, scheme: Scheme, rows: int, columns: int
) -> None:
    weight = random_packed(scheme, rows, columns)
    name = write_packed(tmp_path, weight)
    assert write_packed(tmp_path, weight) == name
    back = read_packed(tmp_path, name)
    assert_same(back, weight)
    np.testing.assert_array_equal(back.dequantize(), weight.dequantize())


def test_what_is_not_in_the_store_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InternalError, match="is not in the store"):
        read_packed(tmp_path, "0" * 64)


@settings(max_examples=100, deadline=None)
@given(scheme=SCHEMES, rows=st.integers(2, 13), columns=st.integers(1, 70), data=st.data())
def test_rows_can_be_taken_out(
    scheme: Scheme, rows: int, columns: int, data: st.DataObject
) -> None:
    weight = random_packed(scheme, rows, columns)
    per = getattr(weight.base.scheme, "rows_per_table", 1)
    begin = data.draw(st.integers(0, (rows - 1) // per)) * per
    end = data.draw(st.integers(begin + 1, rows + 3))
    expected = weight.dequantize()[begin:end]
    np.testing.assert_array_equal(weight.part(begin, end).dequantize(), expected)


def test_every_change_of_an_outlier_changes_the_digest() -> None:
    weight = random_packed(parse_scheme("int4:g32+s0.05"), 8, 64)
    found = weight.outliers
    assert found is not None
    assert found.values is not None
    moved = replace(found, columns=(found.columns + 1) % 64)
    scaled = replace(found, values=found.values * np.float16(2))
    names = {digest(replace(weight, outliers=o)) for o in (found, moved, scaled, None)}
    assert len(names) == 4


def test_outliers_are_added_to_the_base_in_float32() -> None:
    weight = random_packed(parse_scheme("lut3:r2+s0.1"), 6, 50)
    expected = weight.base.dequantize()
    found = weight.outliers
    assert found is not None
    assert found.values is not None
    for row in range(6):
        for at in range(found.starts[row], found.starts[row + 1]):
            expected[row, found.columns[at]] += np.float32(found.values[at])
    np.testing.assert_array_equal(weight.dequantize(), expected)
    assert (weight.dequantize() != weight.base.dequantize()).sum() == len(found.columns)


def test_scaled_outliers_keep_their_codes() -> None:
    weight = random_packed(parse_scheme("int4:g16+o0.1"), 6, 50)
    found = weight.outliers
    assert found is not None
    assert found.scales is not None
    for row, column in zip(found.rows, found.columns, strict=True):
        expected = np.float32(weight.codes[row, column]) * np.float32(
            found.scales[row, column // 16]
        )
        assert weight.dequantize()[row, column] == expected


def test_the_layout_of_places() -> None:
    found = Outliers(np.array([0, 2, 2, 5], "u4"), np.array([3, 130, 0, 127, 128], "u4"))
    counts, places = place_bytes(found, Runs(128, 7, 1), 200)
    assert counts.tolist() == [1, 1, 0, 0, 2, 1]
    stream = 3 | 2 << 7 | 0 << 14 | 127 << 21 | 0 << 28
    assert places.tobytes() == stream.to_bytes(5, "little")
    counts, places = place_bytes(found, Runs(65536, 16, 4), 200)
    assert counts.view("<u4").tolist() == [2, 0, 3]
    assert places.view("<u2").tolist() == [3, 130, 0, 127, 128]


@pytest.mark.parametrize(
    ("counts", "message"),
    [([1, 1], "runs count 2 outliers"), ([3], "bytes of counts"), ([0, 3], "column 129 of 129")],
)
def test_places_that_do_not_hold_are_refused(counts: list[int], message: str) -> None:
    places = np.array([0x80, 0x40, 0x00], "u1")  # indices 0, 1, 1
    with pytest.raises(ValueError, match=message):
        read_places(np.array(counts, "u1"), places, Runs(128, 7, 1), (1, 129), 3)


def test_scales_off_their_grid_are_refused() -> None:
    supers = np.array([0.01], np.float16)
    good = (np.arange(1, 64) * np.float32(supers[0])).astype(np.float16)[None]
    assert scale_codes(good, supers, 6).tolist() == [list(range(1, 64))]
    with pytest.raises(ValueError, match="no products"):
        scale_codes(good * np.float16(1.01), supers, 6)
    with pytest.raises(ValueError, match="no products"):
        scale_codes(good * np.float16(2), supers, 6)


def test_zero_points_off_their_grid_are_refused() -> None:
    weight = random_packed(parse_scheme("uint2:g8@zu4"), 4, 16)
    assert weight.zeros is not None
    assert set((weight.zeros * 4).ravel().tolist()) <= set(range(16))
    off = replace(weight, zeros=weight.zeros + np.float16(0.125))
    with pytest.raises(ValueError, match=r"zero points are no multiples of 0\.25"):
        stored_parts(off)


@pytest.mark.parametrize("text", ["int4:g8", "uint4:g8", "lut2:r1", "e0m4:g8", "int4:g8+s0.1"])
def test_a_missing_part_is_named(text: str) -> None:
    whole = random_packed(parse_scheme(text), 4, 16)
    bare = PackedWeight(whole.scheme, whole.codes)
    with pytest.raises(ValueError, match="lack|missing|needs|fit|no outliers"):
        bare.dequantize()
    with pytest.raises(ValueError, match="lacks a part"):
        stored_parts(bare)


def test_e0m4_codes_are_bits_of_fp16() -> None:
    codes = np.arange(16, dtype=np.uint8)
    numbers = e0m4_numbers(codes)
    np.testing.assert_array_equal(numbers, (1 + codes / 16).astype(np.float32))
    for code in range(16):
        lane = code << 6  # a nibble that already lies at bits 6..9: an AND and an OR decode it
        half = np.uint16((lane & 0x03C0) | 0x3C00).view(np.float16)
        assert half.tobytes() == np.float16(1 + code / 16).tobytes()
        assert np.float32(half) == numbers[code]
