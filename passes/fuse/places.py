"""Questions that every fusing pass asks of two nodes."""

from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.passes.stages.notes import InStage


def only_reader(graph: Graph, value: Value) -> Node | None:
    """The one node that reads `value`, once; None where there are more, or it is kept."""
    kept = any(v is value for v in graph.outputs) or any(s.written is value for s in graph.states)
    return value.uses[0][0] if len(value.uses) == 1 and not kept else None


def in_one_stage(left: Node, right: Node) -> bool:
    """Whether two nodes may become one: another stage may run other kernels."""
    return left.notes.get(InStage) == right.notes.get(InStage)


def remark(node: Node, what: str, reason: str) -> str:
    """What was not fused, where and why."""
    return f"{node.origin or node.outputs[0].name}: {what}: {reason}"
