"""A layout without thought: every tensor has a buffer, and what only moves numbers is copied."""

from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.shape import Dim, as_dim
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.passes.fuse.rope_tables import RopeTables
from optimum_compile.passes.fuse.split_phases import phases
from optimum_compile.passes.memory.notes import MemoryPlan, Placed
from optimum_compile.passes.subtensor.notes import Buffer, Buffers, Space, View


def dense(shape: tuple[Dim, ...]) -> tuple[Dim, ...]:
    out: list[Dim] = []
    step: Dim = 1
    for size in reversed(shape):
        out.append(step)
        step = as_dim(step * size)
    return tuple(reversed(out))


def lay_out(graph: Graph) -> None:
    """Notes for one function: no value shares bytes with another."""
    tokens = graph.inputs[0]
    values = [(tokens, Space.INPUT)]
    for node in graph.nodes:
        if node.op != "kv_write":
            values += [(v, Space.ARENA) for v in node.outputs]
    values = [(v, Space.OUTPUT if v in graph.outputs else s) for v, s in values]
    buffers, placed = [], []
    at: Dim = 0
    for value, space in values:
        shape = value.type.shape
        size: Dim = 1
        for dim in shape:
            size = as_dim(size * dim)
        buffer = Buffer(value.name, space, value.type.dtype, size)
        buffers.append(buffer)
        value.notes.put(View(value.name, 0, shape, dense(shape)))
        if space is Space.ARENA:
            # Rounded up to 64 bytes whatever the number of tokens.
            room = as_dim(64 * (buffer.size_bytes + 63))
            placed.append(Placed(value.name, at, room, 0, 0))
            at = as_dim(at + room)
    graph.notes.put(Buffers(tuple(buffers)))
    graph.notes.put(MemoryPlan(tuple(placed), at, ()))


def plain_functions(graph: Graph) -> tuple[Graph, ...]:
    """Prefill and decode of an unfused graph, laid out."""
    made = phases(graph)
    for function in (made.prefill, made.decode):
        PassManager([RopeTables()]).run(function, PassContext())
        lay_out(function)
    return made.prefill, made.decode
