"""Core ML: an `.mlpackage` for iOS 18, executed here by our own interpreter of its MIL program."""

from dataclasses import dataclass
from pathlib import Path

from optimum_compile.backends.base import (
    SUPPORTED,
    Backend,
    BackendOptions,
    Case,
    Conformance,
    EmitOptions,
    EmitResult,
    Support,
    Tolerance,
    WeightUse,
)
from optimum_compile.backends.child import verify_in_child
from optimum_compile.backends.coreml import container, schemes
from optimum_compile.backends.coreml.toolchain import require
from optimum_compile.backends.logits import ArtifactLogits
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.ir.ops import EXPORTED_OPS
from optimum_compile.compiler.quant.activations import Activations
from optimum_compile.compiler.quant.kv import KvStored
from optimum_compile.compiler.quant.scheme import Float, Scheme

RUNNER = "optimum_compile.backends.coreml.runner"
LOGITS = "optimum_compile.backends.coreml.logits"
KV_REASON = "states are fp16 tensors: there are no integer states to keep codes in"


@dataclass(frozen=True)
class CoreMLBackend:
    """See `backends.base.Backend`."""

    name: str = "coreml"
    platform: str = "ios"
    suffix: str = ".mlpackage"
    stores_weights: bool = True

    @property
    def ladder(self) -> tuple[str, ...]:
        """See the protocol."""
        return schemes.LADDER

    def configured(self, options: BackendOptions) -> Backend:
        """Core ML has no such choices."""
        return self

    def require(self) -> None:
        """See the protocol."""
        require()

    def supports_scheme(self, scheme: Scheme, use: WeightUse) -> Support:
        """See the protocol."""
        return schemes.supports_scheme(scheme, use)

    def activation_kind(self, scheme: Scheme, use: WeightUse) -> Activations | None:
        """None: weights are expanded, activations stay floats."""
        return None

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

    def container_bytes(self, graph: Graph) -> int:
        """See the protocol."""
        return container.container_bytes(graph)

    def emit(self, graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
        """See the protocol."""
        from optimum_compile.backends.coreml.emit import emit

        return emit(graph, options, out)

    def verify(self, artifact: Path, cases: tuple[Case, ...], tolerance: Tolerance) -> Conformance:
        """See the protocol."""
        return verify_in_child(RUNNER, "MIL interpreter", artifact, cases, tolerance)

    def logits(self, artifact: Path) -> ArtifactLogits:
        """See the protocol."""
        return ArtifactLogits(LOGITS, "MIL interpreter", artifact)

    def inspect(self, artifact: Path) -> str:
        """See the protocol."""
        from optimum_compile.backends.coreml.emit import read_metadata

        return read_metadata(artifact)


BACKEND = CoreMLBackend()
