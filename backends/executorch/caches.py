"""Which KV caches are bytes that one operator writes and reads, and which stay float32 buffers.

A cache is packed where a graph uses it as decoders do: rows are written behind `past`, one attention
reads the result, and nothing else does. Caches without a `KvPrecision` note are packed too, as fp16
rows: half of float32, and no step copies the cache.

before: %c = kv_write(%k_cache, %k, %past)  %d = kv_write(%v_cache, %v, %past)
        %y = cache_attention(%q, %c, %d, %past)
after:  %y = optimum_compile_rt.kv_attention(%q, %k, %v, %past, k_cache!, v_cache!, ...)
"""

from collections.abc import Mapping
from dataclasses import dataclass

from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.graph import Graph, Node, State, Value
from optimum_compile.compiler.quant.kv import KvRole, KvScheme, KvStored
from optimum_compile.compiler.quant.kv_layout import kv_buffer_bytes
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.passes.precision.notes import KvPrecision

MAX_SIDE = 1 << 20  # heads, tokens and channels that the kernels take


@dataclass(frozen=True)
class PackedCache:
    """A state that is one region of bytes."""

    state: State
    role: KvRole
    write: Node
    scheme: KvStored

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Heads, context in tokens, width of a head."""
        _, heads, context, width = self.state.read.type.static_shape()
        return heads, context, width

    @property
    def bytes(self) -> int:
        """Of the region."""
        return kv_buffer_bytes(self.scheme, self.role, *self.sizes)

    @property
    def numbers(self) -> tuple[int, int, int, int]:
        """Bits, group, window and sinks, as the operator takes them."""
        if not isinstance(self.scheme, KvScheme):
            return 16, 0, 0, 0
        s = self.scheme
        return s.bits, s.group, s.window, s.sinks


def packed_caches(graph: Graph) -> Mapping[Node, tuple[PackedCache, PackedCache]]:
    """Keys and values of every attention whose caches are packed.

    Raises UnsupportedError for a cache that has fewer than 16 bits by its note, but cannot be packed.
    """
    found: dict[Node, tuple[PackedCache, PackedCache]] = {}
    for node in graph.nodes:
        if node.op != "cache_attention":
            continue
        keys = _cache(graph, node, KvRole.KEYS, 1)
        values = _cache(graph, node, KvRole.VALUES, 2)
        if keys is not None and values is not None and keys.sizes[:2] == values.sizes[:2]:
            found[node] = (keys, values)
    packed = {cache.state.name for pair in found.values() for cache in pair}
    for state in graph.states:
        note = state.read.notes.get(KvPrecision)
        if note is not None and isinstance(note.scheme, KvScheme) and state.name not in packed:
            raise UnsupportedError(
                f"state {state.name!r}: executorch keeps a cache in {note.scheme} only where one attention "
                "reads it right after its rows are written; use --kv-bits 16"
            )
    return found


def packed_states(graph: Graph) -> dict[str, PackedCache]:
    """The packed caches by the name of their state."""
    return {c.state.name: c for pair in packed_caches(graph).values() for c in pair}


def _cache(graph: Graph, attention: Node, role: KvRole, index: int) -> PackedCache | None:
    written = attention.input(index)
    state = next((s for s in graph.states if s.written is written), None)
    write = written.producer
    if state is None or write is None or write.op != "kv_write" or write.input(0) is not state.read:
        return None
    alone = _only(state.read, write) and _only(written, attention) and written not in graph.outputs
    shape = state.read.type.shape
    still = all(isinstance(d, int) and 1 <= d <= MAX_SIDE for d in shape) and len(shape) == 4
    if not alone or not still or shape[0] != 1 or int(str(write.attrs["axis"])) != 2:
        return None
    if write.input(2) is not attention.input(3):
        return None
    note = state.read.notes.get(KvPrecision)
    scheme = Float(16) if note is None else note.scheme
    return PackedCache(state, role, write, scheme)


def _only(value: Value, reader: Node) -> bool:
    return [node for node, _ in value.uses] == [reader]
