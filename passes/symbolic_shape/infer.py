"""Pass: propagate shapes through every op, and check what the importer stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.ir.conditions import Decision, Verdict
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.ir.guards import Guards
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.ir.ops import dim_attr, infer_types
from optimum_compile.compiler.ir.shape import format_dim, symbols_of
from optimum_compile.compiler.ir.simplify import assuming
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.passes.symbolic_shape.table import SymbolTable, symbol_table


@dataclass(frozen=True)
class InferShapes:
    """Recompute every type from the op table, in order, so that later passes can rely on it.

    Before:  %y = permute(%x) {perm=(0, 2, 1)} : f32[1, 4, s0]      with %x : f32[1, seq, 4]
    After:   %y = permute(%x) {perm=(0, 2, 1)} : f32[1, 4, seq]

    An ATen operator that has no row keeps the importer's types. What may be wrong for some values of the
    symbols is a remark with an example: a negative size, a slice that begins after its end or ends
    after the tensor. Guards of the export count as given; `past` is a symbol (see `table`).
    """

    name: ClassVar[str] = "infer-shapes"
    needs: ClassVar[tuple[type[Note], ...]] = ()
    writes: ClassVar[tuple[type[Note], ...]] = ()

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class. Raises InputError where an op cannot take its inputs."""
        changed = False
        remarks: dict[str, None] = {}
        table = symbol_table(graph)
        with assuming(graph):
            for node in graph.nodes:
                changed |= _infer(graph, node)
                for text in _doubts(node, table):
                    remarks[f"{node.op} at {node.origin or 'top level'}: {text}"] = None
        return PassResult(changed=changed, remarks=(*remarks, *_unchecked(graph)))


def _infer(graph: Graph, node: Node) -> bool:
    try:
        found = infer_types(node.op, [v.type if v else None for v in node.inputs], node.attrs)
    except (ValueError, KeyError) as error:
        raise InputError(
            f"{graph.name}: {node.op} at {node.origin or 'top level'}: {error}"
        ) from error
    changed = False
    for value, kind in zip(node.outputs, found or (), strict=found is not None):
        changed |= value.type != kind
        value.type = kind
    return changed


def _doubts(node: Node, table: SymbolTable) -> Iterator[str]:
    for dim in dict.fromkeys(d for v in node.outputs for d in v.type.shape):
        if isinstance(dim, int):
            continue
        if not symbols_of(dim) <= set(table.ranges):
            yield f"the range of {format_dim(dim)} is undecidable"
            continue
        found = table.at_most(0, dim)
        if found.verdict is Verdict.UNDECIDED:
            yield f"the sign of {format_dim(dim)} is undecidable"
        elif found.verdict is Verdict.NO:
            yield f"{format_dim(dim)} may be negative{_example(found)}"
    if node.op == "slice":
        yield from _slice_doubts(node, table)


def _slice_doubts(node: Node, table: SymbolTable) -> Iterator[str]:
    size = node.input(0).type.shape[int(str(node.attrs["axis"]))]
    start, stop = dim_attr(node.attrs["start"]), dim_attr(node.attrs["stop"])
    for low, high, what in ((0, start, "begins before 0"), (stop, size, f"ends after {size}")):
        found = table.at_most(low, high)
        if found.verdict is not Verdict.YES:
            told = _example(found) if found.verdict is Verdict.NO else " or not: undecidable"
            yield f"{format_dim(start)}:{format_dim(stop)} {what}{told}"


def _example(found: Decision) -> str:
    values = ", ".join(f"{n}={v}" for n, v in found.witness)
    return f" (at {values})" if values else ""


def _unchecked(graph: Graph) -> Iterator[str]:
    note = graph.notes.get(Guards)
    for text in () if note is None else note.unread:
        yield f"torch.export demands {text}: it is not checked, for it is on no size of an input"
