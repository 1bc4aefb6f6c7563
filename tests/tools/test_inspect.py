import json
import shutil

import pytest
from support.models import copy_bundle, shared_bundle

from optimum_compile.backends.coreml.backend import CoreMLBackend
from optimum_compile.tools.inspect import METADATA


def artifact():
    bundle = shared_bundle()
    return bundle.resolve(bundle.manifest.artifacts[0].path)


@pytest.fixture
def embedded(monkeypatch):
    """`embedded(text)` makes every package carry that text as its metadata."""

    def put(text):
        monkeypatch.setattr(CoreMLBackend, "inspect", lambda self, path: text)

    return put


def test_an_artifact_alone_tells_what_the_manifest_tells(cli, tmp_path):
    alone = shutil.copytree(artifact(), tmp_path / "alone.mlpackage")
    found, manifest = cli("inspect", alone, "--json").json(), shared_bundle().manifest
    assert set(METADATA) <= set(found)
    assert found["target"] == "ios:coreml"
    assert found["policy"] == "cascade"
    assert found["versions"] == manifest.versions
    assert found["parameters"] == manifest.parameters
    assert found["weight_bytes"] == manifest.weight_bytes
    assert [(s["name"], s["bytes"], s["scales_sha256"]) for s in found["stages"]] == [
        (s.name, s.bytes, s.scales_sha256) for s in manifest.stages
    ]


def test_an_artifact_alone_is_shown_with_stages_and_activation_ranges(cli):
    shown = cli("inspect", artifact())
    lines = shown.out.splitlines()
    assert lines[0].startswith(f"{artifact()}: ios:coreml, cascade, auto, KV cache f16, made with ")
    assert [line.split()[:3] for line in lines if "blocks" in line] == [
        ["stage0_int8:", "blocks", "0-0,"],
        ["stage1_int4:", "blocks", "1-1,"],
        ["stage2_int2:", "blocks", "2-2,"],
    ]
    assert sum("input of block" in line for line in lines) == 3
    assert "model.layers.0.mlp.up_proj.weight" not in shown.out


def test_verbose_shows_every_tensor_with_its_scheme(cli):
    shown = cli("inspect", artifact(), "-v")
    for tensor in shared_bundle().manifest.tensors:
        assert f"{tensor.name} {list(tensor.shape)} {tensor.scheme} " in shown.out


def test_a_bundle_is_shown_with_sizes_and_how_it_compared(cli):
    shown = cli("inspect", shared_bundle().path)
    assert shown.code == 0
    assert "117,184 parameters" in shown.out
    assert "MIL interpreter" in shown.out
    assert "2 remarks; -v shows them" in shown.out
    assert "stage2_int2: blocks 2-2" in shown.out


def test_json_of_a_bundle_holds_what_each_artifact_says_of_itself(cli):
    bundle = shared_bundle()
    document = cli("inspect", bundle.path, "--json").json()
    assert document["bundle"] == str(bundle.path)
    assert document["weight_bytes"] == bundle.manifest.weight_bytes
    assert document["verify"]["ok"] is True
    assert [f["path"] for f in document["files"]] == [f.path for f in bundle.manifest.files]
    own = document["embedded"]["ios/tiny.mlpackage"]["stages"]
    assert [s["bits_per_weight"] for s in own] == [s["bits_per_weight"] for s in document["stages"]]
    assert document["seconds"] >= 0


def test_stages_that_differ_from_the_manifest_are_refused(cli, tmp_path):
    bundle = copy_bundle(tmp_path)
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["stages"][1]["scales_sha256"] = "0" * 64
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    for arguments in ((), ("--json",)):
        done = cli("inspect", bundle, *arguments)
        assert done.code == 3
        assert "its stages differ from the manifest's" in done.err
        assert done.out == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no metadata of this program; was it made by another tool?"),
        ("{", "its embedded metadata is damaged"),
        ("[]", "metadata: expected dict, found []"),
        ("{}", "target: expected str, found None"),
        ('{"target": NaN}', "NaN is no JSON number"),
        ("[" * 100_000, "its embedded metadata is damaged"),
    ],
)
def test_metadata_of_somebody_else_is_refused(cli, embedded, text, message):
    embedded(text)
    done = cli("inspect", artifact())
    assert done.code == 3
    assert message in done.err


@pytest.mark.parametrize("key", sorted(METADATA))
def test_every_field_that_is_read_is_checked(cli, embedded, key):
    good = json.loads(CoreMLBackend().inspect(artifact()))
    embedded(json.dumps(good | {key: [{"name": 1}]}))
    done = cli("inspect", artifact())
    assert done.code == 3
    assert f"its embedded metadata is damaged: {key}" in done.err


def test_a_damaged_package_is_rejected_input(cli, tmp_path):
    bundle = copy_bundle(tmp_path)
    file = next(bundle.rglob("model.mlmodel"))
    file.write_bytes(file.read_bytes()[:1000])
    done = cli("inspect", bundle)
    assert done.code == 3
    assert "tiny.mlpackage: damaged" in done.err
    file.unlink()
    done = cli("inspect", bundle / "ios" / "tiny.mlpackage")
    assert done.code == 3
    assert "no model.mlmodel in the package" in done.err


def test_a_missing_artifact_is_rejected_input(cli, tmp_path):
    assert cli("inspect", tmp_path / "no.mlpackage").code == 3
    bundle = copy_bundle(tmp_path)
    shutil.rmtree(bundle / "ios" / "tiny.mlpackage")
    done = cli("inspect", bundle)
    assert (done.code, "no such artifact" in done.err) == (3, True)


def test_caches_in_a_row_with_one_scheme_are_one_line(cli, embedded):
    found = cli("inspect", artifact(), "--json").json()
    schemes = ["f16", "f16", "kv4:g32"] * 4
    found["kv_caches"] = {f"k_cache.{at}": [s, 1000 + at] for at, s in enumerate(schemes)}
    found["kv_caches"] |= {f"v_cache.{at}": ["kv2:g32", 10] for at in range(12)}
    embedded(json.dumps(found, sort_keys=True))  # k_cache.10 before k_cache.2
    lines = [line.strip() for line in cli("inspect", artifact()).out.splitlines()]
    at = lines.index("KV cache at the full context: 12.2 kB")
    assert lines[at + 1 : at + 4] == [
        "k_cache.0 to k_cache.1 f16 2001 B",
        "k_cache.2 kv4:g32 1002 B",
        "k_cache.3 to k_cache.4 f16 2007 B",
    ]
    assert "v_cache.0 to v_cache.11 kv2:g32 120 B" in lines
    told = cli("inspect", artifact(), "-v").out
    assert all(f"k_cache.{n} {s} {1000 + n} B" in told for n, s in enumerate(schemes))
