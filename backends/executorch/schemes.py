"""What a `.pte` can store, and in how many bytes. Plain data: no SDK is needed to ask."""

from optimum_compile.backends.base import SUPPORTED, Support, WeightUse
from optimum_compile.compiler.quant.scheme import (
    Affine,
    Float,
    PerChannel,
    Scheme,
    packed_bytes,
)

XNNPACK_GROUP = 32
SEGMENT_ALIGNMENT = 16


def on_xnnpack(scheme: Scheme, use: WeightUse) -> bool:
    """Whether XNNPACK runs this linear: 8 or 4 bits per channel, 4 bits by groups of a multiple of 32.

    The scales of its groups are bfloat16, so only schemes on that grid are exact there; those of its
    channels are float32. A table that is looked up as well stays with the packed operators, which
    share one copy.
    """
    if use.as_table or not isinstance(scheme, Affine) or not scheme.symmetric:
        return False
    if isinstance(scheme.group, PerChannel):
        return scheme.bits == 8 or (scheme.bits == 4 and use.columns % 2 == 0)
    size = scheme.group_size(use.columns)
    fits = use.columns % size == 0 and size % XNNPACK_GROUP == 0
    return scheme.bits == 4 and fits and scheme.scale_dtype == "bf16"


def supports_scheme(scheme: Scheme, use: WeightUse) -> Support:
    """Whether a weight of this shape and use can be stored and run in `scheme`."""
    if isinstance(scheme, Float) and scheme.bits == 32:
        return Support(False, "float32 weights are not stored; use f16")
    return SUPPORTED


def stored_bytes(scheme: Scheme, use: WeightUse) -> int:
    """Bytes in the artifact. XNNPACK keeps float32 scales a channel, bfloat16 scales a group."""
    rows, columns = use.rows, use.columns
    if not on_xnnpack(scheme, use) or not isinstance(scheme, Affine):
        return scheme.stored_bytes(rows, columns) + _zeros_padding(scheme, rows, columns)
    codes = packed_bytes(rows * columns, scheme.bits)
    return codes + (rows * 4 if scheme.bits == 8 else rows * scheme.groups(columns) * 2)


def _zeros_padding(scheme: Scheme, rows: int, columns: int) -> int:
    """The packed operators keep one byte a zero point, whatever its bits."""
    if not isinstance(scheme, Affine) or scheme.symmetric:
        return 0
    count = rows * scheme.groups(columns)
    return count - packed_bytes(count, scheme.bits)
