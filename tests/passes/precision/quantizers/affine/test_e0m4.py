import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.compiler.quant.stored import stored_parts
from optimum_compile.passes.precision.quantizers.affine.e0m4 import line_of, quantize_e0m4
from optimum_compile.passes.precision.quantizers.affine.rtn import quantize_rtn


def weight(rows=64, columns=512, seed=0):
    return (0.02 * np.random.default_rng(seed).standard_normal((rows, columns))).astype(np.float32)


def error(packed, w):
    return float(((packed.dequantize() - w) ** 2).sum() / (w**2).sum())


@pytest.mark.parametrize("group", [32, 64, 128])
def test_the_quality_is_that_of_an_unsigned_grid(group):
    w = weight()
    free = w.reshape(64, -1, group)
    bottom, step = free.min(-1, keepdims=True), np.ptp(free, -1, keepdims=True) / 15
    ideal = np.rint((free - bottom) / step) * step + bottom
    expected = float(((ideal - free) ** 2).sum() / (w**2).sum())
    found = error(quantize_e0m4(w, parse_scheme(f"e0m4:g{group}"), "minmax"), w)
    # The same grid, but for the rounding of a and c to fp16.
    assert found == pytest.approx(expected, rel=0.01)
    # And so that of uint4, whose zero point is rounded; a signed grid is far worse.
    unsigned = error(quantize_rtn(w, parse_scheme(f"uint4:g{group}"), "minmax"), w)
    assert found == pytest.approx(unsigned, rel=0.1)
    assert found < 0.75 * error(quantize_rtn(w, parse_scheme(f"int4:g{group}"), "minmax"), w)


def test_codes_are_those_of_the_bits_of_fp16():
    # The published encoding: add half a step to the fp16 bits of a number in [1, 2), keep four bits.
    w = weight(16, 64)
    packed = quantize_e0m4(w, parse_scheme("e0m4:g32"), "minmax")
    a, c = (p.astype(np.float64).repeat(32, 1) for p in (packed.scales, packed.offsets))
    h = np.clip((w - c) / a, 1, None)
    bits = h.astype(np.float16).view(np.uint16).astype(int)
    published = np.minimum(15, ((bits & 0x3FF) + 0x20) >> 6)
    inside = h < 2 - 1 / 32  # above that the addition would carry into the exponent
    off = packed.codes[inside] != published[inside]
    assert off.mean() < 0.02  # numbers that fp16 rounds across the border between two codes
    assert (packed.codes[~inside] == 15).all()


def test_the_range_is_laid_onto_the_sixteen_points():
    a, c = line_of(np.float32([-0.5, 2.0]), np.float32([1.0, 2.5]))
    np.testing.assert_allclose(a + c, [-0.5, 2.0], atol=2e-3)
    np.testing.assert_allclose(a * (1 + 15 / 16) + c, [1.0, 2.5], atol=2e-3)


def test_the_search_is_never_worse():
    w, scheme = weight(), parse_scheme("e0m4:g32")
    assert error(quantize_e0m4(w, scheme), w) < 0.97 * error(quantize_e0m4(w, scheme, "minmax"), w)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 9),
    columns=st.integers(1, 70),
    group=st.sampled_from(["channel", "g8", "g32"]),
    scale=st.sampled_from([0.0, 1e-30, 1e-3, 1.0, 1e4, 1e9]),
    shift=st.sampled_from([0.0, 1.0, -1e3]),
)
def test_any_shape_and_any_magnitude(rows, columns, group, scale, shift):
    w = weight(rows, columns) * np.float32(scale) + np.float32(shift)
    packed = quantize_e0m4(w, parse_scheme(f"e0m4:{group}"))
    assert np.isfinite(packed.dequantize()).all()
    assert sum(p.nbytes for p in stored_parts(packed).values()) == packed.stored_bytes


def test_constant_groups_are_exact_to_fp16():
    w = np.zeros((3, 40), np.float32)
    w[1], w[2, :16] = 3.3, -7e-3
    packed = quantize_e0m4(w, parse_scheme("e0m4:g16"))
    np.testing.assert_allclose(packed.dequantize(), w, rtol=1e-3)
    assert (packed.dequantize()[0] == 0).all()


def test_what_is_not_finite_is_refused():
    with pytest.raises(InputError, match="NaN or infinite"):
        quantize_e0m4(np.full((2, 2), np.nan, np.float32), parse_scheme("e0m4"))


def test_importance_weighs_the_errors():
    w, scheme = weight(), parse_scheme("e0m4:g32")
    importance = np.random.default_rng(1).random(w.shape[1]).astype(np.float32) ** 8
    importance[:64] = 0  # inputs that never occur

    def lost(packed):
        return float((importance * (packed.dequantize() - w) ** 2).sum())

    assert lost(quantize_e0m4(w, scheme, importance=importance)) < 0.9 * lost(
        quantize_e0m4(w, scheme)
    )
