"""Which block of the model a node belongs to."""

import re

from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.ops import is_matrix_input

_INDEX = re.compile(r"(?:^|\.)(\d{1,6})(?=\.|$)")


def block_index(origin: str) -> int | None:
    """First integer in a module path: "model.layers.3.mlp.up_proj" is 3; None without one."""
    match = _INDEX.search(origin)
    return None if match is None else int(match.group(1))


def blocks_of(graph: Graph) -> dict[Node, int]:
    """Block of every node. Nodes outside any block join the block before them, the first ones block 0.

    Blocks are numbered 0, 1, ... in order of appearance and never decrease along the graph, so a
    run of blocks is always a contiguous piece of the program.
    """
    number: dict[int, int] = {}
    out: dict[Node, int] = {}
    current = 0
    for node in graph.nodes:
        found = block_index(node.origin)
        if found is not None:
            current = max(current, number.setdefault(found, len(number)))
        out[node] = current
    return out


def block_count(graph: Graph) -> int:
    """Number of blocks; at least 1."""
    return max(blocks_of(graph).values(), default=0) + 1


def weight_blocks(graph: Graph) -> dict[str, int]:
    """Block of each weight that a node reads: that of its first reader."""
    where = blocks_of(graph)
    order = {node: at for at, node in enumerate(graph.nodes)}
    out: dict[str, int] = {}
    for name, value in graph.weights.items():
        readers = sorted(value.users, key=lambda n: order[n])
        if readers:
            out[name] = where[readers[0]]
    return out


def is_quantizable(value: Value) -> bool:
    """Whether a weight is a matrix that every reader uses as a linear's weight or a lookup table."""
    if value.weight is None or value.type.rank != 2 or not value.type.dtype.is_float:
        return False
    return bool(value.uses) and all(is_matrix_input(node.op, index) for node, index in value.uses)
