"""Vector tables without activations: rows normalised, nearest vectors, scales of least squared error."""

from dataclasses import dataclass

import numpy as np

from optimum_compile.compiler.errors import InternalError, OptionError
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Vector
from optimum_compile.passes.precision.quantizers.affine.two_level import effective, row_numbers
from optimum_compile.passes.precision.quantizers.groups import (
    LEAST_FACTOR,
    MAX_HALF,
    MIN_SCALE,
    require_finite,
)
from optimum_compile.passes.precision.quantizers.vectors.codebook import CHUNK_SCORES, kmeans

ROUNDS = 6
MAX_POINTS = 1 << 15  # of a tensor that a codebook is learned from


@dataclass(frozen=True)
class Vectors:
    """A matrix cut into groups and vectors: (rows, groups, vectors, width), padded with zeros.

    factors: the same without rows, what an error in each column costs; zero where padded.
    """

    data: np.ndarray
    factors: np.ndarray

    @staticmethod
    def of(weight: np.ndarray, scheme: Vector, importance: np.ndarray | None) -> "Vectors":
        """Cut a matrix (rows, columns), columns a multiple of the width."""
        rows, columns = weight.shape
        size = scheme.group_size(columns)
        groups = scheme.groups(columns)
        shape = (groups, size // scheme.width, scheme.width)
        pad = groups * size - columns
        each = np.ones(columns, np.float32)
        if importance is not None:
            wide = importance.astype(np.float64)
            mean = float(wide.mean())
            wide = wide / mean if mean > 0 else np.ones(columns)
            each = np.maximum(wide, LEAST_FACTOR).astype(np.float32)
        data = np.pad(weight.astype(np.float32), ((0, 0), (0, pad))).reshape(rows, *shape)
        return Vectors(data, np.pad(each, (0, pad)).reshape(shape))


def require_whole(scheme: Vector, columns: int) -> None:
    """Raise OptionError where the columns are no whole vectors."""
    if columns % scheme.width:
        raise OptionError(
            f"{scheme}: vectors of {scheme.width} do not divide {columns} columns; choose another "
            "scheme for this weight (--pin)"
        )


def quantize_vectors(
    weight: np.ndarray,
    scheme: Vector,
    importance: np.ndarray | None = None,
    codebook: np.ndarray | None = None,
    seed: int = 0,
) -> PackedWeight:
    """Quantise a finite (rows, columns) matrix to indices, scales and a codebook.

    `importance` (columns,) are the mean squares of the inputs. A shared `codebook`, fp16
    (entries, width), stays as it is; one of the tensor's own is learned from its normalised vectors.
    Raises OptionError where the columns are no whole vectors.
    """
    require_whole(scheme, weight.shape[1])
    require_finite(weight)
    if scheme.codebook == "shared" and codebook is None:
        raise InternalError(f"{scheme}: the model's codebook is missing")
    cut = Vectors.of(weight, scheme, importance)
    if codebook is None:
        codebook = _learn(cut, scheme, seed)
    spread = root_mean_square(codebook.astype(np.float32))
    wanted = np.sqrt(
        (cut.data * cut.data).sum((2, 3)) / np.maximum(1, (cut.factors > 0).sum((1, 2)))
    )
    scales, supers = _stored(wanted / spread, scheme)
    own = scheme.codebook == "own"
    codes = _nearest(cut, scales, codebook)
    for _ in range(ROUNDS):
        if own:
            codebook = _refitted(cut, scales, codes, codebook)
        scales = _rescaled(cut, codes, codebook, scales, supers, scheme)
        codes = _nearest(cut, scales, codebook)
    flat = codes.reshape(len(weight), -1)[:, : weight.shape[1] // scheme.width]
    return PackedWeight(
        scheme,
        np.ascontiguousarray(flat.astype(np.uint8)),
        scales.astype(np.float16),
        table=codebook.astype(np.float16),
        supers=supers,
    )


def root_mean_square(values: np.ndarray) -> np.float32:
    """Of all numbers, at least the smallest scale."""
    found = np.sqrt(np.mean(values.astype(np.float64) ** 2)) if values.size else 0.0
    return np.float32(max(float(found), float(MIN_SCALE)))


def level(values: np.ndarray) -> np.float32:
    """The power of two next to the root mean square: the size that a codebook is stored in.

    Scales are then numbers around one, and what a linear gives before it is scaled stays in the
    range of fp16.
    """
    power = np.clip(np.rint(np.log2(root_mean_square(values))), -10, 4)
    return np.float32(2.0**power)


def normalised(cut: Vectors) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (n, width) of groups whose root mean square is one, and what each counts (n,).

    Groups of zeros have none. Errors of a group cost by the square of its scale.
    """
    real: np.ndarray = cut.factors > 0
    square: np.ndarray = (cut.data * cut.data).sum((2, 3)) / np.maximum(1, real.sum((1, 2)))
    size = np.sqrt(square)[:, :, None, None]
    points = cut.data / np.maximum(size, np.float32(1e-30))
    mass = square[:, :, None] * cut.factors.mean(-1)[None]
    keep: np.ndarray = np.asarray(real.any(-1))[None] & np.asarray(square > 0)[:, :, None]
    return points[keep], mass[keep]


def _learn(cut: Vectors, scheme: Vector, seed: int) -> np.ndarray:
    points, mass = normalised(cut)
    entries = 1 << scheme.bits
    if not len(points):
        return np.zeros((entries, scheme.width), np.float16)
    if len(points) > MAX_POINTS:
        chosen = np.random.default_rng(seed).choice(len(points), MAX_POINTS, replace=False)
        points, mass = points[chosen], mass[chosen]
    unit = level(cut.data)
    book: np.ndarray = (kmeans(points, mass, entries, seed) * unit).astype(np.float16)
    return book


def _stored(wanted: np.ndarray, scheme: Vector) -> tuple[np.ndarray, np.ndarray | None]:
    """Scales float32 that can be stored (rows, groups), and the numbers of rows of two levels."""
    if not scheme.scale_bits:
        return _half(wanted), None
    supers = row_numbers(wanted, scheme.scale_bits)
    return stored_scales(wanted, supers, scheme), supers


def stored_scales(wanted: np.ndarray, supers: np.ndarray | None, scheme: Vector) -> np.ndarray:
    """The nearest scales (rows, groups) float32 that the scheme stores; none is negative."""
    if supers is None:
        return _half(wanted)
    wide = np.rint(wanted / supers.astype(np.float32)[:, None])
    return effective(np.clip(wide, 0, 2**scheme.scale_bits - 1), supers)


def _half(wanted: np.ndarray) -> np.ndarray:
    out: np.ndarray = np.clip(wanted, 0, MAX_HALF).astype(np.float16).astype(np.float32)
    return out


def _nearest(cut: Vectors, scales: np.ndarray, codebook: np.ndarray) -> np.ndarray:
    """Indices (rows, groups, vectors): of least squared error, weighted within the vector."""
    table = codebook.astype(np.float32)
    rows, groups, count = cut.data.shape[:3]
    out = np.empty((rows, groups, count), np.int64)
    flat = np.sqrt(cut.factors)
    step = max(1, CHUNK_SCORES // len(table))
    for group in range(groups):
        for at in range(count):
            metric = flat[group, at]
            seen = table * metric
            half = (seen * seen).sum(1) / 2
            for begin in range(0, rows, step):
                part = slice(begin, begin + step)
                scale = scales[part, group, None]
                score = (cut.data[part, group, at] * metric) @ seen.T
                score -= scale * half
                out[part, group, at] = score.argmax(1)
    return out


def _refitted(
    cut: Vectors, scales: np.ndarray, codes: np.ndarray, codebook: np.ndarray
) -> np.ndarray:
    """The codebook of least squared error for these indices, fp16."""
    index = codes.ravel()
    size = len(codebook)
    out = codebook.astype(np.float32)
    for at in range(codebook.shape[1]):
        cost = cut.factors[None, :, :, at] * scales[:, :, None]
        below = np.bincount(index, (cost * scales[:, :, None]).ravel(), size)
        above = np.bincount(index, (cost * cut.data[..., at]).ravel(), size)
        out[:, at] = np.where(below > 0, above / np.where(below > 0, below, 1), out[:, at])
    book: np.ndarray = np.clip(out, -MAX_HALF, MAX_HALF).astype(np.float16)
    return book


def _rescaled(
    cut: Vectors,
    codes: np.ndarray,
    codebook: np.ndarray,
    scales: np.ndarray,
    supers: np.ndarray | None,
    scheme: Vector,
) -> np.ndarray:
    """Scales of least squared error for these indices; those that would be negative stay."""
    seen = codebook.astype(np.float32)[codes]
    above = np.einsum("rgvw,rgvw,gvw->rg", seen, cut.data, cut.factors)
    below = np.einsum("rgvw,rgvw,gvw->rg", seen, seen, cut.factors)
    wanted = np.where(below > 0, above / np.where(below > 0, below, 1), scales)
    return stored_scales(np.where(wanted >= 0, wanted, scales), supers, scheme)
