"""The kernels read a nested weight at every width as its slices say, and touch nothing else."""

import ctypes
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.matrices import NestedMatrix, nested_matrix
from support.packed import nested_schemes, random_packed

from optimum_compile.compiler.quant.nested import at_width, table_start
from optimum_compile.compiler.quant.scheme import Nested
from optimum_compile.runtime_stub.build import PORTABLE, kernel_library

ROOT = Path(__file__).parents[2] / "runtime_stub"
OK, BAD_BITS, BAD_SHAPE, TOO_SHORT, BAD_GROUP, BAD_INDEX, _, BAD_WIDTH = range(8)
P, N, INT, L = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int64


@pytest.fixture(scope="module")
def kernels() -> ctypes.CDLL:
    return ctypes.CDLL(str(kernel_library()))


def rows_of(kernels: ctypes.CDLL, m: NestedMatrix, width: int) -> tuple[int, np.ndarray]:
    """Every row, looked up in turn."""
    ids, out = np.arange(m.rows), np.zeros((m.rows, m.columns), np.float32)
    pointers = P(ids.ctypes.data), L(m.rows), P(out.ctypes.data)
    return kernels.oc_nested_lookup(ctypes.byref(m), L(width), *pointers), out


@settings(max_examples=150, deadline=None)
@given(
    scheme=nested_schemes(),
    rows=st.integers(1, 9),
    columns=st.one_of(st.integers(1, 70), st.sampled_from([64, 128, 256])),
    seed=st.integers(0, 99),
)
def test_every_width_is_the_oracles_slice(
    kernels: ctypes.CDLL, scheme: Nested, rows: int, columns: int, seed: int
) -> None:
    weight = random_packed(scheme, rows, columns, seed)
    m, _parts = nested_matrix(weight)
    x = np.random.default_rng(seed).standard_normal((3, columns)).astype(np.float32)
    for width in scheme.widths:
        expected = at_width(weight, width).dequantize()
        status, out = rows_of(kernels, m, width)
        assert status == OK
        np.testing.assert_array_equal(out, expected)
        product = np.zeros((3, rows), np.float32)
        pointers = P(x.ctypes.data), L(3), P(product.ctypes.data)
        assert kernels.oc_nested_linear(ctypes.byref(m), L(width), *pointers) == OK
        np.testing.assert_allclose(product, x @ expected.T, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("columns", [64, 61])
@pytest.mark.parametrize("width", [2, 3, 4])
def test_few_bits_read_neither_the_other_planes_nor_the_other_tables(
    kernels: ctypes.CDLL, width: int, columns: int
) -> None:
    weight = random_packed(Nested(2, 4, 2), 8, columns)
    m, parts = nested_matrix(weight)
    before = rows_of(kernels, m, width)[1]
    parts["codes"][width * (8 * columns // 8) :] ^= 0xFF
    scheme = Nested(2, 4, 2)
    first, size = 4 * table_start(scheme, width), 4 << width
    parts["table"][:first] = np.nan
    parts["table"][first + size :] = np.nan
    np.testing.assert_array_equal(rows_of(kernels, m, width)[1], before)


@pytest.mark.parametrize(
    ("change", "width", "status"),
    [
        ({}, 1, BAD_WIDTH),
        ({}, 5, BAD_WIDTH),
        ({}, -(2**62), BAD_WIDTH),
        ({"seed_bits": 0}, 2, BAD_BITS),
        ({"bits": 9}, 2, BAD_BITS),
        ({"seed_bits": 5}, 5, BAD_BITS),
        ({"rows": -1}, 2, BAD_SHAPE),
        ({"columns": 2**62}, 2, BAD_SHAPE),
        ({"rows_per_table": 0}, 2, BAD_GROUP),
        ({"plane_bytes": 4 * 16 - 1}, 2, TOO_SHORT),
        ({"table_entries": 4 * 28 - 1}, 2, TOO_SHORT),
        ({"planes": None}, 2, TOO_SHORT),
        ({"rows": 2**40, "columns": 1}, 2, TOO_SHORT),
    ],
)
def test_what_does_not_hold_is_refused(
    kernels: ctypes.CDLL, change: dict[str, Any], width: int, status: int
) -> None:
    m, _parts = nested_matrix(random_packed(Nested(2, 4), 4, 32))
    ids, out = np.zeros(1, np.int64), np.zeros(32, np.float32)
    for name, value in change.items():
        setattr(m, name, value)
    pointers = P(ids.ctypes.data), L(1), P(out.ctypes.data)
    assert kernels.oc_nested_lookup(ctypes.byref(m), L(width), *pointers) == status


@pytest.mark.parametrize("row", [-1, 4, 2**40])
def test_a_row_outside_the_table_is_refused(kernels: ctypes.CDLL, row: int) -> None:
    m, _parts = nested_matrix(random_packed(Nested(2, 4), 4, 32))
    ids, out = np.array([row]), np.zeros(32, np.float32)
    pointers = P(ids.ctypes.data), L(1), P(out.ctypes.data)
    assert kernels.oc_nested_lookup(ctypes.byref(m), L(2), *pointers) == BAD_INDEX


@pytest.mark.slow
def test_the_kernels_stay_inside_their_buffers(tmp_path: Path) -> None:
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is missing")
    program = tmp_path / "probe"
    flags = ["-std=c++17", "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    probe = Path(__file__).with_name("nested_probe.cpp")
    sources = [*(str(ROOT / name) for name in PORTABLE), str(probe)]
    command = [compiler, *flags, f"-I{ROOT / 'include'}", *sources, "-o", str(program)]
    subprocess.run(command, check=True, timeout=120)
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "5400 products, 0 refused"
