"""Random chains of moves and arithmetic: on flat buffers they give what the executor gives."""

import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.graphs import Builder

from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.graph import Graph, Value
from optimum_compile.compiler.ir.ops import ShapeError, infer_types
from optimum_compile.compiler.ir.shape import as_dim, evaluate, format_dim, symbol
from optimum_compile.compiler.ir.verify import verify
from optimum_compile.compiler.pass_manager import PassContext
from optimum_compile.passes.memory.notes import MemoryPlan
from optimum_compile.passes.memory.plan import PlanMemory
from optimum_compile.passes.subtensor.bounds import PLACED
from optimum_compile.passes.subtensor.check import Memory, run_placed
from optimum_compile.passes.subtensor.notes import Buffers, Elided
from optimum_compile.passes.subtensor.place import PlaceViews

N = symbol("n")
MAX_ELEMENTS = 600  # at n = 1


def text(shape):
    return tuple(d if isinstance(d, int) else format_dim(d) for d in shape)


def reshaped(draw, b: Builder, x: Value):
    shape = list(x.type.shape)
    at = draw(st.integers(0, len(shape) - 1))
    kind = draw(st.sampled_from(["merge", "split", "flat", "one"]))
    if kind == "merge" and at + 1 < len(shape):
        shape[at : at + 2] = [as_dim(shape[at] * shape[at + 1])]
    elif kind == "split" and isinstance(shape[at], int):
        by = draw(st.sampled_from([k for k in range(1, shape[at] + 1) if shape[at] % k == 0]))
        shape[at : at + 1] = [shape[at] // by, by]
    elif kind == "split" and draw(st.booleans()):
        shape[at : at + 1] = [shape[at], 1]
    elif kind == "flat":
        total = 1
        for d in shape:
            total = as_dim(total * d)
        shape = [total]
    else:
        shape.insert(at, 1)
    return b.op("reshape", x, shape=text(shape)) if len(shape) <= 5 else None


def permuted(draw, b, x):
    return b.op("permute", x, perm=tuple(draw(st.permutations(range(x.type.rank)))))


def sliced(draw, b, x):
    at = draw(st.integers(0, x.type.rank - 1))
    size = x.type.shape[at]
    if isinstance(size, int):
        start = draw(st.integers(0, size - 1))
        stop = draw(st.integers(start + 1, size))
        return b.op(
            "slice", x, axis=at, start=start, stop=stop, step=draw(st.sampled_from([1, 1, 2]))
        )
    if size == as_dim(2 * N):
        first = draw(st.booleans())
        ends = (0, "n") if first else ("n", "2*n")
        return b.op("slice", x, axis=at, start=ends[0], stop=ends[1], step=1)
    return None


def expanded(draw, b, x):
    shape = list(x.type.shape)
    ones = [at for at, d in enumerate(shape) if d == 1]
    if not ones:
        shape = [2, *shape]
    else:
        shape[draw(st.sampled_from(ones))] = draw(st.sampled_from([2, "n"]))
    return b.op("expand", x, shape=text(shape)) if len(shape) <= 5 else None


def halves(draw, b, x):
    """All slices of one tensor, which a kernel may write apart."""
    size = x.type.shape[-1]
    if not isinstance(size, int) or size < 2:
        return None
    cut = draw(st.integers(1, size - 1))
    axis = x.type.rank - 1
    b.pool.append(b.op("slice", x, axis=axis, start=0, stop=cut, step=1))
    return b.op("slice", x, axis=axis, start=cut, stop=size, step=1)


def joined(draw, b, x):
    axis = draw(st.integers(0, x.type.rank - 1))
    fits = [v for v in b.pool if v.type.rank == x.type.rank and v.type.dtype == x.type.dtype]
    fits = [
        v
        for v in fits
        if all(
            p == q
            for i, (p, q) in enumerate(zip(v.type.shape, x.type.shape, strict=True))
            if i != axis
        )
    ]
    parts = [x, *draw(st.lists(st.sampled_from(fits), min_size=1, max_size=2))]
    if draw(st.booleans()):  # operands of their own, which may be written in place
        parts = [b.op(draw(st.sampled_from(["silu", "relu"])), part) for part in parts]
        b.pool.extend(parts[1:])
    return b.op("concat", *draw(st.permutations(parts)), axis=axis)


def arithmetic(draw, b, x):
    fits = [v for v in b.pool if v.type == x.type]
    other = draw(st.sampled_from(fits))
    kind = draw(
        st.sampled_from(["add", "mul", "silu", "relu", "gated", "softmax", "rms_norm", "sum"])
    )
    if kind in ("add", "mul"):
        return b.op(kind, x, other)
    if kind == "gated":
        return b.op("gated", x, other, activation="silu")
    if kind == "softmax":
        return b.op("softmax", x, axis=x.type.rank - 1)
    if kind == "rms_norm":
        return b.op("rms_norm", x, None, eps=1e-5)
    if kind == "sum":
        return b.op("sum", x, axes=(0,), keepdims=True)
    return b.op(kind, x)


def linear(draw, b, x):
    width = x.type.shape[-1]
    if not isinstance(width, int):
        return None
    rows = draw(st.sampled_from([width, 4, 6]))
    seed = len(b.graph.weights)
    data = np.random.default_rng(seed).standard_normal((rows, width)).astype(np.float32)
    w = b.weight(f"w{seed}", data / np.float32(width**0.5))
    residual = [v for v in b.pool if v.type.shape == (*x.type.shape[:-1], rows)]
    if residual and draw(st.booleans()):
        return b.op("linear_add", x, w, None, draw(st.sampled_from(residual)))
    return b.op("linear", x, w, None)


def several(draw, b, x):
    """Kernels with more than one output."""
    if draw(st.booleans()):
        other = draw(st.sampled_from([v for v in b.pool if v.type == x.type]))
        inputs, op, attrs = [x, other, None], "add_rms_norm", {"eps": 1e-5}
    else:
        width = x.type.shape[-1]
        if not isinstance(width, int):
            return None
        rows = [draw(st.sampled_from([width, 4])) for _ in range(draw(st.integers(2, 3)))]
        inputs, op, attrs = [x], "linears", {}
        for count in rows:
            seed = len(b.graph.weights)
            data = np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)
            inputs += [b.weight(f"w{seed}", data / np.float32(width**0.5)), None]
    types = infer_types(op, [None if v is None else v.type for v in inputs], attrs)
    *others, last = b.graph.add_node(op, inputs, types, attrs).outputs
    b.pool.extend(others)
    return last


MOVES = [reshaped, permuted, sliced, expanded, halves, joined, joined]
STEPS = [*MOVES, arithmetic, arithmetic, linear, several]


@st.composite
def graphs(draw) -> Graph:
    b = Builder("random", n=(1, 5))
    b.pool = [b.input("x", "f32", 2, "n", 4), b.input("y", "f32", "2*n", 6)]
    made = []
    for _ in range(draw(st.integers(2, 14))):
        x = draw(st.sampled_from(b.pool[-4:]))
        try:
            value = draw(st.sampled_from(STEPS))(draw, b, x)
        except ShapeError:
            continue
        if value is None:
            continue
        size = 1
        for d in value.type.shape:
            size *= evaluate(d, {"n": 1})
        if size > MAX_ELEMENTS or value.type.rank == 0:
            continue
        b.pool.append(value)
        made.append(value)
    if not made:
        made.append(b.op("silu", b.pool[0]))
    outputs = draw(st.lists(st.sampled_from(made), min_size=1, max_size=3, unique=True))
    return b.returns(*dict.fromkeys([*outputs, made[-1]]))


def given_inputs(n: int) -> dict[str, torch.Tensor]:
    noise = torch.Generator().manual_seed(n)
    return {
        "x": torch.randn((2, n, 4), generator=noise),
        "y": torch.randn((2 * n, 6), generator=noise),
    }


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs())
def test_placed_graphs_give_what_the_executor_gives(graph: Graph) -> None:
    result = PlaceViews().run(graph, PassContext())
    assert result.changed
    notes = graph.notes.get(Buffers)
    assert verify(graph, PLACED) == []
    PlanMemory().run(graph, PassContext())  # one block of bytes
    for n in (1, 2, 5):
        wanted = run(graph, given_inputs(n)).outputs
        found = run_placed(graph, given_inputs(n), Memory())
        for a, b in zip(found.outputs, wanted, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
        assert found.copied_bytes == sum(evaluate(c.size_bytes, {"n": n}) for c in notes.copies)
    graph.notes.drop(MemoryPlan)
    assert not PlaceViews().run(graph, PassContext()).changed
    assert len(result.remarks) == len(notes.copies)
    assert all(
        node.notes.get(Elided) or node.op != "concat" or notes.copies for node in graph.nodes
    )
