import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.graphs import Builder, decoder
from support.passes import check_pass

from optimum_compile.compiler.ir.records import note_classes
from optimum_compile.compiler.ir.verify import check
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.compiler.quant.store import write_packed
from optimum_compile.passes.precision.assign import AssignPrecision
from optimum_compile.passes.precision.classes import class_of
from optimum_compile.passes.precision.notes import Precision, Quantized
from optimum_compile.passes.precision.quantize import QuantizeWeights
from optimum_compile.passes.precision.quantizers.select import quantize_weight
from optimum_compile.passes.specs import STAGED
from optimum_compile.passes.stages.blocks import block_count, blocks_of, weight_blocks
from optimum_compile.passes.stages.cut import CutStages, granularity, value_range
from optimum_compile.passes.stages.notes import ActivationRange, InStage, StagePlan

BEFORE = """
    graph "two" {{
      symbol n in 1..8
      input %x : f16[n, 8]
      weight @layers.0.w : f16[4, 8] !{first} = file "m.safetensors" at 0 for 64
      weight @layers.1.w : f16[2, 4] !{second} = file "m.safetensors" at 64 for 16
{note}
      %a = linear(%x, @layers.0.w, _) : f16[n, 4] from "layers.0"{stage0}
      %b = relu(%a) : f16[n, 4] from "layers.0.act"{stage0}
      %c = linear(%b, @layers.1.w, _) : f16[n, 2] from "layers.1"{stage1}
      %d = tanh(%c) : f16[n, 2] from "tail"{stage1}
      return %d
    }}
"""
PLAN = """      note StagePlan{{stages = (StageInfo{{index = 0, name = "stage0_int8", \
precision_class = "INT8", blocks = (0, 0), groups = ("channel",), bits_per_weight = 10.0, \
bytes = 40, scales_sha256 = "{digest0}", tensors = (TensorRecord{{name = "layers.0.w", \
shape = (4, 8), scheme = "int8:channel", bytes = 40, low = -1.0, high = 62.0}},), \
activations = ()}}, StageInfo{{index = 1, name = "stage1_int2", precision_class = "INT2", \
blocks = (1, 1), groups = ("r1",), bits_per_weight = 18.0, bytes = 18, \
scales_sha256 = "{digest1}", tensors = (TensorRecord{{name = "layers.1.w", shape = (2, 4), \
scheme = "lut2:r1", bytes = 18, low = -4.0, high = 3.0}},), \
activations = (ActivationRange{{block = 1, low = -0.5, high = 2.5}},)}})}}
"""


def test_nodes_get_their_stage_and_the_graph_its_plan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the text holds the last component of a path only
    store = tmp_path / "store"
    store.mkdir()
    codes = np.arange(32, dtype=np.int8).reshape(4, 8)
    codes[0, 0] = -1
    scales = np.array([[1], [1], [1], [2]], np.float16)
    first = PackedWeight(parse_scheme("int8"), codes, scales=scales)
    table = np.array([[-4, -1, 0, 2], [-3, 0, 1, 3]], np.float16)
    picks = np.array([[0, 1, 2, 3], [3, 2, 1, 0]], np.uint8)
    second = PackedWeight(parse_scheme("lut2:r1"), picks, table=table)

    def note(packed, scheme):
        sha256 = write_packed(store, packed)
        return f'Quantized{{scheme = {scheme}, sha256 = "{sha256}", store = path "store"}}'

    grid = 'Affine{bits = 8, group = PerChannel{}, symmetric = true, scale_dtype = "f16"}'
    notes = {
        "first": note(first, grid),
        "second": note(second, "Lut{bits = 2, rows_per_table = 1}"),
    }
    plan = PLAN.format(
        digest0=hashlib.sha256(b"layers.0.w" + scales.tobytes()).hexdigest(),
        digest1=hashlib.sha256(b"layers.1.w" + table.tobytes()).hexdigest(),
    )
    with_stage = [f" with InStage{{index = {i}}}" for i in range(2)]
    check_pass(
        CutStages(activations=(ActivationRange(1, -0.5, 2.5),)),
        BEFORE.format(**notes, note="", stage0="", stage1=""),
        BEFORE.format(**notes, note=plan, stage0=with_stage[0], stage1=with_stage[1]),
        notes=note_classes(Quantized, StagePlan, InStage),
    )


def quantised(store, classes, *, tied=True, limit=3, activations=()):
    """A small decoder with these classes by block, cut into at most `limit` stages."""
    graph = decoder(len(classes), width=8, heads=2, kv_heads=1, hidden=8, vocab=11, tied=tied)
    schemes = {"FP16": "f16", "INT8": "int8", "INT4": "int4", "INT2": "lut2:r8"}
    PassManager([AssignPrecision(policy="uniform")]).run(graph)
    for name, block in weight_blocks(graph).items():
        notes = graph.weights[name].notes
        if notes.get(Precision) is not None:
            notes.put(Precision(parse_scheme(schemes[classes[block]])))
    PassManager([QuantizeWeights(store), CutStages(limit, activations)]).run(graph)
    return graph


classes = st.lists(st.sampled_from(["INT8", "INT4", "INT2", "FP16"]), min_size=1, max_size=6)


@given(classes=classes, limit=st.integers(1, 4), tied=st.booleans())
@settings(max_examples=25, deadline=None)
def test_stages_are_contiguous_and_cover_every_block_weight_and_byte(
    tmp_path_factory, classes, limit, tied
):
    graph = quantised(tmp_path_factory.mktemp("store"), classes, tied=tied, limit=limit)
    check(graph, STAGED)
    stages = graph.notes.get(StagePlan).stages
    assert 1 <= len(stages) <= limit
    spans = [s.blocks for s in stages]
    covered = [b for first, last in spans for b in range(first, last + 1)]
    assert covered == list(range(block_count(graph)))
    assert [s.index for s in stages] == list(range(len(stages)))
    for node, block in blocks_of(graph).items():
        first, last = spans[node.notes.get(InStage).index]
        assert first <= block <= last
    names = [t.name for s in stages for t in s.tensors]
    assert sorted(names) == sorted(weight_blocks(graph))
    for stage in stages:
        assert stage.bytes == sum(t.bytes for t in stage.tensors)
        count = sum(int(np.prod(t.shape)) for t in stage.tensors)
        assert stage.bits_per_weight == pytest.approx(8 * stage.bytes / count)
        assert stage.name == f"stage{stage.index}_{stage.precision_class.lower()}"


def test_neighbours_of_one_class_are_one_stage(tmp_path):
    graph = quantised(tmp_path, ["INT8", "INT4", "INT4", "INT4", "INT2"])
    stages = graph.notes.get(StagePlan).stages
    assert [(s.precision_class, s.blocks) for s in stages] == [
        ("INT8", (0, 0)),
        ("INT4", (1, 3)),
        ("INT2", (4, 4)),
    ]


def test_exceptions_inside_a_joined_stage_stay_in_its_list(tmp_path):
    graph = quantised(tmp_path, ["INT8", "INT8", "INT2"], limit=1)
    (stage,) = graph.notes.get(StagePlan).stages
    assert stage.precision_class == "INT8"
    kinds = {class_of(parse_scheme(t.scheme)) for t in stage.tensors}
    assert kinds == {"INT8", "INT2", "FP16"}  # norms stay 16 bits
    assert stage.groups == ("channel", "r8")


def test_a_remark_names_the_exceptions_of_a_stage(tmp_path):
    graph = quantised(tmp_path, ["INT8", "INT8", "INT8"])
    assert CutStages().run(graph, PassContext()).remarks == ()
    graph = quantised(tmp_path, ["INT8", "INT8", "INT2"], limit=1)
    (remark,) = CutStages(1).run(graph, PassContext()).remarks
    head, names = remark.split(": ", 2)[0::2]
    assert head == "stage0_int8"
    assert "7 of 21 matrices (33% of the weights) are not INT8" in remark
    assert [n.split()[1] for n in names.split(", ")] == ["lut2:r8"] * 7


def test_an_embedding_does_not_decide_the_class_of_its_block(tmp_path):
    graph = decoder(2, width=8, heads=2, kv_heads=1, hidden=8, vocab=999, tied=False)
    PassManager([AssignPrecision(policy="uniform", bits=4)]).run(graph)
    graph.weights["model.embed_tokens.weight"].notes.put(Precision(parse_scheme("int8")))
    PassManager([QuantizeWeights(tmp_path), CutStages()]).run(graph)
    assert [s.precision_class for s in graph.notes.get(StagePlan).stages] == ["INT4"]


def test_activation_ranges_go_to_the_stage_of_their_block(tmp_path):
    ranges = tuple(ActivationRange(b, -float(b), 1.0) for b in range(3))
    graph = quantised(tmp_path, ["INT8", "INT4", "INT4"], activations=ranges)
    stages = graph.notes.get(StagePlan).stages
    assert [s.activations for s in stages] == [ranges[:1], ranges[1:]]


def test_another_limit_changes_the_plan_and_the_same_one_does_not(tmp_path):
    graph = quantised(tmp_path, ["INT8", "INT4", "INT2"])
    assert not CutStages(3).run(graph, PassContext()).changed
    assert CutStages(2).run(graph, PassContext()).changed
    assert len(graph.notes.get(StagePlan).stages) == 2


def test_a_changed_scale_changes_the_digest_of_its_stage_alone(tmp_path):
    graph = quantised(tmp_path, ["INT8", "INT4", "INT2"])
    before = [s.scales_sha256 for s in graph.notes.get(StagePlan).stages]
    value = graph.weights["model.layers.1.mlp.up_proj.weight"]
    packed = quantize_weight(2 * value.weight.load_f32(), parse_scheme("int4"))
    sha256 = write_packed(tmp_path, packed)
    value.notes.put(Quantized(packed.scheme, sha256, tmp_path))
    CutStages(3).run(graph, PassContext())
    after = [s.scales_sha256 for s in graph.notes.get(StagePlan).stages]
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True]


def test_the_range_of_a_mask_is_that_of_its_finite_part(tmp_path):
    b = Builder()
    x = b.input("x", "f32", 4, 4)
    x = b.op("linear", x, b.weight("w", np.eye(4, dtype=np.float32)), None)
    mask = np.triu(np.full((4, 4), -np.inf, np.float32), 1)
    graph = b.returns(b.op("add", x, b.weight("mask", mask)))
    passes = [AssignPrecision(policy="uniform"), QuantizeWeights(tmp_path), CutStages()]
    PassManager(passes).run(graph)
    (stage,) = graph.notes.get(StagePlan).stages
    record = next(t for t in stage.tensors if t.name == "mask")
    assert (record.low, record.high, record.bytes) == (0.0, 0.0, 32)


@given(
    rows=st.integers(1, 20),
    scheme=st.sampled_from(["int8", "uint4:g8", "lut2:r3", "lut4:r1", "f16"]).map(parse_scheme),
    chunk=st.integers(1, 7),
)
@settings(max_examples=40, deadline=None)
def test_the_value_range_does_not_depend_on_the_chunks(rows, scheme, chunk):
    weight = np.random.default_rng(rows).standard_normal((rows, 16)).astype(np.float32)
    packed = quantize_weight(weight, scheme)
    whole = packed.dequantize()
    assert value_range(packed, chunk) == (float(whole.min()), float(whole.max()))


@pytest.mark.parametrize(
    ("text", "shared"),
    [("int8", "channel"), ("uint4:g32", "g32"), ("lut2:r4", "r4"), ("f16", "")],
)
def test_granularity_names_what_shares_a_scale(text, shared):
    assert granularity(parse_scheme(text)) == shared
