"""Coordinate descent over the grid itself: the scale and the zero point of one group after the other.

The counterpart of `rounding.descend` for what the codes are read with. Each step takes the stored value
(an fp16 number, or a code of 4 to 8 bits times the number of its row) that is next to the optimum under
the Hessian with everything else fixed, and keeps it where the loss falls.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.quant.scheme import Affine
from optimum_compile.passes.precision.quantizers.affine.hqq import stored_zero
from optimum_compile.passes.precision.quantizers.affine.rtn import store_scale
from optimum_compile.passes.precision.quantizers.affine.two_level import effective
from optimum_compile.passes.precision.quantizers.feedback.grids import AffineGrid

TINY = 1e-20


def descend_groups(weight: Tensor, codes: Tensor, hessian: Tensor, grid: AffineGrid) -> AffineGrid:
    """A grid that loses no more than `grid` on `weight` (rows, columns) with these codes.

    hessian: float32 (columns, columns). Grids that are no `Affine` come back as they are.
    """
    scheme = grid.start.scheme
    if not isinstance(scheme, Affine):
        return grid
    scales, zeros = grid.scales.clone(), grid.zeros.clone()
    slope = (grid.numbers(codes) - weight) @ hessian  # half the gradient (rows, columns)
    columns, size = weight.shape[1], grid.group_size
    for group in range(scales.shape[1]):
        here = slice(group * size, min(columns, (group + 1) * size))
        local = hessian[here, here]
        steps = codes[:, here] - zeros[:, group, None]
        change = _scale_change(scheme, grid, scales[:, group], steps, slope[:, here], local)
        scales[:, group] += change
        slope += (change[:, None] * steps) @ hessian[here]
        if scheme.symmetric:
            continue
        pull = torch.ones_like(steps) * -scales[:, group, None]
        change = _zero_change(scheme, zeros[:, group], pull, slope[:, here], local)
        zeros[:, group] += change
        slope += (change[:, None] * pull) @ hessian[here]
    return replace(grid, scales=scales, zeros=zeros)


def _scale_change(
    scheme: Affine, grid: AffineGrid, scale: Tensor, steps: Tensor, slope: Tensor, local: Tensor
) -> Tensor:
    wanted, bend, tilt = optimum(scale, steps, slope, local)
    if scheme.scale_bits:
        supers = grid.start.supers
        if supers is None:
            return torch.zeros_like(scale)
        top = 2**scheme.scale_bits - 1
        level = np.rint(wanted.numpy() / supers.astype(np.float32))
        stored = effective(np.clip(level, 1, top)[:, None], supers)[:, 0]
    else:
        stored = store_scale(np.maximum(wanted.numpy(), 0), scheme)
    return kept(torch.from_numpy(np.ascontiguousarray(stored)) - scale, bend, tilt)


def _zero_change(
    scheme: Affine, zero: Tensor, pull: Tensor, slope: Tensor, local: Tensor
) -> Tensor:
    wanted, bend, tilt = optimum(zero, pull, slope, local)
    if scheme.zero_dtype == "int":
        stored = np.clip(np.rint(wanted.numpy()), 0, 2**scheme.bits - 1)
    else:
        stored = stored_zero(wanted.numpy(), scheme)
    return kept(torch.from_numpy(np.ascontiguousarray(stored, np.float32)) - zero, bend, tilt)


def optimum(
    value: Tensor, direction: Tensor, slope: Tensor, local: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Where the loss is least along a direction, and its second and half first derivative."""
    bend = ((direction @ local) * direction).sum(1)
    tilt = (slope * direction).sum(1)
    moved = torch.where(bend > TINY, value - tilt / bend.clamp_min(TINY), value)
    return moved, bend, tilt


def kept(change: Tensor, bend: Tensor, tilt: Tensor) -> Tensor:
    """The change where it lowers the loss, 2 * tilt * d + bend * d^2, and is a number."""
    gain = 2 * tilt * change + bend * change * change
    return torch.where((gain < 0) & torch.isfinite(gain), change, torch.zeros_like(change))
