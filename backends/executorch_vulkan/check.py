"""Whether a `.pte` holds every matrix as one fused operator, with the compiler's own codes and scales."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from optimum_compile.backends.executorch_vulkan.constants import fused_matrix
from optimum_compile.backends.executorch_vulkan.lower import VulkanStore, fused_weights
from optimum_compile.backends.executorch_vulkan.serialised import (
    VulkanGraph,
    open_file,
    outside_operators,
)
from optimum_compile.compiler.errors import ToolchainError
from optimum_compile.compiler.ir.graph import Graph

WEIGHT_ONLY, INT8_INPUTS = "et_vk.linear_q4gsw.default", "et_vk.linear_dq8ca_q4gsw.default"
EIGHT_BITS = "aten._weight_int8pack_mm.default"
# Where codes, scales and group size stand among the arguments.
ARGUMENTS: dict[str, tuple[int, int, int | None]] = {
    WEIGHT_ONLY: (1, 2, 3),
    INT8_INPUTS: (3, 5, 6),
    EIGHT_BITS: (1, 2, None),
}
UNFUSED = ("aten.linear.default", "aten.mm.default", "aten.addmm.default", "aten.bmm.default")


@dataclass(frozen=True)
class Structure:
    """What was found in a file. operators: how often each is in the delegates; outside: on the CPU."""

    delegates: int
    operators: Counter[str]
    outside: Counter[str]
    matrices: int

    def remark(self) -> str:
        """In one line: all operators, the fused matrices first."""
        order = sorted(self.operators, key=lambda n: (n not in ARGUMENTS, -self.operators[n], n))
        listed = ", ".join(f"{self.operators[n]} {n.removesuffix('.default')}" for n in order)
        cpu = ", ".join(f"{count} {name}" for name, count in sorted(self.outside.items())) or "none"
        calls = (
            "one Vulkan delegate" if self.delegates == 1 else f"{self.delegates} Vulkan delegates"
        )
        return f"{calls} of {self.operators.total()} operators: {listed}; on the CPU: {cpu}"


@dataclass(frozen=True)
class Matrix:
    """One fused operator as a file holds it."""

    operator: str
    group: int
    codes: np.ndarray
    scales: np.ndarray

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for equal numbers in equal shapes."""
        parts = (self.codes, self.scales)
        return (
            self.operator,
            self.group,
            *((p.shape, p.dtype.str, hash(p.tobytes())) for p in parts),
        )


def matrices_of(graph: VulkanGraph) -> Iterator[Matrix]:
    """The fused operators of a delegate, in order. Raises InputError where one has no constants."""
    for call in graph.graph.chain:
        if call.name not in ARGUMENTS:
            continue
        at_codes, at_scales, at_group = ARGUMENTS[call.name]
        codes, scales = (graph.constant(call.args[at]) for at in (at_codes, at_scales))
        group = codes.shape[1] if at_group is None else graph.scalar(call.args[at_group])
        yield Matrix(call.name, group, codes, scales)


def expected_matrices(graph: Graph, store: VulkanStore) -> Iterator[Matrix]:
    """What the matrices of a graph have to become."""
    for note in fused_weights(graph, store).values():
        made = fused_matrix(note.load())
        four_bits = INT8_INPUTS if store.int8_inputs else WEIGHT_ONLY
        operator = four_bits if made.bits == 4 else EIGHT_BITS
        yield Matrix(operator, made.group, made.codes, made.linear_scales)


def check_structure(path: Path, function: str, graph: Graph, store: VulkanStore) -> Structure:
    """Read a file back and compare its matrices with the graph's, number by number.

    Raises ToolchainError where one is missing or has other numbers.
    """
    file = open_file(path)
    found: Counter[tuple[object, ...]] = Counter()
    operators: Counter[str] = Counter()
    delegates = file.delegates(function)
    for delegate in delegates:
        operators.update(delegate.operators)
        found.update(matrix.key for matrix in matrices_of(delegate))
    wanted = Counter(matrix.key for matrix in expected_matrices(graph, store))
    if found != wanted:
        raise ToolchainError(
            f"{path.name}: {(found & wanted).total()} of {wanted.total()} matrices are fused operators of the "
            f"Vulkan delegate with the numbers that were quantised ({found.total()} are there); this version "
            "of ExecuTorch lowers them otherwise"
        )
    outside = Counter(outside_operators(file, function))
    return Structure(len(delegates), operators, outside, wanted.total())
