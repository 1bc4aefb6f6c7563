"""The KV cache in place: every layer's rows lie in one buffer, and kernels write the new ones there."""

from optimum_compile.compiler.decoder import Cache, caches_of, context_of
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.shape import Dim, SymbolRange, as_dim, symbol
from optimum_compile.compiler.quant.kv import KvRole, KvScheme
from optimum_compile.compiler.quant.kv_layout import kv_buffer_bytes
from optimum_compile.passes.precision.notes import KvPrecision
from optimum_compile.passes.subtensor.kernels import POSITION, WRITES_HALF
from optimum_compile.passes.subtensor.layout import Layout
from optimum_compile.passes.subtensor.notes import Space, View
from optimum_compile.passes.symbolic_shape.table import PAST, symbol_table

STORED = "stored by the attention (kv_attention)"
IN_PLACE = "its rows are written into the cache"
_SPACES = {KvRole.KEYS: Space.KEYS, KvRole.VALUES: Space.VALUES}


def add_past(graph: Graph) -> bool:
    """Declare the symbol `past`, 0 to context - 1, where the graph has a cache; whether it was new."""
    context = context_of(graph)
    if context is None or PAST in graph.symbols:
        return False
    usual = SymbolRange(0, context - 1)
    graph.symbols[PAST] = symbol_table(graph).ranges.get(PAST, usual)
    return True


def position_of(graph: Graph) -> Value | None:
    """The input with the number of tokens before this call. Raises UnsupportedError for several."""
    found = {n.input(POSITION[n.op]) for n in graph.nodes if n.op in POSITION}
    if len(found) > 1 or not found <= set(graph.inputs):
        names = ", ".join(sorted(v.name for v in found))
        raise UnsupportedError(f"{graph.name}: positions come from {names}; expected one input")
    return next(iter(found), None)


def place_caches(layout: Layout) -> dict[Node, str]:
    """Give every cache its buffer, and its new rows their place.

    Returns:
        The writes that remain steps, each with the reason.

    Raises:
        UnsupportedError: a state that is no cache, or one that is not written as a cache is.
    """
    caches = caches_of(layout.graph)
    known = {cache.name for cache in caches}
    for state in layout.graph.states:
        if state.name not in known:
            raise UnsupportedError(f"state {state.name!r}: no attention reads it as a cache")
    rounded = {node for cache in caches if _scheme(cache) for node in cache.readers}
    remaining: dict[Node, str] = {}
    numbers = dict.fromkeys(KvRole, 0)
    for cache in caches:
        name = f"{cache.role.value}.{numbers[cache.role]}"
        numbers[cache.role] += 1
        write = _write_of(layout, cache)
        _add_buffer(layout, cache, name, write)
        if write is None:
            continue
        if any(node in rounded for node in cache.readers):
            _leave_to_attention(layout, cache, write)
            continue
        reason = _place_rows(layout, cache, name, write)
        if reason:
            remaining[write] = reason
        else:
            layout.elided[write] = IN_PLACE
    return remaining


def _scheme(cache: Cache) -> KvScheme | None:
    note = cache.value.notes.get(KvPrecision)
    return note.scheme if note is not None and isinstance(note.scheme, KvScheme) else None


def _write_of(layout: Layout, cache: Cache) -> Node | None:
    state = next(s for s in layout.graph.states if s.name == cache.name)
    if state.written is state.read:
        return None
    node = state.written.producer
    plain = node is not None and node.op == "kv_write" and node.input(0) is state.read
    if node is None or not plain or node.attrs["axis"] != 2:
        raise UnsupportedError(
            f"state {cache.name!r}: expected to be written by one kv_write, axis 2"
        )
    return node


def _add_buffer(layout: Layout, cache: Cache, name: str, write: Node | None) -> None:
    batch = cache.value.type.static_shape()[0]
    heads, context, width = cache.sizes
    scheme, space = _scheme(cache), _SPACES[cache.role]
    values = [cache.value] if write is None else [cache.value, write.output]
    if scheme is not None:
        size = batch * kv_buffer_bytes(scheme, cache.role, heads, context, width)
        buffer = layout.buffer(name, space, DType.U8, size)
        _only_attention_reads(values, cache)
    else:
        buffer = layout.buffer(name, space, DType.F16, batch * heads * context * width)
        strides = (context * heads * width, width, heads * width, 1)
        view = View(buffer, 0, cache.value.type.shape, strides)
        for value in values:
            layout.commit(layout.tree(value, view))
    for value in values:
        layout.cached[value] = buffer


def _only_attention_reads(values: list[Value], cache: Cache) -> None:
    for value in values:
        for node in value.users:
            if node.op not in ("kv_write", "cache_attention"):
                raise UnsupportedError(
                    f"state {cache.name!r} is stored in few bits, and {node.op} at {node.origin} reads it; "
                    "only cache_attention can"
                )


def _leave_to_attention(layout: Layout, cache: Cache, write: Node) -> None:
    """The rows stay where they are until the attention has taken them."""
    readers = [n for n in cache.readers if write.output in n.inputs]
    if len(readers) != 1:
        raise UnsupportedError(
            f"state {cache.name!r} is stored in few bits and read by {len(readers)} attentions; "
            "expected one, which stores it"
        )
    layout.elided[write] = STORED
    layout.read_later[write] = layout.order[readers[0]]


def _place_rows(layout: Layout, cache: Cache, name: str, write: Node) -> str:
    """Have the kernel that computes the new rows write them into the cache; or why it cannot."""
    heads, context, width = cache.sizes
    new = write.input(1)
    row = heads * width
    offset: Dim = as_dim(symbol(PAST) * row)
    target = View(name, offset, new.type.shape, (context * row, width, row, 1))
    found = layout.root_of(new, target)
    if isinstance(found, str):
        return found
    root, _ = found
    writer = layout.writer(root)
    if writer is None or writer.op not in WRITES_HALF:
        return f"{'nothing' if writer is None else writer.op} does not write fp16 rows"
    value = new
    while True:
        others = [n for n in value.users if n is not write and n not in _chain(new, root)]
        if others or value in layout.graph.outputs:
            other = others[0].op if others else "the caller"
            return f"{other} reads the rows too, before they are rounded to fp16"
        if value is root or value.producer is None:
            break
        value = value.producer.input(0)
    late = _late_reader(layout, cache, layout.order[writer], write)
    return late or layout.demand(new, target)


def _chain(new: Value, root: Value) -> set[Node]:
    """The reshapes and transposes between a root and the rows."""
    out: set[Node] = set()
    value = new
    while value is not root and value.producer is not None:
        out.add(value.producer)
        value = value.producer.input(0)
    return out


def _late_reader(layout: Layout, cache: Cache, at: int, write: Node) -> str:
    """Who reads the cache as it was before this call although rows are written by then."""
    todo = [cache.value]
    while todo:
        value = todo.pop()
        for node in value.users:
            if node is write:
                continue
            if layout.order[node] > layout.order[write]:
                raise UnsupportedError(
                    f"state {cache.name!r}: {node.op} at {node.origin} reads what it was before kv_write"
                )
            if layout.order[node] > at and node not in layout.elided:
                return f"{node.op} reads the cache as it was before"
            if node in layout.elided:
                todo.extend(node.outputs)
    return ""
