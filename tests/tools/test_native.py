"""The target native through the whole program: compiled, compared, run, evaluated and inspected."""

import numpy as np
import pytest
from support.models import CONTEXT, copy_bundle, shared_bundle, shared_model, tiny_llama

import optimum_compile as oc
from optimum_compile.backends.native.backend import BACKEND
from optimum_compile.backends.native.decode import read
from optimum_compile.backends.native.program import Op
from optimum_compile.backends.native.session import Session
from optimum_compile.compiler.device_budget import budget_of
from optimum_compile.compiler.errors import InputError, UnsupportedError, VerificationError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.options import TARGETS, CompileOptions
from optimum_compile.compiler.package.reader import open_bundle
from optimum_compile.compiler.planning import plan
from optimum_compile.tools.run import open_session

PLAIN = {"policy": "uniform", "bits": 4, "quantizer": "rtn", "calibration": "none"}


def test_it_is_no_default():
    assert CompileOptions().target == ("ios", "android")
    assert TARGETS["native"].platform == "native"


def test_a_bundle_is_compared_and_tells_of_itself(cli):
    bundle = shared_bundle("native")
    (artifact,), (check,) = bundle.manifest.artifacts, bundle.manifest.checks
    assert artifact.path == f"native/{bundle.manifest.name}.ocm"
    assert (artifact.kind, artifact.functions) == ("native", ("prefill", "decode"))
    assert artifact.predicted_bytes == artifact.weight_bytes
    assert (check.ok, check.executed_by, check.tolerance.max_rel_err) == (
        True,
        "native runtime",
        1e-3,
    )
    assert check.max_rel_err < 1e-3
    told = cli("inspect", bundle.path, "--json").json()
    found = told["artifacts"][0] if "artifacts" in told else told
    assert "native" in str(found)
    alone = cli("inspect", bundle.resolve(artifact.path))
    assert (alone.code, "KV cache f16" in alone.out) == (0, True)
    assert cli("verify", bundle.path).code == 0


def test_stages_of_the_bundle_are_those_of_the_steps():
    bundle = shared_bundle("native")
    program = read(bundle.resolve(bundle.manifest.artifacts[0].path)).program
    stages = [(s.name, s.precision_class) for s in bundle.manifest.stages]
    assert [(s.name, s.precision_class) for s in program.stages] == stages
    for function in program.functions:
        used = [step.stage for step in function.steps]
        assert used == sorted(used)
        assert set(used) == set(range(len(stages)))
        assert Op.COPY not in {step.op for step in function.steps}


def test_run_and_evaluate_take_it_where_it_is_alone(cli, text):
    bundle = shared_bundle("native")
    assert isinstance(open_session(bundle), Session)
    done = cli("run", bundle.path, "--prompt", "abc", "--max-tokens", "4", "--json")
    assert (done.code, done.json()["tokens"] <= 4) == (0, True)
    named = cli("run", bundle.path, "--prompt", "abc", "--max-tokens", "4", "--artifact", "native")
    assert named.out.startswith("abc" + done.json()["text"])
    words = text(["one two three four five six seven"])
    for chosen in ([], ["--artifact", "native"]):
        found = cli("evaluate", bundle.path, "--text", words, "--json", *chosen).json()
        assert (found["evaluated_by"], found["tokens"]) == ("native runtime", 33)
    missing = cli("evaluate", bundle.path, "--text", words, "--artifact", "ios")
    assert (missing.code, "it has native" in missing.err) == (3, True)


def test_caches_of_few_bits_are_compiled_and_compared(cli, tmp_path):
    made = oc.compile(shared_model(), ["native"], output=str(tmp_path), kv_bits="4,2", **PLAIN)
    (check,) = made.manifest.checks
    assert check.ok
    artifact = made.resolve(made.manifest.artifacts[0].path)
    program = read(artifact).program
    assert {(c.role.name, c.bits) for c in program.caches} == {("KEYS", 4), ("VALUES", 2)}
    assert Op.KV_ATTENTION in {step.op for step in program.functions[1].steps}
    assert "KV cache keys 3x kv4:g32; values 3x kv2:g32" in cli("inspect", artifact).out
    assert Session(artifact).prefill(list(range(3, 3 + CONTEXT))).shape == (96,)


def test_a_damaged_file_is_refused_by_every_command(cli, tmp_path):
    copied = copy_bundle(tmp_path, "native")
    bundle = open_bundle(copied)
    file = bundle.resolve(bundle.manifest.artifacts[0].path)
    data = bytearray(file.read_bytes())
    data[200] ^= 1
    file.write_bytes(data)
    with pytest.raises(InputError, match="checksum"):
        Session(file)
    assert cli("inspect", file).code == 3
    done = cli("verify", copied)
    assert (done.code, file.name in done.err) == (VerificationError.exit_code, True)


def test_what_is_no_decoder_is_refused(tmp_path):
    import torch
    from support.archives import save_archive

    class Plain(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = torch.nn.Linear(8, 8)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.fc(x).relu()

    archive = save_archive(tmp_path / "plain.pt2", Plain(), (torch.zeros(1, 8),))
    with pytest.raises(UnsupportedError, match="native: runs decoders"):
        oc.compile(archive, ["native"], output=str(tmp_path / "out"), **PLAIN)
    with pytest.raises(UnsupportedError, match="native: runs decoders"):
        plan(archive, ["native"], output=str(tmp_path / "out"), budget="4bpw")  # before any work
    assert not (tmp_path / "out" / "plain").exists()


@pytest.mark.slow
def test_native_and_android_share_an_assignment_and_agree(tmp_path):
    folder = tiny_llama(tmp_path / "models" / "two")
    made = oc.compile(folder, ["android:executorch", "native"], output=str(tmp_path), **PLAIN)
    assert [a.kind for a in made.manifest.artifacts] == ["executorch", "native"]
    assert [c.ok for c in made.manifest.checks] == [True, True]
    assert not isinstance(open_session(made), Session)  # android is the first one
    sessions = [open_session(made, name) for name in ("android", "native")]
    pte, ocm = (s.prefill([1, 5, 9]) for s in sessions)
    assert np.linalg.norm(pte - ocm) / np.linalg.norm(ocm) < 0.1  # int8 activations


def test_a_device_of_any_platform_may_run_it(tmp_path):
    for device in ("iPhone 15 Pro", "Pixel 8"):
        graph = open_model(shared_model()).graph
        options = CompileOptions(target=("native",), device=device)
        budget = budget_of(graph, options, (BACKEND,))
        assert budget is not None
        assert budget.bytes is not None
        assert budget.bytes > 1 << 30
