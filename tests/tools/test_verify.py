import dataclasses
import json

import numpy as np
import pytest
from support.models import copy_bundle, shared_bundle

from optimum_compile.backends.compare import judge
from optimum_compile.backends.coreml.backend import CoreMLBackend
from optimum_compile.compiler.package.cases import CASES
from optimum_compile.compiler.package.writer import file_entries
from optimum_compile.tools.verify import verify_bundle


@pytest.fixture
def never_run(monkeypatch):
    """Executing an artifact fails the test."""
    shared_bundle()  # which executes it, the first time

    def refuse(self, artifact, cases, tolerance):
        pytest.fail("the artifact was executed")

    monkeypatch.setattr(CoreMLBackend, "verify", refuse)


def edit(bundle, change):
    """Apply `change` to the parsed manifest."""
    file = bundle / "manifest.json"
    manifest = json.loads(file.read_text())
    change(manifest)
    file.write_text(json.dumps(manifest))


def refresh(bundle):
    """Make the digests of the manifest true again, as a careful forger would."""
    entries = [dataclasses.asdict(e) for e in file_entries(bundle)]
    edit(bundle, lambda manifest: manifest.update(files=entries))


def test_a_fresh_bundle_verifies_with_the_recorded_figures(cli):
    done = cli("verify", shared_bundle().path, "--json")
    assert done.code == 0
    document = done.json()
    assert document["ok"] is True
    keys = ["path", "executed", "executed_by", "steps", "max_rel_err"]
    keys += ["cosine", "top1_agreement", "tolerance", "reason"]
    (found,) = document["artifacts"]
    assert list(found) == keys
    (recorded,) = shared_bundle().manifest.checks
    assert found == {k: dataclasses.asdict(recorded)[k] for k in keys}
    assert found["steps"] == 3 * (1 + 8)


@pytest.mark.parametrize("name", ["weight.bin", "model.mlmodel", "conformance.npz"])
def test_one_flipped_byte_is_found_before_anything_runs(cli, tmp_path, never_run, name):
    bundle = copy_bundle(tmp_path)
    file = next(bundle.rglob(name))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    done = cli("verify", bundle)
    assert done.code == 6
    where = file.relative_to(bundle).as_posix()
    assert f"{where}: its SHA-256 differs from the manifest's; compile again" in done.err


def test_a_changed_digest_is_found(cli, tmp_path, never_run):
    bundle = copy_bundle(tmp_path)

    def other_digest(manifest):
        next(f for f in manifest["files"] if f["path"] == CASES).update(sha256="0" * 64)

    edit(bundle, other_digest)
    done = cli("verify", bundle)
    assert done.code == 6
    assert f"{CASES}: its SHA-256 differs" in done.err


def test_missing_and_shortened_files_are_all_named(cli, tmp_path, never_run):
    bundle = copy_bundle(tmp_path)
    (bundle / "tokenizer.json").unlink()
    (bundle / CASES).write_bytes(b"short")
    done = cli("verify", bundle)
    assert done.code == 6
    assert "tokenizer.json: missing" in done.err
    assert f"{CASES}: 5 bytes, the manifest says " in done.err


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "ios/../../x", "a\0b"])
@pytest.mark.parametrize(
    ("command", "entry"), [("verify", "files"), ("verify", "artifacts"), ("inspect", "artifacts")]
)
def test_no_path_of_a_manifest_is_followed_outside(cli, tmp_path, never_run, path, command, entry):
    bundle = copy_bundle(tmp_path)
    edit(bundle, lambda m: m[entry][0].update(path=path))
    done = cli(command, bundle)
    assert done.code == 3
    assert ("null byte" if "\0" in path else "leads out of the bundle") in done.err


def test_a_link_out_of_the_bundle_is_not_followed(cli, tmp_path, never_run):
    bundle = copy_bundle(tmp_path)
    (bundle / "tokenizer.json").rename(tmp_path / "outside.json")
    (bundle / "tokenizer.json").symlink_to(tmp_path / "outside.json")
    done = cli("verify", bundle)
    assert done.code == 3
    assert "'tokenizer.json' leads out of the bundle" in done.err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(format=99), "manifest format 99: expected 2; compile again"),
        (lambda m: m.pop("checks"), "missing or unknown keys: checks"),
        (lambda m: m.update(extra=1), "missing or unknown keys: extra"),
        (lambda m: m["artifacts"][0].update(kind="exe"), "artifact kind 'exe': expected one of"),
        (lambda m: m["checks"][0].update(tolerance={"a": 1}), "checks[0].tolerance"),
        (lambda m: m["files"][0].update(bytes="many"), "files[0].bytes: expected int"),
        (lambda m: m.update(artifacts=[]), "the bundle has no artifact"),
    ],
)
def test_a_manifest_that_is_not_ours_is_rejected_input(cli, tmp_path, never_run, change, message):
    bundle = copy_bundle(tmp_path)
    edit(bundle, change)
    done = cli("verify", bundle)
    assert done.code == 3
    assert message in done.err


def test_a_bundle_without_recorded_answers_says_what_to_do(cli, tmp_path, never_run):
    bundle = copy_bundle(tmp_path)
    (bundle / CASES).unlink()
    refresh(bundle)
    done = cli("verify", bundle)
    assert done.code == 3
    assert "no recorded answers here; compile again without --no-verify" in done.err


def test_an_artifact_that_disagrees_with_the_answers_fails(cli, monkeypatch):
    def opposite(self, artifact, cases, tolerance):
        got = [[[-e for e in call.expected] for call in case.calls] for case in cases]
        return judge(artifact.name, "a runtime", got, cases, tolerance)

    bundle = shared_bundle().path
    monkeypatch.setattr(CoreMLBackend, "verify", opposite)
    shown = cli("verify", bundle)
    assert shown.code == 6
    assert "FAILED: relative error 2" in shown.out
    done = cli("verify", bundle, "--json")
    assert done.code == 6
    (found,) = done.json()["artifacts"]
    assert done.json()["ok"] is False
    assert found["executed"] is True
    assert found["cosine"] == pytest.approx(-1)
    assert found["max_rel_err"] == pytest.approx(2)
    assert "relative error 2, allowed 0.01" in found["reason"]


def test_a_bundle_that_was_never_compared_is_held_to_no_tolerance(monkeypatch):
    bundle = shared_bundle()
    seen = []

    def verify(self, artifact, cases, tolerance):
        seen.append(tolerance)
        raise StopIteration

    monkeypatch.setattr(CoreMLBackend, "verify", verify)
    bare = dataclasses.replace(bundle, manifest=dataclasses.replace(bundle.manifest, checks=()))
    for each in (bundle, bare):
        with pytest.raises(StopIteration):
            verify_bundle(each)
    assert seen[0].max_rel_err == 1e-2
    assert seen[1].max_rel_err is None
    assert np.isfinite(seen[0].max_rel_err)
