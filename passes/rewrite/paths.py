"""Where numbers go from one linear into the next: what a rewrite of weights has to know."""

from dataclasses import dataclass

from optimum_compile.compiler.ir.graph import Graph, Node, Value

HEADS_FIRST = (0, 2, 1, 3)


@dataclass(frozen=True)
class ValuePath:
    """Values of attention: `producer` makes them, `readers` take what attention mixes of them.

    Query head h reads KV head h // (heads / kv_heads); the cache holds what `producer` makes.
    """

    producer: Node
    readers: tuple[Node, ...]
    kv_heads: int
    heads: int
    head_dim: int


@dataclass(frozen=True)
class GatePath:
    """`producer` is one factor of a product that `readers` take; the other factor is the gate."""

    producer: Node
    readers: tuple[Node, ...]


def value_paths(graph: Graph) -> tuple[ValuePath, ...]:
    """Every linear whose output does nothing but become the values of one attention.

    linear -> reshape to heads -> permute (-> kv_write) -> attention -> permute -> reshape -> linears
    """
    found = (_value_path(graph, node) for node in graph.nodes if node.op == "linear")
    return tuple(path for path in found if path is not None)


def gate_paths(graph: Graph) -> tuple[GatePath, ...]:
    """Every linear that is one factor of a product which only linears read (up -> down)."""
    out = []
    for node in graph.nodes:
        if node.op != "mul":
            continue
        readers = linears_on(graph, node.output)
        factors = [v.producer for v in node.inputs if v is not None and _only(graph, v, node)]
        made = [p for p in factors if p is not None and p.op == "linear"]
        same = all(v is not None and v.type == node.output.type for v in node.inputs)
        # With two plain linears either would do; the second is as good as the first.
        if made and readers and same:
            out.append(GatePath(made[-1], readers))
    return tuple(out)


def linears_on(graph: Graph, value: Value) -> tuple[Node, ...]:
    """The linears that read `value`; none where anything else reads it too."""
    plain = value not in graph.outputs and all(s.written is not value for s in graph.states)
    only = all(node.op == "linear" and index == 0 for node, index in value.uses)
    return tuple(value.users) if plain and only else ()


def _only(graph: Graph, value: Value, node: Node) -> bool:
    """Whether `node` reads `value` once and nothing else does."""
    return _next(graph, value) is node


def _next(graph: Graph, value: Value | None) -> Node | None:
    """The one node that reads `value`, once; None where there are more readers."""
    if value is None or len(value.uses) != 1 or value in graph.outputs:
        return None
    if any(s.written is value for s in graph.states):
        return None
    return value.uses[0][0]


def _value_path(graph: Graph, producer: Node) -> ValuePath | None:
    split = _next(graph, producer.output)
    if split is None or split.op != "reshape" or split.output.type.rank != 4:
        return None
    kv_heads, head_dim = split.output.type.shape[2:]
    if not isinstance(kv_heads, int) or not isinstance(head_dim, int):
        return None
    if producer.output.type.shape[-1] != kv_heads * head_dim:
        return None
    values = _heads_first(graph, split.output)
    mixed = None if values is None else _attention(graph, values)
    rows = None if mixed is None else _heads_first(graph, mixed.output)
    joined = _next(graph, rows)
    if mixed is None or joined is None or joined.op != "reshape":
        return None
    heads = mixed.output.type.shape[1]
    if not isinstance(heads, int) or joined.output.type.shape[-1] != heads * head_dim:
        return None
    readers = linears_on(graph, joined.output)
    return ValuePath(producer, readers, kv_heads, heads, head_dim) if readers else None


def _heads_first(graph: Graph, value: Value) -> Value | None:
    """What a permute that exchanges axes 1 and 2 makes of `value`."""
    node = _next(graph, value)
    swaps = node is not None and node.op == "permute" and node.attrs["perm"] == HEADS_FIRST
    return node.output if node is not None and swaps else None


def _attention(graph: Graph, values: Value) -> Node | None:
    """The attention whose values these are, in a cache or not; nothing else may see them."""
    node = _next(graph, values)
    if node is None or values.uses[0][1] not in (1, 2):
        return None
    if node.op == "attention" and values.uses[0][1] == 2:
        return node
    if node.op != "kv_write" or node.attrs["axis"] != 2 or values.uses[0][1] != 1:
        return None
    cache, written = node.input(0), node.output
    state = next((s for s in graph.states if s.read is cache), None)
    if state is None or state.written is not written or len(cache.uses) != 1:
        return None
    if written in graph.outputs or cache in graph.outputs or len(written.uses) != 1:
        return None
    reader, index = written.uses[0]
    return reader if reader.op == "cache_attention" and index == 2 else None
