"""Codebooks of vectors by k-means: weighted, seeded, of bounded size."""

import numpy as np

ITERATIONS = 25
START_POINTS = 1 << 14  # of which k-means++ chooses the first centres
CHUNK_SCORES = 1 << 22  # distances that are held at once


def kmeans(
    points: np.ndarray, mass: np.ndarray, entries: int, seed: int = 0, iterations: int = ITERATIONS
) -> np.ndarray:
    """Centres float32 (entries, width) of points float32 (n, width) with weights (n,).

    Begins with k-means++ (Arthur and Vassilvitskii, 2007). Deterministic for a seed. Where there are
    fewer distinct points than entries, the rest of the entries repeat some of them.
    """
    rng = np.random.default_rng(seed)
    usable = mass > 0
    if not usable.any():
        usable, mass = np.ones(len(points), bool), np.ones(len(points))
    points = np.ascontiguousarray(points[usable], np.float32)
    mass = mass[usable].astype(np.float64)
    centres = _first(points, mass, entries, rng)
    for _ in range(iterations):
        index, distance = assign(points, centres)
        moved = _means(points, mass, index, centres)
        moved = _refill(points, mass * distance, index, moved)
        if np.array_equal(moved, centres):
            break
        centres = moved
    return centres


def assign(points: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest centre of each point, int64 (n,), and the squared distances, float32 (n,)."""
    index = np.empty(len(points), np.int64)
    distance = np.empty(len(points), np.float32)
    half = (centres * centres).sum(1) / 2
    step = max(1, CHUNK_SCORES // len(centres))
    for begin in range(0, len(points), step):
        part = points[begin : begin + step]
        score = part @ centres.T
        score -= half
        best = score.argmax(1)
        index[begin : begin + step] = best
        top = np.take_along_axis(score, best[:, None], axis=1)[:, 0]
        distance[begin : begin + step] = np.maximum((part * part).sum(1) - 2 * top, 0)
    return index, distance


def _first(
    points: np.ndarray, mass: np.ndarray, entries: int, rng: np.random.Generator
) -> np.ndarray:
    """Centres to begin with: each next one is drawn by its squared distance to those before."""
    if len(points) > START_POINTS:
        chosen = rng.choice(len(points), START_POINTS, replace=False)
        points, mass = points[chosen], mass[chosen]
    centres = np.empty((entries, points.shape[1]), np.float32)
    distance = np.full(len(points), np.inf)
    weight = mass
    for at in range(entries):
        total = float(weight.sum())
        if total <= 0:  # every point is a centre already
            centres[at:] = centres[np.arange(entries - at) % at]
            break
        drawn = np.searchsorted(np.cumsum(weight), rng.random() * total, side="right")
        centres[at] = points[min(int(drawn), len(points) - 1)]
        apart = points - centres[at]
        distance = np.minimum(distance, (apart * apart).sum(1))
        weight = mass * distance
    return centres


def _means(points: np.ndarray, mass: np.ndarray, index: np.ndarray, old: np.ndarray) -> np.ndarray:
    total = np.bincount(index, mass, len(old))
    sums = [np.bincount(index, mass * column, len(old)) for column in points.T]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.stack(sums, 1) / total[:, None]
    out: np.ndarray = np.where(total[:, None] > 0, means, old).astype(np.float32)
    return out


def _refill(
    points: np.ndarray, lost: np.ndarray, index: np.ndarray, centres: np.ndarray
) -> np.ndarray:
    """Give each centre without points one of the points that lose most."""
    empty = np.flatnonzero(np.bincount(index, minlength=len(centres)) == 0)
    worst = np.argsort(-lost, kind="stable")[: len(empty)]
    worst = worst[lost[worst] > 0]
    out = centres.copy()
    out[empty[: len(worst)]] = points[worst]
    return out
