"""Scales of two levels: a code of 6 or 8 bits a group, one fp16 number a row.

Groups of 32 with fp16 scales cost half a bit a weight; with 6-bit codes less than a fifth.
"""

from dataclasses import replace

import numpy as np

from optimum_compile.compiler.errors import InternalError, OptionError
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Affine
from optimum_compile.passes.precision.quantizers.affine.hqq import (
    HqqOptions,
    quantize_hqq,
    stored_zero,
)
from optimum_compile.passes.precision.quantizers.affine.rtn import Clip, grid, quantize_rtn
from optimum_compile.passes.precision.quantizers.groups import (
    MAX_HALF,
    MIN_SCALE,
    column_factors,
    each_chunk,
    grouped,
    require_finite,
    ungrouped,
)

# Of the number of a row that gives its greatest scale the greatest code.
PARTS_OF_MOST = (1.0, 0.9, 0.8, 0.7, 0.6)
ROUNDS = 2


def quantize_two_level(
    weight: np.ndarray,
    scheme: Affine,
    clip: Clip = "mse",
    importance: np.ndarray | None = None,
) -> PackedWeight:
    """Quantise a finite (rows, columns) float32 matrix to a scheme with scale codes (@u4, @u6, @u8).

    Scales are first chosen freely (by HQQ where zero points are no codes); each then takes the code, among
    the nearest and its neighbours, of least squared error; zero points follow.
    `importance` as in `quantize_rtn`. Raises OptionError for schemes of one level.
    """
    if not scheme.scale_bits:
        raise OptionError(f"{scheme}: expected scale codes, as int4:g32@u6")
    require_finite(weight)
    one_level = replace(scheme, scale_dtype="f16")
    if scheme.zero_dtype != "int":
        free = quantize_hqq(weight, one_level, HqqOptions(clip), importance)
    else:
        free = quantize_rtn(weight, one_level, clip, importance)
    codes, first, zeros = free.codes, free.scales, free.zeros
    if first is None:
        raise InternalError(f"{scheme}: the weight has no scales")
    most = row_numbers(first, scheme.scale_bits)
    scales, supers = np.empty_like(first), np.empty_like(most)
    columns = weight.shape[1]
    size = scheme.group_size(columns)
    factors = column_factors(importance, columns, size)

    def work(part: slice) -> None:
        w = grouped(weight[part], size)
        wanted = first[part].astype(np.float32)
        zero = np.zeros(wanted.shape, np.float32)
        if zeros is not None:
            zero = zeros[part].astype(np.float32)
        number, scale = _levels(w, factors, wanted, most[part], zero, scheme)
        if zeros is not None:
            for _ in range(ROUNDS):
                zero = _moved(w, factors, scale, zero, scheme)
                scale, _error = _choose(w, factors, scale, number, zero, scheme)
            zeros[part] = zero
        scales[part], supers[part] = scale, number
        codes[part] = ungrouped(np.rint(_codes(w, scale, zero, scheme) + zero[..., None]), columns)

    each_chunk(weight.shape, work)
    return PackedWeight(scheme, codes, scales, zeros, supers=supers)


def row_numbers(scales: np.ndarray, bits: int) -> np.ndarray:
    """The fp16 number of each row (rows,): its greatest scale gets the greatest code.

    Never so small that a scale would lose precision, nor so large that one would be infinite.
    """
    top = np.float32(2**bits - 1)
    wide = np.clip(scales.astype(np.float32).max(1) / top, MIN_SCALE, MAX_HALF / top)
    numbers = wide.astype(np.float16)
    over = numbers.astype(np.float32) * top > MAX_HALF
    supers: np.ndarray = np.where(over, np.nextafter(numbers, np.float16(0)), numbers)
    return supers


def effective(codes: np.ndarray, supers: np.ndarray) -> np.ndarray:
    """The scales (rows, groups) of codes, float32 that fp16 holds: rounded products."""
    product: np.ndarray = codes * supers.astype(np.float32)[:, None]
    return product.astype(np.float16).astype(np.float32)


def _levels(
    w: np.ndarray,
    factors: np.ndarray,
    wanted: np.ndarray,
    most: np.ndarray,
    zero: np.ndarray,
    scheme: Affine,
) -> tuple[np.ndarray, np.ndarray]:
    """The number of each row fp16 (rows,) and its scales (rows, groups), of least squared error.

    A smaller number has finer steps, and clips the groups of the greatest scales.
    """
    best = np.full(len(w), np.inf, np.float32)
    number, scales = most, np.empty_like(wanted)
    for part in PARTS_OF_MOST:
        tried = np.maximum(most.astype(np.float32) * part, MIN_SCALE).astype(np.float16)
        scale, error = _choose(w, factors, wanted, tried, zero, scheme)
        total = error.sum(1)
        better = total < best
        best, number = np.where(better, total, best), np.where(better, tried, number)
        scales = np.where(better[:, None], scale, scales)
    return number, scales


def _choose(
    w: np.ndarray,
    factors: np.ndarray,
    wanted: np.ndarray,
    supers: np.ndarray,
    zero: np.ndarray,
    scheme: Affine,
) -> tuple[np.ndarray, np.ndarray]:
    """Scales and errors (rows, groups) of the best code next to that of the wanted scale."""
    top = np.float32(2**scheme.scale_bits - 1)
    nearest = np.rint(wanted / supers.astype(np.float32)[:, None])
    best, chosen = np.full(zero.shape, np.inf, np.float32), np.empty(zero.shape, np.float32)
    for step in (0, -1, 1):
        scale = effective(np.clip(nearest + step, 1, top), supers)
        error = _squared_error(w, factors, scale, zero, scheme)
        better = error < best
        best, chosen = np.where(better, error, best), np.where(better, scale, chosen)
    return chosen, best


def _moved(
    w: np.ndarray, factors: np.ndarray, scale: np.ndarray, zero: np.ndarray, scheme: Affine
) -> np.ndarray:
    """Zero points (rows, groups) that fit the codes in the mean, where that helps."""
    steps = w / scale[..., None]
    found = _codes(w, scale, zero, scheme) + zero[..., None]
    mean = ((found - steps) * factors).sum(-1) / factors.sum(-1)
    fresh = stored_zero(mean, scheme)
    better = _squared_error(w, factors, scale, fresh, scheme) < _squared_error(
        w, factors, scale, zero, scheme
    )
    return np.where(better, fresh, zero)


def _squared_error(
    w: np.ndarray, factors: np.ndarray, scale: np.ndarray, zero: np.ndarray, scheme: Affine
) -> np.ndarray:
    error = _codes(w, scale, zero, scheme) * scale[..., None] - w
    total: np.ndarray = np.einsum("rgs,rgs,gs->rg", error, error, factors)
    return total


def _codes(w: np.ndarray, scale: np.ndarray, zero: np.ndarray, scheme: Affine) -> np.ndarray:
    """Codes less their zero points, shape of `w`."""
    shift = zero[..., None]
    less: np.ndarray = np.clip(np.rint(w / scale[..., None] + shift), *grid(scheme)) - shift
    return less
