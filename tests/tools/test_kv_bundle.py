"""`--kv-bits` from the command line to the runtime: compiled, compared, inspected, evaluated."""

import json
from pathlib import Path

import pytest
from support.models import shared_model, tiny_llama

import optimum_compile as oc
from optimum_compile.backends.executorch.session import Session
from optimum_compile.compiler.package.describe import embedded_metadata
from optimum_compile.compiler.package.reader import Bundle

CONTEXT = 160


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    work = tmp_path_factory.mktemp("kv")
    model = tiny_llama(work / "model", context=CONTEXT)
    options = {"policy": "uniform", "bits": 8, "kv_bits": "4,2", "output": str(work / "out")}
    return oc.compile(model, ["android:executorch"], calibration="none", **options)


@pytest.mark.executorch
def test_what_was_compiled_agrees_and_tells_its_caches(bundle: Bundle, cli) -> None:
    (check,) = bundle.manifest.checks
    assert (check.executed, check.ok) == (True, True)
    (path,) = (bundle.resolve(a.path) for a in bundle.manifest.artifacts)
    found = cli("inspect", path, "--json").json()
    assert found["kv_cache"] == "keys 3x kv4:g32; values 3x kv2:g32"
    assert {name: scheme for name, (scheme, _) in found["kv_caches"].items()} == {
        f"{kind}_cache.{n}": scheme
        for n in range(3)
        for kind, scheme in (("k", "kv4:g32"), ("v", "kv2:g32"))
    }
    shown = cli("inspect", path, "-v").out
    assert "KV cache at the full context" in shown
    assert "decode copies" in shown


@pytest.mark.executorch
def test_the_artifact_generates_and_is_evaluated(bundle: Bundle, cli, tmp_path: Path) -> None:
    (path,) = (bundle.resolve(a.path) for a in bundle.manifest.artifacts)
    session = Session(path)
    logits = session.prefill([1, *range(3, 80)])
    for _ in range(CONTEXT - 78):
        logits = session.decode(int(logits.argmax()))
    assert session.past == CONTEXT
    text = tmp_path / "text.json"
    text.write_text(json.dumps(["Ana had a boat. The boat was red. " * 6]))
    options = ("--text", text, "--seqlen", CONTEXT, "--json")
    ours = cli("evaluate", bundle.path, *options).json()["nll"]
    model = bundle.path.parents[1] / "model"
    oracle = cli("evaluate", model, "--activations", "int8", "--kv-bits", "4,2", *options).json()
    plain = cli("evaluate", model, "--activations", "int8", *options).json()
    assert abs(ours - oracle["nll"]) < abs(ours - plain["nll"])


def test_core_ml_says_that_it_keeps_fp16() -> None:
    wanted = oc.plan(shared_model(), kv_bits="4,2", policy="uniform")
    told = {b.name: json.loads(embedded_metadata(wanted, b)) for b in wanted.backends}
    apple, android = told["coreml"], told["executorch"]
    assert apple["kv_cache"].startswith("f16 (4,2 bits were asked for: states are fp16 tensors")
    assert {scheme for scheme, _ in apple["kv_caches"].values()} == {"f16"}
    assert android["kv_cache"] == "keys 3x kv4:g32; values 3x kv2:g32"
    plain = oc.plan(shared_model(), policy="uniform")
    assert all(json.loads(embedded_metadata(plain, b))["kv_cache"] == "f16" for b in plain.backends)
