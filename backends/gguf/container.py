"""Bytes of a GGUF file beyond its tensors: the entries of tensors, padding, and metadata with the tokenizer."""

import math

from optimum_compile.backends.gguf.names import gguf_name
from optimum_compile.backends.gguf.types import F32_BYTES, stored_bytes
from optimum_compile.backends.stacks import stacks_of
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.passes.stages.blocks import is_quantizable

ALIGNMENT = 32
# An entry: length of the name, number of dimensions, type, offset; and each dimension.
ENTRY, DIMENSION = 24, 8
# Header and some dozens of plain values.
PLAIN = 3000


def container_bytes(graph: Graph) -> int:
    """What the file will have beyond `stored_bytes` and `fixed_bytes`; a little rather too many."""
    stacks = stacks_of(graph, gguf_name, lambda s, u: stored_bytes(s, u.use), "gguf")
    vocabulary = max((s.first.use.rows for s in stacks.values() if s.first.use.as_table), default=0)
    total = PLAIN + vocabulary * _token_bytes(vocabulary)
    for name, stack in stacks.items():
        dimensions = 3 if len(stack.units) > 1 else 2
        size = sum(stored_bytes(stack.scheme, unit.use) for unit in stack.units)
        total += ENTRY + len(name) + DIMENSION * dimensions + -size % ALIGNMENT
    for name, value in graph.weights.items():
        other = gguf_name(name)
        if other and graph.is_used(value) and not is_quantizable(value):
            size = value.type.elements() * F32_BYTES
            total += ENTRY + len(other) + DIMENSION + -size % ALIGNMENT
    return total


def _token_bytes(vocabulary: int) -> int:
    """Of one token: its text and the text's length, its type, and its share of the merges.

    The tokenizer is not known here; texts get longer as there are more of them, and a file of 2,048 tokens
    had 28 bytes each (36 here).
    """
    return max(24, int(4 * math.log2(max(2, vocabulary))) - 8)
