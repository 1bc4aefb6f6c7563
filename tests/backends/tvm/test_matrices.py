"""Which matrices kernels can read, and in what units. Needs no TVM."""

import numpy as np
import pytest
from support.packed import random_packed

from optimum_compile.backends.base import WeightUse
from optimum_compile.backends.tvm.backend import BACKEND
from optimum_compile.backends.tvm.kernels import MatVec, Mlp, threads_for
from optimum_compile.backends.tvm.matrices import Matrix, Units, arguments_of, find_units
from optimum_compile.backends.tvm.parts import kernel_arrays, part_arrays, unpacked
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.quant.kv import KvScheme
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.compiler.quant.scheme_text import parse_scheme

READ = (
    *("f32", "f16", "int8:channel", "int4:g32@bf16", "int3:g16", "int5:g32", "uint2:g16"),
    *("uint4:g32@zf16", "uint2:g16@u6,zu4", "uint6:g32@u8", "e0m4:g32", "lut2:r1", "lut4:r8"),
    *("lut3:r64", "lut6:r16", "vec8x4:channel@shared", "vec6x2:channel@shared", "vec6x4:g32@u4"),
)
REFUSED = {
    "nest2-4:r4": "no bit planes: use lut4",
    "int4:g32+s0.01": "no outliers: use int4:g32",
    "int3:g12": "groups of 12 3-bit codes end inside a byte",
}


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        ("int4:g32", Units(4, 8, "uint32", 1, 1, 16, 4)),
        ("int4:g36", Units(4, 2, "uint8", 1, 1, 64, 18)),  # words do not divide the groups
        ("int3:g32", Units(3, 8, "uint8", 3, 1, 16, 4)),
        ("uint6:g32", Units(6, 4, "uint8", 3, 1, 32, 8)),
        ("vec8x4:channel@shared", Units(8, 4, "uint32", 1, 4, 8, 8)),
        ("lut2:r4", Units(2, 16, "uint32", 1, 1, 8, 8)),
        ("f16", Units(16, 1, "float16", 1, 1, 128, 128)),
    ],
)
def test_codes_are_read_in_whole_words_or_bytes(scheme, expected):
    assert find_units(parse_scheme(scheme), 32, 128) == expected


@pytest.mark.parametrize("scheme", ["nest2-4:r4", "int4:g32+s0.01", "int3:g12"])
def test_a_refusal_says_why(scheme):
    verdict = BACKEND.supports_scheme(parse_scheme(scheme), WeightUse("w", 32, 128, True, False))
    assert not verdict.ok
    assert REFUSED[scheme] in verdict.reason


def test_rows_that_end_inside_a_byte_are_refused():
    verdict = BACKEND.supports_scheme(
        parse_scheme("int4:channel"), WeightUse("w", 8, 33, True, False)
    )
    assert verdict.reason == "rows of 33 4-bit codes end inside a byte"


def test_more_weights_than_indices_reach_are_refused():
    use = WeightUse("w", 2**16, 2**15, True, False)
    assert "32-bit indices" in BACKEND.supports_scheme(parse_scheme("int8"), use).reason


def test_what_is_proposed_is_taken():
    use = WeightUse("w", 64, 128, True, True)
    for text in BACKEND.ladder:
        assert BACKEND.supports_scheme(parse_scheme(text), use).ok, text


def test_caches_are_floats():
    assert BACKEND.supports_kv(Float(32)).ok
    assert "floats" in BACKEND.supports_kv(KvScheme(8, 32)).reason


@pytest.mark.parametrize("text", READ)
def test_arguments_are_the_stored_parts(text):
    scheme = parse_scheme(text)
    packed = random_packed(scheme, 24, 128)
    stored, arrays = part_arrays("w", packed)
    given = kernel_arrays("w", stored, arrays)
    matrix = Matrix(24, 128, scheme)
    assert [(a.name, a.dtype, a.count) for a in arguments_of(matrix)] == [
        (name, str(data.dtype), data.size) for name, data in given.items()
    ]
    own = sum(data.nbytes for key, data in arrays.items() if not key.startswith("codebook"))
    assert own == BACKEND.stored_bytes(scheme, WeightUse("w", 24, 128, True, False))
    assert np.array_equal(unpacked(stored, arrays).dequantize(), packed.dequantize())


def test_parts_of_other_sizes_are_refused():
    stored, arrays = part_arrays("w", random_packed(parse_scheme("int4:g32"), 24, 128))
    arrays["scales:w"] = arrays["scales:w"][:-1]
    with pytest.raises(InputError, match="its part scales is not of 96"):
        kernel_arrays("w", stored, arrays)


def test_a_shared_codebook_is_stored_once():
    scheme, names = parse_scheme("vec8x4:channel@shared"), set()
    for at in range(3):
        _, arrays = part_arrays(f"w{at}", random_packed(scheme, 8, 64, at))
        names |= set(arrays)
    assert sum(name.startswith("codebook:") for name in names) == 1
    assert len(names) == 7


def test_threads_of_a_row_are_a_power_of_two_and_no_more_than_units():
    for columns, threads in ((64, 8), (256, 32), (288, 32), (4096, 64)):
        assert threads_for(Matrix(8, columns, parse_scheme("int4:channel"))) == threads


def test_names_tell_kernels_apart():
    matrices = [Matrix(8, 64, parse_scheme(t), b) for t in READ for b in (False, True)]
    names = {MatVec(m).name for m in matrices}
    assert len(names) == len(matrices)
    first, second = matrices[0], matrices[2]
    assert Mlp(first, first, second, "silu").name != Mlp(first, second, first, "silu").name
