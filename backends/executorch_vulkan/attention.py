"""Which attentions become the delegate's own, and which nodes nobody needs any more after that.

The delegate has one operator that writes a cache and attends to it, `sdpa_with_kv_cache`, and one that rotates
queries and keys. Both take tokens before heads, as projections make them, so the permutations around them go.

before: %q = rope(permute(%a), ..)  %k = rope(permute(%b), ..)  %c = kv_write(%k_cache, %k, %past)  ..
        %y = cache_attention(%q, %c, %d, %past)   %o = permute(%y)
after:  %q, %k = apply_rotary_emb_hf(%a, %b, cos, sin, past)
        %o = sdpa_with_kv_cache(%q, %k, %v, k_cache!, v_cache!, past)
"""

from collections.abc import Mapping
from dataclasses import dataclass

from optimum_compile.backends.executorch.caches import PackedCache, packed_caches
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.ops import ints

SWAP = (0, 2, 1, 3)  # heads before tokens, and back
ROTARY_STEP = 8  # the rotating operator needs a multiple of this width


@dataclass(frozen=True)
class Source:
    """Queries, keys or values of an attention: (1, tokens, heads, width), or heads first."""

    value: Value
    tokens_first: bool


@dataclass(frozen=True)
class Attention:
    """One fused attention. `rope` is the rotation of its queries where it is fused, which keys share."""

    node: Node
    keys: PackedCache
    values: PackedCache
    q: Source
    k: Source
    v: Source
    rope: Node | None

    @property
    def past(self) -> Value:
        """Tokens that the caches hold."""
        return self.node.input(3)

    @property
    def needs(self) -> tuple[Value, ...]:
        """Values of the graph that it reads."""
        return self.q.value, self.k.value, self.v.value, self.past


def attentions_of(graph: Graph) -> Mapping[Node, Attention]:
    """Every attention over a cache. Raises UnsupportedError for a state that none of them keeps."""
    found = {
        n: _fused(n, keys, values)
        for n, (keys, values) in packed_caches(graph).items()
        if keys.sizes == values.sizes
    }
    kept = {c.state.name for a in found.values() for c in (a.keys, a.values)}
    lost = next((s.name for s in graph.states if s.name not in kept), None)
    if lost is not None:
        raise UnsupportedError(
            f"state {lost!r}: android:vulkan keeps only caches that one attention reads right after their rows "
            "are written, keys and values of one width; use --target android or native"
        )
    return found


def _fused(node: Node, keys: PackedCache, values: PackedCache) -> Attention:
    q, k, v = node.input(0), keys.write.input(1), values.write.input(1)
    rope = _common_rope(q, k)
    if rope is not None and q.producer is not None and k.producer is not None:
        q, k = q.producer.input(0), k.producer.input(0)
    return Attention(node, keys, values, _source(q), _source(k), _source(v), rope)


def _common_rope(q: Value, k: Value) -> Node | None:
    a, b = q.producer, k.producer
    if a is None or b is None or a.op != "rope" or b.op != "rope":
        return None
    same = a.inputs[1:] == b.inputs[1:] and a.attrs["scale"] == b.attrs["scale"]
    width, count = q.type.shape[-1], a.input(2).type.shape[0]
    whole = isinstance(width, int) and width % ROTARY_STEP == 0 and count == width // 2
    return a if same and whole and a.input(2).weight is not None else None


def _source(value: Value) -> Source:
    node = value.producer
    if node is not None and node.op == "permute" and ints(node.attrs["perm"]) == SWAP:
        return Source(node.input(0), True)
    return Source(value, False)


def live_nodes(graph: Graph, attentions: Mapping[Node, Attention]) -> frozenset[Node]:
    """Nodes whose outputs something needs once attentions read their sources."""
    written = {c.write for a in attentions.values() for c in (a.keys, a.values)}
    needed = {*graph.outputs}
    live = set()
    for node in reversed(graph.nodes):
        if node in written or not needed.intersection(node.outputs):
            continue
        live.add(node)
        given = attentions[node].needs if node in attentions else node.inputs
        needed.update(v for v in given if v is not None)
    return frozenset(live)


def swapped_attention(node: Node, attentions: Mapping[Node, Attention]) -> Node | None:
    """The attention that a permutation puts tokens first of, as the operator makes them anyhow."""
    if node.op != "permute" or ints(node.attrs["perm"]) != SWAP:
        return None
    found = node.input(0).producer
    return found if found in attentions else None
