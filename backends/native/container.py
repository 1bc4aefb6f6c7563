"""Bytes of an `.ocm` beyond its weights, counted before anything is fused or planned.

What the fusing passes will join is foreseen from names, inputs and schemes; a step, a view and a buffer
have the sizes of docs/native.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from optimum_compile.backends.container import metadata_bytes
from optimum_compile.backends.native.encode import HEADER, SECTION, aligned
from optimum_compile.backends.native.experts import stretches
from optimum_compile.backends.native.program import (
    PARAMETERS,
    PART_ALIGNMENT,
    PARTS,
    WEIGHTS_ALIGNMENT,
    WeightKind,
)
from optimum_compile.backends.native.schemes import part_bytes
from optimum_compile.backends.native.weights import kind_of
from optimum_compile.compiler.decoder import caches_of
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.ops import is_matrix_input
from optimum_compile.compiler.quant.scheme import Float, Scheme, Vector
from optimum_compile.passes.fuse.projections import fused_origin
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.symbolic_shape.lengths import SEQ, lengths_of

TABLES = 24 + 8 * 4  # sizes, and the counts of the tables
SYMBOLS = 2 * 25
EXPRESSIONS = 600  # shapes, strides and offsets, which layers share
SPARE = 8  # a node: offsets that are expressions of their own, views that are not foreseen
GUARD = 60
STAGES = 3 * 32
FUNCTION = 44
STEP, OPERAND, ATTRIBUTE = 16, 5, 9
VIEW, AXIS = 9, 8
BUFFER = 14
PART = 17
WEIGHT = 29
CACHE = 73
NAME = 12  # of a buffer: that of an op and a number
# Steps by op: operands, attributes, and the ranks of the views that only it has. What element-wise ops
# compute lies over one of their inputs.
STEPS: dict[str, tuple[int, int, tuple[int, ...]]] = {
    "embedding": (3, 0, (2, 3)),
    "rms_norm": (3, 1, (3,)),
    "layer_norm": (4, 1, (3,)),
    "rope": (3, 1, (4, 4)),  # queries or keys before, and after
    "cache_attention": (5, 3, (4, 3)),
    "hadamard": (2, 1, (3,)),
    "route": (2, 2, (3,)),
    "softmax": (2, 1, (3,)),
}
BINARY = (3, 1, ())
OTHER = (2, 1, ())
NO_STEP = frozenset({"linear", "kv_write", "reshape", "permute", "expand", "slice"})


def container_bytes(graph: Graph, more: Sequence[int] = ()) -> int:
    """Header, metadata, program and padding; a little rather too many. more: sizes of further sections."""
    head = aligned(HEADER.size + (3 + len(more)) * SECTION.size, PART_ALIGNMENT)
    meta = aligned(metadata_bytes(graph), PART_ALIGNMENT)
    others = sum(aligned(size, PART_ALIGNMENT) for size in more)
    return aligned(head + meta + others + program_bytes(graph), WEIGHTS_ALIGNMENT)


def program_bytes(graph: Graph) -> int:
    """Bytes of the section `PROGRAM`."""
    functions = 1
    if SEQ in graph.symbols:
        lengths = lengths_of(graph)
        functions += len(lengths.fixed) + (lengths.symbolic is not None)
    tables = TABLES + SYMBOLS + EXPRESSIONS + GUARD + STAGES + _stored(graph)
    return tables + SPARE * len(graph.nodes) + functions * _function(graph)


def _stored(graph: Graph) -> int:
    """Tables of weights, their parts, and caches."""
    total = sum(CACHE + len(cache.name) for cache in caches_of(graph))
    joined = _joined(graph)
    books: set[tuple[int, int]] = set()
    for name, value in graph.weights.items():
        if not value.uses or name in joined:
            continue
        is_matrix = any(is_matrix_input(node.op, index) for node, index in value.uses)
        note = value.notes.get(Precision)
        scheme = note.scheme if note is not None and is_matrix else Float(32)
        total += _weight(scheme, len(name), value)
        if isinstance(scheme, Vector) and scheme.codebook == "shared":
            books.add((scheme.bits, scheme.width))
    for group in set(map(tuple, joined.values())):
        first = group[0].input(1)
        note = first.notes.get(Precision)
        scheme = Float(32) if note is None else note.scheme
        name = fused_origin([node.origin for node in group])
        total += _weight(scheme, len(name) + 7, first)
        if len(group[0].inputs) > 2 and group[0].inputs[2] is not None:
            total += _weight(Float(32), len(name) + 5, first)
    return total + PART * len(books)


def _weight(scheme: Scheme, name: int, value: Value) -> int:
    kind = kind_of(scheme)
    shape = value.type.static_shape()
    rows, columns = shape if len(shape) == 2 else (1, value.type.elements())
    numbers = 8 * len(PARAMETERS[kind]) + 4 * len(PARTS[kind])
    parts = (
        1 if kind in (WeightKind.F16, WeightKind.F32) else len(part_bytes(scheme, rows, columns))
    )
    return WEIGHT + name + numbers + PART * parts


def linear_groups(graph: Graph) -> Iterable[list[Node]]:
    """Linears of one module that read one value in one scheme: one step computes them."""
    found: dict[tuple[Value, str, str], list[Node]] = defaultdict(list)
    for at, node in enumerate(graph.nodes):
        if node.op == "linear":
            note = node.input(1).notes.get(Precision)
            scheme = "" if note is None else str(note.scheme)
            routes = any(user.op == "route" for user in node.output.users)
            module = str(at) if routes else node.origin.rpartition(".")[0]
            found[node.input(0), module, scheme].append(node)
    return found.values()


def _joined(graph: Graph) -> dict[str, list[Node]]:
    """Weights and biases that become rows of another, by name, with the linears of their group."""
    out: dict[str, list[Node]] = {}
    for group in linear_groups(graph):
        if len(group) > 1:
            for node in group:
                out |= {value.name: group for value in node.inputs[1:] if value is not None}
    return out


def _function(graph: Graph) -> int:
    total = FUNCTION + sum(BUFFER + NAME for _ in caches_of(graph))
    for group in linear_groups(graph):
        adds = len(group) == 1 and any(is_fused(user) for user in group[0].output.users)
        # Two are a gate and what it gates, and their product lies over the gate. A sum lies over the
        # residual.
        count = 0 if adds else len(group) + (len(group) == 2)
        total += _step(4 + len(group), 1, (3,) * count) + (0 if adds else BUFFER + NAME)
    total += len(stretches(graph)) * _step(1, 1, (3,))  # skips
    return total + sum(_node(node) for node in graph.nodes)


def _node(node: Node) -> int:
    if node.op == "slice":
        return _view(node.output.type.rank)
    if node.op in NO_STEP or is_fused(node):
        return 0
    operands, attributes, views = STEPS.get(node.op, OTHER if len(node.inputs) == 1 else BINARY)
    rank = node.output.type.rank
    views = (*views, *((rank,) * (node.op == "rms_norm" and rank == 4)))
    buffer = BUFFER + NAME if node.op in STEPS else 0
    return _step(operands, attributes, views) + buffer


def is_fused(node: Node) -> bool:
    """A sum that its linear adds, or an activation that its product applies."""
    if node.op == "add":
        makers = [v.producer for v in node.inputs if v is not None]
        return any(m is not None and m.op == "linear" and m.output.users == [node] for m in makers)
    return node.op in ("silu", "gelu", "relu") and [n.op for n in node.output.users] == ["mul"]


def _step(operands: int, attributes: int, views: Iterable[int]) -> int:
    return STEP + OPERAND * operands + ATTRIBUTE * attributes + sum(map(_view, views))


def _view(rank: int) -> int:
    return VIEW + AXIS * rank
