"""Nested tables: k-means at the narrowest width, then every cluster split in two, width after width.

This is the upscaling of Any-Precision LLM (Park et al., arXiv 2402.10517): codes of b bits stay as they
are, and one bit more chooses between the halves of a cluster. In one dimension the best halves are those
of a sorted run, so prefix sums find them exactly. All tables of a tensor are split at once.
"""

import numpy as np

from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Lut, Nested
from optimum_compile.passes.precision.quantizers.groups import to_half
from optimum_compile.passes.precision.quantizers.palette import quantize_palette

CHUNK_ELEMENTS = 1 << 18
LEAST_FACTOR = 1e-3


def quantize_nested(
    weight: np.ndarray, scheme: Nested, importance: np.ndarray | None = None
) -> PackedWeight:
    """Quantise (rows, columns) float32 to nested indices and tables; `importance` is (columns,)."""
    rows, columns = weight.shape
    per = scheme.rows_per_table
    seed = quantize_palette(weight, Lut(scheme.seed_bits, per), importance)
    if seed.table is None:
        raise ValueError("k-means made no table")
    codes = np.empty((rows, columns), np.uint8)
    table = np.empty((scheme.tables(rows), scheme.entries), np.float16)
    for begin, end in table_spans(rows, columns, per):
        here = slice(begin * per, min(rows, end * per))
        points, given = weight[here].astype(np.float32), seed.codes[here]
        first = seed.table[begin:end]
        found = [first]
        shape = (end - begin, -1)
        points, given = points.reshape(shape), given.reshape(shape)
        for _ in range(scheme.seed_bits, scheme.bits):
            given, halves = split_clusters(points, given, found[-1], importance)
            found.append(halves)
        table[begin:end] = np.concatenate(found, axis=1)
        codes[here] = given.reshape(-1, columns)
    return PackedWeight(scheme, codes, table=table)


def table_spans(rows: int, columns: int, per: int) -> list[tuple[int, int]]:
    """Runs of tables of at most `CHUNK_ELEMENTS` weights; a table of fewer rows is a run of its own."""
    full, step = rows // per, max(1, CHUNK_ELEMENTS // (per * columns))
    spans = [(at, min(full, at + step)) for at in range(0, full, step)]
    return spans if full * per == rows else [*spans, (full, full + 1)]


def split_clusters(
    points: np.ndarray, codes: np.ndarray, table: np.ndarray, importance: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """One bit more: codes uint8 (n, count) and tables fp16 (n, 2 * entries).

    points (n, count) share n tables (n, entries), whose codes are (n, count); count is a multiple of
    the length of `importance`. Cluster c becomes 2c (the smaller numbers) and 2c + 1, with the least
    weighted squared error. Where there is nothing to divide, both entries are equal and 2c keeps all.
    """
    count, size = points.shape[1], table.shape[1]
    factors = _factors(importance, count)
    order = np.lexsort((points, codes), axis=1)
    ordered = np.take_along_axis(points, order, axis=1).astype(np.float64)
    mass = factors[order]
    masses, sums = _prefix(mass), _prefix(ordered * mass)
    ends = np.cumsum(_histogram(codes, size), axis=1)
    edges = np.concatenate([np.zeros((len(points), 1), np.int64), ends], axis=1)
    fine = _with_best_splits(ordered, masses, sums, edges)
    number = np.diff(np.take_along_axis(masses, fine, axis=1), axis=1)
    total = np.diff(np.take_along_axis(sums, fine, axis=1), axis=1)
    own = np.repeat(table.astype(np.float64), 2, axis=1)
    filled = number > 0
    centers = np.where(filled, total / np.where(filled, number, 1), own)
    # A half without weights repeats the other one.
    pairs, kept = centers.reshape(len(points), size, 2), filled.reshape(len(points), size, 2)
    lone = kept.sum(axis=2) == 1
    pairs[lone] = np.where(kept[lone], pairs[lone], pairs[lone][:, ::-1])
    fresh = np.empty(points.shape, np.uint8)
    ids = np.repeat(np.tile(np.arange(2 * size), len(points)), np.diff(fine, axis=1).reshape(-1))
    np.put_along_axis(fresh, order, ids.reshape(points.shape).astype(np.uint8), axis=1)
    return fresh, to_half(centers).astype(np.float16)


def _factors(importance: np.ndarray | None, count: int) -> np.ndarray:  # -> float64 (count,)
    if importance is None:
        return np.ones(count)
    # Inputs that never occur still count a little: their weights need some entry.
    floor = float(importance.mean()) * LEAST_FACTOR or 1.0
    return np.tile(np.maximum(importance.astype(np.float64), floor), count // len(importance))


def _with_best_splits(
    ordered: np.ndarray, masses: np.ndarray, sums: np.ndarray, edges: np.ndarray
) -> np.ndarray:
    """Edges (n, size + 1) of runs with the best inner edge of each: (n, 2 * size + 1)."""
    n, count = ordered.shape
    size = edges.shape[1] - 1
    lengths = np.diff(edges, axis=1).reshape(-1)
    run = np.repeat(np.arange(n * size), lengths)  # of every point, (n * count,)
    flat = np.arange(n * count)
    row, at = flat // count, flat % count
    low, high = edges[:, :-1].reshape(-1)[run], edges[:, 1:].reshape(-1)[run]
    left_mass, left = masses[row, at] - masses[row, low], sums[row, at] - sums[row, low]
    right_mass, right = masses[row, high] - masses[row, at], sums[row, high] - sums[row, at]
    values = ordered.reshape(-1)
    # Equal numbers stay together; the first one of a run divides nothing.
    divides = (at > low) & (values > np.roll(values, 1))
    gain = left**2 / np.where(left_mass > 0, left_mass, 1) + right**2 / right_mass
    gain = np.where(divides, gain, -np.inf)
    filled = np.flatnonzero(lengths)
    starts = (edges[:, :-1] + np.arange(n)[:, None] * count).reshape(-1)[filled]
    best = np.full(n * size, -np.inf)
    best[filled] = np.maximum.reduceat(gain, starts)
    hits = np.flatnonzero(divides & (gain == best[run]))[::-1]  # the first hit is written last
    inner = edges[:, 1:].reshape(-1).copy()
    inner[run[hits]] = at[hits]
    out = np.empty((n, 2 * size + 1), np.int64)
    out[:, 0::2], out[:, 1::2] = edges, inner.reshape(n, size)
    return out


def _prefix(values: np.ndarray) -> np.ndarray:
    """Prefix sums along the last axis, beginning with zero."""
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)


def _histogram(codes: np.ndarray, size: int) -> np.ndarray:
    """How many codes of each row are 0 .. size - 1: int64 (rows, size)."""
    keys = codes.astype(np.int64) + size * np.arange(len(codes))[:, None]
    return np.bincount(keys.reshape(-1), minlength=size * len(codes)).reshape(-1, size)
