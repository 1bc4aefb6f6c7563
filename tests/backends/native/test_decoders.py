"""Decoders of every recipe as native programs, run by the runtime and compared with the oracle.

The oracle reads keys and values as fp16, as the runtime keeps them, so little is left to differ.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from support.emission import with_schemes
from support.hf import Folders
from support.plain_layout import plain_functions

from optimum_compile.backends.native.backend import BACKEND
from optimum_compile.backends.native.check import evaluate
from optimum_compile.backends.native.decode import read
from optimum_compile.backends.native.encode import encode
from optimum_compile.backends.native.lower import lower
from optimum_compile.backends.native.plan import plan_functions
from optimum_compile.backends.native.session import Model, Session
from optimum_compile.compiler.decoder import caches_of
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.kv import KvRole, KvStored, parse_kv_scheme
from optimum_compile.compiler.quant.kv_layout import kv_scratch_bytes
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.kv import kv_of
from optimum_compile.passes.precision.notes import KvPrecision
from optimum_compile.passes.precision.units import units_of
from optimum_compile.passes.symbolic_shape.lengths import set_lengths

CONTEXT, CHUNK = 24, 8
LIMIT = 1e-4  # a key next to a tie may become the other fp16 number
RECIPES = [
    ("llama", {}),
    ("llama", {"tie_word_embeddings": True, "attention_bias": True, "mlp_bias": True}),
    ("llama", {"hidden_act": "gelu_pytorch_tanh"}),
    ("mistral", {"sliding_window": 5}),
    ("qwen2", {}),
    ("qwen3", {}),
    ("mixtral", {"num_local_experts": 4}),
    ("qwen2_moe", {"num_experts": 4}),
    ("qwen3_moe", {"num_experts": 4}),
]
SCHEMES = (
    "int4:g32",
    "int8:channel",
    "uint3:g16@u6,zu6",
    "lut4:r8",
    "e0m4:g32",
    "uint4:g32@zf16",
    "vec8x4:channel@shared",
    "int4:g32+s0.01",
    "nest2-4:r8",
    "vec8x2:g32@u6",
    "int4:channel+o0.02",
    "lut3:r4+s0.005",
)


@dataclass(frozen=True)
class Made:
    graph: Graph
    path: Path
    tokens: np.ndarray
    logits: np.ndarray  # (context, vocab), of the oracle


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return Folders(tmp_path_factory)


def opened(folder: Path, context: int = CONTEXT, chunk: int = CHUNK) -> Graph:
    return open_model(folder, context=context, max_prefill=chunk).graph


def answers(graph: Graph, context: int, chunk: int) -> tuple[np.ndarray, np.ndarray]:
    """Random tokens, and the oracle's logits for all of them."""
    tokens = np.random.default_rng(3).integers(3, 96, (1, context))
    kv: dict[str, KvStored] = {s.name: Float(16) for s in graph.states}
    parts, states = [], None
    with torch.no_grad():
        for at in range(0, context, chunk):
            inputs = {"tokens": tokens[:, at : at + chunk], "past": np.array([at])}
            made = run(graph, inputs, states, weights="quantized", kv=kv | kv_of(graph))
            states = made.states
            parts.append(made.outputs[0].numpy()[0])
    return tokens[0], np.concatenate(parts)


def written(functions: tuple[Graph, ...], work: Path, name: str = "model.ocm") -> Path:
    made = lower(functions, work)
    (work / name).write_bytes(encode(made.program, '{"a":1}', made.weights.read_bytes()))
    return work / name


def made_of(graph: Graph, work: Path, context: int = CONTEXT, chunk: int = CHUNK) -> Made:
    return Made(
        graph, written(plan_functions(graph).functions, work), *answers(graph, context, chunk)
    )


def mixed(graph: Graph, work: Path) -> Graph:
    """Every scheme in turn, the same within a layer's projections of one input half of the time."""
    units = units_of(graph)
    names = {u.name: parse_scheme(SCHEMES[at % len(SCHEMES)]) for at, u in enumerate(units)}
    return with_schemes(graph, names, work)


def distance(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def assert_answers(made: Made, prompt: int, limit: float) -> Session:
    """A prompt in one go, then single tokens to the end of the context."""
    session = Model(made.path, verify_weights=True).session()
    parts = [session.run(made.tokens[:prompt])]
    session.clear_stats()
    parts += [session.run(made.tokens[at : at + 1]) for at in range(prompt, len(made.tokens))]
    assert distance(np.concatenate(parts), made.logits) < limit
    return session


@pytest.mark.parametrize(("kind", "changes"), RECIPES, ids=lambda v: str(v)[:30])
@pytest.mark.parametrize("packed", [False, True], ids=["float", "packed"])
def test_every_recipe_answers_as_the_oracle(folders, tmp_path, kind, changes, packed):
    graph = opened(folders(kind, changes))
    made = made_of(mixed(graph, tmp_path) if packed else graph, tmp_path)
    layers = sum(c.role is KvRole.KEYS for c in caches_of(graph))
    for prompt in (1, 2, 3, CHUNK, CHUNK + 5, CONTEXT):
        session = assert_answers(made, prompt, LIMIT)
        stats, steps = session.stats(), CONTEXT - prompt
        assert (stats.tokens, stats.calls, session.past) == (steps, steps, CONTEXT)
        # Keys and values are written where they stay, a row of two heads of 16 fp16 numbers each.
        assert (stats.copied_bytes, stats.cache_copied_bytes) == (0, 0)
        assert stats.kv_written_bytes == steps * layers * 2 * (2 * 16 * 2)
        with pytest.raises(InputError, match="past=24 and seq=1: the cache holds 24"):
            session.decode(5)
        with pytest.raises(InputError, match="past=24 and seq=2: the cache holds 24"):
            session.prefill([5, 6])


@pytest.mark.parametrize("kind", ["mistral", "qwen3", "mixtral"])
def test_a_layout_without_thought_gives_the_same(folders, tmp_path, kind):
    """Lowering follows the notes, whoever wrote them: here every tensor has a buffer, and moves copy."""
    changes = {"sliding_window": 5} if kind == "mistral" else {}
    graph = opened(folders(kind, changes))
    made = Made(graph, written(plain_functions(graph), tmp_path), *answers(graph, CONTEXT, CHUNK))
    for prompt in (1, CHUNK + 5):
        session = assert_answers(made, prompt, LIMIT)
        assert session.stats().copied_bytes > 0


@pytest.mark.parametrize("layout", ["planned", "plain"])
@pytest.mark.parametrize(
    ("keys", "values"),
    [
        ("kv8:g8@w4,s2", "kv8:g8@w4,s2"),
        ("kv4:g8@w4,s2", "kv2:g8@w0,s0"),
        ("kv2:g8@w4,s2", "f16"),
        ("f16", "kv4:g16@w4,s2"),
    ],
)
def test_caches_of_few_bits(folders, tmp_path, keys, values, layout):
    graph = opened(folders("mistral", {"sliding_window": 7}), 48, 40)
    for cache in caches_of(graph):
        scheme = keys if cache.role is KvRole.KEYS else values
        cache.value.notes.put(KvPrecision(parse_kv_scheme(scheme)))
    plain, logits = answers_without(graph), answers(graph, 48, 40)
    assert distance(logits[1], plain) > 1e-3  # else nothing was rounded
    functions = plan_functions(graph).functions if layout == "planned" else plain_functions(graph)
    made = Made(graph, written(functions, tmp_path), *logits)
    for prompt in (1, 3, 40, 45):
        session = assert_answers(made, prompt, LIMIT)
        if layout == "planned":
            assert session.stats().copied_bytes == 0


def answers_without(graph: Graph) -> np.ndarray:
    """The oracle's logits where nothing is rounded below 16 bits."""
    noted = {s.name: s.read.notes.get(KvPrecision) for s in graph.states}
    for state in graph.states:
        state.read.notes.drop(KvPrecision)
    logits = answers(graph, 48, 40)[1]
    for state in graph.states:
        note = noted[state.name]
        assert note is not None
        state.read.notes.put(note)
    return logits


def test_a_decoder_of_one_token_a_call(folders, tmp_path):
    made = made_of(opened(folders("llama", {}), CONTEXT, 1), tmp_path, CONTEXT, 1)
    model = Model(made.path)
    assert [f.name for f in model.functions] == ["decode"]
    for prompt in (1, 3, CONTEXT):
        assert_answers(made, prompt, LIMIT)


def test_functions_of_chosen_lengths(folders, tmp_path):
    """Prompts take the largest function that fits, and single tokens what is left."""
    graph = set_lengths(opened(folders("llama", {}), CONTEXT, CONTEXT), "1,4,16")
    made = made_of(graph, tmp_path)
    model = Model(made.path)
    found = [(f.name, f.least_seq, f.greatest_seq) for f in model.functions]
    assert found == [("prefill_4", 4, 4), ("prefill_16", 16, 16), ("decode", 1, 1)]
    for prompt, calls in ((1, 1), (3, 3), (4, 1), (22, 1 + 1 + 2)):
        session = model.session()
        assert distance(session.run(made.tokens[:prompt]), made.logits[:prompt]) < LIMIT
        assert session.stats().calls == calls
    both = set_lengths(opened(folders("llama", {}), CONTEXT, CONTEXT), "1,4,1..8")
    made = made_of(both, tmp_path)
    assert [f.name for f in Model(made.path).functions] == ["prefill", "prefill_4", "decode"]
    for prompt in (1, 4, 5, 13):
        assert_answers(made, prompt, LIMIT)


def test_sessions_share_a_model_and_begin_empty(folders, tmp_path):
    made = made_of(opened(folders("qwen2", {})), tmp_path)
    model = Model(made.path)
    first, second = model.session(), model.session()
    model.close()
    for session in (first, second):
        assert distance(session.prefill(made.tokens[:9]), made.logits[8]) < 1e-4
        assert (session.past, session.context, session.max_prefill) == (9, CONTEXT, CHUNK)
    first.reset()
    assert first.past == 0
    assert distance(first.prefill(made.tokens[:3]), made.logits[2]) < 1e-4
    assert distance(second.decode(int(made.tokens[9])), made.logits[9]) < 1e-4


def test_a_token_outside_the_vocabulary_is_refused(folders, tmp_path):
    session = Session(made_of(opened(folders("qwen2", {})), tmp_path).path)
    with pytest.raises(InputError, match="96"):
        session.prefill([1, 96])
    assert session.past == 0
    assert session.prefill([1, 95]).shape == (96,)


def test_the_same_model_makes_the_same_bytes(folders, tmp_path):
    data = []
    for name in ("a", "b"):
        work = tmp_path / name
        work.mkdir()
        graph = mixed(opened(folders("qwen3", {})), work)
        data.append(written(plan_functions(graph).functions, work).read_bytes())
    assert data[0] == data[1]


def test_the_memory_is_what_was_planned(folders, tmp_path):
    made = made_of(opened(folders("llama", {})), tmp_path)
    model = Model(made.path)
    info = model.info
    assert (info.vocabulary, info.context, info.max_prefill) == (96, CONTEXT, CHUNK)
    assert info.key_bytes == info.value_bytes == 2 * CONTEXT * 2 * 16 * 2
    assert model.metadata == BACKEND.inspect(made.path) == '{"a":1}'
    assert [(f.name, f.least_seq, f.greatest_seq) for f in model.functions] == [
        ("prefill", 1, CHUNK),
        ("decode", 1, 1),
    ]
    for seq, function in ((CHUNK, 0), (5, 0), (1, 1)):
        session = model.session()
        session.run(made.tokens[:seq])
        planned = model.planned_bytes(function, seq, 0)
        assert session.stats().arena_bytes == planned
        assert planned < 64 * seq * 20 + 1024 + kv_scratch_bytes(16, 16, 2)


def test_the_runtime_evaluates_expressions_as_they_were_meant(folders, tmp_path):
    made = made_of(opened(folders("qwen3", {})), tmp_path)
    model, program = Model(made.path), read(made.path).program
    for at, function in enumerate(program.functions):
        for seq in {function.low, 3, function.high} & {*range(function.low, function.high + 1)}:
            for past in (0, 7, CONTEXT - seq):
                wanted = evaluate(program, function.arena, {"seq": seq, "past": past})
                assert model.planned_bytes(at, seq, past) == wanted > 0
