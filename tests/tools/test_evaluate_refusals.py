"""What `evaluate` refuses, and what it says then."""

import json

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

from optimum_compile.compiler.package.writer import file_entries

STORY = "Ana had a boat. The boat was red. She took it to the river and sang a song to it."


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
