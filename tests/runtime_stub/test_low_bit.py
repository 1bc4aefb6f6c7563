"""The C++ kernels against numpy, and under the sanitizers."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimum_compile.compiler.quant.pack import pack_codes
from optimum_compile.runtime_stub.build import PORTABLE, kernel_library

ROOT = Path(__file__).parents[2] / "runtime_stub"
OK, BAD_BITS, BAD_SHAPE, TOO_SHORT, BAD_GROUP, BAD_INDEX = range(6)
I64, SIZE = ctypes.c_int64, ctypes.c_size_t


@pytest.fixture(scope="module")
def kernels() -> ctypes.CDLL:
    return ctypes.CDLL(str(kernel_library()))


def pointer(data: np.ndarray | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if data is None else data.ctypes.data)


def linear_lut(kernels, codes, table, bits, shape, per_table, x, *, code_bytes=None):
    packed = pack_codes(codes, bits)
    out = np.zeros((x.shape[0], shape[0]), np.float32)
    status = kernels.oc_linear_lut(
        pointer(packed),
        SIZE(packed.size if code_bytes is None else code_bytes),
        bits,
        I64(shape[0]),
        I64(shape[1]),
        pointer(table),
        SIZE(table.size),
        I64(per_table),
        pointer(x),
        I64(x.shape[0]),
        pointer(out),
    )
    return status, out


def linear_affine(kernels, codes, scales, zeros, bits, group, x):
    packed = pack_codes(codes, bits)
    zeros = None if zeros is None else pack_codes(zeros, bits)
    out = np.zeros((x.shape[0], codes.shape[0]), np.float32)
    status = kernels.oc_linear_affine(
        pointer(packed),
        SIZE(packed.size),
        bits,
        I64(codes.shape[0]),
        I64(codes.shape[1]),
        pointer(scales),
        SIZE(scales.size),
        pointer(zeros),
        SIZE(0 if zeros is None else zeros.size),
        I64(group),
        pointer(x),
        I64(x.shape[0]),
        pointer(out),
    )
    return status, out


SHAPES = {"rows": st.integers(1, 9), "columns": st.integers(1, 70), "count": st.integers(1, 4)}


@settings(max_examples=60, deadline=None)
@given(bits=st.integers(1, 8), per_table=st.integers(1, 4), seed=st.integers(0, 999), **SHAPES)
def test_a_palette_linear_is_that_of_numpy(kernels, bits, per_table, seed, rows, columns, count):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 1 << bits, (rows, columns)).astype(np.uint8)
    table = rng.standard_normal((-(-rows // per_table), 1 << bits)).astype(np.float16)
    x = rng.standard_normal((count, columns)).astype(np.float32)
    weight = table.astype(np.float64)[np.arange(rows)[:, None] // per_table, codes]
    status, out = linear_lut(kernels, codes, table, bits, (rows, columns), per_table, x)
    assert status == OK
    np.testing.assert_allclose(out, x @ weight.T, rtol=1e-4, atol=1e-4)


@settings(max_examples=60, deadline=None)
@given(
    bits=st.integers(2, 8),
    group=st.integers(1, 40),
    signed=st.booleans(),
    seed=st.integers(0, 999),
    **SHAPES,
)
def test_a_grid_linear_is_that_of_numpy(kernels, bits, group, signed, seed, rows, columns, count):
    rng = np.random.default_rng(seed)
    low, high = (-(1 << (bits - 1)), 1 << (bits - 1)) if signed else (0, 1 << bits)
    codes = rng.integers(low, high, (rows, columns)).astype(np.int8 if signed else np.uint8)
    groups = -(-columns // group)
    scales = rng.random((rows, groups)).astype(np.float16)
    zeros = None if signed else rng.integers(0, 1 << bits, (rows, groups)).astype(np.uint8)
    x = rng.standard_normal((count, columns)).astype(np.float32)
    spread = np.arange(columns) // group
    shift = 0 if zeros is None else zeros.astype(np.float64)[:, spread]
    weight = (codes - shift) * scales.astype(np.float64)[:, spread]
    status, out = linear_affine(kernels, codes, scales, zeros, bits, group, x)
    assert status == OK
    np.testing.assert_allclose(out, x @ weight.T, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("value", [0.0, 1.0, -2.5, 65504.0, 6e-8, -1e-5])
def test_fp16_weights_are_read_exactly(kernels, value):
    w = np.full((3, 5), value, np.float16)
    x, out = np.eye(5, dtype=np.float32), np.zeros((5, 3), np.float32)
    status = kernels.oc_linear_f16(pointer(w), I64(3), I64(5), pointer(x), I64(5), pointer(out))
    assert status == OK
    np.testing.assert_array_equal(out, np.full((5, 3), np.float16(value), np.float32))


def test_a_lookup_reads_its_rows(kernels):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (6, 10)).astype(np.uint8)
    table = rng.standard_normal((6, 4)).astype(np.float16)
    packed, ids, out = pack_codes(codes, 2), np.array([5, 0, 5], np.int64), np.zeros((3, 10), "f4")
    status = kernels.oc_lookup_lut(
        pointer(packed),
        SIZE(packed.size),
        2,
        I64(6),
        I64(10),
        pointer(table),
        SIZE(table.size),
        I64(1),
        pointer(ids),
        I64(3),
        pointer(out),
    )
    assert status == OK
    np.testing.assert_array_equal(out, table[ids[:, None], codes[ids]].astype(np.float32))


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"bits": 0}, BAD_BITS),
        ({"bits": 9}, BAD_BITS),
        ({"rows": -1}, BAD_SHAPE),
        ({"columns": 2**62}, BAD_SHAPE),
        ({"code_bytes": 3}, TOO_SHORT),
        ({"entries": 7}, TOO_SHORT),
        ({"rows_per_table": 0}, BAD_GROUP),
    ],
)
def test_sizes_that_do_not_hold_are_refused(kernels, change, status):
    given_sizes = {"code_bytes": 4, "bits": 2, "rows": 2, "columns": 8, "entries": 8}
    given_sizes |= {"rows_per_table": 1} | change
    codes, table = np.zeros(64, np.uint8), np.zeros(64, np.float16)
    x, out = np.zeros((1, 8), np.float32), np.zeros((1, 2), np.float32)
    found = kernels.oc_linear_lut(
        pointer(codes),
        SIZE(given_sizes["code_bytes"]),
        given_sizes["bits"],
        I64(given_sizes["rows"]),
        I64(given_sizes["columns"]),
        pointer(table),
        SIZE(given_sizes["entries"]),
        I64(given_sizes["rows_per_table"]),
        pointer(x),
        I64(1),
        pointer(out),
    )
    assert found == status


def test_a_row_outside_the_table_is_refused(kernels):
    codes, table = np.zeros(4, np.uint8), np.zeros(8, np.float16)
    out = np.zeros((1, 8), np.float32)
    for row in (-1, 2, 2**40):
        ids = np.array([row], np.int64)
        status = kernels.oc_lookup_lut(
            pointer(codes),
            SIZE(4),
            2,
            I64(2),
            I64(8),
            pointer(table),
            SIZE(8),
            I64(1),
            pointer(ids),
            I64(1),
            pointer(out),
        )
        assert status == BAD_INDEX


@pytest.mark.slow
def test_the_kernels_stay_inside_their_buffers(tmp_path):
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is missing")
    program = tmp_path / "probe"
    flags = ["-std=c++17", "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    sources = [*(str(ROOT / name) for name in PORTABLE), str(Path(__file__).with_name("probe.cpp"))]
    command = [compiler, *flags, f"-I{ROOT / 'include'}", *sources, "-o", str(program)]
    subprocess.run(command, check=True, timeout=120)
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "1428 products, 0 refused"
