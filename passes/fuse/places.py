"""Questions that every fusing pass asks of two nodes."""

from collections.abc import Sequence

from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.passes.stages.notes import InStage


def only_reader(graph: Graph, value: Value) -> Node | None:
    """The one node that reads `value`, once; None where there are more, or it is kept."""
    kept = any(v is value for v in graph.outputs) or any(s.written is value for s in graph.states)
    return value.uses[0][0] if len(value.uses) == 1 and not kept else None


def in_one_stage(left: Node, right: Node) -> bool:
    """Whether two nodes may become one: another stage may run other kernels."""
    return left.notes.get(InStage) == right.notes.get(InStage)


def take_place(graph: Graph, made: Node, like: Node, values: Sequence[Value]) -> None:
    """Let the outputs of `made` be read instead of `values`, with their notes and those of the node `like`."""
    made.notes.copy_from(like.notes)
    for old, new in zip(values, made.outputs, strict=True):
        new.notes.copy_from(old.notes)
        graph.replace_uses(old, new)


def remark(node: Node, what: str, reason: str) -> str:
    """What was not fused, where and why."""
    return f"{node.origin or node.outputs[0].name}: {what}: {reason}"
