"""Targets without weights through the whole program: nothing is quantised, nothing counts as executed."""

import json
import runpy

import pytest
from support.models import shared_model, tiny_llama

import optimum_compile as oc
from optimum_compile.backends.gguf.emit import parse_rules
from optimum_compile.compiler.errors import BudgetError, UnsupportedError
from optimum_compile.compiler.package.allocation import ALLOCATION, read_allocation
from optimum_compile.compiler.package.cases import CASES
from optimum_compile.compiler.package.manifest import Check

UNIFORM = {"policy": "uniform", "bits": 4, "calibration": "none"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    out = tmp_path_factory.mktemp("bundles")
    return oc.compile(shared_model(), ["gguf", "mlx"], output=str(out), **UNIFORM)


def check_of(bundle, platform) -> Check:
    return next(c for c in bundle.manifest.checks if c.path.startswith(platform))


def test_only_the_choice_is_written(bundle):
    files = {entry.path for entry in bundle.manifest.files}
    name = bundle.manifest.name
    assert files == {
        ALLOCATION,
        "tokenizer.json",
        "tokenizer_config.json",
        f"gguf/{name}.tensor-types.txt",
        f"gguf/{name}.metadata.json",
        f"gguf/{name}.README.txt",
        f"mlx/{name}_quant_predicate.py",
        f"mlx/{name}.quantization.json",
    }
    assert bundle.manifest.stages == ()
    for artifact in bundle.manifest.artifacts:
        assert artifact.weight_bytes == artifact.predicted_bytes > artifact.file_bytes


def test_all_files_say_the_same(bundle):
    schemes = set(read_allocation(bundle.path / ALLOCATION).schemes().values())
    assert schemes == {"int4:g32@bf16"}
    gguf, mlx = bundle.manifest.artifacts
    rules = parse_rules(bundle.resolve(gguf.path).read_text())
    assert {kind.name for kind in rules.values()} == {"Q4_0"}
    asked = runpy.run_path(str(bundle.resolve(mlx.path)))["RULES"]
    assert len(asked) == len(rules)
    assert list(map(json.dumps, asked.values())) == ['{"bits": 4, "group_size": 32}'] * len(asked)


def test_what_was_not_executed_is_no_failure_and_is_said(bundle, cli):
    for platform in ("gguf", "mlx"):
        check = check_of(bundle, platform)
        assert (check.executed, check.ok, check.steps) == (False, True, 0)
    done = cli("verify", bundle.path)
    assert done.code == 0
    assert done.out.count("not executed") == 4  # a column and the reason, twice
    assert [a["executed"] for a in cli("verify", bundle.path, "--json").json()["artifacts"]] == [
        False
    ] * 2


def test_inspect_reads_bundle_and_artifacts(bundle, cli):
    assert set(cli("inspect", bundle.path, "--json").json()["embedded"]) == {
        artifact.path for artifact in bundle.manifest.artifacts
    }
    for artifact in bundle.manifest.artifacts:
        found = cli("inspect", bundle.path / artifact.path, "--json").json()
        assert (found["target"], found["stages"]) == (f"{artifact.platform}:{artifact.kind}", [])
    assert "not executed" in cli("inspect", bundle.path).out


@pytest.mark.parametrize(
    ("target", "way"),
    [("gguf", "run the GGUF with llama.cpp"), ("mlx", "run the result with mlx-lm")],
)
def test_evaluate_says_what_to_run_instead(bundle, cli, tmp_path, target, way):
    text = tmp_path / "text.txt"
    text.write_text("one two three four\n" * 20)
    done = cli("evaluate", bundle.path, "--artifact", target, "--text", text)
    assert done.code == UnsupportedError.exit_code
    assert way in done.err


def test_no_verify_leaves_the_record_out(tmp_path):
    made = oc.compile(shared_model(), "mlx", output=str(tmp_path), verify=False, **UNIFORM)
    assert [c.reason for c in made.manifest.checks] == ["not executed: --no-verify"]


def test_two_bits_are_the_grid_that_each_target_has(tmp_path):
    made = {}
    for target in ("gguf", "mlx"):
        wanted = oc.compiler.api.plan(
            shared_model(),
            target,
            output=str(tmp_path),
            allow_fallback=True,
            **UNIFORM | {"bits": 2},
        )
        graph = wanted.model.graph
        notes = (v.notes.get(oc.passes.precision.notes.Precision) for v in graph.weights.values())
        made[target] = {str(note.scheme) for note in notes if note}
    assert "uint2:g32" in made["mlx"]
    assert "lut2" not in " ".join(made["gguf"] | made["mlx"])


def test_a_budget_counts_the_bytes_of_the_other_tool(tmp_path):
    options = {"output": str(tmp_path), "policy": "uniform", "calibration": "none"}
    made = oc.compile(shared_model(), "mlx", budget="6bpw", **options)
    told = made.manifest.artifacts[0].weight_bytes
    assert told <= 6 * made.manifest.parameters / 8
    with pytest.raises(BudgetError):
        oc.compile(shared_model(), "mlx", budget="1bpw", name="small", **options)


def test_rotations_are_refused_where_they_need_operations(tmp_path):
    for target, runtime in (("gguf", "llama.cpp"), ("mlx", "mlx-lm")):
        with pytest.raises(UnsupportedError, match=f"{runtime} turns no activations"):
            oc.compile(shared_model(), target, output=str(tmp_path), rotate="all", **UNIFORM)


@pytest.mark.onnxruntime
def test_beside_an_artifact_with_weights_both_get_what_both_can_store(tmp_path):
    targets = ["android:onnxruntime", "gguf"]
    folder = tiny_llama(tmp_path / "model")
    made = oc.compile(folder, targets, output=str(tmp_path / "out"), **UNIFORM)
    assert [(c.executed, c.ok) for c in made.manifest.checks] == [(True, True), (False, True)]
    assert (made.path / CASES).is_file()
    assert len(made.manifest.stages) == 1
    allocation = read_allocation(made.path / ALLOCATION)
    assert allocation.targets == tuple(targets)
    assert set(allocation.weight_bytes) == set(targets)
