"""Emit a `.gpu.ocm`: a native program planned with fp16 activations, and its dispatches."""

from pathlib import Path

from optimum_compile.backends.base import EmitOptions, EmitResult
from optimum_compile.backends.gpu.attention import scratch_bytes
from optimum_compile.backends.gpu.encode import encode_section
from optimum_compile.backends.gpu.halves import store_halves
from optimum_compile.backends.gpu.lower import lower_section
from optimum_compile.backends.gpu.outliers import Starts
from optimum_compile.backends.gpu.section import ALIGNMENT, KIND
from optimum_compile.backends.native.caches import require_decoder
from optimum_compile.backends.native.encode import write
from optimum_compile.backends.native.lower import Lowered, lower
from optimum_compile.backends.native.plan import Planned, plan_functions
from optimum_compile.compiler.ir.graph import Graph


def plan(graph: Graph) -> Planned:
    """The functions of a decoder with fp16 activations. `graph` stays as it is."""
    require_decoder(graph)
    return plan_functions(graph, store_halves, scratch_bytes)


def lowered(planned: Planned, work: Path, starts: Starts | None = None) -> Lowered:
    """Their program, whose weights and caches begin where a GPU can bind them."""
    return lower(planned.functions, work, ALIGNMENT, (starts or Starts()).pack)


def emit(graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
    """Write `out`. Raises UnsupportedError for what no kernel computes."""
    planned, starts = plan(graph), Starts()
    made = lowered(planned, options.work, starts)
    try:
        section = encode_section(lower_section(made.program, starts.of(made.program)))
        write(out, made.program, options.metadata_json, made.weights, {KIND: section})
    finally:
        made.weights.unlink(missing_ok=True)
    names = tuple(function.name for function in made.program.functions)
    return EmitResult(out, made.weight_bytes, names, planned.remarks)
