"""The symbols of a graph with their ranges, the number of cached tokens among them, and what holds of them.

`past` is a graph input, an i64[1] tensor, not a size. Offsets into the cache are expressions in it, so
here it is a symbol too: `symbol("past")`, from 0 to what leaves room for the step, with
`past + seq <= context`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from optimum_compile.compiler.decoder import is_decoder
from optimum_compile.compiler.ir.conditions import Condition, Decision, Relation
from optimum_compile.compiler.ir.decide import decide_at_most, decide_divisible, decide_equal
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.guards import facts_of
from optimum_compile.compiler.ir.shape import Dim, SymbolRange, as_dim, bounds, symbol

PAST = "past"
CACHE_WRITES = ("kv_write", "index_copy")


@dataclass(frozen=True)
class SymbolTable:
    """Ranges of all symbols, and conditions that hold for every legal call.

    context and seq are the length of the cache and of the step; None where the graph is no decoder.
    """

    ranges: Mapping[str, SymbolRange]
    given: tuple[Condition, ...] = ()
    context: Dim | None = None
    seq: Dim | None = None

    def at_most(self, a: Dim, b: Dim) -> Decision:
        """Whether a <= b for every legal call."""
        return decide_at_most(a, b, self.ranges, self.given)

    def equal(self, a: Dim, b: Dim) -> Decision:
        """Whether a == b for every legal call."""
        return decide_equal(a, b, self.ranges, self.given)

    def divisible(self, a: Dim, b: Dim) -> Decision:
        """Whether a is a multiple of b for every legal call."""
        return decide_divisible(a, b, self.ranges, self.given)


def symbol_table(graph: Graph) -> SymbolTable:
    """The table of `graph`; of a decoder with `past`, its range and its guard.

    Before:  symbol seq in 1..512, states f32[1, 2, 2048, 64]
    After:   seq in 1..512, past in 0..2047, past + seq <= 2048
    """
    ranges, given = dict(graph.symbols), facts_of(graph)
    context = context_dim(graph)
    if not is_decoder(graph) or context is None:
        return SymbolTable(ranges, given)
    seq = graph.inputs[0].type.shape[-1]
    longest, shortest = bounds(context, ranges), bounds(seq, ranges)
    if longest is not None and shortest is not None:
        high = max(0, longest.high - shortest.low)
        own = ranges.get(PAST, SymbolRange(0, high))  # where sizes depend on it
        ranges[PAST] = SymbolRange(own.low, min(own.high, high))
    fits = Condition(as_dim(symbol(PAST) + seq), Relation.AT_MOST, context)
    return SymbolTable(ranges, (*given, fits), context, seq)


def context_dim(graph: Graph) -> Dim | None:
    """Length of the cache: the axis of a state on which new rows are written; None without one."""
    states = {s.read for s in graph.states}
    found: dict[Dim, None] = {}
    for node in graph.nodes:
        if node.op in CACHE_WRITES and node.inputs[0] in states:
            found[node.input(0).type.shape[int(str(node.attrs["axis"]))]] = None
    return next(iter(found)) if len(found) == 1 else None
