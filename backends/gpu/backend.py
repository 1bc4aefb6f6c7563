"""The GPU program: an `.ocm` with dispatches for Vulkan and Metal, run by `runtime_stub`."""

from dataclasses import dataclass
from pathlib import Path

from optimum_compile.backends.arenas import MemoryModel
from optimum_compile.backends.base import (
    HALF_WEIGHTS,
    Backend,
    Case,
    Conformance,
    EmitOptions,
    EmitResult,
    Support,
    Tolerance,
    WeightUse,
)
from optimum_compile.backends.gpu import container, limits
from optimum_compile.backends.gpu.decode import read_program
from optimum_compile.backends.gpu.section import ALIGNMENT
from optimum_compile.backends.native import schemes
from optimum_compile.backends.native.arenas import NativeMemory
from optimum_compile.backends.native.backend import NativeBackend
from optimum_compile.backends.native.caches import require_decoder
from optimum_compile.backends.native.encode import aligned
from optimum_compile.backends.traits import Rounded, Traits
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.quant.scheme import Scheme, Sparse


@dataclass(frozen=True)
class GpuBackend(NativeBackend):
    """See `backends.base.Backend`. What the native runtime takes, but for what no kernel computes."""

    name: str = "gpu"
    platform: str = "gpu"
    suffix: str = ".gpu.ocm"
    # Recorded dispatches have no branches: experts are never skipped.
    traits: Traits = Traits(chooses_widths=True, runs_schedulers=True)

    @property
    def memory(self) -> MemoryModel:
        """See the protocol."""
        return NativeMemory(runtime="GPU runtime", kv_alignment=ALIGNMENT)

    def supports_scheme(self, scheme: Scheme, use: WeightUse) -> Support:
        """See the protocol."""
        found = schemes.supports_scheme(scheme, use)
        return limits.supports_scheme(scheme, use) if found.ok else found

    def supports_node(self, node: Node) -> Support:
        """What a step and a kernel compute."""
        found = super().supports_node(node)
        return limits.supports_node(node) if found.ok else found

    def stored_bytes(self, scheme: Scheme, use: WeightUse) -> int:
        """See the protocol."""
        size = schemes.stored_bytes(scheme, use, ALIGNMENT)
        if isinstance(scheme, Sparse) and scheme.count(use.rows, use.columns):
            size += aligned(4 * (use.rows + 1), ALIGNMENT)  # where the outliers of each row begin
        return size

    def fixed_bytes(self, graph: Graph) -> int:
        """See the protocol. Raises UnsupportedError for a graph that is no decoder."""
        require_decoder(graph)
        return schemes.fixed_bytes(graph, ALIGNMENT)

    def unread_bytes(self, graph: Graph) -> int:
        """See the protocol."""
        return schemes.unread_bytes(graph, ALIGNMENT)

    def container_bytes(self, graph: Graph) -> int:
        """See the protocol."""
        return container.container_bytes(graph)

    def emit(self, graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
        """See the protocol."""
        from optimum_compile.backends.gpu.emit import emit

        return emit(graph, options, out)

    def tolerance(self, rounded: Rounded) -> Tolerance:
        """Activations are fp16, and codes of a cache are counted from them.

        Codes of 2 bits next to a tie become the other one: 0.09 of relative error was measured in
        stories260k, whose heads have 8 channels, 0.003 in the reference model.
        """
        if not rounded.weights:
            return HALF_WEIGHTS
        if rounded.kv_bits < 4:
            return Tolerance(min_cosine=0.99, min_top1=0.9)
        return Tolerance(max_rel_err=2e-2 if rounded.kv_bits == 4 else 1e-2)

    def executor(self) -> str:
        """The Vulkan device, or the CPU that runs the same file."""
        from optimum_compile.backends.gpu.verify import executor

        return executor()

    def verify(self, artifact: Path, cases: tuple[Case, ...], tolerance: Tolerance) -> Conformance:
        """On a Vulkan device; without one on the CPU, and then it counts as not executed."""
        from optimum_compile.backends.gpu.verify import verify

        self.require()
        return verify(artifact, cases, tolerance)

    def inspect(self, artifact: Path) -> str:
        """See the protocol: nothing is executed, but the dispatches are checked."""
        return read_program(artifact)[2]


BACKEND: Backend = GpuBackend()
