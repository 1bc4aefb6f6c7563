"""What is stored of a weight: it reads back as it was, in as many bytes as were predicted."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.packed import SCHEMES, random_packed, vector_schemes

from optimum_compile.backends.base import WeightUse
from optimum_compile.backends.native.backend import BACKEND
from optimum_compile.backends.native.parts import PartWriter
from optimum_compile.backends.native.program import (
    NONE,
    PARAMETERS,
    PARTS,
    Element,
    Weight,
    WeightKind,
)
from optimum_compile.backends.native.weights import numbers_of, pack
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Scheme
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.compiler.quant.stored import from_parts

DTYPES = {Element.F32: "<f4", Element.F16: "<f2", Element.I64: "<i8", Element.U8: "u1"}


def stored(*weights: PackedWeight) -> tuple[list[Weight], PartWriter, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        writer = PartWriter(Path(folder) / "weights")
        made = [pack(f"w{at}", weight, writer) for at, weight in enumerate(weights)]
        writer.close()
        return made, writer, writer.path.read_bytes()


def arrays(weight: Weight, writer: PartWriter, data: bytes) -> dict[str, np.ndarray]:
    out = {}
    for name, index in zip(PARTS[weight.kind], weight.parts, strict=True):
        if index != NONE:
            part = writer.parts[index]
            raw = data[part.offset : part.offset + part.size_bytes]
            out[name] = np.frombuffer(raw, DTYPES[part.dtype])
    return out


def use_of(rows: int, columns: int) -> WeightUse:
    return WeightUse("w", rows, columns, True, False)


@given(SCHEMES | vector_schemes(), st.integers(1, 40), st.integers(1, 9), st.integers(0, 99))
@settings(max_examples=150, deadline=None)
def test_every_scheme_reads_back_in_the_bytes_predicted(scheme, rows, eights, seed):
    columns = 8 * eights
    packed = random_packed(scheme, rows, columns, seed)
    (made,), writer, data = stored(packed)
    parts = arrays(made, writer, data)
    book = parts.get("table")
    found = from_parts(scheme, (rows, columns), parts, book)
    assert np.array_equal(found.dequantize(), packed.dequantize())
    own = BACKEND.stored_bytes(scheme, use_of(rows, columns))
    shared = getattr(scheme, "codebook", "own") == "shared"
    book_bytes = -(-book.nbytes // 64) * 64 if shared and book is not None else 0
    # Parts that happen to be equal are stored once, which only small weights have.
    assert len(data) == writer.size_bytes <= own + book_bytes
    if len(set(made.parts) - {NONE}) == len([p for p in made.parts if p != NONE]):
        assert len(data) == own + book_bytes
    assert all(part.offset % 64 == 0 for part in writer.parts)


@pytest.mark.parametrize(
    ("text", "kind", "numbers"),
    [
        ("f16", WeightKind.F16, ()),
        ("f32", WeightKind.F32, ()),
        ("int4:g32", WeightKind.AFFINE, (4, 32, 1, 0, 0, 0)),
        ("int8:channel", WeightKind.AFFINE, (8, 96, 1, 0, 0, 0)),
        ("uint4:g32", WeightKind.AFFINE, (4, 32, 0, 4, 0, 0)),
        ("uint4:g32@zf16", WeightKind.AFFINE, (4, 32, 0, 0, 0, 0)),
        ("uint3:g32@u6,zu8", WeightKind.AFFINE, (3, 32, 0, 8, 6, 0)),
        ("int4:g32+s0.01", WeightKind.AFFINE, (4, 32, 1, 0, 0, 128)),
        ("lut3:r4", WeightKind.LUT, (3, 4, 0)),
        ("lut3:r4+s0.01", WeightKind.LUT, (3, 4, 128)),
        ("e0m4:g32", WeightKind.E0M4, (32, 0)),
        ("nest2-4:r8", WeightKind.NESTED, (2, 4, 8, 4)),
        ("vec8x4:g32@u6,shared", WeightKind.VECTORS, (8, 4, 32, 6)),
    ],
)
def test_kinds_and_their_numbers(text, kind, numbers):
    scheme = parse_scheme(text)
    (made,), *_ = stored(random_packed(scheme, 16, 96))
    assert (made.kind, made.rows, made.columns, made.parameters) == (kind, 16, 96, numbers)
    assert tuple(numbers_of(scheme, 16, 96)) == PARAMETERS[kind]


def test_a_shared_codebook_is_stored_once():
    scheme = parse_scheme("vec8x4:channel@shared")
    first, second = (random_packed(scheme, 16, 96, seed) for seed in (1, 2))
    (a, b), _, data = stored(first, second)
    assert a.parts[1] == b.parts[1] != NONE
    assert a.parts[0] != b.parts[0]
    own = BACKEND.stored_bytes(scheme, use_of(16, 96))
    assert len(data) == 2 * own + BACKEND.stored_bytes(parse_scheme("f16"), use_of(256, 4))


def test_numbers_of_other_types_are_not_taken_for_equal():
    with tempfile.TemporaryDirectory() as folder:
        writer = PartWriter(Path(folder) / "weights")
        bytes_, floats = np.zeros(64, np.uint8), np.zeros(16, np.float32)
        assert [writer.add(a) for a in (bytes_, floats, bytes_)] == [0, 1, 0]
        writer.close()


@pytest.mark.parametrize("scheme", [parse_scheme("vec8x4:channel")])
def test_vectors_that_do_not_divide_the_rows_are_refused(scheme: Scheme):
    verdict = BACKEND.supports_scheme(scheme, use_of(4, 6))
    assert verdict.reason == "vectors of 4 do not divide 6 columns"
