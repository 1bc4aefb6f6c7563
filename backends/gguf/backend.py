"""llama.cpp: types for `llama-quantize`, which makes the GGUF and rounds the weights itself."""

from dataclasses import dataclass
from pathlib import Path

from optimum_compile.backends.base import (
    Backend,
    EmitOptions,
    EmitResult,
    Support,
    WeightUse,
)
from optimum_compile.backends.gguf import types
from optimum_compile.backends.gguf.container import container_bytes
from optimum_compile.backends.gguf.emit import RULES, emit, read_metadata
from optimum_compile.backends.gguf.names import gguf_name
from optimum_compile.backends.stacks import supports_decoder_node
from optimum_compile.backends.weightless import Weightless
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.quant.scheme import Scheme


@dataclass(frozen=True)
class GgufBackend(Weightless):
    """See `backends.base.Backend`."""

    name: str = "gguf"
    platform: str = "gguf"
    suffix: str = RULES
    ladder: tuple[str, ...] = types.LADDER
    unexecuted: str = "rules for llama-quantize, which makes the weights"
    unanswered: str = "rules for llama-quantize have no logits; run the GGUF with llama.cpp"
    caches: str = "llama.cpp chooses the type of the cache when it starts (--cache-type-k)"

    def supports_scheme(self, scheme: Scheme, use: WeightUse) -> Support:
        """See the protocol."""
        return types.supports_scheme(scheme, use)

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

    def inspect(self, artifact: Path) -> str:
        """See the protocol; the metadata lie beside the rules."""
        return read_metadata(artifact)


BACKEND: Backend = GgufBackend()
