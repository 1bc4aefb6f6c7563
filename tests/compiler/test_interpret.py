"""The reference executor against plain torch, op by op and whole graphs."""

import math
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
from optimum_compile.compiler.interpret_ops import KERNELS
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Attr, Graph, Node
from optimum_compile.compiler.ir.ops import OPS
from optimum_compile.compiler.ir.weights import WeightRef, inline_weight
from optimum_compile.compiler.quant.activations import ActivationKind, rounded, token_codes
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Affine, Float, PerChannel
from optimum_compile.compiler.quant.store import write_packed
from optimum_compile.passes.precision.notes import Precision, Quantized
from optimum_compile.passes.precision.quantizers.rtn import quantize_rtn

RNG = np.random.default_rng(0)
X = torch.tensor(RNG.standard_normal((2, 3, 4)), dtype=torch.float32)
Y = torch.tensor(RNG.standard_normal((2, 1, 4)), dtype=torch.float32)
POSITIVE = X.abs() + 0.5
IDS = torch.tensor([[2, 0], [-1, 1]])
QKV = torch.tensor(RNG.standard_normal((1, 2, 3, 4)), dtype=torch.float32)
MASK = torch.tensor(RNG.standard_normal((3, 3)), dtype=torch.float32)

Case = tuple[str, tuple[Tensor | None, ...], dict[str, Attr], Tensor]


def _softmax_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, scale: float) -> Tensor:
    return torch.softmax(q @ k.transpose(-1, -2) * scale + mask, -1) @ v


CAUSAL = torch.full((3, 3), -math.inf).triu(1)
CASES: list[Case] = [
    ("embedding", (IDS, X[0]), {}, X[0][torch.tensor([[2, 0], [2, 1]])]),
    ("linear", (X, X[0], None), {}, X @ X[0].T),
    ("linear", (X, X[0], X[0, :, 0]), {}, X @ X[0].T + X[0, :, 0]),
    ("rms_norm", (X, Y[0, 0]), {"eps": 0.1}, X / (X.pow(2).mean(-1, True) + 0.1).sqrt() * Y[0, 0]),
    ("rms_norm", (X,), {"eps": 0.1}, X / (X.pow(2).mean(-1, True) + 0.1).sqrt()),
    ("layer_norm", (X, Y[0, 0], Y[1, 0]), {"eps": 0.1},
     (X - X.mean(-1, True)) / (X.var(-1, unbiased=False, keepdim=True) + 0.1).sqrt() * Y[0, 0]
     + Y[1, 0]),
    ("hadamard", (X,), {"block": 4}, X @ torch.tensor(
        [[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1.0]]) / 2),
    ("hadamard", (X,), {"block": 2}, torch.stack(
        (X[..., ::2] + X[..., 1::2], X[..., ::2] - X[..., 1::2]), -1).flatten(2) / 2**0.5),
    ("hadamard", (X,), {"block": 1}, X),
    ("attention", (QKV, QKV * 2, QKV * 3, None), {"scale": 0.3, "causal": False},
     _softmax_attention(QKV, QKV * 2, QKV * 3, torch.zeros(3, 3), 0.3)),
    ("attention", (QKV, QKV * 2, QKV * 3, MASK), {"scale": 0.3, "causal": False},
     _softmax_attention(QKV, QKV * 2, QKV * 3, MASK, 0.3)),
    ("attention", (QKV, QKV * 2, QKV * 3, MASK), {"scale": None, "causal": True},
     _softmax_attention(QKV, QKV * 2, QKV * 3, MASK + CAUSAL, 0.5)),
    ("attention", (QKV, QKV * 2, QKV * 3, CAUSAL == 0), {"scale": 0.3, "causal": False},
     _softmax_attention(QKV, QKV * 2, QKV * 3, CAUSAL, 0.3)),
    ("attention", (QKV, QKV[:, :1], QKV[:, 1:], None), {"scale": 0.3, "causal": True},
     _softmax_attention(QKV, QKV[:, :1], QKV[:, 1:], CAUSAL, 0.3)),
    ("silu", (X,), {}, X * torch.sigmoid(X)),
    ("relu", (X,), {}, X.clamp(min=0)),
    ("tanh", (X,), {}, X.tanh()),
    ("sigmoid", (X,), {}, 1 / (1 + (-X).exp())),
    ("exp", (X,), {}, X.exp()),
    ("log", (POSITIVE,), {}, POSITIVE.log()),
    ("sqrt", (POSITIVE,), {}, POSITIVE**0.5),
    ("rsqrt", (POSITIVE,), {}, POSITIVE**-0.5),
    ("neg", (X,), {}, 0 - X),
    ("abs", (X,), {}, torch.maximum(X, -X)),
    ("cos", (X,), {}, X.cos()),
    ("sin", (X,), {}, X.sin()),
    ("erf", (X,), {}, torch.special.erf(X)),
    ("reciprocal", (POSITIVE,), {}, 1 / POSITIVE),
    ("floor", (X,), {}, X.floor()),
    ("gelu", (X,), {"approximate": "none"}, X * 0.5 * (1 + torch.erf(X / 2**0.5))),
    ("gelu", (X,), {"approximate": "tanh"}, F.gelu(X, approximate="tanh")),
    ("softmax", (X,), {"axis": 1}, X.exp() / X.exp().sum(1, True)),
    ("add", (X, Y), {}, X + Y),
    ("sub", (X, Y), {}, X - Y),
    ("mul", (X, Y), {}, X * Y),
    ("div", (X, Y), {}, X / Y),
    ("div", (IDS, IDS + 3), {}, torch.tensor([[0, 0], [-1, 0]])),
    ("pow", (POSITIVE, Y), {}, (POSITIVE.log() * Y).exp()),
    ("maximum", (X, Y), {}, torch.where(X > Y, X, Y)),
    ("minimum", (X, Y), {}, torch.where(X < Y, X, Y)),
    ("eq", (IDS, IDS.T), {}, torch.tensor([[True, False], [False, True]])),
    ("ne", (IDS, IDS.T), {}, torch.tensor([[False, True], [True, False]])),
    ("lt", (X, Y), {}, X < Y),
    ("le", (X, X), {}, torch.ones(2, 3, 4, dtype=torch.bool)),
    ("gt", (X, Y), {}, X > Y),
    ("ge", (X, X), {}, torch.ones(2, 3, 4, dtype=torch.bool)),
    ("logical_and", (X > 0, Y > 0), {}, (X > 0) & (Y > 0)),
    ("logical_or", (X > 0, Y > 0), {}, (X > 0) | (Y > 0)),
    ("logical_not", (X > 0,), {}, ~(X > 0)),
    ("where", (X > 0, X, Y), {}, X.clamp(min=0) + Y * (X <= 0)),
    ("cast", (X,), {"dtype": "i64"}, X.trunc().long()),
    ("cast", (X > 0,), {"dtype": "f16"}, (X > 0).float()),
    ("matmul", (X, Y.transpose(1, 2)), {}, (X * Y).sum(-1, True)),
    ("mean", (X,), {"axes": (0, 2), "keepdims": True}, X.sum((0, 2), True) / 8),
    ("sum", (X,), {"axes": (1,), "keepdims": False}, X[:, 0] + X[:, 1] + X[:, 2]),
    ("max", (X,), {"axes": (0,), "keepdims": False}, torch.maximum(X[0], X[1])),
    ("reshape", (X,), {"shape": (6, "2*2")}, X.reshape(6, 4)),
    ("permute", (X,), {"perm": (2, 0, 1)}, X.movedim(2, 0)),
    ("expand", (Y,), {"shape": (2, 3, 4)}, Y.repeat(1, 3, 1)),
    ("slice", (X,), {"axis": 2, "start": 1, "stop": 4, "step": 2}, X[:, :, [1, 3]]),
    ("concat", (X, Y, X), {"axis": 1}, torch.cat((X, Y, X), 1)),
    ("gather", (X, IDS), {"axis": 1}, X[:, [[2, 0], [2, 1]]]),
    ("gather_elements", (X, X.long() % 3), {"axis": 1}, X.gather(1, X.long() % 3)),
    ("gather_nd", (X, torch.tensor([[1, 2], [0, 0]])), {}, X[[1, 0], [2, 0]]),
    ("index_copy", (X, torch.tensor([2, 0]), -X[:, :2]), {"axis": 1},
     torch.stack((-X[:, 1], X[:, 1], -X[:, 0]), 1)),
    ("arange", (), {"start": 2, "stop": 5, "dtype": "i32"}, torch.tensor([2, 3, 4], dtype=torch.int32)),
    ("full", (), {"shape": (2, 1), "value": -0.5, "dtype": "f32"}, torch.tensor([[-0.5], [-0.5]])),
]  # fmt: skip
NAMES = {torch.float32: "f32", torch.int64: "i64", torch.bool: "bool"}


def _one_node(op: str, given: tuple[Tensor | None, ...], attrs: dict[str, Attr]) -> Graph:
    b = Builder()
    values = [
        None if t is None else b.input(f"i{n}", NAMES[t.dtype], *t.shape)
        for n, t in enumerate(given)
    ]
    return b.returns(b.op(op, *values, **attrs))


@pytest.mark.parametrize("case", CASES, ids=lambda c: c[0])
def test_op_computes_what_plain_torch_does(case: Case) -> None:
    op, given, attrs, expected = case
    inputs = {f"i{n}": t for n, t in enumerate(given) if t is not None}
    (got,) = run(_one_node(op, given, attrs), inputs).outputs
    assert got.dtype == expected.dtype
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-6)


def test_every_op_has_a_kernel_and_a_test() -> None:
    stateful = {"rope", "kv_write", "cache_attention"}  # tested below
    assert set(KERNELS) == set(OPS) - {"aten"}
    assert {c[0] for c in CASES} | stateful == set(KERNELS)


def test_rope_is_rotate_half_with_positions_and_scale() -> None:
    inv_freq = torch.tensor([1.0, 0.25])
    (got,) = run(
        _one_node("rope", (QKV, torch.tensor([5]), inv_freq), {"scale": 2.0}),
        {"i0": QKV, "i1": np.array([5]), "i2": inv_freq},
    ).outputs
    for row in range(3):
        for pair in range(2):
            angle = (5 + row) * float(inv_freq[pair])
            a, b = QKV[0, 0, row, pair], QKV[0, 0, row, pair + 2]
            first = 2 * (a * math.cos(angle) - b * math.sin(angle))
            second = 2 * (b * math.cos(angle) + a * math.sin(angle))
            assert got[0, 0, row, pair] == pytest.approx(float(first), abs=1e-5)
            assert got[0, 0, row, pair + 2] == pytest.approx(float(second), abs=1e-5)


def _attend(window: int, past: int, total: int) -> tuple[Tensor, Tensor]:
    """What cache_attention gives, and the same by loops; rows past the end hold NaN."""
    seq, scale = 2, 0.7
    q = torch.tensor(RNG.standard_normal((1, 4, seq, 2)), dtype=torch.float32)
    k = torch.tensor(RNG.standard_normal((1, 2, total, 2)), dtype=torch.float32)
    v = torch.tensor(RNG.standard_normal((1, 2, total, 2)), dtype=torch.float32)
    k[:, :, past + seq :] = v[:, :, past + seq :] = math.nan
    attrs: dict[str, Attr] = {"scale": scale, "window": window}
    graph = _one_node("cache_attention", (q, k, v, torch.tensor([past])), attrs)
    (got,) = run(graph, {"i0": q, "i1": k, "i2": v, "i3": np.array([past])}).outputs
    expected = torch.zeros_like(q)
    for head in range(4):
        for row in range(seq):
            first = max(0, past + row + 1 - window) if window else 0
            seen = slice(first, past + row + 1)
            weights = torch.softmax(k[0, head // 2, seen] @ q[0, head, row] * scale, 0)
            expected[0, head, row] = weights @ v[0, head // 2, seen]
    return got, expected


@pytest.mark.parametrize(("window", "past", "total"), [(0, 0, 5), (0, 3, 5), (2, 3, 8), (1, 0, 4)])
def test_cache_attention_is_causal_grouped_and_windowed(window: int, past: int, total: int) -> None:
    got, expected = _attend(window, past, total)
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ActivationKind)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_activations_are_rounded_in_front_of_the_named_weights(
    kind: ActivationKind, dtype: torch.dtype
) -> None:
    graph = mlp()
    x = RNG.standard_normal((5, 8)).astype(np.float32)
    seen: list[tuple[str, Tensor]] = []
    got = run(
        graph,
        {"x": x},
        activations={"down.weight": kind},
        observe=lambda node, outputs: seen.append((node.origin, outputs[0])),
        dtype=dtype,
    ).outputs[0]
    plain = run(graph, {"x": x}, dtype=dtype).outputs[0]
    hidden = dict(seen)["act"]
    weight = torch.from_numpy(graph.weights["down.weight"].weight.load()).to(dtype)
    expected = torch.from_numpy(rounded(hidden.numpy(), kind)).to(dtype) @ weight.T
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)
    assert 1e-3 < float((got - plain).norm() / plain.norm()) < 3e-2


@pytest.mark.parametrize("kind", ActivationKind)
@pytest.mark.parametrize("bits", [4, 8])
def test_one_scale_a_row_gives_the_bits_of_integer_sums(
    kind: ActivationKind, bits: int, tmp_path: Path
) -> None:
    graph = mlp(width=8, hidden=600)
    value = graph.weights["down.weight"]
    scheme = Affine(bits, PerChannel())
    packed = quantize_rtn(value.weight.load(), scheme)
    value.notes.put(Quantized(scheme, write_packed(tmp_path, packed), tmp_path))
    seen: dict[str, Tensor] = {}
    x = {"x": RNG.standard_normal((5, 8)).astype(np.float32)}
    for cache in (None, WeightCache()):
        (got,) = run(
            graph,
            x,
            weights="quantized",
            activations={"down.weight": kind},
            observe=lambda node, outputs: seen.update({node.origin: outputs[0]}),
            cache=cache,
        ).outputs
        codes = token_codes(seen["act"].numpy(), kind)
        integers = codes.codes.astype(np.int32) - codes.zeros
        sums = (integers @ packed.codes.astype(np.int32).T).astype(np.float32)
        expected = sums * codes.scales * packed.scales[:, 0].astype(np.float32)
        assert got.numpy().tobytes() == expected.tobytes()
    floats = run(graph, x, activations={"down.weight": kind}).outputs[0]
    near = run(
        graph, x, replace_weights={"down.weight": torch.from_numpy(packed.dequantize())},
        activations={"down.weight": kind}, weights="quantized",
    ).outputs[0]  # fmt: skip
    torch.testing.assert_close(near, got, rtol=1e-4, atol=1e-4)
    assert not torch.equal(floats, got)


def test_rounded_activations_need_known_weights_and_have_no_gradient() -> None:
    inputs = {"x": np.ones((1, 8), np.float32)}
    kinds = {"down.weight": ActivationKind.SYMMETRIC_INT8}
    with pytest.raises(UserError, match="weight 'other': the graph has none of that name"):
        run(mlp(), inputs, activations={"other": ActivationKind.SYMMETRIC_INT8})
    with pytest.raises(UserError, match="no gradient"):
        run(mlp(), inputs, activations=kinds, grad_weights=["up.weight"])


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
