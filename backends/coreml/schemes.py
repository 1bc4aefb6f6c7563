"""What an `.mlpackage` (iOS 18) can store, and in how many bytes. No SDK is needed to ask."""

from optimum_compile.backends.base import SUPPORTED, Support, WeightUse
from optimum_compile.compiler.decoder import context_of
from optimum_compile.compiler.ir.graph import Graph, Node, Value
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
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.stages.experts import feeds_route

# Every blob has 64 bytes of metadata, and data begins at a multiple of 64.
BLOB_BYTES = 64
IN_FILE = 10
TABLE_BITS = (1, 2, 3, 4, 6, 8)
PREFILL_TOKENS = 64
# What assignment considers: one grid or table for each number of bits, the best that is known.
LADDER = (
    "vec8x4:channel@shared",
    "vec6x2:channel@shared",
    "vec8x2:channel@shared",
    "int4:g32@bf16",
    "lut6",
    "int8:channel",
    "f16",
)
VECTOR_INDICES = (4, 6, 8)  # the types of indices of tables of 2^n entries, n > 3


def supports_scheme(scheme: Scheme, use: WeightUse) -> Support:
    """Whether a weight of this shape and use can be stored and run in `scheme`."""
    if isinstance(scheme, Float):
        return SUPPORTED if scheme.bits == 16 else Support(False, "activations are fp16: use f16")
    if isinstance(scheme, Nested):
        return supports_scheme(widest(scheme), use)
    if isinstance(scheme, Lut):
        if scheme.bits not in TABLE_BITS:
            return Support(False, f"tables have 1, 2, 3, 4, 6 or 8 bits, not {scheme.bits}")
        if use.rows % scheme.rows_per_table:
            return Support(
                False, f"{scheme.rows_per_table} rows a table do not divide {use.rows} rows"
            )
        return SUPPORTED
    if isinstance(scheme, Sparse):
        return supports_scheme(scheme.base, use)
    if isinstance(scheme, Vector):
        return _supports_vectors(scheme, use)
    if isinstance(scheme, E0M4):
        # w = a h + c, and there is only (data - offset) * scale: c / a is no fp16 number.
        return Support(False, f"offsets come before scales: use uint4:{scheme.group}@zf16")
    if scheme.bits not in (4, 8):
        return Support(
            False, f"integer grids have 4 or 8 bits, not {scheme.bits}: use lut{scheme.bits}"
        )
    size = scheme.group_size(use.columns)
    if use.columns % size:
        return Support(False, f"groups of {size} do not divide {use.columns} columns")
    return SUPPORTED


def _supports_vectors(scheme: Vector, use: WeightUse) -> Support:
    if scheme.bits not in VECTOR_INDICES:
        return Support(False, f"indices have 4, 6 or 8 bits, not {scheme.bits}")
    if use.columns % scheme.width:
        return Support(False, f"vectors of {scheme.width} do not divide {use.columns} columns")
    size = scheme.group_size(use.columns)
    if use.columns % size:
        return Support(False, f"groups of {size} do not divide {use.columns} columns")
    return SUPPORTED


def scales_outputs(scheme: Scheme) -> bool:
    """Whether scales multiply what is read of the weight: vectors with one scale a row."""
    return isinstance(scheme, Vector) and isinstance(scheme.group, PerChannel)


def stored_bytes(scheme: Scheme, use: WeightUse) -> int:
    """Bytes in weight.bin, blob headers and alignment included."""
    rows, columns = use.rows, use.columns
    if isinstance(scheme, Float):
        return _array(rows * columns, scheme.bits)
    if isinstance(scheme, Sparse):
        return stored_bytes(scheme.base, use) + _outliers(scheme, rows, columns)
    if isinstance(scheme, Vector):
        indices = _array(rows * columns // scheme.width, scheme.bits)
        own = _array(scheme.width << scheme.bits, 16) if scheme.codebook == "own" else 0
        return indices + own + _array(rows * scheme.groups(columns), 16)
    if isinstance(scheme, Nested):
        return stored_bytes(widest(scheme), use)
    codes = _array(rows * columns, scheme.bits)
    if isinstance(scheme, Lut):
        return codes + _array(scheme.tables(rows) << scheme.bits, 16)
    count = rows * scheme.groups(columns)
    if isinstance(scheme, E0M4):
        return codes + 2 * _array(count, 16)
    zeros = _array(count, scheme.bits if scheme.zero_dtype == "int" else 16)
    return codes + _array(count, 16) + (0 if scheme.symmetric else zeros)


def _outliers(scheme: Sparse, rows: int, columns: int) -> int:
    """Bytes of the mask, one bit a weight, and of values, or of codes and their scales."""
    count = scheme.count(rows, columns)
    if not count:
        return 0
    mask = _array(rows * columns, 1)
    if isinstance(scheme.base, Affine) and scheme.outliers == "scaled":
        scales = _array(rows * scheme.base.groups(columns), 16)
        return mask + _array(count, scheme.bits) + scales
    return mask + _array(count, 16)


def widest(scheme: Nested) -> Lut:
    """The one palette of a nested weight that is stored: a program chooses no width while it runs."""
    return Lut(scheme.bits, scheme.rows_per_table)


def blob(size: int) -> int:
    """A blob of `size` bytes with its header and padding."""
    return BLOB_BYTES + -(-size // BLOB_BYTES) * BLOB_BYTES


def unread_bytes(graph: Graph) -> int:
    """Of `fixed_bytes`, the rows of the tables of cosines and sines that a decode step does not read."""
    context, sizes = context_of(graph) or 0, {}
    for node in graph.nodes:
        if node.op == "rope":
            angles = node.input(2)
            whole, row = _array(context * angles.type.elements(), 16), 2 * angles.type.elements()
            sizes[angles.name, str(node.attrs["scale"])] = 2 * max(0, whole - row)
    return sum(sizes.values())


def fixed_bytes(graph: Graph) -> int:
    """Bytes in weight.bin of everything that is no matrix, as `lower_ops` writes it.

    Constants of fewer than ten numbers stay in the program.
    """
    sizes: dict[tuple[str, ...], int] = {("header",): BLOB_BYTES}
    context = context_of(graph) or 0
    for node in graph.nodes:
        values = [v for v in node.inputs[1:] if v is not None and v.weight is not None]
        if node.op in ("rms_norm", "layer_norm"):
            sizes |= {("wide", v.name): _array(v.type.elements(), 32) for v in values}
        elif node.op == "linear":
            rows = node.input(1).type.static_shape()[0]
            bias = node.inputs[2] if len(node.inputs) > 2 else None
            if bias is None and is_wide_router(node):
                continue  # a product of matrices, which needs no zeros
            sizes[("bias", str(rows) if bias is None else bias.name)] = _array(rows, 16)
            if _reads_apart(node.input(1)):  # a linear without bias, too
                sizes[("bias", str(rows))] = _array(rows, 16)
        elif node.op == "rope":
            table = _array(context * node.input(2).type.elements(), 16)
            key = (node.input(2).name, str(node.attrs["scale"]))
            sizes |= {("cos", *key): table, ("sin", *key): table}
        elif node.op == "hadamard":
            factors = hadamard_factors(int(str(node.attrs["block"])))
            sizes |= {("walsh", str(n)): _array(n * n, 32) for n in factors}
        elif node.op == "cache_attention":
            sizes[("columns",)] = _array(context, 32)
        elif node.op != "embedding":
            sizes |= {("plain", v.name): _array(v.type.elements(), 16) for v in values}
    if "seq" in graph.symbols and graph.states:
        sizes[("rows",)] = _array(min(PREFILL_TOKENS, graph.symbols["seq"].high), 32)
    return sum(sizes.values())


def _reads_apart(weight: Value) -> bool:
    """Whether a bias is added after the linear: scales or outliers come before it."""
    note = weight.notes.get(Precision)
    if note is None or not isinstance(note.scheme, Sparse):
        return note is not None and scales_outputs(note.scheme)
    rows, columns = weight.type.static_shape()
    return note.scheme.count(rows, columns) > 0


def is_wide_router(node: Node) -> bool:
    """Whether a linear is a product of matrices in fp32: routers are, in every usual scheme."""
    note = node.input(1).notes.get(Precision)
    usual = note is None or isinstance(note.scheme, Float | Affine | Lut)
    return usual and feeds_route(node)


def hadamard_factors(block: int) -> tuple[int, int]:
    """Two powers of two, as near as can be, whose product is the power of two `block`."""
    left = 1 << ((block.bit_length() - 1) // 2)
    return left, block // left


def _array(count: int, bits: int) -> int:
    return blob(packed_bytes(count, bits)) if count >= IN_FILE else 0


def is_blockwise(scheme: Scheme) -> bool:
    """Whether the weight becomes constexpr_blockwise_shift_scale."""
    return isinstance(scheme, Affine)
