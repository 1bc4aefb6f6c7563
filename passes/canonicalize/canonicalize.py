"""Pass: ATen operators become the ops of the IR; what nobody reads goes."""

from dataclasses import dataclass
from typing import ClassVar

from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.ir.shape import Shape
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
    call = AtenCall(graph, node)
    try:
        found = rule(call)
    except (KeyError, ValueError, IndexError, OverflowError):
        found = None
    if found is None or not _same_types(graph, node, found):
        for made in reversed(call.made):
            graph.remove(made)
        return False
    for old, new in zip(node.outputs, found, strict=True):
        graph.replace_uses(old, new)
    graph.remove(node)
    return True


def _same_types(graph: Graph, node: Node, found: list[Value]) -> bool:
    """Types must agree with torch's, where they are read; equal symbolic sizes may look different."""
    return len(found) == len(node.outputs) and all(
        old.type.dtype == new.type.dtype and _may_be_equal(old.type.shape, new.type.shape)
        for old, new in zip(node.outputs, found, strict=True)
        if graph.is_used(old)
    )


def _may_be_equal(left: Shape, right: Shape) -> bool:
    return len(left) == len(right) and not any(
        isinstance(a, int) and isinstance(b, int) and a != b
        for a, b in zip(left, right, strict=True)
    )


def drop_dead(graph: Graph) -> bool:
    """Remove nodes whose outputs nobody reads; returns whether there were any."""
    found = False
    for node in reversed(graph.nodes):
        if not any(graph.is_used(v) for v in node.outputs):
            graph.remove(node)
            found = True
    return found
