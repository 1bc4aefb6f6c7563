"""Rotation leaves the float program's answers alone, and says so where it cannot."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.graphs import Builder, decoder
from support.hf import relative_error, save_folder, tiny_model

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.interpret import WeightCache, run
from optimum_compile.compiler.ir.edits import RotateColumns, RotateRows, ScaleColumns, ScaleRows
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.compiler.ir.parser import parse
from optimum_compile.compiler.ir.printer import print_graph
from optimum_compile.compiler.ir.records import note_classes
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.compiler.quant.activations import symmetric_int8
from optimum_compile.compiler.quant.scheme import Affine, PerGroup
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.quantize import QuantizeWeights
from optimum_compile.passes.precision.units import parameter_count, units_of
from optimum_compile.passes.rewrite.rotate import Rotated, RotateResidual
from optimum_compile.passes.symbolic_shape.specialize import specialize

REFERENCE = Path(__file__).parents[3] / "models" / "reference"
KINDS: list[dict[str, Any]] = [
    {},
    {"residual": False},
    {"values": False},
    {"residual": False, "values": False, "gated": True},
    {"gated": True},
]
FLOAT32, FLOAT64 = 1e-5, 1e-12
# Tokens before, tokens in the call: a prompt, a step, a second prompt, a step.
CHUNKS = ((0, 6), (6, 1), (7, 3), (10, 1))


def rotated(graph: Graph, **options: Any) -> tuple[str, ...]:
    return PassManager([RotateResidual(**options)]).run(graph)


def answers(graph: Graph, dtype: torch.dtype) -> list[torch.Tensor]:
    table = next(n.input(1) for n in graph.nodes if n.op == "embedding")
    high = table.type.static_shape()[0]
    tokens = np.random.default_rng(1).integers(0, high, (1, 11))
    out, states, cache = [], None, WeightCache()
    for past, count in CHUNKS:
        inputs = {"tokens": tokens[:, past : past + count], "past": np.array([past])}
        step = run(graph, inputs, states, dtype=dtype, cache=cache)
        states = step.states
        out.append(step.outputs[0])
    return out


def assert_same(plain: Graph, options: dict[str, Any]) -> Graph:
    graph = specialize(plain, {})  # a copy
    assert rotated(graph, seed=3, **options) == ()
    for dtype, limit in ((torch.float32, FLOAT32), (torch.float64, FLOAT64)):
        for found, wanted in zip(answers(graph, dtype), answers(plain, dtype), strict=True):
            assert relative_error(found, wanted) <= limit
    return graph


@pytest.mark.parametrize("options", KINDS, ids=str)
@pytest.mark.parametrize(
    "shape",
    [
        {"tied": True},
        {"tied": False},
        {"tied": True, "bias": True, "window": 3},
        {"tied": False, "bias": True, "kv_heads": 1},
        {"tied": False, "width": 24, "heads": 2, "kv_heads": 2},  # 8 * 3, and heads of 4 * 3
        {"tied": True, "width": 24, "heads": 2, "kv_heads": 1},
    ],
    ids=str,
)
def test_a_decoder_answers_as_before(shape: dict[str, Any], options: dict[str, Any]) -> None:
    assert_same(decoder(**shape), options)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("qwen2", {"tie_word_embeddings": False}),  # biases of q, k and v
        ("qwen3", {"tie_word_embeddings": False, "head_dim": 32}),  # norms of q and k
        ("qwen3", {"tie_word_embeddings": True, "attention_bias": True}),
        ("llama", {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": False}),
        ("mistral", {"sliding_window": 4, "num_key_value_heads": 1}),
    ],
)
def test_every_recipe_answers_as_before(kind: str, changes: dict[str, Any], tmp_path: Path) -> None:
    plain = open_model(save_folder(tiny_model(kind, **changes), tmp_path)).graph
    for options in KINDS:
        assert_same(plain, options)


def test_the_reference_model_answers_as_before() -> None:
    plain = open_model(REFERENCE).graph
    for options in KINDS:
        assert_same(plain, options)


def test_stories260k_answers_as_before(shared_data: Path) -> None:
    graph = assert_same(open_model(shared_data / "stories260k").graph, {})
    assert graph.notes.get(Rotated) == Rotated(3, True, True)


def test_an_untied_model_pays_nothing_and_a_tied_one_two_transforms() -> None:
    free, tied = decoder(tied=False), decoder(tied=True)
    before = parameter_count(free), len(free.nodes)
    rotated(free)
    rotated(tied)
    assert sum(n.op == "hadamard" for n in free.nodes) == 0
    assert (parameter_count(free), len(free.nodes)) == before
    assert not any("norm" in name for name in free.weights)  # their gains are in the linears
    found = [n for n in tied.nodes if n.op == "hadamard"]
    assert [n.origin for n in found] == ["model.embed_tokens", "model.norm"]
    assert [n for n in tied.weights if "norm" in n] == ["model.norm.weight"]
    table = tied.weights["model.embed_tokens.weight"]
    assert [n.op for n in table.users] == ["embedding", "linear"]
    assert [type(e) for e in table.weight.edits] == [ScaleColumns]
    assert set(table.weight.edits[0].by.values()) == {-1.0, 1.0}


def test_a_product_with_a_gate_costs_one_transform_a_block() -> None:
    graph = decoder(tied=False, layers=2, hidden=24)
    rotated(graph, residual=False, values=False, gated=True)
    found = [n for n in graph.nodes if n.op == "hadamard"]
    assert [n.attrs["block"] for n in found] == [8, 8]
    assert [n.output.users[0].origin for n in found] == [
        f"model.layers.{at}.mlp.down_proj" for at in (0, 1)
    ]
    edits = {n: [type(e) for e in v.weight.edits] for n, v in graph.weights.items()}
    assert edits["model.layers.1.mlp.up_proj.weight"] == [ScaleRows]
    assert edits["model.layers.1.mlp.down_proj.weight"] == [RotateColumns]
    assert edits["model.layers.1.mlp.gate_proj.weight"] == []
    assert graph.notes.get(Rotated) == Rotated(0, False, False, True)
    odd = decoder(hidden=9)
    assert (
        "the product before model.layers.0.mlp.down_proj stays as it is: its width 9 is odd"
        in (
            RotateResidual(residual=False, values=False, gated=True)
            .run(odd, PassContext())
            .remarks[0]
        )
    )


def test_gated_products_of_the_reference_model_fit_int8_better() -> None:
    plain = open_model(REFERENCE).graph
    graph = specialize(plain, {})
    rotated(graph, residual=False, values=False, gated=True)
    errors = []
    for each in (plain, graph):
        found: list[float] = []

        def observe(
            node: Node, outputs: tuple[torch.Tensor, ...], found: list[float] = found
        ) -> None:
            if any(user.origin.endswith("down_proj") for user in node.output.users):
                x = outputs[0][0].numpy()
                if any(user.op == "linear" for user in node.output.users):
                    found.append(
                        float(np.square(symmetric_int8(x).numbers() - x).sum() / np.square(x).sum())
                    )

        inputs = {"tokens": np.arange(3, 40)[None], "past": np.array([0])}
        run(each, inputs, observe=observe)
        errors.append(float(np.mean(found)))
        assert len(found) == 6
    assert errors[1] < errors[0] / 4


def test_every_weight_carries_the_edits_of_its_place() -> None:
    graph = decoder(tied=False, layers=1, bias=True)
    rotated(graph)
    kinds = {
        name.removeprefix("model.layers.0."): [type(e) for e in value.weight.edits]
        for name, value in graph.weights.items()
        if value.weight.edits
    }
    read = [ScaleColumns, RotateColumns]
    assert kinds == {
        "model.embed_tokens.weight": [RotateColumns],
        "self_attn.q_proj.weight": read,
        "self_attn.k_proj.weight": read,
        "self_attn.v_proj.weight": [*read, RotateRows],
        "self_attn.v_proj.bias": [RotateRows],
        "self_attn.o_proj.weight": [RotateRows, RotateColumns],
        "mlp.gate_proj.weight": read,
        "mlp.up_proj.weight": read,
        "mlp.down_proj.weight": [RotateRows],
        "lm_head.weight": read,
    }


def test_a_channel_that_stands_out_is_spread_over_its_row() -> None:
    graphs = [decoder(tied=False, width=64, heads=4) for _ in range(2)]
    for graph in graphs:
        value = graph.weights["model.layers.0.mlp.up_proj.weight"]
        data = value.weight.load().copy()
        data[:, 5] *= 40
        value.weight = value.weight.__class__(
            value.weight.name, value.weight.type, inline=lambda data=data: data
        )
    rotated(graphs[1])
    peaks = []
    for graph in graphs:
        w = graph.weights["model.layers.0.mlp.up_proj.weight"].weight.load()
        peaks.append(float((np.abs(w).max(1) / w.std(1)).mean()))
    assert peaks[0] > 5
    assert peaks[1] < 4


def test_a_second_run_changes_nothing_and_says_why() -> None:
    graph = decoder()
    step, ctx = RotateResidual(seed=1), PassContext()
    assert step.run(graph, ctx).changed
    text = print_graph(graph)
    again = RotateResidual(seed=2).run(graph, ctx)
    assert (again.changed, again.remarks) == (False, ("rotation: the graph is rotated already",))
    assert print_graph(graph) == text


def test_the_text_of_a_rotated_graph_comes_back() -> None:
    graph = decoder(bias=True)
    rotated(graph)
    text = print_graph(graph)
    assert print_graph(parse(text, note_classes(Rotated))) == text
    other = decoder(bias=True)
    rotated(other, seed=1)
    assert other.fingerprint() != graph.fingerprint()


def test_quantised_weights_are_not_rotated(tmp_path: Path) -> None:
    graph = decoder()
    for unit in units_of(graph):
        graph.weights[unit.name].notes.put(Precision(Affine(8, PerGroup(8))))
    QuantizeWeights(tmp_path).run(graph, PassContext())
    with pytest.raises(InternalError, match="rotate before"):
        RotateResidual().run(graph, PassContext())


def small(reader: str) -> Graph:
    """Embedding, something that may not commute with a rotation, and a head."""
    rng = np.random.default_rng(0)
    b = Builder("small", n=(1, 8))
    width = 7 if reader == "odd" else 8
    ids = b.input("ids", "i64", 1, "n")
    table = b.weight("table", rng.standard_normal((9, width)).astype(np.float32))
    head = b.weight("head", rng.standard_normal((9, width)).astype(np.float32))
    gain = b.weight("gain", rng.standard_normal(width).astype(np.float32))
    x = b.op("embedding", ids, table, origin="embed")
    if reader == "layer norm":
        x = b.op("layer_norm", x, gain, None, eps=1e-5, origin="norm")
    elif reader == "gain":
        x = b.op("rms_norm", x, b.op("neg", gain), eps=1e-5, origin="norm")
    elif reader == "one gain":
        x = b.op("rms_norm", x, b.weight("one", np.ones(1, np.float32)), eps=1e-5, origin="norm")
    elif reader == "norm":
        x = b.op("relu", b.op("rms_norm", x, gain, eps=1e-5, origin="norm"))
    elif reader == "summand":
        x = b.op(
            "add", x, b.op("relu", b.op("linear", x, b.weight("w", np.eye(8, dtype="f4")), None))
        )
    elif reader == "twice":
        b.graph.outputs.append(b.op("neg", head))
    elif reader == "stream":
        return b.returns(x, b.op("linear", x, head, None))
    elif reader == "number":
        half = b.weight("half", np.array([0.5], np.float32))
        made = b.op(
            "linear", b.op("rms_norm", x, gain, eps=1e-5), b.weight("w", np.eye(8, dtype="f4"))
        )
        x = b.op("add", b.op("mul", x, half), b.op("mul", half, made))
    return b.returns(*b.graph.outputs, b.op("linear", x, head, None, origin="head"))


@pytest.mark.parametrize(
    ("reader", "reason"),
    [
        ("layer norm", "layer_norm at norm reads the residual stream"),
        ("gain", "the gain of the norm at norm is computed"),
        ("one gain", "the gain of the norm at norm is f32[1]"),
        ("norm", "the norm at norm is read by more than linears"),
        ("summand", "is added to the residual stream, and no linear made it"),
        ("twice", "@head is read by neg"),
        ("stream", "the residual stream is an output"),
        ("odd", "its width 7 is odd"),
    ],
)
def test_what_does_not_commute_is_left_alone_with_the_reason(reader: str, reason: str) -> None:
    graph = small(reader)
    text = print_graph(graph)
    result = RotateResidual().run(graph, PassContext())
    assert not result.changed
    assert reason in result.remarks[0], result.remarks
    assert print_graph(graph) == text


def test_a_graph_without_a_lookup_is_left_alone() -> None:
    b = Builder("plain")
    x = b.input("x", "f32", 1, 8)
    graph = b.returns(b.op("neg", x))
    result = RotateResidual().run(graph, PassContext())
    assert not result.changed
    assert "no embedding" in result.remarks[0]


def test_products_with_one_number_may_stay() -> None:
    plain, graph = small("number"), small("number")
    assert rotated(graph) == ()
    ids = np.arange(5)[None]
    wanted, found = (run(g, {"ids": ids}, dtype=torch.float64).outputs[0] for g in (plain, graph))
    assert relative_error(found, wanted) <= FLOAT64
    assert graph.notes.get(Rotated) == Rotated(0, True, False)


def test_values_that_something_else_sees_stay_as_they_are() -> None:
    graph = decoder(layers=2, tied=False)
    state = next(s for s in graph.states if s.name == "v_cache.0")
    graph.outputs.append(state.written)
    rotated(graph, residual=False)
    edited = [n for n, v in graph.weights.items() if v.weight.edits]
    assert edited == [
        "model.layers.1.self_attn.v_proj.weight",
        "model.layers.1.self_attn.o_proj.weight",
    ]
