"""Mixtures of experts in every artifact: routing with ties, whole models, bytes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support.emission import compared, emitted, quantised, run_cases
from support.graphs import Builder
from support.hf import save_folder, tiny_model

from optimum_compile.backends.base import DECISIVE_MARGIN, Backend, Call, Case, Tolerance
from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.conformance import CaseOptions, caches_at, make_cases, rounding_of
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.package.describe import predicted_bytes

COREML = pytest.param("coreml", marks=pytest.mark.coreml)
EXECUTORCH = pytest.param("executorch", marks=pytest.mark.executorch)
ONNXRUNTIME = pytest.param("onnxruntime", marks=pytest.mark.onnxruntime)
LOGITS = np.array(
    [
        [3, 2, 2, 2, -1, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0, 0],
        [-5, 1, -5, 1, 1, -5, 1, 1],
        [8, 7, 6, 5, 4, 3, 2, 1],
        [-9, -9, -9, -9, -9, -9, -9, 4],
    ],
    np.float32,
)


TOP = ((1, True), (2, True), (3, False), (8, False))


def routes() -> Graph:
    """Gates of given logits, and of those of a router whose rows are alike in pairs, for each of TOP."""
    b = Builder("routes", n=(1, 5))
    x = b.input("x", "f32", "n", 8)
    pairs = np.repeat(np.random.default_rng(0).standard_normal((4, 8)) / 8, 2, 0)
    behind = b.op("linear", x, b.weight("gate.weight", pairs.astype(np.float32)), None)
    given = [(logits, k, renormalise) for k, renormalise in TOP for logits in (x, behind)]
    return b.returns(*(b.op("route", v, top_k=k, renormalise=r) for v, k, r in given))


@pytest.mark.parametrize("name", [COREML, EXECUTORCH, ONNXRUNTIME])
def test_the_first_of_equal_experts_is_chosen(name: str, tmp_path: Path) -> None:
    backend = load_backend(name)
    graph = quantised(routes(), tmp_path, backend, "uniform", 4)
    made = emitted(graph, tmp_path, backend)
    wanted = run(graph, {"x": LOGITS}, weights="quantized").outputs
    case = Case((Call("forward", {"x": LOGITS}, tuple(o.numpy() for o in wanted)),))
    ((got,),) = run_cases(made.result.artifact, (case,))
    for found, expected in zip(got, case.calls[0].expected, strict=True):
        np.testing.assert_array_equal(found > 0, expected > 0)
        np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-4)
    for gates, (top_k, _) in zip(got[::2], TOP, strict=True):
        assert ((gates > 0).sum(-1) == top_k).all()
        assert (gates[1] > 0).tolist() == [True] * top_k + [False] * (8 - top_k)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    layers = {"mixtral": 2, "qwen3_moe": 1}
    return {
        kind: save_folder(tiny_model(kind, num_hidden_layers=n), tmp_path_factory.mktemp(kind))
        for kind, n in layers.items()
    }


def exact(made_by: Backend) -> Tolerance:
    """For Android the oracle rounds activations as the artifact does."""
    ios = made_by.platform == "ios"
    return Tolerance(max_rel_err=1e-2) if ios else Tolerance(min_cosine=0.9999, min_top1=0.99)


def models():
    for backend in (COREML, EXECUTORCH, ONNXRUNTIME):
        (name,), marks = backend.values, tuple(backend.marks)
        yield pytest.param("mixtral", 4, name, marks=marks)
        slow = () if name == "onnxruntime" else (pytest.mark.slow,)
        yield pytest.param("qwen3_moe", 8, name, marks=(*marks, *slow))


@pytest.mark.parametrize(("kind", "bits", "name"), models())
def test_a_model_agrees_with_the_oracle(
    kind: str, bits: int, name: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    backend = load_backend(name)
    graph = open_model(folders[kind], context=40, max_prefill=16).graph
    quantised(graph, tmp_path, backend, "uniform", bits)
    made = emitted(graph, tmp_path, backend)
    rounding, kv = rounding_of(graph, backend), caches_at(graph, backend)
    cases = make_cases(graph, None, None, None, CaseOptions(), rounding, kv)
    assert [len(case.calls) for case in cases] == [9] * 3  # a prefill and eight decode steps
    verdict = compared(replace(made, cases=cases), exact(backend))
    assert verdict.ok, verdict.reason
    assert verdict.steps == 27
    slack = 256 if name == "executorch" else 0
    assert abs(made.result.weight_bytes - predicted_bytes(graph, backend)) <= slack
    if name == "executorch":
        # In a layer: query, key and value; the output; all experts. And the head.
        count = 3 * len(graph.states) // 2 + 1
        assert made.result.remarks[0].startswith(f"prefill: {count} XNNPACK delegates")


@pytest.mark.coreml
@pytest.mark.slow
@pytest.mark.parametrize("seed", [12, 22])
def test_near_ties_of_experts_do_not_refuse_an_artifact(seed: int, tmp_path: Path) -> None:
    """Among the first windows of these models are some that fp16 routes otherwise than the oracle."""
    backend = load_backend("coreml")
    folder = tmp_path / "model"
    folder.mkdir()
    save_folder(tiny_model("mixtral", seed=seed, num_hidden_layers=2), folder)
    graph = open_model(folder, context=40, max_prefill=16).graph
    quantised(graph, tmp_path, backend, "uniform", 4)
    made = emitted(graph, tmp_path, backend)
    verdict = compared(made, exact(backend))
    assert verdict.ok, verdict.reason
    first = make_cases(graph, None, None, None, CaseOptions(candidates=1))
    assert min(case.margin for case in first) < 1e-3
    assert min(case.margin for case in made.cases) > DECISIVE_MARGIN


def test_gates_have_gradients() -> None:
    b = Builder()
    w = b.weight("gate.weight", np.eye(4, dtype=np.float32))
    x = b.op("linear", b.input("x", "f32", 1, 4), w, None)
    graph = b.returns(b.op("route", x, top_k=2, renormalise=False))
    result = run(graph, {"x": LOGITS[:1, 2:6]}, grad_weights=["gate.weight"])
    result.outputs[0][0, 0].backward()
    p = torch.softmax(torch.tensor(LOGITS[0, 2:6]), -1)
    slope = p[0] * (torch.eye(4)[0] - p)
    expected = slope[:, None] * torch.tensor(LOGITS[:1, 2:6])
    torch.testing.assert_close(result.weights["gate.weight"].grad, expected)
