"""The rule that a placed graph keeps: every view lies in its buffer, whatever the symbols are."""

from collections.abc import Iterator

from optimum_compile.compiler.ir.decide import Verdict
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.ir.shape import Dim, as_dim, format_dim
from optimum_compile.compiler.ir.verify import Spec, Violation
from optimum_compile.passes.subtensor.notes import Buffers, Split, View
from optimum_compile.passes.subtensor.strides import extent
from optimum_compile.passes.symbolic_shape.table import SymbolTable, symbol_table


def views_in_bounds(graph: Graph) -> Iterator[Violation]:
    """Proves for each view that its first and last element are in its buffer, for every legal call."""
    notes = graph.notes.get(Buffers)
    if notes is None:
        yield Violation("place", graph.name, "has no note Buffers")
        return
    sizes = {b.name: b.elements for b in notes.buffers}
    table = symbol_table(graph)
    seen: set[tuple[str, Dim, Dim]] = set()
    for where, view in _views(graph):
        if view.buffer not in sizes:
            yield Violation("place", where, f"lies in {view.buffer!r}, which is no buffer")
            continue
        end = as_dim(view.offset + extent(view))
        key = (view.buffer, view.offset, end)
        if key in seen:
            continue
        seen.add(key)
        problem = _problem(view, end, sizes[view.buffer], table)
        if problem:
            yield Violation("place", where, problem)


PLACED = Spec("placed", (views_in_bounds,))


def _problem(view: View, end: Dim, size: Dim, table: SymbolTable) -> str:
    for low, high in ((0, view.offset), (end, size)):
        found = table.at_most(low, high)
        if found.verdict is not Verdict.YES:
            return (
                f"{format_dim(view.offset)} .. {format_dim(end)} in {view.buffer!r} of "
                f"{format_dim(size)} elements: {found}"
            )
    return ""


def _views(graph: Graph) -> Iterator[tuple[str, View]]:
    for value in graph.values():
        view = value.notes.get(View)
        if view is not None:
            yield f"%{value.name}", view
    for node in graph.nodes:
        split = node.notes.get(Split)
        for rows in () if split is None else split.parts:
            yield _label(node), rows.view


def _label(node: Node) -> str:
    return f"%{node.outputs[0].name} = {node.op}"
