"""Rounding with error feedback: GPTQ, and coordinate descent after it.

Both minimise tr((W - Q) H (W - Q)^T), the squared error of the layer's outputs on the inputs whose
second moment H = mean of x x^T. GPTQ (Frantar et al., arXiv 2210.17323) rounds one column after the
other and moves what is lost into the columns that are still open; the sweeps then visit every weight
again, with all the others in place.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from optimum_compile.passes.precision.quantizers.feedback.grids import Grid

BLOCK_COLUMNS = 128


@dataclass(frozen=True)
class Feedback:
    """Options of the feedback.

    damping: share of the mean diagonal that is added to the diagonal of H. act_order: columns with
    large inputs first, while the groups of the grid stay where they are ("static groups").
    """

    damping: float = 0.01
    act_order: bool = True
    sweeps: int = 0


def damped(hessian: Tensor, damping: float) -> Tensor:
    """H plus damping, float64 (columns, columns); inputs that never occur get the same floor.

    A Hessian of zeros (no token came this way) becomes the identity: plain rounding.
    """
    out = hessian.double().clone()
    mean = float(out.diagonal().mean())
    out.diagonal().add_(damping * mean if mean > 0 else 1.0)
    return out


def inverse_factor(hessian: Tensor, damping: float) -> Tensor:
    """Upper Cholesky factor of the inverse of H, float32; damps more until it exists."""
    for attempt in range(8):
        matrix = damped(hessian, damping * 10**attempt)
        lower, failed = torch.linalg.cholesky_ex(matrix)
        if failed:
            continue
        upper, failed = torch.linalg.cholesky_ex(torch.cholesky_inverse(lower), upper=True)
        if not failed and torch.isfinite(upper).all():
            return upper.float()
    raise ValueError("the Hessian has no Cholesky factor at any damping")


def column_order(hessian: Tensor, options: Feedback) -> Tensor:
    """In which order columns are rounded: int64 (columns,)."""
    if not options.act_order:
        return torch.arange(len(hessian))
    return torch.argsort(hessian.diagonal(), descending=True, stable=True)


def round_with_feedback(weight: Tensor, hessian: Tensor, grid: Grid, options: Feedback) -> Tensor:
    """Codes (rows, columns) float32 of `weight` (rows, columns) float32.

    hessian: (columns, columns), symmetric, positive semidefinite.
    """
    columns = weight.shape[1]
    order = column_order(hessian, options)
    factor = inverse_factor(hessian[order][:, order], options.damping)
    rest = weight[:, order].clone()
    codes = torch.empty_like(rest)
    for begin in range(0, columns, BLOCK_COLUMNS):
        end = min(begin + BLOCK_COLUMNS, columns)
        block, local = rest[:, begin:end], factor[begin:end, begin:end]
        lost = torch.empty_like(block)
        for at in range(end - begin):
            column = int(order[begin + at])
            codes[:, begin + at], number = grid.nearest(block[:, at], column)
            lost[:, at] = (block[:, at] - number) / local[at, at]
            block[:, at:].addr_(lost[:, at], local[at, at:], alpha=-1)
        rest[:, end:] -= lost @ factor[begin:end, end:]
    out = torch.empty_like(codes)
    out[:, order] = codes
    return descend(weight, out, damped(hessian, options.damping).float(), grid, options.sweeps)


def descend(weight: Tensor, codes: Tensor, hessian: Tensor, grid: Grid, sweeps: int) -> Tensor:
    """Coordinate descent: each weight takes the code that is best with all others fixed.

    The loss never rises; stops early when nothing changes. hessian: float32, positive diagonal.
    """
    columns = weight.shape[1]
    codes = codes.clone()
    diagonal = hessian.diagonal()
    for _ in range(sweeps):
        numbers = grid.numbers(codes)
        slope = (numbers - weight) @ hessian  # half the gradient, (rows, columns)
        moved = 0
        for begin in range(0, columns, BLOCK_COLUMNS):
            end = min(begin + BLOCK_COLUMNS, columns)
            step = torch.zeros_like(weight[:, begin:end])
            block = slope[:, begin:end]
            for at in range(end - begin):
                column = begin + at
                wanted = numbers[:, column] - block[:, at] / diagonal[column]
                code, number = grid.nearest(wanted, column)
                step[:, at] = number - numbers[:, column]
                moved += int((code != codes[:, column]).sum())
                codes[:, column] = code
                block.addr_(step[:, at], hessian[column, begin:end])
            slope[:, end:] += step @ hessian[begin:end, end:]
        if moved == 0:
            break
    return codes


def output_loss(weight: Tensor, numbers: Tensor, hessian: Tensor) -> Tensor:
    """(w - q) H (w - q)^T of every row, float32 (rows,)."""
    error = weight - numbers
    loss: Tensor = ((error @ hessian) * error).sum(1)
    return loss
