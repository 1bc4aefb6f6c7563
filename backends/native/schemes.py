"""What an `.ocm` can store, and in how many bytes. Plain data: nothing is read to answer."""

from optimum_compile.backends.base import SUPPORTED, Support, WeightUse
from optimum_compile.backends.native.encode import aligned
from optimum_compile.backends.native.program import PART_ALIGNMENT
from optimum_compile.compiler.decoder import context_of
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.ops import is_matrix_input
from optimum_compile.compiler.quant.scheme import (
    E0M4,
    Affine,
    Float,
    Lut,
    Nested,
    Scheme,
    Sparse,
    Vector,
    packed_bytes,
)

HALF, SINGLE = 2, 4  # bytes of a number


def supports_scheme(scheme: Scheme, use: WeightUse) -> Support:
    """Everything in the vocabulary, but vectors that do not divide the rows."""
    if isinstance(scheme, Vector) and use.columns % scheme.width:
        return Support(False, f"vectors of {scheme.width} do not divide {use.columns} columns")
    return SUPPORTED


def stored_bytes(scheme: Scheme, use: WeightUse, alignment: int = PART_ALIGNMENT) -> int:
    """Bytes in the artifact, every part padded to a multiple of `alignment`.

    Exact for a weight that stays alone; those that are joined share their padding.
    """
    return sum(aligned(size, alignment) for size in part_bytes(scheme, use.rows, use.columns))


def part_bytes(scheme: Scheme, rows: int, columns: int) -> list[int]:
    """Bytes of each part; a shared codebook is not among them."""
    if isinstance(scheme, Sparse):
        return [*part_bytes(scheme.base, rows, columns), *_outliers(scheme, rows, columns)]
    if isinstance(scheme, Float):
        return [rows * columns * scheme.bits // 8]
    if isinstance(scheme, Nested):
        planes = scheme.bits * packed_bytes(rows * columns, 1)
        return [planes, scheme.tables(rows) * scheme.entries * HALF]
    if isinstance(scheme, Vector):
        indices = packed_bytes(rows * columns // scheme.width, scheme.bits)
        own = [scheme.codebook_bytes] if scheme.codebook == "own" else []
        return [indices, *own, *_scales(scheme, rows, columns)]
    codes = packed_bytes(rows * columns, scheme.bits)
    if isinstance(scheme, Lut):
        return [codes, scheme.tables(rows) * (1 << scheme.bits) * HALF]
    count = rows * scheme.groups(columns)
    if isinstance(scheme, E0M4):
        return [codes, count * HALF, count * HALF]
    zeros = [] if scheme.symmetric else [packed_bytes(count, scheme.zero_bits)]
    return [codes, *_scales(scheme, rows, columns), *zeros]


def _scales(scheme: Affine | Vector, rows: int, columns: int) -> list[int]:
    count = rows * scheme.groups(columns)
    if not scheme.scale_bits:
        return [count * HALF]
    return [packed_bytes(count, scheme.scale_bits), rows * HALF]


def _outliers(scheme: Sparse, rows: int, columns: int) -> list[int]:
    count, runs = scheme.count(rows, columns), scheme.runs(rows, columns)
    if not count:
        return []
    kept = count
    if isinstance(scheme.base, Affine) and scheme.outliers == "scaled":
        kept = rows * scheme.base.groups(columns)
    counts = runs.number(rows, columns) * runs.count_bytes
    return [counts, packed_bytes(count, runs.index_bits), kept * HALF]


def fixed_bytes(graph: Graph, alignment: int = PART_ALIGNMENT) -> int:
    """Bytes of norms and biases, which are float32, and of the table of angles that frequencies become."""
    return _constant_bytes(graph, alignment, context_of(graph) or 0)


def unread_bytes(graph: Graph, alignment: int = PART_ALIGNMENT) -> int:
    """Of `fixed_bytes`, the rows of the table of angles that a decode step does not read."""
    return fixed_bytes(graph, alignment) - _constant_bytes(graph, alignment, 1)


def _constant_bytes(graph: Graph, alignment: int, positions: int) -> int:
    """Bytes of everything that is no matrix, with angles of so many positions."""
    sizes = {}
    for node in graph.nodes:
        for index, value in enumerate(node.inputs):
            if value is None or value.weight is None or is_matrix_input(node.op, index):
                continue
            size = value.type.elements() * SINGLE
            if node.op == "rope" and index == 2:
                key = f"{value.name} {node.attrs['scale']}"
                sizes[key] = aligned(2 * size * positions, alignment)
            else:
                sizes[value.name] = aligned(size, alignment)
    return sum(sizes.values())
