"""Pass: an activation and the product that it gates become one node."""

from dataclasses import dataclass
from typing import ClassVar

from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.linear_rules import ACTIVATIONS
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.passes.fuse.places import in_one_stage, only_reader, remark, take_place


@dataclass(frozen=True)
class FuseActivation:
    """Make one node of an activation and the product that alone reads it.

    Before:  %a = silu(%gate) : f32[1, seq, 128]
             %h = mul(%a, %up) : f32[1, seq, 128]
    After:   %h = gated(%gate, %up) {activation = "silu"} : f32[1, seq, 128]

    The numbers are the same to the bit. A product that repeats an operand (a gate of one number a
    token) stays.
    """

    name: ClassVar[str] = "fuse-activation"
    needs: ClassVar[tuple[type[Note], ...]] = ()
    writes: ClassVar[tuple[type[Note], ...]] = ()

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class."""
        remarks: list[str] = []
        changed = False
        for node in graph.nodes:
            if node.op != "mul":
                continue
            for value in node.inputs:
                activation = _activation(value)
                if value is None or value.producer is None or not activation:
                    continue
                reason = _refusal(graph, value.producer, node)
                if not reason:
                    _fuse(graph, value.producer, node, activation)
                    changed = True
                    break
                remarks.append(remark(value.producer, "its product stays apart", reason))
        return PassResult(changed, tuple(remarks))


def _activation(value: Value | None) -> str:
    """What made `value`, as `gated` names it; "" for anything else."""
    node = None if value is None else value.producer
    if node is None:
        return ""
    if node.op == "gelu":
        return "gelu_tanh" if node.attrs["approximate"] == "tanh" else "gelu"
    return node.op if node.op in ACTIVATIONS else ""


def _refusal(graph: Graph, activation: Node, node: Node) -> str:
    if only_reader(graph, activation.output) is not node:
        return "more than the product reads it"
    if any(v is None or v.type != node.output.type for v in node.inputs):
        return "the product repeats one of its operands"
    return "" if in_one_stage(activation, node) else "the product lies in another stage"


def _fuse(graph: Graph, activation: Node, node: Node, kind: str) -> None:
    a, b = node.input(0), node.input(1)
    made = graph.add_node(
        "gated",
        [activation.input(0), b if a is activation.output else a],
        [node.output.type],
        {"activation": kind},
        origin=node.origin,
        names=["gated"],
        before=node,
    )
    take_place(graph, made, node, [node.output])
    graph.remove(node)
    graph.remove(activation)
