"""The reference executor as a target."""

import json

import pytest
from support.models import tiny_llama

import optimum_compile as oc
from optimum_compile.backends.base import Tolerance, WeightUse
from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.errors import InputError, UnsupportedError
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.problem import LADDER
from optimum_compile.tools.lists import SCHEMES

BACKEND = load_backend("reference")
USE = WeightUse("w", 96, 64, as_linear=True, as_table=False)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    model = tiny_llama(folder / "tiny", context=160)
    values = {"policy": "uniform", "bits": 4, "kv_bits": "8,2", "output": str(folder / "out")}
    return oc.compile(model, ["reference"], **values)


@pytest.mark.parametrize("text", [*SCHEMES, *LADDER])
def test_every_scheme_is_legal_at_its_own_bytes(text):
    scheme = parse_scheme(text)
    assert BACKEND.supports_scheme(scheme, USE).ok
    assert BACKEND.stored_bytes(scheme, USE) == scheme.stored_bytes(96, 64)
    assert BACKEND.activation_kind(scheme, USE) is None


def test_but_vectors_have_to_fit():
    odd = WeightUse("w", 96, 66, as_linear=True, as_table=False)
    verdict = BACKEND.supports_scheme(parse_scheme("vec8x4:channel@shared"), odd)
    assert not verdict.ok
    assert "vectors of 4 do not divide 66 columns" in verdict.reason


def test_the_artifact_says_what_the_reference_reads(bundle):
    (artifact,) = bundle.manifest.artifacts
    path = bundle.resolve(artifact.path)
    assert path.name == "tiny.precision.json"
    found = json.loads(path.read_text("utf-8"))
    allocation = json.loads((bundle.path / "allocation.json").read_text("utf-8"))
    assert found["weights"] == {t["name"]: t["scheme"] for t in allocation["tensors"]}
    assert found["kv"] == {c["state"]: c["scheme"] for c in allocation["kv"]}
    assert set(found["kv"].values()) == {"kv8:g32", "kv2:g32"}
    assert allocation["weight_bytes"] == {"reference": artifact.weight_bytes}
    assert artifact.weight_bytes == artifact.predicted_bytes
    (check,) = bundle.manifest.checks
    assert not check.executed
    assert "the reference executor is what others are compared with" in check.reason


def test_the_metadata_reads_back(bundle):
    path = bundle.resolve(bundle.manifest.artifacts[0].path)
    found = json.loads(BACKEND.inspect(path))
    assert found["target"] == "reference:reference"
    assert found["kv_cache"] == "kv2:g32, kv8:g32"


def test_what_it_cannot_do_is_told(bundle, tmp_path):
    path = bundle.resolve(bundle.manifest.artifacts[0].path)
    with pytest.raises(UnsupportedError, match="holds no weights"):
        BACKEND.logits(path)
    assert not BACKEND.verify(path, (), Tolerance()).executed
    for text in ("{", "[]", "{}"):
        broken = tmp_path / "broken.precision.json"
        broken.write_text(text)
        with pytest.raises(InputError, match="damaged"):
            BACKEND.inspect(broken)
