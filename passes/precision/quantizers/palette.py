"""Tables: one-dimensional k-means of the weights that share a table (Lloyd's algorithm).

All tables of a tensor are refined at once. Starting points are quantiles, so the result is
deterministic; entries are sorted, and rounded to fp16 before the final assignment.
"""

import numpy as np

from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Lut

CHUNK_ELEMENTS = 1 << 20


def quantize_palette(weight: np.ndarray, scheme: Lut, iterations: int = 20) -> PackedWeight:
    """Quantise (rows, columns) float32 to indices and fp16 tables."""
    rows, columns = weight.shape
    per = scheme.rows_per_table
    codes = np.empty((rows, columns), np.uint8)
    table = np.empty((scheme.tables(rows), 2**scheme.bits), np.float16)
    full = rows // per
    step = max(1, CHUNK_ELEMENTS // (per * columns))
    for begin in range(0, full, step):
        end = min(full, begin + step)
        block = weight[begin * per : end * per].astype(np.float32).reshape(end - begin, -1)
        found, index = _kmeans(block, 2**scheme.bits, iterations)
        table[begin:end] = found
        codes[begin * per : end * per] = index.reshape(-1, columns)
    if full * per < rows:  # the last table serves fewer rows
        block = weight[full * per :].astype(np.float32).reshape(1, -1)
        found, index = _kmeans(block, 2**scheme.bits, iterations)
        table[full:] = found
        codes[full * per :] = index.reshape(-1, columns)
    return PackedWeight(scheme, codes, table=table)


def _kmeans(points: np.ndarray, size: int, iterations: int) -> tuple[np.ndarray, np.ndarray]:
    """Tables (n, size) fp16 sorted, and indices (n, count) uint8, for points (n, count)."""
    ordered = np.sort(points, axis=1)
    count = ordered.shape[1]
    # Sums of runs come from prefix sums: one pass costs O(size) a table, not O(count).
    total = np.concatenate(
        [np.zeros((len(points), 1)), np.cumsum(ordered, axis=1, dtype=np.float64)], axis=1
    )
    spots = ((np.arange(size) + 0.5) / size * count).astype(int).clip(0, count - 1)
    centers = ordered[:, spots].astype(np.float64)
    for _ in range(iterations):
        edges = _edges(ordered, (centers[:, 1:] + centers[:, :-1]) / 2)
        number = np.diff(edges, axis=1)
        sums = np.diff(np.take_along_axis(total, edges, axis=1), axis=1)
        moved = np.where(number > 0, sums / np.maximum(number, 1), centers)
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
