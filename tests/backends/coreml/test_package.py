"""Everything that is emitted is saved, reloaded and run by the interpreter."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from support.emission import METADATA, Emitted, compared, emitted, quantised, with_schemes
from support.graphs import Builder, decoder, mlp
from support.packed import random_packed, with_packed

from optimum_compile.backends.base import Tolerance
from optimum_compile.backends.coreml.backend import BACKEND
from optimum_compile.backends.coreml.interpreter import Package
from optimum_compile.backends.coreml.program import Op
from optimum_compile.backends.coreml.schemes import BLOB_BYTES
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.package.describe import predicted_bytes
from optimum_compile.compiler.package.writer import sha256_of
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Affine, Float, Lut, PerChannel, PerGroup
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.notes import Quantized
from optimum_compile.passes.stages.notes import StagePlan

pytestmark = pytest.mark.coreml
TIGHT = Tolerance(max_rel_err=3e-3)
SCHEMES = [
    Float(16),
    Affine(8, PerChannel()),
    Affine(8, PerGroup(32)),
    Affine(8, PerChannel(), False),
    Affine(4, PerChannel()),
    Affine(4, PerGroup(32)),
    Affine(4, PerGroup(16), False),
    Affine(4, PerGroup(32), True, "bf16"),
    Lut(2, 1),
    Lut(2, 4),
    Lut(3, 4),
    Lut(4, 8),
    Lut(6, 8),
]
EXTENDED_SCHEMES = [
    "uint4:g16@zf16",
    "uint4:g16@u4,zu6",
    "int4:g16+s0.02",
    "int4:g16+s0.0",
    "int8+s0.001",
    "lut2:r4+s0.02",
    "uint4:g16@u8,zf16+s0.02",
    "int4:g16+o0.08",
    "int8:g16@bf16+o0.003",
]


@pytest.fixture(scope="module")
def cascade(tmp_path_factory: pytest.TempPathFactory) -> Emitted:
    work = tmp_path_factory.mktemp("cascade")
    graph = quantised(decoder(layers=4, tied=False), work, BACKEND, "cascade")
    return emitted(graph, work, BACKEND)


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_every_scheme_comes_back_exactly(scheme, tmp_path):
    graph = with_schemes(mlp(32, 64), {"": scheme}, tmp_path)
    made = emitted(graph, tmp_path, BACKEND)
    package = Package(made.result.artifact)
    ops = {op.name: op for op in package.bodies["main"].operations}
    for name, value in graph.weights.items():
        note = value.notes.get(Quantized)
        if note is None:
            continue
        expected = note.load().dequantize().astype(np.float16).astype(np.float32)
        found = package.constant("main", ops[name.replace(".", "_")]).float().numpy()
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_bytes_are_those_predicted(scheme, tmp_path):
    graph = with_schemes(mlp(32, 64), {"": scheme}, tmp_path)
    made = emitted(graph, tmp_path, BACKEND)
    assert_predicted(made)


def extended(text: str, work: Path) -> Emitted:
    graph, scheme = mlp(32, 64), parse_scheme(text)
    shapes = {"up.weight": (64, 32), "down.weight": (32, 64)}
    weights = {name: random_packed(scheme, *shape) for name, shape in shapes.items()}
    return emitted(with_packed(graph, weights, work), work, BACKEND)


def parts_in_program(packed: PackedWeight) -> tuple[np.ndarray, np.ndarray | None]:
    """Two matrices whose sum is the weight; scaled outliers leave zeros in the first."""
    dense, found = packed.base.dequantize(), packed.outliers
    if found is None:
        return dense, None
    places, sparse = (found.rows, found.columns), np.zeros_like(dense)
    if found.values is None:
        dense[places] = 0
    sparse[places] = packed.dequantize()[places] if found.values is None else found.values
    return dense, sparse


def assert_constant(package: Package, op: Op, expected: np.ndarray) -> None:
    found = package.constant("main", op).float().numpy()
    np.testing.assert_array_equal(found, expected.astype(np.float16).astype(np.float32))


@pytest.mark.parametrize("text", EXTENDED_SCHEMES)
def test_scales_codes_and_outliers_come_back_exactly(text, tmp_path):
    made = extended(text, tmp_path)
    package = Package(made.result.artifact)
    ops = {op.name: op for op in package.bodies["main"].operations}
    for name in ("up.weight", "down.weight"):
        packed = made.graph.weights[name].notes.get(Quantized).load()
        dense, sparse = parts_in_program(packed)
        assert_constant(package, ops[name.replace(".", "_")], dense)
        outliers = f"{name}_outliers".replace(".", "_")
        assert (outliers in ops) == (sparse is not None)
        if sparse is not None:
            assert_constant(package, ops[outliers], sparse)
    verdict = compared(made, TIGHT)
    assert verdict.ok, verdict.reason
    assert_predicted(made)


def test_codes_of_outliers_stay_packed(tmp_path):
    package = Package(extended("int4:g16+o0.08", tmp_path).result.artifact)
    kinds = [op.op_type for op in package.bodies["main"].operations]
    assert kinds.count("constexpr_sparse_blockwise_shift_scale") == 2
    assert kinds.count("constexpr_sparse_to_dense") == 2
    assert kinds.count("constexpr_blockwise_shift_scale") == 2


@pytest.mark.parametrize("text", ["lut4:r10+s0.02", "int4:g16+o0.08"])
def test_a_tied_table_may_have_outliers(text, tmp_path):
    name = "model.embed_tokens.weight"
    table = random_packed(parse_scheme(text), 50, 32)
    graph = with_packed(decoder(layers=1, tied=True, bias=True), {name: table}, tmp_path)
    made = emitted(graph, tmp_path, BACKEND)
    verdict = compared(made, TIGHT)
    assert verdict.ok, verdict.reason
    assert_predicted(made)
    package = Package(made.result.artifact)
    for function in package.functions:
        assert package.count(function, "constexpr_sparse_to_dense") == 1


def assert_predicted(made: Emitted) -> None:
    # The file ends where its last blob ends, without that blob's padding.
    assert 0 <= predicted_bytes(made.graph, BACKEND) - made.result.weight_bytes < BLOB_BYTES


def test_a_cascade_has_three_stages_and_agrees_with_the_oracle(cascade):
    plan = cascade.graph.notes.get(StagePlan)
    assert [s.precision_class for s in plan.stages] == ["INT8", "INT4", "INT2"]
    verdict = BACKEND.verify(cascade.result.artifact, cascade.cases, TIGHT)
    assert verdict.ok, verdict.reason
    assert verdict.executed_by == "MIL interpreter"
    assert verdict.steps == 3 * 9
    assert_predicted(cascade)


def test_both_functions_read_and_write_every_state_once(cascade):
    package = Package(cascade.result.artifact)
    assert set(package.functions) == {"prefill", "decode"}
    for function in package.functions:
        assert package.count(function, "read_state") == len(cascade.graph.states)
        assert package.count(function, "coreml_update_state") == len(cascade.graph.states)


def test_packed_constants_stay_packed_in_both_functions(cascade):
    package = Package(cascade.result.artifact)
    for function in package.functions:
        assert package.count(function, "constexpr_blockwise_shift_scale") > 0
        assert package.count(function, "constexpr_lut_to_dense") > 0


def test_ops_are_named_after_their_stage(cascade):
    package = Package(cascade.result.artifact)
    names = {op.name for op in package.bodies["decode"].operations}
    for stage in ("stage0_int8__", "stage1_int4__", "stage2_int2__"):
        assert any(n.startswith(stage) for n in names)


def test_metadata_survives_joining(cascade):
    assert json.loads(BACKEND.inspect(cascade.result.artifact)) == json.loads(METADATA)


def test_the_same_model_gives_the_same_bytes(tmp_path):
    digests = []
    for run in ("a", "b"):
        work = tmp_path / run
        work.mkdir()
        graph = quantised(decoder(layers=3), work, BACKEND, "cascade")
        package = emitted(graph, work, BACKEND).result.artifact
        files = sorted(p for p in package.rglob("*") if p.is_file())
        digests.append([(p.relative_to(package).as_posix(), sha256_of(p)) for p in files])
    assert len(digests[0]) == 3
    assert digests[0] == digests[1]


def test_another_state_gives_another_answer(cascade):
    # Guards the comparison itself: a decode step must depend on what prefill wrote.
    package = Package(cascade.result.artifact)
    step = cascade.cases[0].calls[1]
    inputs = {k: v.astype(np.int32) for k, v in step.inputs.items()}
    lonely = package.call("decode", inputs)[0]
    assert np.linalg.norm(lonely - step.expected[0]) > 0.05 * np.linalg.norm(step.expected[0])


def test_a_damaged_weight_file_fails_the_comparison(cascade, tmp_path):
    import shutil

    copy = tmp_path / "copy.mlpackage"
    shutil.copytree(cascade.result.artifact, copy)
    file = next(copy.rglob("weight.bin"))
    data = bytearray(file.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(b ^ 0x55 for b in data[middle : middle + 2000])
    file.write_bytes(data)
    verdict = BACKEND.verify(copy, cascade.cases, TIGHT)
    assert not verdict.ok


def test_a_package_without_a_model_is_refused(tmp_path):
    (tmp_path / "x.mlpackage").mkdir()
    with pytest.raises(InputError, match="the package cannot be read"):
        Package(tmp_path / "x.mlpackage")


def test_a_module_has_one_function_of_fixed_size(tmp_path):
    graph = quantised(mlp(32, 64), tmp_path, BACKEND, "uniform", 8)
    made = emitted(graph, tmp_path, BACKEND)
    assert made.result.functions == ("forward",)
    verdict = compared(made, TIGHT)
    assert verdict.ok, verdict.reason


def counter() -> Graph:
    """A module with a state that no kv_write touches: a running sum."""
    b = Builder("counter")
    x = b.input("x", "f32", 1, 16)
    total = b.state("total", "f32", 1, 16)
    total.written = b.op("add", total.read, x)
    return b.returns(b.op("mul", total.written, x))


def test_any_op_may_write_a_state(tmp_path):
    made = emitted(counter(), tmp_path, BACKEND)
    assert len(made.cases[0].calls) == 8
    verdict = compared(made, TIGHT)
    assert verdict.ok, verdict.reason


def test_scratch_of_the_sdk_stays_in_the_work_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = str(tmp_path / "absent")
    monkeypatch.setattr(tempfile, "tempdir", absent)  # nothing can be written there
    one = emitted(quantised(mlp(), tmp_path, BACKEND, "uniform"), tmp_path, BACKEND)
    assert one.result.artifact.is_dir()
    assert tempfile.tempdir == absent
