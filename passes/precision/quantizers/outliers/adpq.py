"""AdpQ: outliers by an adaptive LASSO, quantised apart with scales of their own. No activations.

The published rule shrinks every weight to sign(w) * max(0, |w| - t / |w|), calls outliers what is left,
and searches the one t of a matrix that leaves the wanted fraction (Ghaffari et al., 2024,
arXiv 2405.13358). |w| - t / |w| > 0 means |w| > sqrt(t): the outliers are the weights above one
threshold, and that threshold is a quantile of |w|. No search is needed.
"""

import numpy as np

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.quant.packed import Outliers, PackedWeight
from optimum_compile.compiler.quant.scheme import Affine, Sparse
from optimum_compile.passes.precision.quantizers.affine.rtn import Clip, quantize_rtn
from optimum_compile.passes.precision.quantizers.groups import require_finite
from optimum_compile.passes.precision.quantizers.outliers.sparse import (
    largest,
    starts_of,
    with_outliers,
)


def quantize_adpq(weight: np.ndarray, scheme: Sparse, clip: Clip = "minmax") -> PackedWeight:
    """Quantise a finite (rows, columns) float32 matrix to a scheme with scaled outliers.

    Outliers and the rest take codes of the same grid, each with one scale a group; "minmax" as
    published. Raises OptionError for added outliers (see `sparse`).
    """
    if scheme.outliers != "scaled" or not isinstance(scheme.base, Affine):
        raise OptionError(f"{scheme}: expected scaled outliers, as int4:g128+o0.08")
    require_finite(weight)
    chosen = largest(weight, scheme.count(*weight.shape))
    inner = quantize_rtn(np.where(chosen, np.float32(0), weight), scheme.base, clip)
    if not chosen.any():
        return with_outliers(inner, scheme, None)
    outer = quantize_rtn(np.where(chosen, weight, np.float32(0)), scheme.base, clip)
    # Both halves are zero where the other one is not: their codes meet in one matrix.
    inner.codes[chosen] = outer.codes[chosen]
    columns = np.nonzero(chosen)[1].astype(np.uint32)
    return with_outliers(inner, scheme, Outliers(starts_of(chosen), columns, scales=outer.scales))
