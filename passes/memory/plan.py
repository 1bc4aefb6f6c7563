"""Pass: give every buffer of the arena its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.ir.shape import Dim, format_dim
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.passes.memory.liveness import Layout, live_buffers, noted_layout
from optimum_compile.passes.memory.notes import MemoryPlan, Scratch
from optimum_compile.passes.memory.planner import PlanOptions, plan_buffers
from optimum_compile.passes.subtensor.notes import Buffers


@dataclass(frozen=True)
class PlanMemory:
    """Decide once, for every value of the symbols, where buffers of the arena lie.

    Before:  %a in buffer a of 1024*seq bytes, %b in b of 3072*seq, %c in c of 1024*seq, dead after each other
    After:   a at 0, b at 1024*seq, c at 0; peak 4096*seq

    The order of the nodes stays as it is. Buffers of other spaces have no place in the plan; `Scratch` of a
    node has one, as "scratch:" and the name of its output.
    """

    name: ClassVar[str] = "plan-memory"
    needs: ClassVar[tuple[type[Note], ...]] = (Buffers,)
    writes: ClassVar[tuple[type[Note], ...]] = (MemoryPlan,)
    options: PlanOptions = field(default_factory=PlanOptions)

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class. Raises UnsupportedError for sizes that cannot be planned."""
        notes = ((node, node.notes.get(Scratch)) for node in graph.nodes)
        scratch = {node: note.size_bytes for node, note in notes if note is not None}
        plan = plan_graph(graph, noted_layout(graph), scratch, self.options)
        changed = graph.notes.get(MemoryPlan) != plan
        graph.notes.put(plan)
        remark = f"arena of {format_dim(plan.peak_bytes)} bytes for {len(plan.placed)} buffers"
        return PassResult(changed=changed, remarks=(remark,))


def plan_graph(
    graph: Graph,
    layout: Layout,
    scratch: Mapping[Node, Dim] | None = None,
    options: PlanOptions | None = None,
) -> MemoryPlan:
    """The plan of a graph whose values lie as `layout` says; `scratch` is bytes a node needs as it runs."""
    return plan_buffers(live_buffers(graph, layout, scratch), graph.symbols, options)
