"""Kernels for the instructions of a processor give what plain code gives, and stay inside their buffers."""

import ctypes
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.matrices import L, P, nested_matrix, packed_matrix, vector_matrix
from support.packed import random_packed

from optimum_compile.compiler.quant.nested import at_width
from optimum_compile.compiler.quant.scheme import Nested, Vector
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.runtime_stub.build import PORTABLE, kernel_library

ROOT = Path(__file__).parents[2] / "runtime_stub"
SETS = ("avx2", "avx512", "neon")
# Each with the multiples of columns for which it has to have a kernel.
SCHEMES = {
    "int4:g32": 8,
    "int4:g16": 8,
    "int4:g128": 8,
    "int4:channel": 8,
    "uint4:g32": 8,
    "uint4:g64": 8,
    "int8:channel": 8,
    "int8:g32": 8,
    "int4:g32@bf16": 8,
    "lut2:r4": 16,
    "lut3:r4": 8,
    "lut4:r4": 8,
    "lut6:r4": 8,
    "vec8x4:channel": 8,
    "vec8x2:channel": 16,
    "vec6x2:channel": 8,
    "vec8x4:g32": 8,
    "nest2-4:r4": 32,
}


@pytest.fixture(scope="module")
def kernels() -> Iterator[ctypes.CDLL]:
    library = ctypes.CDLL(str(kernel_library()))
    library.oc_simd.restype = ctypes.c_char_p
    library.oc_use_simd.argtypes = (ctypes.c_char_p,)
    yield library
    library.oc_use_simd(None)


def take(kernels: ctypes.CDLL, name: str) -> None:
    if not kernels.oc_use_simd(name.encode()):
        pytest.skip(f"this processor has no {name}")


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("text", SCHEMES)
@settings(max_examples=12, deadline=None)
@given(
    rows=st.integers(1, 9),
    blocks=st.integers(1, 40),
    count=st.integers(1, 8),
    width=st.integers(2, 4),
    seed=st.integers(0, 99),
)
def test_products_are_those_of_plain_code(
    kernels, name, text, rows, blocks, count, width, seed
) -> None:
    scheme, columns = parse_scheme(text), blocks * SCHEMES[text]
    weight = random_packed(scheme, rows, columns, seed)
    wanted = (
        at_width(weight, width).dequantize() if isinstance(scheme, Nested) else weight.dequantize()
    )
    x = np.random.default_rng(seed).standard_normal((count, columns)).astype(np.float32)
    out = np.full((count, rows), np.nan, np.float32)
    pointers = P(x.ctypes.data), L(count), P(out.ctypes.data)
    take(kernels, name)
    if isinstance(scheme, Nested):
        nested, _parts = nested_matrix(weight)
        assert kernels.oc_nested_fused(ctypes.byref(nested), L(width)) == 1
        assert kernels.oc_nested_linear(ctypes.byref(nested), L(width), *pointers) == 0
    elif isinstance(scheme, Vector):
        vectors, _parts = vector_matrix(weight)
        assert kernels.oc_vector_fused(ctypes.byref(vectors)) == 1
        assert kernels.oc_vector_linear(ctypes.byref(vectors), *pointers) == 0
    else:
        packed, _parts = packed_matrix(weight)
        assert kernels.oc_fused(ctypes.byref(packed)) == 1
        assert kernels.oc_linear(ctypes.byref(packed), *pointers) == 0
    # A token by itself has the very numbers that it has among others.
    last = np.full((1, rows), np.nan, np.float32)
    pointers = P(x[-1:].ctypes.data), L(1), P(last.ctypes.data)
    if isinstance(scheme, Nested):
        kernels.oc_nested_linear(ctypes.byref(nested), L(width), *pointers)
    elif isinstance(scheme, Vector):
        kernels.oc_vector_linear(ctypes.byref(vectors), *pointers)
    else:
        kernels.oc_linear(ctypes.byref(packed), *pointers)
    np.testing.assert_array_equal(last[0], out[-1])
    exact = x.astype(np.float64) @ wanted.T.astype(np.float64)
    size = np.abs(x) @ np.abs(wanted).T
    assert np.all(np.abs(out - exact) <= 4e-6 * size + 1e-7)


def test_instructions_are_chosen_by_name(kernels) -> None:
    assert kernels.oc_use_simd(b"portable") == 1
    assert kernels.oc_simd() == b"portable"
    assert kernels.oc_use_simd(b"mmx") == 0
    assert kernels.oc_simd() == b"portable"
    assert kernels.oc_use_simd(None) == 1
    assert kernels.oc_simd().decode() in ("portable", *SETS)


def probe(
    tmp_path: Path, compiler: str, flags: tuple[str, ...], runner: tuple[str, ...] = ()
) -> str:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is missing")
    out = tmp_path / "probe"
    sources = [str(ROOT / each) for each in PORTABLE] + [
        str(Path(__file__).with_name("simd_probe.cpp"))
    ]
    built = subprocess.run(
        [
            compiler,
            "-std=c++17",
            "-pthread",
            *flags,
            f"-I{ROOT / 'include'}",
            *sources,
            "-o",
            str(out),
        ],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    done = subprocess.run(
        [*runner, str(out)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_kernels_stay_inside_their_buffers(tmp_path) -> None:
    flags = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    assert " 0 failures" in probe(tmp_path, "g++", flags)


@pytest.mark.slow
def test_clang_builds_the_same_kernels(tmp_path) -> None:
    assert " 0 failures" in probe(tmp_path, "clang++", ("-O1", "-Wall", "-Wextra", "-Werror"))


@pytest.mark.slow
def test_aarch64_kernels_under_qemu(tmp_path) -> None:
    if shutil.which("qemu-aarch64") is None:
        pytest.skip("qemu-aarch64 is missing")
    said = probe(tmp_path, "aarch64-linux-gnu-g++", ("-O1", "-static"), ("qemu-aarch64",))
    assert "1 sets, 0 failures" in said
