"""What one token reads while decoding, and the weights that a wished speed leaves room for.

Decoding is bound by memory: every token reads the weights once, but for tables, of which it reads a row,
and the KV cache up to its context. Pure functions of a graph and its `Precision` notes.
"""

from collections.abc import Mapping

from optimum_compile.backends.base import Backend
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.quant.scheme import Nested, Scheme
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.kv import caches_at, kv_bytes
from optimum_compile.passes.precision.narrow import nearest
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.units import Unit, codebook_bytes, units_of
from optimum_compile.passes.stages.experts import Expert, experts_of


def read_shares(graph: Graph, *, every_expert: bool = True) -> Mapping[str, float]:
    """By matrix, the part of its bytes that a decode step reads.

    A table that is only looked up: one row. A tied head: everything. With `every_expert` those that are not
    chosen are computed and multiplied by zero; otherwise the `top_k` chosen ones of each layer are read,
    which is a share of every expert's bytes (`Backend.traits.skips_experts`).
    """
    owners = {} if every_expert else experts_of(graph.nodes, frozenset(graph.outputs))
    return {unit.name: _share(graph, unit, owners) for unit in units_of(graph)}


def _share(graph: Graph, unit: Unit, owners: Mapping[Node, Expert]) -> float:
    if not unit.use.as_linear:
        return 1 / unit.use.rows
    found = {owners.get(node) for node in graph.weights[unit.name].users}
    expert = next(iter(found))
    if len(found) != 1 or expert is None or expert.gates.producer is None:
        return 1.0
    chosen = int(str(expert.gates.producer.attrs["top_k"]))
    return min(1.0, chosen / int(expert.gates.type.shape[-1]))


def weight_bytes_read(graph: Graph, backend: Backend, *, width: int = 0) -> float:
    """Bytes of weights, norms and codebooks that one token reads from the backend's artifact.

    `width`: bits that nested weights are read with; 0 for all. Only those planes and tables count.
    """
    shares = read_shares(graph, every_expert=not backend.traits.skips_experts)
    total = float(backend.fixed_bytes(graph) - backend.unread_bytes(graph))
    schemes = []
    for unit in units_of(graph):
        note = graph.weights[unit.name].notes.get(Precision)
        if note is not None:
            schemes.append(note.scheme)
            total += shares[unit.name] * _whole(note.scheme, unit, backend, width)
    return total + codebook_bytes(schemes, (backend,))


def _whole(scheme: Scheme, unit: Unit, backend: Backend, width: int) -> int:
    """Bytes of one pass over a matrix."""
    stored = backend.stored_bytes(scheme, unit.use)
    if not isinstance(scheme, Nested) or not backend.traits.chooses_widths:
        return stored  # where calls choose no width, only what they read is stored
    read = scheme.read_bytes(unit.use.rows, unit.use.columns, nearest(scheme, width))
    return min(stored, read)


def cache_bytes(graph: Graph, backend: Backend, tokens: int | None = None) -> int:
    """Bytes of the KV cache on the backend at `tokens`, or at the graph's context.

    Caches with a `KvPrecision` note count in their scheme, others as the target keeps floats.
    """
    return kv_bytes(graph, caches_at(graph, backend), tokens)


def bytes_per_token(graph: Graph, backend: Backend, tokens: int | None = None) -> float:
    """Bytes that one token reads: weights, and the cache of `tokens` (the context without a number)."""
    return weight_bytes_read(graph, backend) + cache_bytes(graph, backend, tokens)


def weight_limit(
    graph: Graph,
    backend: Backend,
    read_limit: float,
    tokens: int | None = None,
    *,
    every_expert: bool = True,
    known: Mapping[str, Scheme] | None = None,
) -> int:
    """Most stored bytes of weights with which a token reads at most `read_limit` bytes.

    What is stored and not read comes on top: rows of tables and of angles, experts that are not chosen, and
    what nested weights hold for narrower widths only, since the limit is kept with all their bits. Schemes
    are those of notes, or `known` by a weight's name (pins, before there are notes); a matrix with neither
    counts as the cheapest one that the target proposes, so that the limit holds whatever it gets. Negative
    where the cache alone reads more.
    """
    shares = read_shares(graph, every_expert=every_expert)
    unread = float(backend.unread_bytes(graph))
    for unit in units_of(graph):
        note = graph.weights[unit.name].notes.get(Precision)
        scheme = note.scheme if note is not None else (known or {}).get(unit.name)
        if scheme is not None:
            stored = backend.stored_bytes(scheme, unit.use)
            unread += stored - shares[unit.name] * _whole(scheme, unit, backend, 0)
        elif shares[unit.name] < 1:
            unread += (1 - shares[unit.name]) * _least_bytes(unit, backend)
    return int(read_limit - cache_bytes(graph, backend, tokens) + unread)


def _least_bytes(unit: Unit, backend: Backend) -> int:
    ladder = [parse_scheme(text) for text in backend.ladder]
    legal = [s for s in ladder if backend.supports_scheme(s, unit.use).ok]
    return min((backend.stored_bytes(s, unit.use) for s in legal), default=0)
