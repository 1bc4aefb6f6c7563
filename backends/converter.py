"""What the backends share that tell another tool's converter the precision of every weight."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from optimum_compile.backends.base import EmitOptions, EmitResult, Support, WeightUse
from optimum_compile.backends.stacks import supports_decoder_node
from optimum_compile.backends.weightless import Weightless
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.quant.scheme import Scheme


@dataclass(frozen=True, kw_only=True)
class Converter(Weightless):
    """A table of what differs between such tools; see `backends.base.Backend` for what it is asked.

    runtime: who runs the converted model. rename: the runtime's name of a weight; None without one.
    scheme: whether it can store a scheme. cost: bytes of a matrix in its file. rest: of what is in no
    matrix. container: bytes around all of them. write: what emits. read: the metadata again.
    """

    runtime: str
    rename: Callable[[str], str | None]
    scheme: Callable[[Scheme, WeightUse], Support]
    cost: Callable[[Scheme, WeightUse], int]
    rest: Callable[[Graph], int]
    container: Callable[[Graph], int]
    write: Callable[[Graph, EmitOptions, Path], EmitResult]
    read: Callable[[Path], str]

    def supports_scheme(self, scheme: Scheme, use: WeightUse) -> Support:
        """See the protocol."""
        return self.scheme(scheme, use)

    def supports_node(self, node: Node) -> Support:
        """Matrices need a name there; the rest of the program is the runtime's own."""
        return supports_decoder_node(node, self.rename, self.runtime)

    def stored_bytes(self, scheme: Scheme, use: WeightUse) -> int:
        """See the protocol."""
        return self.cost(scheme, use)

    def fixed_bytes(self, graph: Graph) -> int:
        """See the protocol."""
        return self.rest(graph)

    def container_bytes(self, graph: Graph) -> int:
        """See the protocol; of the file that the other tool will write."""
        return self.container(graph)

    def emit(self, graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
        """See the protocol."""
        return self.write(graph, options, out)

    def inspect(self, artifact: Path) -> str:
        """See the protocol."""
        return self.read(artifact)
