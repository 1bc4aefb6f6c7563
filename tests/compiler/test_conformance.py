import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.graphs import Builder, decoder, mlp
from support.hf import save_folder, tiny_model
from support.models import BOS, shared_bundle, shared_model, tiny_tokenizer

import optimum_compile as oc
from optimum_compile.backends.base import DECISIVE_MARGIN, SAME_DIRECTION, Tolerance
from optimum_compile.backends.catalog import load_backend
from optimum_compile.backends.traits import Rounded
from optimum_compile.compiler import api, routing
from optimum_compile.compiler.calibration import TextSource, read_text
from optimum_compile.compiler.conformance import (
    CaseOptions,
    make_cases,
    module_cases,
    token_windows,
    tolerance_for,
)
from optimum_compile.compiler.decoder import context_of, is_decoder, vocabulary
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.package.cases import CASES, load_answers
from optimum_compile.compiler.pass_manager import PassManager
from optimum_compile.compiler.quant.activations import ActivationKind
from optimum_compile.passes.precision.assign import AssignPrecision
from optimum_compile.passes.precision.quantize import QuantizeWeights
from optimum_compile.tools.verify import verify_bundle


def cases_of(graph, **options):
    return make_cases(graph, None, None, None, CaseOptions(**options))


def shape(case):
    return [(c.function, c.inputs["tokens"].shape[1], int(c.inputs["past"][0])) for c in case.calls]


def test_a_decoder_has_tokens_a_position_and_states():
    assert is_decoder(decoder())
    assert not is_decoder(mlp())
    renamed = decoder()
    renamed.inputs[0].name = "input_ids"
    assert not is_decoder(renamed)
    stateless = decoder()
    stateless.states.clear()
    assert not is_decoder(stateless)


def test_vocabulary_and_context_are_those_of_the_tables():
    assert (vocabulary(decoder(vocab=37)), context_of(decoder(context=19))) == (37, 19)
    assert (vocabulary(mlp()), context_of(mlp())) == (2, None)


def test_three_windows_of_one_prefill_and_eight_decode_steps():
    cases = cases_of(decoder(context=40, max_prefill=32))
    assert [shape(c)[0] for c in cases] == [
        ("prefill", 16, 0),
        ("prefill", 10, 0),
        ("prefill", 5, 0),
    ]
    for case in cases:
        prompt = shape(case)[0][1]
        assert shape(case)[1:] == [("decode", 1, prompt + i) for i in range(8)]
        assert [c.expected[0].shape for c in case.calls] == [(1, prompt, 50)] + [(1, 1, 50)] * 8


@given(
    context=st.integers(1, 40),
    max_prefill=st.integers(1, 40),
    count=st.integers(1, 4),
    steps=st.integers(1, 9),
)
@settings(max_examples=25, deadline=None)
def test_cases_fit_any_cache_and_any_chunk(context, max_prefill, count, steps):
    max_prefill = min(max_prefill, context)
    graph = decoder(1, 8, 2, 1, 8, 11, context=context, max_prefill=max_prefill)
    cases = cases_of(graph, count=count, steps=steps)
    assert len(cases) == count
    for case in cases:
        (function, prompt, _), *decodes = shape(case)
        assert function == "prefill"
        assert 1 <= prompt <= max_prefill
        assert [past for _, _, past in decodes] == list(range(prompt, prompt + len(decodes)))
        assert prompt + len(decodes) <= context
        assert len(decodes) == min(steps, context - prompt)


def test_expected_answers_are_those_of_one_long_call():
    graph = decoder(context=40, max_prefill=32)
    for case in cases_of(graph):
        tokens = np.concatenate([c.inputs["tokens"] for c in case.calls], axis=1)
        with torch.no_grad():
            whole = run(graph, {"tokens": tokens, "past": np.zeros(1, np.int64)}).outputs[0]
        for call in case.calls:
            past, count = int(call.inputs["past"][0]), call.inputs["tokens"].shape[1]
            part = whole[:, past : past + count].numpy()
            np.testing.assert_allclose(call.expected[0], part, rtol=1e-4, atol=1e-5)


def test_a_prompt_longer_than_the_chunk_is_cut_to_it():
    cases = cases_of(decoder(context=40, max_prefill=4))
    assert [shape(c)[0] for c in cases] == [("prefill", 4, 0)] * 3


def test_expected_answers_are_those_of_the_quantised_weights(tmp_path):
    graph = decoder(context=40)
    before = cases_of(graph)[0].calls[0].expected[0]
    passes = [AssignPrecision(policy="uniform", bits=2), QuantizeWeights(tmp_path)]
    PassManager(passes).run(graph)
    after = cases_of(graph)[0].calls[0].expected[0]
    error = np.linalg.norm(after - before) / np.linalg.norm(before)
    assert 0.05 < error < 1.5


def test_cases_depend_on_the_seed_alone():
    def tokens(seed):
        return [
            [*shape(c), c.calls[0].inputs["tokens"].tolist()] for c in cases_of(mine, seed=seed)
        ]

    mine = decoder()
    assert tokens(1) == tokens(1)
    assert tokens(1) != tokens(2)


@pytest.fixture(scope="module")
def mixture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mixtral")
    save_folder(tiny_model("mixtral", seed=22, num_hidden_layers=2), folder)
    return open_model(folder, context=40, max_prefill=24).graph


def tokens_of(case):
    return np.concatenate([c.inputs["tokens"] for c in case.calls], axis=1)


def margin_of(graph, tokens):
    """By hand: from the second greatest to the third greatest of eight logits, in deviations."""
    found, routed = [], [n.input(0) for n in graph.nodes if n.op == "route"]
    assert len(routed) == 2

    def look(node, outputs):
        if node.outputs[0] in routed:
            rows = np.sort(outputs[0].numpy().reshape(-1, 8), -1)
            found.extend((rows[:, 6] - rows[:, 5]) / rows.std(-1))

    inputs = {"tokens": tokens, "past": np.zeros(1, np.int64)}
    run(graph, inputs, weights="quantized", observe=look)
    assert len(found) == 2 * tokens.shape[1]
    return min(found)


@pytest.mark.parametrize("decisive", [DECISIVE_MARGIN, 10.0])
def test_a_mixture_is_compared_where_its_routing_is_decided(mixture, monkeypatch, decisive):
    monkeypatch.setattr(routing, "DECISIVE_MARGIN", decisive)
    windows = token_windows(mixture, None, None, None, CaseOptions(count=24))
    cases = cases_of(mixture, candidates=8)
    assert [shape(c)[0][1] for c in cases] == [16, 10, 5]
    for index, case in enumerate(cases):
        length = tokens_of(case).shape[1]
        candidates = [np.array([w[:length]]) for w in windows[index::3]]
        margins = [margin_of(mixture, tokens) for tokens in candidates]
        decided = [at for at, margin in enumerate(margins) if margin >= decisive]
        best = decided[0] if decided else int(np.argmax(margins))
        np.testing.assert_array_equal(tokens_of(case), candidates[best])
        assert case.margin == pytest.approx(margins[best], rel=1e-3)
        assert case.margin > 1.5 * margins[0] or best == 0


def test_a_graph_without_routes_has_its_first_inputs():
    for graph in (decoder(context=40), mlp()):
        for one, many in zip(
            cases_of(graph, candidates=1), cases_of(graph, candidates=8), strict=True
        ):
            assert many.margin == math.inf
            for a, b in zip(one.calls, many.calls, strict=True):
                for name, data in a.inputs.items():
                    np.testing.assert_array_equal(data, b.inputs[name])
                np.testing.assert_array_equal(a.expected[0], b.expected[0])


def test_a_module_with_routes_chooses_among_its_inputs():
    b = Builder("routed")
    gate = b.weight("gate", np.random.default_rng(0).standard_normal((8, 4)).astype(np.float32))
    logits = b.op("linear", b.input("x", "f32", 16, 4), gate, None)
    graph = b.returns(b.op("route", logits, top_k=2, renormalise=True))
    for index, case in enumerate(cases_of(graph, candidates=4)):
        tried = [cases_of(graph, count=1, seed=index + 3 * at, candidates=1)[0] for at in range(4)]
        decided = [c for c in tried if c.margin >= DECISIVE_MARGIN]
        best = decided[0] if decided else max(tried, key=lambda c: c.margin)
        assert case.margin == best.margin
        np.testing.assert_array_equal(case.calls[0].inputs["x"], best.calls[0].inputs["x"])


def test_windows_come_from_the_text_and_are_filled_up_at_random():
    graph = decoder(vocab=96, context=40)
    text = TextSource(read_text(None).documents[:4], is_stream=False, label="four")
    found = token_windows(graph, text, tiny_tokenizer(), BOS, CaseOptions(count=6))
    assert [len(w) for w in found] == [24] * 6
    for window, document in zip(found[:4], text.documents, strict=True):
        assert window == tiny_tokenizer().encode(document).ids[:24]
    assert found[4] != found[5]


def test_a_bundle_records_the_cases_that_it_was_compared_on():
    answers = load_answers(shared_bundle().path / CASES)
    assert list(answers) == ["ios"]
    cases = answers["ios"]
    assert [len(c.calls) for c in cases] == [9, 9, 9]
    text = read_text(None).documents[0]
    recorded = cases[0].calls[0].inputs["tokens"][0].tolist()
    assert recorded == tiny_tokenizer().encode(text).ids[:16]


def test_rounded_activations_move_the_answers_a_little_and_nothing_else():
    graph = decoder(context=40)
    kinds = {
        n.input(1).name: ActivationKind.ASYMMETRIC_INT8 for n in graph.nodes if n.op == "linear"
    }
    plain = cases_of(graph)
    moved = make_cases(graph, None, None, None, CaseOptions(), kinds)
    for before, after in zip(plain, moved, strict=True):
        assert shape(before) == shape(after)
        for a, b in zip(before.calls, after.calls, strict=True):
            assert a.inputs["tokens"].tolist() == b.inputs["tokens"].tolist()
            error = np.linalg.norm(a.expected[0] - b.expected[0]) / np.linalg.norm(a.expected[0])
            assert 1e-3 < error < 0.1
    first = cases_of(mlp())[0].calls[0].expected[0]
    rounded = make_cases(mlp(), None, None, None, CaseOptions(), {"up.weight": kinds.popitem()[1]})
    assert not np.array_equal(first, rounded[0].calls[0].expected[0])


def test_platforms_that_round_alike_share_their_answers(tmp_path):
    def answers(name, **values):
        both = ["ios:coreml", "android:executorch"]
        given = {"calibration": "none", "output": str(tmp_path / name), **values}
        plan = oc.plan(shared_model(), both, **given)
        (tmp_path / name).mkdir()
        api.prepare(plan, tmp_path / name)
        return api._cases(plan, None, None, None)

    found = answers("rounded", policy="uniform", bits=8)
    floats, rounded = (found[p][0].calls[0] for p in ("ios", "android"))
    assert floats.inputs["tokens"].tolist() == rounded.inputs["tokens"].tolist()
    assert not np.array_equal(floats.expected[0], rounded.expected[0])
    shared = answers("shared", policy="uniform", bits=2)
    assert shared["ios"] is shared["android"]


@pytest.mark.executorch
def test_an_android_bundle_records_the_answers_of_its_activations():
    bundle = shared_bundle("android")
    (case, *_) = load_answers(bundle.path / CASES)["android"]
    (floats, *_) = load_answers(shared_bundle().path / CASES)["ios"]
    for a, b in zip(case.calls, floats.calls, strict=True):
        assert a.inputs["tokens"].tolist() == b.inputs["tokens"].tolist()
        assert not np.array_equal(a.expected[0], b.expected[0])
    assert all(c.ok and c.max_rel_err < 1e-2 for c in verify_bundle(bundle))


def test_a_module_is_called_once_per_case_with_seeded_inputs():
    cases = cases_of(mlp())
    assert [[c.function for c in case.calls] for case in cases] == [["forward"]] * 3
    inputs = [case.calls[0].inputs["x"] for case in cases]
    assert all(i.shape == (64, 8) for i in inputs)
    assert len({i.tobytes() for i in inputs}) == 3
    again = cases_of(mlp())
    assert again[2].calls[0].inputs["x"].tobytes() == inputs[2].tobytes()


def test_integer_inputs_stay_within_their_table_and_masks_show_everything():
    b = Builder("pick")
    ids, mask = b.input("ids", "i64", 5), b.input("mask", "i64", 5)
    table = b.weight("t", np.eye(3, dtype=np.float32))
    graph = b.returns(b.op("embedding", ids, table), mask)
    for case in cases_of(graph):
        inputs = case.calls[0].inputs
        assert set(inputs["ids"].tolist()) <= {0, 1, 2}
        assert inputs["mask"].tolist() == [1] * 5


def test_an_oracle_that_overflows_is_refused():
    b = Builder("overflow")
    x = b.input("x", "f32", 4, 4)
    graph = b.returns(b.op("log", b.op("abs", b.op("sub", x, x))))
    with pytest.raises(InputError, match="the model's own output is NaN or infinite"):
        module_cases(graph, CaseOptions())


def assigned(bits):
    graph = decoder()
    PassManager([AssignPrecision(policy="uniform", bits=bits)]).run(graph)
    return graph


@pytest.mark.parametrize("name", ["coreml", "executorch", "onnxruntime", "native", "gpu"])
def test_sixteen_bits_are_held_to_the_tightest_tolerance(name):
    for graph in (decoder(), assigned(16)):
        tolerance = tolerance_for(load_backend(name), graph)
        assert (tolerance.max_rel_err, tolerance.min_top1) == (2e-3, 1.0)


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_quantised_graphs_are_held_to_that_of_their_backend(bits):
    limits = {"coreml": 1e-2, "gpu": 1e-2, "native": 1e-3, "onnxruntime": 1e-3, "tvm": 1e-4}
    for name, limit in limits.items():
        assert tolerance_for(load_backend(name), assigned(bits)).max_rel_err == limit
    android = tolerance_for(load_backend("executorch"), assigned(bits))
    assert (android.min_cosine, android.min_top1) == (0.999, 0.95)


def test_rounded_activations_and_caches_ask_for_less():
    onnx, native = load_backend("onnxruntime"), load_backend("native")
    assert onnx.tolerance(Rounded(weights=True, activations=True)) == SAME_DIRECTION
    assert onnx.tolerance(Rounded(weights=False, kv_bits=8)).max_rel_err == 5e-3
    assert onnx.tolerance(Rounded(weights=False, kv_bits=4)) == SAME_DIRECTION
    assert native.tolerance(Rounded(weights=True, kv_bits=4)).max_rel_err == 2e-3
    assert load_backend("gguf").tolerance(Rounded(weights=True)) == Tolerance()
