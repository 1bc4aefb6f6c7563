"""What an `.mlpackage` (iOS 18) can store, and in how many bytes. No SDK is needed to ask."""

from optimum_compile.backends.base import SUPPORTED, Support, WeightUse
from optimum_compile.compiler.quant.scheme import (
    Affine,
    Float,
    Lut,
    Scheme,
    packed_bytes,
)

# Every blob has 64 bytes of metadata, and data begins at a multiple of 64.
BLOB_BYTES = 64


def supports_scheme(scheme: Scheme, use: WeightUse) -> Support:
    """Whether a weight of this shape and use can be stored and run in `scheme`."""
    if isinstance(scheme, Float):
        return SUPPORTED if scheme.bits == 16 else Support(False, "activations are fp16: use f16")
    if isinstance(scheme, Lut):
        if use.rows % scheme.rows_per_table:
            return Support(
                False, f"{scheme.rows_per_table} rows a table do not divide {use.rows} rows"
            )
        return SUPPORTED
    if scheme.bits not in (4, 8):
        return Support(
            False, f"integer grids have 4 or 8 bits, not {scheme.bits}: use lut{scheme.bits}"
        )
    size = scheme.group_size(use.columns)
    if use.columns % size:
        return Support(False, f"groups of {size} do not divide {use.columns} columns")
    return SUPPORTED


def stored_bytes(scheme: Scheme, use: WeightUse) -> int:
    """Bytes in weight.bin, blob headers and alignment included."""
    rows, columns = use.rows, use.columns
    if isinstance(scheme, Float):
        return blob(rows * columns * scheme.bits // 8)
    codes = blob(packed_bytes(rows * columns, scheme.bits))
    if isinstance(scheme, Lut):
        return codes + blob(scheme.tables(rows) * (1 << scheme.bits) * 2)
    scales = rows * scheme.groups(columns)
    zeros = 0 if scheme.symmetric else blob(packed_bytes(scales, scheme.bits))
    return codes + blob(scales * 2) + zeros


def blob(size: int) -> int:
    """A blob of `size` bytes with its header and padding."""
    return BLOB_BYTES + -(-size // BLOB_BYTES) * BLOB_BYTES


def is_blockwise(scheme: Scheme) -> bool:
    """Whether the weight becomes constexpr_blockwise_shift_scale."""
    return isinstance(scheme, Affine)
