"""An NNAPI package: what it is made of, and that its graphs in turn give what the oracle gives."""

import json
import logging
import re
import shutil
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper
from onnxruntime.tools.mobile_helpers.usability_checker import analyze_model
from support.emission import METADATA, Emitted, emitted, quantised, with_schemes
from support.graphs import Builder, decoder, mlp
from support.nnapi import calibrated, ready

from optimum_compile.backends.base import Case, EmitOptions, Tolerance
from optimum_compile.backends.compare import distance
from optimum_compile.backends.nnapi import lower_linear, plan
from optimum_compile.backends.nnapi.backend import BACKEND
from optimum_compile.backends.nnapi.check import check_usability
from optimum_compile.backends.nnapi.program import FORMS, INDEX, read_program
from optimum_compile.backends.nnapi.runner import run_case
from optimum_compile.backends.nnapi.session import Session
from optimum_compile.compiler.errors import InputError, ToolchainError, UnsupportedError, UserError
from optimum_compile.compiler.ir.shape import SymbolRange
from optimum_compile.compiler.package.describe import predicted_bytes, predicted_file_bytes
from optimum_compile.compiler.package.writer import size_of
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.notes import ValueRange
from optimum_compile.passes.rewrite.rotate import RotateResidual
from optimum_compile.passes.stages.notes import StagePlan
from optimum_compile.passes.symbolic_shape.lengths import set_lengths

pytestmark = pytest.mark.onnxruntime
STAGES = ["stage0_int8", "stage1_int4", "stage2_int2"]


@pytest.fixture(scope="module")
def cascade(tmp_path_factory: pytest.TempPathFactory) -> Emitted:
    work = tmp_path_factory.mktemp("cascade")
    return emitted(ready(decoder(layers=4), work, "cascade"), work, BACKEND)


def measured(made: Emitted, form: str):
    session = Session(made.result.artifact, form)
    return distance([run_case(session, case) for case in made.cases], made.cases)


def models(made: Emitted):
    return [onnx.load(str(path)) for path in sorted(made.result.artifact.glob("*.onnx"))]


def test_there_is_a_graph_for_every_function_and_stage_in_both_forms(cascade):
    folder = cascade.result.artifact
    names = [f"{f}.{s}" for f in ("prefill", "decode") for s in STAGES]
    files = {f"{n}{form}" for n in names for form in FORMS} | {INDEX}
    assert {p.name for p in folder.iterdir()} == files
    assert cascade.result.functions == ("prefill", "decode")
    program = read_program(folder)
    assert [(f.name, f.tokens) for f in program.functions] == [("prefill", 16), ("decode", 1)]
    first, second, last = program.functions[1].stages
    assert (first.inputs[0], last.outputs[0]) == ("tokens", "logits")
    (hidden,) = set(first.outputs) & set(second.inputs)
    assert not hidden.startswith("new.")
    assert sum(o.startswith("new.") for s in (first, second, last) for o in s.outputs) == 8


@pytest.mark.parametrize("form", FORMS)
def test_the_graphs_in_turn_agree_with_the_oracle(cascade, form):
    found = measured(cascade, form)
    assert found.cosine > 0.99, found
    assert found.top1_agreement > 0.85, found


def test_a_child_process_compares_both_forms(cascade):
    verdict = BACKEND.verify(cascade.result.artifact, cascade.cases, Tolerance(min_cosine=0.99))
    assert verdict.ok, verdict.reason
    assert verdict.steps == 2 * sum(len(case.calls) for case in cascade.cases)
    assert "NNAPI itself not executed" in verdict.executed_by
    damaged = cascade.cases[0].calls[0].expected[0] * -1
    wrong = (Case((replace(cascade.cases[0].calls[0], expected=(damaged,)),)),)
    assert not BACKEND.verify(cascade.result.artifact, wrong, Tolerance(min_cosine=0.99)).ok


def test_every_node_is_supported_by_the_checkers_own_account(cascade, caplog):
    logger = logging.getLogger("nnapi-test")
    logger.setLevel(logging.INFO)
    with caplog.at_level(logging.INFO, logger="nnapi-test"):
        for path in cascade.result.artifact.glob("*.onnx"):
            assert analyze_model(path, logger=logger)  # optimised to the level of `.ort` before
    text = caplog.text
    counts = re.findall(r"1 partitions with a total of (\d+)/(\d+) nodes can be .* NNAPI", text)
    assert len(counts) == 6
    assert all(taken == nodes for taken, nodes in counts)
    stages = [s for f in read_program(cascade.result.artifact).functions for s in f.stages]
    assert all((s.supported, s.partitions, s.verdict) == (s.nodes, 1, "YES") for s in stages)
    assert cascade.result.remarks[0].startswith("nnapi: 914 of 914 nodes in 6 graphs are supported")


def test_an_operator_that_is_not_on_the_list_is_refused_by_name(cascade):
    model = models(cascade)[0]
    model.graph.node[3].op_type = "Erf"
    with pytest.raises(ToolchainError, match="usability checker: ai.onnx:Erf"):
        check_usability(model)


def test_matrices_are_int8_a_row_and_activations_uint8_in_calibrated_ranges(cascade):
    model = onnx.load(str(cascade.result.artifact / "decode.stage1_int4.onnx"))
    tensors = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    made = {n.output[0]: n for n in model.graph.node}
    convolutions = [n for n in model.graph.node if n.op_type == "Conv"]
    assert len(convolutions) == 7 * sum(b for b in [_blocks(cascade, 1)])
    for node in convolutions:
        codes, scales, _ = (tensors[name] for name in made[node.input[1]].input)
        assert (codes.dtype, scales.shape) == (np.int8, codes.shape[:1])
        _, scale, zero = made[node.input[0]].input
        assert (tensors[scale].shape, tensors[zero].dtype) == ((), np.uint8)
    assert not {"Expand", "GatherND", "Reciprocal", "Where"} & {n.op_type for n in model.graph.node}
    facts = {p.key: p.value for p in model.metadata_props}
    ranges = json.loads(facts["optimum_compile.ranges"])
    graph_ranges = {
        v.name: v.notes.get(ValueRange) for v in cascade.graph.values() if v.notes.get(ValueRange)
    }
    assert ranges
    assert all(ranges[n] == [graph_ranges[n].low, graph_ranges[n].high] for n in ranges)
    assert facts["optimum_compile.stages"] == METADATA
    assert facts["optimum_compile.stage"] == "stage1_int4"


def _blocks(made, stage):
    first, last = made.graph.notes.get(StagePlan).stages[stage].blocks
    return last - first + 1


def test_shapes_are_fixed(cascade):
    for model in models(cascade):
        values = [*model.graph.input, *model.graph.output, *model.graph.value_info]
        dims = [d for v in values for d in v.type.tensor_type.shape.dim]
        assert dims
        assert all(d.HasField("dim_value") and d.dim_value > 0 for d in dims)
        assert max(len(v.type.tensor_type.shape.dim) for v in values) <= 4


def test_an_ort_file_carries_the_same_metadata(cascade):
    path = cascade.result.artifact / "decode.stage0_int8"
    one, other = (
        onnxruntime.InferenceSession(f"{path}{form}").get_modelmeta().custom_metadata_map
        for form in FORMS
    )
    assert one == other
    assert one["optimum_compile.stages"] == METADATA


def test_the_package_is_read_alone(cascade):
    assert json.loads(BACKEND.inspect(cascade.result.artifact)) == json.loads(METADATA)


def test_sizes_are_known_before(cascade):
    assert cascade.result.weight_bytes == predicted_bytes(cascade.graph, BACKEND)
    found = size_of(cascade.result.artifact)
    assert abs(predicted_file_bytes(cascade.graph, BACKEND) / found - 1) < 0.05
    stored = sum(
        len(t.raw_data)
        for path in cascade.result.artifact.glob("decode.*.onnx")
        for t in onnx.load(str(path)).graph.initializer
        if ".weight/" in t.name
    )
    assert cascade.result.weight_bytes == stored


def test_the_same_graph_gives_the_same_bytes(cascade, tmp_path):
    again = emitted(cascade.graph, tmp_path, BACKEND)
    for path in cascade.result.artifact.iterdir():
        assert path.read_bytes() == (again.result.artifact / path.name).read_bytes(), path.name


DECODERS = {
    "plain": {},
    "window": {"window": 5},
    "untied with biases": {"tied": False, "bias": True},
    "a head for every query": {"heads": 4, "kv_heads": 4},
}


@pytest.mark.parametrize("options", DECODERS.values(), ids=DECODERS)
def test_nothing_but_rounding_differs_from_the_oracle(options, tmp_path, monkeypatch):
    """With rounded activations left out, and codes of int8 taken as they are."""
    graph = calibrated(with_schemes(decoder(**options), {"": parse_scheme("int8")}, tmp_path))
    monkeypatch.setattr(lower_linear, "_round", lambda low, value, name: name)
    made = emitted(graph, tmp_path, BACKEND)
    for form in FORMS:
        assert measured(made, form).max_rel_err < (2e-3 if options.get("bias") else 1e-5)


@pytest.mark.parametrize("tied", [True, False])
def test_a_rotated_model_is_exact_but_for_rounding(tied, tmp_path, monkeypatch):
    graph = decoder(tied=tied)
    PassManager([RotateResidual(0, residual=True, values=True, gated=True)]).run(
        graph, PassContext()
    )
    graph = calibrated(with_schemes(graph, {"": parse_scheme("int8")}, tmp_path))
    assert any(node.op == "hadamard" for node in graph.nodes)
    monkeypatch.setattr(lower_linear, "_round", lambda low, value, name: name)
    made = emitted(graph, tmp_path, BACKEND)
    assert measured(made, ".ort").max_rel_err < 1e-5


def test_it_does_not_matter_how_a_prompt_is_cut(cascade):
    tokens = np.random.default_rng(0).integers(0, 50, 22)
    session = Session(cascade.result.artifact)
    whole = session.feed(tokens)[-1]  # 16 tokens, then six padded to 16 or one by one
    for cut in (1, 5, 21):
        session.reset()
        session.feed(tokens[:cut])
        found = session.feed(tokens[cut:])[-1]
        assert np.linalg.norm(found - whole) < 0.1 * np.linalg.norm(whole)
    session.reset()
    np.testing.assert_array_equal(session.feed(tokens)[-1], whole)


def test_what_does_not_fit_the_cache_is_refused(cascade):
    session = Session(cascade.result.artifact)
    session.feed(np.zeros(24, np.int64))
    with pytest.raises(InputError, match="the cache holds 24 tokens"):
        session.decode(0)
    session.reset()
    with pytest.raises(InputError, match="tokens: expected 0 to 49"):
        session.decode(50)


def test_a_head_in_columns_of_other_functions_has_their_lengths(tmp_path):
    graph = set_lengths(decoder(layers=1), "1,8,12")
    made = emitted(ready(graph, tmp_path), tmp_path, BACKEND)
    program = read_program(made.result.artifact)
    tokens = {f.name: f.tokens for f in program.functions}
    assert tokens == {"prefill_8": 8, "prefill_12": 12, "decode": 1}
    assert measured(made, ".onnx").cosine > 0.99


def test_graphs_without_ranges_are_refused(tmp_path):
    graph = quantised(decoder(layers=1), tmp_path, BACKEND, "uniform")
    options = EmitOptions("model", 24, 16, METADATA, tmp_path)
    with pytest.raises(UnsupportedError, match="has no calibrated range"):
        BACKEND.emit(graph, options, tmp_path / "model.nnapi")
    assert not list(tmp_path.glob("*.nnapi*"))


def test_modules_are_refused(tmp_path):
    options = EmitOptions("model", 24, 16, METADATA, tmp_path)
    with pytest.raises(UnsupportedError, match="mlp is no decoder of tokens with a KV cache"):
        BACKEND.emit(mlp(), options, tmp_path / "model.nnapi")


def test_what_a_whole_model_can_be_refused_for(monkeypatch):
    def reason(graph):
        verdict = BACKEND.supports_graph(graph)
        return "" if verdict.ok else verdict.reason

    assert reason(decoder()) == ""
    assert "is no decoder of tokens" in reason(mlp())
    twice = decoder(layers=1)
    twice.outputs.append(twice.outputs[0])
    assert "one output is expected, decoder has 2" in reason(twice)
    more = decoder(layers=1)
    more.symbols["batch"] = SymbolRange(1, 4)
    assert "shapes are fixed, but batch is a symbol" in reason(more)
    shared = decoder(layers=1)
    shared.outputs[0] = shared.states[0].written
    shared.add_node("neg", [shared.states[0].written], [shared.states[0].read.type])
    assert "each cache must have one writer and one reader" in reason(shared)
    monkeypatch.setattr(plan, "MOST_WEIGHT_BYTES", 1000)
    assert re.search(r"\d+ bytes of int8 weights, and a graph holds less", reason(decoder()))


def test_ops_without_a_form_are_refused_with_the_reason():
    b = Builder()
    x = b.input("x", "f32", 1, 4)
    cases = {
        "mixtures of experts": b.op("route", x, top_k=2, renormalise=True),
        "NNAPI has no Erf": b.op("gelu", x, approximate="none"),
        "no form of where": b.op("where", b.op("gt", x, x), x, x),
    }
    for text, value in cases.items():
        verdict = BACKEND.supports_node(value.producer)
        assert not verdict.ok
        assert text in verdict.reason
    assert BACKEND.supports_node(b.op("gelu", x, approximate="tanh").producer).ok


DAMAGE = {
    "no index": lambda text: None,
    "no JSON": lambda text: text[:-5],
    "a file elsewhere": lambda text: text.replace("decode.stage0", "../decode.stage0", 1),
    "another format": lambda text: text.replace('"format": 1', '"format": 2'),
    "a huge cache": lambda text: text.replace('"context": 24', f'"context": {1 << 40}'),
    "an unknown input": lambda text: text.replace('"past"', '"future"'),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_package_is_refused(cascade, tmp_path, damage):
    folder = tmp_path / "model.nnapi"
    shutil.copytree(cascade.result.artifact, folder)
    text = damage((folder / INDEX).read_text())
    (folder / INDEX).unlink() if text is None else (folder / INDEX).write_text(text)
    with pytest.raises(UserError, match=r"program\.json|compile again|no stage gives"):
        Session(folder).decode(1)
