"""Functions of fixed and of any length from one graph: each is executed, sessions take the largest."""

import numpy as np
import pytest
import torch
from support.emission import compared, emitted, with_schemes
from support.graphs import decoder

from optimum_compile.backends.base import BackendOptions, Tolerance
from optimum_compile.backends.executorch import logits
from optimum_compile.backends.executorch.backend import BACKEND
from optimum_compile.backends.executorch.session import Program, Session
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.passes.symbolic_shape.lengths import set_lengths

pytestmark = pytest.mark.executorch
CONTEXT = 40
TOLERANCE = Tolerance(max_rel_err=2e-3, min_top1=1.0)
PACKED = BACKEND.configured(BackendOptions("packed", "float"))


@pytest.fixture(scope="module", params=["1,4,16,1..32", "1,8"])
def made(request, tmp_path_factory):
    work = tmp_path_factory.mktemp("lengths")
    graph = set_lengths(decoder(layers=1, context=CONTEXT, max_prefill=32), request.param)
    return emitted(with_schemes(graph, {"": Float(16)}, work), work, PACKED), request.param


@pytest.fixture
def called(monkeypatch):
    names, call = [], Program.call

    def recorded(self, method, *inputs):
        names.append((method, inputs[0].shape[1] if inputs else 0))
        return call(self, method, *inputs)

    monkeypatch.setattr(Program, "call", recorded)
    return names


def test_the_comparison_executes_each_function(made, called):
    artifact, text = made
    symbolic = ["prefill"] if ".." in text else []
    fixed = [f"prefill_{n}" for n in (4, 16) if f",{n}" in text] or ["prefill_8"]
    assert list(artifact.result.functions) == [*symbolic, *fixed, "decode"]
    verdict = compared(artifact, TOLERANCE)
    assert verdict.ok, verdict.reason
    assert {n for n, _ in called} >= set(artifact.result.functions)


def test_any_prompt_has_the_oracles_logits(made, called):
    artifact, _ = made
    rng = np.random.default_rng(1)
    for count in (1, 2, 7, 16, 17, 33, CONTEXT):
        tokens = rng.integers(0, 50, (1, count))
        given = {"tokens": tokens[:, :count], "past": np.zeros(1, np.int64)}
        with torch.no_grad():
            parts, states = [], None
            for at in range(0, count, 8):
                given = {"tokens": tokens[:, at : at + 8], "past": np.array([at])}
                result = run(artifact.graph, given, states, weights="quantized")
                states = result.states
                parts.append(result.outputs[0].numpy())
        session = Session(artifact.result.artifact)
        got = session.prefill(tokens[0].tolist())
        np.testing.assert_allclose(got, np.concatenate(parts, 1)[0, -1], rtol=5e-3, atol=5e-3)
        assert session.past == count
        whole = logits.load(artifact.result.artifact)(tokens[0])
        np.testing.assert_allclose(whole[-1], got, rtol=1e-3, atol=1e-3)
    with pytest.raises(InputError, match="cache holds 40"):
        session.decode(1)
    assert all(n == int(name.split("_")[1]) for name, n in called if name.startswith("prefill_"))


def test_one_past_the_context_is_refused_before_anything_runs(made, called):
    session = Session(made[0].result.artifact)
    called.clear()
    with pytest.raises(InputError, match=r"past=0 and seq=41: .*--context"):
        session.prefill([1] * (CONTEXT + 1))
    assert called == []
