"""Matrices in the byte order of the Vulkan delegate's fused operators.

codes   4 bits: two a byte, the even column in the low half, plus 8. 8 bits: int8.
scales  float32; (groups, rows) for a matrix of 4 bits, (rows,) of 8; (rows, groups) for a table.
sums    of the codes of a group, int32 (groups, rows padded to 8): what int8 inputs multiply their zero with.
"""

from dataclasses import dataclass

import numpy as np

from optimum_compile.backends.executorch_vulkan.schemes import SUM_ROWS
from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.quant.pack import pack_codes
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Affine


@dataclass(frozen=True)
class FusedMatrix:
    """A matrix (rows, columns) with one scale for every `group` columns of a row."""

    bits: int
    group: int
    codes: np.ndarray
    scales: np.ndarray  # float32 (rows, groups)

    @property
    def linear_scales(self) -> np.ndarray:
        """As the operators of matrices read them."""
        form = self.scales.T if self.bits == 4 else self.scales[:, 0]
        return np.ascontiguousarray(form)


def fused_matrix(packed: PackedWeight) -> FusedMatrix:
    """The constants of a weight that `schemes.supports_scheme` accepts. Its codes are kept as they are."""
    scheme = packed.scheme
    if not isinstance(scheme, Affine) or packed.scales is None:
        raise InternalError(f"the Vulkan delegate has no operator for {scheme}")
    rows, columns = packed.shape
    scales = np.ascontiguousarray(packed.scales, np.float32)
    codes: np.ndarray = np.ascontiguousarray(packed.codes, np.int8)
    if scheme.bits == 4:
        codes = (pack_codes(packed.codes, 4) ^ np.uint8(0x88)).reshape(rows, columns // 2)
    return FusedMatrix(scheme.bits, scheme.group_size(columns), codes, scales)


def sums_of(packed: PackedWeight, group: int) -> np.ndarray:
    """Int32 (groups, rows padded to 8)."""
    rows, columns = packed.shape
    sums = packed.codes.reshape(rows, columns // group, group).sum(-1, dtype=np.int32)
    out = np.zeros((columns // group, -(-rows // SUM_ROWS) * SUM_ROWS), np.int32)
    out[:, :rows] = sums.T
    return out


def unpacked(codes: np.ndarray, columns: int) -> np.ndarray:
    """Bytes of 4-bit codes (rows, columns / 2) as int8 (rows, columns)."""
    out = np.empty((len(codes), columns), np.int8)
    out[:, ::2] = (codes & 15).astype(np.int8) - 8
    out[:, 1::2] = (codes >> 4).astype(np.int8) - 8
    return out
