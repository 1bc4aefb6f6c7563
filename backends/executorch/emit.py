"""Emit a `.pte`: export the functions, lower them together, embed the metadata."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from optimum_compile.backends.base import EmitOptions, EmitResult
from optimum_compile.backends.executorch.lower import GraphModule, TensorStore
from optimum_compile.backends.executorch.lower_ops import DTYPES
from optimum_compile.backends.executorch.partition import delegate_count, stage_partitioner
from optimum_compile.backends.executorch.toolchain import quiet, register_quantisers, require
from optimum_compile.compiler.errors import OptimumCompileError, ToolchainError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.shape import SymbolRange
from optimum_compile.passes.symbolic_shape.specialize import specialize


def functions_of(graph: Graph) -> dict[str, Graph]:
    """Prefill and decode of a decoder; forward of anything else."""
    if graph.states and "seq" in graph.symbols:
        return {"prefill": graph, "decode": specialize(graph, {"seq": 1})}
    if graph.states and [v.name for v in graph.inputs] == ["tokens", "past"]:
        return {"decode": graph}
    return {"forward": graph}


def emit(graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
    """Write `out`. Raises ToolchainError when the SDK fails."""
    require()
    store = TensorStore(graph)
    functions = functions_of(graph)
    with quiet(), torch.no_grad():
        try:
            register_quantisers()
            exported = {n: _export(g, store) for n, g in functions.items()}
            program, delegates = _lower(exported, options)
            out.write_bytes(program.buffer)
        except (OptimumCompileError, OSError):
            raise
        except Exception as error:
            # torch.export and ExecuTorch raise anything; their own words are kept.
            raise ToolchainError(f"ExecuTorch could not lower {options.name}: {error!r}") from error
    notes = [f"{n}: {count} XNNPACK delegates" for n, count in delegates.items()]
    return EmitResult(out, segment_bytes(out), tuple(functions), tuple(notes))


def segment_bytes(pte: Path) -> int:
    """Bytes behind the program: constants and delegate data, which are the weights.

    The extended header is at byte 8: magic "eh00", its length (4 bytes), program size (8), offset of
    the first segment (8).
    """
    with pte.open("rb") as file:
        head = file.read(40)
    if head[8:12] != b"eh00":
        raise ToolchainError(f"{pte}: no extended header; this ExecuTorch writes another format")
    return pte.stat().st_size - int.from_bytes(head[24:32], "little")


def _export(graph: Graph, store: TensorStore) -> Any:
    module = GraphModule(graph, store)
    inputs, shapes = [], []
    for value in graph.inputs:
        sizes = [d if isinstance(d, int) else _example(graph, str(d)) for d in value.type.shape]
        dtype = DTYPES[value.type.dtype]
        inputs.append(torch.zeros(sizes, dtype=dtype))
        dynamic = {a: str(d) for a, d in enumerate(value.type.shape) if not isinstance(d, int)}
        shapes.append({a: _dim(name, graph.symbols[name]) for a, name in dynamic.items()})
    return torch.export.export(module, tuple(inputs), dynamic_shapes=(tuple(shapes),), strict=False)


def _example(graph: Graph, name: str) -> int:
    # Neither 0, 1 nor the upper bound: torch.export would specialise on those.
    span = graph.symbols[name]
    return min(max(3, span.low + 1), max(span.low, span.high - 1))


def _dim(name: str, span: SymbolRange) -> Any:
    return torch.export.Dim(name, min=span.low, max=span.high)


def _lower(exported: Mapping[str, Any], options: EmitOptions) -> tuple[Any, dict[str, int]]:
    from executorch.exir import (
        EdgeCompileConfig,
        ExecutorchBackendConfig,
        to_edge_transform_and_lower,
    )
    from executorch.exir.passes import MemoryPlanningPass
    from executorch.exir.passes.sym_shape_eval_pass import ConstraintBasedSymShapeEvalPass

    edge = to_edge_transform_and_lower(
        dict(exported),
        partitioner={name: [stage_partitioner()] for name in exported},
        compile_config=EdgeCompileConfig(_check_ir_validity=False, _skip_dim_order=True),
        constant_methods={
            "metadata": torch.frombuffer(
                bytearray(options.metadata_json.encode()), dtype=torch.uint8
            ),
            "context": options.context,
            "max_prefill": options.max_prefill,
        },
    )
    delegates = {name: delegate_count(edge, name) for name in exported}
    config = ExecutorchBackendConfig(
        memory_planning_pass=MemoryPlanningPass(
            alloc_graph_input=False, share_mutable_buffers=True
        ),
        sym_shape_eval_pass=ConstraintBasedSymShapeEvalPass(),
    )
    return edge.to_executorch(config=config), delegates
