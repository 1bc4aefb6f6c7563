"""Tables by k-means from two starts, and the exact division of clusters that one of them uses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Lut
from optimum_compile.passes.precision.quantizers.tables import palette, split
from optimum_compile.passes.precision.quantizers.tables.palette import quantize_palette
from optimum_compile.passes.precision.quantizers.tables.split import Line, split_clusters


def squares(values: np.ndarray, mass: np.ndarray) -> float:
    """Weighted squared distance from the mean."""
    if not len(values):
        return 0.0
    return float((mass * (values - (mass * values).sum() / mass.sum()) ** 2).sum())


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 9999),
    levels=st.sampled_from([1, 2, 3, 1000]),
    weighted=st.booleans(),
    tables=st.integers(1, 3),
)
def test_a_cluster_is_halved_as_well_as_can_be(
    seed: int, levels: int, weighted: bool, tables: int
) -> None:
    rng = np.random.default_rng(seed)
    points = (rng.integers(-levels, levels + 1, (tables, 12)) / levels).astype(np.float32)
    codes = rng.integers(0, 3, (tables, 12)).astype(np.uint8)
    before = np.linspace(-1, 1, 4 * tables).reshape(tables, 4).astype(np.float16)
    importance = rng.uniform(0.1, 1, 6) if weighted else None
    fresh, after = split_clusters(points, codes, before, importance)
    mass = np.ones(12) if importance is None else np.tile(importance, 2)
    np.testing.assert_array_equal(fresh >> 1, codes)
    for row in range(tables):
        for cluster in range(4):
            own = codes[row] == cluster
            order = np.argsort(points[row][own])
            values, masses = points[row][own][order].astype(np.float64), mass[own][order]
            pair = after[row, 2 * cluster : 2 * cluster + 2].astype(np.float64)
            if not len(values):
                assert pair.tolist() == [before[row, cluster]] * 2
                continue
            best = min(
                squares(values[:at], masses[:at]) + squares(values[at:], masses[at:])
                for at in range(len(values))
            )
            found = after[row][fresh[row][own]].astype(np.float64)
            spent = (mass[own] * (points[row][own] - found) ** 2).sum()
            assert spent <= best + 2e-6
            assert pair[0] <= pair[1]


def errors(packed: PackedWeight, weight: np.ndarray, importance: np.ndarray | None) -> np.ndarray:
    """Weighted squared error of every table of four rows."""
    mass = np.ones(weight.shape[1]) if importance is None else importance
    each = (mass * (packed.dequantize().astype(np.float64) - weight) ** 2).sum(axis=1)
    return np.add.reduceat(each, np.arange(0, len(weight), 4))


def from_quantiles(
    weight: np.ndarray, scheme: Lut, importance: np.ndarray | None = None
) -> PackedWeight:
    """The table that k-means finds from quantiles alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(palette, "_divisions", lambda line, bits: palette._quantiles(line, 2**bits))
        return quantize_palette(weight, scheme, importance)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 9999),
    bits=st.sampled_from([1, 2, 3, 4, 6]),
    rows=st.integers(1, 9),
    kind=st.sampled_from(["gauss", "heavy", "pruned", "levels"]),
    weighted=st.booleans(),
)
def test_no_table_is_worse_than_from_quantiles(
    seed: int, bits: int, rows: int, kind: str, weighted: bool
) -> None:
    rng = np.random.default_rng(seed)
    shape = (rows, 48)
    weight = {
        "gauss": rng.standard_normal(shape),
        "heavy": rng.standard_t(3, shape),
        "pruned": rng.standard_normal(shape) * (rng.random(shape) < 0.3),
        "levels": rng.integers(-3, 4, shape) / 3,
    }[kind].astype(np.float32)
    importance = rng.uniform(0.01, 1, 48) if weighted else None
    scheme = Lut(bits, 4)
    found = errors(quantize_palette(weight, scheme, importance), weight, importance)
    plain = errors(from_quantiles(weight, scheme, importance), weight, importance)
    assert (found <= plain * (1 + 1e-5) + 1e-9).all()


@pytest.mark.parametrize(("bits", "part"), [(3, 1.0), (4, 0.8), (6, 0.3)])
def test_divisions_serve_heavy_tails(bits: int, part: float) -> None:
    weight = np.random.default_rng(0).standard_t(6, (16, 1024)).astype(np.float32)
    scheme = Lut(bits, 4)
    found = errors(quantize_palette(weight, scheme), weight, None)
    plain = errors(from_quantiles(weight, scheme), weight, None)
    assert found.sum() < part * plain.sum()


def test_a_few_numbers_in_a_large_table_are_kept() -> None:
    # More points than the start looks at; the rarest number is there once.
    weight = np.tile(np.array([0, 0, 0.5, -1], np.float32), (4, 1000))
    weight[2, 777] = 3
    np.testing.assert_array_equal(quantize_palette(weight, Lut(2, 4)).dequantize(), weight)


@pytest.mark.parametrize("importance", [None, np.zeros(12, np.float32)])
@pytest.mark.parametrize("value", [0.0, -0.25, 1e-12])
def test_one_number_is_kept(value: float, importance: np.ndarray | None) -> None:
    weight = np.full((5, 12), value, np.float32)
    found = quantize_palette(weight, Lut(3, 4), importance).dequantize()
    np.testing.assert_allclose(found, weight, atol=1e-6)


def test_what_is_beyond_fp16_becomes_its_largest_number() -> None:
    weight = np.tile(np.array([-1e6, -1, 1, 1e6], np.float32), (4, 8))
    found = quantize_palette(weight, Lut(2, 4)).dequantize()
    np.testing.assert_array_equal(found, np.clip(weight, -65504, 65504))


def test_results_do_not_depend_on_the_chunking(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    weight, importance = rng.standard_t(4, (18, 64)).astype(np.float32), rng.uniform(0.1, 1, 64)
    whole = quantize_palette(weight, Lut(4, 4), importance)
    monkeypatch.setattr(palette, "CHUNK_ELEMENTS", 512)
    monkeypatch.setattr(split, "BLOCK_ELEMENTS", 256)
    parts = quantize_palette(weight, Lut(4, 4), importance)
    np.testing.assert_array_equal(whole.codes, parts.codes)
    np.testing.assert_array_equal(whole.table, parts.table)


def test_thinned_points_stand_for_all() -> None:
    rng = np.random.default_rng(0)
    line = Line.of(np.sort(rng.standard_normal((3, 100)), axis=1), rng.uniform(0.1, 1, (3, 100)))
    few = line.thinned(7)
    assert few.values.shape == (3, 7)
    for whole, kept in zip(
        line.totals(np.array([[0, 100]] * 3)), few.totals(np.array([[0, 7]] * 3)), strict=True
    ):
        np.testing.assert_allclose(kept, whole)
    assert line.thinned(100) is line
