"""Weights with edits: what is loaded, what stays in the file, what the text says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.graphs import Builder

from optimum_compile.compiler.errors import InputError, InternalError
from optimum_compile.compiler.interpret import WeightCache, run
from optimum_compile.compiler.ir.dtype import DType, round_to_bf16
from optimum_compile.compiler.ir.edits import (
    Edit,
    RotateColumns,
    RotateRows,
    Rotation,
    ScaleColumns,
    ScaleRows,
    Vector,
    vector,
    widest_rotation,
)
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.lexer import ParseError
from optimum_compile.compiler.ir.parser import parse
from optimum_compile.compiler.ir.printer import print_graph
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.compiler.ir.weights import FileBytes, WeightRef, inline_weight
from optimum_compile.passes.precision.units import parameter_count

RNG = np.random.default_rng(0)


def walsh(block: int) -> np.ndarray:
    """Entry (i, j) is (-1)^(number of common bits of i and j) / sqrt(block)."""
    at = np.arange(block)
    common = np.array([[int(a & b).bit_count() for b in at] for a in at])
    return (1 - 2.0 * (common % 2)) / np.sqrt(block)


def matrix(rotation: Rotation, length: int) -> np.ndarray:
    """R, repeated along the diagonal to `length`."""
    signs = np.diag(np.tile(rotation.signs(), length // rotation.width).astype(np.float64))
    return signs @ np.kron(np.eye(length // rotation.block), walsh(rotation.block))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([(1, 1), (2, 2), (6, 2), (24, 8), (32, 32), (48, 4)]),
    st.integers(1, 3),
    st.integers(1, 5),
    st.integers(0, 2**40),
)
def test_rotations_are_products_with_an_orthogonal_matrix(
    size: tuple[int, int], times: int, other: int, seed: int
) -> None:
    rotation = Rotation(seed, *size)
    length = times * rotation.width
    r = matrix(rotation, length)
    np.testing.assert_allclose(r @ r.T, np.eye(length), atol=1e-12)
    w = np.random.default_rng(seed).standard_normal((other, length))
    np.testing.assert_allclose(RotateColumns(rotation).apply(w.copy()), w @ r, atol=1e-12)
    np.testing.assert_allclose(RotateRows(rotation).apply(w.T.copy()), r.T @ w.T, atol=1e-12)
    bias = w[0]
    np.testing.assert_allclose(RotateRows(rotation).apply(bias.copy()), bias @ r, atol=1e-12)


def test_pieces_of_a_large_matrix_fit_together() -> None:
    rotation = widest_rotation(1, 3 * 512)
    w = RNG.standard_normal((700, 3 * 512)).astype(np.float32)
    expected = w.astype(np.float64) @ matrix(rotation, 3 * 512)
    np.testing.assert_allclose(RotateColumns(rotation).apply(w.copy()), expected, atol=1e-4)
    turned = RotateRows(rotation).apply(np.ascontiguousarray(w.T))
    np.testing.assert_allclose(turned, expected.T, atol=1e-4)


def test_the_signs_of_a_seed_are_the_same_everywhere() -> None:
    signs = Rotation(7, 16, 16).signs()
    assert "".join("+" if s > 0 else "-" for s in signs) == SIGNS_OF_7
    assert not np.array_equal(signs, Rotation(8, 16, 16).signs())
    many = Rotation(0, 4096, 4096).signs()
    assert set(many) == {-1.0, 1.0}
    assert abs(many.mean()) < 0.1


SIGNS_OF_7 = "---+-+-+-+-+--+-"


@pytest.mark.parametrize("dtype", [DType.F16, DType.BF16, DType.F32])
def test_the_file_keeps_its_bytes_and_the_reference_its_place(dtype: DType, tmp_path: Path) -> None:
    data = RNG.standard_normal((4, 6)).astype(np.float32)
    exact = round_to_bf16(data) if dtype is DType.BF16 else data.astype(dtype.numpy)
    stored = (exact.view(np.uint32) >> 16).astype("<u2") if dtype is DType.BF16 else exact
    file = tmp_path / "w.bin"
    file.write_bytes(b"head" + stored.tobytes())
    before = file.read_bytes()
    kind = TensorType(dtype, (4, 6))
    plain = WeightRef("w", kind, FileBytes(file, 4, stored.nbytes))
    by, r = np.linspace(0.5, 2, 6, dtype=np.float32), widest_rotation(2, 4)
    ref = plain.edited(ScaleColumns(vector(by))).edited(
        RotateRows(r), RotateColumns(Rotation(1, 2, 2))
    )
    wanted = matrix(r, 4).T @ (exact.astype(np.float64) * by) @ matrix(Rotation(1, 2, 2), 6)
    assert ref.load().dtype == np.float32
    np.testing.assert_allclose(ref.load(), wanted, atol=1e-6)
    np.testing.assert_array_equal(ref.load_f32(), ref.load())
    np.testing.assert_allclose(ref.load_f64(), wanted, atol=1e-14)
    assert (ref.source, ref.type, ref.nbytes) == (plain.source, plain.type, plain.nbytes)
    assert file.read_bytes() == before
    np.testing.assert_array_equal(plain.load(), exact)
    np.testing.assert_array_equal(plain.load_f64(), exact.astype(np.float64))


def test_an_edit_does_not_reach_what_is_held_in_memory() -> None:
    data = np.ones((2, 2), np.float32)
    ref = inline_weight("w", data, DType.F32).edited(ScaleRows(vector(np.array([2.0, 4.0]))))
    assert ref.load().tolist() == [[2, 2], [4, 4]]
    assert ref.load().tolist() == [[2, 2], [4, 4]]
    assert data.tolist() == [[1, 1], [1, 1]]


def test_dividing_undoes_multiplying() -> None:
    by = vector(np.array([3.0, 7.0, 0.3], np.float32))
    ref = inline_weight("w", np.arange(6.0).reshape(2, 3), DType.F64)
    both = ref.edited(ScaleColumns(by), ScaleColumns(by, inverse=True))
    np.testing.assert_allclose(both.load_f64(), ref.load(), rtol=1e-15)
    row = inline_weight("b", np.arange(3.0), DType.F64)
    assert row.edited(ScaleRows(by, inverse=True)).load_f64()[1] == pytest.approx(1 / 7)


def test_references_differ_by_their_edits() -> None:
    kind = TensorType(DType.F32, (2,))
    plain = WeightRef("w", kind)
    ones, twos = (plain.edited(ScaleRows(vector(np.full(2, n, np.float32)))) for n in (1, 2))
    assert len({plain, ones, twos}) == 3
    assert ones == plain.edited(ScaleRows(vector(np.ones(2))))
    assert hash(ones) == hash(plain.edited(ScaleRows(vector(np.ones(2)))))
    assert plain.edited(RotateRows(Rotation(0, 2, 2))) != plain.edited(
        RotateRows(Rotation(1, 2, 2))
    )


def scaled(by: float | None) -> Graph:
    b = Builder("scaled")
    x = b.input("x", "f32", 1, 4)
    w = b.weight("w", np.eye(4, dtype=np.float32))
    if by is not None:
        w.weight = w.weight.edited(ScaleColumns(vector(np.full(4, by, np.float32))))
    return b.returns(b.op("linear", x, w, None))


def test_a_cache_of_weights_tells_them_apart() -> None:
    cache, shared = WeightCache(), inline_weight("w", np.eye(4, dtype=np.float32), DType.F32)
    x = np.ones((1, 4), np.float32)
    for by in (None, 2.0, 3.0):
        graph = scaled(by)
        edits = graph.weights["w"].weight.edits
        graph.weights["w"].weight = replace(shared, edits=edits)
        for _ in range(2):
            assert float(run(graph, {"x": x}, cache=cache).outputs[0][0, 0]) == (by or 1.0)
    assert cache.bytes == 3 * 64


def test_the_executor_edits_in_float64_where_it_computes_in_it() -> None:
    x = np.ones((1, 4))
    found = run(scaled(1 / 3), {"x": x}, dtype=torch.float64).outputs[0]
    assert float(found[0, 0]) == float(np.float32(1 / 3))


def test_edited_parameters_still_count() -> None:
    b = Builder("count")
    x = b.input("x", "f32", 1, 4)
    ref = WeightRef("w", TensorType(DType.F16, (8, 4)), FileBytes(Path("m.bin"), 0, 64))
    b.returns(b.op("linear", x, b.graph.add_weight(ref), None))
    before = parameter_count(b.graph)
    b.graph.weights["w"].weight = ref.edited(RotateColumns(widest_rotation(0, 4)))
    assert parameter_count(b.graph) == before == 32


vectors = st.lists(st.floats(-9, 9, width=32), max_size=4).map(lambda v: vector(np.array(v)))
rotations = st.builds(
    lambda seed, log, odd: widest_rotation(seed, odd << log),
    st.integers(0, 2**63 - 1),
    st.integers(0, 12),
    st.sampled_from([1, 3, 7]),
)
edits: st.SearchStrategy[Edit] = st.one_of(
    st.builds(ScaleRows, vectors, st.booleans()),
    st.builds(ScaleColumns, vectors, st.booleans()),
    st.builds(RotateRows, rotations),
    st.builds(RotateColumns, rotations),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(edits, max_size=4), st.sampled_from(["file", "inline", "unknown"]), st.booleans())
def test_edits_come_back_from_the_text(made: list[Edit], form: str, wide: bool) -> None:
    graph = Graph("g")
    kind = TensorType(DType.F16, (2, 2))
    refs = {
        "file": WeightRef("w", kind, FileBytes(Path("m"), 8, 8)),
        "inline": inline_weight("w", np.ones((2, 2), np.float16), DType.F16),
        "unknown": WeightRef("w", kind),
    }
    value = graph.add_weight(refs[form].edited(*made))
    if wide:
        value.type = TensorType(DType.F32, kind.shape)
    graph.outputs = [value]
    text = print_graph(graph)
    back = parse(text)
    assert print_graph(back) == text
    assert back.weights["w"].weight == value.weight


def test_the_text_names_every_edit() -> None:
    ref = WeightRef("w", TensorType(DType.F32, (2, 2)), FileBytes(Path("dir/m"), 0, 16))
    graph = Graph("g")
    rotation = RotateRows(Rotation(3, 2, 2))
    graph.add_weight(ref.edited(ScaleColumns(vector(np.ones(2))), rotation))
    digest = vector(np.ones(2)).sha256
    line = (
        '  weight @w : f32[2, 2] = file "m" at 0 for 16 edited ScaleColumns{by = Vector{'
        f'sha256 = "{digest}", size = 2}}, inverse = false}}, '
        "RotateRows{rotation = Rotation{seed = 3, width = 2, block = 2}}"
    )
    assert line in print_graph(graph).splitlines()


def test_rotations_are_whole_in_the_text_and_vectors_are_not(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(np.eye(2, dtype=np.float32).tobytes())
    turn = "RotateRows{rotation = Rotation{seed = 3, width = 2, block = 2}}"
    scale = 'ScaleRows{by = Vector{sha256 = "00", size = 2}, inverse = true}'
    for edit, loads in ((turn, True), (scale, False)):
        text = f'graph "g" {{ weight @w : f32[2, 2] = file "m" at 0 for 16 edited {edit} return }}'
        ref = parse(text, folder=tmp_path).weights["w"].weight
        if loads:
            np.testing.assert_allclose(ref.load_f64(), matrix(Rotation(3, 2, 2), 2).T, atol=1e-12)
            continue
        with pytest.raises(InternalError, match="vector 00 are not in the text"):
            ref.load()


@pytest.mark.parametrize(
    ("kind", "edit", "message"),
    [
        (
            "f32[4]",
            "RotateRows{rotation = Rotation{seed = 0, width = 6, block = 4}}",
            "power of two",
        ),
        ("f32[4]", "RotateRows{rotation = Rotation{seed = 0, width = 6, block = 12}}", "block=12"),
        ("f32[4]", "RotateRows{rotation = Rotation{seed = -1, width = 2, block = 2}}", "seed=-1"),
        ("f32[4]", "RotateRows{rotation = 3}", "rotation=3"),
        ("f32[4]", "ScaleRows{by = 3}", "by=3"),
        ("f32[4]", 'ScaleRows{by = Vector{sha256 = "", size = "4"}}', "size='4'"),
        ("f32[4]", 'ScaleRows{by = Vector{sha256 = "", size = 4, data = "x"}}', "no field data"),
        ("f32[4]", "Evil{}", "Evil is no known record"),
        ("f32[4]", 'Vector{sha256 = "", size = 1}', "Vector is no edit"),
        ("i64[4]", "RotateRows{rotation = Rotation{seed = 0, width = 4, block = 4}}", "only float"),
        ("f32[4]", "", "return is no known record"),
    ],
)
def test_wrong_edits_are_parse_errors(kind: str, edit: str, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        parse(f'graph "g" {{ weight @w : {kind} = unknown edited {edit}\n return }}')


@pytest.mark.parametrize(
    "edit",
    [
        ScaleRows(vector(np.ones(3))),
        ScaleColumns(vector(np.ones(2))),
        RotateRows(widest_rotation(0, 4)),
        RotateColumns(widest_rotation(0, 2)),
    ],
    ids=lambda e: type(e).__name__,
)
def test_an_edit_of_another_size_is_an_error(edit: Edit) -> None:
    ref = inline_weight("w", np.ones((2, 3), np.float32), DType.F32).edited(edit)
    with pytest.raises(InternalError, match="does not fit"):
        ref.load()


def test_only_floats_are_edited_and_vectors_are_flat() -> None:
    with pytest.raises(InternalError, match="only float weights"):
        inline_weight("w", np.ones(2, np.int64), DType.I64).edited(ScaleRows(vector(np.ones(2))))
    with pytest.raises(InternalError, match="one axis"):
        vector(np.ones((2, 2)))
    with pytest.raises(ValueError, match="width"):
        Rotation(0, 0, 1)
    assert Vector("0", 1) == Vector("0", 1, b"    ")


def test_a_short_file_is_an_input_error_with_edits_too(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"123")
    ref = WeightRef("w", TensorType(DType.F32, (2,)), FileBytes(tmp_path / "m", 0, 8))
    with pytest.raises(InputError, match="needs 8 bytes"):
        ref.edited(ScaleRows(vector(np.ones(2)))).load()
