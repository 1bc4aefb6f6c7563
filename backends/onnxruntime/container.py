"""Bytes of an `.onnx` beside its weights, counted from the graph. No SDK is needed to ask.

The graph is protobuf: each node has its name, the names of what it reads and writes, and attributes. Most
characters are the scope (stage and module path) that begins the names a node's lowering makes. Hence

    bytes of a node = base + scopes * length of its scope + values * length of its value's name
                      + sum of reads[i] * length of input i's name

with one row of numbers an op, counted in emitted models (onnx 1.23.2). What is not exact: numbers of
more than 127 in shapes (a byte or two each).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from optimum_compile.backends.container import metadata_bytes
from optimum_compile.backends.onnxruntime.caches import Grouped, grouped_attentions
from optimum_compile.backends.onnxruntime.emit import ALIGNMENT, INLINE_BYTES
from optimum_compile.backends.onnxruntime.schemes import (
    blocks_of,
    fixed_bytes,
    has_float_zeros,
    rounds_activations,
    stored_bytes,
)
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.quant.kv import KvStored
from optimum_compile.compiler.quant.scheme import Affine, Scheme
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.units import units_of


@dataclass(frozen=True)
class Cost:
    """Bytes of a node without names; how often scope, own value and inputs are named.

    `reads` is for every input; the last number holds for all further ones.
    """

    base: int
    scopes: int
    reads: tuple[int, ...] = (1,)
    values: int = 3


BINARY, UNARY, REDUCE = Cost(50, 1), Cost(50, 1), Cost(100, 1)
COSTS = {
    "embedding": Cost(110, 4, (1, 1)),
    "linear": Cost(165, 1, (1, 1, 1)),
    "rms_norm": Cost(306, 16, (2, 1)),
    "layer_norm": Cost(117, 1),
    "hadamard": Cost(260, 10),
    "route": Cost(838, 43, (3,)),
    "rope": Cost(632, 27, (2, 0)),
    "kv_write": Cost(89, 1, (3, 1, 1), 0),
    "index_copy": Cost(150, 4, (3, 1, 1)),
    "cache_attention": Cost(757, 28, (1, 0)),
    "attention": Cost(395, 19),
    "silu": Cost(92, 4, (2,)),
    "gelu": Cost(69, 1),
    **dict.fromkeys("mean sum max".split(), REDUCE),
    "softmax": Cost(65, 1),
    "reshape": Cost(67, 1),
    "permute": Cost(72, 1),
    "expand": Cost(192, 4),
    "slice": Cost(113, 1),
    "concat": Cost(68, 1),
    "gather": Cost(70, 1),
    "gather_elements": Cost(72, 1),
    "full": Cost(77, 1, (), 3),
    "arange": Cost(190, 7, (), 3),
}
STAGE_NAME = 12  # before a module path: "stage0_int4/"

# Nodes that turn what is stored into what is read: base, scopes, names of the weight.
Step = tuple[int, int, int]
WIDEN: Step = (40, 3, 1)  # fp16 to float32
CODES: Step = (145, 9, 2)  # codes and a number a row, to float32
SPREAD: Step = (284, 12, 0)  # numbers of groups to their blocks
TRANSPOSE: Step = (46, 3, 0)
BIAS: Step = (63, 3, 0)
# Initialisers without their weight's name and their data.
INITIALISER = {"value": 20, "codes": 28, "scales": 25, "zeros": 23, "coded": 50, "numbers": 24}

# Once a graph: constants of shapes and axes, and what layers share (base, times the first scope).
FRAME, CONSTANTS, PORT, PROPERTIES = 72, 2100, 45, 132
ONCE = {
    "rope": (333, 33),
    "kv_write": (1036, 55),
    "cache_attention": (495, 37),
    "route": (244, 16),
}
# Attention with its caches, in float32 and in codes (base, times the scope).
GROUPED, CODED = (768, 27), (1235, 36)
POSITIONS = 160, 13
MASKS = 550  # of CONSTANTS, where no attention needs a mask
NUMBERS = 62  # a constant of numbers without them
OUTSIDE = 90  # where an initialiser lies in the file beside, as text


def container_bytes(
    graph: Graph, *, int8: bool = False, caches: Mapping[str, KvStored] | None = None
) -> int:
    """Bytes of the model, and of padding in the file beside it, beyond `stored_bytes` and `fixed_bytes`.

    `caches` is that of `emit`.
    """
    grouped = grouped_attentions(graph, caches or {})
    held = {node for each in grouped.values() for node in (each.key_write, each.value_write)}
    total = FRAME + CONSTANTS + PROPERTIES + metadata_bytes(graph)
    total += PORT * (len(graph.inputs) + len(graph.outputs) + 2 * len(graph.states))
    seen: set[str] = set()
    for node in graph.nodes:
        if node in held:
            continue
        if node in grouped:
            total += _attention(node, grouped[node], first="grouped" not in seen)
            seen.add("grouped")
            continue
        total += _node(node, int8)
        if node.op in ONCE and node.op not in seen:
            seen.add(node.op)
            base, scopes = ONCE[node.op]
            total += base + scopes * _scope(node)
    tensors = 0
    for value in graph.weights.values():
        if value.uses:
            sizes = _initialisers(value, int8)
            tensors += len(sizes)
            total += sum(sizes) + len(sizes) * len(value.name)
    if _weights(graph, int8) > INLINE_BYTES:
        total += tensors * (OUTSIDE + ALIGNMENT // 2)
    return total


def _weights(graph: Graph, int8: bool) -> int:
    notes = ((u, graph.weights[u.name].notes.get(Precision)) for u in units_of(graph))
    matrices = (stored_bytes(n.scheme, u.use, int8=int8) for u, n in notes if n is not None)
    return fixed_bytes(graph) + sum(matrices)


def _attention(node: Node, caches: Grouped, *, first: bool) -> int:
    """GroupQueryAttention and what is around it; the first one counts positions for all."""
    states = (caches.keys, caches.values)
    coded = caches.value_scheme is not None
    base, scopes = CODED if coded else GROUPED
    names = [node.input(0).name, *(w.input(1).name for w in (caches.key_write, caches.value_write))]
    total = base + scopes * _scope(node) + 3 * len(node.outputs[0].name) + sum(map(len, names))
    total += 2 * sum(len(state.name) for state in states)
    if coded:
        heads, width = (int(node.input(0).type.shape[at]) for at in (1, 3))
        kv_heads = int(node.input(1).type.shape[1])
        # Scales of both, offsets of keys; those of values once for each query head.
        total += 4 * NUMBERS + 4 * width * (3 * kv_heads + heads)
    return total + (POSITIONS[0] + POSITIONS[1] * _scope(node) - MASKS if first else 0)


def _scope(node: Node) -> int:
    return STAGE_NAME + len(node.origin or node.op) + 1


def _node(node: Node, int8: bool) -> int:
    cost = COSTS.get(node.op, BINARY)
    scope = _scope(node)
    total = cost.base + cost.scopes * scope + cost.values * len(node.outputs[0].name)
    for index, value in enumerate(node.inputs):
        if value is not None and cost.reads:
            total += cost.reads[min(index, len(cost.reads) - 1)] * len(value.name)
    if node.op not in ("linear", "embedding"):
        return total
    steps = _steps(node.input(1), node.op == "linear", int8)
    if len(node.inputs) > 2 and node.inputs[2] is not None:
        steps.append(BIAS)
    name = len(node.input(1).name)
    return total + sum(b + scopes * scope + names * name for b, scopes, names in steps)


def _scheme(weight: Value) -> Scheme | None:
    note = weight.notes.get(Precision)
    return None if note is None else note.scheme


def _steps(weight: Value, as_linear: bool, int8: bool) -> list[Step]:
    """Nodes between the initialisers of a matrix and the one that multiplies or looks up."""
    scheme, columns = _scheme(weight), weight.type.static_shape()[1]
    if not isinstance(scheme, Affine):
        return [WIDEN, TRANSPOSE] if as_linear else [WIDEN]
    steps: list[Step] = []
    blocks = blocks_of(scheme, columns)
    spread = [SPREAD] if blocks is not None and blocks.repeats > 1 else []
    if not (int8 and rounds_activations(scheme, columns, as_linear=as_linear)):
        steps += [CODES if scheme.scale_bits else WIDEN, *spread]
    if has_float_zeros(scheme):
        steps += [CODES if scheme.zero_bits < 16 else WIDEN, *spread]
    elif not scheme.symmetric:
        steps.append((8, 0, 1))
    return steps


def _initialisers(value: Value, int8: bool) -> list[int]:
    """Bytes of each tensor of a weight without data and the weight's name."""
    scheme = _scheme(value)
    if not isinstance(scheme, Affine):
        return [INITIALISER["value"]]
    out = [INITIALISER["codes"], INITIALISER["scales"]]
    as_linear = any(node.op == "linear" for node in value.users)
    rounds = int8 and rounds_activations(scheme, value.type.static_shape()[1], as_linear=as_linear)
    if scheme.scale_bits and not rounds:
        out.append(INITIALISER["numbers"])
    return out if scheme.symmetric else [*out, INITIALISER["zeros"]]
