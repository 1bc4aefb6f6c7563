"""Partitioning: one XNNPACK partitioner, for dynamically quantised linears only, stage by stage."""

from typing import Any

import torch

STAGE_KEY = "optimum_compile_stage"


def stage_partitioner() -> Any:
    """XNNPACK's partitioner for dynamically quantised linears.

    It makes one partition a linear, so that no partition reaches over a stage. Element-wise
    islands stay portable: lowering them would take most of the time and gain little.
    """
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import (
        XnnpackDynamicallyQuantizedPartitioner,
    )

    return XnnpackDynamicallyQuantizedPartitioner()


def delegate_count(program: Any, method: str) -> int:
    """Delegate calls in a lowered method."""
    graph = program.exported_program(method).graph
    delegate = torch.ops.higher_order.executorch_call_delegate
    return sum(node.target is delegate for node in graph.nodes)
