"""QQQ: floats and integers bit for bit, the kernel's fp16 trick, and what the rounding costs."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.graphs import Builder

from optimum_compile.compiler.errors import InternalError, OptionError
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.quant.activations import (
    ActivationKind,
    TokenCodes,
    asymmetric_int8,
    symmetric_int8,
)
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Affine, Granularity, PerChannel, PerGroup
from optimum_compile.compiler.quant.store import write_packed
from optimum_compile.passes.precision.notes import Quantized
from optimum_compile.passes.precision.quantizers.affine import qqq
from optimum_compile.passes.precision.quantizers.affine.qqq import (
    W4A8,
    from_packed,
    integer_product,
    quantize_qqq,
    simulated_product,
)
from optimum_compile.passes.precision.quantizers.affine.rtn import quantize_rtn

GROUPS = st.sampled_from([PerChannel(), PerGroup(16), PerGroup(32)])


@st.composite
def packed_weights(draw: st.DrawFn) -> PackedWeight:
    """Any codes with any scales, not only those that a quantiser gives."""
    rows, columns, group = draw(st.integers(1, 5)), draw(st.integers(1, 70)), draw(GROUPS)
    scheme = Affine(4, group)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    codes = rng.integers(-8, 8, (rows, columns)).astype(np.int8)
    codes[rng.random(rows) < draw(st.sampled_from([0, 0.5]))] = 0
    spread = draw(st.sampled_from([0, 1, 5]))
    scales = np.exp2(rng.uniform(-4 - spread, -4 + spread, (rows, scheme.groups(columns))))
    return PackedWeight(scheme, codes, scales=scales.astype(np.float16))


def tokens(columns: int, count: int = 3, seed: int = 0) -> TokenCodes:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, columns)) * np.exp(rng.standard_normal(columns))
    return symmetric_int8(x.astype(np.float32))


@given(packed_weights(), st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_floats_give_the_bits_of_the_integer_path(packed: PackedWeight, seed: int) -> None:
    made = from_packed(packed)
    x = tokens(packed.shape[1], seed=seed)
    integers, floats = integer_product(x, made), simulated_product(x, made)
    assert integers.dtype == floats.dtype == np.float32
    np.testing.assert_array_equal(integers.view(np.uint32), floats.view(np.uint32))
    numbers, weight = x.numbers().astype(np.float64), made.dequantize().astype(np.float64)
    # Terms cancel: the rounding of scales is relative to their magnitudes, not to their sum.
    magnitude = np.abs(numbers) @ np.abs(weight).T
    assert (np.abs(integers - numbers @ weight.T) <= 1e-6 + 1e-6 * magnitude).all()


@given(packed_weights())
@settings(max_examples=100, deadline=None)
def test_what_is_packed_is_the_same_weight(packed: PackedWeight) -> None:
    made = from_packed(packed)
    kept = made.packed()
    assert str(kept.scheme) == ("int4:channel" if made.steps is None else "int8:channel")
    np.testing.assert_array_equal(kept.dequantize(), made.dequantize())


@pytest.mark.parametrize("group", [PerChannel(), PerGroup(32)])
def test_the_oracle_gives_the_bits_of_the_integer_path(group: Granularity, tmp_path: Path) -> None:
    w = np.random.default_rng(5).standard_normal((40, 200)).astype(np.float32)
    made = quantize_qqq(w, group)
    b = Builder("w4a8", n=(1, 64))
    weight = b.weight("w", w)
    graph = b.returns(b.op("linear", b.input("x", "f32", "n", 200), weight))
    kept = made.packed()
    weight.notes.put(Quantized(kept.scheme, write_packed(tmp_path, kept), tmp_path))
    x = np.random.default_rng(6).standard_normal((7, 200)).astype(np.float32)
    kinds = {"w": ActivationKind.SYMMETRIC_INT8}
    (got,) = run(graph, {"x": x}, weights="quantized", activations=kinds).outputs
    assert got.numpy().tobytes() == integer_product(symmetric_int8(x), made).tobytes()
    plain = run(graph, {"x": x}, weights="quantized").outputs[0].numpy()
    assert 1e-3 < np.linalg.norm(got.numpy() - plain) / np.linalg.norm(plain) < 2e-2


def test_sums_that_float32_cannot_hold_are_equal_too() -> None:
    columns = 4096  # of products up to 127 * 128: beyond 2^24
    codes = np.random.default_rng(1).integers(-8, -5, (3, columns)).astype(np.int8)
    made = W4A8(codes, np.array([0.1, 1.7, 3e-5], np.float32))
    x = TokenCodes(
        np.full((2, columns), 127, np.int8) - np.arange(2, dtype=np.int8)[:, None],
        np.array([[0.013], [7.1]], np.float32),
        np.zeros((2, 1), np.int8),
    )
    sums = x.codes.astype(np.int64) @ made.int8_weights().astype(np.int64).T
    assert np.abs(sums).min() > 2**25
    integers, floats = integer_product(x, made), simulated_product(x, made)
    np.testing.assert_array_equal(integers.view(np.uint32), floats.view(np.uint32))
    assert np.array_equal(sums.astype(np.float32) * x.scales * made.scales, integers)


@given(packed_weights())
@settings(max_examples=100, deadline=None)
def test_int8_weights_are_the_low_bytes_of_the_kernels_fp16(packed: PackedWeight) -> None:
    made = from_packed(packed)
    if made.steps is None:
        upper = (made.codes.astype(np.uint8) & 0x0F) << 4  # the code in the upper half
        np.testing.assert_array_equal(made.int8_weights(), upper.view(np.int8))
        return
    steps = made.steps.astype(np.float64)[:, np.arange(packed.shape[1]) // made.size]
    fused = (made.codes * steps + 1152).astype(np.float16)  # one rounding, as a multiply-add has
    low = (fused.view(np.uint16) & 0xFF).astype(np.uint8) ^ 0x80
    np.testing.assert_array_equal(made.int8_weights(), low.view(np.int8))


@given(packed_weights())
@settings(max_examples=100, deadline=None)
def test_the_second_level_rounds_by_half_a_unit_of_its_row(packed: PackedWeight) -> None:
    made, before = from_packed(packed), packed.dequantize()
    error = np.abs(made.dequantize() - before)
    if made.steps is None:
        np.testing.assert_array_equal(made.dequantize(), before)
        return
    # Half a unit, and the rounding of the step to fp16, which is less than 2^-11 of 127 units.
    assert (error <= made.scales[:, None] * (0.5 + 127 * 2.0**-11)).all()


@pytest.mark.parametrize("group", [PerChannel(), PerGroup(32), PerGroup(128)])
def test_a_quantised_matrix_is_near_that_of_int4(group: Granularity) -> None:
    w = np.random.default_rng(2).standard_normal((48, 256)).astype(np.float32)
    made = quantize_qqq(w, group)
    plain = quantize_rtn(w, Affine(4, group))
    error, least = (np.square(f - w).mean() for f in (made.dequantize(), plain.dequantize()))
    unaware = np.square(from_packed(plain).dequantize() - w).mean()
    assert error <= unaware
    assert error < 1.02 * least
    assert np.abs(made.int8_weights().astype(int)).max() <= 128


def test_codes_are_the_nearest_after_rounding() -> None:
    w = np.random.default_rng(3).standard_normal((8, 64)).astype(np.float32)
    w[:, 16:32] *= 0.02  # groups whose steps are small, so that rounding matters
    made = quantize_qqq(w, PerGroup(16))
    grid = np.rint(np.arange(-8, 8)[:, None, None] * made.spread_steps())
    distance = np.abs(grid * made.scales[:, None] - w)
    distance[np.abs(grid) > 127] = np.inf
    np.testing.assert_allclose(np.abs(made.dequantize() - w), distance.min(0), atol=1e-6)
    before = from_packed(quantize_rtn(w, Affine(4, PerGroup(16)))).dequantize()
    assert np.square(made.dequantize() - w).sum() < np.square(before - w).sum()


@pytest.mark.parametrize("group", [PerChannel(), PerGroup(16)])
def test_rows_of_zeros_stay_zero(group: Granularity) -> None:
    w = np.random.default_rng(4).standard_normal((3, 48)).astype(np.float32)
    w[1] = 0
    w[2, 16:] = 0
    made = quantize_qqq(w, group)
    assert np.isfinite(made.scales).all()
    assert not made.dequantize()[1].any()
    assert not integer_product(tokens(48), made)[:, 1].any()


@pytest.mark.parametrize("scheme", [Affine(8, PerChannel()), Affine(4, PerGroup(16), False)])
def test_other_schemes_are_refused(scheme: Affine) -> None:
    packed = quantize_rtn(np.ones((2, 16), np.float32), scheme)
    with pytest.raises(OptionError, match="QQQ takes symmetric 4-bit codes"):
        from_packed(packed)


def test_what_the_kernel_cannot_multiply_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = quantize_qqq(np.ones((2, 16), np.float32), PerChannel())
    for product in (integer_product, simulated_product):
        with pytest.raises(InternalError, match=r"activations \(3, 8\) for 16 columns"):
            product(tokens(8), made)
        with pytest.raises(InternalError, match="zero points"):
            product(asymmetric_int8(np.ones((1, 16), np.float32)), made)
    steps = np.full((2, 1), 20, np.float16)
    wide = W4A8(np.full((2, 16), -8, np.int8), np.ones(2, np.float32), steps, 16)
    with pytest.raises(InternalError, match="int8 weights up to 160"):
        wide.int8_weights()
    monkeypatch.setattr(qqq, "MAX_COLUMNS", 15)
    with pytest.raises(InternalError, match="an int32 sums 15 products"):
        integer_product(tokens(16), made)
