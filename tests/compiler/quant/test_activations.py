"""Activations as int8: against the definition, element by element, and on what is not finite."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from optimum_compile.compiler.quant.activations import (
    ActivationKind,
    Activations,
    BlockInt8,
    asymmetric_int8,
    rounded,
    symmetric_int8,
)

MAGNITUDES = st.floats(2.0**-100, 2.0**20, width=32)
FLOATS = st.one_of(st.just(0.0), MAGNITUDES, MAGNITUDES.map(lambda m: -m))
TOKENS = arrays(np.float32, array_shapes(min_dims=1, max_dims=3, max_side=9), elements=FLOATS)
KINDS = [*ActivationKind, BlockInt8(2), BlockInt8(32)]


def spread(row: np.ndarray) -> tuple[list[int], int, np.float32]:
    """Codes, zero point and scale of one token, in scalars of float32."""
    low, high = min(np.float32(0), row.min()), max(np.float32(0), row.max())
    factor = np.float32(255) / (high - low) if low != high else np.float32(1)
    from_low, from_high = np.float32(-128) - low * factor, np.float32(127) - high * factor
    of_low = np.float32(-128) + low * factor
    of_high = np.float32(127) + high * factor
    zero = round(float(min(max(from_low if of_low + of_high > 0 else from_high, -128), 127)))
    codes = [min(max(round(float(v * factor)) + zero, -128), 127) for v in row]
    return codes, zero, np.float32(1) / factor


@given(TOKENS)
@settings(max_examples=200, deadline=None)
def test_asymmetric_codes_are_those_of_the_definition(x: np.ndarray) -> None:
    found = asymmetric_int8(x)
    assert (found.codes.dtype, found.zeros.dtype, found.scales.dtype) == ("i1", "i1", "f4")
    assert found.codes.shape == x.shape
    assert found.scales.shape == (*x.shape[:-1], 1)
    rows = zip(
        x.reshape(-1, x.shape[-1]),
        found.codes.reshape(-1, x.shape[-1]),
        found.zeros.ravel(),
        found.scales.ravel(),
        strict=True,
    )
    for row, codes, zero, scale in rows:
        assert (codes.tolist(), zero, scale) == spread(row)


@given(TOKENS)
@settings(max_examples=200, deadline=None)
def test_no_number_moves_by_more_than_a_step(x: np.ndarray) -> None:
    span = np.maximum(x.max(-1, keepdims=True), 0) - np.minimum(x.min(-1, keepdims=True), 0)
    # Half a step for the number, up to another half at the ends, which the zero point shifts.
    bound = 1.001 * np.where(span > 0, span / 255, 0)
    error = np.abs(rounded(x, ActivationKind.ASYMMETRIC_INT8) - x)
    assert (error <= bound).all()
    bound = 0.501 * np.abs(x).max(-1, keepdims=True) / 127
    error = np.abs(rounded(x, ActivationKind.SYMMETRIC_INT8) - x)
    assert (error <= bound).all()


@given(TOKENS, st.sampled_from(KINDS))
@settings(max_examples=100, deadline=None)
def test_zero_stays_zero_and_tokens_are_apart(x: np.ndarray, kind: Activations) -> None:
    found = rounded(x, kind)
    assert (found[x == 0] == 0).all()
    rows = x.reshape(-1, x.shape[-1])
    for at, row in enumerate(rows):
        np.testing.assert_array_equal(found.reshape(rows.shape)[at], rounded(row, kind))


def test_one_side_of_zero_uses_all_codes() -> None:
    found = asymmetric_int8(np.array([[0, 1, 255], [0, -1, -255]], np.float32))
    assert found.codes.tolist() == [[-128, -127, 127], [127, 126, -128]]
    assert found.zeros.tolist() == [[-128], [127]]
    assert found.scales.tolist() == [[1], [1]]


def test_symmetric_tokens_share_a_scale() -> None:
    x = np.array([[127.0, 0.6, -3.4], [0, 0, 0], [12.7, -12.74, 0.04]], np.float32)
    found = symmetric_int8(x)
    assert found.codes.tolist() == [[127, 1, -3], [0, 0, 0], [127, -127, 0]]
    assert not found.zeros.any()
    np.testing.assert_allclose(found.scales.ravel(), [1, 1, 12.74 / 127], rtol=1e-6)


@given(TOKENS, st.integers(1, 9))
@settings(max_examples=100, deadline=None)
def test_blocks_are_rounded_as_tokens_are(x: np.ndarray, size: int) -> None:
    found = rounded(x, BlockInt8(size))
    for begin in range(0, x.shape[-1], size):
        block = x[..., begin : begin + size]
        expected = rounded(block, ActivationKind.SYMMETRIC_INT8)
        # The runtime multiplies with a reciprocal: next to a tie the other code may come out.
        step = np.abs(block).max(-1, keepdims=True) / 127
        near = np.abs(np.abs(block / np.where(step > 0, step, 1)) % 1 - 0.5) < 1e-4
        wrong = np.abs(found[..., begin : begin + size] - expected) > 1e-5 * step
        assert not (wrong & ~near & (step > 1e-37)).any()


def test_a_block_has_a_scale_of_its_own() -> None:
    x = np.array([[127.0, 0.6, 0, 0, 1.27, -0.004]], np.float32)
    np.testing.assert_allclose(rounded(x, BlockInt8(2)), [[127, 1, 0, 0, 1.27, 0]], rtol=1e-6)
    np.testing.assert_allclose(rounded(x, BlockInt8(4)), [[127, 1, 0, 0, 1.27, 0]], rtol=1e-6)
    np.testing.assert_allclose(rounded(x, BlockInt8(8)), [[127, 1, 0, 0, 1, 0]], rtol=1e-6)
    assert str(BlockInt8(32)) == "symmetric int8, blocks of 32"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.filterwarnings("error")
def test_what_is_not_finite_stays_so_in_its_token(kind: Activations, bad: float) -> None:
    x = np.array([[1, 2, bad], [1, 2, 3]], np.float32)
    found = rounded(x, kind)
    assert not np.isfinite(found[0]).all()
    np.testing.assert_allclose(found[1], [1, 2, 3], atol=0.02)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("error")
def test_the_least_numbers_round_to_something_as_small(kind: Activations) -> None:
    x = np.array([[1e-45, -3e-45, 0], [1e-38, 2e-38, 0]], np.float32)
    assert np.abs(rounded(x, kind)).max() < 4e-38
