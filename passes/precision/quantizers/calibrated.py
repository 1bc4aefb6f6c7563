"""Quantise one matrix with what calibration saw of its inputs, by the steps of a recipe."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Float, Lut, Nested, Scheme, Sparse, Vector
from optimum_compile.passes.calibrate.moments import Moments
from optimum_compile.passes.calibrate.saliency import row_groups
from optimum_compile.passes.precision.quantizers.affine.rtn import Clip
from optimum_compile.passes.precision.quantizers.feedback.grids import AffineGrid, TableGrid
from optimum_compile.passes.precision.quantizers.feedback.group_descent import descend_groups
from optimum_compile.passes.precision.quantizers.feedback.refit import refit_scales, refit_tables
from optimum_compile.passes.precision.quantizers.feedback.rounding import (
    Feedback,
    damped,
    descend,
    round_with_feedback,
)
from optimum_compile.passes.precision.quantizers.outliers.sparse import quantize_sparse
from optimum_compile.passes.precision.quantizers.recipes import Recipe
from optimum_compile.passes.precision.quantizers.select import quantize_weight
from optimum_compile.passes.precision.quantizers.tables.nested_feedback import nested_with_feedback
from optimum_compile.passes.precision.quantizers.vectors.feedback import (
    VectorSteps,
    vectors_with_feedback,
)

ROUND_SWEEPS = 2


def quantize_calibrated(
    weight: np.ndarray,
    scheme: Scheme,
    seen: Moments,
    recipe: Recipe,
    codebook: np.ndarray | None = None,
) -> PackedWeight:
    """Quantise a finite (rows, columns) float32 matrix to `scheme`; `codebook` as `quantize_weight`."""
    if isinstance(scheme, Float):
        return quantize_weight(weight, scheme)
    if seen.cross is not None and recipe.propagation > 0:
        weight = corrected(weight, seen, recipe.propagation)
    importance = seen.importance.numpy() if recipe.range == "hessian" else None
    clip: Clip = "minmax" if recipe.range == "minmax" else "mse"

    def rounded(matrix: np.ndarray, inner: Scheme) -> PackedWeight:
        start = quantize_weight(matrix, inner, clip, importance, codebook)
        return with_feedback(matrix, start, seen, recipe) if recipe.feedback else start

    if isinstance(scheme, Sparse):
        if scheme.outliers == "scaled":
            return quantize_weight(weight, scheme, clip)
        return quantize_sparse(weight, scheme, rounded, importance)
    return rounded(weight, scheme)


def with_feedback(
    weight: np.ndarray, start: PackedWeight, seen: Moments, recipe: Recipe
) -> PackedWeight:
    """New codes for the grid of `start`, and where the scheme leaves it free, a better grid."""
    if not seen.guided:
        return _fed_back(weight, start, seen.hessian, recipe)
    multiple = start.scheme.rows_per_table if isinstance(start.scheme, Lut | Nested) else 1
    parts = []
    groups = row_groups(len(weight), len(seen.guided), multiple)
    for rows, hessian in zip(groups, seen.guided, strict=False):
        part = start.part(rows.start, rows.stop)
        parts.append(_fed_back(weight[rows], part, hessian, recipe, alone=len(groups) == 1))
    return joined(parts)


def joined(parts: Sequence[PackedWeight]) -> PackedWeight:
    """Runs of rows of one weight, without outliers, put together again."""

    def rows(of: Callable[[PackedWeight], np.ndarray | None]) -> np.ndarray | None:
        found = [array for part in parts if (array := of(part)) is not None]
        return np.concatenate(found) if found else None

    table = rows(lambda p: p.table)
    if isinstance(parts[0].scheme, Vector):
        table = parts[0].table  # one for all rows
    return PackedWeight(
        parts[0].scheme,
        np.concatenate([part.codes for part in parts]),
        scales=rows(lambda p: p.scales),
        supers=rows(lambda p: p.supers),
        zeros=rows(lambda p: p.zeros),
        offsets=rows(lambda p: p.offsets),
        table=table,
    )


def _fed_back(
    weight: np.ndarray, start: PackedWeight, moment: Tensor, recipe: Recipe, alone: bool = True
) -> PackedWeight:
    w = torch.from_numpy(np.ascontiguousarray(weight, np.float32))
    options = Feedback(sweeps=recipe.sweeps)
    if isinstance(start.scheme, Vector):
        steps = VectorSteps(recipe.rounds, ROUND_SWEEPS, codebook=alone)
        return vectors_with_feedback(w, start, moment, options, steps)
    if isinstance(start.scheme, Nested):
        return nested_with_feedback(w, start, moment, options, recipe.rounds)
    grid = TableGrid.of(start) if isinstance(start.scheme, Lut) else AffineGrid.of(start)
    codes = round_with_feedback(w, moment, grid, options)
    hessian = damped(moment, options.damping).float()
    for _ in range(recipe.rounds):
        if isinstance(grid, AffineGrid):
            grid = refit_scales(w, codes, hessian, grid)
            grid = descend_groups(w, codes, hessian, grid)
        else:
            grid = refit_tables(w, codes, hessian, grid)
        codes = descend(w, codes, hessian, grid, ROUND_SWEEPS)
    return grid.packed(codes)


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
