"""Best scales or table entries for codes that are given: least squares under the Hessian.

With the codes fixed the layer's error is quadratic in the scales of a row (or the entries of a table),
so the optimum solves small normal equations. Alternated with coordinate descent over the codes this is
LNQ (GuidedQuant, arXiv 2505.07004), for tables and for integer grids alike. A row keeps its old grid
where rounding the new one to fp16 would lose more than was gained.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.quant.scheme import Affine
from optimum_compile.passes.precision.quantizers.affine.rtn import store_scale
from optimum_compile.passes.precision.quantizers.feedback.grids import AffineGrid, TableGrid
from optimum_compile.passes.precision.quantizers.feedback.rounding import output_loss

RIDGE = 1e-7
# (rows, columns) work arrays are cut into runs of rows of this many elements.
CHUNK_ELEMENTS = 1 << 22
MAX_FIT_ENTRIES = 16  # normal equations of larger tables cost more than they gain


def refit_scales(weight: Tensor, codes: Tensor, hessian: Tensor, old: AffineGrid) -> AffineGrid:
    """Scales (rows, groups) that minimise the loss of `weight` (rows, columns) for these codes."""
    scheme = old.start.scheme
    if not isinstance(scheme, Affine) or scheme.scale_bits:
        return old
    columns, size = weight.shape[1], old.group_size
    spread = torch.arange(columns) // size
    steps = codes - old.zeros[:, spread]
    scales = old.scales.clone()
    for part in _runs(weight):
        q, w = steps[part], weight[part]
        groups = scales.shape[1]
        matrix = torch.empty(len(q), groups, groups)
        for group in range(groups):
            here = slice(group * size, min(columns, (group + 1) * size))
            pulled = q[:, here] @ hessian[here]
            matrix[:, group] = _by_group(pulled * q, groups, size)
        target = _by_group((w @ hessian) * q, groups, size)
        scales[part] = _solve(matrix, target)
    stored = store_scale(scales.numpy(), scheme)
    fresh = replace(old, scales=torch.from_numpy(np.ascontiguousarray(stored)))
    better = (scales > 0) & torch.isfinite(scales)
    fresh = replace(fresh, scales=torch.where(better, fresh.scales, old.scales))
    gained = output_loss(weight, fresh.numbers(codes), hessian) < output_loss(
        weight, old.numbers(codes), hessian
    )
    return replace(old, scales=torch.where(gained[:, None], fresh.scales, old.scales))


def refit_tables(
    weight: Tensor, codes: Tensor, hessian: Tensor, old: TableGrid, *, ordered: bool = True
) -> TableGrid:
    """Table entries (tables, entries) that minimise the loss for these codes.

    With `ordered` a table whose entries would no longer ascend stays as it is.
    """
    entries, per = old.tables.shape[1], old.scheme.rows_per_table
    if entries > MAX_FIT_ENTRIES:
        return old
    tables = old.tables.clone()
    index = codes.long()
    for part in _runs(weight, per):
        w, c = weight[part], index[part]
        which = torch.arange(len(w)) // per
        count = int(which[-1]) + 1
        one_hot = [(c == k).float() for k in range(entries)]
        matrix = torch.zeros(count, entries, entries)
        target = torch.zeros(count, entries)
        pulled_w = w @ hessian
        for k in range(entries):
            pulled = one_hot[k] @ hessian
            target[:, k].index_add_(0, which, (pulled_w * one_hot[k]).sum(1))
            for m in range(k, entries):
                matrix[:, k, m].index_add_(0, which, (pulled * one_hot[m]).sum(1))
                matrix[:, m, k] = matrix[:, k, m]
        first = (part.start or 0) // per
        found = _solve(matrix, target)
        # An entry that no weight uses has an empty equation: it stays.
        used = matrix.diagonal(dim1=1, dim2=2) > 0
        before = tables[first : first + count]
        tables[first : first + count] = torch.where(used & torch.isfinite(found), found, before)
    stored = tables.half().float()
    # Codes follow the order of the entries, which the fit may have changed: such tables stay.
    good = torch.isfinite(stored).all(1)
    if ordered:
        good &= (stored[:, 1:] >= stored[:, :-1]).all(1)
    fresh = replace(old, tables=torch.where(good[:, None], stored, old.tables))
    which = torch.arange(len(weight)) // per
    change = output_loss(weight, fresh.numbers(codes), hessian) - output_loss(
        weight, old.numbers(codes), hessian
    )
    total = torch.zeros(len(tables)).index_add_(0, which, change)
    return replace(old, tables=torch.where(total[:, None] < 0, fresh.tables, old.tables))


def _runs(weight: Tensor, multiple: int = 1) -> list[slice]:
    rows, columns = weight.shape
    step = max(1, CHUNK_ELEMENTS // columns // multiple) * multiple
    return [slice(at, min(rows, at + step)) for at in range(0, rows, step)]


def _by_group(values: Tensor, groups: int, size: int) -> Tensor:
    """Sums of (rows, columns) over each group: (rows, groups)."""
    pad = groups * size - values.shape[1]
    padded = torch.nn.functional.pad(values, (0, pad))
    return padded.reshape(len(values), groups, size).sum(-1)


def _solve(matrix: Tensor, target: Tensor) -> Tensor:
    """Solve batched normal equations with a little ridge; float32 (batch, unknowns)."""
    wide = matrix.double()
    trace = wide.diagonal(dim1=1, dim2=2).mean(1).clamp_min(1e-30)
    eye = torch.eye(wide.shape[1], dtype=torch.float64)
    found = torch.linalg.solve_ex(
        wide + RIDGE * trace[:, None, None] * eye, target.double()[..., None]
    )
    return found.result[..., 0].float()
