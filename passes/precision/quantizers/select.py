"""Which quantiser makes which scheme."""

import numpy as np

from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Float, Lut, Scheme
from optimum_compile.passes.precision.quantizers.palette import quantize_palette
from optimum_compile.passes.precision.quantizers.rtn import Clip, quantize_rtn


def quantize_weight(weight: np.ndarray, scheme: Scheme, clip: Clip = "mse") -> PackedWeight:
    """Quantise a finite (rows, columns) matrix to `scheme`."""
    if isinstance(scheme, Float):
        kind = np.float16 if scheme.bits == 16 else np.float32
        limit = float(np.finfo(kind).max)
        return PackedWeight(scheme, np.clip(weight, -limit, limit).astype(kind))
    if isinstance(scheme, Lut):
        return quantize_palette(weight, scheme)
    return quantize_rtn(weight, scheme, clip)
