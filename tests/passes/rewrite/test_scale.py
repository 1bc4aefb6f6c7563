"""Scales moved through pairs of layers leave the answers alone, and only where they fit."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support.graphs import Builder, decoder
from support.hf import relative_error, save_folder, tiny_model

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.verify import IMPORTED, check
from optimum_compile.compiler.pass_manager import PassContext
from optimum_compile.compiler.quant.scheme import Affine, PerGroup
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.quantize import QuantizeWeights
from optimum_compile.passes.precision.units import units_of
from optimum_compile.passes.rewrite.rotate import RotateResidual
from optimum_compile.passes.rewrite.scale import ScalePair, fold_scale, scalable_pairs
from optimum_compile.passes.symbolic_shape.specialize import specialize

AT = "model.layers.0"


def named(pair: ScalePair) -> tuple[str, str, tuple[str, ...]]:
    short = [n.origin.removeprefix(f"{AT}.") for n in (pair.producer, *pair.readers)]
    return pair.kind, short[0], tuple(short[1:])


def answers(graph: Graph) -> torch.Tensor:
    tokens = np.random.default_rng(1).integers(0, 50, (1, 9))
    first = run(graph, {"tokens": tokens[:, :6], "past": np.array([0])}, dtype=torch.float64)
    inputs = {"tokens": tokens[:, 6:], "past": np.array([6])}
    second = run(graph, inputs, first.states, dtype=torch.float64)
    return torch.cat((first.outputs[0], second.outputs[0]), 1)


def random_scale(pair: ScalePair, seed: int = 0) -> np.ndarray:
    return np.exp(np.random.default_rng(seed).standard_normal(pair.width)).astype(np.float32)


def test_the_pairs_of_a_decoder() -> None:
    graph = decoder(layers=1, tied=False)
    q, k, v = (f"self_attn.{n}_proj" for n in "qkv")
    assert [named(p) for p in scalable_pairs(graph)] == [
        ("norm", "input_layernorm", (q, k, v)),
        ("value", v, ("self_attn.o_proj",)),
        ("norm", "post_attention_layernorm", ("mlp.gate_proj", "mlp.up_proj")),
        ("gate", "mlp.up_proj", ("mlp.down_proj",)),
        ("norm", "model.norm", ("lm_head",)),
    ]
    tied = scalable_pairs(decoder(layers=1, tied=True))
    assert [p.producer.origin for p in tied if p.kind == "norm"] == [
        f"{AT}.input_layernorm",
        f"{AT}.post_attention_layernorm",
    ]


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(("heads", "kv_heads"), [(4, 4), (4, 2), (4, 1)])
def test_each_pair_alone_and_all_together_change_nothing(
    tied: bool, heads: int, kv_heads: int
) -> None:
    plain = decoder(tied=tied, bias=True, heads=heads, kv_heads=kv_heads)
    wanted, every = answers(plain), specialize(plain, {})
    for at, pair in enumerate(scalable_pairs(plain)):
        single = specialize(plain, {})
        for graph in (single, every):
            same = scalable_pairs(graph)[at]
            fold_scale(graph, same, random_scale(same, at))
        check(single, IMPORTED)
        changed = [n for n, v in single.weights.items() if v.weight.edits]
        assert len(changed) >= 2
        assert relative_error(answers(single), wanted) <= 1e-12, named(pair)
    assert relative_error(answers(every), wanted) <= 1e-12


def test_query_heads_that_share_a_kv_head_share_its_scale() -> None:
    graph = decoder(layers=1, heads=4, kv_heads=2)
    pair = next(p for p in scalable_pairs(graph) if p.kind == "value")
    assert (pair.width, pair.repeats, pair.head_dim) == (16, 2, 8)
    scale = np.arange(16.0)
    columns = pair.expand(scale)
    assert columns.reshape(4, 8)[:, 0].tolist() == [0, 0, 8, 8]
    assert pair.reduce(columns).tolist() == scale.tolist()
    uneven = columns.copy()
    uneven[0] = 2
    assert pair.reduce(uneven)[0] == 1


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("qwen2", {"tie_word_embeddings": False}),
        ("llama", {"mlp_bias": True, "attention_bias": True, "hidden_act": "gelu"}),
        ("qwen3", {"tie_word_embeddings": True}),
    ],
)
def test_recipes_have_all_pairs(kind: str, changes: dict[str, object], tmp_path: Path) -> None:
    plain = open_model(save_folder(tiny_model(kind, **changes), tmp_path)).graph
    graph = specialize(plain, {})
    pairs = scalable_pairs(graph)
    tied = changes.get("tie_word_embeddings", True) or kind == "llama"
    kinds = [p.kind for p in pairs]
    assert (kinds.count("value"), kinds.count("gate")) == (2, 2)
    # The norms of q and k in qwen3 are read by no linear; that before a tied head is left out.
    head = any(p.producer.origin == "model.norm" for p in pairs)
    assert kinds.count("norm") == 4 + head
    assert head or tied
    for pair in pairs:
        fold_scale(graph, pair, random_scale(pair))
    assert relative_error(answers(graph), answers(plain)) <= 1e-12


def test_after_a_rotation_a_norm_gets_a_gain() -> None:
    plain, graph = decoder(tied=False), decoder(tied=False)
    RotateResidual().run(graph, PassContext())
    for pair in scalable_pairs(graph):
        fold_scale(graph, pair, random_scale(pair))
    check(graph, IMPORTED)
    assert sum(name.endswith(".scale") for name in graph.weights) == 5
    assert relative_error(answers(graph), answers(plain)) <= 1e-12


def block(reader: str) -> Graph:
    """A norm, two linears behind it, and one thing that may forbid to scale."""
    b = Builder("block", n=(1, 8))
    x = b.input("x", "f32", "n", 8)
    eye = np.eye(8, dtype=np.float32)
    y = b.op("rms_norm", x, b.weight("gain", np.ones(8, np.float32)), eps=1e-5)
    left = b.op("linear", y, b.weight("left", eye), None)
    right = b.op("linear", y, b.weight("left" if reader == "shared" else "right", eye), None)
    outputs = [b.op("linear", b.op("mul", left, right), b.weight("down", eye), None)]
    weights = b.graph.weights
    if reader == "output":
        outputs.append(y)
    elif reader == "other":
        outputs.append(b.op("neg", y))
    elif reader == "factor":
        outputs += [b.op("neg", right), left]
    elif reader == "gain":
        outputs.append(b.op("mul", x, weights["gain"]))
    elif reader == "table":
        outputs.append(b.op("neg", weights["down"]))
    return b.returns(*outputs)


@pytest.mark.parametrize(
    ("reader", "kinds"),
    [
        ("nothing", ["norm", "gate"]),
        ("output", ["gate"]),
        ("other", ["gate"]),
        ("factor", ["norm"]),
        ("gain", ["gate"]),
        ("table", ["norm"]),
        ("shared", ["norm"]),
    ],
)
def test_what_something_else_reads_is_left_out(reader: str, kinds: list[str]) -> None:
    plain = block(reader)
    graph = specialize(plain, {})
    pairs = scalable_pairs(graph)
    assert [p.kind for p in pairs] == kinds
    for pair in pairs:
        fold_scale(graph, pair, random_scale(pair))
    x = np.random.default_rng(0).standard_normal((3, 8))
    wanted, found = (run(g, {"x": x}, dtype=torch.float64).outputs for g in (plain, graph))
    for one, other in zip(found, wanted, strict=True):
        assert relative_error(one, other) <= 1e-12


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf, 1e-60])
def test_a_scale_must_be_positive_and_finite(bad: float) -> None:
    graph = decoder()
    pair = scalable_pairs(graph)[0]
    scale = np.ones(pair.width)
    scale[3] = bad
    with pytest.raises(InternalError, match="not positive and finite"):
        fold_scale(graph, pair, scale)
    assert not any(v.weight.edits for v in graph.weights.values())


def test_a_scale_of_another_length_and_quantised_weights_are_refused(tmp_path: Path) -> None:
    graph = decoder()
    pair = scalable_pairs(graph)[0]
    with pytest.raises(InternalError, match="for 32 channels"):
        fold_scale(graph, pair, np.ones(31))
    for unit in units_of(graph):
        graph.weights[unit.name].notes.put(Precision(Affine(8, PerGroup(8))))
    QuantizeWeights(tmp_path).run(graph, PassContext())
    with pytest.raises(InternalError, match="scale before"):
        fold_scale(graph, pair, np.ones(32))
