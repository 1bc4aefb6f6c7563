"""The target through the whole program: compiled, verified, inspected, verified again from the bundle."""

import pytest
from support.models import shared_model

import optimum_compile as oc
from optimum_compile.backends.base import Tolerance
from optimum_compile.backends.tvm.backend import BACKEND
from optimum_compile.compiler.errors import ResourceError
from optimum_compile.compiler.package.cases import CASES, load_answers
from optimum_compile.compiler.package.manifest import Check

pytestmark = pytest.mark.tvm


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    try:
        BACKEND.require()
    except ResourceError as error:
        pytest.skip(str(error))
    options = {"policy": "uniform", "bits": 4, "calibration": "none", "name": "tiny"}
    out = tmp_path_factory.mktemp("bundle")
    return oc.compile(shared_model(), ["android:tvm"], output=str(out), **options)


def test_it_is_executed_and_exact(bundle):
    check: Check = bundle.manifest.checks[0]
    assert check.path == "android/tiny.tvm"
    assert check.executed
    assert check.ok
    assert check.max_rel_err < 1e-5
    assert check.executed_by.startswith("TVM ")


def test_its_bytes_are_foreseen(bundle):
    artifact = bundle.manifest.artifacts[0]
    assert artifact.functions == ("prefill", "decode")
    assert artifact.weight_bytes == artifact.predicted_bytes
    assert 1 <= artifact.predicted_file_bytes / artifact.file_bytes < 1.15


def test_it_is_verified_again_from_the_bundle(bundle):
    cases = load_answers(bundle.path / CASES)["android:tvm"]
    artifact = bundle.resolve("android/tiny.tvm")
    assert BACKEND.verify(artifact, cases, Tolerance(max_rel_err=1e-5)).ok
    assert '"target":"android:tvm"' in BACKEND.inspect(artifact)
