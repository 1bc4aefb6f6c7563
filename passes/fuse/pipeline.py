"""The fusing passes in their order."""

from dataclasses import dataclass

from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.pass_manager import Pass, PassContext, PassManager
from optimum_compile.passes.fuse.activation import FuseActivation
from optimum_compile.passes.fuse.add_norm import FuseAddNorm
from optimum_compile.passes.fuse.projections import FuseProjections
from optimum_compile.passes.fuse.residual import FuseResidual
from optimum_compile.passes.fuse.rope_tables import RopeTables
from optimum_compile.passes.symbolic_shape.specialize import specialize


@dataclass(frozen=True)
class Fused:
    """A fused graph, how many nodes it had and has, and what was not fused and why."""

    graph: Graph
    nodes_before: int
    nodes_after: int
    remarks: tuple[str, ...]


def fusing_passes() -> tuple[Pass, ...]:
    """Every pass of `fuse`: a linear takes its residual first, what is left of sums the norms take."""
    return (FuseProjections(), FuseResidual(), FuseActivation(), FuseAddNorm(), RopeTables())


def fuse(graph: Graph, context: PassContext | None = None) -> Fused:
    """A fused copy of `graph`, quantised or not; `graph` stays as it is, weights are shared.

    Packed weights that become one are written to the store of their notes. Notes of stages, precision
    and values are kept. Symbols stay: specialise the result, or take `split_phases.phases` of it.
    """
    made = specialize(graph, {})
    before = len(made.nodes)
    remarks = PassManager(fusing_passes()).run(made, context)
    return Fused(made, before, len(made.nodes), remarks)
