"""llama.cpp: types for `llama-quantize`, which makes the GGUF and rounds the weights itself."""

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
from optimum_compile.backends.compare import not_executed
from optimum_compile.backends.gguf import types
from optimum_compile.backends.gguf.container import container_bytes
from optimum_compile.backends.gguf.emit import RULES, emit, read_metadata
from optimum_compile.backends.gguf.names import gguf_name
from optimum_compile.backends.logits import ArtifactLogits
from optimum_compile.backends.stacks import supports_decoder_node
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.quant.activations import Activations
from optimum_compile.compiler.quant.kv import KvStored
from optimum_compile.compiler.quant.scheme import Float, Scheme

KV_REASON = "llama.cpp chooses the type of the cache when it starts (--cache-type-k)"


@dataclass(frozen=True)
class GgufBackend:
    """See `backends.base.Backend`."""

    name: str = "gguf"
    platform: str = "gguf"
    suffix: str = RULES
    stores_weights: bool = False

    @property
    def ladder(self) -> tuple[str, ...]:
        """See the protocol."""
        return types.LADDER

    def configured(self, options: BackendOptions) -> Backend:
        """Nothing to choose: activations are llama.cpp's affair."""
        return self

    def require(self) -> None:
        """Nothing is needed to write the rules."""

    def supports_scheme(self, scheme: Scheme, use: WeightUse) -> Support:
        """See the protocol."""
        return types.supports_scheme(scheme, use)

    def activation_kind(self, scheme: Scheme, use: WeightUse) -> Activations | None:
        """None: nothing is executed here, so nothing is compared with rounded activations."""
        return None

    def supports_kv(self, scheme: KvStored) -> Support:
        """Floats only: the artifact says nothing about the cache."""
        return SUPPORTED if isinstance(scheme, Float) else Support(False, KV_REASON)

    def supports_node(self, node: Node) -> Support:
        """Matrices need a name in GGUF; the rest of the program is llama.cpp's own."""
        return supports_decoder_node(node, gguf_name, "llama.cpp")

    def stored_bytes(self, scheme: Scheme, use: WeightUse) -> int:
        """See the protocol."""
        return types.stored_bytes(scheme, use)

    def fixed_bytes(self, graph: Graph) -> int:
        """See the protocol."""
        return types.fixed_bytes(graph)

    def container_bytes(self, graph: Graph) -> int:
        """See the protocol; of the file that the other tool will write."""
        return container_bytes(graph)

    def emit(self, graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
        """See the protocol."""
        return emit(graph, options, out)

    def verify(self, artifact: Path, cases: tuple[Case, ...], tolerance: Tolerance) -> Conformance:
        """Not executed: there are no weights in the artifact."""
        reason = "not executed: rules for llama-quantize, which makes the weights"
        return not_executed(artifact.name, tolerance, reason)

    def logits(self, artifact: Path) -> ArtifactLogits:
        """Raises UnsupportedError."""
        raise UnsupportedError(
            f"{artifact}: rules for llama-quantize have no logits; run the GGUF with llama.cpp"
        )

    def inspect(self, artifact: Path) -> str:
        """See the protocol; the metadata lie beside the rules."""
        return read_metadata(artifact)


BACKEND: Backend = GgufBackend()
