"""Who writes and who reads a placed value: elided nodes do neither, the kernels around them do."""

from collections.abc import Iterator

from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.passes.subtensor.notes import Elided, Split, View


def writer(value: Value) -> Node | None:
    """The node that first writes what `value` holds; None for inputs, states and weights.

    A slice of a linear that is written in parts is written by the linear, which comes before it.
    """
    node = value.producer
    if node is not None and node.op == "slice":
        linear = node.input(0).producer
        if linear is not None and linear.notes.get(Split) is not None:
            return linear
    return node


def readers(value: Value) -> Iterator[Node]:
    """Every node that reads `value`, or a view of it.

    Behind an elided node come the readers of its outputs: the rows of a cache of few bits are read by the
    attention that stores them, although only the elided kv_write names them.
    """
    for node in value.users:
        yield node
        if node.notes.get(Elided) is not None:
            for output in node.outputs:
                yield from readers(output)


def spans(graph: Graph) -> dict[str, tuple[int, int]]:
    """The first and the last step of every buffer, as indices in `graph.nodes`.

    What the caller or the next call reads stays until the last node. Buffers without a node (inputs,
    caches, constants) are there from the first.
    """
    order = {node: at for at, node in enumerate(graph.nodes)}
    end = max(len(order) - 1, 0)
    kept = {*graph.outputs, *(s.written for s in graph.states)}
    out: dict[str, tuple[int, int]] = {}
    for value in graph.values():
        view = value.notes.get(View)
        if view is None:
            continue
        made = writer(value)
        first = 0 if made is None else order[made]
        last = end if value in kept else max([first, *(order[n] for n in readers(value))])
        known = out.get(view.buffer, (first, last))
        out[view.buffer] = (min(first, known[0]), max(last, known[1]))
    return out
