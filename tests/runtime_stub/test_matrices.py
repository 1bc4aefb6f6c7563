"""The kernels decode every scheme to exactly the numbers of the oracle."""

import ctypes
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.matrices import PackedMatrix, packed_matrix
from support.packed import DENSE, random_packed, sparses

from optimum_compile.compiler.quant.pack import pack_codes
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import E0M4, Scheme, Sparse
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.runtime_stub.build import kernel_library

OK, BAD_BITS, BAD_SHAPE, TOO_SHORT, BAD_GROUP, BAD_INDEX, BAD_PARTS = range(7)
P, N, INT, L = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int64


@pytest.fixture(scope="module")
def kernels() -> ctypes.CDLL:
    return ctypes.CDLL(str(kernel_library()))


def decode(kernels: ctypes.CDLL, m: PackedMatrix) -> tuple[int, np.ndarray]:
    """Every row, looked up in turn."""
    ids, out = np.arange(m.rows), np.zeros((m.rows, m.columns), np.float32)
    status = kernels.oc_lookup(ctypes.byref(m), P(ids.ctypes.data), L(m.rows), P(out.ctypes.data))
    return status, out


@settings(max_examples=300, deadline=None)
@given(
    scheme=st.one_of(DENSE, sparses()),
    rows=st.integers(1, 9),
    columns=st.integers(1, 300),
    seed=st.integers(0, 99),
)
def test_every_weight_is_the_oracles(
    kernels: ctypes.CDLL, scheme: Scheme, rows: int, columns: int, seed: int
) -> None:
    weight = random_packed(scheme, rows, columns, seed)
    m, _parts = packed_matrix(weight)
    expected = weight.dequantize()
    status, out = decode(kernels, m)
    assert status == OK
    np.testing.assert_array_equal(out, expected)
    x = np.random.default_rng(seed).standard_normal((3, columns)).astype(np.float32)
    product = np.zeros((3, rows), np.float32)
    pointers = P(x.ctypes.data), L(3), P(product.ctypes.data)
    assert kernels.oc_linear(ctypes.byref(m), *pointers) == OK
    np.testing.assert_allclose(product, x @ expected.T, rtol=1e-3, atol=1e-3)


def test_long_runs_are_read_as_well(kernels: ctypes.CDLL) -> None:
    weight = random_packed(parse_scheme("int4:g32+s0.001"), 3, 70000)
    assert isinstance(weight.scheme, Sparse)
    assert weight.scheme.runs(3, 70000).width == 65536
    m, _parts = packed_matrix(weight)
    status, out = decode(kernels, m)
    assert status == OK
    np.testing.assert_array_equal(out, weight.dequantize())


def test_all_codes_of_e0m4(kernels: ctypes.CDLL) -> None:
    codes = np.arange(16, dtype=np.uint8)[None]
    one = np.ones((1, 1), np.float16)
    weight = PackedWeight(E0M4(), codes, one, offsets=one * np.float16(0))
    m, _parts = packed_matrix(weight)
    status, out = decode(kernels, m)
    assert status == OK
    bits = out[0].astype(np.float16).view(np.uint16)
    assert bits.tolist() == [(code << 6) | 0x3C00 for code in range(16)]


@pytest.mark.parametrize("number", [2**-24, 3 * 2**-26, 6e-5, 2**-14, 1.0, 300.0])
def test_products_of_scales_are_rounded_as_numpy_rounds(
    kernels: ctypes.CDLL, number: float
) -> None:
    scheme = parse_scheme("int8:g1@u8")
    levels = np.arange(256, dtype=np.float32)
    supers = np.array([number], np.float16)
    with np.errstate(over="ignore"):
        scales = (levels * np.float32(supers[0])).astype(np.float16)[None]
    weight = PackedWeight(scheme, np.ones((1, 256), np.int8), scales, supers=supers)
    m, parts = packed_matrix(random_packed(scheme, 1, 256))
    parts |= {"scales": pack_codes(levels.astype(np.uint8), 8), "supers": supers}
    parts["codes"] = pack_codes(weight.codes, 8)
    m.codes, m.scale_codes = parts["codes"].ctypes.data, parts["scales"].ctypes.data
    m.supers = supers.ctypes.data
    status, out = decode(kernels, m)
    assert status == OK
    np.testing.assert_array_equal(out[0], scales[0].astype(np.float32))


@pytest.mark.parametrize(
    ("scheme", "change", "status"),
    [
        ("int4:g8@u6", {"scale_bits": 9}, BAD_BITS),
        ("int4:g8@u6", {"scale_code_bytes": 11}, TOO_SHORT),
        ("int4:g8@u6", {"super_entries": 3}, TOO_SHORT),
        ("e0m4:g8", {"bits": 3}, BAD_BITS),
        ("e0m4:g8", {"offset_entries": 15}, TOO_SHORT),
        ("uint4:g8@zf16", {"half_zero_entries": 15}, TOO_SHORT),
        ("uint4:g8@zu6", {"zero_bytes": 11}, TOO_SHORT),
        ("uint4:g8@zu6", {"zero_bits": 3}, BAD_BITS),
        ("uint4:g8@zu6", {"zero_bits": 9}, BAD_BITS),
        ("int4:g8+s0.1", {"run": 64}, BAD_GROUP),
        ("int4:g8+s0.1", {"count_bytes": 3}, TOO_SHORT),
        ("int4:g8+s0.1", {"place_bytes": 11}, TOO_SHORT),
        ("int4:g8+s0.1", {"value_entries": 12}, TOO_SHORT),
        ("int4:g8+s0.1", {"values": None}, BAD_PARTS),
        ("int4:g8+o0.1", {"outlier_scale_entries": 15}, TOO_SHORT),
        ("int4:g8+s0.1", {"columns": 31, "code_bytes": 64}, BAD_INDEX),
    ],
)
def test_parts_that_do_not_hold_are_refused(
    kernels: ctypes.CDLL, scheme: str, change: dict[str, Any], status: int
) -> None:
    weight = random_packed(parse_scheme(scheme), 4, 32)
    if weight.outliers is not None:
        weight.outliers.columns[weight.outliers.starts[1:] - 1] = 31
    m, _parts = packed_matrix(weight)
    for name, value in change.items():
        setattr(m, name, value)
    assert decode(kernels, m)[0] == status
