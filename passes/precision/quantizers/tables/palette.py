"""Tables: one-dimensional k-means of the weights that share a table (Lloyd's algorithm).

With an importance of the columns (the mean squares of their inputs) it is the weighted k-means of
SqueezeLLM (Kim et al., arXiv 2306.07629) with the layer's Hessian in place of the Fisher information.
All tables of a tensor are refined at once, from two starts that involve no chance: quantiles, and the
best division of every cluster in two, time after time. Each table keeps the better end. Quantiles
neglect the tails (a third more error with 4 bits of a heavy-tailed matrix); at 2 bits either start wins
about half of the tables. Entries are sorted, and rounded to fp16 before the final assignment.
"""

import numpy as np

from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Lut
from optimum_compile.passes.precision.quantizers.groups import to_half
from optimum_compile.passes.precision.quantizers.tables.split import Line, point_factors, split_runs

CHUNK_ELEMENTS = 1 << 20
START_POINTS = 2048  # of a table, at most, among which the start looks for divisions


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
    size, line = 2**scheme.bits, _line(points, importance)
    table = _lloyd(line, _quantiles(line, size), iterations)
    other = _lloyd(line, _divisions(line, scheme.bits), iterations)
    better = _saved(line, other) > _saved(line, table)
    table = np.where(better[:, None], other, table)
    exact = table.astype(np.float32)
    middle = (exact[:, 1:] + exact[:, :-1]) / 2
    codes = np.zeros(points.shape, np.uint8)
    for at in range(size - 1):
        codes += points > middle[:, at : at + 1]
    return table, codes


def _line(points: np.ndarray, importance: np.ndarray | None) -> Line:
    if importance is None:
        return Line.of(np.sort(points, axis=1), None)
    order = np.argsort(points, axis=1, kind="stable")
    mass = point_factors(importance, points.shape[1])[order]
    return Line.of(np.take_along_axis(points, order, axis=1), mass)


def _quantiles(line: Line, size: int) -> np.ndarray:
    """Points in the middle of runs of equal mass: float64 (n, size)."""
    wanted = (np.arange(size) + 0.5) / size
    spots = np.stack([np.searchsorted(m, wanted * m[-1], side="right") - 1 for m in line.masses])
    spots = spots.clip(0, line.values.shape[1] - 1)
    return np.take_along_axis(line.values, spots, axis=1)


def _divisions(line: Line, bits: int) -> np.ndarray:
    """Means of clusters that are divided in two `bits` times, as well as can be: (n, 2^bits)."""
    few = line.thinned(START_POINTS)  # a start needs no more; k-means sees all points
    n, count = few.values.shape
    edges = np.tile(np.array([0, count]), (n, 1))
    for _ in range(bits):
        edges = split_runs(few, edges)
    near = np.take_along_axis(few.values, np.minimum(edges[:, :-1], count - 1), axis=1)
    return np.sort(few.means(edges, near), axis=1)


def _lloyd(line: Line, centers: np.ndarray, iterations: int) -> np.ndarray:
    """Refined centres, sorted and rounded: fp16 (n, size)."""
    for _ in range(iterations):
        edges = _edges(line.values, (centers[:, 1:] + centers[:, :-1]) / 2)
        moved = _reseed(line.values, edges, line.means(edges, centers))
        if np.array_equal(moved, centers):
            break
        centers = moved
    return to_half(np.sort(centers, axis=1)).astype(np.float16)


def _saved(line: Line, table: np.ndarray) -> np.ndarray:
    """Weighted sum of squares less the error with that table: (n,), more is better."""
    centers = table.astype(np.float64)
    edges = _edges(line.values, (centers[:, 1:] + centers[:, :-1]) / 2)
    number, total = line.totals(edges)
    saved: np.ndarray = (centers * (2 * total - centers * number)).sum(axis=1)
    return saved


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
