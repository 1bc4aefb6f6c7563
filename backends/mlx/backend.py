"""MLX: a predicate for `mlx_lm.convert`, which rounds the weights itself."""

from dataclasses import dataclass
from pathlib import Path

from optimum_compile.backends.base import (
    Backend,
    EmitOptions,
    EmitResult,
    Support,
    WeightUse,
)
from optimum_compile.backends.mlx import forms
from optimum_compile.backends.mlx.container import container_bytes
from optimum_compile.backends.mlx.emit import PREDICATE, emit, read_metadata
from optimum_compile.backends.mlx.names import mlx_path
from optimum_compile.backends.stacks import supports_decoder_node
from optimum_compile.backends.weightless import Weightless
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.quant.scheme import Scheme


@dataclass(frozen=True)
class MlxBackend(Weightless):
    """See `backends.base.Backend`."""

    name: str = "mlx"
    platform: str = "mlx"
    suffix: str = PREDICATE
    ladder: tuple[str, ...] = forms.LADDER
    unexecuted: str = "a predicate for mlx_lm.convert, which makes the weights"
    unanswered: str = "a predicate for mlx_lm.convert has no logits; run the result with mlx-lm"
    caches: str = "mlx-lm chooses the bits of the cache when it starts (--kv-bits)"

    def supports_scheme(self, scheme: Scheme, use: WeightUse) -> Support:
        """See the protocol."""
        return forms.supports_scheme(scheme, use)

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

    def inspect(self, artifact: Path) -> str:
        """See the protocol."""
        return read_metadata(artifact)


BACKEND: Backend = MlxBackend()
