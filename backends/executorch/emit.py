"""Emit a `.pte`: export the functions, lower them together, embed the metadata."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from optimum_compile.backends.base import EmitOptions, EmitResult
from optimum_compile.backends.executorch.attach import attach
from optimum_compile.backends.executorch.copies import Copies, copied_bytes, count_copies
from optimum_compile.backends.executorch.delegate import Delegate
from optimum_compile.backends.executorch.lower import (
    DelegateStore,
    GraphModule,
    TensorStore,
    chosen_widths,
)
from optimum_compile.backends.executorch.lower_ops import DTYPES
from optimum_compile.backends.executorch.schemes import SEGMENT_ALIGNMENT, aligned
from optimum_compile.backends.executorch.toolchain import quiet, require
from optimum_compile.compiler.errors import OptimumCompileError, ToolchainError, UnsupportedError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.shape import SymbolRange
from optimum_compile.passes.symbolic_shape.lengths import decoder_functions


def functions_of(graph: Graph) -> dict[str, Graph]:
    """Those for prompts and decode of a decoder; forward of anything else."""
    if graph.states and "seq" in graph.symbols:
        return decoder_functions(graph)
    if graph.states and [v.name for v in graph.inputs] == ["tokens", "past"]:
        return {"decode": graph}
    return {"forward": graph}


def emit(
    graph: Graph,
    options: EmitOptions,
    out: Path,
    *,
    xnnpack: bool = True,
    packs_caches: bool = True,
) -> EmitResult:
    """Write `out`.

    Without `xnnpack` every matrix runs in a packed operator. Without `packs_caches` a KV cache is a
    float32 buffer, which takes no fewer than 16 bits.

    Raises ToolchainError when the SDK fails.
    """
    require()
    delegates = DelegateStore(graph, enabled=xnnpack)
    store = TensorStore(graph, delegates.constants, packs_caches=packs_caches)
    functions = functions_of(graph)
    constants = constant_methods(options)
    if widths := chosen_widths(graph):
        constants["widths"] = torch.tensor(widths)
    with quiet(), torch.no_grad():
        try:
            modules = {n: GraphModule(g, store, delegates) for n, g in functions.items()}
            exported = {n: export_module(m) for n, m in modules.items()}
            program, counts = _lower(exported, delegates.delegates, constants)
            with out.open("wb") as file:
                program.write_to_file(file)
        except (OptimumCompileError, OSError):
            raise
        except Exception as error:
            # torch.export and ExecuTorch raise anything; their own words are kept.
            raise ToolchainError(f"ExecuTorch could not lower {options.name}: {error!r}") from error
    notes = [_summary(name, found) for name, found in counts.items()]
    if graph.states:
        moved = count_copies(out)
        notes = [
            f"{note}; {_copies(moved[name])}" for name, note in zip(counts, notes, strict=True)
        ]
    others = [len(d.program) for d in delegates.delegates] + [len(options.metadata_json.encode())]
    stored = segment_bytes(out) - sum(aligned(n) for n in others)
    return EmitResult(out, stored, tuple(functions), tuple(notes))


def _summary(function: str, found: Counter[int]) -> str:
    groups = ", ".join(f"stage {stage}: {count}" for stage, count in sorted(found.items()))
    return f"{function}: {found.total()} XNNPACK delegates" + (f" ({groups})" if groups else "")


def _copies(found: Mapping[str, Copies]) -> str:
    count = sum(c.count for c in found.values())
    return f"{count} instructions copy {copied_bytes(found):,} bytes"


def segment_bytes(pte: Path) -> int:
    """Bytes behind the program: constants, graphs of the delegates, data that those name, metadata.

    The extended header is at byte 8: magic "eh00", its length (4 bytes), program size (8), offset of
    the first segment (8).
    """
    with pte.open("rb") as file:
        head = file.read(40)
    if head[8:12] != b"eh00":
        raise ToolchainError(f"{pte}: no extended header; this ExecuTorch writes another format")
    return pte.stat().st_size - int.from_bytes(head[24:32], "little")


def export_module(module: GraphModule) -> Any:
    """The module as torch.export's program. Raises UnsupportedError for an input's size that is no symbol."""
    graph = module.graph
    inputs, shapes = [], []
    for value in graph.inputs:
        odd = next(
            (d for d in value.type.shape if str(d) not in graph.symbols and not isinstance(d, int)),
            None,
        )
        if odd is not None:
            raise UnsupportedError(
                f"{graph.name}: input {value.name} has the size {odd}, and ExecuTorch takes symbols only; "
                "export the model with a plain dimension, or fix it"
            )
        sizes = [d if isinstance(d, int) else _example(graph, str(d)) for d in value.type.shape]
        dtype = DTYPES[value.type.dtype]
        inputs.append(torch.zeros(sizes, dtype=dtype))
        dynamic = {a: str(d) for a, d in enumerate(value.type.shape) if not isinstance(d, int)}
        shapes.append({a: _dim(name, graph.symbols[name]) for a, name in dynamic.items()})
    if module.takes_width:
        inputs.append(torch.zeros(1, dtype=torch.int64))
        shapes.append({})
    return torch.export.export(module, tuple(inputs), dynamic_shapes=(tuple(shapes),), strict=False)


def _example(graph: Graph, name: str) -> int:
    # Neither 0, 1 nor the upper bound: torch.export would specialise on those.
    span = graph.symbols[name]
    return min(max(3, span.low + 1), max(span.low, span.high - 1))


def _dim(name: str, span: SymbolRange) -> Any:
    return torch.export.Dim(name, min=span.low, max=span.high)


def _lower(
    exported: Mapping[str, Any], delegates: Sequence[Delegate], constants: dict[str, Any]
) -> tuple[Any, dict[str, Counter[int]]]:
    from executorch.exir import EdgeCompileConfig, EdgeProgramManager, to_edge

    compile_config = EdgeCompileConfig(_check_ir_validity=False, _skip_dim_order=True)
    edge = to_edge(dict(exported), compile_config=compile_config)
    programs = {name: edge.exported_program(name) for name in exported}
    counts = {name: attach(p, delegates) for name, p in programs.items()}
    # A new manager, because it collects the constants of the delegates when it is made.
    lowered = EdgeProgramManager(programs, constants, compile_config)
    return lowered.to_executorch(config=program_config()), counts


def constant_methods(options: EmitOptions) -> dict[str, Any]:
    """What an artifact says of itself without running anything."""
    text = bytearray(options.metadata_json.encode())
    return {
        "metadata": torch.frombuffer(text, dtype=torch.uint8),
        "context": options.context,
        "max_prefill": options.max_prefill,
    }


def program_config() -> Any:
    """Methods share their mutable buffers, and callers bring the inputs."""
    from executorch.exir import ExecutorchBackendConfig
    from executorch.exir.passes import MemoryPlanningPass
    from executorch.exir.passes.sym_shape_eval_pass import ConstraintBasedSymShapeEvalPass

    return ExecutorchBackendConfig(
        memory_planning_pass=MemoryPlanningPass(
            alloc_graph_input=False, share_mutable_buffers=True
        ),
        sym_shape_eval_pass=ConstraintBasedSymShapeEvalPass(),
        segment_alignment=SEGMENT_ALIGNMENT,
    )
