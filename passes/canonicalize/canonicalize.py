"""Pass: ATen operators become the ops of the IR; what nobody reads goes."""

from dataclasses import dataclass
from typing import ClassVar

from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.ir.ops import ShapeError
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.passes.canonicalize.call import AtenCall
from optimum_compile.passes.canonicalize.layout_rules import LAYOUT
from optimum_compile.passes.canonicalize.norm_pattern import rms_norm_pattern
from optimum_compile.passes.canonicalize.rules import ARITHMETIC

RULES = ARITHMETIC | LAYOUT


@dataclass(frozen=True)
class Canonicalize:
    """Rewrite every `aten` node that has a rule, fold spelled-out norms, drop dead nodes.

    Before:  %t = aten() {target="aten.t.default", ...}(%w)
             %y = aten() {target="aten.addmm.default", ...}(%b, %x, %t)
    After:   %y = linear(%x, %w, %b)

    What has no equivalent stays `aten` with its overload name; backends accept or refuse it.
    """

    name: ClassVar[str] = "canonicalize"
    needs: ClassVar[tuple[type[Note], ...]] = ()
    writes: ClassVar[tuple[type[Note], ...]] = ()

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class."""
        changed = False
        for node in graph.nodes:
            if node.op == "aten":
                changed |= _rewrite(graph, node)
        changed |= rms_norm_pattern(graph)
        changed |= drop_dead(graph)
        changed |= graph.prune_weights() > 0
        left = sorted({str(n.attrs["target"]) for n in graph.nodes if n.op == "aten"})
        remarks = (f"kept as ATen: {', '.join(left)}",) if left else ()
        return PassResult(changed=changed, remarks=remarks)


def _rewrite(graph: Graph, node: Node) -> bool:
    rule = RULES.get(str(node.attrs["target"]).split(".")[1])
    if rule is None:
        return False
    before = set(graph.nodes) if len(graph.nodes) < 64 else None
    try:
        found = rule(AtenCall(graph, node))
    except (KeyError, ShapeError, IndexError):
        found = None
    if found is None or not _same_types(node, found):
        if before is not None:
            _undo(graph, before)
        return False
    for old, new in zip(node.outputs, found, strict=True):
        graph.replace_uses(old, new)
    graph.remove(node)
    return True


def _same_types(node: Node, found: list[Value]) -> bool:
    """Shapes must agree with torch's; the element type may be a wider integer."""
    return all(
        old.type.rank == new.type.rank and old.type.dtype == new.type.dtype
        for old, new in zip(node.outputs, found, strict=True)
    )


def _undo(graph: Graph, before: set[Node]) -> None:
    for node in reversed(graph.nodes):
        if node not in before and not any(graph.is_used(v) for v in node.outputs):
            graph.remove(node)


def drop_dead(graph: Graph) -> bool:
    """Remove nodes whose outputs nobody reads; returns whether there were any."""
    found = False
    for node in reversed(graph.nodes):
        if not any(graph.is_used(v) for v in node.outputs):
            graph.remove(node)
            found = True
    return found
