"""The reference model at its full context: prompts of many lengths, and as many single tokens as fit."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support.emission import with_schemes

from optimum_compile.backends.native.encode import encode
from optimum_compile.backends.native.lower import lower
from optimum_compile.backends.native.plan import plan_functions
from optimum_compile.backends.native.session import Model
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.compiler.quant.scheme_text import parse_scheme

REFERENCE = Path(__file__).resolve().parents[3] / "models" / "reference"
CONTEXT, CHUNK = 512, 128


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The model in int4, its tokens, and the oracle's logits (512, 2048) where keys and values are fp16."""
    work = tmp_path_factory.mktemp("reference")
    graph = open_model(REFERENCE, context=CONTEXT, max_prefill=CHUNK).graph
    with_schemes(graph, {"": parse_scheme("int4:g32")}, work)
    tokens = np.random.default_rng(5).integers(3, 2048, CONTEXT)
    kv = {s.name: Float(16) for s in graph.states}
    parts, states = [], None
    with torch.no_grad():
        for at in range(0, CONTEXT, CHUNK):
            inputs = {"tokens": tokens[None, at : at + CHUNK], "past": np.array([at])}
            step = run(graph, inputs, states, weights="quantized", kv=kv)
            states = step.states
            parts.append(step.outputs[0].numpy()[0])
    lowered = lower(plan_functions(graph).functions, work)
    path = work / "reference.ocm"
    path.write_bytes(encode(lowered.program, "{}", lowered.weights.read_bytes()))
    return Model(path, verify_weights=True), tokens, np.concatenate(parts)


def relative(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


@pytest.mark.parametrize("prompt", [1, 2, 3, 63, 64, 65, 500])
def test_one_program_answers_prompts_of_every_length(made, prompt):
    model, tokens, logits = made
    session = model.session()
    assert relative(session.run(tokens[:prompt]), logits[:prompt]) < 2e-4
    session.clear_stats()
    steps = CONTEXT - 1 if prompt == 1 else 12
    for at in range(prompt, prompt + steps):
        found = session.decode(tokens[at])
        assert relative(found, logits[at]) < 2e-4
        assert found.argmax() == logits[at].argmax()
    stats = session.stats()
    assert (stats.copied_bytes, stats.cache_copied_bytes) == (0, 0)
    assert stats.kv_written_bytes == steps * 6 * 2 * (2 * 64 * 2)


def test_decoding_goes_on_to_the_end_of_the_context_and_no_further(made):
    model, tokens, logits = made
    session = model.session()
    session.prefill(tokens[:500])
    last = [session.decode(token) for token in tokens[500:]]
    assert relative(np.stack(last), logits[500:]) < 2e-4
    with pytest.raises(InputError, match="past=512 and seq=1: the cache holds 512"):
        session.decode(5)
    assert session.past == CONTEXT
