"""The planned functions of a decoder: fused, one for each number of tokens, viewed, and placed."""

from collections.abc import Callable
from dataclasses import dataclass

from optimum_compile.compiler.ir.graph import Graph, Node
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


def plan_functions(
    graph: Graph,
    before: Callable[[Graph], None] | None = None,
    scratch: Callable[[Node], int] | None = None,
) -> Planned:
    """Those of `lengths_of` for prompts, and decode; decode alone where it takes one token a call.

    `graph` stays as it is. Packed weights that become one are written to the store of their notes.

    Args:
        graph: a decoder.
        before: called with each function before views are placed.
        scratch: bytes that a `cache_attention` works in, where that is not what the runtime's CPU takes.
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
        if before is not None:
            before(function)
        _note_scratch(function, scratch or attention_bytes)
        placed = PassManager((PlaceViews(), PlanMemory())).run(function, PassContext())
        remarks += [f"{name}: {remark}" for remark in placed]
    return Planned(tuple(functions.values()), tuple(remarks))


def attention_bytes(node: Node) -> int:
    """Bytes in which a `cache_attention` works on a CPU."""
    query, keys, values = (node.input(at).type.shape for at in range(3))
    shared = int(query[1]) // int(keys[1])
    return kv_scratch_bytes(int(keys[3]), int(values[3]), shared)


def _note_scratch(function: Graph, size_bytes: Callable[[Node], int]) -> None:
    """Attention works in the arena, so that the plan counts all of its memory."""
    for node in function.nodes:
        if node.op == "cache_attention":
            node.notes.put(Scratch(size_bytes(node)))
