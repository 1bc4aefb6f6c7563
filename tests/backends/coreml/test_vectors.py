"""Vector tables in a package: what is stored, how often, and what the program computes."""

from pathlib import Path

import numpy as np
import pytest
from support.emission import Emitted, compared, emitted, with_schemes
from support.graphs import decoder, mlp
from support.packed import random_packed, with_packed

from optimum_compile.backends.base import Tolerance, WeightUse
from optimum_compile.backends.coreml.backend import BACKEND
from optimum_compile.backends.coreml.constexpr import lut_to_dense
from optimum_compile.backends.coreml.interpreter import Package
from optimum_compile.backends.coreml.schemes import BLOB_BYTES, blob
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.package.describe import predicted_bytes
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.notes import Precision, Quantized

pytestmark = pytest.mark.coreml
FORMS = ["vec8x4", "vec8x4:channel@shared", "vec4x2:g16", "vec6x8:g32@u4,shared"]
USE = WeightUse("w", 64, 96, True, False)


def emission(graph: Graph, form: str, work: Path) -> Emitted:
    return emitted(with_schemes(graph, {"": parse_scheme(form)}, work), work, BACKEND)


@pytest.mark.parametrize("form", [FORMS[1], FORMS[3]])
def test_a_decoder_gives_what_the_oracle_does(form: str, tmp_path: Path) -> None:
    # Prefill in chunks and eight steps; the tied table is looked up and multiplied with.
    made = emission(decoder(layers=2, tied=True), form, tmp_path)
    found = compared(made, Tolerance(max_rel_err=6e-3, min_top1=0.9))
    assert found.ok, found.reason
    assert found.steps >= 9


@pytest.mark.parametrize("form", FORMS)
def test_bytes_are_those_predicted(form: str, tmp_path: Path) -> None:
    made = emission(mlp(32, 64), form, tmp_path)
    predicted = predicted_bytes(made.graph, BACKEND)
    assert predicted - BLOB_BYTES < made.result.weight_bytes <= predicted


@pytest.mark.parametrize("form", FORMS)
def test_vectors_come_back_exactly(form: str, tmp_path: Path) -> None:
    made = emission(mlp(32, 64), form, tmp_path)
    package = Package(made.result.artifact)
    ops = {op.name: op for op in package.bodies["main"].operations}
    for name in ("up.weight", "down.weight"):
        note = made.graph.weights[name].notes.get(Quantized)
        assert note is not None
        packed = note.load()
        expected = packed.dequantize()
        if str(packed.scheme.group) == "channel":  # these scales multiply what the linear gives
            assert packed.table is not None
            expected = packed.table.astype(np.float32)[packed.codes].reshape(packed.shape)
            scales = package.constant("main", ops[f"{name}_scales".replace(".", "_")])
            np.testing.assert_array_equal(scales.numpy(), packed.scales[:, 0])
        found = package.constant("main", ops[name.replace(".", "_")]).float().numpy()
        np.testing.assert_array_equal(found, expected.astype(np.float16).astype(np.float32))


def test_a_shared_codebook_is_stored_once_for_both_functions(tmp_path: Path) -> None:
    made = emission(decoder(layers=2, tied=True), "vec8x4:channel@shared", tmp_path)
    assert made.result.functions == ("prefill", "decode")
    apart = made.result.weight_bytes + 14 * blob(2048)
    predicted = predicted_bytes(made.graph, BACKEND)
    assert predicted - BLOB_BYTES < made.result.weight_bytes <= predicted
    for value in made.graph.weights.values():  # the same matrices, each with a codebook
        if value.notes.get(Precision) is not None:
            value.notes.put(Precision(parse_scheme("vec8x4")))
    predicted = predicted_bytes(made.graph, BACKEND)
    assert predicted - BLOB_BYTES < apart <= predicted


def test_a_bias_is_added_after_the_scales(tmp_path: Path) -> None:
    scheme = parse_scheme("vec8x4")
    weights = {"up.weight": random_packed(scheme, 64, 32)}
    graph = with_packed(mlp(32, 64), weights, tmp_path)
    made = emitted(graph, tmp_path, BACKEND)
    found = compared(made, Tolerance(max_rel_err=3e-3))
    assert found.ok, found.reason


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ("vec5x4", "indices have 4, 6 or 8 bits, not 5"),
        ("vec8x4:g64", "groups of 64 do not divide 96 columns"),
        ("vec8x4:g32@u4", ""),
        ("vec6x8:channel@shared", ""),
    ],
)
def test_what_cannot_be_stored_is_refused(form: str, reason: str) -> None:
    verdict = BACKEND.supports_scheme(parse_scheme(form), USE)
    assert (verdict.ok, verdict.reason) == (not reason, reason)


def test_ragged_columns_are_refused() -> None:
    verdict = BACKEND.supports_scheme(parse_scheme("vec8x4"), WeightUse("w", 8, 30, True, False))
    assert verdict.reason == "vectors of 4 do not divide 30 columns"


def test_vectors_fill_the_axis_that_is_named() -> None:
    # The example of the op's description: two vectors of three, indices (2, 2, 2).
    indices = np.array([[[0, 0], [1, 0]], [[1, 1], [0, 0]]], np.uint8)
    a, b = [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]
    lut = np.array([a, b], np.float16).reshape(1, 1, 1, 2, 3)
    last = [[[*a, *a], [*b, *a]], [[*b, *b], [*a, *a]]]
    np.testing.assert_array_equal(lut_to_dense(indices, lut, 2), last)
    np.testing.assert_array_equal(lut_to_dense(indices, lut, -1), last)
    columns = [(a, a), (b, a)], [(b, b), (a, a)]
    middle = [[[left[i], right[i]] for left, right in rows for i in range(3)] for rows in columns]
    np.testing.assert_array_equal(lut_to_dense(indices, lut, 1), middle)
    with pytest.raises(ValueError, match="without a vector_axis"):
        lut_to_dense(indices, lut)


def test_vector_tables_may_belong_to_blocks() -> None:
    rng = np.random.default_rng(0)
    indices = rng.integers(0, 4, (6, 4)).astype(np.uint8)
    lut = rng.standard_normal((3, 2, 4, 2)).astype(np.float32)
    found = lut_to_dense(indices, lut, 1)
    for row, column in ((0, 0), (3, 5), (5, 7)):
        at = indices[row, column // 2]
        assert found[row, column] == lut[row // 2, column // 4, at, column % 2]
