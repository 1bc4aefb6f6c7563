"""From when to when buffers live: writes and reads counted over the nodes."""

import numpy as np
import pytest
from support.graphs import Builder

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Graph, Value
from optimum_compile.compiler.ir.shape import Dim, as_dim, symbol
from optimum_compile.passes.memory.liveness import (
    Layout,
    live_buffers,
    noted_layout,
    plain_buffers,
    scratch_name,
)
from optimum_compile.passes.memory.requests import Request
from optimum_compile.passes.subtensor.notes import Buffer, Buffers, Rows, Space, Split, View

SEQ = symbol("seq")


def lives(requests: tuple[Request, ...]) -> dict[str, tuple[int, int]]:
    return {r.name: (r.first, r.last) for r in requests}


def chain() -> Graph:
    """X -> silu a -> neg b -> add(a, b) c -> relu d, exp e of c; returns e."""
    b = Builder(seq=(1, 8))
    x = b.input("x", "f32", 1, "seq", 4)
    one = b.op("silu", x)
    two = b.op("neg", one)
    both = b.op("add", one, two)
    b.op("relu", both)
    return b.returns(b.op("exp", both))


def test_one_buffer_a_value_without_views() -> None:
    graph = chain()
    layout = plain_buffers(graph)
    assert {b.name: b.space for b in layout.buffers} == {
        "silu": Space.ARENA,
        "neg": Space.ARENA,
        "add": Space.ARENA,
        "relu": Space.ARENA,
        "exp": Space.OUTPUT,
    }
    requests = live_buffers(graph, layout)
    # what nobody reads lives while it is written
    assert lives(requests) == {"silu": (0, 2), "neg": (1, 2), "add": (2, 4), "relu": (3, 3)}
    assert {r.size_bytes for r in requests} == {as_dim(16 * SEQ)}


def test_in_place_nodes_write_over_what_dies_there() -> None:
    graph = chain()
    layout = plain_buffers(graph, in_place=True)
    # neg may not: silu is read again. add may write over neg; relu and exp may not: both read add.
    assert {b.name for b in layout.buffers} == {"silu", "neg", "relu", "exp"}
    assert lives(live_buffers(graph, layout)) == {"silu": (0, 2), "neg": (1, 4), "relu": (3, 3)}


def test_nothing_is_written_over_an_input_another_type_or_an_output() -> None:
    b = Builder(seq=(1, 8))
    x = b.input("x", "f32", 1, "seq", 4)
    row = b.op("mean", b.op("neg", x), axes=(2,), keepdims=True)
    wide = b.op("add", row, x)  # a row is too small to hold it
    out = b.op("silu", wide)
    last = b.op("relu", b.op("cos", out))
    graph = b.returns(out, last)
    layout = plain_buffers(graph, in_place=True)
    assert {b.name: b.space for b in layout.buffers} == {
        "neg": Space.ARENA,
        "mean": Space.ARENA,
        "add": Space.ARENA,
        "silu": Space.OUTPUT,
        "cos": Space.ARENA,
        "relu": Space.OUTPUT,
    }


def test_states_have_no_buffer() -> None:
    b = Builder(seq=(1, 8))
    state = b.state("kept", "f32", 1, 1, 16, 4)
    x, past = b.input("x", "f32", 1, 1, "seq", 4), b.input("past", "i64", 1)
    state.written = b.op("kv_write", state.read, b.op("neg", x), past, axis=2)
    graph = b.returns(b.op("relu", state.written))
    assert lives(live_buffers(graph, plain_buffers(graph))) == {"neg": (0, 1)}


def view(value: Value, buffer: str, offset: Dim = 0) -> None:
    value.notes.put(View(buffer, offset, value.type.shape, (as_dim(4 * SEQ), 4, 1)))


def test_views_share_the_life_of_their_buffer() -> None:
    b = Builder(seq=(1, 8))
    x = b.input("x", "f32", 1, "seq", 4)
    first, second = b.op("silu", x), b.op("neg", x)
    joined = b.op("concat", first, second, axis=1)
    out = b.op("exp", b.op("slice", joined, axis=1, start=0, stop="seq", step=1))
    graph = b.returns(out)
    view(x, "in")
    view(first, "pair")
    view(second, "pair", 4 * SEQ)
    view(joined, "pair")
    view(out.producer.input(0), "pair")  # type: ignore[union-attr]
    view(out, "out")
    graph.notes.put(
        Buffers(
            (
                Buffer("in", Space.INPUT, DType.F32, 4 * SEQ),
                Buffer("pair", Space.ARENA, DType.F16, 8 * SEQ),
                Buffer("out", Space.OUTPUT, DType.F32, 4 * SEQ),
                Buffer("unused", Space.ARENA, DType.F32, 4),
            )
        )
    )
    requests = live_buffers(graph, noted_layout(graph))
    assert requests == (Request("pair", as_dim(16 * SEQ), 0, 4),)


def test_slices_of_a_split_linear_are_written_by_it() -> None:
    b = Builder(seq=(1, 8))
    x = b.input("x", "f32", 1, "seq", 4)
    both = b.op("linear", x, b.weight("w", np.zeros((8, 4), np.float32)))
    low = b.op("slice", both, axis=2, start=0, stop=4, step=1)
    negative = b.op("neg", low)
    high = b.op("slice", both, axis=2, start=4, stop=8, step=1)
    graph = b.returns(b.op("add", negative, high))
    names = {low: "low", negative: "negative", high: "high"}
    for value, name in names.items():
        view(value, name)
    views = [v.notes.get(View) for v in (low, high)]
    rows = tuple(Rows(4 * at, 4 * at + 4, found) for at, found in enumerate(views) if found)
    graph.nodes[0].notes.put(Split(rows))
    sizes = (Buffer(name, Space.ARENA, DType.F32, 4 * SEQ) for name in names.values())
    graph.notes.put(Buffers(tuple(sizes)))
    # the upper half lies there from the linear on, long before its slice
    found = lives(live_buffers(graph, noted_layout(graph)))
    assert found == {"low": (0, 2), "negative": (2, 4), "high": (0, 4)}


def test_scratch_lives_for_one_node() -> None:
    graph = chain()
    node = graph.nodes[2]
    requests = live_buffers(graph, plain_buffers(graph), {node: 128 * SEQ})
    assert requests[-1] == Request("scratch:add", 128 * SEQ, 2, 2)
    assert scratch_name(node) == "scratch:add"


def test_values_of_the_arena_that_leave_a_call_live_to_its_end() -> None:
    graph = chain()
    everything = Layout(
        tuple(Buffer(n, Space.ARENA, DType.F32, 4) for n in ("x", "silu", "exp")),
        {graph.inputs[0]: "x", graph.nodes[0].output: "silu", graph.nodes[4].output: "exp"},
    )
    assert lives(live_buffers(graph, everything)) == {"x": (0, 0), "silu": (0, 2), "exp": (4, 4)}
    graph.outputs = [graph.inputs[0], graph.nodes[0].output]
    assert lives(live_buffers(graph, everything))["silu"] == (0, 4)
    assert lives(live_buffers(graph, everything))["x"] == (0, 4)


def test_what_is_missing_is_said() -> None:
    graph = chain()
    with pytest.raises(InternalError, match="has no note Buffers; run the sub-tensor pass first"):
        noted_layout(graph)
    with pytest.raises(InternalError, match="%silu lies in 'gone', which is no buffer"):
        live_buffers(graph, Layout((), {graph.nodes[0].output: "gone"}))
