"""Emit an `.ocm`: plan the functions, pack the weights, write the file."""

from pathlib import Path

from optimum_compile.backends.base import EmitOptions, EmitResult
from optimum_compile.backends.native.caches import require_decoder
from optimum_compile.backends.native.encode import write
from optimum_compile.backends.native.lower import lower
from optimum_compile.backends.native.plan import plan_functions
from optimum_compile.compiler.ir.graph import Graph


def emit(graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
    """Write `out`. Raises UnsupportedError for what the runtime cannot compute."""
    require_decoder(graph)
    planned = plan_functions(graph)
    lowered = lower(planned.functions, options.work)
    try:
        write(out, lowered.program, options.metadata_json, lowered.weights)
    finally:
        lowered.weights.unlink(missing_ok=True)
    names = tuple(function.name for function in lowered.program.functions)
    return EmitResult(out, lowered.weight_bytes, names, planned.remarks)
