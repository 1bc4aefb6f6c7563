"""Quantise one matrix with what calibration saw of its inputs, by the steps of a recipe."""

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Affine, Float, Lut, Scheme
from optimum_compile.passes.calibrate.moments import Moments
from optimum_compile.passes.precision.quantizers.feedback import (
    Feedback,
    damped,
    descend,
    round_with_feedback,
)
from optimum_compile.passes.precision.quantizers.grids import AffineGrid, TableGrid
from optimum_compile.passes.precision.quantizers.palette import quantize_palette
from optimum_compile.passes.precision.quantizers.recipes import Recipe
from optimum_compile.passes.precision.quantizers.refit import refit_scales, refit_tables
from optimum_compile.passes.precision.quantizers.rtn import Clip, quantize_rtn
from optimum_compile.passes.precision.quantizers.select import quantize_weight

ROUND_SWEEPS = 2


def quantize_calibrated(
    weight: np.ndarray, scheme: Scheme, seen: Moments, recipe: Recipe
) -> PackedWeight:
    """Quantise a finite (rows, columns) float32 matrix to `scheme`."""
    if isinstance(scheme, Float):
        return quantize_weight(weight, scheme)
    if seen.cross is not None and recipe.propagation > 0:
        weight = corrected(weight, seen, recipe.propagation)
    start = _start(weight, scheme, seen, recipe)
    if not recipe.feedback:
        return start
    w = torch.from_numpy(np.ascontiguousarray(weight, np.float32))
    options = Feedback(sweeps=recipe.sweeps)
    grid = AffineGrid.of(start) if isinstance(scheme, Affine) else TableGrid.of(start)
    codes = round_with_feedback(w, seen.hessian, grid, options)
    hessian = damped(seen.hessian, options.damping).float()
    for _ in range(recipe.rounds):
        if isinstance(grid, AffineGrid):
            grid = refit_scales(w, codes, hessian, grid)
        else:
            grid = refit_tables(w, codes, hessian, grid)
        codes = descend(w, codes, hessian, grid, ROUND_SWEEPS)
    return grid.packed(codes)


def _start(weight: np.ndarray, scheme: Affine | Lut, seen: Moments, recipe: Recipe) -> PackedWeight:
    importance = seen.importance.numpy() if recipe.range == "hessian" else None
    if isinstance(scheme, Lut):
        return quantize_palette(weight, scheme, importance)
    clip: Clip = "minmax" if recipe.range == "minmax" else "mse"
    return quantize_rtn(weight, scheme, clip, importance)


def corrected(weight: np.ndarray, seen: Moments, strength: float) -> np.ndarray:
    """QEP (arXiv 2504.09629): weights that undo part of the error that is in their inputs already.

    W + strength * W C (H + I * mean diagonal)^-1, with C = mean of (x_float - x) x^T.
    """
    if seen.cross is None:
        return weight
    matrix: Tensor = damped(seen.hessian, 1.0)
    pull = torch.linalg.solve(matrix, seen.cross.double().T).T  # C H^-1, H symmetric
    w = torch.from_numpy(np.ascontiguousarray(weight, np.float32)).double()
    moved: np.ndarray = (w + strength * (w @ pull)).float().numpy()
    return moved
