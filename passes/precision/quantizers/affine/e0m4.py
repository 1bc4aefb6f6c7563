"""E0M4: codes that become fp16 numbers by two bitwise operations, on a free range of each group.

The range least .. greatest of a group is laid onto 1 .. 1 + 15/16, where the exponent of fp16 is
constant and its upper four mantissa bits are the code. The grid is uniform: its errors are those of
an unsigned 4-bit grid whose zero point need not be a whole number.
"""

import numpy as np

from optimum_compile.compiler.quant.packed import PackedWeight, e0m4_numbers
from optimum_compile.compiler.quant.scheme import E0M4
from optimum_compile.passes.precision.quantizers.affine.rtn import Clip, ClipSearch
from optimum_compile.passes.precision.quantizers.groups import (
    column_factors,
    each_chunk,
    grouped,
    require_finite,
    to_half,
    ungrouped,
)

LEVELS = np.float32(15)


def quantize_e0m4(
    weight: np.ndarray,
    scheme: E0M4,
    clip: Clip = "mse",
    importance: np.ndarray | None = None,
) -> PackedWeight:
    """Quantise a finite (rows, columns) float32 matrix: w = a * h + c, h = 1 + code / 16.

    a = 16/15 of the range, c = its least number less a, both rounded to fp16 before codes are chosen.
    `importance` (columns,), the mean squares of the inputs where they are known, weighs the errors
    of the search.
    """
    require_finite(weight)
    rows, columns = weight.shape
    codes = np.empty((rows, columns), np.uint8)
    scales = np.empty((rows, scheme.groups(columns)), np.float16)
    offsets = np.empty(scales.shape, np.float16)

    factors = column_factors(importance, columns, scheme.group_size(columns))

    def work(part: slice) -> None:
        w = grouped(weight[part], scheme.group_size(columns))
        bottom, top = w.min(-1), w.max(-1)
        a, c = line_of(bottom, top)
        if clip == "mse":
            a, c = _search(w, factors, bottom, top)
        codes[part] = ungrouped(_codes(w, a, c), columns)
        scales[part], offsets[part] = a, c

    each_chunk(weight.shape, work)
    return PackedWeight(scheme, codes, scales, offsets=offsets)


def line_of(bottom: np.ndarray, top: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The a and c (rows, groups) of a range, float32 that fp16 holds."""
    a = to_half((top - bottom) * np.float32(16 / 15))
    # From the rounded a, so that the middle of the range stays where it is.
    middle = (top + bottom) / 2
    return a, to_half(middle - a * np.float32(1 + 7.5 / 16))


def _search(
    w: np.ndarray, factors: np.ndarray, bottom: np.ndarray, top: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The range of least squared error among those shrunk toward the mean of the group."""
    middle = (w * factors).sum(-1) / factors.sum(-1)
    a, c = line_of(bottom, top)
    best = _squared_error(w, factors, a, c)
    for ratio in ClipSearch().ratios()[1:]:
        tried = line_of(middle + (bottom - middle) * ratio, middle + (top - middle) * ratio)
        error = _squared_error(w, factors, *tried)
        better = error < best
        best = np.where(better, error, best)
        a, c = np.where(better, tried[0], a), np.where(better, tried[1], c)
    return a, c


def _codes(w: np.ndarray, a: np.ndarray, c: np.ndarray) -> np.ndarray:  # -> uint8, shape of w
    step = np.where(a > 0, a, 1)[..., None] / np.float32(16)
    nearest = np.rint((w - c[..., None]) / step - np.float32(16))
    codes: np.ndarray = np.clip(nearest, 0, LEVELS).astype(np.uint8)
    return codes


def _squared_error(w: np.ndarray, factors: np.ndarray, a: np.ndarray, c: np.ndarray) -> np.ndarray:
    error = e0m4_numbers(_codes(w, a, c)) * a[..., None] + c[..., None] - w
    total: np.ndarray = np.einsum("rgs,rgs,gs->rg", error, error, factors)
    return total
