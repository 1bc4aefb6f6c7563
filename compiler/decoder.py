"""Questions about a graph that is a decoder. No torch is needed to ask."""

from dataclasses import dataclass

from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.quant.kv import KvRole

CACHE_INPUTS = ((KvRole.KEYS, 1), (KvRole.VALUES, 2))  # of cache_attention


@dataclass(frozen=True)
class Cache:
    """A state that attention reads as its keys or as its values.

    `value` is the state at entry, of the type [1, kv_heads, context, head_dim]; `readers` are the
    attentions, in the order of the graph.
    """

    name: str
    role: KvRole
    value: Value
    readers: tuple[Node, ...]

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Heads of keys and values, context in tokens, width of a head."""
        _, heads, context, width = self.value.type.static_shape()
        return heads, context, width


def is_decoder(graph: Graph) -> bool:
    """Whether the graph is a decoder with tokens, a position and cached state."""
    return bool(graph.states) and [v.name for v in graph.inputs] == ["tokens", "past"]


def vocabulary(graph: Graph) -> int:
    """Rows of the smallest embedding table."""
    rows = [n.input(1).type.static_shape()[0] for n in graph.nodes if n.op == "embedding"]
    return min(rows, default=2)


def context_of(graph: Graph) -> int | None:
    """Length of the KV cache in tokens; None without one."""
    sizes = [
        n.input(0).type.shape[int(str(n.attrs["axis"]))] for n in graph.nodes if n.op == "kv_write"
    ]
    return min((int(s) for s in sizes if isinstance(s, int)), default=None)


def caches_of(graph: Graph) -> tuple[Cache, ...]:
    """The KV cache, in the order of the graph's states."""
    readers: dict[tuple[Value, KvRole], list[Node]] = {}
    for node in graph.nodes:
        if node.op != "cache_attention":
            continue
        for role, index in CACHE_INPUTS:
            readers.setdefault((node.input(index), role), []).append(node)
    found = []
    for state in graph.states:
        for role, _ in CACHE_INPUTS:
            ends = dict.fromkeys((state.read, state.written))
            nodes = [n for value in ends for n in readers.get((value, role), ())]
            if nodes:
                found.append(Cache(state.name, role, state.read, tuple(nodes)))
    return tuple(found)
