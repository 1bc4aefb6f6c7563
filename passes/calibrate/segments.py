"""Cut a graph into its blocks, with the values that cross from each to the next."""

from collections.abc import Container, Iterable
from dataclasses import dataclass

from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.passes.stages.blocks import blocks_of, is_quantizable
from optimum_compile.passes.stages.experts import Expert, experts_of


@dataclass(frozen=True)
class Segment:
    """A contiguous run of nodes.

    enters: values made before it (or graph inputs) that it or a later segment reads, in the order in
    which they appear. leaves: those of the next segment.
    """

    index: int
    nodes: tuple[Node, ...]
    enters: tuple[Value, ...]
    leaves: tuple[Value, ...]


@dataclass(frozen=True)
class Reading:
    """Linears that read one value: they share its statistics, and are quantised together.

    Those of an expert share what the tokens show that are routed to it.
    """

    source: Value
    linears: tuple[Node, ...]
    expert: Expert | None = None


def segments_of(graph: Graph) -> tuple[Segment, ...]:
    """One segment a block, in order; together they hold every node once."""
    where = blocks_of(graph)
    count = max(where.values(), default=-1) + 1
    runs: list[list[Node]] = [[] for _ in range(count)]
    for node in graph.nodes:
        runs[where[node]].append(node)
    crossing = [_alive(graph, where, index) for index in range(count + 1)]
    return tuple(
        Segment(index, tuple(run), crossing[index], crossing[index + 1])
        for index, run in enumerate(runs)
    )


def _alive(graph: Graph, where: dict[Node, int], index: int) -> tuple[Value, ...]:
    """Values that exist before segment `index` and are read in it or later."""
    made = list(graph.inputs)
    made += [v for node in graph.nodes if where[node] < index for v in node.outputs]
    outputs = set(graph.outputs)
    return tuple(v for v in made if v in outputs or any(where[user] >= index for user in v.users))


def readings_of(segment: Segment) -> tuple[Reading, ...]:
    """Linears with a quantisable weight by what they read, in the order of the program."""
    found: dict[tuple[Value, Expert | None], list[Node]] = {}
    experts = experts_of(segment.nodes, segment.leaves)
    for node in segment.nodes:
        if node.op == "linear" and is_quantizable(node.input(1)):
            found.setdefault((node.input(0), experts.get(node)), []).append(node)
    return tuple(Reading(source, tuple(nodes), of) for (source, of), nodes in found.items())


def nodes_before(
    segment: Segment, values: Iterable[Value], known: Container[Value] = ()
) -> tuple[Node, ...]:
    """Nodes of the segment that `values` depend on, in order; none where they enter from outside.

    What is `known` needs no nodes.
    """
    needed = set(values)
    out: list[Node] = []
    for node in reversed(segment.nodes):
        if any(v in needed and v not in known for v in node.outputs):
            out.append(node)
            needed.update(v for v in node.inputs if v is not None)
    return tuple(reversed(out))
