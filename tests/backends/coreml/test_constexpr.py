from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimum_compile.backends.coreml.constexpr import (
    blockwise_shift_scale,
    lut_to_dense,
    sparse_shift_scale,
    sparse_to_dense,
)


@given(rows=st.integers(1, 6), groups=st.integers(1, 4), size=st.sampled_from([1, 2, 8]))
def test_every_block_has_its_scale_and_offset(rows, groups, size):
    rng = np.random.default_rng(rows * 100 + groups * 10 + size)
    data = rng.integers(0, 15, (rows, groups * size))
    scale, offset = rng.random((rows, groups)), rng.integers(0, 15, (rows, groups))
    got = blockwise_shift_scale(data, scale.astype(np.float32), offset)
    for r in range(rows):
        for c in range(groups * size):
            expected = (data[r, c] - offset[r, c // size]) * scale[r, c // size]
            assert got[r, c] == pytest.approx(expected, rel=1e-6)


def test_a_scale_may_serve_the_whole_axis():
    got = blockwise_shift_scale(np.array([[1, 2], [3, 4]]), np.array([[2.0]]), None)
    assert got.tolist() == [[2, 4], [6, 8]]


def test_scales_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="3 scales do not divide 4 at axis 1"):
        blockwise_shift_scale(np.zeros((2, 4)), np.ones((2, 3)), None)


def test_each_run_of_rows_has_its_table():
    lut = np.array([[0, 1], [10, 11]], np.float16).reshape(2, 1, 2, 1)
    got = lut_to_dense(np.array([[0, 1], [1, 1], [0, 0], [1, 0]]), lut)
    assert got.tolist() == [[0, 1], [1, 1], [10, 10], [11, 10]]


def test_numbers_fill_the_places_of_a_mask_in_order():
    mask = np.array([[0, 1, 0], [1, 0, 1]], np.uint8)
    assert sparse_to_dense(np.array([3, 4, 5]), mask).tolist() == [[0, 3, 0], [4, 0, 5]]
    with pytest.raises(ValueError, match="2 numbers for 3 places of a mask"):
        sparse_to_dense(np.array([3, 4]), mask)


@pytest.mark.parametrize("offset", [None, np.array([[1, 0], [0, 2]], np.int8)])
def test_scales_of_sparse_codes_belong_to_the_dense_matrix(offset):
    mask = np.array([[0, 1, 0, 1], [1, 0, 0, 1]], np.uint8)
    inputs = {
        "data_mask": mask,
        "nonzero_data": np.array([3, -4, 5, 6], np.int8),
        "scale": np.array([[1, 10], [100, 1000]], np.float16),
        "offset": offset,
    }
    kept, numbers = sparse_shift_scale(SimpleNamespace(inputs=inputs), lambda value: value)
    assert kept is mask
    expected = [3, -40, 500, 6000] if offset is None else [2, -40, 500, 4000]
    assert numbers.tolist() == expected
