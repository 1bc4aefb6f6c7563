"""TVM: kernels for linears and MLPs, compiled for processors with LLVM, written as text for GPUs."""

from dataclasses import dataclass
from pathlib import Path

from optimum_compile.backends.arenas import MemoryModel
from optimum_compile.backends.base import (
    SUPPORTED,
    Backend,
    EmitOptions,
    EmitResult,
    Support,
    Tolerance,
    WeightUse,
)
from optimum_compile.backends.executed import Executed
from optimum_compile.backends.traits import Rounded, Traits
from optimum_compile.backends.tvm import container, schemes
from optimum_compile.backends.tvm.toolchain import require
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.ir.ops import EXPORTED_OPS
from optimum_compile.compiler.quant.kv import KvStored
from optimum_compile.compiler.quant.scheme import Float, Scheme
from optimum_compile.passes.precision.problem import LADDER


@dataclass(frozen=True)
class TvmBackend(Executed):
    """See `backends.base.Backend`."""

    name: str = "tvm"
    platform: str = "android"
    suffix: str = ".tvm"
    traits: Traits = Traits(one_for_every_length=True)
    ladder: tuple[str, ...] = LADDER

    @property
    def memory(self) -> MemoryModel:
        """See the protocol: kernels are given their buffers."""
        return MemoryModel("the program that calls the kernels")

    def tolerance(self, rounded: Rounded) -> Tolerance:
        """Float32 from end to end, and caches of floats."""
        return Tolerance(max_rel_err=1e-4)

    def executor(self) -> str:
        """See the class; the rest is what is no linear: attention, norms, embedding."""
        return f"TVM {require()} LLVM module (linears, MLPs), reference executor (the rest)"

    def require(self) -> None:
        """See the protocol."""
        require()

    def supports_scheme(self, scheme: Scheme, use: WeightUse) -> Support:
        """See the protocol."""
        return schemes.supports_scheme(scheme, use)

    def supports_kv(self, scheme: KvStored) -> Support:
        """Floats: there is no kernel of attention here."""
        if isinstance(scheme, Float):
            return SUPPORTED
        return Support(False, "the program that calls TVM's kernels keeps the cache, in floats")

    def supports_node(self, node: Node) -> Support:
        """Every op of the table; ATen operators cannot be carried."""
        if node.op in EXPORTED_OPS and node.op != "aten":
            return SUPPORTED
        return Support(False, "the program of a .tvm has ops of the table only")

    def stored_bytes(self, scheme: Scheme, use: WeightUse) -> int:
        """See the protocol."""
        return schemes.stored_bytes(scheme, use)

    def fixed_bytes(self, graph: Graph) -> int:
        """See the protocol."""
        return schemes.fixed_bytes(graph)

    def container_bytes(self, graph: Graph) -> int:
        """See the protocol."""
        return container.container_bytes(graph)

    def emit(self, graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
        """See the protocol."""
        from optimum_compile.backends.tvm.emit import emit

        return emit(graph, options, out)

    def inspect(self, artifact: Path) -> str:
        """See the protocol: nothing is executed."""
        from optimum_compile.backends.tvm.artifact import read_metadata

        return read_metadata(artifact)


BACKEND: Backend = TvmBackend()
