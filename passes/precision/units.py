"""The units of assignment: every weight, what reads it, and what each scheme would cost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from optimum_compile.backends.base import Backend, Support, WeightUse
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.scheme import Float, Scheme, Vector
from optimum_compile.passes.stages.blocks import is_quantizable, weight_blocks
from optimum_compile.passes.stages.experts import is_router


@dataclass(frozen=True)
class Unit:
    """One matrix whose scheme is to be chosen, or (`is_cache`) the keys or values of one layer.

    A cache has the name of its state, a row for each head and token of the context, and the block of the
    first attention that reads it.
    """

    name: str
    block: int
    use: WeightUse
    routes: bool = False  # it decides which experts a token gets
    is_cache: bool = False

    @property
    def elements(self) -> int:
        """Number of weights, or of numbers in a full cache."""
        return self.use.rows * self.use.columns

    @property
    def has_class(self) -> bool:
        """Whether its class should be that of its stage: not that of a table, nor that of a cache."""
        return not (self.use.as_table or self.is_cache)

    @property
    def is_tied_head(self) -> bool:
        """An embedding table that is the output head too."""
        return self.use.as_linear and self.use.as_table


def units_of(graph: Graph) -> tuple[Unit, ...]:
    """The quantisable weights of a graph, in the order of the graph."""
    blocks = weight_blocks(graph)
    found = []
    for name, value in graph.weights.items():
        if name not in blocks or not is_quantizable(value):
            continue
        rows, columns = value.type.static_shape()
        ops = {node.op for node, _ in value.uses}
        use = WeightUse(name, rows, columns, ops != {"embedding"}, "embedding" in ops)
        found.append(Unit(name, blocks[name], use, is_router(value)))
    order = {name: at for at, name in enumerate(blocks)}
    return tuple(sorted(found, key=lambda u: (u.block, order[u.name])))


def head_unit(graph: Graph, units: Sequence[Unit]) -> Unit | None:
    """The unit whose linear makes the first output, or None."""
    if not graph.outputs:
        return None
    node = graph.outputs[0].producer
    while node is not None and node.op in ("cast", "reshape", "mul", "slice"):
        node = node.input(0).producer
    if node is None or node.op != "linear":
        return None
    weight = node.input(1).weight
    name = weight.name if weight is not None else ""
    return next((u for u in units if u.name == name), None)


def fixed_weight_bytes(graph: Graph, units: Sequence[Unit], backends: Sequence[Backend]) -> int:
    """Bytes of everything that is no unit, on the target that needs most of them.

    Norms, biases and tables of the program; without a target, 16 bits for every number.
    """
    if backends:
        return max(b.fixed_bytes(graph) for b in backends)
    chosen = {u.name for u in units}
    return sum(
        value.type.elements() * (2 if value.type.dtype.is_float else value.type.dtype.itemsize)
        for name, value in graph.weights.items()
        if name not in chosen and graph.is_used(value)
    )


def parameter_count(graph: Graph) -> int:
    """Number of stored parameters, tied ones once."""
    return sum(
        v.type.elements()
        for v in graph.weights.values()
        if graph.is_used(v) and v.weight is not None and v.weight.inline is None
    )


def legal(scheme: Scheme, use: WeightUse, backends: Sequence[Backend]) -> Support:
    """Whether every chosen backend can store and run `scheme`; the first refusal otherwise."""
    for backend in backends:
        verdict = backend.supports_scheme(scheme, use)
        if not verdict.ok:
            return Support(False, f"{backend.name}: {verdict.reason}")
    return Support(True)


def cost_bytes(scheme: Scheme, use: WeightUse, backends: Sequence[Backend]) -> int:
    """Stored bytes on the target that needs most; the scheme's own bytes without a target."""
    if not backends:
        return scheme.stored_bytes(use.rows, use.columns)
    return max(b.stored_bytes(scheme, use) for b in backends)


def codebook_bytes(schemes: Iterable[Scheme], backends: Sequence[Backend]) -> int:
    """Bytes of the codebooks that tensors share, each once: arrays of fp16 numbers beside them."""
    shared = {
        (s.bits, s.width) for s in schemes if isinstance(s, Vector) and s.codebook == "shared"
    }
    uses = (WeightUse("codebook", 1 << bits, width, False, False) for bits, width in shared)
    return sum(cost_bytes(FLOAT, use, backends) for use in uses)


FLOAT = Float(16)
