"""What a weight may be rounded to, column by column: the one question that error feedback asks.

A grid knows the stored numbers of its scheme (fp16 scales, fp16 tables) and nothing of Hessians.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import E0M4, Affine, Lut
from optimum_compile.passes.precision.quantizers.affine.rtn import grid

TINY = 1e-30


class Grid(Protocol):
    """Rounds one column of a matrix (rows, columns)."""

    def nearest(self, values: Tensor, column: int) -> tuple[Tensor, Tensor]:
        """Codes and their numbers for `values` (rows,) float32 in `column`."""

    def numbers(self, codes: Tensor) -> Tensor:
        """(rows, columns) float32 of all codes."""

    def packed(self, codes: Tensor) -> PackedWeight:
        """Codes (rows, columns) with the grid that reads them."""


@dataclass(frozen=True)
class AffineGrid:
    """Equidistant numbers: w = scale * (code - zero), low <= code <= high.

    scales, zeros: float32 (rows, groups). `start` is a weight whose grid this is; of it only the
    codes, and scales that were refitted, are ever replaced.
    """

    start: PackedWeight
    scales: Tensor
    zeros: Tensor
    group_size: int
    low: int
    high: int

    @staticmethod
    def of(weight: PackedWeight) -> "AffineGrid":
        """The grid of a weight that has been rounded to nearest."""
        scheme = weight.scheme
        if not isinstance(scheme, Affine | E0M4) or weight.scales is None:
            raise ValueError(f"{scheme}: not an integer grid")
        scales = torch.from_numpy(weight.scales.astype(np.float32))
        size = scheme.group_size(weight.shape[1])
        if isinstance(scheme, E0M4):
            # a * (1 + q / 16) + c = a / 16 * (q + 16 + 16 c / a)
            if weight.offsets is None:
                raise ValueError(f"{scheme}: no offsets")
            offsets = torch.from_numpy(weight.offsets.astype(np.float32))
            scales = scales.clamp_min(TINY)
            return AffineGrid(weight, scales / 16, -16 - 16 * offsets / scales, size, 0, 15)
        zeros = torch.zeros_like(scales)
        if weight.zeros is not None:
            zeros = torch.from_numpy(weight.zeros.astype(np.float32))
        return AffineGrid(weight, scales, zeros, size, *grid(scheme))

    def nearest(self, values: Tensor, column: int) -> tuple[Tensor, Tensor]:
        """See `Grid`."""
        at = column // self.group_size
        scale, zero = self.scales[:, at], self.zeros[:, at]
        codes = (values / scale + zero).round_().clamp_(self.low, self.high)
        return codes, (codes - zero) * scale

    def numbers(self, codes: Tensor) -> Tensor:
        """See `Grid`."""
        spread = torch.arange(codes.shape[1]) // self.group_size
        return (codes - self.zeros[:, spread]) * self.scales[:, spread]

    def packed(self, codes: Tensor) -> PackedWeight:
        """See `Grid`."""
        done = replace(self.start, codes=codes.numpy().astype(self.start.codes.dtype))
        if not isinstance(self.start.scheme, Affine):
            return done
        zeros = self.start.zeros
        if zeros is not None:
            zeros = self.zeros.numpy().astype(zeros.dtype)
        return replace(done, scales=self.scales.numpy().astype(np.float16), zeros=zeros)


@dataclass(frozen=True)
class TableGrid:
    """Indices into tables of sorted fp16 entries; `rows_per_table` rows share one.

    tables (tables, entries) float32 that fp16 holds.
    """

    scheme: Lut
    tables: Tensor
    rows: int

    @staticmethod
    def of(weight: PackedWeight) -> "TableGrid":
        """The grid of a weight that has been given tables."""
        if not isinstance(weight.scheme, Lut) or weight.table is None:
            raise ValueError(f"{weight.scheme}: no table")
        table = torch.from_numpy(weight.table.astype(np.float32))
        return TableGrid(weight.scheme, table, weight.shape[0])

    @cached_property
    def by_row(self) -> Tensor:
        """(rows, entries): the table that each row reads."""
        return self.tables[torch.arange(self.rows) // self.scheme.rows_per_table]

    @cached_property
    def middle(self) -> Tensor:
        """(entries - 1, rows): where one entry's share of the line ends and the next one's begins."""
        return ((self.by_row[:, 1:] + self.by_row[:, :-1]) / 2).T.contiguous()

    def nearest(self, values: Tensor, column: int) -> tuple[Tensor, Tensor]:
        """See `Grid`."""
        codes = (values > self.middle).sum(0)
        return codes.float(), self.by_row.gather(1, codes[:, None])[:, 0]

    def numbers(self, codes: Tensor) -> Tensor:
        """See `Grid`."""
        return self.by_row.gather(1, codes.long())

    def packed(self, codes: Tensor) -> PackedWeight:
        """See `Grid`."""
        table = self.tables.numpy().astype(np.float16)
        return PackedWeight(self.scheme, codes.numpy().astype(np.uint8), table=table)
