"""Another length of the KV cache for a graph that was imported with one."""

from optimum_compile.compiler.errors import OptionError, UnsupportedError
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.ir.shape import Dim, SymbolRange, bounds, format_dim, symbols_of
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.passes.symbolic_shape.table import context_dim

CONTEXT = "context"
MAX_CONTEXT = 1 << 20
# Ops for which the length of the cache is only how far they may look.
READERS = {"kv_write": (0,), "cache_attention": (1, 2)}


def resize_context(graph: Graph, context: Dim, span: SymbolRange | None = None) -> None:
    """Give every cache of `graph` the length `context`, in place: a number, or a symbol with its range.

    Before:  state %k_cache.0 : f32[1, 2, 2048, 64]
    After:   state %k_cache.0 : f32[1, 2, context, 64]     with context in 1..2048

    Raises OptionError for a length that cannot be, UnsupportedError for a graph that uses the length in
    another way than to write rows and attend to them.
    """
    ranges = dict(graph.symbols)
    for name in symbols_of(context):
        if span is None and name not in ranges:
            raise OptionError(f"context={format_dim(context)}: symbol {name!r} has no range")
        ranges.setdefault(name, span or SymbolRange(1, MAX_CONTEXT))
    limits = bounds(context, ranges)
    if limits is None or not 1 <= limits.low <= limits.high <= MAX_CONTEXT:
        raise OptionError(f"context={format_dim(context)}: expected 1 to {MAX_CONTEXT}")
    if context_dim(graph) is None:
        raise UnsupportedError(f"{graph.name} has no KV cache of one length; leave context out")
    caches = {state.read for state in graph.states}
    for node in graph.nodes:
        _check_reader(graph, node, {i for i, v in enumerate(node.inputs) if v in caches}, limits)
        if node.op == "kv_write" and node.inputs[0] in caches:
            caches.add(node.output)
    for value in caches:
        shape = list(value.type.shape)
        shape[2] = context
        value.type = TensorType(value.type.dtype, tuple(shape))
    graph.symbols.update({n: ranges[n] for n in sorted(symbols_of(context))})
    seq = graph.symbols.get("seq")
    if seq is not None and seq.high > limits.high:
        graph.symbols["seq"] = SymbolRange(min(seq.low, limits.high), limits.high)


def _check_reader(graph: Graph, node: Node, reads: set[int], limits: SymbolRange) -> None:
    where = f"{node.op} at {node.origin or 'top level'}"
    axis = node.attrs.get("axis", 2)
    if not reads <= set(READERS.get(node.op, ())) or (reads and axis != 2):
        raise UnsupportedError(
            f"{graph.name}: {where} depends on the length of the cache; import the model again with "
            "--context"
        )
    if node.op != "rope_table":
        return
    rows = node.input(2).type.shape[0]
    if not isinstance(rows, int) or rows < limits.high:
        raise OptionError(
            f"context={limits.high}: {where} has angles for {format_dim(rows)} positions; give at most "
            "that, or import the model again with --context"
        )
