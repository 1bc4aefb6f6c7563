import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.compiler.quant.stored import stored_parts
from optimum_compile.passes.precision.quantizers import groups
from optimum_compile.passes.precision.quantizers.affine.hqq import HqqOptions, quantize_hqq
from optimum_compile.passes.precision.quantizers.affine.rtn import quantize_rtn

SEARCHED = HqqOptions(clip="mse")


def weight(rows=32, columns=256, seed=0, tails=True):
    rng = np.random.default_rng(seed)
    data = rng.standard_t(5, (rows, columns)) if tails else rng.standard_normal((rows, columns))
    return (0.02 * data).astype(np.float32)


def error(packed, w, norm=2.0):
    return float((np.abs(packed.dequantize() - w) ** norm).sum())


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_fp16_zero_points_win_over_round_to_nearest(bits):
    w, scheme = weight(), parse_scheme(f"uint{bits}:g64@zf16")
    moved, fixed = quantize_hqq(w, scheme), quantize_hqq(w, scheme, HqqOptions(iterations=0))
    assert error(moved, w, 0.7) < 0.99 * error(fixed, w, 0.7)
    assert error(moved, w) < error(quantize_rtn(w, parse_scheme(f"uint{bits}:g64"), "minmax"), w)


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_a_searched_range_helps_more_than_zero_points(bits):
    w, scheme = weight(), parse_scheme(f"uint{bits}:g64@zf16")
    searched = error(quantize_hqq(w, scheme, SEARCHED), w)
    assert searched < error(quantize_hqq(w, scheme), w)
    assert searched < error(quantize_rtn(w, parse_scheme(f"uint{bits}:g64"), "mse"), w)


@pytest.mark.parametrize("bits", [2, 4])
def test_rounded_zero_points_are_never_worse_than_where_they_begin(bits):
    w, scheme = weight(), parse_scheme(f"uint{bits}:g32")
    moved, fixed = quantize_hqq(w, scheme), quantize_hqq(w, scheme, HqqOptions(iterations=0))
    assert moved.zeros.dtype == np.uint8
    assert error(moved, w, 0.7) <= error(fixed, w, 0.7)


def test_the_result_does_not_depend_on_the_size_of_the_weights():
    w, scheme = weight(), parse_scheme("uint3:g64@zf16")
    small, large = quantize_hqq(w, scheme), quantize_hqq(w * np.float32(256), scheme)
    np.testing.assert_array_equal(small.codes, large.codes)
    np.testing.assert_array_equal(small.zeros, large.zeros)


@pytest.mark.parametrize("text", ["uint4:g16", "uint4:g16@zf16", "uint8@zf16"])
def test_degenerate_groups(text):
    w = np.zeros((4, 40), np.float32)
    w[1], w[2], w[3, 16:32] = 3.25, -0.5, 1e-7
    packed = quantize_hqq(w, parse_scheme(text))
    np.testing.assert_allclose(packed.dequantize(), w, rtol=2e-3, atol=1e-3)
    assert (packed.dequantize()[0] == 0).all()


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 9),
    columns=st.integers(1, 70),
    group=st.sampled_from(["channel", "g8", "g32"]),
    bits=st.sampled_from([2, 3, 4, 8]),
    zeros=st.sampled_from(["", "@zf16", "@zu8"]),
    scale=st.sampled_from([0.0, 1e-30, 1e-3, 1.0, 1e4, 1e9]),
    shift=st.sampled_from([0.0, 1.0, -1e3]),
)
def test_any_shape_and_any_magnitude(rows, columns, group, bits, zeros, scale, shift):
    scheme = parse_scheme(f"uint{bits}:{group}{zeros}")
    w = weight(rows, columns) * np.float32(scale) + np.float32(shift)
    packed = quantize_hqq(w, scheme)
    assert np.isfinite(packed.dequantize()).all()
    assert sum(p.nbytes for p in stored_parts(packed).values()) == packed.stored_bytes


def test_results_do_not_depend_on_the_chunking(monkeypatch):
    w, scheme = weight(40, 70), parse_scheme("uint4:g32@zf16")
    whole = quantize_hqq(w, scheme)
    monkeypatch.setattr(groups, "CHUNK_ELEMENTS", 200)
    parts = quantize_hqq(w, scheme)
    assert np.array_equal(whole.codes, parts.codes)
    assert np.array_equal(whole.zeros, parts.zeros)


@pytest.mark.parametrize("text", ["int4:g32", "uint4:g32@u6", "uint4:g32@bf16"])
def test_other_schemes_are_refused(text):
    with pytest.raises(OptionError, match="hqq moves zero points"):
        quantize_hqq(weight(), parse_scheme(text))


@pytest.mark.parametrize("options", [{"norm": 0}, {"norm": 2}, {"beta": 0}, {"growth": 0.5}])
def test_options_are_checked(options):
    with pytest.raises(OptionError, match="hqq"):
        HqqOptions(**options)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(value):
    w = weight()
    w[3, 4] = value
    with pytest.raises(InputError, match="1 of 8192 weights are NaN or infinite"):
        quantize_hqq(w, parse_scheme("uint4:g32"))


def test_importance_weighs_the_errors():
    w, scheme = weight(), parse_scheme("uint3:g32@zf16")
    importance = np.random.default_rng(1).random(w.shape[1]).astype(np.float32) ** 8
    importance[:64] = 0  # inputs that never occur

    def lost(packed):
        return float((importance * (packed.dequantize() - w) ** 2).sum())

    assert lost(quantize_hqq(w, scheme, SEARCHED, importance)) < 0.9 * lost(
        quantize_hqq(w, scheme, SEARCHED)
    )
