"""Figures against `transformers` itself, against the oracle, and every refusal."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from support.archives import save_archive
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
from optimum_compile.compiler.package.writer import file_entries
from optimum_compile.compiler.quant.activations import ActivationKind, rounded
from optimum_compile.tools.score import GraphLogits, score, text_windows

REFERENCE = Path(__file__).parents[2] / "models/reference"
EVALUATION = REFERENCE / "evaluation.json"
KEYS = "perplexity nll kl_mean kl_p99 top1_agreement tokens bits_per_weight weight_bytes".split()
STORY = "Ana had a boat. The boat was red. She took it to the river and sang a song to it."


@pytest.fixture
def text(tmp_path):
    def write(content, name=None):
        is_list = isinstance(content, list)
        path = tmp_path / (name or ("documents.json" if is_list else "stream.txt"))
        path.write_text(json.dumps(content) if is_list else content)
        return path

    return write


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
    wanted = plan(shared_model(), ["ios"], options_from({"output": str(work)}))
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


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--seqlen", "1"], 2, "seqlen=1: expected 2 tokens or more"),
        (["--seqlen", str(CONTEXT + 1)], 2, f"seqlen={CONTEXT + 1}: the model was made for"),
        (["--seqlen", "8", "--stride", "9"], 2, "stride=9: expected at most seqlen (8)"),
        (["--stride", str(CONTEXT + 1)], 2, f"from 1 to seqlen ({CONTEXT})"),
        (["--stride", "0"], 2, "stride=0: expected a positive number"),
        (["--max-tokens", "0"], 2, "max-tokens=0: expected a positive number"),
        (
            ["--artifact", "windows"],
            2,
            "artifact 'windows': expected one of ios, ios:coreml, android",
        ),
        (["--artifact", "ios"], 2, "is a model, and only a bundle has artifacts"),
        (["--reference", "nowhere"], 3, "nowhere: no such file or folder"),
        (["--nope"], 2, "unrecognized arguments: --nope"),
    ],
)
def test_a_bad_request_is_refused_with_what_is_allowed(cli, text, arguments, code, message):
    done = cli("evaluate", shared_model(), "--text", text(STORY), *arguments)
    assert (done.code, done.out) == (code, "")
    assert message in done.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        ("", 3, "stream.txt: the file is empty"),
        (["", " "], 3, "documents.json: no text in it"),
        ([], 3, "documents.json: no text in it"),
    ],
)
def test_a_file_without_text_is_refused(cli, text, content, code, message):
    done = cli("evaluate", shared_model(), "--text", text(content))
    assert (done.code, message in done.err) == (code, True)


def test_text_is_needed(cli):
    missing = cli("evaluate", shared_model(), "--text", "nowhere.txt")
    assert (missing.code, "nowhere.txt: cannot read the text" in missing.err) == (3, True)
    none = cli("evaluate", shared_model(), "--text", "none")
    assert (none.code, "text 'none': expected a text file or a JSON" in none.err) == (2, True)
    absent = cli("evaluate", shared_model())
    assert (absent.code, "required: --text" in absent.err) == (2, True)


def test_one_token_predicts_nothing(cli, tmp_path, text):
    model = tiny_llama(tmp_path / "plain")
    (model / "tokenizer_config.json").unlink()
    tokenizer = json.loads((model / "tokenizer.json").read_text()) | {"post_processor": None}
    (model / "tokenizer.json").write_text(json.dumps(tokenizer))
    done = cli("evaluate", model, "--text", text("x"))
    assert (done.code, "stream.txt: fewer than two tokens of text" in done.err) == (3, True)


def test_a_model_or_bundle_without_a_tokenizer_reads_no_text(cli, tmp_path, text):
    model = tiny_llama(tmp_path / "mute", tokenizer=False)
    bundle = copy_bundle(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (bundle / name).unlink()
    _forget(bundle)
    for path in (model, bundle):
        done = cli("evaluate", path, "--text", text(STORY))
        assert done.code == 3
        assert f"{path}: no tokenizer.json here, so no text can be read" in done.err


def _forget(bundle):
    """Make the digests of the manifest true again."""
    import dataclasses

    file = bundle / "manifest.json"
    manifest = json.loads(file.read_text())
    manifest["files"] = [dataclasses.asdict(e) for e in file_entries(bundle)]
    file.write_text(json.dumps(manifest))


def test_a_reference_with_another_vocabulary_is_refused(cli, tmp_path, text):
    weights = tiny_weights()
    weights["model.embed_tokens.weight"] = weights["model.embed_tokens.weight"][: VOCAB - 6]
    smaller = tiny_llama(tmp_path / "smaller", weights=weights)
    config = json.loads((smaller / "config.json").read_text()) | {"vocab_size": VOCAB - 6}
    (smaller / "config.json").write_text(json.dumps(config))
    done = cli("evaluate", shared_model(), "--text", text(STORY), "--reference", smaller)
    assert done.code == 3
    assert f"it predicts {VOCAB - 6} tokens, {shared_model()} {VOCAB}; give the model" in done.err
    # And its own tokenizer is too large for it.
    done = cli("evaluate", smaller, "--text", text("~{|}"))
    assert (done.code, "the tokenizer belongs to another model" in done.err) == (3, True)


def test_a_reference_with_another_tokenizer_is_refused(cli, tmp_path, text):
    other = tiny_llama(tmp_path / "other")
    tokenizer = json.loads((other / "tokenizer.json").read_text())
    vocab = tokenizer["model"]["vocab"]
    vocab["a"], vocab["b"] = vocab["b"], vocab["a"]
    (other / "tokenizer.json").write_text(json.dumps(tokenizer))
    done = cli("evaluate", shared_model(), "--text", text(STORY), "--reference", other)
    assert (done.code, "its tokenizer differs from that of" in done.err) == (3, True)


def test_what_is_no_decoder_is_refused(cli, tmp_path, text):
    archive = save_archive(tmp_path / "m.pt2", torch.nn.Linear(4, 4), (torch.zeros(2, 4),))
    done = cli("evaluate", archive, "--text", text(STORY))
    assert (done.code, "not a decoder of tokens and past" in done.err) == (3, True)


def test_a_bundle_lacks_what_it_was_not_compiled_for(cli, text):
    done = cli("evaluate", shared_bundle().path, "--text", text(STORY), "--artifact", "android")
    assert done.code == 3
    assert "no android artifact; it has ios; compile with --target android" in done.err
    long = cli("evaluate", shared_bundle().path, "--text", text(STORY), "--seqlen", CONTEXT + 1)
    assert (long.code, f"the cache of the bundle holds {CONTEXT}" in long.err) == (2, True)


def test_a_damaged_bundle_is_not_run(cli, tmp_path, text):
    bundle = copy_bundle(tmp_path)
    weights = next(bundle.rglob("weight.bin"))
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    done = cli("evaluate", bundle, "--text", text(STORY))
    assert (done.code, "its SHA-256 differs" in done.err) == (3, True)


@pytest.mark.parametrize("shape", ["[]", '["v"]'])
def test_a_manifest_that_makes_no_sense_is_refused(cli, tmp_path, text, shape):
    bundle = copy_bundle(tmp_path)
    file = bundle / "manifest.json"
    manifest = json.loads(file.read_text())
    manifest["outputs"][0]["shape"] = json.loads(shape)
    file.write_text(json.dumps(manifest))
    done = cli("evaluate", bundle, "--text", text(STORY))
    assert (done.code, "its first output is no row of logits" in done.err) == (3, True)


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
    monkeypatch.setattr(CoreMLBackend, "logits", lambda self, artifact: Stub())
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
