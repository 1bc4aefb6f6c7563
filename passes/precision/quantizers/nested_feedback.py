"""Nested tables with error feedback: one code a weight, chosen for all widths at once.

Codes that are best for few bits leave the wider tables scattered clusters to divide, and codes that are
best for many bits halve badly. So every width keeps its own account of what rounding lost: each weight
takes the code with the least sum of all widths' losses, and each width then moves its own error into
the columns that are still open. Coordinate descent and refitted tables follow, as for one palette.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.quant.nested import at_width
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Nested
from optimum_compile.passes.precision.quantizers.feedback import (
    BLOCK_COLUMNS,
    Feedback,
    column_order,
    damped,
    inverse_factor,
    output_loss,
)
from optimum_compile.passes.precision.quantizers.grids import TableGrid
from optimum_compile.passes.precision.quantizers.refit import refit_tables

ROUND_SWEEPS = 2
# (rows, entries) work arrays are cut into runs of rows of this many elements.
CHUNK_ELEMENTS = 1 << 21
LEAST_SHARE = 1e-9


def nested_with_feedback(
    weight: Tensor, start: PackedWeight, moment: Tensor, options: Feedback, rounds: int
) -> PackedWeight:
    """New codes and tables for `weight` (rows, columns) float32, from a nested `start` of it.

    moment: (columns, columns), as for `round_with_feedback`. rounds: alternations of coordinate descent
    with refitted tables.
    """
    scheme = start.scheme
    if not isinstance(scheme, Nested):
        raise ValueError(f"{scheme}: not a nested scheme")
    grids = [TableGrid.of(at_width(start, width)) for width in scheme.widths]
    hessian = damped(moment, options.damping).float()
    codes = torch.from_numpy(start.codes.astype(np.int64))
    codes = round_together(weight, codes, moment, grids, options)
    codes = descend_together(weight, codes, hessian, grids, options.sweeps)
    for _ in range(rounds):
        grids = [
            refit_tables(weight, leading(codes, grids, g), hessian, g, ordered=False) for g in grids
        ]
        codes = descend_together(weight, codes, hessian, grids, ROUND_SWEEPS)
    table = torch.cat([grid.tables for grid in grids], dim=1).numpy().astype(np.float16)
    return PackedWeight(scheme, codes.numpy().astype(np.uint8), table=table)


def round_together(
    weight: Tensor, codes: Tensor, moment: Tensor, grids: Sequence[TableGrid], options: Feedback
) -> Tensor:
    """GPTQ for all widths: codes int64 (rows, columns) of the widest.

    grids: of every width, the narrowest first. A width's loss counts in parts of what it is for the
    codes that are given.
    """
    shares = _shares(weight, codes, damped(moment, options.damping).float(), grids)
    order = column_order(moment, options)
    factor = inverse_factor(moment[order][:, order], options.damping)
    out = torch.empty_like(codes)
    for rows in _runs(grids, len(weight)):
        found = _round_rows(weight[rows][:, order], factor, _meanings(grids, rows), shares)
        out[rows.start : rows.stop, order] = found
    return out


def _round_rows(
    weight: Tensor, factor: Tensor, meanings: Sequence[Tensor], shares: Tensor
) -> Tensor:
    """Codes of some rows, whose columns are in the order of rounding."""
    columns = weight.shape[1]
    codes = torch.empty(weight.shape, dtype=torch.int64)
    rests = [weight.clone() for _ in meanings]
    for begin in range(0, columns, BLOCK_COLUMNS):
        end = min(begin + BLOCK_COLUMNS, columns)
        local = factor[begin:end, begin:end]
        blocks = [rest[:, begin:end] for rest in rests]
        lost = [torch.empty_like(block) for block in blocks]
        for at in range(end - begin):
            best = _least(meanings, [block[:, at] for block in blocks], shares)
            codes[:, begin + at] = best[:, 0]
            for means, block, gone in zip(meanings, blocks, lost, strict=True):
                gone[:, at] = (block[:, at] - means.gather(1, best)[:, 0]) / local[at, at]
                block[:, at:].addr_(gone[:, at], local[at, at:], alpha=-1)
        for rest, gone in zip(rests, lost, strict=True):
            rest[:, end:] -= gone @ factor[begin:end, end:]
    return codes


def descend_together(
    weight: Tensor, codes: Tensor, hessian: Tensor, grids: Sequence[TableGrid], sweeps: int
) -> Tensor:
    """Coordinate descent over the codes of all widths: int64 (rows, columns) of the widest.

    The sum of the losses of all widths, each in parts of what it is at the start, never rises.
    """
    shares = _shares(weight, codes, hessian, grids)
    out = codes.clone()
    for rows in _runs(grids, len(weight)):
        means = _meanings(grids, rows)
        out[rows] = _descend_rows(weight[rows], codes[rows], hessian, means, shares, sweeps)
    return out


def _descend_rows(
    weight: Tensor,
    codes: Tensor,
    hessian: Tensor,
    meanings: Sequence[Tensor],
    shares: Tensor,
    sweeps: int,
) -> Tensor:
    columns, diagonal = weight.shape[1], hessian.diagonal()
    codes = codes.clone()
    for _ in range(sweeps):
        numbers = [means.gather(1, codes) for means in meanings]
        slopes = [(number - weight) @ hessian for number in numbers]  # half the gradients
        moved = 0
        for begin in range(0, columns, BLOCK_COLUMNS):
            end = min(begin + BLOCK_COLUMNS, columns)
            steps = [torch.zeros_like(weight[:, begin:end]) for _ in meanings]
            for column in range(begin, end):
                wanted = [
                    number[:, column] - slope[:, column] / diagonal[column]
                    for number, slope in zip(numbers, slopes, strict=True)
                ]
                best = _least(meanings, wanted, shares)
                moved += int((best[:, 0] != codes[:, column]).sum())
                codes[:, column] = best[:, 0]
                for means, number, slope, step in zip(
                    meanings, numbers, slopes, steps, strict=True
                ):
                    step[:, column - begin] = means.gather(1, best)[:, 0] - number[:, column]
                    slope[:, begin:end].addr_(step[:, column - begin], hessian[column, begin:end])
            for slope, step in zip(slopes, steps, strict=True):
                slope[:, end:] += step @ hessian[begin:end, end:]
        if moved == 0:
            break
    return codes


def leading(codes: Tensor, grids: Sequence[TableGrid], grid: TableGrid) -> Tensor:
    """Codes of one grid's width, of those of the widest (the last)."""
    return codes >> (grids[-1].scheme.bits - grid.scheme.bits)


def _least(meanings: Sequence[Tensor], wanted: Sequence[Tensor], shares: Tensor) -> Tensor:
    """The codes (rows, 1) with the least weighted sum of squared distances from what is wanted."""
    cost = torch.zeros_like(meanings[-1])
    for means, number, share in zip(meanings, wanted, shares, strict=True):
        cost += share * (means - number[:, None]) ** 2
    return cost.argmin(1, keepdim=True)


def _meanings(grids: Sequence[TableGrid], rows: slice) -> list[Tensor]:
    """What each code of the widest means at each width: (rows, codes)."""
    every = torch.arange(grids[-1].tables.shape[1])
    return [g.by_row[rows][:, leading(every, grids, g)] for g in grids]


def _shares(weight: Tensor, codes: Tensor, hessian: Tensor, grids: Sequence[TableGrid]) -> Tensor:
    """What a loss counts at each width: one over what it is now."""
    losses = torch.stack(
        [output_loss(weight, g.numbers(leading(codes, grids, g)), hessian).sum() for g in grids]
    )
    losses = losses.clamp_min(0)
    total = float(losses.sum())
    if not total > 0:  # nothing is lost at any width
        return torch.ones(len(grids))
    return total / losses.clamp_min(LEAST_SHARE * total)


def _runs(grids: Sequence[TableGrid], rows: int) -> list[slice]:
    step = max(1, CHUNK_ELEMENTS >> grids[-1].scheme.bits)
    return [slice(at, min(rows, at + step)) for at in range(0, rows, step)]
