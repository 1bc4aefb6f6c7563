"""Everything that is emitted runs in ONNX Runtime."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from support.emission import METADATA, Emitted, compared, emitted, quantised, with_schemes
from support.graphs import Builder, decoder, mlp
from support.packed import random_packed, with_packed

from optimum_compile.backends.base import EmitOptions, Tolerance
from optimum_compile.backends.onnxruntime.backend import BACKEND
from optimum_compile.backends.onnxruntime.emit import DATA_SUFFIX, emit
from optimum_compile.backends.onnxruntime.session import Model, Session
from optimum_compile.compiler.errors import InputError, ToolchainError
from optimum_compile.compiler.package.describe import predicted_bytes
from optimum_compile.compiler.quant.scheme import Affine, PerGroup
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.stages.notes import StagePlan

pytestmark = pytest.mark.onnxruntime
EXACT = Tolerance(max_rel_err=5e-6, min_top1=1.0)
SCHEMES = [
    "f16",
    "f32",
    "int8",
    "int8:g32",
    "uint8",
    "uint8:g128",
    "int8:g32@u8",
    "uint8:g64@u6",
    "int4",
    "uint4",
    "int4:g16",
    "int4:g32@bf16",
    "uint4:g32",
    "uint4:g64",
    "int4:g48",  # blocks of 16 that share a scale
    "uint4:g96",
    "int4:g512",
    "uint4:g32@zf16",
    "uint4:g96@zf16",
    "uint4:g32@zu8",
    "int4:g16@u6",
    "uint4:g32@u4,zu4",
    "int2",
    "uint2",
    "int2:g16",
    "uint2:g32",
    "uint2:g16@u4,zu4",
    "uint2:g32@u6,zu6",
    "uint2:g32@zf16",
]
TABLES = ["f16", "f32", "int8", "uint8:g16", "int4:g32", "uint4:g16@u6", "uint2:g32", "int2"]


@pytest.fixture(scope="module")
def cascade(tmp_path_factory: pytest.TempPathFactory) -> Emitted:
    work = tmp_path_factory.mktemp("cascade")
    graph = quantised(decoder(layers=4, tied=False, bias=True), work, BACKEND, "cascade")
    return emitted(graph, work, BACKEND)


def assert_stored(made: Emitted) -> None:
    """What was predicted is what the initialisers hold, to the byte."""
    artifact = made.result.artifact
    found = onnx.load(str(artifact), load_external_data=True).graph.initializer
    assert made.result.weight_bytes == sum(len(t.raw_data) for t in found)
    assert made.result.weight_bytes == predicted_bytes(made.graph, BACKEND)


@pytest.mark.parametrize("text", SCHEMES)
@pytest.mark.parametrize("width", [64, 100])
def test_a_matrix_in_any_scheme_is_exact(text, width, tmp_path):
    graph, scheme = mlp(width, 600), parse_scheme(text)
    shapes = {"up.weight": (600, width), "down.weight": (width, 600)}
    weights = {name: random_packed(scheme, *shape) for name, shape in shapes.items()}
    made = emitted(with_packed(graph, weights, tmp_path), tmp_path, BACKEND)
    verdict = compared(made, EXACT)
    assert verdict.ok, verdict.reason
    assert_stored(made)


@pytest.mark.parametrize("text", TABLES)
@pytest.mark.parametrize("width", [32, 40])
def test_a_tied_table_is_stored_once(text, width, tmp_path):
    name = "model.embed_tokens.weight"
    graph = decoder(layers=1, width=width, tied=True)
    table = random_packed(parse_scheme(text), 50, width)
    made = emitted(with_packed(graph, {name: table}, tmp_path), tmp_path, BACKEND)
    verdict = compared(made, EXACT)
    assert verdict.ok, verdict.reason
    names = [t.name for t in onnx.load(str(made.result.artifact)).graph.initializer]
    assert sum(n in (f"{name}/codes", f"{name}/value") for n in names) == 1


@pytest.mark.parametrize("text", ["int8", "uint2:g16@u4,zu4", "uint4:g96", "f16"])
def test_nothing_depends_on_graph_optimisation(text, tmp_path):
    graph = with_schemes(mlp(100, 600), {"": parse_scheme(text)}, tmp_path)
    made = emitted(graph, tmp_path, BACKEND)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(made.result.artifact), options)
    call = made.cases[0].calls[0]
    (got,) = session.run(None, call.inputs)
    np.testing.assert_allclose(got, call.expected[0], rtol=0, atol=1e-4 * np.abs(got).max())


def test_a_cascade_has_three_stages_and_agrees_with_the_oracle(cascade):
    plan = cascade.graph.notes.get(StagePlan)
    assert [s.precision_class for s in plan.stages] == ["INT8", "INT4", "INT2"]
    verdict = BACKEND.verify(cascade.result.artifact, cascade.cases, EXACT)
    assert verdict.ok, verdict.reason
    assert verdict.steps == 2 * 3 * 9  # on the .onnx and on the .ort
    assert verdict.executed_by == "ONNX Runtime 1.31.1"
    assert cascade.result.functions == ("prefill", "decode")
    assert_stored(cascade)


def test_stages_are_in_the_names_of_nodes_and_types_are_declared(cascade):
    graph = onnx.load(str(cascade.result.artifact)).graph
    stages = [s.name for s in cascade.graph.notes.get(StagePlan).stages]
    matrices = [n for n in graph.node if n.op_type == "MatMulNBits"]
    assert len(matrices) == 4 * 7 + 1
    for node in matrices:
        bits = next(a.i for a in node.attribute if a.name == "bits")
        levels = [a.i for a in node.attribute if a.name == "accuracy_level"]
        assert (node.name.split("/")[0], levels) == (stages[(8, 4, 2).index(bits)], [1])
    assert [v.name for v in graph.input] == [
        "tokens",
        "past",
        *(f"past.{kind}_cache.{layer}" for layer in range(4) for kind in "kv"),
    ]
    logits = graph.output[0]
    assert logits.name == "logits"
    assert [d.dim_param or d.dim_value for d in logits.type.tensor_type.shape.dim] == [1, "seq", 50]
    assert len({n.name for n in graph.node}) == len(graph.node)


def test_weights_by_groups_of_any_class_are_the_policys(tmp_path):
    graph = quantised(decoder(layers=2, tied=False), tmp_path, BACKEND, "uniform", 2)
    note = {str(s.scheme) for s in _precisions(graph)}
    assert note == {str(Affine(2, PerGroup(32), False))}


def _precisions(graph):
    from optimum_compile.passes.precision.notes import Precision

    return [n for v in graph.weights.values() if (n := v.notes.get(Precision)) is not None]


def test_prefill_and_decode_share_their_cache(cascade):
    session, whole = Session(cascade.result.artifact), Session(cascade.result.artifact)
    session.prefill([1, 2, 3, 4, 5])
    after, expected = session.decode(6), whole.prefill([1, 2, 3, 4, 5, 6])
    np.testing.assert_allclose(after, expected, atol=1e-5)
    lonely = Session(cascade.result.artifact).decode(6)
    assert np.linalg.norm(lonely - expected) > 0.05 * np.linalg.norm(expected)
    assert (session.context, session.max_prefill, session.past) == (24, 16, 6)
    with pytest.raises(InputError, match="the cache holds 24 tokens"):
        session.prefill(list(range(19)))


def test_a_caller_may_keep_the_states_apart(cascade):
    """Plain calls without bound buffers: what a state was is not changed."""
    session = onnxruntime.InferenceSession(str(cascade.result.artifact))
    model = Model(cascade.result.artifact)
    zeros = {i.name: np.zeros(i.shape, np.float32) for i in session.get_inputs()[2:]}
    given = {"tokens": np.array([[3, 1, 4]]), "past": np.array([0])}
    logits, *states = session.run(None, given | zeros)
    assert all(not z.any() for z in zeros.values())
    np.testing.assert_array_equal(logits, model.call(given)[0])
    following = {"tokens": np.array([[5]]), "past": np.array([3])}
    again = session.run(None, following | dict(zip(zeros, states, strict=True)))
    np.testing.assert_array_equal(again[0], model.call(following)[0])


def test_a_window_hides_what_is_older(tmp_path):
    graph = quantised(decoder(layers=1, window=3), tmp_path, BACKEND, "uniform", 16)
    verdict = compared(emitted(graph, tmp_path, BACKEND), EXACT)
    assert verdict.ok, verdict.reason


def test_any_op_may_write_a_state(tmp_path):
    b = Builder("counter")
    x = b.input("x", "f32", 1, 16)
    total = b.state("total", "f32", 1, 16)
    total.written = b.op("add", total.read, x)
    made = emitted(b.returns(b.op("mul", total.written, x)), tmp_path, BACKEND)
    verdict = compared(made, EXACT)
    assert verdict.ok, verdict.reason
    assert Model(made.result.artifact).facts["optimum_compile.in_place"] == "false"


def test_the_old_value_of_a_state_may_still_be_read(tmp_path):
    b = Builder("lag")
    x, ids = b.input("x", "f32", 2, 16), b.input("ids", "i64", 2)
    rows = b.state("rows", "f32", 4, 16)
    rows.written = b.op("index_copy", rows.read, ids, x, axis=0)
    before = b.op("sum", rows.read, axes=(0,), keepdims=True)
    made = emitted(b.returns(before, rows.written, x), tmp_path, BACKEND)
    verdict = compared(made, EXACT)
    assert verdict.ok, verdict.reason


def test_names_of_the_program_do_not_meet_those_of_outputs(tmp_path):
    b = Builder("names")
    x = b.input("x", "i32", 3)
    first = b.graph.add_node("neg", [x], [x.type], {}, names=["output1"]).output
    made = emitted(b.returns(b.op("neg", first), first, x), tmp_path, BACKEND)
    verdict = compared(made, EXACT)
    assert verdict.ok, verdict.reason


def test_casts_that_change_nothing_share_a_tensor(tmp_path):
    b = Builder("casts")
    x = b.op("neg", b.input("x", "f32", 3))
    same = b.op("cast", x, dtype="f16")
    made = emitted(b.returns(b.op("add", x, same), same, x), tmp_path, BACKEND)
    verdict = compared(made, EXACT)
    assert verdict.ok, verdict.reason


def test_states_may_be_integers(tmp_path):
    b = Builder("count")
    x = b.input("x", "f32", 3)
    for kind in ("i32", "i64"):
        state = b.state(f"seen_{kind}", kind, 3)
        state.written = b.op("add", state.read, b.op("cast", b.op("exp", x), dtype=kind))
    made = emitted(b.returns(*(s.written for s in b.graph.states)), tmp_path, BACKEND)
    verdict = compared(made, EXACT)
    assert verdict.ok, verdict.reason


def test_a_model_with_graphs_inside_is_refused(cascade, tmp_path):
    model = onnx.load(str(cascade.result.artifact))
    model.graph.node[3].attribute.add(name="body", type=onnx.AttributeProto.GRAPH).g.name = "inner"
    file = tmp_path / "inner.onnx"
    file.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match="has graphs or tensors inside"):
        Model(file)


def test_metadata_is_read_from_the_artifact_alone(cascade):
    assert json.loads(BACKEND.inspect(cascade.result.artifact)) == json.loads(METADATA)


def test_the_same_model_gives_the_same_bytes(cascade, tmp_path):
    graph = quantised(decoder(layers=4, tied=False, bias=True), tmp_path, BACKEND, "cascade")
    again = emitted(graph, tmp_path, BACKEND).result.artifact
    assert again.read_bytes() == cascade.result.artifact.read_bytes()


@pytest.fixture
def outside(cascade, tmp_path) -> Path:
    """The cascade with its weights in a file beside the model."""
    out = tmp_path / "big.onnx"
    options = EmitOptions("model", 24, 16, METADATA, tmp_path)
    result = emit(cascade.graph, options, out, inline_bytes=0)
    assert result.beside == (tmp_path / f"big.onnx{DATA_SUFFIX}",)
    assert result.weight_bytes == cascade.result.weight_bytes
    return out


def test_large_weights_lie_in_a_file_beside_the_model(cascade, outside):
    verdict = BACKEND.verify(outside, cascade.cases, EXACT)
    assert verdict.ok, verdict.reason
    assert outside.stat().st_size < cascade.result.artifact.stat().st_size
    names = sorted(p.name for p in outside.parent.iterdir())
    assert names == ["big.onnx", "big.onnx.data", "big.ort"]
    assert json.loads(BACKEND.inspect(outside)) == json.loads(METADATA)
    moved = outside.parent / "else"
    moved.mkdir()
    for file in (outside, outside.with_name("big.onnx.data")):
        shutil.copyfile(file, moved / file.name)
    assert BACKEND.verify(moved / "big.onnx", cascade.cases, EXACT).ok


@pytest.mark.parametrize("key", ["location", "offset", "length"])
def test_a_model_that_names_bytes_elsewhere_is_refused(outside, key):
    model = onnx.load(str(outside), load_external_data=False)
    entry = next(e for e in model.graph.initializer[3].external_data if e.key == key)
    entry.value = {"location": "../big.onnx.data", "offset": "9" * 12, "length": "-5"}[key]
    outside.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match=r"lies outside big\.onnx\.data"):
        Model(outside)


@pytest.mark.parametrize("how", ["symlink", "hard link", "missing", "short"])
def test_a_file_of_weights_that_is_another_is_refused(outside, how):
    data = outside.with_name("big.onnx.data")
    other = outside.with_name("other")
    data.rename(other)
    if how == "symlink":
        data.symlink_to(other)
    elif how == "hard link":
        data.hardlink_to(other)
    elif how == "short":
        data.write_bytes(other.read_bytes()[:-5])
    with pytest.raises(InputError, match=r"big\.onnx\.data"):
        Model(outside)


@pytest.mark.parametrize("cut", [1, 100, 5000])
def test_a_damaged_model_fails_without_harm(cascade, tmp_path, cut):
    file = tmp_path / "damaged.onnx"
    file.write_bytes(cascade.result.artifact.read_bytes()[:-cut])
    verdict = BACKEND.verify(file, cascade.cases, EXACT)
    assert not verdict.ok
    assert verdict.reason


def test_flipped_weights_fail_the_comparison(cascade, tmp_path):
    model = onnx.load(str(cascade.result.artifact))
    codes = max(model.graph.initializer, key=lambda t: len(t.raw_data))
    codes.raw_data = bytes(b ^ 0x55 for b in codes.raw_data)
    file = tmp_path / "flipped.onnx"
    file.write_bytes(model.SerializeToString())
    assert not BACKEND.verify(file, cascade.cases, EXACT).ok


def test_what_the_runtime_cannot_load_is_an_error_of_the_toolchain(cascade, tmp_path):
    model = onnx.load(str(cascade.result.artifact))
    next(n for n in model.graph.node if n.op_type == "Sigmoid").op_type = "Sigmix"
    file = tmp_path / "odd.onnx"
    file.write_bytes(model.SerializeToString())
    with pytest.raises(ToolchainError, match="the runtime cannot load it"):
        Model(file)
