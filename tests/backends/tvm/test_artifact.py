"""A `.tvm` as a whole: executed, described by itself, refused when it is damaged."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.emission import METADATA, Emitted, emitted, with_schemes
from support.graphs import Builder, mlp

from optimum_compile.backends.base import EmitOptions, Tolerance
from optimum_compile.backends.compare import judge
from optimum_compile.backends.container import metadata_bytes
from optimum_compile.backends.tvm.artifact import DOCUMENT, PROGRAM, read_artifact
from optimum_compile.backends.tvm.backend import BACKEND
from optimum_compile.backends.tvm.check import LIMIT, check_kernels, main
from optimum_compile.backends.tvm.emit import emit
from optimum_compile.backends.tvm.session import Model
from optimum_compile.compiler.errors import InputError, ResourceError, UnsupportedError
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.stages.notes import InStage

pytestmark = pytest.mark.tvm
EXACT = Tolerance(max_rel_err=1e-5)


@pytest.fixture(scope="module")
def model(mixed: Emitted) -> Model:
    return Model(mixed.result.artifact)


@pytest.fixture
def copied(small: Emitted, tmp_path: Path) -> Path:
    out = tmp_path / "model.tvm"
    shutil.copytree(small.result.artifact, out)
    return out


def run(model: Model, cases):
    out = []
    for case in cases:
        model.reset()
        out.append([model.call(call.inputs) for call in case.calls])
    return out


def test_the_decoder_says_what_the_oracle_says(mixed, model):
    found = judge("model.tvm", "here", run(model, mixed.cases), mixed.cases, EXACT)
    assert found.ok, found.reason
    assert found.top1_agreement == 1


def test_every_kernel_is_exact_on_all_its_matrices(model):
    found = check_kernels(model.kernels)
    assert sum(f.calls for f in found if f.kernel.name.startswith("matvec")) == 15
    assert sum(f.calls for f in found if f.kernel.name.startswith("mlp")) == 2
    assert max(f.max_rel_err for f in found) < LIMIT / 10


def test_verify_runs_it_in_a_child(small):
    found = BACKEND.verify(small.result.artifact, small.cases, EXACT)
    assert found.ok, found.reason
    assert found.executed
    assert "LLVM module (linears, MLPs), reference executor" in found.executed_by


def test_logits_of_a_window_are_those_of_the_calls(small):
    case = small.cases[0]
    tokens = np.concatenate([call.inputs["tokens"][0] for call in case.calls])
    with BACKEND.logits(small.result.artifact) as logits:
        found = logits(tokens)
    expected = np.concatenate([call.expected[0][0] for call in case.calls])
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def test_it_describes_itself(mixed):
    artifact = mixed.result.artifact
    assert BACKEND.inspect(artifact) == METADATA
    document = json.loads((artifact / DOCUMENT).read_text())
    plan = read_artifact(artifact).plan
    for kernel in plan.kernels:
        entry = document["kernels"][kernel.name]
        assert entry["arguments"] == [[a.name, a.dtype, a.count] for a in kernel.arguments]
        for launch in entry["gpu"]:
            for folder, suffix in (("opencl", ".cl"), ("metal", ".metal")):
                text = (artifact / folder / f"{launch['function']}{suffix}").read_text()
                assert text.startswith("// Not executed where it was made")
                assert f"void {launch['function']}(" in text
    labels = document["files"]
    assert [name for name, said in labels.items() if said.startswith("executed")] == [
        "host/kernels.o"
    ]
    count = sum(len(document["kernels"][kernel.name]["gpu"]) for kernel in plan.kernels)
    assert len(list((artifact / "opencl").iterdir())) == count


def test_stages_name_their_kernels(mixed):
    document = json.loads((mixed.result.artifact / DOCUMENT).read_text())
    used = {stage for entry in document["kernels"].values() for stage in entry["stages"]}
    notes = (node.notes.get(InStage) for node in mixed.graph.nodes)
    assert used == {note.index for note in notes if note is not None}


def test_equal_input_gives_equal_bytes(small, tmp_path):
    again = tmp_path / "again.tvm"
    emit(small.graph, EmitOptions("model", 24, 16, METADATA, tmp_path), again)
    first = small.result.artifact
    names = sorted(p.relative_to(first) for p in first.rglob("*") if p.is_file())
    assert names == sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    for name in names:
        assert (first / name).read_bytes() == (again / name).read_bytes(), name


def test_sizes_are_foreseen(mixed):
    graph, artifact = mixed.graph, mixed.result.artifact
    total = sum(p.stat().st_size for p in artifact.rglob("*") if p.is_file())
    beyond = total - mixed.result.weight_bytes
    # The metadata here are a line; those that are foreseen are those of a bundle.
    foreseen = BACKEND.container_bytes(graph) - metadata_bytes(graph) + len(METADATA)
    assert beyond <= foreseen <= 1.15 * beyond


def test_opencl_text_compiles(mixed):
    clang = shutil.which("clang")
    if clang is None:
        pytest.skip("clang is missing; install it (Debian: apt-get install clang)")
    files = sorted(map(str, (mixed.result.artifact / "opencl").iterdir()))
    options = ["-cl-std=CL2.0", "-Xclang", "-finclude-default-header", "-target", "spir64"]
    done = subprocess.run(
        [clang, "-x", "cl", *options, "-fsyntax-only", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_host_module_that_was_changed_is_not_loaded(copied):
    module = copied / "host" / "kernels.o"
    data = bytearray(module.read_bytes())
    data[len(data) // 2] ^= 1
    module.write_bytes(bytes(data))
    with pytest.raises(InputError, match="is not what TVM makes of the kernels"):
        Model(copied)


def test_another_version_of_tvm_is_named(copied):
    text = (copied / DOCUMENT).read_text()
    version = json.loads(text)["tvm"]
    (copied / DOCUMENT).write_text(text.replace(version, "0.1.0"))
    with pytest.raises(ResourceError, match=r"made by TVM 0\.1\.0"):
        Model(copied)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format=2), "format 2: expected 1"),
        (lambda d: d["host"].update(mtriple="riscv64"), "a host"),
        (lambda d: d["kernels"].popitem(), "its kernels are not those of its program"),
        (lambda d: d["matrices"].popitem(), "its matrices are not those of its program"),
        (lambda d: next(iter(d["matrices"].values())).update(rows=-1), "-1 rows or columns"),
        (lambda d: next(iter(d["matrices"].values())).update(scheme="int9"), "int9"),
        (lambda d: next(iter(d["matrices"].values())).pop("parts"), "damaged"),
        (lambda d: d.update(matrices=[]), "damaged"),
    ],
)
def test_a_damaged_description_is_refused(copied, change, message):
    document = json.loads((copied / DOCUMENT).read_text())
    change(document)
    (copied / DOCUMENT).write_text(json.dumps(document))
    with pytest.raises(InputError, match=message):
        read_artifact(copied)


def test_a_damaged_program_is_refused(copied, capsys):
    text = (copied / PROGRAM).read_text()
    (copied / PROGRAM).write_text(text.replace("silu(", "aten(", 1))
    with pytest.raises(InputError, match="op 'aten'"):
        read_artifact(copied)
    (copied / PROGRAM).write_text(text[: len(text) // 2])
    assert main([str(copied)]) == 1
    assert "the program is damaged" in capsys.readouterr().err


def test_a_module_without_caches_has_one_function(tmp_path):
    graph = with_schemes(mlp(width=32, hidden=64), {"": parse_scheme("int4:g32")}, tmp_path)
    made = emitted(graph, tmp_path, BACKEND)
    assert made.result.functions == ("forward",)
    found = judge("m", "h", run(Model(made.result.artifact), made.cases), made.cases, EXACT)
    assert found.ok, found.reason


def test_a_graph_without_linears_is_refused(tmp_path):
    b = Builder("none", n=(1, 4))
    graph = b.returns(b.op("silu", b.input("x", "f32", "n", 8)))
    with pytest.raises(UnsupportedError, match="the model has no linear"):
        emit(graph, EmitOptions("m", 0, 1, METADATA, tmp_path), tmp_path / "m.tvm")


def test_matrices_that_nobody_rounded_stay_floats(tmp_path):
    made = emitted(mlp(), tmp_path, BACKEND)
    found = judge("m", "h", run(Model(made.result.artifact), made.cases), made.cases, EXACT)
    assert found.ok, found.reason
    assert made.result.weight_bytes == 4 * (2 * 8 * 16 + 16)
