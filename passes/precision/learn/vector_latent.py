"""Vector tables as differentiable functions: points that take the nearest vector, scales, a codebook."""

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Vector
from optimum_compile.passes.precision.learn.straight import Load, through
from optimum_compile.passes.precision.quantizers.vectors.nearest import stored_scales

INSIDE = 0.9  # of the way from a vector to the border of its cell
CHUNK_SCORES = 1 << 22  # distances that are held at once
MAX_ENTRY = 60000.0


class VectorLatent:
    """Indices into a codebook; see `Latent`.

    Points are in units of the mean distance from a vector to the next one, a coordinate's share of it.
    A codebook that all tensors share stays as it is; one of the tensor's own may change.
    """

    def __init__(self, load: Load, target: np.ndarray | None) -> None:
        start = load()
        if not isinstance(start.scheme, Vector) or start.table is None or start.scales is None:
            raise ValueError(f"{start.scheme}: no vectors")
        self.load, self.scheme, self.supers = load, start.scheme, start.supers
        self.columns = start.shape[1]
        self.spread = torch.arange(self.columns) // start.scheme.group_size(self.columns)
        self.scales = torch.from_numpy(start.scales.astype(np.float32))
        self.logs = torch.zeros_like(self.scales).requires_grad_()
        book = torch.from_numpy(start.table.astype(np.float32))
        self.unit = _spacing(book)
        self.book = book / self.unit
        self.grid: tuple[Tensor, ...] = (self.logs,)
        if start.scheme.codebook == "own":
            self.grid = (self.logs, self.book.requires_grad_())
        self.codes: tuple[Tensor, ...] = ()
        if target is not None:
            self.codes = (self._points(start, target).requires_grad_(),)

    def weight(self) -> Tensor:
        """See `Latent`."""
        book, scales = self._book(), self._scales()[:, self.spread]
        chosen = book[self._nearest(book.detach())].reshape(len(scales), -1)[:, : self.columns]
        if self.codes:
            smooth = self.codes[0] * self.unit
            chosen = chosen + (smooth - smooth.detach())
        return chosen * scales

    def packed(self) -> PackedWeight:
        """See `Latent`."""
        with torch.no_grad():
            book = self._book()
            codes = self._nearest(book).numpy().astype(np.uint8)
            return PackedWeight(
                self.scheme,
                codes,
                self._scales().numpy().astype(np.float16),
                table=book.numpy().astype(np.float16),
                supers=self.supers,
            )

    def _points(self, start: PackedWeight, target: np.ndarray) -> Tensor:
        """Where the weight would be, drawn toward its vector until that is the nearest one."""
        book = self.book.detach()
        codes = torch.from_numpy(start.codes.astype(np.int64))
        chosen = book[codes.ravel()]
        divisor = self.scales[:, self.spread] * self.unit
        wanted = torch.from_numpy(np.ascontiguousarray(target, np.float32)) / divisor
        off = torch.nan_to_num(wanted, 0, 0, 0).reshape(-1, book.shape[1]) - chosen
        square = (book * book).sum(1)
        out = torch.empty_like(chosen)
        step = max(1, CHUNK_SCORES // len(book))
        for begin in range(0, len(chosen), step):
            part = slice(begin, begin + step)
            c, d = chosen[part], off[part]
            apart = square - 2 * c @ book.T + (c * c).sum(1, keepdim=True)
            toward = d @ book.T - (d * c).sum(1, keepdim=True)
            # On the way c + t d the border to another vector b is at t = |b - c|^2 / (2 d (b - c)).
            reach = torch.where((toward > 0) & (apart > 0), apart / (2 * toward), torch.inf)
            share = reach.amin(1).mul(INSIDE).clamp_max(1.0)
            out[part] = c + share[:, None] * d
        return out.reshape(start.shape)

    def _nearest(self, book: Tensor) -> Tensor:
        """Indices int64 (rows, columns / width)."""
        if not self.codes:
            return torch.from_numpy(self.load().codes.astype(np.int64))
        points = self.codes[0].detach().reshape(-1, book.shape[1]) * self.unit
        half = (book * book).sum(1) / 2
        step = max(1, CHUNK_SCORES // len(book))
        found = [(part @ book.T - half).argmax(1) for part in points.split(step)]
        return torch.cat(found).reshape(len(self.scales), -1)

    def _book(self) -> Tensor:
        smooth = self.book * self.unit
        return through(smooth, smooth.clamp(-MAX_ENTRY, MAX_ENTRY).half().float())

    def _scales(self) -> Tensor:
        smooth = self.scales * self.logs.exp()
        stored = stored_scales(smooth.detach().numpy(), self.supers, self.scheme)
        return through(smooth, torch.from_numpy(np.ascontiguousarray(stored)))


def _spacing(book: Tensor) -> float:
    """Mean distance to the nearest other vector, a coordinate."""
    apart = torch.cdist(book, book)
    apart = torch.where(apart > 0, apart, torch.inf).amin(1)
    known = apart[torch.isfinite(apart)]
    return float(known.mean()) / book.shape[1] ** 0.5 if len(known) else 1.0
