"""Vector tables: text, exact bytes, what is stored and read back, what a weight stands for."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.packed import random_packed, vector_schemes

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import PerChannel, PerGroup, Vector
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.compiler.quant.store import digest, read_packed, write_packed
from optimum_compile.compiler.quant.stored import from_parts, stored_parts

SHAPES = {"rows": st.integers(1, 9), "eights": st.integers(1, 30)}


@given(vector_schemes())
def test_text_is_read_back(scheme: Vector) -> None:
    assert parse_scheme(str(scheme)) == scheme


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("vec8x4", Vector(8, 4, PerChannel())),
        ("vec6x2:g32", Vector(6, 2, PerGroup(32))),
        ("vec8x4:g64@u4", Vector(8, 4, PerGroup(64), "u4")),
        ("vec8x4:channel@shared", Vector(8, 4, codebook="shared")),
        ("vec8x8:g64@u6,shared", Vector(8, 8, PerGroup(64), "u6", "shared")),
    ],
)
def test_forms(text: str, scheme: Vector) -> None:
    assert parse_scheme(text) == scheme


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vec9x4", "expected f16, f32"),
        ("vec8x3", "vecNxW"),
        ("vec8x4:g30", "expected groups of a multiple of 4 columns"),
        ("vec8x4@u4", "expected groups, such as g64"),
        ("vec8x4:g32@bf16", "scale type 'bf16': expected one of f16, u4, u6, u8"),
        ("vec8x4:g32@shared,u4", "expected a type of scales, shared, or both"),
        ("vec8x4+s0.01", "takes no outliers"),
    ],
)
def test_what_is_no_scheme_is_refused(text: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        parse_scheme(text)


def test_widths_and_codebooks_are_bounded() -> None:
    with pytest.raises(OptionError, match="vec3x4: expected indices of 4 to 8 bits"):
        Vector(3, 4)
    with pytest.raises(OptionError, match="codebook 'mine': expected own or shared"):
        Vector(codebook="mine")


def test_bytes_by_hand() -> None:
    indices, rows = 64 * 256 // 4, 64
    assert parse_scheme("vec8x4").stored_bytes(64, 256) == indices + 2 * rows + 256 * 4 * 2
    assert parse_scheme("vec8x4:channel@shared").stored_bytes(64, 256) == indices + 2 * rows
    coded = indices + 64 * 8 // 2 + 2 * rows
    assert parse_scheme("vec8x4:g32@u4,shared").stored_bytes(64, 256) == coded
    assert parse_scheme("vec8x4:g32@u4,shared").codebook_bytes == 2048
    assert parse_scheme("vec6x2:g64").stored_bytes(64, 256) == 6144 + 2 * 256 + 64 * 2 * 2


@settings(max_examples=200, deadline=None)
@given(scheme=vector_schemes(), seed=st.integers(0, 99), **SHAPES)
def test_parts_have_the_predicted_bytes_and_come_back(
    scheme: Vector, seed: int, rows: int, eights: int
) -> None:
    shape = (rows, 8 * eights)
    weight = random_packed(scheme, *shape, seed)
    assert weight.shape == shape
    parts = stored_parts(weight)
    assert ("table" in parts) == (scheme.codebook == "own")
    assert sum(p.nbytes for p in parts.values()) == weight.stored_bytes
    assert weight.stored_bytes == scheme.stored_bytes(*shape)
    back = from_parts(scheme, shape, parts, weight.table)
    assert digest(back) == digest(weight)
    np.testing.assert_array_equal(back.dequantize(), weight.dequantize())


def test_parts_without_a_codebook_are_refused() -> None:
    scheme = Vector(8, 4, codebook="shared")
    parts = stored_parts(random_packed(scheme, 4, 16))
    with pytest.raises(ValueError, match="no codebook"):
        from_parts(scheme, (4, 16), parts)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(scheme=vector_schemes(), **SHAPES)
def test_the_store_gives_a_weight_back(
    tmp_path: Path, scheme: Vector, rows: int, eights: int
) -> None:
    weight = random_packed(scheme, rows, 8 * eights)
    back = read_packed(tmp_path, write_packed(tmp_path, weight))
    assert back.scheme == scheme
    np.testing.assert_array_equal(back.dequantize(), weight.dequantize())


@settings(max_examples=60, deadline=None)
@given(scheme=vector_schemes(), seed=st.integers(0, 9), **SHAPES)
def test_every_number_is_an_entry_times_a_scale(
    scheme: Vector, seed: int, rows: int, eights: int
) -> None:
    weight = random_packed(scheme, rows, 8 * eights, seed)
    found, size = weight.dequantize(), scheme.group_size(8 * eights)
    assert weight.table is not None
    assert weight.scales is not None
    for row, column in ((0, 0), (rows - 1, 8 * eights - 1), (rows // 2, 4 * eights)):
        code = weight.codes[row, column // scheme.width]
        entry = float(weight.table[code, column % scheme.width])
        expected = np.float32(entry * float(weight.scales[row, column // size]))
        assert found[row, column] == expected


def test_rows_can_be_taken_out() -> None:
    weight = random_packed(Vector(8, 4, PerGroup(16)), 9, 64)
    np.testing.assert_array_equal(weight.part(2, 7).dequantize(), weight.dequantize()[2:7])


def test_a_weight_without_its_codebook_is_an_error() -> None:
    weight = random_packed(Vector(8, 4), 2, 8)
    with pytest.raises(ValueError, match="codebook"):
        PackedWeight(weight.scheme, weight.codes, weight.scales).dequantize()
