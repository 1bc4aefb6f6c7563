"""Scales of two levels: a code of 6 or 8 bits a group, one fp16 number a row.

Groups of 32 with fp16 scales cost half a bit a weight; with 6-bit codes less than a fifth.
"""

from dataclasses import replace

import numpy as np

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Affine
from optimum_compile.passes.precision.quantizers.groups import (
    MAX_HALF,
    MIN_SCALE,
    column_factors,
    each_chunk,
    grouped,
    require_finite,
    ungrouped,
)
from optimum_compile.passes.precision.quantizers.hqq import HqqOptions, quantize_hqq
from optimum_compile.passes.precision.quantizers.rtn import Clip, grid, quantize_rtn


def quantize_two_level(
    weight: np.ndarray,
    scheme: Affine,
    clip: Clip = "mse",
    importance: np.ndarray | None = None,
) -> PackedWeight:
    """Quantise a finite (rows, columns) float32 matrix to a scheme with scale codes (@u4, @u6, @u8).

    Scales are first chosen freely (by HQQ where zero points are no codes); each then takes the code, among
    the nearest and its neighbours, of least squared error. Zero points stay as they were found.
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
    if free.scales is None:
        raise OptionError(f"{scheme}: no scales")
    supers = row_numbers(free.scales, scheme.scale_bits)
    wanted = free.scales.astype(np.float32) / supers.astype(np.float32)[:, None]
    codes, scales = free.codes, np.empty_like(free.scales)
    columns = weight.shape[1]
    size = scheme.group_size(columns)
    factors = column_factors(importance, columns, size)

    def work(part: slice) -> None:
        w = grouped(weight[part], size)
        zero = np.zeros(w.shape[:2], np.float32)
        if free.zeros is not None:
            zero = free.zeros[part].astype(np.float32)
        scale = _choose(w, factors, wanted[part], supers[part], zero, scheme)
        scales[part] = scale
        codes[part] = ungrouped(np.rint(_codes(w, scale, zero, scheme) + zero[..., None]), columns)

    each_chunk(weight.shape, work)
    return PackedWeight(scheme, codes, scales, free.zeros, supers=supers)


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


def _choose(
    w: np.ndarray,
    factors: np.ndarray,
    wanted: np.ndarray,
    supers: np.ndarray,
    zero: np.ndarray,
    scheme: Affine,
) -> np.ndarray:
    """Scales (rows, groups) of the best code next to the wanted one."""
    top = np.float32(2**scheme.scale_bits - 1)
    best, chosen = np.full(zero.shape, np.inf, np.float32), np.empty(zero.shape, np.float32)
    for step in (0, -1, 1):
        scale = effective(np.clip(np.rint(wanted) + step, 1, top), supers)
        error = _codes(w, scale, zero, scheme) * scale[..., None] - w
        total = np.einsum("rgs,rgs,gs->rg", error, error, factors)
        better = total < best
        best, chosen = np.where(better, total, best), np.where(better, scale, chosen)
    return chosen


def _codes(w: np.ndarray, scale: np.ndarray, zero: np.ndarray, scheme: Affine) -> np.ndarray:
    """Codes less their zero points, shape of `w`."""
    shift = zero[..., None]
    less: np.ndarray = np.clip(np.rint(w / scale[..., None] + shift), *grid(scheme)) - shift
    return less
