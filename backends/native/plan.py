"""The planned functions of a decoder: fused, split by the number of tokens, viewed, and placed."""

from dataclasses import dataclass

from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.passes.fuse.pipeline import fuse
from optimum_compile.passes.fuse.split_phases import SplitPhases, phases
from optimum_compile.passes.memory.plan import PlanMemory
from optimum_compile.passes.subtensor.place import PlaceViews
from optimum_compile.passes.symbolic_shape.specialize import specialize


@dataclass(frozen=True)
class Planned:
    """Functions in the order of the program, the prompt's first, and what the passes remarked."""

    functions: tuple[Graph, ...]
    remarks: tuple[str, ...]


def plan_functions(graph: Graph) -> Planned:
    """Prefill and decode of a decoder; decode alone where it takes one token a call.

    `graph` stays as it is. Packed weights that become one are written to the store of their notes.
    """
    fused = fuse(graph)
    if "seq" in fused.graph.symbols:
        both = phases(fused.graph)
        functions: tuple[Graph, ...] = (both.prefill, both.decode)
    else:
        functions = (specialize(fused.graph, {}, "decode"),)
        SplitPhases().run(functions[0], PassContext())
    remarks = list(fused.remarks)
    for function in functions:
        placed = PassManager((PlaceViews(), PlanMemory())).run(function, PassContext())
        remarks += [f"{function.name}: {remark}" for remark in placed]
    return Planned(functions, tuple(remarks))
