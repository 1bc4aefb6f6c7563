"""Linears of one input: one weight, or several computed together."""

import re

import numpy as np
import pytest
import torch
from support.graphs import Builder, decoder
from support.packed import random_packed, with_packed
from support.passes import assert_equivalent, check_pass

from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.edits import ScaleColumns, vector
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.records import note_classes
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.compiler.ir.weights import WeightRef
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.fuse.joined import Rows, join
from optimum_compile.passes.fuse.projections import FuseProjections, fused_origin
from optimum_compile.passes.precision.notes import Precision, Quantized
from optimum_compile.passes.stages.notes import InStage

CLASSES = note_classes(InStage, Precision)
INPUTS = {"tokens": np.array([[3, 1, 4, 1, 5]]), "past": np.array([0])}
ATTENTION = "model.layers.0.self_attn"


def rows_of(**shapes: tuple[int, ...]) -> str:
    """The digest of joined weights whose bytes are unknown."""
    kinds = {name.replace("__", "."): TensorType(DType.F32, s) for name, s in shapes.items()}
    return Rows([WeightRef(name, kind) for name, kind in kinds.items()]).sha256


def test_linears_of_one_module_become_one() -> None:
    weight = rows_of(a__q_proj__weight=(4, 8), a__k_proj__weight=(2, 8))
    bias = rows_of(a__q_proj__bias=(4,), a__k_proj__bias=(2,))
    before = """
        graph "g" {
          symbol seq in 1..9
          input %x : f32[1, seq, 8]
          weight @a.q_proj.weight : f32[4, 8] = unknown
          weight @a.q_proj.bias : f32[4] = unknown
          weight @a.k_proj.weight : f32[2, 8] = unknown
          weight @a.k_proj.bias : f32[2] = unknown
          %q = linear(%x, @a.q_proj.weight, @a.q_proj.bias) : f32[1, seq, 4] from "a.q_proj" with InStage{index = 1}
          %n = neg(%q) : f32[1, seq, 4] with InStage{index = 1}
          %k = linear(%x, @a.k_proj.weight, @a.k_proj.bias) : f32[1, seq, 2] from "a.k_proj" with InStage{index = 1}
          return %n, %k
        }
    """  # noqa: E501
    after = f"""
        graph "g" {{
          symbol seq in 1..9
          input %x : f32[1, seq, 8]
          weight @a.qk_proj.weight : f32[6, 8] = inline "{weight}"
          weight @a.qk_proj.bias : f32[6] = inline "{bias}"
          %qk_proj = linear(%x, @a.qk_proj.weight, @a.qk_proj.bias) : f32[1, seq, 6] from "a.qk_proj" with InStage{{index = 1}}
          %q_proj = slice(%qk_proj) {{axis = 2, start = 0, step = 1, stop = 4}} : f32[1, seq, 4] from "a.q_proj" with InStage{{index = 1}}
          %k_proj = slice(%qk_proj) {{axis = 2, start = 4, step = 1, stop = 6}} : f32[1, seq, 2] from "a.k_proj" with InStage{{index = 1}}
          %n = neg(%q_proj) : f32[1, seq, 4] with InStage{{index = 1}}
          return %n, %k_proj
        }}
    """  # noqa: E501
    check_pass(FuseProjections(), before, after, notes=CLASSES)


def test_weights_of_other_schemes_stay_apart() -> None:
    text = """
        graph "g" {{
          input %x : f32[1, 8]
          weight @m.gate_proj.weight : f32[4, 8] !Precision{{act_bits = none, reason = "", scheme = Float{{bits = 16}}}} = unknown
          weight @m.up_proj.weight : f32[6, 8] !Precision{{act_bits = none, reason = "", scheme = Float{{bits = 32}}}} = unknown
          {}
        }}
    """  # noqa: E501
    before = text.format(
        """%g = linear(%x, @m.gate_proj.weight) : f32[1, 4] from "m.gate_proj"
          %u = linear(%x, @m.up_proj.weight, _) : f32[1, 6] from "m.up_proj"
          return %g, %u"""
    )
    after = text.format(
        """%gate_proj, %up_proj = linears(%x, @m.gate_proj.weight, _, @m.up_proj.weight, _) : f32[1, 4], f32[1, 6] from "m.gate_up_proj"
          return %gate_proj, %up_proj"""  # noqa: E501
    )
    check_pass(FuseProjections(), before, after, notes=CLASSES)


@pytest.mark.parametrize(
    ("origins", "wanted"),
    [
        (["l.0.attn.q_proj", "l.0.attn.k_proj", "l.0.attn.v_proj"], "l.0.attn.qkv_proj"),
        (["mlp.gate_proj", "mlp.up_proj"], "mlp.gate_up_proj"),
        (["experts.3.w1", "experts.3.w3"], "experts.3.w1_w3"),
        (["q", "k"], "qk"),
        (["a._proj", "a.q_proj"], "a._proj_q_proj"),
    ],
)
def test_names_are_made_of_names(origins: list[str], wanted: str) -> None:
    assert fused_origin(origins) == wanted


def fused(graph: Graph) -> tuple[str, ...]:
    return PassManager([FuseProjections()]).run(graph)


def test_a_decoder_computes_the_same_with_biases() -> None:
    graph = decoder(bias=True)
    assert fused(graph) == ()
    assert_equivalent(decoder(bias=True), graph, INPUTS)
    assert f"{ATTENTION}.qkv_proj.bias" in graph.weights
    assert f"{ATTENTION}.q_proj.weight" not in graph.weights


def packed_decoder(work, **schemes: str) -> Graph:
    """Packed q, k and v of the first block; the last names of modules give the schemes."""
    graph = decoder(layers=1)
    made = {}
    for name, value in graph.weights.items():
        last = name.split(".")[-2]
        if value.type.rank == 2 and last in schemes:
            shape = value.type.static_shape()
            made[name] = random_packed(parse_scheme(schemes[last]), *shape, len(made))
    return with_packed(graph, made, work)


@pytest.mark.parametrize(
    "text", ["int8:channel", "uint4:g16", "lut4:r8", "vec8x4:channel@shared", "int4:g16+o0.0625"]
)
def test_packed_weights_of_one_scheme_become_one(text: str, tmp_path) -> None:
    schemes = dict.fromkeys(("q_proj", "k_proj", "v_proj", "gate_proj", "up_proj"), text)
    graph, plain = packed_decoder(tmp_path, **schemes), packed_decoder(tmp_path, **schemes)
    assert fused(graph) == ()
    weight = graph.weights[f"{ATTENTION}.qkv_proj.weight"]
    note, assigned = weight.notes.get(Quantized), weight.notes.get(Precision)
    assert note is not None
    assert assigned is not None
    assert str(note.scheme) == str(assigned.scheme) == text
    assert note.store == tmp_path / "weights"
    assert note.load().shape == (64, 32)
    assert all(node.notes.get(InStage) is not None for node in graph.nodes)
    for mode in ("quantized", "float"):
        left = run(plain, INPUTS, weights=mode, dtype=torch.float64)
        right = run(graph, INPUTS, weights=mode, dtype=torch.float64)
        torch.testing.assert_close(left.outputs[0], right.outputs[0], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(
    ("schemes", "reason"),
    [
        ({"q_proj": "int8:channel"}, "their schemes differ (int8:channel, f16, f16)"),
        (dict.fromkeys(("q_proj", "k_proj", "v_proj"), "lut4:r3"), "32 rows are no multiple"),
        (dict.fromkeys(("q_proj", "k_proj", "v_proj"), "vec8x4:channel"), "codebooks differ"),
    ],
)
def test_what_does_not_join_is_computed_together(schemes, reason: str, tmp_path) -> None:
    graph, plain = packed_decoder(tmp_path, **schemes), packed_decoder(tmp_path, **schemes)
    remarks = fused(graph)
    assert len(remarks) == 1
    assert reason in remarks[0]
    assert f"{ATTENTION}.q_proj" in remarks[0]
    assert [n.op for n in graph.nodes].count("linears") == 1
    left = run(plain, INPUTS, weights="quantized").outputs[0]
    assert torch.equal(run(graph, INPUTS, weights="quantized").outputs[0], left)


def linears(
    *, bias: bool = False, stages: tuple[int, int] = (0, 0), act_bits=(None, None)
) -> Graph:
    """Two linears of one module on one input."""
    b = Builder()
    x = b.input("x", "f32", 1, 4)
    made = []
    for at in range(2):
        w = b.weight(f"m.w{at}.weight", np.eye(4, dtype="f4") + at)
        w.notes.put(Precision(parse_scheme("f16"), act_bits[at]))
        offset = b.weight(f"m.w{at}.bias", np.ones(4, "f4")) if bias and at else None
        made.append(b.op("linear", x, w, offset, origin=f"m.w{at}"))
        made[-1].producer.notes.put(InStage(stages[at]))
    return b.returns(*made)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"bias": True}, "some have a bias"),
        ({"stages": (0, 1)}, "different stages"),
    ],
)
def test_reasons_to_stay_apart(options, reason: str) -> None:
    graph = linears(**options)
    (remark,) = fused(graph)
    assert reason in remark
    assert [n.op for n in graph.nodes] == ["linears"]


def test_inputs_rounded_in_two_ways_are_not_shared() -> None:
    graph = linears(act_bits=(8, None))
    (remark,) = fused(graph)
    assert "different bits" in remark
    assert [n.op for n in graph.nodes] == ["linear", "linear"]


def test_a_weight_that_is_read_elsewhere_stays_as_it_is() -> None:
    b = Builder()
    x, w = b.input("x", "f32", 1, 4), b.weight("m.a.weight", np.eye(4, dtype="f4"))
    first = b.op("linear", x, w, origin="m.a")
    second = b.op("linear", x, b.weight("m.b.weight", np.eye(4, dtype="f4") * 2), origin="m.b")
    graph = b.returns(second, b.op("linear", first, w, origin="again"))
    (remark,) = fused(graph)
    assert "m.a.weight is read elsewhere too" in remark
    assert set(graph.weights) == {"m.a.weight", "m.b.weight"}


def test_a_router_and_other_modules_are_left_alone() -> None:
    b = Builder()
    x = b.input("x", "f32", 1, 4)
    w = [b.weight(f"w{at}", np.eye(4, dtype="f4") + at) for at in range(3)]
    router = b.op("route", b.op("linear", x, w[0], origin="m.gate"), top_k=1, renormalise=True)
    others = [b.op("linear", x, w[1], origin="m.one"), b.op("linear", x, w[2], origin="n.two")]
    graph = b.returns(router, *others)
    assert not FuseProjections().run(graph, PassContext()).changed


def test_joined_rows_load_edit_and_compare() -> None:
    b = Builder()
    first = b.weight("a", np.arange(8, dtype="f4").reshape(2, 4)).weight
    second = b.weight("b", np.ones((1, 4), "f2")).weight
    assert first is not None
    assert second is not None
    edited = first.edited(ScaleColumns(vector(np.full(4, 2.0))))
    ref = join("ab", [edited, second])
    assert (ref.type.dtype, ref.type.shape) == (DType.F32, (3, 4))
    np.testing.assert_array_equal(ref.load(), [[0, 2, 4, 6], [8, 10, 12, 14], [1, 1, 1, 1]])
    assert join("aa", [first, first]).type.dtype is DType.F32
    assert join("bb", [second, second]).type.dtype is DType.F16
    assert Rows([first, second]) == Rows([first, second])
    assert hash(Rows([first, second])) == hash(Rows([first, second]))
    assert Rows([first, second]) != Rows([second, first])
    # The same name and type, other bytes in memory.
    other = Builder().weight("a", np.zeros((2, 4), "f4")).weight
    assert Rows([first]) != Rows([other])
    assert re.fullmatch("[0-9a-f]{64}", Rows([first]).sha256)
    assert Rows([first]).sha256 != Rows([other]).sha256
