"""Bytes of a Vulkan `.pte` beside its weights, counted from the graph. No SDK is needed to ask.

Most of it is the delegate's graph: a table an operator and a table a value. Figures are means of what
executorch 1.4.1 writes, a little rather too many.
"""

from optimum_compile.backends.container import metadata_bytes
from optimum_compile.backends.executorch.schemes import aligned
from optimum_compile.backends.executorch_vulkan.attention import (
    attentions_of,
    live_nodes,
    swapped_attention,
)
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.quant.scheme import Affine
from optimum_compile.passes.precision.notes import Precision

FILE = 3600  # header, the constant methods, the function itself
GRAPH = 500  # of the delegate, with its header
OPERATOR, TENSOR, NULL, LIST, ITEM = 74, 54, 14, 24, 4
KEPT = 104 + 116  # bytes of its own: their name in the delegate and in the program
ON_CPU = 500  # an operator that the delegate does not run
# Operators and tensors that a node makes, where that is not one of each.
MADE = {"cache_attention": (2, 3), "silu": (2, 2), "rope": (8, 9)}


def container_bytes(graph: Graph, *, int8_inputs: bool = False) -> int:
    """Bytes of the program, the delegate's graph and metadata beyond `stored_bytes` and `fixed_bytes`."""
    attentions = attentions_of(graph)
    live = live_nodes(graph, attentions)
    total = FILE + GRAPH + aligned(metadata_bytes(graph))
    constants: dict[Value, int] = {}
    rounded: set[Value] = set()
    for node in graph.nodes:
        if node not in live or swapped_attention(node, attentions) is not None:
            continue
        total += _node(node)
        if node in attentions:
            continue
        constants.update((v, 1) for v in node.inputs if v is not None and v.weight is not None)
        if node.op in ("linear", "embedding"):
            weight = node.input(1)
            bits = _bits(weight)
            constants[weight] = 2 + (node.op == "linear" and int8_inputs and bits == 4)
            total += _matrix(node, bits)
            if int8_inputs and bits == 4 and node.op == "linear":
                rounded.add(node.input(0))
    total += len(rounded) * (OPERATOR + 2 * TENSOR + 2 * LIST + 8 * ITEM)
    count = sum(constants.values()) + 2 * len(attentions) + 2
    return total + count * (KEPT + TENSOR)


def _node(node: Node) -> int:
    operators, tensors = MADE.get(node.op, (1, 1))
    total = operators * OPERATOR + tensors * TENSOR
    if node.op == "cache_attention":
        return total + LIST + 2 * ITEM + 2 * NULL
    if node.op in ("reshape", "permute", "slice"):
        return total + LIST + 4 * ITEM
    return total + NULL


def _matrix(node: Node, bits: int) -> int:
    """What 8 bits need more: two views around a matrix and a sum of its bias, two lookups for a table."""
    if bits == 4:
        return 0
    if node.op == "embedding":
        return 2 * ON_CPU + 2 * (OPERATOR + TENSOR)
    has_bias = len(node.inputs) > 2 and node.inputs[2] is not None
    return (2 + has_bias) * (OPERATOR + TENSOR) + 2 * (LIST + 4 * ITEM)


def _bits(weight: Value) -> int:
    note = weight.notes.get(Precision)
    return note.scheme.bits if note is not None and isinstance(note.scheme, Affine) else 4


def fixed_bytes(graph: Graph) -> int:
    """Norms, biases, angles of rotations, and the zeros that caches begin with: one copy of each size."""
    attentions = attentions_of(graph)
    live = live_nodes(graph, attentions)
    sizes: dict[object, int] = {}
    for node in graph.nodes:
        if node not in live or node in attentions:
            continue
        for index, value in enumerate(node.inputs):
            if value is None or value.weight is None:
                continue
            if (node.op, index) not in (("linear", 1), ("embedding", 1)):
                size = 4 if value.type.dtype.is_float else value.type.dtype.itemsize
                sizes[value.name] = aligned(value.type.elements() * size)
    for attention in attentions.values():
        heads, context, width = attention.keys.sizes
        sizes[("cache", heads * context * width)] = aligned(heads * context * width * 4)
        if attention.rope is not None:
            key = ("angles", attention.rope.inputs[2], str(attention.rope.attrs["scale"]))
            sizes[key] = 2 * aligned(context * width * 4)
    return sum(sizes.values())
