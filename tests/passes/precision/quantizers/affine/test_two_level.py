import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.compiler.quant.stored import scale_codes, stored_parts
from optimum_compile.passes.precision.quantizers.affine.hqq import HqqOptions, quantize_hqq
from optimum_compile.passes.precision.quantizers.affine.rtn import quantize_rtn
from optimum_compile.passes.precision.quantizers.affine.two_level import (
    quantize_two_level,
    row_numbers,
)


def weight(rows=64, columns=512, seed=0):
    return (0.02 * np.random.default_rng(seed).standard_t(5, (rows, columns))).astype(np.float32)


def error(packed, w, factors=1.0):
    return float((factors * (packed.dequantize() - w) ** 2).sum())


@pytest.mark.parametrize("zeros", ["zf16", "zu6", "zu4"])
def test_zero_points_between_codes_help(zeros):
    w = weight()
    coded = quantize_two_level(w, parse_scheme(f"uint3:g32@u8,{zeros}"))
    free = quantize_hqq(w, parse_scheme(f"uint3:g32@{zeros}"), HqqOptions("mse"))
    assert error(coded, w) < 1.02 * error(free, w)
    assert error(coded, w) < 0.96 * error(quantize_two_level(w, parse_scheme("uint3:g32@u8")), w)


def test_four_bits_are_enough_for_scales():
    w = weight(64, 1024)
    coarse = quantize_two_level(w, parse_scheme("uint2:g16@u4,zu4"))
    fine = quantize_two_level(w, parse_scheme("uint2:g32@u8,zu8"))
    assert coarse.stored_bytes == fine.stored_bytes
    assert error(coarse, w) < 0.85 * error(fine, w)


@pytest.mark.parametrize("text", ["int4:g32", "uint4:g32", "int3:g16", "uint2:g16"])
@pytest.mark.parametrize("bits", [6, 8])
def test_coded_scales_cost_little_quality_and_save_bytes(text, bits):
    w = weight()
    coded = quantize_two_level(w, parse_scheme(f"{text}@u{bits}"))
    free = quantize_rtn(w, parse_scheme(text))
    assert error(coded, w) < 1.02 * error(free, w)
    saved = (16 - bits) * free.scales.size // 8 - 2 * 64
    assert free.stored_bytes - coded.stored_bytes == saved
    assert saved > 0


def test_smaller_groups_at_the_same_bytes_win():
    w = weight(64, 1024)
    coded = quantize_two_level(w, parse_scheme("uint4:g32@u6"))
    free = quantize_rtn(w, parse_scheme("uint4:g64"))
    assert coded.stored_bytes < 1.01 * free.stored_bytes
    assert error(coded, w) < 0.75 * error(free, w)


def test_scales_are_rounded_products():
    packed = quantize_two_level(weight(), parse_scheme("int4:g32@u6"))
    codes = scale_codes(packed.scales, packed.supers, 6)
    assert codes.min() >= 1
    product = codes.astype(np.float32) * packed.supers.astype(np.float32)[:, None]
    np.testing.assert_array_equal(product.astype(np.float16), packed.scales)


def test_importance_weighs_the_errors():
    w = weight()
    importance = np.random.default_rng(1).random(512).astype(np.float32) ** 8
    scheme = parse_scheme("int3:g32@u6")
    plain = quantize_two_level(w, scheme)
    weighted = quantize_two_level(w, scheme, importance=importance)
    assert error(weighted, w, importance) < 0.9 * error(plain, w, importance)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 9),
    columns=st.integers(1, 70),
    group=st.sampled_from([1, 8, 32]),
    text=st.sampled_from(["int4", "uint4", "int8", "uint2", "int3"]),
    bits=st.sampled_from([4, 6, 8]),
    zeros=st.booleans(),
    scale=st.sampled_from([0.0, 1e-30, 1e-3, 1.0, 1e4, 1e6, 1e9]),
)
def test_any_shape_and_any_magnitude(rows, columns, group, text, bits, zeros, scale):
    tail = ",zf16" if zeros and text[0] == "u" else ""
    scheme = parse_scheme(f"{text}:g{group}@u{bits}{tail}")
    packed = quantize_two_level(weight(rows, columns) * np.float32(scale), scheme)
    assert np.isfinite(packed.dequantize()).all()
    assert sum(p.nbytes for p in stored_parts(packed).values()) == packed.stored_bytes


def test_the_numbers_of_rows_stay_in_the_range_of_fp16():
    scales = np.array([[2**-14, 2**-14], [65504, 1]], np.float16)
    for bits in (6, 8):
        numbers = row_numbers(scales, bits).astype(np.float32)
        assert numbers[0] == 2**-14
        assert np.float32(numbers[1] * (2**bits - 1)) <= 65504


def test_other_schemes_are_refused():
    with pytest.raises(OptionError, match="expected scale codes"):
        quantize_two_level(weight(), parse_scheme("int4:g32"))
    with pytest.raises(InputError, match="NaN or infinite"):
        quantize_two_level(np.full((2, 2), np.inf, np.float32), parse_scheme("int4:g1@u6"))
