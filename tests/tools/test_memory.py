"""`optimum-compile memory` on bundles, against the runtimes and files themselves."""

import json

import pytest
from support.models import (
    CONTEXT,
    HEAD_DIM,
    KV_HEADS,
    LAYERS,
    VOCAB,
    copy_bundle,
    shared_bundle,
    tiny_llama,
)

import optimum_compile as oc
from optimum_compile.backends.native.session import Model
from optimum_compile.compiler import memory_fit
from optimum_compile.compiler.devices import Device
from optimum_compile.compiler.package.reader import open_bundle

KV = 2 * LAYERS * KV_HEADS * HEAD_DIM * CONTEXT * 2
KEYS = ("weights", "kv", "activations", "peak", "stages", "fits")


@pytest.fixture(scope="module")
def coded(tmp_path_factory):
    """Native bundles with a cache in codes, for two contexts."""
    out = tmp_path_factory.mktemp("coded")
    model = tiny_llama(out / "model", context=256)
    return {
        context: oc.compile(
            model,
            ["native"],
            output=str(out),
            name=f"c{context}",
            context=context,
            max_prefill=32,
            kv_bits="4,2",
            policy="uniform",
            quantizer="rtn",
            calibration="none",
            verify=False,
        )
        for context in (64, 200)
    }


def test_a_native_bundle_says_what_the_runtime_takes(cli):
    bundle = shared_bundle("native")
    artifact = bundle.manifest.artifacts[0]
    model = Model(bundle.resolve(artifact.path))
    names = [f.name for f in model.functions]
    for prompt in (1, 2, 17, CONTEXT):
        found = cli("memory", bundle.path, "--prompt", prompt, "--json").json()["targets"]["native"]
        for function in found["functions"]:
            at = names.index(function["name"])
            assert function["arena"] == model.planned_bytes(at, function["tokens"], 0)
            assert function["outputs"] == 4 * VOCAB  # the runtime leaves out other positions
        session = model.session()
        session.prefill(list(range(3, 3 + prompt)) if prompt < 90 else [3] * prompt)
        assert found["activations"] - 4 * VOCAB == session.stats().arena_bytes
        assert (found["weights"], found["kv"]) == (artifact.weight_bytes, KV)
        assert found["peak"] == artifact.file_bytes + KV + found["activations"]
        assert set(found["sources"].values()) == {"in the file", "at least"}
        assert found["sources"]["peak"] == "in the file"


def test_another_context_is_what_compiling_for_it_gives(cli, coded):
    for ours, other in ((64, 200), (200, 64)):
        asked = cli("memory", coded[ours].path, "--context", other, "--json").json()
        told = cli("memory", coded[other].path, "--json").json()
        asked, told = asked["targets"]["native"], told["targets"]["native"]
        for key in ("weights", "kv", "activations", "context", "prompt"):
            assert asked[key] == told[key], key
        assert [s["kv"] for s in asked["stages"]] == [s["kv"] for s in told["stages"]]
        assert asked["compiled_context"] == ours
        assert f"--context {other}" in asked["notes"][0]
        assert told["notes"] == []
    # a cache of codes is smaller than one of halves
    assert (
        told["kv"]
        <= KV
        < cli("memory", coded[64].path, "--context", 20_000, "--json").json()["targets"]["native"][
            "kv"
        ]
    )


def test_core_ml_plans_on_the_device(cli):
    bundle = shared_bundle()
    found = cli("memory", bundle.path, "--json").json()["targets"]["ios"]
    assert set(KEYS) <= set(found)
    assert found["sources"] | {"weights": "", "kv": ""} == {
        "weights": "",
        "kv": "",
        "copies": "at least",
        "activations": "at least",
        "peak": "at least",
    }
    (note,) = found["notes"]
    assert note == "Core ML plans activations when it loads the model: not known before the device"
    assert (found["kv"], found["weights"]) == (KV, bundle.manifest.artifacts[0].weight_bytes)
    assert [s["kv"] for s in found["stages"]] == [KV // LAYERS] * LAYERS


@pytest.mark.slow
def test_a_pte_says_what_its_planner_wrote(cli):
    bundle = shared_bundle("android")
    found = cli("memory", bundle.path, "--json").json()["targets"]["android"]
    assert found["kv"] == KV
    prefill, decode = found["functions"]
    # The planner's numbers are for the longest prompt, and have room for the logits.
    short = cli("memory", bundle.path, "--prompt", 5, "--json").json()["targets"]["android"]
    assert short["functions"][0]["arena"] == prefill["arena"]
    assert short["functions"][0]["planned"] < prefill["planned"]
    assert prefill["arena"] >= prefill["bound"] > 4 * VOCAB * CONTEXT
    assert decode["arena"] >= decode["bound"] > 4 * VOCAB
    assert found["activations"] == prefill["arena"] + decode["arena"]
    assert found["copies"] % 2 == 0
    assert found["peak"] == bundle.manifest.artifacts[0].file_bytes + sum(
        found[key] for key in ("copies", "kv", "activations")
    )


def test_what_people_see(cli):
    shown = cli("memory", shared_bundle("native").path, "--context", 128, "--prompt", 20)
    assert shown.code == 0
    lines = [line.split() for line in shown.out.splitlines()]
    assert lines[0] == ["native:", "native/tiny.ocm,", "context", "128,", "prompt", "20"]
    assert [line[0] for line in lines[1:6]] == "weights program kv activations peak".split()
    assert "keys 3x f16; values 3x f16" in shown.out
    assert "compile with --context 128" in shown.out
    more = cli("memory", shared_bundle("native").path, "-v").out
    assert "1536*seq or 768*seq+4608 = 98,304 bytes (in the file)" in more
    assert "k_cache.1 f16 4096 B, stage 1" in more


def small(monkeypatch, usable):
    made = Device("Tiny", "android", 2 * usable, usable, 1.0, "a test", "derived")
    monkeypatch.setattr(memory_fit, "device_named", lambda name: made)


def test_a_device_without_the_memory_ends_with_4(cli, monkeypatch):
    path = shared_bundle("native").path
    small(monkeypatch, 67_600_000)
    shown = cli("memory", path, "--device", "Tiny", "--context", 4096)
    assert shown.code == 4
    assert "will it fit (with 67.1 MB for the runtime and the app)" in shown.out
    assert "Tiny, native: compile with --context " in shown.out
    context = int(shown.out.rpartition("--context ")[2].split(",")[0])
    assert cli("memory", path, "--device", "Tiny", "--context", context).code == 0
    assert cli("memory", path, "--device", "Tiny", "--context", context + 1).code == 4


def test_all_devices_are_a_table(cli):
    path = shared_bundle("native").path
    found = cli("memory", path, "--device", "all", "--json")
    fits = found.json()["targets"]["native"]["fits"]
    assert (found.code, {f["platform"] for f in fits}) == (0, {"ios", "android"})
    for fit in fits:
        assert fit["margin"] == fit["usable"] - fit["needed"] >= 0
        assert (fit["fits"], fit["context"], fit["advice"]) == (True, CONTEXT, "")
    table = cli("memory", path, "--device", "all").out
    assert all(fit["device"] in table for fit in fits)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--context", "-5"), "context=-5: expected 1 to 1048576 tokens"),
        (("--prompt", "0"), "prompt=0: expected 1 to 1048576 tokens"),
        (("--prompt", "65"), "prompt=65: longer than the context of 64 tokens; give a shorter"),
        (
            ("--device", "Nokia 3310"),
            "device 'Nokia 3310' is unknown; expected one of iPhone 12 Pro",
        ),
        (("--device", "Pixel 8"), "device 'Pixel 8' is an android device, and the bundle has ios"),
        (("--target", "native"), "target 'native': the bundle has ios"),
        (("--context", "many"), "invalid int value: 'many'"),
    ],
)
def test_what_cannot_be_is_refused_with_2(cli, words, message):
    refused = cli("memory", shared_bundle().path, *words)
    assert (refused.code, refused.out) == (2, "")
    assert message in refused.err


def test_an_old_bundle_is_to_be_compiled_again(cli, tmp_path):
    path = copy_bundle(tmp_path)
    document = json.loads((path / "manifest.json").read_text())
    del document["memory"]
    (path / "manifest.json").write_text(json.dumps(document | {"format": 1}))
    refused = cli("memory", path)
    assert refused.code == 3
    assert "manifest format 1: expected 2; compile again" in refused.err


def test_a_bundle_whose_runtime_decides_has_nothing_to_tell(cli, tmp_path):
    path = copy_bundle(tmp_path)
    document = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps(document | {"memory": []}))
    assert open_bundle(path).manifest.memory == ()
    refused = cli("memory", path)
    assert (refused.code, "their runtimes decide" in refused.err) == (3, True)
