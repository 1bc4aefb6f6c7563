"""Two Android artifacts in one bundle, by the command line as people use it."""

import json

import numpy as np
import pytest
from support.models import shared_model

import optimum_compile as oc
from optimum_compile.backends.onnxruntime.session import Session
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.options import target_name
from optimum_compile.compiler.package.cases import CASES, load_answers
from optimum_compile.tools.cli import main
from optimum_compile.tools.run import open_session
from optimum_compile.tools.verify import verify_bundle

pytestmark = [pytest.mark.onnxruntime, pytest.mark.executorch]
TARGETS = ("android:executorch", "android:onnxruntime")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    out = tmp_path_factory.mktemp("two")
    return oc.compile(
        shared_model(), TARGETS, output=str(out), policy="uniform", bits=8, calibration="none"
    )


def test_a_bundle_has_both(bundle):
    artifacts = bundle.manifest.artifacts
    assert [(a.platform, a.kind) for a in artifacts] == [tuple(t.split(":")) for t in TARGETS]
    assert [a.path.split(".")[-1] for a in artifacts] == ["pte", "onnx"]
    assert all(a.weight_bytes == a.predicted_bytes for a in artifacts[1:])
    assert bundle.artifact("android") is bundle.artifact("android:executorch") is artifacts[0]
    assert bundle.artifact("android:onnxruntime") is artifacts[1]
    assert bundle.manifest.versions["onnxruntime"] == "1.31.1"


def test_each_is_compared_with_answers_of_its_own(bundle):
    answers = load_answers(bundle.path / CASES)
    assert list(answers) == ["android", "android:onnxruntime"]
    rounded, floats = (a[0].calls[0].expected[0] for a in answers.values())
    error = np.linalg.norm(rounded - floats) / np.linalg.norm(floats)
    assert 1e-4 < error < 0.1
    pte, onnx = bundle.manifest.checks
    assert (pte.ok, pte.tolerance.min_cosine) == (True, 0.999)
    assert (onnx.ok, onnx.tolerance.max_rel_err) == (True, 1e-3)
    assert onnx.max_rel_err < 1e-5


@pytest.mark.slow
def test_int8_activations_are_held_to_the_tolerance_of_rounding(tmp_path):
    values = {"output": str(tmp_path), "bits": 4, "calibration": "none", "activations": "int8"}
    made = oc.compile(shared_model(), "android:onnxruntime", policy="uniform", **values)
    (check,) = made.manifest.checks
    assert (check.ok, check.tolerance.min_cosine) == (True, 0.999)
    assert list(load_answers(made.path / CASES)) == ["android:onnxruntime"]
    assert verify_bundle(made) == made.manifest.checks


def test_text_is_generated_by_the_artifact_that_there_is(bundle, tmp_path):
    alone = oc.compile(
        shared_model(),
        "android:onnxruntime",
        output=str(tmp_path),
        policy="uniform",
        calibration="none",
    )
    session = open_session(alone)
    assert isinstance(session, Session)
    assert session.prefill([1, 2, 3]).shape == session.decode(4).shape
    assert not isinstance(open_session(bundle), Session)  # the first one


def test_an_artifact_is_evaluated_by_its_full_name(bundle, tmp_path, capsys):
    text = tmp_path / "text.json"
    words = "one two three four five six seven"  # a token a letter
    text.write_text(json.dumps([words]))
    arguments = ["evaluate", str(bundle.path), "--text", str(text), "--json", "--artifact"]
    assert main([*arguments, "android:onnxruntime"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["evaluated_by"], found["tokens"]) == ("ONNX Runtime 1.31.1", len(words))
    assert found["artifact"] == bundle.manifest.artifacts[1].path
    assert main([*arguments, "ios"]) == 3
    assert "it has android, android:onnxruntime" in capsys.readouterr().err


def test_an_artifact_is_inspected_alone(bundle, capsys):
    path = bundle.path / bundle.artifact("android:onnxruntime").path
    assert main(["inspect", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["target"] == "android:onnxruntime"


def test_what_no_scheme_serves_on_all_targets_is_refused_with_each_reason(tmp_path):
    with pytest.raises(
        UnsupportedError, match="MatMulNBits has no palettes.*integer grids have 4 or 8"
    ):
        oc.plan(
            shared_model(),
            ("ios", "android:onnxruntime"),
            output=str(tmp_path),
            policy="uniform",
            bits=2,
        )


def test_targets_have_short_names():
    assert target_name("android", "executorch") == "android"
    assert target_name("android", "onnxruntime") == "android:onnxruntime"
    assert target_name("ios", "coreml") == "ios"
    assert target_name("web", "wasm") == "web:wasm"
