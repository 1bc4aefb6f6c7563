import json
from pathlib import Path

import numpy as np
import pytest
from support.models import shared_bundle, shared_model, tiny_llama, tiny_weights

from optimum_compile.compiler.package.reader import open_bundle
from optimum_compile.passes.precision import quantize

IOS = ("--target", "ios:coreml", "--policy", "cascade")
FAST = (*IOS, "--no-verify", "--quantizer", "mse")
COMMON = {"name", "bundle", "targets", "tensors", "weight_bytes", "bits_per_weight", "remarks"}


def snapshot(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def no_weights(monkeypatch):
    """Reading the bytes of any weight fails the test."""

    def refuse(*arguments, **keywords):
        pytest.fail("a weight was read")

    monkeypatch.setattr(np, "fromfile", refuse)


@pytest.fixture
def broken_quantizer(monkeypatch):
    """Compilations fail half way, in the quantiser."""

    def refuse(*arguments, **keywords):
        raise MemoryError

    monkeypatch.setattr(quantize, "quantize_weight", refuse)


def test_an_impossible_budget_is_refused_before_any_work(cli, tmp_path, no_weights):
    done = cli(shared_model(), "--policy", "cascade", "--budget", "0.1bpw", "-o", tmp_path / "out")
    assert done.code == 4
    assert "budget of 1,464 bytes of weights (0.0999bpw): the achievable range is" in done.err
    assert "bpw); raise --budget" in done.err
    assert list(tmp_path.iterdir()) == []


def test_the_range_that_an_impossible_budget_names_is_achievable(cli, tmp_path):
    import re

    refused = cli(shared_model(), *IOS, "--budget", "0.1bpw", "-o", tmp_path)
    found = re.search(r"([\d,]+) to ([\d,]+) bytes", refused.err).groups()
    least, most = (int(number.replace(",", "")) for number in found)
    for limit, code in ((least, 0), (most, 0), (least - 1, 4)):
        bits = f"{8 * (limit + 0.5) / 117_184}bpw"
        done = cli(shared_model(), *IOS, "--budget", bits, "-o", tmp_path, "--dry-run", "--json")
        assert done.code == code
        if code == 0:
            assert done.json()["predicted_bytes"]["coreml"] == limit


def test_a_dry_run_writes_nothing_and_shows_stages_and_sizes(cli, tmp_path, no_weights):
    done = cli(shared_model(), "--policy", "cascade", "--dry-run", "-o", tmp_path / "out")
    assert done.code == 0
    assert list(tmp_path.iterdir()) == []
    assert "117,184 parameters" in done.out
    assert "(nothing was written)" in done.out
    rows = [line.split()[:2] for line in done.out.splitlines()]
    assert [r for r in rows if r[0] in "012"] == [["0", "INT8"], ["1", "INT4"], ["2", "INT2"]]
    assert "coreml: " in done.out
    assert "executorch: " in done.out
    assert "note: model.embed_tokens.weight is embedding and head in one" in done.out


def test_a_dry_run_in_json_says_what_the_compilation_then_does(cli, tmp_path):
    done = cli(shared_model(), *IOS, "--dry-run", "--json", "-o", tmp_path)
    document, bundle = done.json(), shared_bundle().manifest
    keys = {
        "companions", "parameters", "predicted_bytes", "predicted_file_bytes", "seconds",
        "peak_rss_bytes",
    }  # fmt: skip
    assert set(document) == COMMON | keys
    assert document["bundle"] == str(tmp_path / "tiny")
    assert document["targets"] == ["ios"]
    assert document["weight_bytes"] == bundle.weight_bytes
    assert document["bits_per_weight"] == bundle.bits_per_weight
    assert document["predicted_bytes"] == {"coreml": bundle.artifacts[0].weight_bytes}
    planned = {t["name"]: (t["scheme"], t["bytes"]) for t in document["tensors"]}
    made = {t.name: (t.scheme, t.bytes) for t in bundle.tensors}
    assert planned.items() <= made.items()


def test_a_dry_run_shows_what_a_target_widens_and_why(cli, tmp_path):
    arguments = (*IOS, "--policy", "uniform", "--bits", "2", "--group-size", "32", "--dry-run")
    refused = cli(shared_model(), *arguments, "-o", tmp_path)
    assert refused.code == 5
    assert "coreml: integer grids have 4 or 8 bits, not 2" in refused.err
    taken = cli(shared_model(), *arguments, "-o", tmp_path, "--allow-fallback", "--json")
    reasons = {t["reason"] for t in taken.json()["tensors"]}
    assert all("integer grids have 4 or 8 bits, not 2" in reason for reason in reasons)


def test_an_existing_bundle_is_refused_before_any_work(cli, tmp_path, no_weights):
    old = tmp_path / "tiny"
    old.mkdir()
    (old / "manifest.json").write_text("old")
    done = cli(shared_model(), *FAST, "-o", tmp_path)
    assert done.code == 2
    assert f"{old} exists; pass --overwrite to replace it" in done.err
    assert (old / "manifest.json").read_text() == "old"


def test_overwrite_replaces_a_bundle_whole(cli, tmp_path):
    old = tmp_path / "tiny"
    old.mkdir()
    (old / "manifest.json").write_text("old")
    (old / "stale.bin").write_text("old")
    done = cli(shared_model(), *FAST, "-o", tmp_path, "--overwrite", "--json")
    assert done.code == 0
    assert [p.name for p in tmp_path.iterdir()] == ["tiny"]
    assert not (old / "stale.bin").exists()
    assert open_bundle(old).manifest.name == "tiny"
    checks = done.json()["verify"]
    assert checks["ok"] is False
    assert checks["artifacts"][0]["reason"] == "not executed: --no-verify"


def test_the_old_bundle_stays_when_the_new_one_fails(cli, tmp_path, broken_quantizer):
    old = tmp_path / "tiny"
    old.mkdir()
    (old / "manifest.json").write_text("old")
    before = snapshot(tmp_path)
    done = cli(shared_model(), *FAST, "-o", tmp_path, "--overwrite")
    assert done.code == 7
    assert snapshot(tmp_path) == before
    assert [p.name for p in tmp_path.iterdir()] == ["tiny"]


def test_a_failure_leaves_no_folder_behind(cli, tmp_path, broken_quantizer):
    done = cli(
        shared_model(), *FAST, "-o", tmp_path / "deep" / "er", "--work-dir", tmp_path / "scratch"
    )
    assert done.code == 7
    assert list(tmp_path.iterdir()) == []


def test_a_scratch_folder_that_was_there_stays(cli, tmp_path, broken_quantizer):
    (tmp_path / "scratch").mkdir()
    cli(shared_model(), *FAST, "-o", tmp_path / "out", "--work-dir", tmp_path / "scratch")
    assert [p.name for p in tmp_path.iterdir()] == ["scratch"]
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model.embed_tokens.weight", np.nan),
        ("model.layers.1.mlp.up_proj.weight", -np.inf),
        ("model.layers.2.input_layernorm.weight", np.inf),
        ("model.norm.weight", np.nan),
    ],
)
def test_a_broken_weight_is_refused_by_name(cli, tmp_path, name, value):
    weights = tiny_weights()
    weights[name].flat[7] = value
    model = tiny_llama(tmp_path / "model", weights=weights)
    done = cli(model, *FAST, "--calibration", "none", "-o", tmp_path / "out")
    assert done.code == 3
    assert f"{name}: 1 weight is NaN or infinite; repair the checkpoint" in done.err
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_written_is_a_resource_error(cli, tmp_path):
    (tmp_path / "file").write_text("")
    for place in ("file", "file/deeper"):
        done = cli(shared_model(), *FAST, "-o", tmp_path / place)
        assert done.code == 7
        assert str(tmp_path / "file") in done.err
        assert "choose another -o" in done.err
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_json_of_a_compilation_is_that_of_inspect(cli, tmp_path):
    done = cli(shared_model(), *FAST, "-o", tmp_path, "--name", "other", "--json")
    made = done.json()
    assert done.code == 0
    assert set(made) == COMMON | {
        "stages",
        "artifacts",
        "files",
        "verify",
        "seconds",
        "peak_rss_bytes",
        "widths",
        "phases",
    }
    assert [set(s) for s in made["stages"]] == [
        {"index", "blocks", "class", "bits_per_weight", "bytes", "targets"}
    ] * 3
    assert Path(made["bundle"]) == tmp_path / "other"
    seen = cli("inspect", tmp_path / "other", "--json").json()
    timing = ("seconds", "peak_rss_bytes", "embedded")
    assert {k: v for k, v in seen.items() if k not in timing} == {
        k: v for k, v in made.items() if k not in timing
    }


def test_progress_goes_to_stderr_and_the_tables_to_stdout(cli, tmp_path):
    done = cli(shared_model(), *FAST, "-o", tmp_path, "-v")
    assert "emit coreml: done" in done.err
    assert "emit" not in done.out
    assert "not executed: --no-verify" in done.out
    assert "note: model.embed_tokens.weight is embedding and head in one" in done.out
    assert "peak memory" in done.out


def test_the_manifest_echoes_options_but_no_place_and_scratch_is_removed(cli, tmp_path):
    text = tmp_path / "words.txt"
    text.write_text("Ana had a red boat. " * 40)
    scratch = tmp_path / "deep" / "scratch"
    arguments = (*FAST, "--calibration", text, "--seed", "7", "--work-dir", scratch)
    assert cli(shared_model(), *arguments, "-o", tmp_path / "out").code == 0
    assert {p.name for p in tmp_path.iterdir()} == {"words.txt", "out"}
    manifest = json.loads((tmp_path / "out" / "tiny" / "manifest.json").read_text())
    assert manifest["options"]["seed"] == 7
    assert manifest["options"]["calibration"] == "words.txt"
    assert manifest["source"]["calibration"] == "words.txt"
    assert not {"output", "work_dir", "overwrite"} & set(manifest["options"])
    assert str(tmp_path) not in json.dumps(manifest)
