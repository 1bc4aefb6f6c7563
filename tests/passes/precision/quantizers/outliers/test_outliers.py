"""Dense and sparse, and AdpQ: which weights are outliers, and what they cost and gain."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.compiler.quant.stored import stored_parts
from optimum_compile.passes.precision.quantizers.affine.rtn import quantize_rtn
from optimum_compile.passes.precision.quantizers.outliers.adpq import quantize_adpq
from optimum_compile.passes.precision.quantizers.outliers.sparse import largest, quantize_sparse
from optimum_compile.passes.precision.quantizers.select import quantize_weight


def weight(rows=48, columns=256, seed=0):
    return (0.02 * np.random.default_rng(seed).standard_t(4, (rows, columns))).astype(np.float32)


def error(packed, w):
    return float(((packed.dequantize() - w) ** 2).sum())


def sparse(w, text, importance=None):
    return quantize_sparse(w, parse_scheme(text), quantize_weight, importance)


@pytest.mark.parametrize("base", ["int4:g128", "uint3:g64", "int2:g64", "lut2:r1", "lut4:r8"])
def test_half_a_percent_of_outliers_helps_heavy_tails(base):
    w = weight()
    assert error(sparse(w, f"{base}+s0.005"), w) < 0.85 * error(sparse(w, f"{base}+s0.0"), w)


@pytest.mark.parametrize("base", ["int4:g128", "uint3:g64", "lut2:r1"])
def test_outliers_are_exact_to_fp16(base):
    w = weight()
    packed = sparse(w, f"{base}+s0.01")
    found = packed.outliers
    places = (found.rows, found.columns)
    np.testing.assert_allclose(packed.dequantize()[places], w[places], rtol=2e-3)
    expected = np.sort(np.abs(w).reshape(-1))[-len(found.columns) :]
    np.testing.assert_array_equal(np.sort(np.abs(w[places])), expected)


def test_importance_moves_outliers_to_the_columns_that_matter():
    w = weight()
    importance = np.ones(256, np.float32)
    importance[7] = 1e6
    found = sparse(w, "int4:g128+s0.003", importance).outliers
    assert (found.columns == 7).all()


@given(seed=st.integers(0, 99), rows=st.integers(1, 9), columns=st.integers(1, 40), data=st.data())
@settings(max_examples=60, deadline=None)
def test_exactly_so_many_are_chosen_even_among_equals(seed, rows, columns, data):
    w = np.random.default_rng(seed).integers(-3, 4, (rows, columns)).astype(np.float32)
    count = data.draw(st.integers(0, rows * columns))
    chosen = largest(w, count)
    assert chosen.sum() == count
    if 0 < count < w.size:
        assert np.abs(w[chosen]).min() >= np.abs(w[~chosen]).max()


@pytest.mark.parametrize("alpha", [0.001, 0.06, 0.08, 0.3])
def test_the_adaptive_lasso_is_a_threshold(alpha):
    w = weight()
    scheme = parse_scheme(f"int4:g128+o{alpha!r}")
    count = scheme.count(*w.shape)
    exact = w.astype(np.float64)

    def left(penalty):
        return np.sign(exact) * np.maximum(np.abs(exact) - penalty / np.abs(exact), 0) != 0

    # The published search: the penalty whose soft threshold leaves the wanted fraction.
    low, high = 0.0, 1e7
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if left(middle).sum() > count else (low, middle)
    searched = left(high)
    np.testing.assert_array_equal(searched, largest(w, count))
    # The same without a search: the penalty is the square of the largest weight that stays inside.
    quantile = np.sort(np.abs(exact).reshape(-1))[-count - 1]
    np.testing.assert_array_equal(left(quantile**2), searched)
    packed = quantize_adpq(w, scheme)
    np.testing.assert_array_equal(packed.outliers.rows, np.nonzero(searched)[0])
    np.testing.assert_array_equal(packed.outliers.columns, np.nonzero(searched)[1])


def test_adpq_has_two_scales_a_group_of_the_largest_numbers():
    w = weight()
    scheme = parse_scheme("int4:g64+o0.08")
    packed = quantize_adpq(w, scheme)
    chosen = np.zeros(w.shape, bool)
    chosen[packed.outliers.rows, packed.outliers.columns] = True
    for mask, scales in ((~chosen, packed.scales), (chosen, packed.outliers.scales)):
        peak = np.abs(np.where(mask, w, 0)).reshape(48, 4, 64).max(-1)
        np.testing.assert_allclose(scales, np.maximum(peak / 7, 2**-14), rtol=1e-3)
    step = np.where(chosen, packed.outliers.scales.repeat(64, 1), packed.scales.repeat(64, 1))
    assert (np.abs(packed.dequantize() - w) <= 0.51 * step).all()


def test_the_bytes_of_outliers_are_true():
    packed = quantize_adpq(weight(128, 1024), parse_scheme("int4:g128+o0.08"))
    parts = stored_parts(packed)
    bits = {name: 8 * part.nbytes / packed.codes.size for name, part in parts.items()}
    assert bits["codes"] == 4
    assert bits["scales"] + bits["outlier_scales"] == 2 * 16 / 128
    assert bits["places"] == pytest.approx(7 * 0.08, abs=1e-3)
    assert bits["counts"] == 8 / 128
    assert sum(bits.values()) == pytest.approx(4.8725, abs=1e-3)


def test_adpq_is_worth_its_bytes_against_a_smaller_group():
    w = weight(128, 1024)
    adpq = quantize_adpq(w, parse_scheme("int4:g128+o0.08"))
    plain = quantize_rtn(w, parse_scheme("int4:g16"), "minmax")
    assert adpq.stored_bytes < plain.stored_bytes
    assert error(adpq, w) < error(plain, w)


@pytest.mark.parametrize("text", ["int4:g16+s0.1", "lut2:r2+s0.1", "int4:g16+o0.1", "int4+o0.5"])
def test_degenerate_matrices(text):
    scheme = parse_scheme(text)
    for w in (
        np.zeros((4, 40), np.float32),
        np.full((4, 40), 0.5, np.float32),
        np.ones((3, 1), np.float32),
        np.full((2, 17), 1e4, np.float32),
    ):
        added = scheme.outliers == "added"
        packed = sparse(w, text) if added else quantize_adpq(w, scheme)
        assert np.isfinite(packed.dequantize()).all()
        assert sum(p.nbytes for p in stored_parts(packed).values()) == packed.stored_bytes
        np.testing.assert_allclose(packed.dequantize(), w, rtol=0.1)


def test_no_outliers_leave_the_base_alone():
    w = weight()
    base = quantize_rtn(w, parse_scheme("int4:g32"), "minmax")
    for packed in (
        quantize_adpq(w, parse_scheme("int4:g32+o0.0")),
        quantize_sparse(
            w, parse_scheme("int4:g32+s0.0"), lambda m, s: quantize_rtn(m, s, "minmax")
        ),
    ):
        assert packed.outliers is None
        np.testing.assert_array_equal(packed.dequantize(), base.dequantize())
        assert packed.stored_bytes == base.stored_bytes


def test_each_form_has_its_quantiser():
    with pytest.raises(OptionError, match="expected scaled outliers"):
        quantize_adpq(weight(), parse_scheme("int4:g128+s0.01"))
    with pytest.raises(OptionError, match="expected added outliers"):
        sparse(weight(), "int4:g128+o0.01")


@pytest.mark.parametrize("text", ["int4:g128+s0.01", "int4:g128+o0.01"])
def test_what_is_not_finite_is_refused(text):
    w = weight()
    w[0, :2] = np.nan, np.inf
    with pytest.raises(InputError, match="2 of 12288 weights are NaN or infinite"):
        if "+s" in text:
            sparse(w, text)
        else:
            quantize_adpq(w, parse_scheme(text))
