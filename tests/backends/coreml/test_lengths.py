"""Functions of fixed lengths from one graph: each is executed, prompts take the largest that fits."""

import numpy as np
import pytest
from support.emission import emitted, with_schemes
from support.graphs import decoder

from optimum_compile.backends.base import Call, Tolerance
from optimum_compile.backends.coreml.backend import BACKEND
from optimum_compile.backends.coreml.interpreter import Package
from optimum_compile.backends.coreml.runner import run_call
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.passes.symbolic_shape.lengths import set_lengths

pytestmark = pytest.mark.coreml
CONTEXT = 40


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    work = tmp_path_factory.mktemp("lengths")
    graph = set_lengths(decoder(layers=1, context=CONTEXT, max_prefill=32), "1,4,16")
    return emitted(with_schemes(graph, {"": Float(16)}, work), work, BACKEND)


@pytest.fixture
def called(monkeypatch):
    names, call = [], Package.call

    def recorded(self, function, inputs):
        names.append((function, inputs["tokens"].shape[1]))
        return call(self, function, inputs)

    monkeypatch.setattr(Package, "call", recorded)
    return names


def prompt(package, count, past=0):
    tokens = np.arange(count)[None] % 50
    return run_call(package, Call("prefill", {"tokens": tokens, "past": np.array([past])}, ()))[0]


def test_the_comparison_executes_each_function(made, called):
    assert made.result.functions == ("prefill_4", "prefill_16", "decode")
    verdict = BACKEND.verify(made.result.artifact, made.cases, Tolerance(max_rel_err=1e-2))
    assert verdict.ok, verdict.reason
    package = Package(made.result.artifact)
    for case in made.cases:
        package.reset()
        for call in case.calls:
            run_call(package, call)
    assert {n for n, _ in called} == set(made.result.functions)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, [("decode", 1)]),
        pytest.param(3, [("prefill_4", 4)], marks=pytest.mark.slow),
        (21, [("prefill_16", 16), ("prefill_4", 4), ("decode", 1)]),
        pytest.param(
            39,
            [("prefill_16", 16), ("prefill_16", 16), ("prefill_4", 4), ("prefill_4", 4)],
            marks=pytest.mark.slow,
        ),
    ],
)
def test_prompts_take_the_largest_that_fits(made, called, count, expected):
    package = Package(made.result.artifact)
    logits = prompt(package, count)
    assert logits.shape[:2] == (1, count)
    assert called == expected
    package.reset()
    one = np.concatenate([prompt(package, 1, at) for at in range(1)], 1)
    np.testing.assert_allclose(logits[:, :1], one, rtol=2e-2, atol=2e-2)


def test_one_past_the_context_is_an_error(made):
    with pytest.raises(InputError, match=r"past=39 and seq=2: the cache holds 40"):
        prompt(Package(made.result.artifact), 2, past=39)
