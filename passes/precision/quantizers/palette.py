"""Tables: one-dimensional k-means of the weights that share a table (Lloyd's algorithm).

With an importance of the columns (the mean squares of their inputs) it is the weighted k-means of
SqueezeLLM (Kim et al., arXiv 2306.07629) with the layer's Hessian in place of the Fisher information.
All tables of a tensor are refined at once. Starting points are quantiles, so the result is
deterministic; entries are sorted, and rounded to fp16 before the final assignment.
"""

import numpy as np

from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Lut

CHUNK_ELEMENTS = 1 << 20


def quantize_palette(
    weight: np.ndarray,
    scheme: Lut,
    importance: np.ndarray | None = None,
    iterations: int = 20,
) -> PackedWeight:
    """Quantise (rows, columns) float32 to indices and fp16 tables; `importance` is (columns,)."""
    rows, columns = weight.shape
    per = scheme.rows_per_table
    codes = np.empty((rows, columns), np.uint8)
    table = np.empty((scheme.tables(rows), 2**scheme.bits), np.float16)
    full = rows // per
    step = max(1, CHUNK_ELEMENTS // (per * columns))
    spans = [(at, min(full, at + step)) for at in range(0, full, step)]
    for begin, end in spans:
        part = weight[begin * per : end * per].astype(np.float32)
        found, index = _kmeans(part.reshape(end - begin, -1), scheme, importance, iterations)
        table[begin:end] = found
        codes[begin * per : end * per] = index.reshape(-1, columns)
    if full * per < rows:  # the last table serves fewer rows
        part = weight[full * per :].astype(np.float32)
        found, index = _kmeans(part.reshape(1, -1), scheme, importance, iterations)
        table[full:] = found
        codes[full * per :] = index.reshape(-1, columns)
    return PackedWeight(scheme, codes, table=table)


def _kmeans(
    points: np.ndarray, scheme: Lut, importance: np.ndarray | None, iterations: int
) -> tuple[np.ndarray, np.ndarray]:
    """Tables (n, size) fp16 sorted, and indices (n, count) uint8, for points (n, count)."""
    size, count = 2**scheme.bits, points.shape[1]
    if importance is None:
        ordered, mass = np.sort(points, axis=1), np.ones(points.shape)
    else:
        # Inputs that never occur still count a little: their weights need some entry.
        floor = float(importance.mean()) * 1e-3 or 1.0
        each = np.tile(np.maximum(importance, floor), count // len(importance))
        order = np.argsort(points, axis=1, kind="stable")
        ordered, mass = np.take_along_axis(points, order, axis=1), each[order]
    # Sums of runs come from prefix sums: one pass costs O(size) a table, not O(count).
    masses, total = _prefix(mass), _prefix(ordered * mass)
    wanted = (np.arange(size) + 0.5) / size
    spots = np.stack([np.searchsorted(m, wanted * m[-1], side="right") - 1 for m in masses])
    spots = spots.clip(0, count - 1)
    centers = np.take_along_axis(ordered, spots, axis=1).astype(np.float64)
    for _ in range(iterations):
        edges = _edges(ordered, (centers[:, 1:] + centers[:, :-1]) / 2)
        number = np.diff(np.take_along_axis(masses, edges, axis=1), axis=1)
        sums = np.diff(np.take_along_axis(total, edges, axis=1), axis=1)
        moved = np.where(number > 0, sums / np.where(number > 0, number, 1), centers)
        moved = _reseed(ordered, edges, moved)
        if np.array_equal(moved, centers):
            break
        centers = moved
    table = np.sort(centers, axis=1).astype(np.float16)
    exact = table.astype(np.float32)
    middle = (exact[:, 1:] + exact[:, :-1]) / 2
    codes = np.zeros(points.shape, np.uint8)
    for at in range(size - 1):
        codes += points > middle[:, at : at + 1]
    return table, codes


def _prefix(values: np.ndarray) -> np.ndarray:
    """Prefix sums along the last axis, beginning with zero."""
    sums = np.cumsum(values, axis=1, dtype=np.float64)
    return np.concatenate([np.zeros((len(values), 1)), sums], axis=1)


def _reseed(ordered: np.ndarray, edges: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Give each empty cluster the farthest point of another: centres (n, size), sorted.

    Many equal weights (zeros of a pruned layer) leave all but one of their quantiles without work.
    """
    empty = edges[:, 1:] == edges[:, :-1]
    if not empty.any():
        return centers
    first = np.take_along_axis(ordered, np.minimum(edges[:, :-1], ordered.shape[1] - 1), axis=1)
    last = np.take_along_axis(ordered, np.maximum(edges[:, 1:] - 1, 0), axis=1)
    far = np.where(last - centers >= centers - first, last, first)
    reach = np.where(empty, 0, np.abs(far - centers))
    widest = np.argsort(-reach, axis=1, kind="stable")
    donor = np.take_along_axis(widest, np.maximum(np.cumsum(empty, axis=1) - 1, 0), axis=1)
    useful = empty & (np.take_along_axis(reach, donor, axis=1) > 0)
    found = np.where(useful, np.take_along_axis(far, donor, axis=1), centers)
    return np.sort(found, axis=1)


def _edges(ordered: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Where each cluster begins and ends in the sorted points: (n, size + 1)."""
    rows, count = ordered.shape
    out = np.empty((rows, middle.shape[1] + 2), np.int64)
    out[:, 0], out[:, -1] = 0, count
    for row in range(rows):
        out[row, 1:-1] = np.searchsorted(ordered[row], middle[row], side="right")
    return out
