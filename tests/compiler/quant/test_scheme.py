"""The vocabulary: text there and back, and what is no scheme."""

import pytest
from hypothesis import given, settings
from support.packed import SCHEMES

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.quant.scheme import (
    E0M4,
    Affine,
    Float,
    Lut,
    Nested,
    PerChannel,
    PerGroup,
    Scheme,
    Sparse,
)
from optimum_compile.compiler.quant.scheme_text import parse_scheme


@settings(max_examples=300, deadline=None)
@given(SCHEMES)
def test_text_is_read_back(scheme: Scheme) -> None:
    assert parse_scheme(str(scheme)) == scheme


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("int8", Affine(8, PerChannel())),
        ("int4:g32@f16", Affine(4, PerGroup(32))),
        ("uint4:g64@zf16", Affine(4, PerGroup(64), False, zero_dtype="f16")),
        ("uint3:g32@u6", Affine(3, PerGroup(32), False, "u6")),
        ("uint2:g32@u8,zf16", Affine(2, PerGroup(32), False, "u8", "f16")),
        ("uint2:g16@u4,zu6", Affine(2, PerGroup(16), False, "u4", "u6")),
        ("uint4:g32@zu8", Affine(4, PerGroup(32), False, "f16", "u8")),
        ("nest2-4:r4", Nested(2, 4, 4)),
        ("nest3-8", Nested(3, 8)),
        ("e0m4", E0M4()),
        ("e0m4:g32", E0M4(PerGroup(32))),
        ("int4:g128+s0.005", Sparse(Affine(4, PerGroup(128)), 0.005)),
        ("int4:g128+o0.08", Sparse(Affine(4, PerGroup(128)), 0.08, "scaled")),
        ("lut2:r4+s1e-05", Sparse(Lut(2, 4), 1e-5)),
    ],
)
def test_forms(text: str, scheme: Scheme) -> None:
    assert parse_scheme(text) == scheme


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("int7", "expected one of"),
        ("lut9:r1", "expected f16, f32"),
        ("nest2-9", "expected f16, f32"),
        ("nest4-2:r4", "nest4-2: expected two widths of 1 to 8 bits, the smaller first"),
        ("nest3-3", "expected two widths"),
        ("nest2-4:r0", "expected a positive number"),
        ("nest2-4+s0.01", "takes no outliers"),
        ("int4:g0", "expected a positive number"),
        ("int4:g32@u7", "scale type 'u7': expected one of f16, bf16, u4, u6, u8"),
        ("int4@u6", "expected groups, such as g64"),
        ("int4:g32@zf16", "f16 zero points need an unsigned grid"),
        ("uint4:g32@u6,u8", "at most one type of scales"),
        ("uint6@zu4", "zero points need 6 bits at least"),
        ("uint4@zu5", "zero point type 'u5': expected one of int, f16, u4"),
        ("e0m4:r3", "expected f16, f32"),
        ("f16+s0.1", "f16 takes no outliers"),
        ("int4+s0.1+s0.1", "takes no outliers"),
        ("int4+s0.6", "outlier fraction 0.6: expected 0 to 0.5"),
        ("uint4+o0.1", "expected a signed grid, as int4:g128"),
        ("lut2:r1+o0.1", "expected a signed grid"),
        ("int4:g32@u6+o0.1", "expected a signed grid"),
        ("int4+s1e-9999", "expected f16, f32"),
        ("int4" + "+s0.1" * 9000, "expected f16, f32"),
        ("", "expected f16, f32"),
    ],
)
def test_what_is_no_scheme_is_refused(text: str, message: str) -> None:
    with pytest.raises(OptionError, match=message.replace("+", r"\+")):
        parse_scheme(text)


def test_a_fraction_is_a_number() -> None:
    with pytest.raises(OptionError, match="outlier fraction nan"):
        Sparse(Affine(4), float("nan"))


def test_bytes_by_hand() -> None:
    shape = (64, 256)
    codes = 64 * 256 // 2
    scales = 64 * 8
    assert parse_scheme("int4:g32").stored_bytes(*shape) == codes + 2 * scales
    assert parse_scheme("int4:g32@u8").stored_bytes(*shape) == codes + scales + 2 * 64
    assert parse_scheme("int4:g32@u6").stored_bytes(*shape) == codes + scales * 6 // 8 + 2 * 64
    assert parse_scheme("uint4:g32").stored_bytes(*shape) == codes + 2 * scales + scales // 2
    assert parse_scheme("uint4:g32@zf16").stored_bytes(*shape) == codes + 4 * scales
    assert parse_scheme("uint2:g32@zu6").stored_bytes(*shape) == codes // 2 + scales * 22 // 8
    assert parse_scheme("e0m4:g32").stored_bytes(*shape) == codes + 4 * scales
    # 1311 outliers: fp16 values, 7-bit indices, a byte for each of 128 runs of 128 columns.
    many = codes + 2 * scales + 1311 * 2 + (1311 * 7 + 7) // 8 + 128
    assert parse_scheme("int4:g32+s0.08").stored_bytes(*shape) == many
    # 2 of them: a count of four bytes for each row would take 256 bytes, so runs stay short.
    assert parse_scheme("int4:g32+s0.0001").stored_bytes(*shape) == codes + 2 * scales + 4 + 2 + 128
    # On long rows one count a row is less than one byte for each of 32 runs.
    assert Sparse(Affine(4), 0.0001).runs(64, 4096).width == 65536
    # Outliers that keep their codes: indices, and one more scale a group.
    apart = codes + 2 * scales + (1311 * 7 + 7) // 8 + 128 + 2 * scales
    assert parse_scheme("int4:g32+o0.08").stored_bytes(*shape) == apart


def test_no_outliers_cost_nothing() -> None:
    for text in ("int4:g32+s0.0", "int4:g32+o0.0"):
        assert parse_scheme(text).stored_bytes(8, 64) == parse_scheme("int4:g32").stored_bytes(
            8, 64
        )
    assert Float(32).stored_bytes(2, 3) == 24
