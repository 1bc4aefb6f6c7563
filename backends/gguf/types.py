"""ggml's types that a GGUF file stores matrices in, and which of our schemes each one can hold.

A type is a block of columns of one row and its bytes. Types of 32 columns have an fp16 scale a block and
hold every scheme of their bits whose groups are whole blocks. K types have 256 columns in a block, an
fp16 number for all of them and small scale codes; ours has that number once a row, which is nearly the
same grid. `llama-quantize` rounds the weights itself, so a type is never worse than the grid it stands for.
"""

from dataclasses import dataclass

from optimum_compile.backends.base import Support, WeightUse
from optimum_compile.backends.gguf.names import gguf_name, is_kept
from optimum_compile.backends.stacks import plain_numbers
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.scheme import Affine, Float, Scheme

SUPERBLOCK = 256


@dataclass(frozen=True)
class GgmlType:
    """One of ggml's types: `block` columns take `bytes` bytes; `scheme` has nearly its grid.

    `number` is what a file calls it.
    """

    name: str
    number: int
    block: int
    bytes: int
    scheme: str

    @property
    def bits_per_weight(self) -> float:
        """Scales and minima included."""
        return 8 * self.bytes / self.block

    def stored_bytes(self, rows: int, columns: int) -> int:
        """Bytes of a matrix whose columns are whole blocks."""
        return rows * (columns // self.block) * self.bytes


# Narrow first.
TYPES = (
    GgmlType("Q2_K", 10, SUPERBLOCK, 84, "uint2:g16@u4,zu4"),
    GgmlType("Q3_K", 11, SUPERBLOCK, 110, "int3:g16@u6"),
    GgmlType("Q4_0", 2, 32, 18, "int4:g32"),
    GgmlType("Q4_K", 12, SUPERBLOCK, 144, "uint4:g32@u6,zu6"),
    GgmlType("Q4_1", 3, 32, 20, "uint4:g32@zf16"),
    GgmlType("Q5_0", 6, 32, 22, "int5:g32"),
    GgmlType("Q5_K", 13, SUPERBLOCK, 176, "uint5:g32@u6,zu6"),
    GgmlType("Q5_1", 7, 32, 24, "uint5:g32@zf16"),
    GgmlType("Q6_K", 14, SUPERBLOCK, 210, "int6:g16@u8"),
    GgmlType("Q8_0", 8, 32, 34, "int8:g32"),
    GgmlType("F16", 1, 1, 2, "f16"),
    GgmlType("F32", 0, 1, 4, "f32"),
)
BY_NAME = {kind.name: kind for kind in TYPES}
BY_SCHEME = {kind.scheme: kind for kind in TYPES}
# The types of 32 columns by whether codes are signed, and by bits.
BLOCKS_OF_32 = {(True, 4): "Q4_0", (True, 5): "Q5_0", (True, 8): "Q8_0"} | {
    (False, 4): "Q4_1",
    (False, 5): "Q5_1",
}
# What assignment considers. Q4_1 and Q5_1 take the bytes of the next wider type without its precision.
LADDER = tuple(kind.scheme for kind in TYPES if kind.name not in ("Q4_1", "Q5_1", "F32"))
F32_BYTES = 4


def type_of(scheme: Scheme, use: WeightUse) -> GgmlType | str:
    """The type that holds a weight in `scheme`, or why there is none."""
    if isinstance(scheme, Float):
        return BY_NAME[f"F{scheme.bits}"]
    if is_kept(use.name):
        return "llama-quantize never rounds the weights of a router: use f16"
    if not isinstance(scheme, Affine):
        return "GGUF has no palettes, vectors or outliers: use uint2:g16@u4,zu4 or wider"
    if use.columns % 32:
        return f"blocks have 32 columns, which do not divide {use.columns}: use f16"
    own = BY_SCHEME.get(str(scheme))
    if own is not None and own.block == SUPERBLOCK:
        if use.columns % SUPERBLOCK:
            wider = BLOCKS_OF_32[True, max(4, scheme.bits if scheme.bits != 6 else 8)]
            return (
                f"{own.name} has blocks of {SUPERBLOCK} columns, which do not divide {use.columns}: "
                f"use {BY_NAME[wider].scheme}"
            )
        return own
    name = BLOCKS_OF_32.get((scheme.symmetric, scheme.bits))
    if name is None:
        near = next(t for t in TYPES if t.scheme.lstrip("u").startswith(f"int{scheme.bits}:"))
        return f"GGUF has no such grid of {scheme.bits} bits: use {near.scheme} ({near.name})"
    if scheme.group_size(use.columns) % 32:
        return f"blocks have 32 columns, groups of {scheme.group} are no whole ones: use g32"
    return BY_NAME[name]


def supports_scheme(scheme: Scheme, use: WeightUse) -> Support:
    """Whether `llama-quantize` can give a weight of this shape a type for `scheme`."""
    found = type_of(scheme, use)
    return Support(False, found) if isinstance(found, str) else Support(True)


def stored_bytes(scheme: Scheme, use: WeightUse) -> int:
    """Bytes of a weight in the GGUF. Routers stay in float32, as the converter writes them."""
    if is_kept(use.name):
        return use.rows * use.columns * F32_BYTES
    found = type_of(scheme, use)
    if isinstance(found, str):  # refused, see `supports_scheme`
        return scheme.stored_bytes(use.rows, use.columns)
    return found.stored_bytes(use.rows, use.columns)


def fixed_bytes(graph: Graph) -> int:
    """Bytes of everything that is no matrix: GGUF holds norms and biases in float32."""
    return F32_BYTES * plain_numbers(graph, gguf_name)
