"""Which caches one operator writes and reads: GroupQueryAttention, of the domain com.microsoft.

before: %c = kv_write(%k_cache, %k, %past)  %d = kv_write(%v_cache, %v, %past)
        %y = cache_attention(%q, %c, %d, %past)
after:  %y, present.k_cache, present.v_cache = GroupQueryAttention(%q, %k, %v, past.k_cache, past.v_cache)

Where a caller binds one buffer as a state before and after, the operator writes the new rows and copies
nothing. Facts of version 1.31.1 on the processor that this rests on, each checked by a test:

- it attends to every row of the cache, also where several tokens come behind others.
- heads have a multiple of 8 channels.
- codes are int8, or pairs of unsigned 4 bits (code + 8, the first one low) in uint8. Keys and values
  have one width, one float32 scale each a channel, and no offset: offsets are taken off before and
  added behind, where keys need none. Scores do not change in order when all of a query's move alike,
  and attention weights sum to 1.
- every token is read from its code, the newest too. Codes are rounded to even.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.graph import Graph, Node, State, Value
from optimum_compile.compiler.quant.kv import KvStored
from optimum_compile.compiler.quant.kv_static import KvStatic

HEAD_MULTIPLE = 8


@dataclass(frozen=True)
class Grouped:
    """An attention with its caches, each a state and the node that writes it."""

    keys: State
    key_write: Node
    values: State
    value_write: Node
    key_scheme: KvStatic | None  # None: float32
    value_scheme: KvStatic | None


def grouped_attentions(graph: Graph, caches: Mapping[str, KvStored]) -> dict[Node, Grouped]:
    """The attentions whose caches this operator holds, with the schemes of `caches` (by state name).

    Raises UnsupportedError for a cache in codes that it cannot hold.
    """
    found: dict[Node, Grouped] = {}
    for node in graph.nodes:
        if node.op == "cache_attention":
            made = _grouped(graph, node, caches)
            if made is not None:
                found[node] = made
    held = {s.name for each in found.values() for s in (each.keys, each.values)}
    for name, scheme in caches.items():
        if isinstance(scheme, KvStatic) and name not in held:
            raise UnsupportedError(
                f"{name}: GroupQueryAttention cannot hold this cache as {scheme}: one attention must read "
                "what is written behind past, keys and values of one width, heads of a multiple of "
                f"{HEAD_MULTIPLE} channels; use --kv-bits 16"
            )
    return found


def _grouped(graph: Graph, node: Node, caches: Mapping[str, KvStored]) -> Grouped | None:
    keys, values = (_written(graph, node, node.input(at)) for at in (1, 2))
    if keys is None or values is None:
        return None
    schemes = [_static(caches.get(s.name)) for s in (keys, values)]
    if len({0 if s is None else s.bits for s in schemes}) > 1:
        return None
    writes = [s.written.producer for s in (keys, values)]
    if writes[0] is None or writes[1] is None:
        return None
    return Grouped(keys, writes[0], values, writes[1], *schemes)


def _static(scheme: KvStored | None) -> KvStatic | None:
    return scheme if isinstance(scheme, KvStatic) else None


def _written(graph: Graph, node: Node, value: Value) -> State | None:
    """The state that only this attention reads, after only one node wrote it where `past` says."""
    state = next((s for s in graph.states if s.written is value), None)
    write = value.producer
    if state is None or write is None or write.op != "kv_write" or value in graph.outputs:
        return None
    query, new = node.input(0).type.shape, write.input(1).type.shape
    alone = len(state.read.uses) == 1 and len(value.uses) == 1 and write.input(0) is state.read
    aligned = write.input(2) is node.input(3) and new[2] == query[2] and new[0] == query[0] == 1
    width = query[3] == new[3] and isinstance(query[3], int) and query[3] % HEAD_MULTIPLE == 0
    along = int(str(write.attrs["axis"])) == 2 and write.input(1).producer is not None
    return state if alone and aligned and width and along else None
