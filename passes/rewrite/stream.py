"""The residual stream of a graph: what writes it, what reads it, and why it cannot be rotated."""

from dataclasses import dataclass, field

from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.passes.rewrite.paths import linears_on


class NotRotatable(Exception):  # noqa: N818  (a verdict, not an error: the pass turns it into a remark)
    """Why a graph has no residual stream that can be rotated; a sentence for the user."""


@dataclass
class Stream:
    """The parts of a residual stream of `width` coordinates, in the order of the program.

    sources: lookups that begin it. writers: linears whose outputs are added to it. norms: RMS norms
    of it. readers: linears that read it, through a norm or not.
    """

    width: int = 0
    sources: list[Node] = field(default_factory=list)
    writers: list[Node] = field(default_factory=list)
    norms: list[Node] = field(default_factory=list)
    readers: list[Node] = field(default_factory=list)


def stream_of(graph: Graph) -> Stream:
    """Follow the residual stream from the embeddings to its last reader.

    Only what commutes with any rotation may touch it: sums, products with one number, RMS norms
    (their gain is fused into the linears behind them) and linears.

    Raises NotRotatable where there is no such stream, or something else reads it.
    """
    stream = Stream()
    values: set[Value] = set()
    for node in graph.nodes:
        if node.op == "embedding":
            _source(stream, node)
            values.add(node.output)
        elif any(v in values for v in node.inputs):
            _take(graph, stream, node, values)
    if not stream.sources:
        raise NotRotatable("the graph has no embedding, where a residual stream would begin")
    if any(v in values for v in graph.outputs) or any(s.written in values for s in graph.states):
        raise NotRotatable("the residual stream is an output of the graph")
    if not stream.readers:
        raise NotRotatable("no linear reads the residual stream")
    return stream


def _source(stream: Stream, node: Node) -> None:
    table = node.input(1)
    width = table.type.shape[-1]
    if table.weight is None or not isinstance(width, int) or width != (stream.width or width):
        raise NotRotatable(f"the lookup at {node.origin} has no table of width {stream.width}")
    stream.width = width
    stream.sources.append(node)


def _take(graph: Graph, stream: Stream, node: Node, values: set[Value]) -> None:
    if node.op == "linear" and node.input(0) in values and node.input(1).weight is not None:
        stream.readers.append(node)
    elif node.op == "rms_norm" and node.input(0) in values:
        readers = linears_on(graph, node.output)
        if not readers or any(n.input(1).weight is None for n in readers):
            raise NotRotatable(f"the norm at {node.origin} is read by more than linears")
        gain = node.inputs[1] if len(node.inputs) > 1 else None
        if gain is not None and gain.type.shape != (stream.width,):
            raise NotRotatable(f"the gain of the norm at {node.origin} is {gain.type}")
        stream.norms.append(node)
        stream.readers += readers
    elif node.op == "add" and node.output.type.shape[-1] == stream.width:
        stream.writers += [_writer(graph, stream, v) for v in node.inputs if v not in values]
        values.add(node.output)
    elif node.op == "mul" and any(_is_number(v) for v in node.inputs):
        values.add(node.output)
    else:
        raise NotRotatable(f"{node.op} at {node.origin or 'the top'} reads the residual stream")


def _writer(graph: Graph, stream: Stream, value: Value | None) -> Node:
    """The linear that makes a summand, perhaps times one number, for this sum alone."""
    at = value
    while at is not None and len(at.uses) == 1 and at not in graph.outputs:
        node = at.producer
        if node is None or at.type.shape[-1] != stream.width:
            break
        if node.op == "linear" and _has_weights(node):
            return node
        rest = [v for v in node.inputs if not _is_number(v)]
        if node.op != "mul" or len(rest) != 1:
            break
        at = rest[0]
    name = "-" if value is None else value.name
    raise NotRotatable(f"%{name} is added to the residual stream, and no linear made it")


def _has_weights(node: Node) -> bool:
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    return node.input(1).weight is not None and (bias is None or bias.weight is not None)


def _is_number(value: Value | None) -> bool:
    return value is not None and value.type.is_static and value.type.elements() == 1
