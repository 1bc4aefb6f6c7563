"""Dense and sparse: a few outliers in fp16 beside a dense base of few bits.

Without the outliers the ranges of the base shrink, and each outlier is exact to fp16.
"""

from collections.abc import Callable

import numpy as np

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.quant.packed import Outliers, PackedWeight
from optimum_compile.compiler.quant.scheme import Scheme, Sparse
from optimum_compile.passes.precision.quantizers.groups import MAX_HALF, require_finite

Quantizer = Callable[[np.ndarray, Scheme], PackedWeight]


def quantize_sparse(
    weight: np.ndarray,
    scheme: Sparse,
    quantizer: Quantizer,
    importance: np.ndarray | None = None,
) -> PackedWeight:
    """Quantise a finite (rows, columns) float32 matrix to a scheme with added outliers.

    `quantizer` makes the base, from a matrix whose outliers are zero; the outlier adds what is
    missing at its place. With `importance` (columns,), the mean squares of the inputs, outliers are
    the largest of |w| * sqrt(importance). Raises OptionError for scaled outliers (see `adpq`).
    """
    if scheme.outliers != "added":
        raise OptionError(f"{scheme}: expected added outliers, as int4:g128+s0.005")
    require_finite(weight)
    count = scheme.count(*weight.shape)
    if not count:
        return with_outliers(quantizer(weight, scheme.base), scheme, None)
    size = weight if importance is None else weight * np.sqrt(importance, dtype=np.float32)
    chosen = largest(size, count)
    base = quantizer(np.where(chosen, np.float32(0), weight), scheme.base)
    columns = np.nonzero(chosen)[1].astype(np.uint32)
    missing = weight[chosen] - base.dequantize()[chosen]
    values = np.clip(missing, -MAX_HALF, MAX_HALF).astype(np.float16)
    return with_outliers(base, scheme, Outliers(starts_of(chosen), columns, values))


def with_outliers(base: PackedWeight, scheme: Sparse, outliers: Outliers | None) -> PackedWeight:
    """The weight of a base and its outliers."""
    return PackedWeight(
        scheme,
        base.codes,
        scales=base.scales,
        zeros=base.zeros,
        table=base.table,
        supers=base.supers,
        offsets=base.offsets,
        outliers=outliers,
    )


def largest(weight: np.ndarray, count: int) -> np.ndarray:
    """Which `count` entries are the largest in magnitude: bool, shape of `weight`.

    Exactly `count`: of equal ones the first are taken.
    """
    size = np.abs(weight).reshape(-1)
    if not count:
        return np.zeros(weight.shape, bool)
    limit = np.partition(size, size.size - count)[size.size - count]
    chosen = size > limit
    ties = np.flatnonzero(size == limit)
    chosen[ties[: count - int(chosen.sum())]] = True
    return np.reshape(chosen, weight.shape)


def starts_of(chosen: np.ndarray) -> np.ndarray:
    """Where the entries of each row begin: uint32 (rows + 1,)."""
    starts = np.zeros(len(chosen) + 1, np.uint32)
    np.cumsum(chosen.sum(1), out=starts[1:])
    return starts
