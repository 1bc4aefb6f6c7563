"""HQQ: half-quadratic quantisation, which moves zero points and needs no activations.

Minimises the sum of |w - scale * (code - zero)|^p with p < 1, which forgives few large errors where
squares would not, by splitting the error into a part that is shrunk and a zero point in closed form.
Scales stay those of the range (Badri and Shaji, 2023, https://mobiusml.github.io/hqq_blog).
"""

from dataclasses import dataclass

import numpy as np

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Affine
from optimum_compile.passes.precision.quantizers.affine.rtn import Clip, ClipSearch
from optimum_compile.passes.precision.quantizers.groups import (
    MIN_SCALE,
    column_factors,
    each_chunk,
    grouped,
    require_finite,
    to_half,
    ungrouped,
)

# A group whose range is far smaller than its numbers would need zero points that fp16 cannot tell
# apart: its scale is at least that of a range of a sixteenth of its largest number.
LEAST_RANGE = np.float32(1 / 16)


@dataclass(frozen=True)
class HqqOptions:
    """The published defaults. `beta` is relative to the scale of a group, not to the weights.

    The published form applies beta to the weights themselves, so that its result changes when a
    layer is multiplied with a number; errors in units of a step do not depend on that.

    `clip` "minmax" begins with the full range, as published; "mse" with the range of least squared
    error, which matters below 4 bits: HQQ itself never moves a scale.
    """

    clip: Clip = "minmax"
    norm: float = 0.7
    beta: float = 10.0
    growth: float = 1.01
    iterations: int = 20

    def __post_init__(self) -> None:
        if not 0 < self.norm <= 1:
            raise OptionError(f"hqq norm {self.norm}: expected more than 0, at most 1")
        if self.beta <= 0 or self.growth < 1 or self.iterations < 0:
            raise OptionError(
                f"hqq beta {self.beta}, growth {self.growth}, iterations {self.iterations}: "
                "expected a positive beta, a growth of at least 1 and no negative number"
            )


def quantize_hqq(
    weight: np.ndarray,
    scheme: Affine,
    options: HqqOptions | None = None,
    importance: np.ndarray | None = None,
) -> PackedWeight:
    """Quantise a finite (rows, columns) float32 matrix to an unsigned grid of one-level scales.

    Zero points of the type "int" are rounded, so they move by whole steps only: most of the gain
    needs "f16", or "u4" and "u6" for fewer bytes. A group keeps the best zero point it has seen.
    `importance` (columns,), the mean squares of the inputs where they are known, weighs the errors.
    Raises OptionError for other schemes.
    """
    if scheme.symmetric or scheme.scale_bits or scheme.scale_dtype != "f16":
        raise OptionError(f"hqq moves zero points: expected a scheme as uint4:g64, not {scheme}")
    require_finite(weight)
    chosen = options or HqqOptions()
    rows, columns = weight.shape
    codes = np.empty((rows, columns), np.uint8)
    scales = np.empty((rows, scheme.groups(columns)), np.float16)
    zeros = np.empty(scales.shape, np.uint8 if scheme.zero_dtype == "int" else np.float16)

    factors = column_factors(importance, columns, scheme.group_size(columns))

    def work(part: slice) -> None:
        w = grouped(weight[part], scheme.group_size(columns))
        scale, zero = _start(w, factors, scheme, chosen.clip)
        zero = _settle(w / scale[..., None], factors, zero, scheme, chosen)
        codes[part] = ungrouped(_codes(w / scale[..., None], zero, scheme), columns)
        scales[part], zeros[part] = scale, zero

    each_chunk(weight.shape, work)
    return PackedWeight(scheme, codes, scales, zeros)


def _start(
    w: np.ndarray, factors: np.ndarray, scheme: Affine, clip: Clip
) -> tuple[np.ndarray, np.ndarray]:
    """Scales and zero points (rows, groups) of the full range, or of the best part of it."""
    top, bottom = w.max(-1), w.min(-1)
    if scheme.zero_dtype != "f16":  # the grid has to hold zero
        top, bottom = np.maximum(top, 0), np.minimum(bottom, 0)
    scale, zero = _grid_of(bottom, top, scheme)
    if clip == "minmax":
        return scale, zero
    best = _squared_error(w, factors, scale, zero, scheme)
    for ratio in ClipSearch().ratios()[1:]:
        tried = _grid_of(bottom * ratio, top * ratio, scheme)
        error = _squared_error(w, factors, *tried, scheme)
        better = error < best
        best = np.where(better, error, best)
        scale, zero = np.where(better, tried[0], scale), np.where(better, tried[1], zero)
    return scale, zero


def _grid_of(bottom: np.ndarray, top: np.ndarray, scheme: Affine) -> tuple[np.ndarray, np.ndarray]:
    least = np.maximum(np.abs(top), np.abs(bottom)) * LEAST_RANGE
    levels = np.float32(2**scheme.bits - 1)
    scale = to_half(np.maximum(np.maximum(top - bottom, least) / levels, MIN_SCALE))
    return scale, stored_zero(-bottom / scale, scheme)


def _squared_error(
    w: np.ndarray, factors: np.ndarray, scale: np.ndarray, zero: np.ndarray, scheme: Affine
) -> np.ndarray:
    steps = w / scale[..., None]
    error = (_codes(steps, zero, scheme) - zero[..., None] - steps) * scale[..., None]
    total: np.ndarray = np.einsum("rgs,rgs,gs->rg", error, error, factors)
    return total


def stored_zero(zero: np.ndarray, scheme: Affine) -> np.ndarray:
    """The nearest zero points that the scheme stores, float32."""
    if scheme.zero_dtype == "f16":
        return to_half(zero)
    step = np.float32(scheme.zero_step)
    codes: np.ndarray = np.clip(np.rint(zero / step), 0, 2**scheme.zero_bits - 1)
    return codes * step


def _codes(steps: np.ndarray, zero: np.ndarray, scheme: Affine) -> np.ndarray:
    """Codes of weights in units of their scale."""
    codes: np.ndarray = np.clip(np.rint(steps + zero[..., None]), 0, 2**scheme.bits - 1)
    return codes


def _settle(
    steps: np.ndarray, factors: np.ndarray, zero: np.ndarray, scheme: Affine, options: HqqOptions
) -> np.ndarray:
    """The best zero points (rows, groups) of the iteration, for weights in units of their scale."""
    total = factors.sum(-1)
    best_zero = zero
    best = np.full(zero.shape, np.inf, np.float32)
    beta = options.beta
    exact = zero
    for _ in range(options.iterations + 1):
        stored = stored_zero(exact, scheme)
        found = _codes(steps, stored, scheme)
        error = steps - (found - stored[..., None])
        loss = (np.abs(error) ** options.norm * factors).sum(-1)
        better = loss < best
        best, best_zero = np.where(better, loss, best), np.where(better, stored, best_zero)
        apart = _shrink(error, beta, options.norm)
        # What remains is a least squares problem: the zero point is the mean of code - weight.
        exact = ((found - steps + apart) * factors).sum(-1) / total
        beta *= options.growth
    return best_zero


def _shrink(error: np.ndarray, beta: float, norm: float) -> np.ndarray:
    """The generalised soft threshold: sign(x) max(0, |x| - |x|^(p - 1) / beta)."""
    size = np.abs(error)
    with np.errstate(divide="ignore"):
        threshold = size ** (norm - 1) / beta
    kept: np.ndarray = np.sign(error) * np.maximum(size - threshold, 0)
    return kept
