"""What an `.onnx` for ONNX Runtime can store, and in how many bytes. No SDK is needed to ask.

Matrices are MatMulNBits, tables GatherBlockQuantized (both of the domain com.microsoft). These are the
facts of version 1.31.1 that this file rests on, each checked by a test:

- blocks have 16, 32, 64, 128 or 256 columns; codes have 2, 4 or 8 bits; zero points are packed codes
  or floats. Floats with 8 bits load, and fail when they are run.
- a table takes packed codes as zero points only.
- `accuracy_level` 1 keeps activations as floats, whatever the form. 4 rounds them to int8, with one
  scale a block, where a kernel can: not in front of zero points that are floats, nor of blocks of 16
  columns with 2 bits. Where scales are computed in the graph and graph optimisation is off, it
  gives zeros; so there they are constants, in float32 and one a block.
"""

from dataclasses import dataclass

from optimum_compile.backends.base import SUPPORTED, Support, WeightUse
from optimum_compile.compiler.ir.graph import Graph, Value
from optimum_compile.compiler.quant.scheme import (
    E0M4,
    Affine,
    Float,
    Lut,
    Nested,
    Scheme,
    Sparse,
    packed_bytes,
)
from optimum_compile.passes.stages.blocks import is_quantizable

BITS = (2, 4, 8)
# What assignment considers: integer grids of 2, 4 and 8 bits, with more or fewer scales.
LADDER = (
    "uint2:g64",
    "uint2:g32",
    "uint2:g16",
    "uint4:g128",
    "uint4:g32",
    "uint4:g16",
    "int8:channel",
    "f16",
)
LEAST_BLOCK, MOST_BLOCK = 16, 256
FAST_2BIT = 32, 128  # least and most block that has an int8 kernel
FLOAT_ACTIVATIONS, INT8_ACTIVATIONS = 1, 4  # accuracy levels; 0 means the same as 1, unsaid


@dataclass(frozen=True)
class Blocks:
    """How the groups of a row become blocks of one size.

    `size` columns make a block, `count` of them a row, the last padded with zeros. Each group has
    `repeats` blocks in a row, which share its scale.
    """

    size: int
    count: int
    repeats: int


def blocks_of(scheme: Affine, columns: int) -> Blocks | None:
    """The blocks of a row, as large as they can be; None where groups are no whole blocks."""
    least, most = FAST_2BIT if scheme.bits == 2 else (LEAST_BLOCK, MOST_BLOCK)
    if scheme.groups(columns) == 1:
        # Any size will do, all its blocks share the scale: the one with the least padding.
        sizes = [most >> n for n in range(5) if most >> n >= least]
        size = min(sizes, key=lambda s: (-(-columns // s) * s, -s))
        count = -(-columns // size)
        return Blocks(size, count, count)
    group = scheme.group_size(columns)
    size = min(most, group & -group)
    return None if size < LEAST_BLOCK else Blocks(size, -(-columns // size), group // size)


def has_float_zeros(scheme: Affine) -> bool:
    """Whether zero points are floats in the graph; otherwise codes, or none at all."""
    return not scheme.symmetric and scheme.zero_dtype != "int"


def rounds_activations(scheme: Scheme, columns: int, *, as_linear: bool) -> bool:
    """Whether there is an int8 kernel that multiplies with a weight in this scheme."""
    if not as_linear or not isinstance(scheme, Affine) or has_float_zeros(scheme):
        return False
    blocks = blocks_of(scheme, columns)
    return blocks is not None and (scheme.bits > 2 or blocks.size >= FAST_2BIT[0])


def supports_scheme(scheme: Scheme, use: WeightUse) -> Support:
    """Whether a weight of this shape and use can be stored and run in `scheme`."""
    if isinstance(scheme, Float):
        return SUPPORTED
    if isinstance(scheme, Lut | Nested):
        wider = next(bits for bits in BITS if bits >= scheme.bits)
        return Support(False, f"MatMulNBits has no palettes: use uint{wider}:g32")
    if isinstance(scheme, Sparse):
        return Support(False, f"MatMulNBits has no outliers: use {scheme.base}")
    if isinstance(scheme, E0M4):
        return Support(False, f"offsets come before scales: use uint4:{scheme.group}@zf16")
    if not isinstance(scheme, Affine):
        return Support(False, "MatMulNBits has integer grids only: use int4:g32")
    if scheme.bits not in BITS:
        return Support(False, f"MatMulNBits has 2, 4 or 8 bits, not {scheme.bits}")
    if blocks_of(scheme, use.columns) is None:
        size = scheme.group_size(use.columns)
        return Support(False, f"blocks have 16 to 256 columns, and 16 does not divide {size}")
    if not has_float_zeros(scheme):
        return SUPPORTED
    if scheme.bits == 8:
        return Support(False, "8 bits with zero points that are floats fail in MatMulNBits")
    if use.as_table:
        return Support(False, f"tables have codes as zero points: use uint{scheme.bits}:g32")
    return SUPPORTED


def stored_bytes(scheme: Scheme, use: WeightUse, *, int8: bool = False) -> int:
    """Bytes of the initialisers of a weight: codes with the padding of rows, scales, zero points.

    With `int8` activations, scales are float32 numbers of every block.
    """
    rows, columns = use.rows, use.columns
    if isinstance(scheme, Float):
        return rows * columns * scheme.bits // 8
    blocks = blocks_of(scheme, columns) if isinstance(scheme, Affine) else None
    if not isinstance(scheme, Affine) or blocks is None:
        return scheme.stored_bytes(rows, columns)  # refused, see `supports_scheme`
    count = rows * scheme.groups(columns)
    codes = rows * blocks.count * blocks.size * scheme.bits // 8
    scales = number_bytes(count, scheme.scale_bits)
    if scheme.scale_bits:
        scales += 2 * rows
    if int8 and rounds_activations(scheme, columns, as_linear=use.as_linear):
        scales = 4 * rows * blocks.count
    if scheme.symmetric:
        return codes + scales
    if has_float_zeros(scheme):
        return (
            codes + scales + number_bytes(count, 0 if scheme.zero_bits == 16 else scheme.zero_bits)
        )
    return codes + scales + rows * packed_bytes(blocks.count, scheme.bits)


def number_bytes(count: int, bits: int) -> int:
    """Bytes of scales or zero points: fp16 for 0 bits, uint4 for 4, a byte for 6 or 8."""
    return packed_bytes(count, bits or 16) if bits in (0, 4) else count


def fixed_bytes(graph: Graph) -> int:
    """Bytes of everything that is no matrix: norms, biases, frequencies in float32, integers as is."""
    sizes: dict[tuple[str, object], int] = {}
    for node in graph.nodes:
        for value in node.inputs:
            if value is not None and value.weight is not None and not is_quantizable(value):
                sizes["plain", value.name] = plain_bytes(value)
        if node.op == "hadamard":
            for size in hadamard_factors(int(str(node.attrs["block"]))):
                sizes["hadamard", size] = 4 * size * size
    return sum(sizes.values())


def plain_bytes(value: Value) -> int:
    """Bytes of a weight that is no matrix."""
    kind = value.type
    return kind.elements() * (4 if kind.dtype.is_float else kind.dtype.itemsize)


def hadamard_factors(block: int) -> tuple[int, int]:
    """Two powers of two, as near as can be, whose product is the power of two `block`."""
    left = 1 << ((block.bit_length() - 1) // 2)
    return left, block // left
