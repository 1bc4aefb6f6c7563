"""MLX: a predicate for `mlx_lm.convert`, which rounds the weights itself."""

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
from optimum_compile.backends.logits import ArtifactLogits
from optimum_compile.backends.mlx import forms
from optimum_compile.backends.mlx.container import container_bytes
from optimum_compile.backends.mlx.emit import PREDICATE, emit, read_metadata
from optimum_compile.backends.mlx.names import mlx_path
from optimum_compile.backends.stacks import supports_decoder_node
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.quant.activations import Activations
from optimum_compile.compiler.quant.kv import KvStored
from optimum_compile.compiler.quant.scheme import Float, Scheme

KV_REASON = "mlx-lm chooses the bits of the cache when it starts (--kv-bits)"


@dataclass(frozen=True)
class MlxBackend:
    """See `backends.base.Backend`."""

    name: str = "mlx"
    platform: str = "mlx"
    suffix: str = PREDICATE
    stores_weights: bool = False

    @property
    def ladder(self) -> tuple[str, ...]:
        """See the protocol."""
        return forms.LADDER

    def configured(self, options: BackendOptions) -> Backend:
        """Nothing to choose: activations are floats."""
        return self

    def require(self) -> None:
        """Nothing is needed to write the predicate."""

    def supports_scheme(self, scheme: Scheme, use: WeightUse) -> Support:
        """See the protocol."""
        return forms.supports_scheme(scheme, use)

    def activation_kind(self, scheme: Scheme, use: WeightUse) -> Activations | None:
        """None: MLX multiplies with floats."""
        return None

    def supports_kv(self, scheme: KvStored) -> Support:
        """Floats only: the artifact says nothing about the cache."""
        return SUPPORTED if isinstance(scheme, Float) else Support(False, KV_REASON)

    def supports_node(self, node: Node) -> Support:
        """Matrices need a module in mlx-lm; the rest of the program is its own."""
        return supports_decoder_node(node, mlx_path, "mlx-lm")

    def stored_bytes(self, scheme: Scheme, use: WeightUse) -> int:
        """See the protocol."""
        return forms.stored_bytes(scheme, use)

    def fixed_bytes(self, graph: Graph) -> int:
        """See the protocol."""
        return forms.fixed_bytes(graph)

    def container_bytes(self, graph: Graph) -> int:
        """See the protocol; of the file that the other tool will write."""
        return container_bytes(graph)

    def emit(self, graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
        """See the protocol."""
        return emit(graph, options, out)

    def verify(self, artifact: Path, cases: tuple[Case, ...], tolerance: Tolerance) -> Conformance:
        """Not executed: there are no weights in the artifact."""
        reason = "not executed: a predicate for mlx_lm.convert, which makes the weights"
        return not_executed(artifact.name, tolerance, reason)

    def logits(self, artifact: Path) -> ArtifactLogits:
        """Raises UnsupportedError."""
        raise UnsupportedError(
            f"{artifact}: a predicate for mlx_lm.convert has no logits; run the result with mlx-lm"
        )

    def inspect(self, artifact: Path) -> str:
        """See the protocol."""
        return read_metadata(artifact)


BACKEND: Backend = MlxBackend()
