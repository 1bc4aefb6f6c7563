"""What the plain name of a platform brings along: written with it, and never in its way."""

import json

import pytest
import torch
from support.archives import Mlp, save_archive
from support.models import shared_model

import optimum_compile as oc
from optimum_compile.backends import catalog
from optimum_compile.backends.base import Support
from optimum_compile.backends.catalog import BACKENDS, load_backend
from optimum_compile.backends.compare import failed
from optimum_compile.backends.native.backend import NativeBackend
from optimum_compile.backends.traits import Traits
from optimum_compile.compiler import companions as subject
from optimum_compile.compiler.companions import COMPANIONS, companions_of, files_below, forget
from optimum_compile.compiler.errors import (
    OptionError,
    ResourceError,
    UnsupportedError,
    VerificationError,
)
from optimum_compile.compiler.options import TARGETS, resolve_targets
from optimum_compile.compiler.package.allocation import read_allocation
from optimum_compile.tools.cli import main

PLAIN = {"policy": "uniform", "bits": 8, "quantizer": "rtn", "calibration": "none"}
ORT = "android:onnxruntime"
IOS, NATIVE, REFERENCE = (TARGETS[n] for n in ("ios", "native", "reference"))


@pytest.fixture
def bring(monkeypatch):
    """`bring(ios=("native",))` sets what comes along."""

    def change(**names):
        found = {"ios": (), "android": ()} | names
        monkeypatch.setattr(subject, "COMPANIONS", found)

    return change


@pytest.fixture
def broken(monkeypatch):
    """`broken(supports_scheme=...)` puts a native backend with these methods in the catalog's place."""

    def change(traits=NativeBackend.traits, **methods):
        made = type("Broken", (NativeBackend,), methods)(traits=traits)
        monkeypatch.setattr(catalog, "load_backend", lambda n: made if n == "native" else known(n))
        for module in ("companions", "planning"):
            monkeypatch.setattr(
                f"optimum_compile.compiler.{module}.load_backend",
                lambda n: made if n == "native" else known(n),
            )

    known = load_backend
    return change


def planned(targets=("ios",), **values):
    return oc.plan(shared_model(), list(targets), **{**PLAIN, **values})


def compiled(tmp_path, targets=("ios",), **values):
    values = {"verify": False} | PLAIN | values
    return oc.compile(shared_model(), list(targets), output=str(tmp_path / "out"), **values)


def kinds(bundle):
    return [a.kind for a in bundle.manifest.artifacts]


# ---- names


def test_every_companion_is_a_target_of_the_catalog():
    for plain, names in COMPANIONS.items():
        assert plain in TARGETS
        for name in names:
            assert TARGETS[name].artifact in BACKENDS
            assert TARGETS[name] not in resolve_targets((plain,))


def test_exact_names_bring_nothing(bring):
    bring(ios=("native",), android=("native", "reference"))
    assert companions_of(["ios:coreml", "android:executorch"]) == {
        TARGETS["ios"]: (),
        TARGETS["android"]: (),
    }
    assert companions_of(["ios"]) == {IOS: (NATIVE,)}


def test_a_companion_comes_once_and_not_where_it_is_asked_for(bring):
    bring(ios=("native",), android=("native", "reference"))
    both = companions_of(["android", "ios"])
    assert both == {TARGETS["android"]: (NATIVE, REFERENCE), IOS: ()}
    assert companions_of(["ios", "native"]) == {IOS: (), NATIVE: ()}
    assert companions_of(["ios:coreml", "ios"]) == {IOS: (NATIVE,)}
    with pytest.raises(OptionError, match="'tablet' is unknown"):
        companions_of(["ios", "tablet"])


# ---- what is left out


def test_a_companion_decides_nothing(bring, broken):
    """One that refuses all but fp16 leaves the assignment as it is."""
    alone = planned(["ios:coreml"])
    bring(ios=("native",))
    refuse = Support(False, "only floats here")
    broken(supports_scheme=lambda self, scheme, use: refuse, ladder=("f16",))
    wanted = planned(policy="measured", budget="4bpw", calibration=None)
    assert [b.name for b in wanted.assignment.backends] == ["coreml"]
    assert [b.name for b in wanted.emitting] == ["coreml", "native"]  # not decided yet
    wanted = planned()
    assert wanted.companions == ()
    weight = "model.embed_tokens.weight"
    assert f"native: left out: {weight} has int8:channel: only floats here" in wanted.remarks
    values = (graph.weights[weight] for graph in (wanted.model.graph, alone.model.graph))
    assert len({str(list(v.notes)) for v in values}) == 1


@pytest.mark.parametrize(
    ("method", "told"),
    [
        ("require", "g++ is missing"),
        ("configured", "float activations only"),
        ("supports_node", "cannot run embedding (1x, first at model.embed_tokens): no lookups"),
        ("supports_kv", "k_cache.0 has kv4:g32: fp16 only"),
    ],
)
def test_what_cannot_take_the_model_is_left_out_and_fails_by_name(bring, broken, method, told):
    def refuse(self, *given):
        if method == "require":
            raise ResourceError(f"native: {told}")
        raise UnsupportedError(f"native: {told}")

    def lookups(self, node):
        return Support(node.op != "embedding", "no lookups")

    verdicts = {"supports_node": lookups, "supports_kv": lambda s, k: Support(False, "fp16 only")}
    bring(android=("native",))
    broken(**{method: verdicts.get(method, refuse)})
    values = {"kv_bits": "4"} if method == "supports_kv" else {}
    wanted = planned(["android"], **values)
    assert [b.name for b in wanted.emitting] == ["executorch"]
    (remark,) = [r for r in wanted.remarks if "left out" in r]
    assert remark.startswith("native: left out: ")
    assert remark.endswith(told)
    if method == "require":
        return  # `compile` asks for that
    with pytest.raises(UnsupportedError, match=told.split("(")[0].split(":")[-1].strip()):
        planned(["android:executorch", "native"], **values)


def test_a_module_is_written_without_those_that_run_decoders_only(bring, tmp_path):
    bring(reference=("native", "gpu"))
    archive = save_archive(tmp_path / "mlp.pt2", Mlp(), (torch.zeros(1, 8),))
    wanted = oc.plan(archive, ["reference"], **PLAIN)
    assert wanted.companions == ()
    for name in ("native", "gpu"):
        assert any(r.startswith(f"{name}: left out: runs decoders") for r in wanted.remarks)
        with pytest.raises(UnsupportedError, match=f"{name}: runs decoders, whose inputs are"):
            oc.plan(archive, [name], **PLAIN)


def test_what_cannot_be_emitted_is_left_out_whole(bring, broken, tmp_path):
    def emit(self, graph, options, out):
        (out.parent / "deep").mkdir()
        (out.parent / "deep" / "part").write_text("begun")
        raise UnsupportedError("native: no room for it")

    bring(reference=("native",))
    broken(emit=emit)
    bundle = compiled(tmp_path, ["reference"])
    assert kinds(bundle) == ["reference"]
    assert "native: left out: no room for it" in bundle.manifest.remarks
    assert not (bundle.path / "native").exists()
    with pytest.raises(UnsupportedError, match="no room for it"):
        compiled(tmp_path, ["reference", "native"], overwrite=True)


def test_forgetting_leaves_what_was_there(tmp_path):
    folder = tmp_path / "android"
    folder.mkdir()
    (folder / "kept").write_text("a")
    before = files_below(folder)
    (folder / "new" / "deeper").mkdir(parents=True)
    (folder / "new" / "deeper" / "file").write_text("b")
    forget(folder, before)
    assert [p.name for p in folder.rglob("*")] == ["kept"]
    forget(tmp_path / "never", frozenset())


# ---- what is written


def test_a_bundle_with_companions_is_verified_and_inspected(bring, tmp_path, capsys):
    bring(reference=(ORT,))
    bundle = compiled(tmp_path, ["reference"], verify=True)
    manifest = bundle.manifest
    assert kinds(bundle) == ["reference", "onnxruntime"]
    assert [c.executed for c in manifest.checks] == [False, True]
    assert [m.target for m in manifest.memory] == [ORT]
    assert {t.targets for t in manifest.tensors} == {("reference", ORT)}
    assert read_allocation(bundle.path / "allocation.json").targets == ("reference",)
    assert main(["verify", str(bundle.path), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)["artifacts"]
    by = manifest.checks[1].executed_by
    assert [a["executed_by"] for a in again] == ["", by]
    assert by.startswith("ONNX Runtime ")
    assert main(["inspect", str(bundle.path), "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["artifacts"]
    assert (first["executed"], first["executed_by"], first["steps"]) == (False, "", 0)
    why = "the reference executor is what others are compared with"
    assert why in first["reason"]
    assert (second["executed"], second["executed_by"]) == (True, by)
    assert second["steps"] == manifest.checks[1].steps >= 27
    assert second["reason"] == ""
    assert main(["inspect", str(bundle.path)]) == 0
    assert f"{manifest.artifacts[0].path}: not executed: {why}" in capsys.readouterr().out
    assert main(["memory", str(bundle.path), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["targets"]) == {ORT}


def test_a_companion_that_disagrees_is_a_failure(bring, broken, tmp_path):
    def verify(self, artifact, cases, tolerance):
        return failed(artifact.name, tolerance, "it is wrong")

    bring(reference=("native",))
    broken(verify=verify)
    with pytest.raises(VerificationError, match="tiny.ocm: it is wrong") as caught:
        compiled(tmp_path, ["reference"], verify=True)
    assert caught.value.exit_code == 6
    assert not (tmp_path / "out").exists()


def test_one_that_rounds_more_than_was_decided_is_left_out_instead(bring, broken, tmp_path):
    bring(reference=("native",))
    broken(
        verify=lambda self, artifact, cases, tolerance: failed(
            artifact.name, tolerance, "too wide"
        ),
        traits=Traits(rounds_more=True),
    )
    bundle = compiled(tmp_path, ["reference"], verify=True)
    assert kinds(bundle) == ["reference"]
    assert "native: left out: too wide" in bundle.manifest.remarks
    assert not (bundle.path / "native").exists()
    with pytest.raises(VerificationError, match="too wide"):
        compiled(tmp_path, ["reference", "native"], verify=True, overwrite=True)


def test_without_companions_nothing_comes_along(bring, capsys):
    bring(ios=("reference",))
    arguments = [str(shared_model()), "--dry-run", "--json", "--target", "ios"]
    arguments += ["--policy", "uniform", "--calibration", "none"]
    assert main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["targets"], found["companions"]) == (["ios"], ["reference"])
    assert set(found["predicted_bytes"]) == {"coreml", "reference"}
    assert main([*arguments, "--no-companions"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["companions"], set(found["predicted_bytes"])) == ([], {"coreml"})


def test_of_several_assignments_a_companion_takes_the_first(bring, tmp_path):
    bring(reference=("mlx",), gguf=("mlx",))
    values = {"allocation": "each", "bits": 4, "group_size": "32"}
    bundle = compiled(tmp_path, ["reference", "gguf"], **values)
    manifest = bundle.manifest
    assert kinds(bundle) == ["reference", "mlx", "gguf"]
    told = "reference, mlx: mlx: one for reference, gguf, with the assignment of reference"
    assert manifest.remarks.count(told) == 1
    assert tuple(manifest.options["target"]) == ("reference", "gguf")
    folders = {p.parent.name for p in bundle.path.glob("*/allocation.json")}
    assert folders == {"reference", "gguf"}
