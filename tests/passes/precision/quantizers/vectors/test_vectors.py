"""Quantisers of vectors: codebooks of any data, feedback, descent, refits, one codebook for a model."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from support.graphs import decoder
from support.killing import KillAt, Killed

from optimum_compile.compiler.errors import InputError, InternalError, OptionError
from optimum_compile.compiler.observers import SilentObserver
from optimum_compile.compiler.package.describe import weight_bytes
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Vector
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.compiler.quant.stored import from_parts, stored_parts
from optimum_compile.passes.calibrate.moments import Moments, moments
from optimum_compile.passes.calibrate.propagate import decoder_samples
from optimum_compile.passes.precision.notes import Precision, Quantized
from optimum_compile.passes.precision.quantize import QuantizeWeights
from optimum_compile.passes.precision.quantize_blocks import QuantizeBlocks
from optimum_compile.passes.precision.quantizers.calibrated import quantize_calibrated
from optimum_compile.passes.precision.quantizers.feedback.rounding import (
    Feedback,
    damped,
    output_loss,
)
from optimum_compile.passes.precision.quantizers.recipes import RECIPES
from optimum_compile.passes.precision.quantizers.select import quantize_weight
from optimum_compile.passes.precision.quantizers.vectors.codebook import kmeans
from optimum_compile.passes.precision.quantizers.vectors.feedback import (
    VectorGrid,
    best_start,
    descend_scales,
    descend_vectors,
    refit_codebook,
    round_vectors,
    scaled,
)
from optimum_compile.passes.precision.units import units_of
from optimum_compile.passes.rewrite.awq import ScaleChannels

FORMS = ["vec4x4", "vec4x2:g16", "vec6x2:g16@u4", "vec6x8:g24@u6", "vec5x4:channel@shared"]


def book(scheme: Vector) -> np.ndarray | None:
    """A codebook for schemes that share one."""
    if scheme.codebook == "own":
        return None
    points = np.random.default_rng(5).standard_normal((4000, scheme.width)).astype(np.float32)
    return kmeans(points, np.ones(4000), 1 << scheme.bits).astype(np.float16)


def problem(rows: int = 32, columns: int = 48, seed: int = 0) -> tuple[np.ndarray, Moments]:
    """A random matrix and correlated inputs, a few of them large."""
    rng = np.random.default_rng(seed)
    weight = rng.standard_normal((rows, columns)).astype(np.float32)
    mix = rng.standard_normal((columns, columns)) / columns**0.5 + np.eye(columns)
    x = rng.standard_normal((400, columns)) @ mix * np.exp(rng.standard_normal(columns))
    return weight, moments("here", [torch.from_numpy(x.astype(np.float32))])


def loss(weight: np.ndarray, packed: PackedWeight, seen: Moments) -> float:
    found = torch.from_numpy(packed.dequantize())
    return float(output_loss(torch.from_numpy(weight), found, seen.hessian).sum())


@pytest.mark.parametrize("form", FORMS)
def test_feedback_loses_less_than_the_nearest_vectors(form: str) -> None:
    scheme = parse_scheme(form)
    weight, seen = problem()
    plain = loss(weight, quantize_weight(weight, scheme, codebook=book(scheme)), seen)
    made = [
        quantize_calibrated(weight, scheme, seen, RECIPES[name], book(scheme))
        for name in ("gptq", "lnq")
    ]
    fed, best = (loss(weight, packed, seen) for packed in made)
    assert fed < 0.85 * plain
    assert best < fed
    for packed in made:
        parts = stored_parts(packed)
        back = from_parts(scheme, packed.shape, parts, packed.table)
        np.testing.assert_array_equal(back.dequantize(), packed.dequantize())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_descent_and_refits_never_raise_the_loss(form: str, seed: int) -> None:
    scheme = parse_scheme(form)
    weight, seen = problem(16, 48, seed)
    packed = quantize_weight(weight, scheme, codebook=book(scheme))
    w, grid = torch.from_numpy(weight), VectorGrid.of(packed)
    codes = torch.from_numpy(packed.codes.astype(np.int64))
    np.testing.assert_array_equal(grid.numbers(codes).numpy(), packed.dequantize())
    hessian = damped(seen.hessian, 0.01).float()
    losses = [output_loss(w, grid.numbers(codes), hessian).sum()]
    for _ in range(2):
        codes = descend_vectors(w, codes, hessian, grid, 1)
        losses.append(output_loss(w, grid.numbers(codes), hessian).sum())
        for refit in (refit_codebook, descend_scales):
            grid = refit(w, codes, hessian, grid)
            losses.append(output_loss(w, grid.numbers(codes), hessian).sum())
    for before, after in itertools.pairwise(losses):
        assert after <= before * (1 + 1e-4) + 1e-5
    assert losses[-1] < 0.8 * losses[0]


def test_the_codebook_fit_is_the_least_squares_one() -> None:
    scheme = parse_scheme("vec4x2")
    weight, seen = problem(8, 16)
    packed = quantize_weight(weight, scheme)
    w, grid = torch.from_numpy(weight), VectorGrid.of(packed)
    codes = torch.from_numpy(packed.codes.astype(np.int64))
    hessian = damped(seen.hessian, 0.01).float()
    found = refit_codebook(w, codes, hessian, grid)
    # The same by a dense solve: numbers are a linear map of the 32 entries.
    unit = torch.eye(32).reshape(32, 16, 2)
    columns = [VectorGrid(packed, scheme, e, grid.scales).numbers(codes).reshape(-1) for e in unit]
    lower = torch.linalg.cholesky(torch.kron(torch.eye(8), hessian).double())
    system = lower.T @ torch.stack(columns, 1).double()
    best = torch.linalg.lstsq(system, lower.T @ w.reshape(-1).double()).solution
    exact = VectorGrid(packed, scheme, best.reshape(16, 2).float(), grid.scales)
    least = output_loss(w, exact.numbers(codes), hessian).sum()
    got = output_loss(w, found.numbers(codes), hessian).sum()
    assert got <= 1.02 * least + 1e-4


def test_one_vector_of_feedback_is_the_best_of_all_indices() -> None:
    # Two vectors a row; the second one takes up what the first one lost, exactly.
    scheme = parse_scheme("vec4x2")
    weight, seen = problem(6, 4, 3)
    packed = quantize_weight(weight, scheme)
    w, grid = torch.from_numpy(weight), VectorGrid.of(packed)
    options = Feedback(act_order=False)
    codes = round_vectors(w, seen.hessian, grid, options)
    hessian = damped(seen.hessian, options.damping).float()
    inverse = torch.linalg.inv(hessian[2:, 2:])
    # With the rest free to move, the first vector costs e S e^T, S the Schur complement.
    schur = hessian[:2, :2] - hessian[:2, 2:] @ inverse @ hessian[2:, :2]
    entries = grid.table[None] * grid.scales[:, :1, None]
    apart = w[:, None, :2] - entries
    cost = torch.einsum("rei,ij,rej->re", apart, schur, apart)
    assert torch.equal(codes[:, 0], cost.argmin(1))
    chosen = entries[torch.arange(6), codes[:, 0]]
    moved = w[:, 2:] + (w[:, :2] - chosen) @ hessian[:2, 2:] @ inverse
    apart = moved[:, None] - entries
    cost = torch.einsum("rei,ij,rej->re", apart, hessian[2:, 2:], apart)
    assert torch.equal(codes[:, 1], cost.argmin(1))


@pytest.mark.parametrize("form", ["vec4x4", "vec6x2:g16@u4"])
def test_every_row_takes_its_best_start(form: str) -> None:
    weight, seen = problem(24, 48, 4)
    w, grid = torch.from_numpy(weight), VectorGrid.of(quantize_weight(weight, parse_scheme(form)))
    hessian, options = damped(seen.hessian, 0.01).float(), Feedback()
    best, codes = best_start(w, seen.hessian, grid, options)
    least = output_loss(w, best.numbers(codes), hessian)
    for factor in (0.95, 1.0, 1.15):
        tried = scaled(grid, factor)
        found = round_vectors(w, seen.hessian, tried, options)
        tried = descend_scales(w, found, hessian, tried)
        found = descend_vectors(w, found, hessian, tried, 1)
        assert (least <= output_loss(w, tried.numbers(found), hessian) + 1e-5).all()
    # What was put together from several runs can be stored.
    packed = best.packed(codes)
    back = from_parts(packed.scheme, packed.shape, stored_parts(packed), packed.table)
    np.testing.assert_array_equal(back.dequantize(), best.numbers(codes).numpy())


@pytest.mark.parametrize("form", FORMS)
def test_weights_that_are_hardly_any(form: str) -> None:
    scheme = parse_scheme(form)
    zeros = np.zeros((4, 48), np.float32)
    np.testing.assert_array_equal(
        quantize_weight(zeros, scheme, codebook=book(scheme)).dequantize(), zeros
    )
    mixed = zeros.copy()
    mixed[1] = 3.0  # a constant row beside rows of zeros
    found = quantize_weight(mixed, scheme, codebook=book(scheme)).dequantize()
    np.testing.assert_array_equal(found[[0, 2, 3]], 0)
    assert np.isfinite(found).all()
    if scheme.codebook == "own":
        np.testing.assert_allclose(found[1], 3.0, atol=0.01)
    seen = Moments(torch.zeros(48, 48), torch.zeros(48), 1)
    fed = quantize_calibrated(mixed, scheme, seen, RECIPES["lnq"], book(scheme)).dequantize()
    assert np.isfinite(fed).all()
    tiny = np.full((2, 48), 1e-7, np.float32)
    assert np.isfinite(quantize_weight(tiny, scheme, codebook=book(scheme)).dequantize()).all()


def test_the_codebook_of_few_distinct_vectors_is_exact() -> None:
    rng = np.random.default_rng(0)
    few = rng.choice([-1.0, 0.5, 2.0], (8, 1, 4)) * np.ones((1, 12, 1))
    weight = few.reshape(8, 48).astype(np.float32)
    found = quantize_weight(weight, parse_scheme("vec8x4")).dequantize()
    np.testing.assert_allclose(found, weight, atol=2e-3)


def test_kmeans_of_fewer_points_than_centres() -> None:
    points = np.array([[0.0, 1.0], [2.0, 3.0]], np.float32)
    centres = kmeans(points, np.ones(2), 16)
    assert centres.shape == (16, 2)
    assert {tuple(c) for c in centres} == {(0.0, 1.0), (2.0, 3.0)}
    same = kmeans(np.ones((50, 4), np.float32), np.zeros(50), 8)
    np.testing.assert_array_equal(same, 1.0)


def test_kmeans_is_deterministic_and_minds_the_weights() -> None:
    rng = np.random.default_rng(1)
    points = rng.standard_normal((2000, 2)).astype(np.float32)
    mass = np.where(points[:, 0] > 0, 100.0, 1.0)
    first, second = kmeans(points, mass, 16, seed=3), kmeans(points, mass, 16, seed=3)
    np.testing.assert_array_equal(first, second)
    assert (first[:, 0] > 0).sum() > 10


def test_columns_that_are_no_whole_vectors_are_refused() -> None:
    with pytest.raises(OptionError, match="vectors of 4 do not divide 30 columns"):
        quantize_weight(np.ones((2, 30), np.float32), parse_scheme("vec8x4"))


def test_a_shared_codebook_is_needed() -> None:
    with pytest.raises(InternalError, match="the model's codebook is missing"):
        quantize_weight(np.ones((2, 32), np.float32), parse_scheme("vec8x4:channel@shared"))


RNG = np.random.default_rng(0)
SAMPLES = decoder_samples([RNG.integers(0, 50, 16).tolist() for _ in range(8)], 16)


def assigned(linears: str = "vec6x4:channel@shared", table: str = "vec6x2:g16@u4,shared"):
    graph = decoder(layers=2, width=32, hidden=64)
    for unit in units_of(graph):
        form = table if unit.use.as_table else linears
        graph.weights[unit.name].notes.put(Precision(parse_scheme(form)))
    return graph


def quantised(work: Path, observer: SilentObserver | None = None):
    graph = assigned()
    context = PassContext(observer=observer or SilentObserver())
    PassManager([QuantizeBlocks(work, RECIPES["auto"], SAMPLES)]).run(graph, context)
    return graph


def packed(graph) -> dict[str, PackedWeight]:
    notes = {n: v.notes.get(Quantized) for n, v in graph.weights.items()}
    return {n: note.load() for n, note in notes.items() if note is not None}


def test_tensors_share_one_codebook_and_pay_for_it_once(tmp_path: Path) -> None:
    graph = assigned()
    PassManager([QuantizeWeights(tmp_path / "weights")]).run(graph)
    books: dict[tuple[int, ...], set[bytes]] = {}
    for weight in packed(graph).values():
        assert weight.table is not None
        books.setdefault(weight.table.shape, set()).add(weight.table.tobytes())
    assert {shape: len(found) for shape, found in books.items()} == {(64, 4): 1, (64, 2): 1}
    own = sum(weight.stored_bytes for weight in packed(graph).values())
    floats = weight_bytes(assigned("f16", "f16")) - sum(
        2 * u.elements for u in units_of(graph)
    )  # norms
    assert weight_bytes(graph) == own + floats + 64 * 4 * 2 + 64 * 2 * 2


def test_no_channel_scales_are_searched_in_front_of_vectors(tmp_path: Path) -> None:
    graph = assigned()
    before = {n: v.weight.load_f32() for n, v in graph.weights.items() if v.weight is not None}
    PassManager([ScaleChannels(tmp_path, SAMPLES)]).run(graph)
    for name, data in before.items():
        weight = graph.weights[name].weight
        assert weight is not None
        np.testing.assert_array_equal(weight.load_f32(), data)


@pytest.mark.parametrize("block", [0, 1])
def test_a_killed_run_ends_in_the_same_bytes(tmp_path: Path, block: int) -> None:
    expected = {n: w.dequantize() for n, w in packed(quantised(tmp_path / "whole")).items()}
    with pytest.raises(Killed):
        quantised(tmp_path / "part", KillAt(block))
    kept = sorted(p.name for p in (tmp_path / "part").glob("*.npy"))
    assert kept == ["codebook6x2.npy", "codebook6x4.npy"]
    found = packed(quantised(tmp_path / "part"))
    assert found.keys() == expected.keys()
    for name, weight in found.items():
        np.testing.assert_array_equal(weight.dequantize(), expected[name])


def test_a_new_run_does_not_take_the_codebook_of_another(tmp_path: Path) -> None:
    expected = packed(quantised(tmp_path / "a"))
    (tmp_path / "b").mkdir()
    np.save(tmp_path / "b" / "codebook6x4.npy", np.zeros((64, 4), np.float16))
    for name, weight in packed(quantised(tmp_path / "b")).items():
        np.testing.assert_array_equal(weight.table, expected[name].table)


@pytest.mark.parametrize("content", [b"junk", b""])
def test_a_damaged_codebook_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Killed):
        quantised(tmp_path, KillAt(1))
    (tmp_path / "codebook6x4.npy").write_bytes(content)
    with pytest.raises(InputError, match=r"codebook6x4\.npy: damaged"):
        quantised(tmp_path)


def test_a_codebook_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        quantised(tmp_path, KillAt(1))
    np.save(tmp_path / "codebook6x4.npy", np.zeros((3, 4), np.float16))
    with pytest.raises(InputError, match="no codebook of 6 bits"):
        quantised(tmp_path)
