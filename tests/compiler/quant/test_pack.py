"""Packing is exact, for every width, with ragged tails, and dense to the bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimum_compile.compiler.quant import pack
from optimum_compile.compiler.quant.pack import pack_codes, unpack_codes
from optimum_compile.compiler.quant.scheme import packed_bytes


@st.composite
def coded(draw: st.DrawFn) -> tuple[np.ndarray, int, bool]:
    bits, signed = draw(st.integers(1, 8)), draw(st.booleans())
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    codes = draw(st.lists(st.integers(low, high), max_size=70))
    return np.array(codes, np.int8 if signed else np.uint8), bits, signed


@settings(max_examples=300, deadline=None)
@given(coded())
def test_round_trip_and_exact_size(case: tuple[np.ndarray, int, bool]) -> None:
    codes, bits, signed = case
    data = pack_codes(codes, bits)
    assert data.size == packed_bytes(codes.size, bits)
    back = unpack_codes(data, bits, codes.size, signed)
    assert back.dtype == codes.dtype
    assert back.tolist() == codes.tolist()


@settings(max_examples=100, deadline=None)
@given(coded())
def test_the_stream_is_least_significant_bit_first(case: tuple[np.ndarray, int, bool]) -> None:
    codes, bits, _ = case
    stream = 0
    for index, code in enumerate(codes.tolist()):
        stream |= (code & (2**bits - 1)) << (index * bits)
    expected = stream.to_bytes(packed_bytes(codes.size, bits), "little")
    assert pack_codes(codes, bits).tobytes() == expected


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("signed", [False, True])
def test_chunks_join_without_a_seam(
    monkeypatch: pytest.MonkeyPatch, bits: int, signed: bool
) -> None:
    rng = np.random.default_rng(bits)
    low = -(2 ** (bits - 1)) if signed else 0
    codes = rng.integers(low, low + 2**bits, 1003, dtype=np.int16)
    codes = codes.astype(np.int8 if signed else np.uint8)
    whole = pack_codes(codes, bits)
    monkeypatch.setattr(pack, "CHUNK", 64)
    assert np.array_equal(pack_codes(codes, bits), whole)
    assert np.array_equal(unpack_codes(whole, bits, codes.size, signed), codes)


def test_matrices_pack_in_row_order_whatever_their_layout() -> None:
    codes = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert np.array_equal(pack_codes(np.asfortranarray(codes), 4), pack_codes(codes.reshape(-1), 4))


@pytest.mark.parametrize(
    ("codes", "bits", "message"),
    [
        (np.array([4], np.uint8), 2, "codes 4..4 do not fit 2 bits"),
        (np.array([-3, 1], np.int8), 2, "codes -3..1"),
        (np.array([-1, 2], np.int8), 2, "codes -1..2"),
        (np.array([300], np.int16), 8, "codes 300..300"),
        (np.array([0.5]), 2, "expected integers"),
        (np.array([1], np.uint8), 0, "bits=0"),
        (np.array([1], np.uint8), 9, "bits=9"),
    ],
)
def test_codes_that_do_not_fit_are_refused(codes: np.ndarray, bits: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pack_codes(codes, bits)


def test_data_of_the_wrong_length_is_refused() -> None:
    data = pack_codes(np.arange(4, dtype=np.uint8), 3)
    for count in (0, 2, 6, -1):
        with pytest.raises(ValueError, match="need another number"):
            unpack_codes(data, 3, count, False)
    with pytest.raises(ValueError, match="expected bytes"):
        unpack_codes(data.astype(np.int32), 3, 4, False)
