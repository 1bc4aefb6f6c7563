import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.quantizers.affine.rtn import MIN_SCALE, quantize_rtn
from optimum_compile.passes.precision.quantizers.select import quantize_weight

SCHEMES = [
    "int8",
    "int4:g32",
    "int4:g32@bf16",
    "uint4:g16",
    "int3:g64",
    "uint2:g32",
    "int4",
    "uint8",
]


def weight(rows=16, columns=96, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, columns)).astype(np.float32)


def error(packed, w):
    return float(((packed.dequantize() - w) ** 2).sum())


@pytest.mark.parametrize("text", SCHEMES)
def test_min_max_error_is_at_most_half_a_step(text):
    w, scheme = weight(), parse_scheme(text)
    packed = quantize_rtn(w, scheme, "minmax")
    size = scheme.group_size(w.shape[1])
    step = packed.scales.astype(np.float32)[:, np.arange(w.shape[1]) // size]
    # One more half step: the zero point of an asymmetric grid is rounded too, and so is the scale.
    limit = step * (0.51 if scheme.symmetric else 1.01)
    if scheme.scale_dtype == "bf16":
        limit = limit * (1 + 2**3 * 2**-8)
    assert (np.abs(packed.dequantize() - w) <= limit + 1e-6).all()


@pytest.mark.parametrize("text", SCHEMES)
def test_mse_search_is_never_worse_than_min_max(text):
    w, scheme = weight(), parse_scheme(text)
    assert error(quantize_rtn(w, scheme, "mse"), w) <= error(quantize_rtn(w, scheme, "minmax"), w)


def test_mse_search_helps_two_bits_much():
    w, scheme = weight(64, 256), parse_scheme("int2:g32")
    assert error(quantize_rtn(w, scheme, "mse"), w) < 0.5 * error(
        quantize_rtn(w, scheme, "minmax"), w
    )


@given(
    rows=st.integers(1, 9),
    columns=st.integers(1, 70),
    group=st.sampled_from(["channel", "g8", "g32"]),
    bits=st.sampled_from([2, 3, 4, 5, 6, 8]),
    unsigned=st.booleans(),
    scale=st.sampled_from([0.0, 1e-30, 1e-3, 1.0, 1e4, 1e9]),
)
@settings(max_examples=80, deadline=None)
def test_any_shape_and_any_magnitude(rows, columns, group, bits, unsigned, scale):
    scheme = parse_scheme(f"{'u' if unsigned else ''}int{bits}:{group}")
    packed = quantize_rtn(weight(rows, columns) * np.float32(scale), scheme)
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    assert packed.codes.min() >= low
    assert packed.codes.max() <= high
    assert np.isfinite(packed.dequantize()).all()
    assert packed.scales.shape == (rows, scheme.groups(columns))


def test_zero_rows_get_zero_codes_and_the_least_scale():
    w = weight()
    w[3] = 0
    packed = quantize_rtn(w, parse_scheme("int4:g32"))
    assert (packed.codes[3] == 0).all()
    assert (packed.scales[3] == MIN_SCALE.astype(np.float16)).all()


def test_symmetric_int8_never_uses_minus_128():
    assert quantize_rtn(weight(), parse_scheme("int8")).codes.min() >= -127


def test_bf16_scales_survive_the_round_trip_through_bfloat16():
    scales = quantize_rtn(weight(), parse_scheme("int4:g32@bf16")).scales.astype(np.float32)
    assert (scales.view(np.uint32) & 0xFFFF == 0).all()


def test_results_do_not_depend_on_the_chunking(monkeypatch):
    w = weight(40, 64)
    whole = quantize_rtn(w, parse_scheme("int4:g32"))
    from optimum_compile.passes.precision.quantizers.affine import rtn

    monkeypatch.setattr(rtn, "CHUNK_ELEMENTS", 192)
    parts = quantize_rtn(w, parse_scheme("int4:g32"))
    assert np.array_equal(whole.codes, parts.codes)
    assert np.array_equal(whole.scales, parts.scales)


def test_a_palette_of_four_gaussian_levels_is_near_the_optimum():
    w = weight(8, 4096)
    packed = quantize_weight(w, parse_scheme("lut2:r1"))
    # Lloyd and Max: the best four levels of a Gaussian leave 0.1175 of its power.
    assert error(packed, w) / float((w**2).sum()) == pytest.approx(0.1175, abs=0.004)


def test_a_palette_represents_few_values_exactly():
    w = np.random.default_rng(1).choice([-1.5, -0.25, 0.5, 2.0], (6, 50)).astype(np.float32)
    assert np.array_equal(quantize_weight(w, parse_scheme("lut2:r4")).dequantize(), w)


@given(rows=st.integers(1, 13), per=st.integers(1, 15), bits=st.sampled_from([1, 2, 3, 4, 6]))
@settings(max_examples=40, deadline=None)
def test_palettes_take_any_number_of_rows(rows, per, bits):
    packed = quantize_weight(weight(rows, 24), parse_scheme(f"lut{bits}:r{per}"))
    assert packed.table.shape == (-(-rows // per), 2**bits)
    assert packed.codes.max() < 2**bits
    assert (np.diff(packed.table.astype(np.float32), axis=1) >= 0).all()
