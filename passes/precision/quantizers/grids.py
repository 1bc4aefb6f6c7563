"""What a weight may be rounded to, column by column: the one question that error feedback asks.

A grid knows the stored numbers of its scheme (fp16 scales, fp16 tables) and nothing of Hessians.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Affine, Lut
from optimum_compile.passes.precision.quantizers.rtn import grid


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
    """Integer codes: w = scale * (code - zero).

    scales (rows, groups) float32 that fp16 holds; zeros (rows, groups) float32.
    """

    scheme: Affine
    scales: Tensor
    zeros: Tensor
    group_size: int

    @staticmethod
    def of(weight: PackedWeight) -> "AffineGrid":
        """The grid of a weight that has been rounded to nearest."""
        scheme = weight.scheme
        if not isinstance(scheme, Affine) or weight.scales is None:
            raise ValueError(f"{scheme}: not an integer grid")
        scales = torch.from_numpy(weight.scales.astype(np.float32))
        zeros = torch.zeros_like(scales)
        if weight.zeros is not None:
            zeros = torch.from_numpy(weight.zeros.astype(np.float32))
        return AffineGrid(scheme, scales, zeros, scheme.group_size(weight.shape[1]))

    def nearest(self, values: Tensor, column: int) -> tuple[Tensor, Tensor]:
        """See `Grid`."""
        at = column // self.group_size
        scale, zero = self.scales[:, at], self.zeros[:, at]
        low, high = grid(self.scheme)
        codes = ((values / scale).round() + zero).clamp_(low, high)
        return codes, (codes - zero) * scale

    def numbers(self, codes: Tensor) -> Tensor:
        """See `Grid`."""
        spread = torch.arange(codes.shape[1]) // self.group_size
        return (codes - self.zeros[:, spread]) * self.scales[:, spread]

    def packed(self, codes: Tensor) -> PackedWeight:
        """See `Grid`."""
        kind = np.int8 if self.scheme.symmetric else np.uint8
        return PackedWeight(
            self.scheme,
            codes.numpy().astype(kind),
            scales=self.scales.numpy().astype(np.float16),
            zeros=None if self.scheme.symmetric else self.zeros.numpy().astype(np.uint8),
        )


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

    def by_row(self) -> Tensor:
        """(rows, entries): the table that each row reads."""
        return self.tables[torch.arange(self.rows) // self.scheme.rows_per_table]

    def nearest(self, values: Tensor, column: int) -> tuple[Tensor, Tensor]:
        """See `Grid`."""
        entries = self.by_row()
        middle = (entries[:, 1:] + entries[:, :-1]) / 2
        codes = (values[:, None] > middle).sum(1, keepdim=True)
        return codes[:, 0].float(), entries.gather(1, codes)[:, 0]

    def numbers(self, codes: Tensor) -> Tensor:
        """See `Grid`."""
        return self.by_row().gather(1, codes.long())

    def packed(self, codes: Tensor) -> PackedWeight:
        """See `Grid`."""
        table = self.tables.numpy().astype(np.float16)
        return PackedWeight(self.scheme, codes.numpy().astype(np.uint8), table=table)
