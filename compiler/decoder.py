"""Questions about a graph that is a decoder. No torch is needed to ask."""

from optimum_compile.compiler.ir.graph import Graph


def is_decoder(graph: Graph) -> bool:
    """Whether the graph is a decoder with tokens, a position and cached state."""
    return bool(graph.states) and [v.name for v in graph.inputs] == ["tokens", "past"]


def vocabulary(graph: Graph) -> int:
    """Rows of the smallest embedding table."""
    rows = [n.input(1).type.static_shape()[0] for n in graph.nodes if n.op == "embedding"]
    return min(rows, default=2)


def context_of(graph: Graph) -> int | None:
    """Length of the KV cache in tokens; None without one."""
    sizes = [
        n.input(0).type.shape[int(str(n.attrs["axis"]))] for n in graph.nodes if n.op == "kv_write"
    ]
    return min((int(s) for s in sizes if isinstance(s, int)), default=None)
