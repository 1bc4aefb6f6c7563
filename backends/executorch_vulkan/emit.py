"""Emit a `.pte` for the stock runtime with its Vulkan delegate, and read it back."""

from pathlib import Path
from typing import Any

import torch

from optimum_compile.backends.base import EmitOptions, EmitResult
from optimum_compile.backends.executorch.emit import (
    constant_methods,
    export_module,
    program_config,
    segment_bytes,
)
from optimum_compile.backends.executorch.schemes import aligned
from optimum_compile.backends.executorch.toolchain import quiet, require
from optimum_compile.backends.executorch_vulkan.check import check_structure
from optimum_compile.backends.executorch_vulkan.lower import VulkanModule, VulkanStore
from optimum_compile.backends.executorch_vulkan.serialised import open_file
from optimum_compile.compiler.errors import OptimumCompileError, ToolchainError
from optimum_compile.compiler.ir.graph import Graph

FUNCTION = "forward"


def emit(graph: Graph, options: EmitOptions, out: Path, *, int8_inputs: bool = False) -> EmitResult:
    """Write `out` with one function, for prompts and single tokens alike.

    A delegate keeps its caches on the GPU, and two methods would have one each: so there is one.

    Raises ToolchainError when the SDK fails, or when the file does not hold the matrices as they are.
    """
    require()
    store = VulkanStore(graph, int8_inputs=int8_inputs)
    with quiet(), torch.no_grad():
        try:
            program = _lower(export_module(VulkanModule(graph, store)), graph, options)
            with out.open("wb") as file:
                program.write_to_file(file)
        except (OptimumCompileError, OSError):
            raise
        except Exception as error:
            # torch.export and ExecuTorch raise anything; their own words are kept.
            raise ToolchainError(f"ExecuTorch could not lower {options.name}: {error!r}") from error
    found = check_structure(out, FUNCTION, graph, store)
    graphs = sum(aligned(len(d.data)) for d in open_file(out).delegates(FUNCTION))
    stored = segment_bytes(out) - graphs - aligned(len(options.metadata_json.encode()))
    return EmitResult(out, stored, (FUNCTION,), (f"{FUNCTION}: {found.remark()}",))


def _lower(exported: Any, graph: Graph, options: EmitOptions) -> Any:
    from executorch.backends.vulkan.partitioner.vulkan_partitioner import VulkanPartitioner
    from executorch.exir import EdgeCompileConfig, to_edge_transform_and_lower

    config = EdgeCompileConfig(_check_ir_validity=False, _skip_dim_order=True)
    partitioner = VulkanPartitioner({"require_dynamic_shapes": bool(graph.symbols)})
    lowered = to_edge_transform_and_lower(
        {FUNCTION: exported},
        partitioner=[partitioner],
        compile_config=config,
        constant_methods=_methods(graph, options),
    )
    return lowered.to_executorch(config=program_config())


def _methods(graph: Graph, options: EmitOptions) -> dict[str, Any]:
    """Ours, and those of the stock runner for language models."""
    if not graph.states:
        return constant_methods(options)
    return constant_methods(options) | {
        "get_max_seq_len": options.max_prefill,
        "get_max_context_len": options.context,
        "get_vocab_size": int(graph.outputs[0].type.shape[-1]),
        "use_kv_cache": True,
        "enable_dynamic_shape": bool(graph.symbols),
    }
