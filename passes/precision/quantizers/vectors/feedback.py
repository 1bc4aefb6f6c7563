"""Vector tables with activations: error feedback over all columns of a vector at once, and descent.

With H^-1 = U^T U of the columns in their order, what is still open behind a vector has the inverse
U_rest^T U_rest. Choosing c for the columns B then costs |(w - c) U_BB^-1|^2, and the best answer of the
open columns is to move by -(w - c) U_BB^-1 U_B,rest: GPTQ's step for one column, done for a vector.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Vector
from optimum_compile.passes.precision.quantizers.affine.two_level import effective
from optimum_compile.passes.precision.quantizers.feedback.group_descent import kept, optimum
from optimum_compile.passes.precision.quantizers.feedback.rounding import (
    BLOCK_COLUMNS,
    Feedback,
    damped,
    inverse_factor,
    output_loss,
)
from optimum_compile.passes.precision.quantizers.groups import MAX_HALF, MIN_SCALE
from optimum_compile.passes.precision.quantizers.vectors.nearest import stored_scales

CHUNK_SCORES = 1 << 22
TABLE_STEPS = 12
FACTORS = (0.95, 1.0, 1.05, 1.1, 1.15, 1.25)  # of the first scales, each a run of its own
TINY = 1e-20


@dataclass(frozen=True)
class VectorGrid:
    """What vectors may be rounded to: a codebook, and a scale for each row and group.

    start: a weight whose grid this is. table: float32 (entries, width). scales: float32 (rows, groups).
    """

    start: PackedWeight
    scheme: Vector
    table: Tensor
    scales: Tensor

    @staticmethod
    def of(weight: PackedWeight) -> "VectorGrid":
        """The grid of a weight that has a codebook."""
        scheme = weight.scheme
        if not isinstance(scheme, Vector) or weight.table is None or weight.scales is None:
            raise InternalError(f"{scheme}: not a weight of vectors")
        table = torch.from_numpy(weight.table.astype(np.float32))
        scales = torch.from_numpy(weight.scales.astype(np.float32))
        return VectorGrid(weight, scheme, table, scales)

    @property
    def spread(self) -> Tensor:
        """The group of each vector of a row: int64 (vectors,)."""
        columns, width = self.start.shape[1], self.scheme.width
        return torch.arange(columns // width) * width // self.scheme.group_size(columns)

    def nearest(self, wanted: Tensor, at: int, metric: Tensor) -> tuple[Tensor, Tensor]:
        """Indices int64 (rows,) and numbers (rows, width) of vector `at` that cost least.

        wanted: (rows, width). metric: (width, width), an error e costs |e metric|^2.
        """
        scale = self.scales[:, int(self.spread[at]), None]
        seen = self.table @ metric
        half = (seen * seen).sum(1) / 2
        target = wanted @ metric
        codes = torch.empty(len(wanted), dtype=torch.int64)
        step = max(1, CHUNK_SCORES // len(seen))
        for begin in range(0, len(wanted), step):
            part = slice(begin, begin + step)
            codes[part] = (target[part] @ seen.T - scale[part] * half).argmax(1)
        return codes, self.table[codes] * scale

    def numbers(self, codes: Tensor) -> Tensor:
        """(rows, columns) float32 of indices (rows, vectors)."""
        found = self.table[codes] * self.scales[:, self.spread, None]
        return found.reshape(len(codes), -1)

    def packed(self, codes: Tensor) -> PackedWeight:
        """The weight of these indices."""
        return replace(
            self.start,
            codes=codes.numpy().astype(np.uint8),
            scales=self.scales.numpy().astype(np.float16),
            table=self.table.numpy().astype(np.float16),
        )


def round_vectors(weight: Tensor, hessian: Tensor, grid: VectorGrid, options: Feedback) -> Tensor:
    """Indices int64 (rows, vectors) of `weight` (rows, columns) float32, as `round_with_feedback`."""
    width, columns = grid.scheme.width, weight.shape[1]
    order = torch.arange(columns // width)
    if options.act_order:  # vectors with large inputs first
        order = torch.argsort(
            hessian.diagonal().reshape(-1, width).sum(1), descending=True, stable=True
        )
    places = (order[:, None] * width + torch.arange(width)).reshape(-1)
    factor = inverse_factor(hessian[places][:, places], options.damping)
    rest = weight[:, places].clone()
    codes = torch.empty(len(weight), columns // width, dtype=torch.int64)
    eye = torch.eye(width)
    for begin in range(0, columns, BLOCK_COLUMNS):
        end = min(begin + BLOCK_COLUMNS, columns)
        block, local = rest[:, begin:end], factor[begin:end, begin:end]
        lost = torch.empty_like(block)
        for at in range(0, end - begin, width):
            here = slice(at, at + width)
            vector = int(order[(begin + at) // width])
            metric = torch.linalg.solve_triangular(local[here, here], eye, upper=True)
            codes[:, vector], numbers = grid.nearest(block[:, here], vector, metric)
            lost[:, here] = (block[:, here] - numbers) @ metric
            block[:, at:] -= lost[:, here] @ local[here, at:]
        rest[:, end:] -= lost @ factor[begin:end, end:]
    hessian = damped(hessian, options.damping).float()
    return descend_vectors(weight, codes, hessian, grid, options.sweeps)


def descend_vectors(
    weight: Tensor, codes: Tensor, hessian: Tensor, grid: VectorGrid, sweeps: int
) -> Tensor:
    """Coordinate descent: each vector takes the index that is best with all others fixed.

    hessian: float32, positive definite.
    """
    width, columns = grid.scheme.width, weight.shape[1]
    codes = codes.clone()
    metrics, inverses = _metrics(hessian, width)
    for _ in range(sweeps):
        numbers = grid.numbers(codes)
        slope = (numbers - weight) @ hessian  # half the gradient, (rows, columns)
        moved = 0
        for begin in range(0, columns, BLOCK_COLUMNS):
            end = min(begin + BLOCK_COLUMNS, columns)
            step = torch.zeros_like(weight[:, begin:end])
            block = slope[:, begin:end]
            for at in range(0, end - begin, width):
                first = begin + at
                vector, here = first // width, slice(first, first + width)
                wanted = numbers[:, here] - block[:, at : at + width] @ inverses[vector]
                index, found = grid.nearest(wanted, vector, metrics[vector])
                step[:, at : at + width] = found - numbers[:, here]
                moved += int((index != codes[:, vector]).sum())
                codes[:, vector] = index
                block += step[:, at : at + width] @ hessian[here, begin:end]
            slope[:, end:] += step @ hessian[begin:end, end:]
        if moved == 0:
            break
    return codes


def _metrics(hessian: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Cholesky factors and inverses of the diagonal blocks: (vectors, width, width) float32."""
    count = len(hessian) // width
    blocks = hessian.reshape(count, width, count, width).diagonal(dim1=0, dim2=2)
    blocks = blocks.permute(2, 0, 1).double()
    lower = torch.linalg.cholesky(blocks)
    return lower.float(), torch.cholesky_inverse(lower).float()


def descend_scales(weight: Tensor, codes: Tensor, hessian: Tensor, grid: VectorGrid) -> VectorGrid:
    """Scales that lose no more on `weight` (rows, columns) with these indices, a group at a time."""
    scales = grid.scales.clone()
    columns, size = weight.shape[1], grid.scheme.group_size(weight.shape[1])
    plain = grid.table[codes].reshape(len(codes), -1)
    slope = (grid.numbers(codes) - weight) @ hessian
    for group in range(scales.shape[1]):
        here = slice(group * size, min(columns, (group + 1) * size))
        steps = plain[:, here]
        old = scales[:, group]
        wanted, bend, tilt = optimum(old, steps, slope[:, here], hessian[here, here])
        stored = stored_scales(wanted.numpy()[:, None], grid.start.supers, grid.scheme)[:, 0]
        change = kept(torch.from_numpy(np.ascontiguousarray(stored)) - old, bend, tilt)
        scales[:, group] += change
        slope += (change[:, None] * steps) @ hessian[here]
    return replace(grid, scales=scales)


def refit_codebook(weight: Tensor, codes: Tensor, hessian: Tensor, grid: VectorGrid) -> VectorGrid:
    """The codebook that minimises the loss of the whole tensor for these indices and scales.

    The loss is quadratic in the entries; conjugate gradients find its minimum, and each step costs
    no more than a sweep. The old codebook stays where fp16 would lose what was gained.
    """
    weights = grid.scales[:, grid.spread, None]
    flat = codes.reshape(-1)

    def gathered(slope: Tensor) -> Tensor:
        parts = (slope.reshape(*codes.shape, -1) * weights).reshape(len(flat), -1)
        return torch.zeros_like(grid.table).index_add_(0, flat, parts)

    def pulled(table: Tensor) -> Tensor:
        return gathered(replace(grid, table=table).numbers(codes) @ hessian)

    diagonal = hessian.diagonal().reshape(1, codes.shape[1], -1).expand(len(codes), -1, -1)
    cost = (diagonal * weights * weights).reshape(len(flat), -1)
    bend = torch.zeros_like(grid.table).index_add_(0, flat, cost)
    inverse = torch.where(bend > TINY, 1 / bend.clamp_min(TINY), torch.zeros_like(bend))
    table = grid.table.clone()
    residue = -gathered((grid.numbers(codes) - weight) @ hessian)
    ahead = inverse * residue
    direction, power = ahead, float((residue * ahead).sum())
    for _ in range(TABLE_STEPS):
        curve = pulled(direction)
        bottom = float((direction * curve).sum())
        if power <= TINY or bottom <= 0:
            break
        table += power / bottom * direction
        residue = residue - power / bottom * curve
        ahead = inverse * residue
        following = float((residue * ahead).sum())
        direction, power = ahead + following / power * direction, following
    fresh = replace(grid, table=table.half().float())
    if not torch.isfinite(fresh.table).all():
        return grid
    before = output_loss(weight, grid.numbers(codes), hessian).sum()
    after = output_loss(weight, fresh.numbers(codes), hessian).sum()
    return fresh if after < before else grid


@dataclass(frozen=True)
class VectorSteps:
    """What follows the feedback: rounds of better grids, each with sweeps over the indices.

    codebook: whether the tensor's own codebook may change.
    """

    rounds: int
    sweeps: int
    codebook: bool = True


def vectors_with_feedback(
    weight: Tensor, start: PackedWeight, hessian: Tensor, options: Feedback, steps: VectorSteps
) -> PackedWeight:
    """New indices for the codebook of `start`, better scales, and a better codebook of its own."""
    if steps.rounds == 0:
        grid = VectorGrid.of(start)
        return grid.packed(round_vectors(weight, hessian, grid, options))
    grid, codes = best_start(weight, hessian, VectorGrid.of(start), options)
    hessian = damped(hessian, options.damping).float()
    for _ in range(steps.rounds):
        if steps.codebook and grid.scheme.codebook == "own":
            grid = refit_codebook(weight, codes, hessian, grid)
        grid = descend_scales(weight, codes, hessian, grid)
        codes = descend_vectors(weight, codes, hessian, grid, steps.sweeps)
    return grid.packed(codes)


def best_start(
    weight: Tensor, hessian: Tensor, grid: VectorGrid, options: Feedback
) -> tuple[VectorGrid, Tensor]:
    """For each row the best of several runs of the feedback that begin with larger or smaller scales.

    The scales of least squared error are too small for feedback, which adds to what it rounds; and
    scales that are fitted afterwards find no way out of what the first ones chose. Rows do not depend
    on each other, so each takes the run that loses least: a few percent of the loss of the layer.
    """
    full = damped(hessian, options.damping).float()
    best: VectorGrid | None = None
    codes = torch.empty(0)
    least = torch.empty(0)
    for factor in FACTORS:
        tried = scaled(grid, factor)
        found = round_vectors(weight, hessian, tried, replace(options, sweeps=0))
        tried = descend_scales(weight, found, full, tried)
        found = descend_vectors(weight, found, full, tried, 1)
        loss = output_loss(weight, tried.numbers(found), full)
        if best is None:
            best, codes, least = tried, found, loss
            continue
        better = loss < least
        least = torch.where(better, loss, least)
        codes = torch.where(better[:, None], found, codes)
        best = _chosen(better, tried, best)
    if best is None:
        raise InternalError("no scale to begin with")
    return best, codes


def scaled(grid: VectorGrid, factor: float) -> VectorGrid:
    """The grid with all scales `factor` times as large, or nearly: as its scheme stores them."""
    old = grid.start.supers
    if old is None:
        wanted = np.clip(grid.scales.numpy() * factor, 0, MAX_HALF)
        return replace(grid, scales=torch.from_numpy(wanted.astype(np.float16).astype(np.float32)))
    top = MAX_HALF / np.float32(2**grid.scheme.scale_bits)
    supers = np.clip(old.astype(np.float32) * factor, MIN_SCALE, top).astype(np.float16)
    levels = np.rint(grid.scales.numpy() / old.astype(np.float32)[:, None])
    scales = torch.from_numpy(effective(levels, supers))
    return replace(grid, scales=scales, start=replace(grid.start, supers=supers))


def _chosen(rows: Tensor, first: VectorGrid, second: VectorGrid) -> VectorGrid:
    """The scales of the first grid in some rows, of the second one in all others."""
    scales = torch.where(rows[:, None], first.scales, second.scales)
    supers = second.start.supers
    if supers is not None and first.start.supers is not None:
        supers = np.where(rows.numpy(), first.start.supers, supers)
    return replace(second, scales=scales, start=replace(second.start, supers=supers))
