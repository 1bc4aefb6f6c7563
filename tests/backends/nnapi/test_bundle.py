"""NNAPI packages in bundles: the pipeline, and the tools that read what it wrote."""

import json

import numpy as np
import pytest
import torch
from support.archives import save_archive
from support.hf import experts_folder
from support.models import shared_model

import optimum_compile as oc
from optimum_compile.backends.base import Tolerance
from optimum_compile.backends.nnapi.backend import NnapiBackend
from optimum_compile.backends.nnapi.session import Session
from optimum_compile.compiler.errors import UnsupportedError, VerificationError
from optimum_compile.compiler.options import Target, resolve_targets, target_name
from optimum_compile.tools.cli import main
from optimum_compile.tools.run import open_session
from optimum_compile.tools.verify import verify_bundle

pytestmark = pytest.mark.onnxruntime


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """Without text, so that ranges come from random tokens."""
    out = str(tmp_path_factory.mktemp("nnapi"))
    values = {"policy": "cascade", "quantizer": "rtn", "calibration": "none", "seqlen": 32}
    return oc.compile(shared_model(), ["android:nnapi"], output=out, **values)


def test_the_target_has_a_folder_of_its_own(bundle):
    assert resolve_targets(("android:nnapi",)) == (Target("nnapi", "nnapi"),)
    assert target_name("nnapi", "nnapi") == "android:nnapi"
    (artifact,) = bundle.manifest.artifacts
    assert (artifact.path, artifact.functions) == ("nnapi/tiny.nnapi", ("prefill", "decode"))
    assert bundle.artifact("android:nnapi") is artifact
    assert bundle.artifact("android") is None
    assert artifact.weight_bytes == artifact.predicted_bytes
    assert abs(artifact.predicted_file_bytes / artifact.file_bytes - 1) < 0.05


def test_it_was_executed_and_says_what_was_not(bundle):
    (check,) = bundle.manifest.checks
    assert (check.executed, check.ok, check.tolerance.min_cosine) == (True, True, 0.98)
    assert check.executed_by == "ONNX Runtime 1.31.1 CPU; NNAPI itself not executed"
    told = " ".join(bundle.manifest.artifacts[0].remarks)
    assert "NNAPI itself was not executed" in told
    assert "deprecated since Android 15" in told
    assert "nodes in 6 graphs are supported according to onnxruntime's usability checker" in told
    assert verify_bundle(bundle) == bundle.manifest.checks


def test_it_is_inspected_alone(bundle, capsys):
    path = bundle.path / "nnapi/tiny.nnapi"
    assert main(["inspect", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [s["name"] for s in found["stages"]] == ["stage0_int8", "stage1_int4", "stage2_int2"]
    assert found["kv_cache"] == "f32"
    assert main(["inspect", str(path / "decode.stage1_int4.onnx"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == found
    assert main(["inspect", str(bundle.path)]) == 0


def test_text_is_generated(bundle):
    session = open_session(bundle, "android:nnapi")
    assert isinstance(session, Session)
    assert session.prefill([1, 2, 3]).shape == session.decode(4).shape == (96,)


def test_a_failure_names_what_helps(tmp_path, monkeypatch):
    strict = Tolerance(min_cosine=1.5)
    monkeypatch.setattr(NnapiBackend, "tolerance", lambda backend, rounded: strict)
    values = {"policy": "uniform", "quantizer": "rtn", "calibration": "none", "seqlen": 32}
    with pytest.raises(VerificationError, match=r"needed 1\.5.*or --quantizer awq"):
        oc.compile(shared_model(), ["android:nnapi"], output=str(tmp_path), **values)
    assert not list(tmp_path.iterdir())


def test_lengths_of_prompts_are_chosen(tmp_path):
    values = {"policy": "uniform", "quantizer": "rtn", "seq": "1,4", "verify": False}
    made = oc.compile(shared_model(), ["android:nnapi"], output=str(tmp_path), **values)
    (artifact,) = made.manifest.artifacts
    assert artifact.functions == ("prefill_4", "decode")
    session = Session(made.path / artifact.path)
    logits = session.feed(np.arange(1, 11))  # twice four, then one by one
    assert logits.shape == (10, 96)


def test_what_it_cannot_take_is_refused_before_work(tmp_path):
    mixture = experts_folder(tmp_path / "mixture")
    with pytest.raises(UnsupportedError, match="mixtures of experts cannot be chosen from"):
        oc.plan(mixture, ["android:nnapi"], policy="uniform")
    archive = save_archive(tmp_path / "layer.pt2", torch.nn.Linear(8, 8), (torch.ones(1, 8),))
    with pytest.raises(UnsupportedError, match="layer is no decoder of tokens with a KV cache"):
        oc.plan(archive, ["android:nnapi"], policy="uniform")
