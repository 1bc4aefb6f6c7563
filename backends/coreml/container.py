"""Bytes of an `.mlpackage` beside its weights, counted from the graph. No SDK is needed to ask.

The program of a package is protobuf text of operations: each has its name twice (as attribute and as
output), the names of what it reads, the names of small constants that its arguments are, and types.
Module paths are in the names, so they, and not the operations, are most of the file. Hence

    bytes of a node = base + labels * length of its name + sum of reads[i] * length of input i's name

with one row of numbers an op, counted in emitted programs (coremltools 9.0). What is not exact: dims of
more than 127 (a byte or two each), and counters in names that coremltools invents.
"""

from collections.abc import Container
from dataclasses import dataclass

from optimum_compile.backends.container import metadata_bytes
from optimum_compile.backends.coreml.schemes import (
    hadamard_factors,
    is_wide_router,
    scales_outputs,
)
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.quant.scheme import Affine, Float, Scheme, Sparse, Vector
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.symbolic_shape.lengths import lengths_of


@dataclass(frozen=True)
class Cost:
    """Bytes of a node without names; how often its own name stands there, and those of its inputs.

    `reads` is for every input; the last number holds for all further ones.
    """

    base: int
    labels: int
    reads: tuple[int, ...] = (1,)


BINARY, UNARY, REDUCE = Cost(102, 2), Cost(76, 2), Cost(300, 8)
COSTS = {
    "embedding": Cost(476, 11),
    "embedding, scaled": Cost(1514, 26, (2,)),
    "embedding, sparse": Cost(1060, 30, (2,)),
    "linear": Cost(118, 2, (1, 1, 1)),
    "linear, scaled": Cost(238, 5, (1, 2, 0)),
    "linear, sparse": Cost(370, 8, (2, 2, 0)),
    "linear, wide": Cost(847, 8, (1, 1, 1)),  # a router
    "rms_norm": Cost(1318, 5, (3, 0)),
    "layer_norm": Cost(1005, 5, (1, 0)),
    "hadamard": Cost(900, 8),
    "route": Cost(3267, 5, (3,)),
    "rope": Cost(1462, 21, (1, 0)),
    "kv_write": Cost(1950, 2, (0, 1, 2)),
    "index_copy": Cost(600, 11),
    "cache_attention": Cost(2412, 26, (1, 1, 1, 0)),
    "attention": Cost(1653, 8),
    "silu": UNARY,
    "gelu": Cost(184, 5),
    "softmax": Cost(180, 5),
    "log": Cost(170, 5),
    "rsqrt": Cost(170, 5),
    "reciprocal": Cost(170, 5),
    **dict.fromkeys("relu tanh sigmoid exp sqrt abs cos sin erf floor logical_not".split(), UNARY),
    "neg": Cost(150, 5),
    "add": Cost(86, 2),
    "mul": Cost(86, 2),
    "add, wide": Cost(66, 2),
    **dict.fromkeys("mean sum max".split(), REDUCE),
    "matmul": Cost(280, 8),
    "where": Cost(140, 2),
    "cast": Cost(180, 5),
    "reshape": Cost(208, 5),
    "permute": Cost(207, 5),
    "expand": Cost(467, 5),
    "slice": Cost(456, 11),
    "concat": Cost(328, 8),
    "gather": Cost(480, 11),
    "gather_elements": Cost(353, 8),
    "gather_nd": Cost(832, 14),
    "full": Cost(67, 2),
    "arange": Cost(120, 2),
}
READ_WIDE = ("rms_norm", "layer_norm", "hadamard", "add, wide", "route", "linear, wide")
GIVE_WIDE = ("add, wide", "hadamard", "linear, wide")
WIDENED = 290  # a cast to fp32, of what came in fp16
WIDE_NAME = 15  # what such a cast is called: "add_12_wide"
STAGE_NAME = 13  # before a module path: "stage0_int4__"
STATE_NAME = 24  # what the joined program calls the last value of a state: "coreml_update_state_12"

# Once a function.
FUNCTION = 650  # its port descriptions, the frame of its block
PORT = 290  # an output and its cast
STATE = 124 + 340 + 84  # its first read, the write back, its description
POSITIONS, MASK, ROPE_TABLES, ZEROS, CODEBOOK = 256, 850, 1420, 138, 150
EARLIER, WALSH = 150, 150

# Constants of a weight, besides its name.
CONSTANT, AFFINE, ZERO_POINTS, PALETTE = 128, 236, 76, 240
VECTORS, ROW_SCALES, GROUP_SCALES = 274, 130, 204
OUTLIERS, OUTLIER_CODES = 242, 420

PACKAGE = 617 + 110  # Manifest.json, and the frame of the specification


def container_bytes(graph: Graph) -> int:
    """Bytes of all files of the package beyond `stored_bytes` and `fixed_bytes`."""
    functions = 1
    if graph.states and "seq" in graph.symbols:
        lengths = lengths_of(graph)
        functions += len(lengths.fixed) + (lengths.symbolic is not None)
    return PACKAGE + metadata_bytes(graph) + functions * _function(graph)


def _function(graph: Graph) -> int:
    total = FUNCTION + PORT * len(graph.outputs) + STATE * len(graph.states)
    renamed = {s.written for s in graph.states}
    wide: set[Value] = set()  # in fp32 already, under the name of its node or of a cast
    own: set[Value] = set()  # those of them whose node gives fp32
    for node in graph.nodes:
        kind = _kind(node)
        cost = COSTS.get(kind, BINARY)
        total += cost.base + cost.labels * _length(node.outputs[0], ())
        for index, value in enumerate(node.inputs):
            if value is None:
                continue
            reads = cost.reads[min(index, len(cost.reads) - 1)]
            if kind not in READ_WIDE or value.weight is not None or value in own:
                total += reads * _length(value, renamed)
                continue
            total += reads * WIDE_NAME
            if value not in wide:
                wide.add(value)
                total += WIDENED + _length(value, renamed)
        if kind in GIVE_WIDE:
            own.add(node.output)
    weights = sum(_weight(v) for v in graph.weights.values() if v.uses)
    return total + weights + _once(graph)


def _kind(node: Node) -> str:
    """The row of the table: the op, and how it is lowered where that differs."""
    if node.op == "add":
        widened = any(user.op in READ_WIDE for user in node.output.users)
        return "add, wide" if widened else "add"
    if node.op not in ("linear", "embedding"):
        return node.op
    if node.op == "linear" and is_wide_router(node):
        return "linear, wide"
    scheme = _scheme(node.input(1))
    if scheme is not None and scales_outputs(scheme):
        return f"{node.op}, scaled"
    return f"{node.op}, sparse" if isinstance(scheme, Sparse) else node.op


def _scheme(weight: Value) -> Scheme | None:
    note = weight.notes.get(Precision)
    return None if note is None else note.scheme


def _length(value: Value, renamed: Container[Value]) -> int:
    """Characters of a variable's name: stage, module path and value; a weight has its own name."""
    if value in renamed:
        return STATE_NAME
    if value.producer is None:
        return len(value.name)
    return STAGE_NAME + len(value.producer.origin) + 2 + len(value.name)


def _once(graph: Graph) -> int:
    """What nodes share: positions, masks, tables of rope, zeros, codebooks."""
    made: dict[tuple[str, object], int] = {}
    for node in graph.nodes:
        if node.op == "rope":
            made["rope", node.input(2)] = ROPE_TABLES
        elif node.op == "cache_attention":
            made["mask", node.attrs["window"]] = MASK
        elif node.op == "hadamard":
            made |= {("walsh", n): WALSH for n in hadamard_factors(int(str(node.attrs["block"])))}
        elif node.op == "route":
            made["earlier", 0] = EARLIER
        elif node.op == "linear":
            made["zeros", node.input(1).type.shape[0]] = ZEROS
        if node.op in ("rope", "cache_attention"):
            made["positions", 0] = POSITIONS
    for value in graph.weights.values():
        scheme = _scheme(value)
        if value.uses and isinstance(scheme, Vector) and scheme.codebook == "shared":
            made["codebook", (scheme.bits, scheme.width)] = CODEBOOK
    return sum(made.values())


def _weight(value: Value) -> int:
    """The constants of one weight; those of norms are counted with the norm."""
    users = {node.op for node in value.users}
    if users <= {"rms_norm", "layer_norm", "rope"}:
        return 0
    return _constant(_scheme(value), len(value.name))


def _constant(scheme: Scheme | None, name: int) -> int:
    """Operations that hold a weight in `scheme` whose name has so many characters."""
    if scheme is None or isinstance(scheme, Float):
        return CONSTANT + 2 * name
    if isinstance(scheme, Sparse):
        scaled = isinstance(scheme.base, Affine) and scheme.outliers == "scaled"
        codes = OUTLIER_CODES + 3 * name if scaled else 0
        return _constant(scheme.base, name) + OUTLIERS + 2 * name + codes
    if isinstance(scheme, Vector):
        if scales_outputs(scheme):
            return VECTORS + ROW_SCALES + 4 * name
        return VECTORS + GROUP_SCALES + 5 * name
    if isinstance(scheme, Affine):
        return AFFINE + (0 if scheme.symmetric else ZERO_POINTS) + 2 * name
    return PALETTE + 2 * name
