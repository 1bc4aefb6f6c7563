"""The reference executor: whole graphs, caches, gradients, packed weights, bad inputs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from support.graphs import Builder, decoder, kind, mlp
from support.strategies import programs
from torch import Tensor

from optimum_compile.compiler.errors import InternalError, ResourceError, UserError
from optimum_compile.compiler.interpret import WeightCache, run
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.ir.weights import WeightRef, inline_weight
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Affine, Float
from optimum_compile.compiler.quant.store import write_packed
from optimum_compile.passes.precision.notes import Precision, Quantized

RNG = np.random.default_rng(0)
X = torch.tensor(RNG.standard_normal((2, 3, 4)), dtype=torch.float32)
TOKENS = np.array([[3, 1, 4, 1, 5, 9, 2, 6, 5]])


@pytest.mark.parametrize("cuts", [(4,), (1, 2), (1, 2, 3, 4, 5, 6, 7, 8)])
@pytest.mark.parametrize("window", [0, 3])
def test_chunks_through_the_cache_equal_one_chunk(cuts: tuple[int, ...], window: int) -> None:
    graph = decoder(bias=True, tied=False, window=window)
    whole = run(graph, {"tokens": TOKENS, "past": np.array([0])})
    states, logits = None, []
    for start, stop in zip((0, *cuts), (*cuts, TOKENS.shape[1]), strict=True):
        step = run(graph, {"tokens": TOKENS[:, start:stop], "past": np.array([start])}, states)
        states = step.states
        logits.append(step.outputs[0])
    torch.testing.assert_close(torch.cat(logits, 1), whole.outputs[0], rtol=1e-4, atol=1e-5)
    assert states is not None
    for name, tensor in whole.states.items():
        torch.testing.assert_close(states[name], tensor, rtol=1e-4, atol=1e-5)


def test_states_of_the_caller_are_not_changed() -> None:
    graph = decoder(layers=1)
    first = run(graph, {"tokens": TOKENS, "past": np.array([0])})
    before = {n: t.clone() for n, t in first.states.items()}
    run(graph, {"tokens": TOKENS, "past": np.array([9])}, first.states)
    assert all(torch.equal(first.states[n], t) for n, t in before.items())


def test_gradients_are_those_of_torch() -> None:
    graph = mlp()
    x = torch.tensor(RNG.standard_normal((5, 8)), dtype=torch.float64)
    names = ["up.weight", "up.bias", "down.weight"]
    result = run(graph, {"x": x}, grad_weights=names, dtype=torch.float64)
    result.outputs[0].square().mean().backward()
    w1, b1, w2 = (
        torch.tensor(graph.weights[n].weight.load(), dtype=torch.float64).requires_grad_()
        for n in names
    )
    F.linear(F.relu(F.linear(x, w1, b1)), w2).square().mean().backward()
    for name, leaf in zip(names, (w1, b1, w2), strict=True):
        torch.testing.assert_close(result.weights[name].grad, leaf.grad)


def test_gradient_of_a_tied_table_through_the_cache_matches_finite_differences() -> None:
    graph = decoder(layers=1)
    name = "model.embed_tokens.weight"
    inputs = {"tokens": TOKENS, "past": np.array([0])}

    def loss(table: Tensor | None) -> Tensor:
        replaced = {} if table is None else {name: table}
        out = run(graph, inputs, replace_weights=replaced, dtype=torch.float64).outputs[0]
        return out.square().mean()

    result = run(graph, inputs, grad_weights=[name], dtype=torch.float64)
    result.outputs[0].square().mean().backward()
    leaf = result.weights[name]
    for row, column in ((3, 0), (9, 7), (20, 1)):
        step = torch.zeros_like(leaf)
        step[row, column] = 1e-5
        slope = (loss(leaf.detach() + step) - loss(leaf.detach() - step)) / 2e-5
        assert float(leaf.grad[row, column]) == pytest.approx(float(slope), rel=1e-5, abs=1e-9)


def test_without_grad_weights_nothing_is_recorded() -> None:
    result = run(mlp(), {"x": np.ones((1, 8), np.float32)})
    assert not result.outputs[0].requires_grad
    assert result.weights == {}


def test_quantized_mode_uses_packed_weights_and_rounds_f16(tmp_path: Path) -> None:
    graph = mlp()
    original = {n: v.weight.load() for n, v in graph.weights.items()}
    packed = PackedWeight(
        Affine(8), RNG.integers(-9, 9, (16, 8), np.int8), np.full((16, 1), 0.5, np.float16)
    )
    digest = write_packed(tmp_path, packed)
    graph.weights["up.weight"].notes.put(Quantized(packed.scheme, digest, tmp_path))
    graph.weights["down.weight"].notes.put(Precision(Float(16)))
    x = RNG.standard_normal((3, 8)).astype(np.float32)
    up = torch.tensor(packed.codes * np.float32(0.5))
    down = torch.tensor(original["down.weight"].astype(np.float16).astype(np.float32))
    bias = torch.tensor(original["up.bias"])
    expected = F.linear(F.relu(F.linear(torch.tensor(x), up, bias)), down)
    cache = WeightCache()
    for _ in range(2):
        (got,) = run(graph, {"x": x}, weights="quantized", cache=cache).outputs
        torch.testing.assert_close(got, expected)
    (plain,) = run(graph, {"x": x}, cache=cache).outputs
    (fresh,) = run(mlp(), {"x": x}).outputs
    assert torch.equal(plain, fresh)
    assert not torch.equal(plain, got)


def _counted(graph: Graph) -> list[str]:
    """Make every weight of `graph` note that it was loaded."""
    loads: list[str] = []
    for name, value in graph.weights.items():
        data = value.weight.load()

        def load(name: str = name, data: np.ndarray = data) -> np.ndarray:
            loads.append(name)
            return data

        value.weight = WeightRef(name, value.weight.type, inline=load)
    return loads


def test_cache_keeps_within_its_limit_and_never_changes_the_result() -> None:
    graph, inputs = decoder(layers=1), {"tokens": TOKENS, "past": np.array([0])}
    loads = _counted(graph)
    plain = run(graph, inputs).outputs[0]
    table = "model.embed_tokens.weight"
    assert loads.count(table) == 2  # tied: at the start and at the end, not held in between
    for limit, per_call in ((None, 0), (0, len(loads)), (9000, None)):
        cache = WeightCache(limit)
        run(graph, inputs, cache=cache)
        loads.clear()
        assert torch.equal(run(graph, inputs, cache=cache).outputs[0], plain)
        if per_call is not None:
            assert len(loads) == per_call
        assert limit is None or cache.bytes <= limit


def test_observe_sees_every_node_with_its_outputs() -> None:
    graph, seen = mlp(), []

    def observe(node: Node, outputs: tuple[Tensor, ...]) -> None:
        seen.append((node, [tuple(t.shape) for t in outputs]))

    run(graph, {"x": np.zeros((2, 8), np.float32)}, observe=observe)
    assert [n for n, _ in seen] == list(graph.nodes)
    assert [s for _, s in seen] == [[(2, 16)], [(2, 16)], [(2, 8)]]


def test_a_value_read_twice_by_one_node_lives_until_its_last_use() -> None:
    b = Builder()
    x = b.input("x", "f32", 2)
    graph = b.returns(b.op("mul", b.op("add", x, x), x))
    assert run(graph, {"x": np.array([1.0, 3.0])}).outputs[0].tolist() == [2.0, 18.0]


@settings(max_examples=60, deadline=None)
@given(programs(), st.integers(1, 8))
def test_shape_rules_commute_with_evaluation(graph: Graph, rows: int) -> None:
    x = np.linspace(-2, 2, rows * 4, dtype=np.float32).reshape(rows, 4)
    try:
        # The executor itself compares every shape with the declared one.
        (got,) = run(graph, {"x": x}).outputs
    except InternalError as error:
        pytest.fail(str(error))
    assert tuple(got.shape) == graph.outputs[0].type.concrete({"n": rows})
    (double,) = run(graph, {"x": x}, dtype=torch.float64).outputs
    assert double.dtype == torch.float64
    if torch.isfinite(double).all() and "floor" not in {n.op for n in graph.nodes}:
        torch.testing.assert_close(got.double(), double, rtol=1e-3, atol=1e-3)


def test_expressions_in_input_shapes_bind_symbols() -> None:
    b = Builder(n=(1, 9))
    x = b.input("x", "f32", "2*n+1")
    graph = b.returns(b.op("full", shape=("n",), value=1.0, dtype="f32"), b.op("neg", x))
    assert run(graph, {"x": np.zeros(7, np.float32)}).outputs[0].shape == (3,)
    with pytest.raises(UserError, match=r"got 8 where"):
        run(graph, {"x": np.zeros(8, np.float32)})
    with pytest.raises(UserError, match="n=10: expected 1..9"):
        run(graph, {"x": np.zeros(21, np.float32)})


Bad = Callable[[], tuple[dict[str, np.ndarray], dict[str, Tensor]]]
BAD: list[tuple[Bad, str]] = [
    (lambda: ({"tokens": TOKENS}, {}), "input 'past' is missing"),
    (lambda: ({"tokens": TOKENS, "past": np.array([0]), "x": TOKENS}, {}), "input 'x': expected"),
    (lambda: ({"tokens": TOKENS[0], "past": np.array([0])}, {}), "expected i64"),
    (lambda: ({"tokens": TOKENS.repeat(2, 0), "past": np.array([0])}, {}), "got 2 where"),
    (
        lambda: ({"tokens": TOKENS.repeat(2, 1), "past": np.array([0])}, {}),
        "seq=18: expected 1..16",
    ),
    (lambda: ({"tokens": TOKENS * 1.0, "past": np.array([0])}, {}), "float64"),
    (lambda: ({"tokens": TOKENS + 45, "past": np.array([0])}, {}), "index 54 is outside 0..49"),
    (lambda: ({"tokens": TOKENS, "past": np.array([16])}, {}), "do not fit the context of 24"),
    (lambda: ({"tokens": TOKENS, "past": np.array([-1])}, {}), "past=-1"),
    (lambda: ({"tokens": TOKENS, "past": np.array([0])}, {"z": X}), "state 'z': expected"),
    (lambda: ({"tokens": TOKENS, "past": np.array([0])}, {"k_cache.0": X}), "expected f32"),
]


@pytest.mark.parametrize(("make", "message"), BAD, ids=[m for _, m in BAD])
def test_bad_inputs_are_user_errors(make: Bad, message: str) -> None:
    inputs, states = make()
    with pytest.raises(UserError, match=message):
        run(decoder(layers=1), inputs, states)


def test_bad_arguments_are_user_errors() -> None:
    graph, inputs = mlp(), {"x": np.ones((1, 8), np.float32)}
    with pytest.raises(UserError, match="none of that name"):
        run(graph, inputs, grad_weights=["nope"])
    with pytest.raises(UserError, match="replacement"):
        run(graph, inputs, replace_weights={"up.bias": torch.ones(3)})
    with pytest.raises(UserError, match="expected torch.float32"):
        run(graph, inputs, dtype=torch.float16)
    with pytest.raises(UserError, match="'float' or 'quantized'"):
        run(graph, inputs, weights="packed")  # type: ignore[arg-type]


def test_a_value_too_large_for_memory_is_refused_before_it_is_made() -> None:
    b = Builder()
    graph = b.returns(b.op("full", shape=(1 << 20, 1 << 20), value=1.0, dtype="f32"))
    with pytest.raises(ResourceError, match="elements"):
        run(graph, {})


def test_a_wrong_declared_type_is_our_bug() -> None:
    graph = mlp()
    graph.nodes[1].output.type = kind("f32", "n", 15)
    with pytest.raises(InternalError, match=r"computed \(1, 16\), declared %relu"):
        run(graph, {"x": np.ones((1, 8), np.float32)})


def test_float_types_are_held_in_the_compute_type() -> None:
    b = Builder()
    x = b.input("x", "f16", 3)
    weight = b.graph.add_weight(inline_weight("w", np.array([1, 2, 3], np.float16), DType.F16))
    graph = b.returns(b.op("mul", x, weight))
    value = 1.0001  # not a float16
    (got,) = run(graph, {"x": np.full(3, value)}).outputs
    assert got.dtype == torch.float32
    assert got.tolist() == pytest.approx([value, 2 * value, 3 * value])
