"""Which quantiser makes which scheme, without activations or with their mean squares alone."""

import numpy as np

from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import (
    E0M4,
    Affine,
    Float,
    Lut,
    Nested,
    Scheme,
    Sparse,
    Vector,
)
from optimum_compile.passes.precision.quantizers.affine.e0m4 import quantize_e0m4
from optimum_compile.passes.precision.quantizers.affine.hqq import HqqOptions, quantize_hqq
from optimum_compile.passes.precision.quantizers.affine.rtn import Clip, quantize_rtn
from optimum_compile.passes.precision.quantizers.affine.two_level import quantize_two_level
from optimum_compile.passes.precision.quantizers.outliers.adpq import quantize_adpq
from optimum_compile.passes.precision.quantizers.outliers.sparse import quantize_sparse
from optimum_compile.passes.precision.quantizers.tables.nested import quantize_nested
from optimum_compile.passes.precision.quantizers.tables.palette import quantize_palette
from optimum_compile.passes.precision.quantizers.vectors.nearest import quantize_vectors


def quantize_weight(
    weight: np.ndarray,
    scheme: Scheme,
    clip: Clip = "mse",
    importance: np.ndarray | None = None,
    codebook: np.ndarray | None = None,
) -> PackedWeight:
    """Quantise a finite (rows, columns) matrix to `scheme`.

    `importance` (columns,) are the mean squares of the inputs, where they are known; scaled outliers
    have no use for them. `codebook` is the model's, for vectors that share one.
    """
    if isinstance(scheme, Float):
        kind = np.float16 if scheme.bits == 16 else np.float32
        limit = float(np.finfo(kind).max)
        return PackedWeight(scheme, np.clip(weight, -limit, limit).astype(kind))
    if isinstance(scheme, Lut):
        return quantize_palette(weight, scheme, importance)
    if isinstance(scheme, Vector):
        return quantize_vectors(weight, scheme, importance, codebook)
    if isinstance(scheme, Nested):
        return quantize_nested(weight, scheme, importance)
    if isinstance(scheme, E0M4):
        return quantize_e0m4(weight, scheme, clip, importance)
    if isinstance(scheme, Sparse):
        return _sparse(weight, scheme, clip, importance)
    return _affine(weight, scheme, clip, importance)


def _sparse(
    weight: np.ndarray, scheme: Sparse, clip: Clip, importance: np.ndarray | None
) -> PackedWeight:
    if scheme.outliers == "scaled":
        return quantize_adpq(weight, scheme, clip)

    def base(dense: np.ndarray, inner: Scheme) -> PackedWeight:
        return quantize_weight(dense, inner, clip, importance)

    return quantize_sparse(weight, scheme, base, importance)


def _affine(
    weight: np.ndarray, scheme: Affine, clip: Clip, importance: np.ndarray | None
) -> PackedWeight:
    if scheme.scale_bits:
        return quantize_two_level(weight, scheme, clip, importance)
    if scheme.zero_dtype != "int":
        return quantize_hqq(weight, scheme, HqqOptions(clip), importance)
    return quantize_rtn(weight, scheme, clip, importance)
