"""Core ML: an `.mlpackage` for iOS 18, executed here by our own interpreter of its MIL program."""

from dataclasses import dataclass
from pathlib import Path

from optimum_compile.backends.arenas import MemoryModel
from optimum_compile.backends.base import (
    HALF_WEIGHTS,
    SUPPORTED,
    EmitOptions,
    EmitResult,
    Support,
    Tolerance,
    WeightUse,
)
from optimum_compile.backends.coreml import container, schemes
from optimum_compile.backends.coreml.toolchain import require
from optimum_compile.backends.executed import Executed
from optimum_compile.backends.traits import Rounded, Traits
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.ir.ops import EXPORTED_OPS
from optimum_compile.compiler.quant.kv import KvStored
from optimum_compile.compiler.quant.scheme import Float, Scheme

KV_REASON = "states are fp16 tensors: there are no integer states to keep codes in"


@dataclass(frozen=True)
class CoreMLBackend(Executed):
    """See `backends.base.Backend`."""

    name: str = "coreml"
    platform: str = "ios"
    suffix: str = ".mlpackage"
    traits: Traits = Traits(pads_prompts=True)

    @property
    def memory(self) -> MemoryModel:
        """Core ML computes in fp16, in functions of fixed shapes."""
        return MemoryModel("Core ML", half=True, fixed_shapes=True, chunk=schemes.PREFILL_TOKENS)

    @property
    def ladder(self) -> tuple[str, ...]:
        """See the protocol."""
        return schemes.LADDER

    def require(self) -> None:
        """See the protocol."""
        require()

    def supports_scheme(self, scheme: Scheme, use: WeightUse) -> Support:
        """See the protocol."""
        return schemes.supports_scheme(scheme, use)

    def supports_kv(self, scheme: KvStored) -> Support:
        """States of fp16, whatever is asked for."""
        if isinstance(scheme, Float) and scheme.bits == 16:
            return SUPPORTED
        return Support(False, KV_REASON, falls_back=True)

    def supports_node(self, node: Node) -> Support:
        """Every op of the table; ATen operators cannot be carried."""
        if node.op == "aten":
            return Support(False, "Core ML takes no ATen operators, and it has no IR equivalent")
        return SUPPORTED if node.op in EXPORTED_OPS else Support(False, "it is not in the op table")

    def stored_bytes(self, scheme: Scheme, use: WeightUse) -> int:
        """See the protocol."""
        return schemes.stored_bytes(scheme, use)

    def fixed_bytes(self, graph: Graph) -> int:
        """See the protocol."""
        return schemes.fixed_bytes(graph)

    def unread_bytes(self, graph: Graph) -> int:
        """See the protocol."""
        return schemes.unread_bytes(graph)

    def container_bytes(self, graph: Graph) -> int:
        """See the protocol."""
        return container.container_bytes(graph)

    def emit(self, graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
        """See the protocol."""
        from optimum_compile.backends.coreml.emit import emit

        return emit(graph, options, out)

    def tolerance(self, rounded: Rounded) -> Tolerance:
        """The program computes in fp16, but for the residual stream."""
        return Tolerance(max_rel_err=1e-2) if rounded.weights else HALF_WEIGHTS

    def executor(self) -> str:
        """Our own interpreter: there is no Core ML here."""
        return "MIL interpreter"

    def inspect(self, artifact: Path) -> str:
        """See the protocol."""
        from optimum_compile.backends.coreml.emit import read_metadata

        return read_metadata(artifact)


BACKEND = CoreMLBackend()
