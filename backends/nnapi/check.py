"""What onnxruntime's usability checker says of a graph on NNAPI. It judges names of operators and shapes.

NNAPI itself is on no machine but Android's, so this is the checker's opinion and no more.
"""

from dataclasses import dataclass
from typing import Any

from optimum_compile.backends.onnxruntime.toolchain import INSTALL
from optimum_compile.compiler.errors import ResourceError, ToolchainError


@dataclass(frozen=True)
class Usability:
    """nodes: all of the graph. supported: those that NNAPI can take. partitions: runs of them."""

    nodes: int
    supported: int
    partitions: int
    verdict: str  # YES, MAYBE or NO: whether NNAPI should run it well


def check_usability(model: Any) -> Usability:
    """Judge a model whose shapes were inferred.

    Raises ToolchainError naming the operators if a node is not supported, ResourceError without tools.
    """
    try:
        from onnxruntime.tools.mobile_helpers.usability_checker import check_nnapi_partitions
    except ImportError:
        raise ResourceError(f"onnxruntime's mobile tools are missing; {INSTALL}") from None
    found = check_nnapi_partitions(model, require_fixed_input_sizes=True)
    if found.num_supported_nodes != found.num_nodes:
        why = ", ".join(sorted(found.unsupported_ops)) or "a shape that is not fixed"
        raise ToolchainError(
            f"nnapi: {found.num_supported_nodes} of {found.num_nodes} nodes of {model.graph.name} are "
            f"supported by NNAPI according to onnxruntime's usability checker: {why}"
        )
    return Usability(
        found.num_nodes,
        found.num_supported_nodes,
        found.num_partitions,
        found.suitability().name,
    )
