"""Quantised weights as differentiable functions of what may be learned about them.

Rounding to a stored number has the gradient of the identity (`straight`); everything that `weight`
gives is a number that the scheme can store.
"""

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.ir.dtype import round_to_bf16
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import E0M4, Affine, Lut, Vector
from optimum_compile.passes.precision.learn.straight import Load, through
from optimum_compile.passes.precision.learn.vector_latent import VectorLatent
from optimum_compile.passes.precision.quantizers.affine.rtn import MAX_SCALE, MIN_SCALE
from optimum_compile.passes.precision.quantizers.feedback.grids import AffineGrid

# A code begins where the weight would be, at most this far from its own number, in steps of the grid.
REACH = 0.45


class Latent(Protocol):
    """One weight's parameters.

    codes: what decides the codes, in steps of the grid (rows, columns); none where they stay. grid:
    scales in logarithms, zero points in codes, table entries in steps of the table. Where it has two
    parts, scales are the first.
    """

    codes: tuple[Tensor, ...]
    grid: tuple[Tensor, ...]

    def weight(self) -> Tensor:
        """(rows, columns) float32, differentiable."""

    def packed(self) -> PackedWeight:
        """The weight that `weight` gives, to be stored."""


def latent_of(load: Load, target: np.ndarray | None = None) -> Latent | None:
    """Parameters that begin at what `load` gives, which stays on disk and is read when needed.

    With `target` (rows, columns), the weight before rounding, the codes may change too. None for a
    form that has nothing to learn here: floats, weights with outliers, nested ones.
    """
    scheme = load().scheme
    if isinstance(scheme, Affine | E0M4):
        return AffineLatent(load, target)
    if isinstance(scheme, Lut):
        return TableLatent(load, target)
    if isinstance(scheme, Vector):
        return VectorLatent(load, target)
    return None


class AffineLatent:
    """An integer grid: offsets of the codes, logarithms of the scales, zero points.

    The grid of E0M4 stays; of two-level scales the numbers of the rows stay, their codes may change.
    """

    def __init__(self, load: Load, target: np.ndarray | None) -> None:
        start = load()
        found = AffineGrid.of(start)
        self.load, self.scheme, self.supers = load, start.scheme, start.supers
        self.size, self.low, self.high = found.group_size, found.low, found.high
        self.scales, self.zeros = found.scales, found.zeros.clone().requires_grad_()
        self.logs = torch.zeros_like(found.scales).requires_grad_()
        self.spread = torch.arange(start.shape[1]) // found.group_size
        self.codes: tuple[Tensor, ...] = ()
        if target is not None:
            self.codes = (self._points(start, target).requires_grad_(),)
        self.grid: tuple[Tensor, ...] = ()
        if isinstance(self.scheme, Affine):
            self.grid = (self.logs,) if self.scheme.symmetric else (self.logs, self.zeros)

    def weight(self) -> Tensor:
        """See `Latent`."""
        scales, zeros = self._scales(), self._zeros()
        return (self._codes() - zeros[:, self.spread]) * scales[:, self.spread]

    def packed(self) -> PackedWeight:
        """See `Latent`."""
        with torch.no_grad():
            scales, zeros = self._scales(), self._zeros()
            grid = AffineGrid(self.load(), scales, zeros, self.size, self.low, self.high)
            return grid.packed(self._codes())

    def _points(self, start: PackedWeight, target: np.ndarray) -> Tensor:
        codes = torch.from_numpy(start.codes.astype(np.float32))
        wanted = torch.from_numpy(np.ascontiguousarray(target, np.float32))
        wanted = wanted / self.scales[:, self.spread].clamp_min(1e-30)
        wanted += self.zeros.detach()[:, self.spread]
        return codes + torch.nan_to_num(wanted - codes).clamp_(-REACH, REACH)

    def _codes(self) -> Tensor:
        if not self.codes:
            return torch.from_numpy(self.load().codes.astype(np.float32))
        inside = self.codes[0].clamp(self.low - REACH, self.high + REACH)
        return through(inside, inside.round().clamp(self.low, self.high))

    def _scales(self) -> Tensor:
        if not isinstance(self.scheme, Affine):
            return self.scales
        smooth = self.scales * self.logs.exp()
        return through(smooth, _stored_scales(smooth.detach(), self.scheme, self.supers))

    def _zeros(self) -> Tensor:
        scheme = self.scheme
        if not isinstance(scheme, Affine) or scheme.symmetric:
            return self.zeros.detach()
        if scheme.zero_dtype == "f16":
            return through(self.zeros, self.zeros.half().float())
        step = scheme.zero_step
        top = (2**scheme.zero_bits - 1) * step
        return through(self.zeros, (self.zeros / step).round().mul(step).clamp(0, top))


def _stored_scales(scales: Tensor, scheme: Affine, supers: np.ndarray | None) -> Tensor:
    """The nearest scales that the scheme can store; float32 that fp16 holds."""
    if scheme.scale_bits and supers is not None:
        number = torch.from_numpy(supers.astype(np.float32))[:, None]
        codes = (scales / number).round().clamp(1, 2**scheme.scale_bits - 1)
        return (codes * number).half().float()
    inside = scales.clamp(MIN_SCALE, MAX_SCALE)
    if scheme.scale_dtype == "bf16":
        inside = torch.from_numpy(round_to_bf16(inside.numpy())).clamp(MIN_SCALE, 65280.0)
    return inside.half().float()


class TableLatent:
    """Tables: entries, and the points on the line whose nearest entries are the weights.

    Both are in units of the mean distance between entries of a table.
    """

    def __init__(self, load: Load, target: np.ndarray | None) -> None:
        start = load()
        if not isinstance(start.scheme, Lut) or start.table is None:
            raise ValueError(f"{start.scheme}: no table")
        self.load, self.scheme = load, start.scheme
        self.which = torch.arange(start.shape[0]) // start.scheme.rows_per_table
        tables = torch.from_numpy(start.table.astype(np.float32))
        span = (tables[:, -1:] - tables[:, :1]) / (tables.shape[1] - 1)
        self.gap = span.clamp_min(1e-6)
        self.entries = (tables / self.gap).requires_grad_()
        self.grid: tuple[Tensor, ...] = (self.entries,)
        self.codes: tuple[Tensor, ...] = ()
        if target is not None:
            self.codes = (self._points(start, target).requires_grad_(),)

    def weight(self) -> Tensor:
        """See `Latent`."""
        tables = self._tables()
        chosen = tables[self.which].gather(1, self._nearest(tables.detach()))
        if not self.codes:
            return chosen
        smooth = self.codes[0] * self.gap[self.which]
        return chosen + (smooth - smooth.detach())

    def packed(self) -> PackedWeight:
        """See `Latent`."""
        with torch.no_grad():
            tables = self._tables()
            codes = self._nearest(tables).numpy().astype(np.uint8)
            return PackedWeight(self.scheme, codes, table=tables.numpy().astype(np.float16))

    def _points(self, start: PackedWeight, target: np.ndarray) -> Tensor:
        codes = torch.from_numpy(start.codes.astype(np.int64))
        by_row = self.entries.detach()[self.which]
        wanted = torch.from_numpy(np.ascontiguousarray(target, np.float32))
        low, high = _edges(by_row)
        margin = 0.5 - REACH
        inside = torch.maximum(wanted / self.gap[self.which], low.gather(1, codes) + margin)
        return torch.minimum(inside, high.gather(1, codes) - margin)

    def _tables(self) -> Tensor:
        smooth = self.entries.sort(1).values * self.gap
        return through(smooth, smooth.half().float())

    def _nearest(self, tables: Tensor) -> Tensor:
        if not self.codes:
            return torch.from_numpy(self.load().codes.astype(np.int64))
        by_row = tables[self.which]
        middle = (by_row[:, 1:] + by_row[:, :-1]) / 2
        points = (self.codes[0] * self.gap[self.which]).detach().contiguous()
        return torch.searchsorted(middle.contiguous(), points)


def _edges(tables: Tensor) -> tuple[Tensor, Tensor]:
    """Where the share of each entry begins and ends on the line: two of (rows, entries)."""
    middle = (tables[:, 1:] + tables[:, :-1]) / 2
    far = torch.full_like(tables[:, :1], 1e9)
    return torch.cat([-far, middle], 1), torch.cat([middle, far], 1)
