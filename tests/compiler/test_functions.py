"""`--seq` and `--batch` end to end: the functions of a bundle, executed and compared."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support.models import shared_model
from torch import Tensor, nn

import optimum_compile as oc
from optimum_compile.backends.coreml.interpreter import Package
from optimum_compile.backends.executorch.session import Program
from optimum_compile.compiler.errors import OptionError, UnsupportedError, UserError
from optimum_compile.compiler.options import options_from
from optimum_compile.compiler.planning import plan

pytestmark = [pytest.mark.coreml, pytest.mark.executorch]
PLAIN = {"policy": "uniform", "bits": 16, "calibration": "none"}
Dim = torch.export.Dim


class Grouped(nn.Module):
    """x (batch, seq, 4) -> linear on sums over groups of positions."""

    def __init__(self, group: int = 8) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.group, self.linear = group, nn.Linear(4, 6)

    def forward(self, x: Tensor) -> Tensor:
        batch, seq, width = x.shape
        torch._check(seq % self.group == 0)
        return self.linear(x.reshape(batch, seq // self.group, self.group, width).sum(2))


class Plain(nn.Module):
    """Two inputs of (batch, seq, 4), in groups of no kind, and a guard between two sizes."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(4, 6)

    def forward(self, x: Tensor) -> Tensor:
        torch._check(x.shape[0] <= x.shape[1])
        return self.linear(x)


def archive(folder: Path, module: nn.Module, seq: int = 16, longest: int = 64) -> Path:
    exported = torch.export.export(
        module.eval(),
        (torch.randn(2, seq, 4),),
        dynamic_shapes=({0: Dim("b", min=1, max=8), 1: Dim("s", min=1, max=longest)},),
        prefer_deferred_runtime_asserts_over_guards=True,
    )
    path = folder / "module.pt2"
    torch.export.save(exported, path)
    return path


@pytest.mark.slow
def test_each_function_of_a_decoder_is_executed(tmp_path):
    bundle = oc.compile(
        shared_model(),
        ["ios:coreml", "android:executorch"],
        output=str(tmp_path),
        seq="1,4,1..16",
        **PLAIN,
    )
    manifest = bundle.manifest
    assert {a.platform: a.functions for a in manifest.artifacts} == {
        "ios": ("prefill", "prefill_4", "decode"),
        "android": ("prefill", "prefill_4", "decode"),
    }
    assert manifest.symbols["seq"] == (1, 16)
    assert manifest.options["seq"] == "1,4,1..16"
    assert all(c.ok and c.executed for c in manifest.checks)
    for artifact in manifest.artifacts:  # the prediction knows every function
        assert artifact.file_bytes <= artifact.predicted_file_bytes <= 1.2 * artifact.file_bytes


def test_fixed_lengths_alone_leave_no_symbolic_function(tmp_path):
    wanted = plan(shared_model(), ["reference"], output=str(tmp_path), seq="1,8,16", **PLAIN)
    assert wanted.model.graph.symbols["seq"].high == 16
    bundle = oc.compile(
        shared_model(), ["reference"], output=str(tmp_path), seq="1,8,16", verify=False, **PLAIN
    )
    text = next(bundle.path.rglob("*.precision.json")).read_text()
    assert '"prefill_16"' in text
    assert '"prefill",' not in text


def test_targets_with_one_function_say_so(tmp_path):
    wanted = plan(
        shared_model(),
        ["ios:coreml", "android:executorch", "android:onnxruntime"],
        output=str(tmp_path),
        seq="1,8,1..16",
        **PLAIN,
    )
    told = " ".join(wanted.remarks)
    assert "onnxruntime: one function of any length up to 16" in told
    assert "coreml: states need fixed shapes" in told
    assert "executorch: one function" not in told


def test_lengths_and_the_longest_prefill_exclude_each_other():
    with pytest.raises(OptionError, match="max_prefill: the lengths of --seq"):
        options_from({"seq": "1,8", "max_prefill": 16})
    assert options_from({"seq": [1, 64]}).seq == "1,64"
    assert options_from({"seq": 64}).seq == "64"


def test_lengths_beyond_the_context_are_refused(tmp_path):
    with pytest.raises(OptionError, match=r"seq=64: tiny takes 1 to 32 tokens a call"):
        plan(shared_model(), ["ios:coreml"], output=str(tmp_path), seq="1,64", context=32, **PLAIN)


def test_a_module_of_any_batch_checks_its_guards_at_run_time(tmp_path):
    bundle = oc.compile(
        archive(tmp_path, Plain()), ["android:executorch"], output=str(tmp_path), **PLAIN
    )
    assert any("every call must meet batch <= seq" in r for r in bundle.manifest.remarks)
    (artifact,) = bundle.manifest.artifacts
    program = Program(bundle.resolve(artifact.path))
    x = np.ones((3, 5, 4), np.float32)
    expected = Plain()(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(program.call("forward", x)[0], expected, rtol=1e-2, atol=1e-2)
    for shape, text in (
        ((5, 3, 4), r"batch=5, seq=3: expected batch <= seq"),
        ((9, 32, 4), r"batch=9: expected 1\.\.8; give inputs"),
        ((2, 65, 4), r"seq=65: expected 1\.\.64"),
    ):
        with pytest.raises(UserError, match=text):
            program.call("forward", np.ones(shape, np.float32))


@pytest.mark.slow
def test_a_module_is_specialised_where_a_target_needs_it(tmp_path):
    path = archive(tmp_path, Grouped())
    with pytest.raises(UnsupportedError, match=r"executorch cannot run .* --seq or --batch"):
        plan(path, ["android:executorch"], output=str(tmp_path), **PLAIN)
    with pytest.raises(OptionError, match=r"seq=12: expected seq % 8 == 0"):
        plan(path, ["android:executorch"], output=str(tmp_path), seq="12", **PLAIN)
    bundle = oc.compile(
        path, ["ios:coreml", "android:executorch"], output=str(tmp_path), seq="32", batch=2, **PLAIN
    )
    assert bundle.manifest.symbols == {}
    assert bundle.manifest.inputs[0].shape == (2, 32, 4)
    assert all(c.ok for c in bundle.manifest.checks)


@pytest.mark.slow
def test_a_package_takes_legal_sizes_for_symbols(tmp_path):
    path = archive(tmp_path, Grouped(7), seq=21, longest=700)  # 512 is no multiple of 7
    bundle = oc.compile(path, ["ios:coreml"], output=str(tmp_path), **PLAIN)
    assert all(c.ok for c in bundle.manifest.checks)
    (artifact,) = bundle.manifest.artifacts
    package = Package(bundle.resolve(artifact.path))
    assert package.input_shape("main", "x") == (1, 511, 4)
