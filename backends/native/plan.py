"""The planned functions of a decoder: fused, one for each number of tokens, viewed, and placed."""

from dataclasses import dataclass

from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.compiler.quant.kv_layout import kv_scratch_bytes
from optimum_compile.passes.fuse.pipeline import fuse
from optimum_compile.passes.fuse.split_phases import SplitPhases
from optimum_compile.passes.memory.notes import Scratch
from optimum_compile.passes.memory.plan import PlanMemory
from optimum_compile.passes.subtensor.place import PlaceViews
from optimum_compile.passes.symbolic_shape.lengths import DECODE, SEQ, decoder_functions
from optimum_compile.passes.symbolic_shape.specialize import specialize


@dataclass(frozen=True)
class Planned:
    """Functions in the order of the program, those for prompts first, and what the passes remarked."""

    functions: tuple[Graph, ...]
    remarks: tuple[str, ...]


def plan_functions(graph: Graph) -> Planned:
    """Those of `lengths_of` for prompts, and decode; decode alone where it takes one token a call.

    `graph` stays as it is. Packed weights that become one are written to the store of their notes.
    """
    fused = fuse(graph)
    if SEQ in fused.graph.symbols:
        functions = decoder_functions(fused.graph)
    else:
        functions = {DECODE: specialize(fused.graph, {})}
    remarks = list(fused.remarks)
    for name, function in functions.items():
        function.name = name
        SplitPhases().run(function, PassContext())
        _note_scratch(function)
        placed = PassManager((PlaceViews(), PlanMemory())).run(function, PassContext())
        remarks += [f"{name}: {remark}" for remark in placed]
    return Planned(tuple(functions.values()), tuple(remarks))


def _note_scratch(function: Graph) -> None:
    """Attention works in the arena, so that the plan counts all of its memory."""
    for node in function.nodes:
        if node.op != "cache_attention":
            continue
        query, keys, values = (node.input(at).type.shape for at in range(3))
        shared = int(query[1]) // int(keys[1])
        node.notes.put(Scratch(kv_scratch_bytes(int(keys[3]), int(values[3]), shared)))
