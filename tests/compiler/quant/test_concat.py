"""Packed matrices one above the other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.packed import SCHEMES, random_packed, vector_schemes

from optimum_compile.compiler.quant.concat import NotJoinable, concat_rows, refusal
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Affine, Lut, PerGroup, Scheme, Sparse, Vector
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.compiler.quant.store import read_packed, write_packed

KINDS = (
    "f16", "f32", "int8:channel", "int4:g32@bf16", "uint3:g16", "uint2:g16@u4,zu6", "uint2:g8@zf16",
    "int3:g16@u6", "lut4:r1", "lut3:r4", "e0m4:g16", "nest2-4:r4", "vec8x4:channel@shared",
    "vec6x2:g16@u6,shared", "int4:g16+o0.0625", "lut2:r4+s0.03125",
)  # fmt: skip


@pytest.mark.parametrize("text", KINDS)
def test_every_kind_joins_to_the_bit(text: str, tmp_path) -> None:
    scheme = parse_scheme(text)
    parts = [random_packed(scheme, rows, 64, seed) for seed, rows in enumerate((8, 12, 7))]
    if isinstance(scheme, Sparse):
        parts = parts[:2]  # 8 and 12 rows have whole numbers of outliers
    whole = concat_rows(parts)
    wanted = np.concatenate([part.dequantize() for part in parts])
    assert whole.scheme == scheme
    assert whole.shape == wanted.shape
    np.testing.assert_array_equal(whole.dequantize(), wanted)
    back = read_packed(tmp_path, write_packed(tmp_path, whole))
    np.testing.assert_array_equal(back.dequantize(), wanted)


def joined(parts: list[PackedWeight]) -> tuple[PackedWeight | None, str]:
    try:
        return concat_rows(parts), ""
    except NotJoinable as refused:
        return None, str(refused)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(SCHEMES, vector_schemes()),
    st.lists(st.integers(1, 13), min_size=1, max_size=4),
    st.sampled_from([8, 24, 40]),
)
def test_what_joins_is_exact_and_what_does_not_says_why(
    scheme: Scheme, rows: list[int], columns: int
) -> None:
    parts = [random_packed(scheme, count, columns, seed) for seed, count in enumerate(rows)]
    reason = refusal(scheme, [part.shape for part in parts])
    whole, refused = joined(parts)
    if whole is None:
        # Only data (a codebook of its own, outliers in some) may forbid what shapes allow.
        own = isinstance(scheme, Vector) and scheme.codebook == "own"
        assert reason == refused or own or isinstance(scheme, Sparse)
        return
    assert reason == ""
    wanted = np.concatenate([part.dequantize() for part in parts])
    np.testing.assert_array_equal(whole.dequantize(), wanted)
    if whole.outliers is not None:
        assert whole.outliers.starts[-1] == scheme.count(*whole.shape)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([], "nothing to join"),
        ([("int4:channel", 8), ("int8:channel", 8)], "schemes differ"),
        ([("lut4:r16", 24), ("lut4:r16", 16)], "24 rows are no multiple"),
        ([("nest2-3:r5", 8), ("nest2-3:r5", 8)], "8 rows are no multiple"),
        ([("vec8x4:channel", 8), ("vec8x4:channel", 8)], "codebooks differ"),
        ([("int4:g16+s0.001", 9), ("int4:g16+s0.001", 9)], "2 outliers, one matrix .* has 1"),
    ],
)
def test_refusals_say_what_differs(parts: list[tuple[str, int]], message: str) -> None:
    made = [random_packed(parse_scheme(t), rows, 64, n) for n, (t, rows) in enumerate(parts)]
    with pytest.raises(NotJoinable, match=message):
        concat_rows(made)


def test_other_columns_are_refused() -> None:
    with pytest.raises(NotJoinable, match="columns differ .64 and 32"):
        concat_rows([random_packed(Affine(4), 8, 64), random_packed(Affine(4), 8, 32)])


def test_parts_that_lack_an_array_are_refused() -> None:
    whole = random_packed(Affine(4, PerGroup(16)), 8, 64)
    with pytest.raises(NotJoinable, match="some have scales and some have none"):
        concat_rows([whole, PackedWeight(whole.scheme, whole.codes)])


def test_the_last_table_may_serve_fewer_rows() -> None:
    parts = [random_packed(Lut(4, 8), rows, 16, rows) for rows in (16, 5)]
    whole = concat_rows(parts)
    assert whole.table is not None
    assert len(whole.table) == 3
    np.testing.assert_array_equal(whole.part(16, 21).dequantize(), parts[1].dequantize())
