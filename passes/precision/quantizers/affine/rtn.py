"""Round-to-nearest onto an integer grid, with the range from min/max or from an MSE search.

Pure functions on numpy arrays. The MSE search shrinks the range of each group by fixed ratios and
keeps the one with the least squared error, as llama.cpp's and GPTQ's scale searches do.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np

from optimum_compile.compiler.ir.dtype import round_to_bf16
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Affine

Clip = Literal["minmax", "mse"]
# The least normal fp16 number: smaller scales would lose precision, or become zero.
MIN_SCALE = np.float32(2.0**-14)
MAX_SCALE = np.float32(65504.0)
# Small enough for the second-level cache: the search passes over a chunk many times.
CHUNK_ELEMENTS = 1 << 16


@dataclass(frozen=True)
class ClipSearch:
    """Ratios of the full range that the MSE search tries."""

    lowest: float = 0.3
    steps: int = 36

    def ratios(self) -> np.ndarray:
        """From 1 downwards."""
        return np.linspace(1.0, self.lowest, self.steps, dtype=np.float32)


def grid(scheme: Affine) -> tuple[int, int]:
    """Least and greatest code.

    Symmetric 8-bit codes stop at -127: integer kernels may negate them in 8 bits.
    """
    if not scheme.symmetric:
        return 0, 2**scheme.bits - 1
    high = 2 ** (scheme.bits - 1) - 1
    return (-high if scheme.bits == 8 else -high - 1), high


def quantize_rtn(
    weight: np.ndarray,
    scheme: Affine,
    clip: Clip = "mse",
    importance: np.ndarray | None = None,
) -> PackedWeight:
    """Quantise (rows, columns) float32 to `scheme`.

    `importance` (columns,) weighs the squared errors of the search: the mean squares of the inputs
    make it the diagonal of the layer's Hessian. All-zero groups get the least scale and zero codes.
    Weights must be finite.
    """
    rows, columns = weight.shape
    size = scheme.group_size(columns)
    groups = scheme.groups(columns)
    dtype = np.int8 if scheme.symmetric else np.uint8
    codes = np.empty((rows, columns), dtype)
    scales = np.empty((rows, groups), np.float16)
    zeros = None if scheme.symmetric else np.empty((rows, groups), np.uint8)
    step = max(1, CHUNK_ELEMENTS // max(1, groups * size))
    factors = _factors(importance, columns, size, groups)

    def work(begin: int) -> None:
        part = slice(begin, min(rows, begin + step))
        grouped = _grouped(weight[part], size, groups)
        c, s, z = _quantize_groups(grouped, factors, scheme, clip)
        codes[part] = c.reshape(len(grouped), groups * size)[:, :columns]
        scales[part] = s
        if zeros is not None:
            zeros[part] = z

    # Every chunk writes rows of its own, so the order of the threads does not matter.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(work, range(0, rows, step)))
    return PackedWeight(scheme, codes, scales=scales, zeros=zeros)


def _grouped(weight: np.ndarray, size: int, groups: int) -> np.ndarray:
    """Pad the last group with zeros: (rows, groups, size)."""
    rows, columns = weight.shape
    data = np.pad(weight.astype(np.float32), ((0, 0), (0, groups * size - columns)))
    return data.reshape(rows, groups, size)


def _factors(
    importance: np.ndarray | None, columns: int, size: int, groups: int
) -> np.ndarray | None:
    """What an error in each column is multiplied with (groups, size); None where all are one."""
    if importance is None and columns == groups * size:
        return None
    given = np.ones(columns) if importance is None else np.asarray(importance, np.float64)
    mean = float(given.mean()) or 1.0
    factors = np.sqrt(given / mean).astype(np.float32)
    return np.pad(factors, (0, groups * size - columns)).reshape(groups, size)


def store_scale(scale: np.ndarray, scheme: Affine) -> np.ndarray:
    """Clamp to what fp16 holds, and round to the stored type; float32 result."""
    scale = np.clip(scale, MIN_SCALE, MAX_SCALE)
    if scheme.scale_dtype == "bf16":
        scale = np.clip(round_to_bf16(scale), MIN_SCALE, np.float32(65280.0))
    return scale.astype(np.float16).astype(np.float32)


def _quantize_groups(
    w: np.ndarray, factors: np.ndarray | None, scheme: Affine, clip: Clip
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes (rows, groups, size), scales and zero points (rows, groups)."""
    bottom, top = w.min(-1), w.max(-1)
    scale, zero = _scale_for(bottom, top, scheme)
    if clip == "mse":
        scratch = np.empty_like(w)
        best = _squared_error(w, factors, scale, zero, scheme, scratch)
        for ratio in ClipSearch().ratios()[1:]:
            tried = _scale_for(bottom * ratio, top * ratio, scheme)
            error = _squared_error(w, factors, *tried, scheme, scratch)
            better = error < best
            np.copyto(best, error, where=better)
            np.copyto(scale, tried[0], where=better)
            np.copyto(zero, tried[1], where=better)
    codes = _codes(w, scale, zero, scheme, np.empty_like(w)) + zero[..., None]
    return codes.astype(np.int16), scale.astype(np.float16), zero.astype(np.uint8)


def _scale_for(
    bottom: np.ndarray, top: np.ndarray, scheme: Affine
) -> tuple[np.ndarray, np.ndarray]:
    """Scale and zero point (rows, groups) of the range bottom .. top, which always includes zero."""
    low, high = grid(scheme)
    if scheme.symmetric:
        scale = store_scale(np.maximum(top, -bottom) / np.float32(high), scheme)
        return scale, np.zeros_like(scale)
    top, bottom = np.maximum(top, 0), np.minimum(bottom, 0)
    scale = store_scale((top - bottom) / np.float32(high - low), scheme)
    return scale, np.clip(np.rint(-bottom / scale), low, high)


def _codes(
    w: np.ndarray, scale: np.ndarray, zero: np.ndarray, scheme: Affine, out: np.ndarray
) -> np.ndarray:
    """Codes less their zero points (rows, groups, size) float32, written into `out`."""
    low, high = grid(scheme)
    np.divide(w, scale[..., None], out=out)
    np.rint(out, out=out)
    if scheme.symmetric:
        np.clip(out, low, high, out=out)
    else:
        np.clip(out, (low - zero)[..., None], (high - zero)[..., None], out=out)
    return out


def _squared_error(
    w: np.ndarray,
    factors: np.ndarray | None,
    scale: np.ndarray,
    zero: np.ndarray,
    scheme: Affine,
    scratch: np.ndarray,
) -> np.ndarray:
    """Sum of squared, weighted rounding errors of each group (rows, groups)."""
    error = _codes(w, scale, zero, scheme, scratch)
    error *= scale[..., None]
    error -= w
    if factors is not None:
        error *= factors
    total: np.ndarray = np.einsum("rgs,rgs->rg", error, error)
    return total
