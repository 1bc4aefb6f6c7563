"""The reference executor as a target: it takes every scheme of the vocabulary, for weights and for caches.

There is nothing to ship. An assignment for it shows what a budget buys where no runtime stands in the
way, and what others lose by what they cannot store.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from optimum_compile.backends.base import (
    SUPPORTED,
    Backend,
    EmitOptions,
    EmitResult,
    Support,
    WeightUse,
)
from optimum_compile.backends.weightless import Weightless
from optimum_compile.compiler.decoder import is_decoder
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.ir.ops import OPS
from optimum_compile.compiler.quant.scheme import Scheme, Vector
from optimum_compile.passes.precision.kv import kv_bytes, kv_of
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.problem import LADDER
from optimum_compile.passes.precision.units import (
    FLOAT,
    Unit,
    codebook_bytes,
    fixed_weight_bytes,
    units_of,
)
from optimum_compile.passes.symbolic_shape.lengths import DECODE, SEQ, decoder_functions

SUFFIX = ".precision.json"
FORMAT = 1
MAX_BYTES = 1 << 26


@dataclass(frozen=True)
class ReferenceBackend(Weightless):
    """See `backends.base.Backend`."""

    name: str = "reference"
    platform: str = "reference"
    suffix: str = SUFFIX
    ladder: tuple[str, ...] = LADDER
    unexecuted: str = "the reference executor is what others are compared with"
    unanswered: str = "holds no weights; `optimum-compile evaluate MODEL` runs the reference"

    def supports_scheme(self, scheme: Scheme, use: WeightUse) -> Support:
        """Everything, but vectors that do not divide the rows."""
        if isinstance(scheme, Vector) and use.columns % scheme.width:
            return Support(False, f"vectors of {scheme.width} do not divide {use.columns} columns")
        return SUPPORTED

    def supports_node(self, node: Node) -> Support:
        """Every op of the dialect."""
        if node.op in OPS:
            return SUPPORTED
        return Support(False, "the reference executor has no such op")

    def stored_bytes(self, scheme: Scheme, use: WeightUse) -> int:
        """The scheme's own bytes, without padding."""
        return scheme.stored_bytes(use.rows, use.columns)

    def fixed_bytes(self, graph: Graph) -> int:
        """Norms, biases and tables at 16 bits a number, as where no target is chosen."""
        return fixed_weight_bytes(graph, units_of(graph), ())

    def container_bytes(self, graph: Graph) -> int:
        """0: no file holds the weights."""
        return 0

    def emit(self, graph: Graph, options: EmitOptions, out: Path) -> EmitResult:
        """Write the scheme of every weight and cache as JSON, with the metadata of the bundle."""
        schemes = {u: _scheme(graph, u) for u in units_of(graph)}
        sizes = (self.stored_bytes(scheme, unit.use) for unit, scheme in schemes.items())
        total = self.fixed_bytes(graph) + sum(sizes) + codebook_bytes(schemes.values(), (self,))
        noted = kv_of(graph)
        caches = {state.name: str(noted.get(state.name, FLOAT)) for state in graph.states}
        told = ", ".join(sorted(set(caches.values())))
        document = {
            "format": FORMAT,
            "metadata": json.loads(options.metadata_json) | {"kv_cache": told or "none"},
            "weights": {unit.name: str(scheme) for unit, scheme in schemes.items()},
            "kv": caches,
            "functions": list(_functions(graph)),
            "kv_bytes": kv_bytes(graph),
        }
        out.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", "utf-8")
        remark = (
            f"reference: {out.name} says what the reference executor reads; it holds no weights"
        )
        return EmitResult(out, total, (), (remark,))

    def inspect(self, artifact: Path) -> str:
        """See the protocol."""
        if artifact.stat().st_size > MAX_BYTES:
            raise InputError(f"{artifact}: more than {MAX_BYTES} bytes; not a list of precisions")
        try:
            document = json.loads(artifact.read_text("utf-8"))
            found = document["metadata"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(f"{artifact}: damaged: {error}") from error
        return json.dumps(found, sort_keys=True, separators=(",", ":"))


def _functions(graph: Graph) -> tuple[str, ...]:
    """The functions that the graph stands for; each is a specialisation of it."""
    if is_decoder(graph) and SEQ in graph.symbols:
        return tuple(decoder_functions(graph))
    return (DECODE,) if is_decoder(graph) else ("forward",)


def _scheme(graph: Graph, unit: Unit) -> Scheme:
    note = graph.weights[unit.name].notes.get(Precision)
    return FLOAT if note is None else note.scheme


BACKEND: Backend = ReferenceBackend()
