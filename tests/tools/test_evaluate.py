"""Figures against `transformers` itself, against the oracle, and what is shown."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from support.models import (
    CONTEXT,
    VOCAB,
    copy_bundle,
    shared_bundle,
    shared_model,
    tiny_llama,
    tiny_weights,
)
from transformers import AutoModelForCausalLM, AutoTokenizer

from optimum_compile.backends.executorch.backend import BACKEND
from optimum_compile.compiler.api import plan, prepare
from optimum_compile.compiler.calibration import load_tokenizer, read_text
from optimum_compile.compiler.errors import ToolchainError
from optimum_compile.compiler.options import options_from
from optimum_compile.compiler.quant.activations import ActivationKind, rounded
from optimum_compile.tools.score import GraphLogits, score, text_windows

REFERENCE = Path(__file__).parents[2] / "models/reference"
EVALUATION = REFERENCE / "evaluation.json"
KEYS = "perplexity nll kl_mean kl_p99 top1_agreement tokens bits_per_weight weight_bytes".split()
STORY = "Ana had a boat. The boat was red. She took it to the river and sang a song to it."


@pytest.fixture(scope="module")
def other_model(tmp_path_factory):
    """The tiny model with a little noise on its weights."""
    noise = np.random.default_rng(5)
    weights = {
        name: (w + 0.05 * noise.standard_normal(w.shape)).astype(np.float16)
        for name, w in tiny_weights().items()
    }
    return tiny_llama(tmp_path_factory.mktemp("other") / "noisy", weights=weights)


def hugging_face(folder):
    """The model and its tokenizer, by `transformers` alone."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    return model, AutoTokenizer.from_pretrained(folder)


def test_documents_give_the_perplexity_of_a_plain_hugging_face_loop(cli, text):
    documents = json.loads(EVALUATION.read_text())[:4]
    model, tokenizer = hugging_face(REFERENCE)
    total, count = 0.0, 0
    for document in documents:
        ids = torch.tensor([[tokenizer.bos_token_id, *_plain(tokenizer, document)][:90]])
        with torch.no_grad():
            loss = model(ids, labels=ids).loss
        total, count = total + float(loss) * (ids.shape[1] - 1), count + ids.shape[1] - 1
    done = cli("evaluate", REFERENCE, "--text", text(documents), "--seqlen", 90, "--json").json()
    assert list(done)[: len(KEYS)] == KEYS
    assert done["tokens"] == count
    assert done["nll"] == pytest.approx(total / count, abs=1e-4)
    assert done["perplexity"] == pytest.approx(math.exp(total / count), rel=1e-4)
    assert (done["kl_mean"], done["kl_p99"], done["top1_agreement"]) == (None, None, None)
    assert (done["bits_per_weight"], done["weight_bytes"]) == (16, 2 * 5_246_208)
    assert done["evaluated_by"] == "reference executor"


def _plain(tokenizer, document):
    """Ids without special tokens."""
    return tokenizer(document, add_special_tokens=False).input_ids


@pytest.mark.parametrize("stride", [None, 40, 96])
def test_a_stream_gives_the_perplexity_of_the_usual_strided_loop(cli, text, stride):
    words = "\n\n".join(json.loads(EVALUATION.read_text())[4:7])
    model, tokenizer = hugging_face(REFERENCE)
    ids = torch.tensor([[tokenizer.bos_token_id, *_plain(tokenizer, words)]])
    total, count, previous, length, step = 0.0, 0, 0, 96, stride or 96
    for begin in range(0, ids.shape[1], step):
        end = min(begin + length, ids.shape[1])
        targets = ids[:, begin:end].clone()
        targets[:, : previous - begin] = -100
        scored = int((targets[:, 1:] != -100).sum())  # transformers shifts the labels
        if scored:
            with torch.no_grad():
                loss = model(ids[:, begin:end], labels=targets).loss
            total, count = total + float(loss) * scored, count + scored
        previous = end
        if end == ids.shape[1]:
            break
    extra = () if stride is None else ("--stride", stride)
    done = cli(
        "evaluate", REFERENCE, "--text", text(words), "--seqlen", length, *extra, "--json"
    ).json()
    assert (done["tokens"], done["stride"]) == (count, step)
    assert done["nll"] == pytest.approx(total / count, abs=1e-4)


def test_divergence_and_agreement_are_those_of_a_plain_hugging_face_loop(cli, text, other_model):
    documents = [STORY[:40], STORY[20:]]
    model, tokenizer = hugging_face(other_model)
    reference, _ = hugging_face(shared_model())
    kl, same = [], []
    for document in documents:
        ids = torch.tensor([tokenizer(document).input_ids[:CONTEXT]])
        with torch.no_grad():
            p, q = (m(ids).logits[0, :-1].log_softmax(-1) for m in (reference, model))
        kl += (p.exp() * (p - q)).sum(-1).tolist()
        same += (p.argmax(-1) == q.argmax(-1)).tolist()
    arguments = (other_model, "--text", text(documents), "--reference", shared_model())
    done = cli("evaluate", *arguments, "--json").json()
    assert done["tokens"] == len(kl)
    assert done["kl_mean"] == pytest.approx(np.mean(kl), abs=1e-4)
    assert done["kl_p99"] == pytest.approx(np.percentile(kl, 99), abs=1e-4)
    assert done["top1_agreement"] == pytest.approx(np.mean(same))
    assert 0.01 < done["kl_mean"] < done["kl_p99"]
    shown = cli("evaluate", *arguments).out
    assert f"KL mean {done['kl_mean']:.5f}" in shown
    assert f"perplexity {done['perplexity']:.4f}" in shown


@pytest.fixture(scope="module")
def oracle(tmp_path_factory):
    """What the quantised oracle of the shared bundle scores on STORY."""
    work = tmp_path_factory.mktemp("oracle")
    wanted = plan(
        shared_model(), ["ios:coreml"], options_from({"output": str(work), "policy": "cascade"})
    )
    prepare(wanted, work)
    tokenizer = load_tokenizer(wanted.model.tokenizer_files)
    path = work / "story.json"
    path.write_text(json.dumps([STORY]))
    windows = text_windows(read_text(str(path)), tokenizer, 1, CONTEXT)
    graph = wanted.model.graph
    return score(windows, GraphLogits(graph, "quantized"), GraphLogits(graph, "float"))


@pytest.mark.coreml
def test_a_bundle_is_evaluated_by_running_its_package(cli, text, oracle):
    bundle = shared_bundle()
    arguments = ("--text", text([STORY]), "--reference", shared_model())
    done = cli("evaluate", bundle.path, *arguments, "--json").json()
    assert (done["evaluated_by"], done["artifact"]) == ("MIL interpreter", "ios/tiny.mlpackage")
    assert done["file_bytes"] == bundle.manifest.artifacts[0].file_bytes
    assert done["weight_bytes"] == bundle.manifest.weight_bytes
    assert done["bits_per_weight"] == bundle.manifest.bits_per_weight
    assert done["tokens"] == oracle.tokens
    assert done["nll"] == pytest.approx(oracle.nll, abs=2e-3)
    assert done["kl_mean"] == pytest.approx(oracle.kl_mean, rel=0.02)


@pytest.mark.executorch
def test_the_android_artifact_is_evaluated_in_its_runtime(cli, text):
    pytest.importorskip("executorch")
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed; it builds the packed operators")
    bundle, words = shared_bundle("android"), text([STORY, STORY[10:]])
    arguments = ("--text", words, "--reference", shared_model(), "--json")
    done = cli("evaluate", bundle.path, *arguments).json()
    assert done["evaluated_by"].startswith("ExecuTorch runtime ")
    assert done["artifact"] == "android/tiny.pte"
    assert 0 < done["kl_mean"] < 1
    # One window's cache must not reach into the next, and the order must not matter.
    windows = [np.arange(3, 3 + n) for n in (CONTEXT, 5, 20)]
    with BACKEND.logits(bundle.path / "android/tiny.pte") as predict:
        first, again = [predict(w) for w in windows], [predict(w) for w in reversed(windows)]
    assert all(np.array_equal(a, b) for a, b in zip(first, reversed(again), strict=True))
    assert [len(f) for f in first] == [CONTEXT, 5, 20]


def test_int8_activations_are_those_of_a_hugging_face_model_whose_inputs_are_rounded(cli, text):
    model, tokenizer = hugging_face(shared_model())

    def round_input(module, given):
        return torch.from_numpy(rounded(given[0].numpy(), ActivationKind.ASYMMETRIC_INT8))

    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            module.register_forward_pre_hook(round_input)
    ids = torch.tensor([tokenizer(STORY).input_ids[:CONTEXT]])
    with torch.no_grad():
        wanted = float(model(ids, labels=ids).loss)
    arguments = (shared_model(), "--text", text([STORY]), "--json")
    done = cli("evaluate", *arguments, "--activations", "int8").json()
    floats = cli("evaluate", *arguments).json()
    assert done["nll"] == pytest.approx(wanted, abs=1e-4)
    assert (done["activations"], floats["activations"]) == ("int8", "float")
    assert abs(done["nll"] - floats["nll"]) > 2e-4


def test_artifacts_round_activations_by_themselves(cli, text):
    arguments = (shared_bundle().path, "--text", text(STORY), "--activations", "int8")
    done = cli("evaluate", *arguments)
    assert done.code == 2
    assert "is a bundle, whose artifacts round by themselves" in done.err


def test_the_number_of_tokens_can_be_bounded(cli, text):
    words = text(STORY)
    for count in (1, 30):
        arguments = ("--text", words, "--seqlen", 16, "--max-tokens", count, "--json")
        assert cli("evaluate", shared_model(), *arguments).json()["tokens"] == count


class Stub:
    """A runtime that predicts every token alike, or nothing at all."""

    executed_by = "stub"

    def __enter__(self):
        return self

    def __exit__(self, *rest):
        return None

    def __call__(self, tokens):
        return np.zeros((len(tokens), VOCAB), np.float32)


@pytest.fixture
def stub(monkeypatch):
    from optimum_compile.backends.coreml.backend import CoreMLBackend

    shared_bundle()
    monkeypatch.setattr(CoreMLBackend, "logits", lambda self, artifact, width: Stub())
    return Stub


def test_an_artifact_can_be_named_and_what_ran_is_shown(cli, text, stub):
    arguments = ("--text", text(STORY), "--artifact", "ios")
    shown = cli("evaluate", shared_bundle().path, *arguments).out.splitlines()
    assert f"perplexity {VOCAB}.0000 ({math.log(VOCAB):.4f} nats a token)" in shown[0]
    assert shown[-1] == "evaluated by: stub on ios/tiny.mlpackage"


def test_text_of_the_same_name_as_the_calibration_text_is_warned_about(cli, tmp_path, text, stub):
    bundle = copy_bundle(tmp_path)
    file = bundle / "manifest.json"
    manifest = json.loads(file.read_text())
    manifest["source"]["calibration"] = "stories.txt"
    file.write_text(json.dumps(manifest))
    seen = cli("evaluate", bundle, "--text", text(STORY, "stories.txt"), "--json")
    assert seen.json()["nll"] == pytest.approx(math.log(VOCAB))
    assert "warning: " in seen.err
    assert "was calibrated on text of the same name, stories.txt" in seen.err
    assert "warning" not in cli("evaluate", bundle, "--text", text(STORY, "others.txt")).err


def test_a_stride_says_nothing_about_documents(cli, text):
    done = cli("evaluate", shared_model(), "--text", text([STORY]), "--stride", 8, "--json")
    assert "--stride is for plain text; documents are taken alone" in done.err
    assert done.json()["stride"] is None


def test_a_hopeless_model_is_still_one_json_document(cli, text, stub, monkeypatch):
    monkeypatch.setattr(
        stub, "__call__", lambda self, tokens: np.eye(VOCAB)[np.zeros_like(tokens)] * 1e6
    )
    arguments = ("evaluate", shared_bundle().path, "--text", text(STORY))
    done = cli(*arguments, "--json").json()
    assert (done["perplexity"], done["nll"]) == (None, pytest.approx(1e6))
    assert "perplexity beyond 1e308" in cli(*arguments).out


def test_an_artifact_of_nan_is_refused(cli, text, stub, monkeypatch):
    monkeypatch.setattr(
        stub, "__call__", lambda self, tokens: np.full((len(tokens), VOCAB), np.nan)
    )
    done = cli("evaluate", shared_bundle().path, "--text", text(STORY))
    assert (done.code, "the logits of the model are NaN or infinite" in done.err) == (3, True)


def test_an_sdk_that_fails_ends_with_its_code(cli, text, stub, monkeypatch):
    def fail(self, tokens):
        raise ToolchainError("broken")

    monkeypatch.setattr(stub, "__call__", fail)
    done = cli("evaluate", shared_bundle().path, "--text", text(STORY))
    assert (done.code, "toolchain: broken" in done.err) == (70, True)
