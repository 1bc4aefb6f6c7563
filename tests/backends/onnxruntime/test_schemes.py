import pytest

from optimum_compile.backends.base import WeightUse
from optimum_compile.backends.onnxruntime.schemes import (
    Blocks,
    blocks_of,
    stored_bytes,
    supports_scheme,
)
from optimum_compile.compiler.quant.scheme_text import parse_scheme

USE = WeightUse("w", 64, 96, as_linear=True, as_table=False)
TABLE = WeightUse("t", 64, 96, as_linear=True, as_table=True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("int3:g32", "MatMulNBits has 2, 4 or 8 bits, not 3"),
        ("uint6:g32", "MatMulNBits has 2, 4 or 8 bits, not 6"),
        ("int4:g24", "blocks have 16 to 256 columns, and 16 does not divide 24"),
        ("int4:g8", "blocks have 16 to 256 columns, and 16 does not divide 8"),
        ("uint8:g32@zf16", "8 bits with zero points that are floats fail in MatMulNBits"),
        ("uint4:g32@zu8", "tables have codes as zero points: use uint4:g32"),
        ("lut2:r1", "MatMulNBits has no palettes: use uint2:g32"),
        ("lut3:r4", "MatMulNBits has no palettes: use uint4:g32"),
        ("int4:g32+s0.01", "MatMulNBits has no outliers: use int4:g32"),
        ("e0m4:g32", "offsets come before scales: use uint4:g32@zf16"),
    ],
)
def test_what_it_cannot_hold_is_refused_with_a_reason(text, reason):
    verdict = supports_scheme(parse_scheme(text), TABLE)
    assert (verdict.ok, verdict.reason) == (False, reason)


@pytest.mark.parametrize("text", ["uint4:g32@zu8", "uint2:g16@u4,zu4", "uint4:g96@zf16"])
def test_matrices_take_zero_points_that_tables_do_not(text):
    assert supports_scheme(parse_scheme(text), USE).ok
    assert not supports_scheme(parse_scheme(text), TABLE).ok


@pytest.mark.parametrize(
    ("text", "columns", "blocks"),
    [
        ("int4:g32", 96, Blocks(32, 3, 1)),
        ("int4:g32", 100, Blocks(32, 4, 1)),
        ("int4:g512", 2048, Blocks(256, 8, 2)),
        ("int4:g48", 96, Blocks(16, 6, 3)),
        ("int4:g48", 100, Blocks(16, 7, 3)),
        ("int4:g24", 96, None),
        ("int4:g24", 20, Blocks(32, 1, 1)),  # one group: any size will do
        ("int8", 768, Blocks(256, 3, 3)),
        ("int8", 96, Blocks(32, 3, 3)),
        ("int8", 100, Blocks(16, 7, 7)),
        ("int8", 1, Blocks(16, 1, 1)),
        ("uint2", 100, Blocks(128, 1, 1)),  # blocks of 16 or 256 have no fast kernel
        ("uint2", 1024, Blocks(128, 8, 8)),
        ("uint2:g16", 96, Blocks(16, 6, 1)),
    ],
)
def test_groups_are_cut_into_the_largest_blocks_without_waste(text, columns, blocks):
    assert blocks_of(parse_scheme(text), columns) == blocks


def test_bytes_are_those_of_codes_scales_and_zero_points():
    def of(text):
        return stored_bytes(parse_scheme(text), USE)

    assert of("f16") == 64 * 96 * 2
    assert of("int8") == 64 * 96 + 64 * 2
    assert of("int4:g32@bf16") == 64 * 48 + 64 * 3 * 2
    assert of("uint4:g32") == 64 * 48 + 64 * 3 * 2 + 64 * 2  # zero points of a row fill bytes
    assert of("uint4") == 64 * 48 + 64 * 2 + 64 * 2  # blocks repeat the zero point, not the scale
    assert of("uint2:g16@u4,zu4") == 64 * 24 + 64 * 6 // 2 + 64 * 2 + 64 * 6 // 2
    assert of("uint4:g32@u6,zf16") == 64 * 48 + 64 * 3 + 64 * 2 + 64 * 3 * 2
    ragged = WeightUse("w", 10, 100, as_linear=True, as_table=False)
    assert stored_bytes(parse_scheme("int4:g32"), ragged) == 10 * 64 + 10 * 4 * 2
