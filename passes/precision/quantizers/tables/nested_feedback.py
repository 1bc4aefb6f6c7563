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
from optimum_compile.passes.precision.quantizers.feedback.grids import TableGrid
from optimum_compile.passes.precision.quantizers.feedback.refit import refit_tables
from optimum_compile.passes.precision.quantizers.feedback.rounding import (
    BLOCK_COLUMNS,
    Feedback,
    column_order,
    damped,
    inverse_factor,
    output_loss,
)

ROUND_SWEEPS = 2
# (rows, entries) work arrays are cut into runs of rows of this many elements.
CHUNK_ELEMENTS = 1 << 21
LEAST_SHARE = 1e-9
EXACT_BITS, KEPT = 4, 8


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
        found = _round_rows(weight[rows][:, order], factor, _Codes(grids, rows, shares))
        out[rows.start : rows.stop, order] = found
    return out


def _round_rows(weight: Tensor, factor: Tensor, choice: "_Codes") -> Tensor:
    """Codes of some rows, whose columns are in the order of rounding."""
    columns = weight.shape[1]
    codes = torch.empty(weight.shape, dtype=torch.int64)
    rests = [weight.clone() for _ in choice.tables]
    for begin in range(0, columns, BLOCK_COLUMNS):
        end = min(begin + BLOCK_COLUMNS, columns)
        local = factor[begin:end, begin:end]
        blocks = [rest[:, begin:end] for rest in rests]
        lost = [torch.empty_like(block) for block in blocks]
        for at in range(end - begin):
            best = choice.least([block[:, at] for block in blocks])
            codes[:, begin + at] = best[:, 0]
            for number, block, gone in zip(choice.numbers(best), blocks, lost, strict=True):
                gone[:, at] = (block[:, at] - number[:, 0]) / local[at, at]
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
        choice = _Codes(grids, rows, shares)
        out[rows] = _descend_rows(weight[rows], codes[rows], hessian, choice, sweeps)
    return out


def _descend_rows(
    weight: Tensor, codes: Tensor, hessian: Tensor, choice: "_Codes", sweeps: int
) -> Tensor:
    columns, diagonal = weight.shape[1], hessian.diagonal()
    codes = codes.clone()
    for _ in range(sweeps):
        numbers = choice.numbers(codes)
        slopes = [(number - weight) @ hessian for number in numbers]  # half the gradients
        moved = 0
        for begin in range(0, columns, BLOCK_COLUMNS):
            end = min(begin + BLOCK_COLUMNS, columns)
            steps = [torch.zeros_like(weight[:, begin:end]) for _ in numbers]
            for column in range(begin, end):
                wanted = [
                    number[:, column] - slope[:, column] / diagonal[column]
                    for number, slope in zip(numbers, slopes, strict=True)
                ]
                best = choice.least(wanted, codes[:, column : column + 1])
                moved += int((best[:, 0] != codes[:, column]).sum())
                codes[:, column] = best[:, 0]
                for found, number, slope, step in zip(
                    choice.numbers(best), numbers, slopes, steps, strict=True
                ):
                    step[:, column - begin] = found[:, 0] - number[:, column]
                    slope[:, begin:end].addr_(step[:, column - begin], hessian[column, begin:end])
            for slope, step in zip(slopes, steps, strict=True):
                slope[:, end:] += step @ hessian[begin:end, end:]
        if moved == 0:
            break
    return codes


def leading(codes: Tensor, grids: Sequence[TableGrid], grid: TableGrid) -> Tensor:
    """Codes of one grid's width, of those of the widest (the last)."""
    return codes >> (grids[-1].scheme.bits - grid.scheme.bits)


class _Codes:
    """What the codes of some rows mean at every width, and which of them is best.

    Up to `EXACT_BITS` bits every code is tried. Wider ones are found from there by one bit at a time,
    with the `KEPT` best beginnings.
    """

    def __init__(self, grids: Sequence[TableGrid], rows: slice, shares: Tensor) -> None:
        self.widths = [g.scheme.bits for g in grids]
        self.tables = [g.by_row[rows] for g in grids]
        self.shares = shares
        self.tried = max(1, sum(width <= EXACT_BITS for width in self.widths))
        size = 1 << self.widths[self.tried - 1]
        every = torch.arange(size)
        self.meanings = [t[:, every * t.shape[1] // size] for t in self.tables[: self.tried]]

    def numbers(self, codes: Tensor) -> list[Tensor]:
        """The numbers of codes (rows, any) of the widest, at each width."""
        shifts = (self.widths[-1] - width for width in self.widths)
        return [t.gather(1, codes >> s) for t, s in zip(self.tables, shifts, strict=True)]

    def least(self, wanted: Sequence[Tensor], now: Tensor | None = None) -> Tensor:
        """Codes (rows, 1) with the least weighted sum of squared distances from what is `wanted`.

        `now` are codes that stay where the search finds no better ones.
        """
        cost = torch.zeros_like(self.meanings[-1])
        for means, number, share in zip(self.meanings, wanted, self.shares, strict=False):
            cost += share * (means - number[:, None]) ** 2
        if self.tried == len(self.tables):
            return cost.argmin(1, keepdim=True)
        cost, codes = cost.topk(min(KEPT, cost.shape[1]), 1, largest=False)
        for at in range(self.tried, len(self.tables)):
            if codes.shape[1] > KEPT:
                cost, best = cost.topk(KEPT, 1, largest=False)
                codes = codes.gather(1, best)
            codes = torch.cat([2 * codes, 2 * codes + 1], 1)
            gap = self.tables[at].gather(1, codes) - wanted[at][:, None]
            cost = torch.cat([cost, cost], 1) + self.shares[at] * gap**2
        least, best = cost.min(1, keepdim=True)
        found = codes.gather(1, best)
        if now is None:
            return found
        gaps = torch.stack([n[:, 0] for n in self.numbers(now)]) - torch.stack(list(wanted))
        before = (self.shares[:, None] * gaps**2).sum(0)[:, None]
        return torch.where(before <= least, now, found)


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
    step = max(1, CHUNK_ELEMENTS >> max(EXACT_BITS, grids[0].scheme.bits))
    return [slice(at, min(rows, at + step)) for at in range(0, rows, step)]
