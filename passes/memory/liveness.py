"""From when to when every buffer of the arena is alive, over the nodes in their order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.shape import Dim, as_dim
from optimum_compile.passes.memory.requests import Request
from optimum_compile.passes.subtensor.notes import Buffer, Buffers, Elided, Space, Split, View

# Element by element: such a node may write over an input of its output's type that nothing reads later.
IN_PLACE_OPS = frozenset(
    "silu relu gelu tanh sigmoid exp log sqrt rsqrt neg abs cos sin erf reciprocal floor "
    "add sub mul div pow maximum minimum".split()
)


@dataclass(frozen=True)
class Layout:
    """Buffers, and for every value that lies in one its name."""

    buffers: tuple[Buffer, ...]
    holds: Mapping[Value, str]


def noted_layout(graph: Graph) -> Layout:
    """What the sub-tensor pass decided. Raises InternalError where it has not run."""
    buffers = graph.notes.get(Buffers)
    if buffers is None:
        raise InternalError(
            f"graph {graph.name!r} has no note Buffers; run the sub-tensor pass first"
        )
    holds: dict[Value, str] = {}
    for value in graph.values():
        view = value.notes.get(View)
        if view is not None:
            holds[value] = view.buffer
    return Layout(buffers.buffers, holds)


def plain_buffers(graph: Graph, *, in_place: bool = False) -> Layout:
    """One buffer a value, for a graph without views: what inputs, weights and states hold has none.

    Outputs of the graph are the caller's. With `in_place` an element-wise node writes over an input of
    the same type that dies there.
    """
    kept = {v for s in graph.states for v in _versions(s.written)} | {s.read for s in graph.states}
    outputs = set(graph.outputs)
    buffers: dict[str, Buffer] = {}
    holds: dict[Value, str] = {}
    for node in graph.nodes:
        for value in node.outputs:
            if value in kept:
                continue
            over = (
                _written_over(node, holds, outputs) if in_place and value not in outputs else None
            )
            holds[value] = over or value.name
            if over is None:
                space = Space.OUTPUT if value in outputs else Space.ARENA
                buffers[value.name] = Buffer(value.name, space, value.type.dtype, _elements(value))
    return Layout(tuple(buffers.values()), holds)


def live_buffers(
    graph: Graph, layout: Layout, scratch: Mapping[Node, Dim] | None = None
) -> tuple[Request, ...]:
    """Requests for the memory plan: buffers of the arena, in the layout's order, then scratch.

    A buffer is alive from the first step that writes a value in it to the last that reads one; a step is the
    index of a node in `graph.nodes`. A value that is an input or a state at entry is there from the
    first step; one that is an output or a state at the end stays until the last.

    Args:
        graph: in the order of its execution.
        layout: which value lies where.
        scratch: bytes that a node needs while it runs, named as `scratch_name` says.

    Raises InternalError for a value in a buffer that the layout does not have.
    """
    names = {b.name for b in layout.buffers}
    steps = {node: at for at, node in enumerate(graph.nodes)}
    last_step = max(len(steps) - 1, 0)
    ends = set(graph.outputs) | {s.written for s in graph.states}
    spans: dict[str, tuple[int, int]] = {}
    for value, name in layout.holds.items():
        if name not in names:
            raise InternalError(f"%{value.name} lies in {name!r}, which is no buffer of the graph")
        first = _written(value, steps)
        last = max([first, *_read(value, steps)])
        last = last_step if value in ends else last
        known = spans.get(name, (first, last))
        spans[name] = (min(first, known[0]), max(last, known[1]))
    out = [
        Request(b.name, as_dim(b.size_bytes), *spans[b.name])
        for b in layout.buffers
        if b.space is Space.ARENA and b.name in spans
    ]
    for node, size in (scratch or {}).items():
        at = steps[node]
        out.append(Request(scratch_name(node), as_dim(size), at, at))
    return tuple(out)


def _written(value: Value, steps: Mapping[Node, int]) -> int:
    """The step that writes a value; a slice of a linear is written by the linear itself (`Split`)."""
    node = value.producer
    if node is None:
        return 0
    source = node.inputs[0] if node.op == "slice" else None
    linear = None if source is None else source.producer
    is_split = linear is not None and linear.notes.get(Split) is not None
    return steps[linear] if linear is not None and is_split else steps[node]


def _read(value: Value, steps: Mapping[Node, int]) -> Iterator[int]:
    """The steps that read a value. A node without work hands it on: to attention, rows of a rounded cache."""
    for node, _ in value.uses:
        yield steps[node]
        if node.notes.get(Elided) is not None:
            for output in node.outputs:
                yield from _read(output, steps)


def scratch_name(node: Node) -> str:
    """The name of a node's scratch in the plan."""
    return f"scratch:{node.outputs[0].name}"


def _versions(value: Value) -> list[Value]:
    """A state at the end of a call, and what it was before each write in place."""
    out = [value]
    while (node := out[-1].producer) is not None and node.op in ("kv_write", "index_copy"):
        out.append(node.input(0))
    return out


def _written_over(node: Node, holds: Mapping[Value, str], outputs: set[Value]) -> str | None:
    if node.op not in IN_PLACE_OPS:
        return None
    for value in node.inputs:
        if value is None or value not in holds or value in outputs:
            continue
        # Users are in the order of their creation, which need not be that of the nodes; one is enough.
        if value.users == [node] and value.type == node.output.type:
            return holds[value]
    return None


def _elements(value: Value) -> Dim:
    out: Dim = 1
    for dim in value.type.shape:
        out = out * dim
    return as_dim(out)
