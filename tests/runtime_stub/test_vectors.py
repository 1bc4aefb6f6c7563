"""The kernels read weights of vectors as the oracle does, and refuse sizes that do not fit."""

import ctypes

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.matrices import VectorMatrix, vector_matrix
from support.packed import random_packed, vector_schemes

from optimum_compile.compiler.quant.scheme import Vector
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.runtime_stub.build import kernel_library

OK, BAD_BITS, BAD_SHAPE, TOO_SHORT, BAD_GROUP, BAD_INDEX, _, BAD_WIDTH = range(8)
P, N, INT, L = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int64


@pytest.fixture(scope="module")
def kernels() -> ctypes.CDLL:
    return ctypes.CDLL(str(kernel_library()))


def looked_up(kernels: ctypes.CDLL, m: VectorMatrix, ids: np.ndarray) -> tuple[int, np.ndarray]:
    out = np.zeros((len(ids), m.columns), np.float32)
    pointers = P(ids.ctypes.data), L(len(ids)), P(out.ctypes.data)
    return kernels.oc_vector_lookup(ctypes.byref(m), *pointers), out


@settings(max_examples=200, deadline=None)
@given(
    scheme=vector_schemes(),
    rows=st.integers(1, 9),
    eights=st.integers(1, 30),
    seed=st.integers(0, 99),
)
def test_every_weight_is_the_oracles(
    kernels: ctypes.CDLL, scheme: Vector, rows: int, eights: int, seed: int
) -> None:
    weight = random_packed(scheme, rows, 8 * eights, seed)
    m, _parts = vector_matrix(weight)
    expected = weight.dequantize()
    status, out = looked_up(kernels, m, np.arange(rows))
    assert status == OK
    np.testing.assert_array_equal(out, expected)
    x = np.random.default_rng(seed).standard_normal((3, 8 * eights)).astype(np.float32)
    product = np.zeros((3, rows), np.float32)
    pointers = P(x.ctypes.data), L(3), P(product.ctypes.data)
    assert kernels.oc_vector_linear(ctypes.byref(m), *pointers) == OK
    np.testing.assert_allclose(product, x @ expected.T, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("bits", 0, BAD_BITS),
        ("bits", 9, BAD_BITS),
        ("width", 3, BAD_WIDTH),
        ("columns", 62, BAD_WIDTH),
        ("rows", -1, BAD_SHAPE),
        ("rows", 2**60, BAD_SHAPE),
        ("group", 0, BAD_GROUP),
        ("group", 18, BAD_GROUP),
        ("index_bytes", 63, TOO_SHORT),
        ("table_entries", 1023, TOO_SHORT),
        ("scale_code_bytes", 7, TOO_SHORT),
        ("super_entries", 3, TOO_SHORT),
        ("scale_bits", 9, BAD_BITS),
        ("indices", None, TOO_SHORT),
        ("table", None, TOO_SHORT),
    ],
)
def test_sizes_that_do_not_fit_are_refused(
    kernels: ctypes.CDLL, field: str, value: int | None, status: int
) -> None:
    m, _parts = vector_matrix(random_packed(parse_scheme("vec8x4:g16@u4"), 4, 64))
    setattr(m, field, value)
    ids, out = np.zeros(1, np.int64), np.zeros((1, 64), np.float32)
    pointers = P(ids.ctypes.data), L(1), P(out.ctypes.data)
    assert kernels.oc_vector_lookup(ctypes.byref(m), *pointers) == status


@pytest.mark.parametrize("index", [-1, 4, 2**40])
def test_a_row_outside_the_table_is_refused(kernels: ctypes.CDLL, index: int) -> None:
    m, _parts = vector_matrix(random_packed(parse_scheme("vec6x2"), 4, 64))
    assert looked_up(kernels, m, np.array([index]))[0] == BAD_INDEX
