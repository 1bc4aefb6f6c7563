import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.models import LAYERS, shared_bundle, shared_model, tiny_llama, tiny_weights

import optimum_compile as oc
from optimum_compile.backends.coreml.backend import CoreMLBackend
from optimum_compile.compiler.api import prepare
from optimum_compile.compiler.errors import (
    BudgetError,
    InputError,
    OptionError,
    VerificationError,
)
from optimum_compile.compiler.observers import SilentObserver
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.compiler.package.allocation import read_allocation
from optimum_compile.compiler.package.describe import predicted_bytes
from optimum_compile.passes.stages.notes import StagePlan

PARAMETERS = sum(w.size for w in tiny_weights().values())


def quick(folder, **values):
    """A compilation for iOS without calibrated quantisation and without the comparison."""
    values = {"quantizer": "mse", "policy": "cascade"} | values
    values = {"verify": False} | values
    return oc.compile(shared_model(), ["ios:coreml"], output=str(folder), **values)


def test_the_package_gives_its_public_names_without_loading_torch():
    code = (
        "import sys, optimum_compile as oc; assert 'torch' not in sys.modules\n"
        "print([getattr(oc, name).__name__ for name in oc.__all__])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(oc.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = oc.nothing


def test_a_bundle_comes_back_as_it_lies_on_disk():
    bundle = shared_bundle()
    assert isinstance(bundle, oc.Bundle)
    assert oc.open_bundle(bundle.path) == bundle
    assert sorted(p.name for p in bundle.path.iterdir()) == [
        "allocation.json",
        "conformance.npz",
        "ios",
        "manifest.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_the_default_is_a_cascade_of_three_contiguous_stages():
    manifest = shared_bundle().manifest
    assert manifest.options["policy"] == "cascade"
    assert [s.precision_class for s in manifest.stages] == ["INT8", "INT4", "INT2"]
    assert [s.blocks for s in manifest.stages] == [(0, 0), (1, 1), (2, 2)]
    assert [s.index for s in manifest.stages] == [0, 1, 2]
    widths = [s.bits_per_weight for s in manifest.stages]
    assert widths == sorted(widths, reverse=True)
    assert {block for s in manifest.stages for block, _, _ in s.activations} == set(range(LAYERS))


def test_the_comparison_with_the_oracle_is_recorded():
    (check,) = shared_bundle().manifest.checks
    assert check.executed
    assert check.ok
    assert check.steps == 3 * (1 + 8)
    assert check.max_rel_err <= check.tolerance.max_rel_err
    (artifact,) = shared_bundle().manifest.artifacts
    assert artifact.functions == ("prefill", "decode")
    assert shared_bundle().resolve(artifact.path).is_dir()


@pytest.mark.parametrize(
    ("bits", "scheme"),
    [(16, "f16"), (8, "int8:channel"), (4, "int4:g32@bf16"), (2, "lut2:r4")],
)
def test_uniform_stores_every_matrix_in_one_class(tmp_path, bits, scheme):
    manifest = quick(tmp_path, policy="uniform", bits=bits).manifest
    (stage,) = manifest.stages
    assert stage.precision_class == ("FP16" if bits == 16 else f"INT{bits}")
    assert stage.blocks == (0, LAYERS - 1)
    names = {t.name for t in manifest.tensors if t.scheme != "f16"}
    matrices = {n for n, w in tiny_weights().items() if w.ndim == 2}
    assert names == (matrices if bits < 16 else set())
    assert scheme in {t.scheme for t in manifest.tensors}
    assert bits <= manifest.bits_per_weight < bits + 0.6


@pytest.mark.parametrize("policy", ["cascade", "uniform", "measured"])
@pytest.mark.parametrize("budget", ["3.5bpw", "6bpw", "45%"])
def test_a_budget_is_kept_and_used_by_every_target(budget, policy):
    plan = oc.plan(
        shared_model(), ["ios:coreml", "android:executorch"], budget=budget, policy=policy
    )
    limit = {
        "3.5bpw": 3.5 * PARAMETERS / 8,
        "6bpw": 6 * PARAMETERS / 8,
        "45%": 0.45 * 2 * PARAMETERS,
    }[budget]
    sizes = [predicted_bytes(plan.model.graph, b) for b in plan.backends]
    assert max(sizes) <= limit
    assert max(sizes) > 0.97 * limit


def test_the_bytes_in_the_artifact_are_within_the_budget(tmp_path):
    manifest = quick(tmp_path, budget="4.8bpw").manifest
    assert manifest.options["budget"] == "4.8bpw"
    (artifact,) = manifest.artifacts
    stored = next((tmp_path / "tiny").rglob("weight.bin")).stat().st_size
    assert 69_000 < stored == artifact.weight_bytes <= 4.8 * PARAMETERS / 8


def test_an_untied_head_follows_the_last_stage_unless_it_is_to_stay_high(tmp_path):
    model = tiny_llama(tmp_path / "m", tied=False)

    def head(**values):
        from optimum_compile.passes.precision.notes import Precision

        graph = oc.plan(model, ["ios:coreml"], policy="cascade", **values).model.graph
        return str(graph.weights["lm_head.weight"].notes.get(Precision).scheme)

    assert head() == "lut2:r4"
    assert head(head="high") == "int8:channel"


@pytest.mark.slow
def test_a_second_compilation_gives_the_same_bytes(tmp_path):
    """Another process, hash seed, time, working folder and place of the model."""
    shutil.copytree(shared_model(), tmp_path / "elsewhere" / "tiny")
    command = [sys.executable, "-P", "-m", "optimum_compile.tools.cli", "elsewhere/tiny"]
    options = [
        "--target",
        "ios:coreml",
        "--policy",
        "cascade",
        "-o",
        "out",
        "--work-dir",
        "scratch",
    ]
    subprocess.run(
        [*command, *options],
        check=True,
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONHASHSEED": "77"},
    )
    one, two = shared_bundle().path, tmp_path / "out" / "tiny"
    files = sorted(p.relative_to(one) for p in one.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(two) for p in two.rglob("*") if p.is_file())
    assert [f for f in files if (one / f).read_bytes() != (two / f).read_bytes()] == []


def test_no_file_of_a_bundle_holds_a_path_of_this_machine():
    bundle = shared_bundle()
    places = [bundle.path, shared_model(), Path.cwd(), sys.prefix, Path.home()]
    needles = [str(place).encode() for place in places if str(place) != "/"]
    for file in bundle.path.rglob("*"):
        data = file.read_bytes() if file.is_file() else b""
        assert [n for n in needles if n in data] == []


def test_options_and_keywords_mean_the_same():
    one = oc.plan(shared_model(), ["ios:coreml"], CompileOptions(policy="uniform", bits=4))
    two = oc.plan(shared_model(), target="ios:coreml", policy="uniform", bits=4)
    assert one.options == two.options
    assert [t.platform for t in one.targets] == ["ios"]


def test_options_beside_keywords_are_refused_rather_than_dropped():
    with pytest.raises(OptionError, match="bits: give these inside `options`, or no `options`"):
        oc.plan(shared_model(), options=CompileOptions(), bits=4)


def test_one_target_may_be_given_without_a_list():
    assert [t.platform for t in oc.plan(shared_model(), "ios").targets] == ["ios"]
    with pytest.raises(OptionError, match="target 'i' is unknown"):
        oc.plan(shared_model(), ["i"])


def test_a_plan_names_the_bundle_after_the_model_unless_told_otherwise(tmp_path):
    assert oc.plan(shared_model()).final.name == "tiny"
    assert oc.plan(shared_model(), name="x", output=str(tmp_path)).final == tmp_path / "x"


def test_an_impossible_budget_is_refused_by_the_plan():
    with pytest.raises(BudgetError, match=r"budget of .* \(2\.\d+bpw to 1?\d\.\d+bpw"):
        oc.plan(shared_model(), budget="1bpw")
    with pytest.raises(
        BudgetError, match="budget of 1 bytes: the artifact needs .* raise --budget"
    ):
        oc.plan(shared_model(), budget="1")


def test_an_artifact_that_disagrees_leaves_no_bundle(tmp_path, monkeypatch):
    def disagree(self, artifact, cases, tolerance):
        check = shared_bundle().manifest.checks[0]
        from optimum_compile.backends.compare import failed

        assert len(cases) * 9 == check.steps
        return failed("tiny.mlpackage", tolerance, "relative error 1, allowed 0.01")

    shared_bundle()
    monkeypatch.setattr(CoreMLBackend, "verify", disagree)
    with pytest.raises(VerificationError, match=r"tiny\.mlpackage: relative error 1"):
        quick(tmp_path / "out", verify=True)
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_overflows_on_the_calibration_text_is_rejected(tmp_path):
    weights = tiny_weights()
    name = "model.layers.0.mlp.down_proj.weight"
    weights[name] = np.full(weights[name].shape, 1e38, np.float32)
    model = tiny_llama(tmp_path / "m", weights=weights)
    with pytest.raises(InputError, match="the input of block 1 is NaN or infinite"):
        oc.compile(model, ["ios:coreml"], output=str(tmp_path / "out"), policy="uniform")


def test_a_calibration_text_of_one_token_is_refused_rather_than_ignored(tmp_path):
    model = tiny_llama(tmp_path / "m")
    (model / "tokenizer_config.json").unlink()
    plain = json.loads((model / "tokenizer.json").read_text())
    (model / "tokenizer.json").write_text(json.dumps(plain | {"post_processor": None}))
    (tmp_path / "short.txt").write_text("x")
    with pytest.raises(InputError, match=r"calibration text short\.txt: fewer than two tokens"):
        oc.compile(
            model,
            ["ios:coreml"],
            output=str(tmp_path / "out"),
            calibration=str(tmp_path / "short.txt"),
        )
    assert not (tmp_path / "out").exists()


def prepared(folder, observer=None, **values):
    """The graph just before emission."""
    values = {"quantizer": "mse", "policy": "cascade"} | values
    wanted = oc.plan(shared_model(), ["ios:coreml"], observer=observer, **values)
    prepare(wanted, folder, observer=observer)
    return wanted.model.graph


def test_without_calibration_no_range_is_claimed(tmp_path):
    graph = prepared(tmp_path, calibration="none")
    assert [s.activations for s in graph.notes.get(StagePlan).stages] == [(), (), ()]


def test_observers_see_every_pass_and_its_progress(tmp_path):
    seen = []

    class Watch(SilentObserver):
        def pass_finished(self, name, graph, changed, seconds):
            seen.append(name)

        def progress(self, label, done, total):
            if done == total:
                seen.append(f"{label} done")

    prepared(tmp_path, Watch())
    assert seen == [
        "assign-precision",
        "quantize-weights done",
        "quantize-weights",
        "cut-stages",
    ]


def test_each_target_may_have_its_own_assignment(tmp_path):
    values = {"quantizer": "rtn", "verify": False, "policy": "uniform", "budget": "290KB"}
    bundle = oc.compile(
        shared_model(),
        ["ios:coreml", "android:executorch"],
        output=str(tmp_path),
        allocation="each",
        **values,
    )
    manifest = bundle.manifest
    assert {t.targets for t in manifest.tensors} == {("ios",), ("android",)}
    assert {s.targets for s in manifest.stages} == {("ios",), ("android",)}
    for artifact in manifest.artifacts:
        # The next matrix in the next class would take up to 8,320 bytes more.
        assert 290_000 - 8_320 <= artifact.file_bytes <= 290_000
    schemes = {
        target: {t.name: t.scheme for t in manifest.tensors if t.targets == (target,)}
        for target in ("ios", "android")
    }
    assert schemes["ios"] != schemes["android"]
    for platform in ("ios", "android"):
        found = read_allocation(bundle.path / platform / "allocation.json")
        kept = {n: s for n, s in schemes[platform].items() if n in found.schemes()}
        assert found.schemes() == kept
    assert not (bundle.path / "allocation.json").exists()
    assert all(r.startswith(("ios: ", "android: ")) for r in manifest.remarks)
