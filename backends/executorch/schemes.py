"""What a `.pte` can store, and in how many bytes. Plain data: no SDK is needed to ask."""

from optimum_compile.backends.base import SUPPORTED, Support, WeightUse
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.scheme import (
    E0M4,
    Affine,
    Float,
    Lut,
    Nested,
    PerChannel,
    Scheme,
    Sparse,
    Vector,
    packed_bytes,
)

XNNPACK_GROUP = 32
SEGMENT_ALIGNMENT = 16
# What assignment considers: vectors and tables on the packed operators, grids where XNNPACK has them.
LADDER = (
    "vec8x4:channel@shared",
    "vec6x2:channel@shared",
    "vec8x2:channel@shared",
    "int4:g32@bf16",
    "lut6",
    "int8:channel",
    "f16",
)


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
    if isinstance(scheme, Vector) and use.columns % scheme.width:
        return Support(False, f"vectors of {scheme.width} do not divide {use.columns} columns")
    return SUPPORTED


def stored_bytes(scheme: Scheme, use: WeightUse, *, xnnpack: bool = True) -> int:
    """Bytes in the artifact, every tensor padded to the alignment of segments.

    XNNPACK keeps float32 scales a channel, bfloat16 scales a group; the packed operators keep one
    byte where there are no zero points.
    """
    rows, columns = use.rows, use.columns
    if isinstance(scheme, Float):
        return aligned(rows * columns * scheme.bits // 8)
    if isinstance(scheme, Sparse):
        return stored_bytes(scheme.base, use, xnnpack=False) + _outliers(scheme, rows, columns)
    if isinstance(scheme, Nested):
        planes = aligned(scheme.bits * packed_bytes(rows * columns, 1))
        return planes + aligned(scheme.tables(rows) * scheme.entries * 2)
    if isinstance(scheme, Vector):
        own = aligned(scheme.codebook_bytes) if scheme.codebook == "own" else 0
        indices = aligned(packed_bytes(rows * columns // scheme.width, scheme.bits))
        return indices + own + _scales(scheme, rows, columns)
    codes = aligned(packed_bytes(rows * columns, scheme.bits))
    if isinstance(scheme, Lut):
        return codes + aligned(scheme.tables(rows) * (1 << scheme.bits) * 2)
    count = rows * scheme.groups(columns)
    if isinstance(scheme, E0M4):
        return codes + 2 * aligned(count * 2)
    if xnnpack and on_xnnpack(scheme, use):
        return codes + aligned(count * (4 if isinstance(scheme.group, PerChannel) else 2))
    zeros = 1 if scheme.symmetric else packed_bytes(count, scheme.zero_bits)
    return codes + _scales(scheme, rows, columns) + aligned(zeros)


def _scales(scheme: Affine | Vector, rows: int, columns: int) -> int:
    """Bytes of scales, or of their codes and the number of each row."""
    count = rows * scheme.groups(columns)
    if not scheme.scale_bits:
        return aligned(count * 2)
    return aligned(packed_bytes(count, scheme.scale_bits)) + aligned(rows * 2)


def _outliers(scheme: Sparse, rows: int, columns: int) -> int:
    """Bytes of counts, places, and of values or second scales."""
    count, runs = scheme.count(rows, columns), scheme.runs(rows, columns)
    if not count:
        return 0
    kept = count
    if isinstance(scheme.base, Affine) and scheme.outliers == "scaled":
        kept = rows * scheme.base.groups(columns)
    counts = aligned(runs.number(rows, columns) * runs.count_bytes)
    return counts + aligned(packed_bytes(count, runs.index_bits)) + aligned(kept * 2)


def fixed_bytes(graph: Graph) -> int:
    """Bytes of norms, biases and frequencies, which stay float32."""
    sizes = {}
    for node in graph.nodes:
        for index, value in enumerate(node.inputs):
            if value is None or value.weight is None:
                continue
            if (node.op, index) not in (("linear", 1), ("embedding", 1)):
                itemsize = 4 if value.type.dtype.is_float else value.type.dtype.itemsize
                sizes[value.name] = aligned(value.type.elements() * itemsize)
    return sum(sizes.values())


def aligned(size: int) -> int:
    """Bytes with the padding behind them."""
    return -(-size // SEGMENT_ALIGNMENT) * SEGMENT_ALIGNMENT
