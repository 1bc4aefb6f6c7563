"""What the sub-tensor pass decided, as text for people."""

from collections.abc import Mapping

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.shape import evaluate, format_dim
from optimum_compile.passes.subtensor.notes import Buffers, Elided, Space, View


def placed(graph: Graph) -> Buffers:
    """The note of the pass. Raises InternalError where it has not run."""
    found = graph.notes.get(Buffers)
    if found is None:
        raise InternalError(f"graph {graph.name!r} has no note Buffers; run place-views first")
    return found


def copied_bytes(graph: Graph, symbols: Mapping[str, int]) -> int:
    """Bytes that one call of the function only moves."""
    return sum(evaluate(c.size_bytes, symbols) for c in placed(graph).copies)


def copied_cache_bytes(graph: Graph, symbols: Mapping[str, int]) -> int:
    """Those of them that go to a KV cache."""
    copies = (c for c in placed(graph).copies if c.node.startswith("kv_write "))
    return sum(evaluate(c.size_bytes, symbols) for c in copies)


def describe_copies(graph: Graph, symbols: Mapping[str, int] | None = None) -> tuple[str, ...]:
    """One line a copy, with its bytes as a number where `symbols` are given; then the sums.

    For example: "decode: 31 of 58 nodes need no work, 12 outputs lie over an input; nothing is copied".
    """
    notes = placed(graph)
    idle = sum(node.notes.get(Elided) is not None for node in graph.nodes)
    views = [(n, v, v.notes.get(View)) for n in graph.nodes for v in n.outputs]
    first: set[str] = set()
    over = 0
    for node, _, view in views:
        if view is None or node.notes.get(Elided) is not None:
            continue
        if node.op in ("concat", "linears") or notes.named(view.buffer).space is not Space.ARENA:
            continue
        over += view.buffer in first
        first.add(view.buffer)
    head = (
        f"{graph.name}: {idle} of {len(graph.nodes)} nodes need no work, "
        f"{over} outputs lie over an input"
    )
    if not notes.copies:
        return (f"{head}; nothing is copied",)
    lines = [f"{head}; {len(notes.copies)} copies remain"]
    for copy in notes.copies:
        size = (
            format_dim(copy.size_bytes)
            if symbols is None
            else f"{evaluate(copy.size_bytes, symbols):,}"
        )
        lines.append(f"  {copy.node}: {size} bytes: {copy.reason}")
    if symbols is not None:
        lines.append(f"  in all {copied_bytes(graph, symbols):,} bytes a call")
    return tuple(lines)
