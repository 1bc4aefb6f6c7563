"""Pass: what is added to a linear's output is added where it is computed."""

from dataclasses import dataclass
from typing import ClassVar

from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.passes.fuse.places import in_one_stage, only_reader, remark, take_place


@dataclass(frozen=True)
class FuseResidual:
    """Make one node of a linear and the sum that alone reads it.

    Before:  %o = linear(%a, @attn.o_proj.weight) : f32[1, seq, 64] from "attn.o_proj"
             %y = add(%x, %o) : f32[1, seq, 64]
    After:   %y = linear_add(%a, @attn.o_proj.weight, _, %x) : f32[1, seq, 64] from "attn.o_proj"

    The numbers are the same to the bit: a sum of two does not know their order. Of two linears that
    are added, the later one takes the other as its residual.
    """

    name: ClassVar[str] = "fuse-residual"
    needs: ClassVar[tuple[type[Note], ...]] = ()
    writes: ClassVar[tuple[type[Note], ...]] = ()

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class."""
        remarks: list[str] = []
        changed = False
        order = {node: at for at, node in enumerate(graph.nodes)}
        for node in graph.nodes:
            if node.op != "add":
                continue
            producers = dict.fromkeys(v.producer for v in node.inputs if v is not None)
            linears = [p for p in producers if p is not None and p.op == "linear"]
            for linear in sorted(linears, key=order.__getitem__, reverse=True):
                reason = _refusal(graph, linear, node)
                if not reason:
                    _fuse(graph, linear, node)
                    changed = True
                    break
                remarks.append(remark(linear, "its sum stays apart", reason))
        return PassResult(changed, tuple(remarks))


def _refusal(graph: Graph, linear: Node, node: Node) -> str:
    if only_reader(graph, linear.output) is not node:
        return "more than the sum reads it"
    if any(v is None or v.type != node.output.type for v in node.inputs):
        return "the sum repeats one of its operands"
    return "" if in_one_stage(linear, node) else "the sum lies in another stage"


def _fuse(graph: Graph, linear: Node, node: Node) -> None:
    a, b = node.input(0), node.input(1)
    bias = linear.inputs[2] if len(linear.inputs) > 2 else None
    made = graph.add_node(
        "linear_add",
        [linear.input(0), linear.input(1), bias, b if a is linear.output else a],
        [node.output.type],
        origin=linear.origin,
        names=[linear.origin.rpartition(".")[2] or "linear_add"],
        before=node,
    )
    take_place(graph, made, linear, [node.output])
    graph.remove(node)
    graph.remove(linear)
