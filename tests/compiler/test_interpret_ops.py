"""Every op of the reference executor against plain torch."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from support.graphs import Builder
from torch import Tensor

from optimum_compile.compiler.errors import UserError
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.interpret_ops import KERNELS
from optimum_compile.compiler.ir.graph import Attr, Graph
from optimum_compile.compiler.ir.ops import OPS, ShapeError, infer_types

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


# Of equal logits the first are chosen.
LOGITS = torch.tensor([[3.0, 2, 2, 2], [1, -1, 0, -1], [5, 5, 5, 5]])
E = math.exp(-1)
CAUSAL = torch.full((3, 3), -math.inf).triu(1)
CASES: list[Case] = [
    ("embedding", (IDS, X[0]), {}, X[0][torch.tensor([[2, 0], [2, 1]])]),
    ("linear", (X, X[0], None), {}, X @ X[0].T),
    ("linear", (X, X[0], X[0, :, 0]), {}, X @ X[0].T + X[0, :, 0]),
    ("linear_add", (X, X[0, :1].expand(4, 4), None, Y.expand(2, 3, 4)), {},
     X @ X[0, :1].expand(4, 4).T + Y),
    ("linear_add", (X, X[1, :1].expand(4, 4), X[0, 0], X * 2), {},
     X @ X[1, :1].expand(4, 4).T + X[0, 0] + X * 2),
    *(("gated", (X, Y.expand(2, 3, 4)), {"activation": name}, wanted * Y) for name, wanted in (
        ("silu", X * torch.sigmoid(X)), ("relu", X.clamp(min=0)), ("tanh", X.tanh()),
        ("gelu", X * 0.5 * (1 + torch.erf(X / 2**0.5))), ("sigmoid", 1 / (1 + (-X).exp())),
        ("gelu_tanh", F.gelu(X, approximate="tanh")))),
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
    ("route", (LOGITS,), {"top_k": 2, "renormalise": True},
     torch.tensor([[1, E, 0, 0], [1, 0, E, 0], [1, 1, 0, 0]]) / torch.tensor([[1 + E]] * 2 + [[2]])),
    ("route", (LOGITS,), {"top_k": 1, "renormalise": False},
     torch.tensor([[1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]])
     / torch.tensor([[1 + 3 * E], [1 + E + 2 * E**2], [4]])),
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
    # Tested below: what knows a position, and what has several outputs.
    stateful = {"rope", "kv_write", "cache_attention", "rope_table", "linears", "add_rms_norm"}
    assert set(KERNELS) == set(OPS) - {"aten"}
    assert {c[0] for c in CASES} | stateful == set(KERNELS)


def _outputs(op: str, given: tuple[Tensor | None, ...], **attrs: Attr) -> tuple[Tensor, ...]:
    """Every output of one node, by its types in the table."""
    b = Builder()
    values = [None if t is None else b.input(f"i{n}", "f32", *t.shape) for n, t in enumerate(given)]
    types = infer_types(op, [None if v is None else v.type for v in values], attrs)
    assert types is not None
    b.returns(*b.graph.add_node(op, values, types, attrs).outputs)
    return run(b.graph, {f"i{n}": t for n, t in enumerate(given) if t is not None}).outputs


def test_linears_have_an_output_a_weight() -> None:
    first, second = _outputs("linears", (X, X[0], X[0, :, 0], X[1, :2], None))
    torch.testing.assert_close(first, X @ X[0].T + X[0, :, 0])
    torch.testing.assert_close(second, X @ X[1, :2].T)
    with pytest.raises(ShapeError, match="pairs"):
        _outputs("linears", (X, X[0]))


@pytest.mark.parametrize("weight", [None, Y[0, 0]])
def test_add_rms_norm_gives_the_sum_and_its_norm(weight: Tensor | None) -> None:
    total, normed = _outputs("add_rms_norm", (X, Y.expand(2, 3, 4), weight), eps=0.1)
    torch.testing.assert_close(total, X + Y)
    wanted = total / (total.pow(2).mean(-1, True) + 0.1).sqrt()
    torch.testing.assert_close(normed, wanted if weight is None else wanted * weight)


def test_rope_table_is_rope_with_its_angles_looked_up() -> None:
    inv_freq, past = torch.tensor([1.0, 0.25]), torch.tensor([5])
    angles = torch.arange(9.0)[:, None] * inv_freq
    table = torch.cat((angles.cos(), angles.sin()), 1) * 2
    rope = _one_node("rope", (QKV, past, inv_freq), {"scale": 2.0})
    wanted = run(rope, {"i0": QKV, "i1": past, "i2": inv_freq}).outputs[0]
    graph = _one_node("rope_table", (QKV, past, table), {})
    assert torch.equal(run(graph, {"i0": QKV, "i1": past, "i2": table}).outputs[0], wanted)
    with pytest.raises(UserError, match="7 tokens in the cache and 3 new ones .* context of 9"):
        run(graph, {"i0": QKV, "i1": past + 2, "i2": table})


@pytest.mark.parametrize(("op", "given", "attrs", "message"), [
    ("linear_add", (X, X[0], None, X), {}, "residual"),
    ("gated", (X, Y), {"activation": "silu"}, "differ"),
    ("gated", (X, X), {"activation": "softplus"}, "expected one of silu"),
    ("add_rms_norm", (X, Y), {"eps": 0.1}, "differ"),
    ("rope_table", (QKV, Y[0, 0], X[0, :, :2]), {}, "against the table"),
])  # fmt: skip
def test_fused_ops_refuse_what_does_not_fit(
    op: str, given: tuple[Tensor | None, ...], attrs: dict[str, Attr], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        _outputs(op, given, **attrs)


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
