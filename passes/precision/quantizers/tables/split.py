"""The best division of sorted runs of numbers in two: weighted 2-means, exactly, by prefix sums.

In one dimension the best halves of a cluster are those of its sorted run, and the sums before every
point give the error of all divisions at once. All runs of all tables are divided together.
"""

from dataclasses import dataclass

import numpy as np

from optimum_compile.passes.precision.quantizers.groups import to_half

BLOCK_ELEMENTS = 1 << 15  # of which all intermediate results fit the cache
LEAST_FACTOR = 1e-3


@dataclass(frozen=True)
class Line:
    """Points of n tables in order, with what comes before each.

    values: float64 (n, count), for numpy would convert them at every search; masses and sums: float64
    (n, count + 1), of the weights and of the weighted values before each point, and of all of them.
    """

    values: np.ndarray
    masses: np.ndarray
    sums: np.ndarray

    @staticmethod
    def of(values: np.ndarray, mass: np.ndarray | None) -> "Line":
        """Points (n, count) with weights (n, count), or all 1."""
        values = values.astype(np.float64)
        if mass is None:
            shape = (len(values), values.shape[1] + 1)
            masses = np.broadcast_to(np.arange(shape[1], dtype=np.float64), shape)
            return Line(values, masses, _prefix(values))
        return Line(values, _prefix(mass), _prefix(values * mass))

    def totals(self, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights and weighted sums of runs between `edges` (n, runs + 1): (n, runs) each."""
        number = np.diff(np.take_along_axis(self.masses, edges, axis=1), axis=1)
        return number, np.diff(np.take_along_axis(self.sums, edges, axis=1), axis=1)

    def means(self, edges: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
        """Means of runs between `edges`, and for empty runs `otherwise`: float64 (n, runs)."""
        number, total = self.totals(edges)
        filled = number > 0
        return np.where(filled, total / np.where(filled, number, 1), otherwise)

    def thinned(self, count: int) -> "Line":
        """About `count` of the points, each of which stands for those up to the next one."""
        own = self.values.shape[1]
        if own <= count:
            return self
        kept = np.arange(count + 1) * own // count
        return Line(self.values[:, kept[:-1]], self.masses[:, kept], self.sums[:, kept])


def point_factors(importance: np.ndarray | None, count: int) -> np.ndarray:
    """Weights of `count` points, rows after each other, from the importance of columns: float64."""
    if importance is None:
        return np.ones(count)
    # Inputs that never occur still count a little: their weights need some entry.
    floor = float(importance.mean()) * LEAST_FACTOR or 1.0
    return np.tile(np.maximum(importance.astype(np.float64), floor), count // len(importance))


def split_clusters(
    points: np.ndarray, codes: np.ndarray, table: np.ndarray, importance: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """One bit more: codes uint8 (n, count) and tables fp16 (n, 2 * entries).

    points (n, count) share n tables (n, entries), whose codes are (n, count); count is a multiple of
    the length of `importance`. Cluster c becomes 2c (the smaller numbers) and 2c + 1, with the least
    weighted squared error. Where there is nothing to divide, both entries are equal and 2c keeps all.
    """
    count, size = points.shape[1], table.shape[1]
    order = np.lexsort((points, codes), axis=1)
    ordered = np.take_along_axis(points, order, axis=1)
    line = Line.of(ordered, point_factors(importance, count)[order])
    ends = np.cumsum(_histogram(codes, size), axis=1)
    edges = np.concatenate([np.zeros((len(points), 1), np.int64), ends], axis=1)
    fine = split_runs(line, edges)
    centers = line.means(fine, np.repeat(table.astype(np.float64), 2, axis=1))
    # A half without weights repeats the other one.
    pairs = centers.reshape(len(points), size, 2)
    kept = (np.diff(fine, axis=1) > 0).reshape(len(points), size, 2)
    lone = kept.sum(axis=2) == 1
    pairs[lone] = np.where(kept[lone], pairs[lone], pairs[lone][:, ::-1])
    fresh = np.empty(points.shape, np.uint8)
    ids = np.repeat(np.tile(np.arange(2 * size), len(points)), np.diff(fine, axis=1).reshape(-1))
    np.put_along_axis(fresh, order, ids.reshape(points.shape).astype(np.uint8), axis=1)
    return fresh, to_half(centers).astype(np.float16)


def split_runs(line: Line, edges: np.ndarray) -> np.ndarray:
    """Edges (n, runs + 1) with the best inner edge of each run between them: (n, 2 * runs + 1).

    Points are sorted inside each run. Equal points stay together; a run with nothing to divide gets
    its end as the inner edge. Among equally good divisions the first one is taken.
    """
    n, count = line.values.shape
    out = np.empty((n, 2 * edges.shape[1] - 1), np.int64)
    step = max(1, BLOCK_ELEMENTS // count)
    for begin in range(0, n, step):
        here = slice(begin, begin + step)
        part = Line(line.values[here], line.masses[here], line.sums[here])
        out[here, 0::2], out[here, 1::2] = edges[here], _inner_edges(part, edges[here])
    return out


def _inner_edges(line: Line, edges: np.ndarray) -> np.ndarray:  # -> int64 (n, runs)
    n, count = line.values.shape
    lengths = np.diff(edges, axis=1).reshape(-1)
    filled = np.flatnonzero(lengths)
    starts = (edges[:, :-1] + np.arange(n)[:, None] * count).reshape(-1)

    def spread(numbers: np.ndarray) -> np.ndarray:  # of runs to their points
        return np.repeat(numbers.reshape(-1), lengths).reshape(n, count)

    before = np.take_along_axis(line.masses, edges[:, :-1], axis=1)
    number, _ = line.totals(edges)
    mean = line.means(edges, np.zeros(number.shape))
    offset = np.take_along_axis(line.sums, edges[:, :-1], axis=1) - mean * before
    # Halves L and R of a run with mass M save (sum of L - mass of L * mean)^2 * M / (mass L * mass R).
    saved = line.sums[:, :-1] - spread(offset) - spread(mean) * line.masses[:, :-1]
    saved *= saved
    left = line.masses[:, :-1] - spread(before)
    divisor = (spread(number) - left) * left
    divides = np.zeros((n, count), bool)
    np.greater(line.values[:, 1:], line.values[:, :-1], out=divides[:, 1:])
    divides.reshape(-1)[starts[filled]] = False  # the first point of a run divides nothing
    gain = np.full((n, count), -1.0)
    gain = np.divide(saved, divisor, out=gain, where=divides).reshape(-1)
    best = np.maximum.reduceat(gain, starts[filled])
    hits = np.flatnonzero(gain == np.repeat(best, lengths[filled]))
    hits = hits[divides.reshape(-1)[hits]][::-1]  # the first hit is written last
    inner = edges[:, 1:].reshape(-1).copy()
    inner[np.searchsorted(starts, hits, side="right") - 1] = hits % count
    return inner.reshape(n, -1)


def _prefix(values: np.ndarray) -> np.ndarray:
    """Prefix sums along the last axis, beginning with zero: float64."""
    out = np.zeros((len(values), values.shape[1] + 1))
    np.cumsum(values, axis=1, dtype=np.float64, out=out[:, 1:])
    return out


def _histogram(codes: np.ndarray, size: int) -> np.ndarray:
    """How many codes of each row are 0 .. size - 1: int64 (rows, size)."""
    keys = codes.astype(np.int64) + size * np.arange(len(codes))[:, None]
    return np.bincount(keys.reshape(-1), minlength=size * len(codes)).reshape(-1, size)
