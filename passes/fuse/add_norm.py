"""Pass: a sum and the norm of it become one node."""

from dataclasses import dataclass
from typing import ClassVar

from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.passes.fuse.places import in_one_stage, remark, take_place


@dataclass(frozen=True)
class FuseAddNorm:
    """Make one node of a sum and the RMS norm that reads it, with both as outputs.

    Before:  %y = add(%x, %experts) : f32[1, seq, 64]
             %n = rms_norm(%y, @norm.weight) {eps = 1e-05} : f32[1, seq, 64]
    After:   %y, %n = add_rms_norm(%x, %experts, @norm.weight) {eps = 1e-05}

    It is for sums that no linear takes in (`FuseResidual` runs before it): those of experts. The numbers
    are the same to the bit.
    """

    name: ClassVar[str] = "fuse-add-norm"
    needs: ClassVar[tuple[type[Note], ...]] = ()
    writes: ClassVar[tuple[type[Note], ...]] = ()

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class."""
        remarks: list[str] = []
        changed = False
        for node in graph.nodes:
            if node.op != "add":
                continue
            norms = [n for n in node.output.users if n.op == "rms_norm" and _is_ready(n)]
            if not norms or any(v is None or v.type != node.output.type for v in node.inputs):
                continue
            if not in_one_stage(node, norms[0]):
                reason = "the sum lies in another stage"
                remarks.append(remark(norms[0], "the sum before it stays apart", reason))
                continue
            _fuse(graph, node, norms[0])
            changed = True
        return PassResult(changed, tuple(remarks))


def _is_ready(norm: Node) -> bool:
    """Whether its gain exists wherever the sum does."""
    gain = norm.inputs[1] if len(norm.inputs) > 1 else None
    return gain is None or gain.weight is not None


def _fuse(graph: Graph, node: Node, norm: Node) -> None:
    made = graph.add_node(
        "add_rms_norm",
        [node.input(0), node.input(1), *norm.inputs[1:]],
        [node.output.type, norm.output.type],
        norm.attrs,
        origin=norm.origin,
        names=["sum", norm.origin.rpartition(".")[2] or "rms_norm"],
        before=node,
    )
    take_place(graph, made, norm, [node.output, norm.output])
    graph.remove(norm)
    graph.remove(node)
