"""From a quantised decoder to a program: fused, split in two functions, placed, and written as steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from optimum_compile.backends.native.caches import CacheTable, cache_table, require_decoder
from optimum_compile.backends.native.experts import gate_view, stretches
from optimum_compile.backends.native.exprs import Expressions
from optimum_compile.backends.native.function import FunctionBuilder
from optimum_compile.backends.native.guards import lower_guards
from optimum_compile.backends.native.parts import PartWriter
from optimum_compile.backends.native.program import (
    PART_ALIGNMENT,
    PAST,
    SEQ,
    Function,
    Program,
    Sizes,
    Stage,
    Symbol,
)
from optimum_compile.backends.native.steps import lower_node
from optimum_compile.backends.native.weights import Packer, WeightTable, pack
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.passes.stages.notes import StagePlan

NO_STAGES = Stage("stage0_fp16", "FP16")


@dataclass(frozen=True)
class Lowered:
    """A program, and the scratch file with the bytes of its weights."""

    program: Program
    weights: Path
    weight_bytes: int
    caches: CacheTable


def lower(
    functions: Sequence[Graph],
    work: Path,
    alignment: int = PART_ALIGNMENT,
    packer: Packer = pack,
) -> Lowered:
    """The program of planned functions, the prompt's first; bytes of weights go to a file in `work`.

    Parts and caches begin at multiples of `alignment`; `packer` stores quantised matrices.

    Raises UnsupportedError for what the runtime cannot compute.
    """
    context = require_decoder(functions[0])
    longest = max(_tokens(graph)[1] for graph in functions)
    symbols = (Symbol(SEQ, 1, longest), Symbol(PAST, 0, context - 1))
    exprs = Expressions(tuple(s.name for s in symbols))
    writer = PartWriter(work / "native_weights.bin", alignment)
    try:
        weights, caches = WeightTable(writer, packer), cache_table(functions[0], alignment)
        made = [_function(graph, exprs, weights, caches) for graph in functions]
    finally:
        writer.close()
    guards = lower_guards(functions[0], exprs, context)
    vocabulary = functions[0].outputs[0].type.shape[-1]
    if not isinstance(vocabulary, int):
        raise UnsupportedError(f"native: the number of logits is {vocabulary}, not a number")
    program = Program(
        Sizes(vocabulary, context, longest),
        symbols,
        tuple(exprs.table),
        guards,
        _stages(functions[0]),
        tuple(writer.parts),
        tuple(weights.weights),
        caches.caches,
        tuple(made),
    )
    return Lowered(program, writer.path, writer.size_bytes, caches)


def _function(
    graph: Graph, exprs: Expressions, weights: WeightTable, caches: CacheTable
) -> Function:
    made = FunctionBuilder(graph, exprs, weights, caches)
    begins, ends = stretches(graph), dict[Node, int]()
    for node in graph.nodes:
        if node in begins:
            found = begins[node]
            gates = found.expert.gates
            made.enter(node)
            seen = gate_view(gates, made.note(gates), found.expert.index)
            ends[found.last] = made.skip(made.part(gates, seen))
        lower_node(made, node)
        if node in ends:
            made.end_skip(ends[node])
    return made.finish(*_tokens(graph))


def _tokens(graph: Graph) -> tuple[int, int]:
    """Least and greatest number of tokens of one call."""
    span = graph.symbols.get(SEQ)
    if span is not None:
        return max(1, span.low), span.high
    count = graph.inputs[0].type.shape[-1]
    return int(count), int(count)


def _stages(graph: Graph) -> tuple[Stage, ...]:
    plan = graph.notes.get(StagePlan)
    if plan is None or not plan.stages:
        return (NO_STAGES,)
    return tuple(Stage(s.name, s.precision_class) for s in plan.stages)
