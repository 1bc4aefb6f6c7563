"""The same model as `.ort`: its bytes, and that it gives the same logits as the `.onnx`."""

import numpy as np
import onnx
import onnxruntime
import pytest
from support.emission import METADATA, Emitted, emitted, quantised, run_cases
from support.graphs import decoder, mlp

from optimum_compile.backends.base import BackendOptions, EmitOptions, Tolerance
from optimum_compile.backends.onnxruntime import emit as emission
from optimum_compile.backends.onnxruntime.backend import BACKEND
from optimum_compile.backends.onnxruntime.ort_format import forms_of, save_ort
from optimum_compile.backends.onnxruntime.session import Model, Session
from optimum_compile.compiler.conformance import (
    CaseOptions,
    caches_at,
    make_cases,
    rounding_of,
)
from optimum_compile.compiler.decoder import caches_of
from optimum_compile.compiler.errors import InputError, ToolchainError
from optimum_compile.compiler.pass_manager import PassManager
from optimum_compile.compiler.quant.kv import KvScheme
from optimum_compile.compiler.quant.kv_static import KvStatic
from optimum_compile.passes.precision.kv_constants import CalibrateCaches
from optimum_compile.passes.precision.notes import KvPrecision

pytestmark = pytest.mark.onnxruntime


@pytest.fixture(scope="module")
def cascade(tmp_path_factory: pytest.TempPathFactory) -> Emitted:
    work = tmp_path_factory.mktemp("cascade")
    graph = quantised(decoder(layers=4, tied=False, bias=True), work, BACKEND, "cascade")
    return emitted(graph, work, BACKEND)


def answers(path, cases):
    model, out = Model(path), []
    for case in cases:
        model.reset()
        out += [model.call(call.inputs)[0] for call in case.calls]
    return out


def test_both_forms_give_the_same_logits(cascade):
    one, other = forms_of(cascade.result.artifact)
    assert (one.suffix, other.suffix) == (".onnx", ".ort")
    pairs = zip(answers(one, cascade.cases), answers(other, cascade.cases), strict=True)
    for found, again in pairs:
        assert np.linalg.norm(found - again) < 1e-5 * np.linalg.norm(found)


def test_it_carries_the_same_metadata_and_states(cascade):
    one, other = (Model(path) for path in forms_of(cascade.result.artifact))
    assert one.facts == other.facts
    assert one.facts["optimum_compile.in_place"] == "true"
    assert one._states == other._states
    assert Session(cascade.result.artifact.with_suffix(".ort")).context == 24


def test_every_case_is_compared_on_both(cascade):
    verdict = BACKEND.verify(cascade.result.artifact, cascade.cases, Tolerance(max_rel_err=1e-5))
    assert verdict.ok, verdict.reason
    assert verdict.steps == 2 * sum(len(case.calls) for case in cascade.cases)
    (remark,) = cascade.result.remarks
    assert remark.startswith("onnxruntime: model.ort (")
    assert cascade.result.beside == ()


def test_a_wrong_one_is_noticed(cascade, tmp_path):
    other = quantised(
        decoder(layers=4, tied=False, bias=True, seed=1), tmp_path, BACKEND, "cascade"
    )
    made = emitted(other, tmp_path, BACKEND)
    made.result.artifact.write_bytes(cascade.result.artifact.read_bytes())
    verdict = BACKEND.verify(made.result.artifact, cascade.cases, Tolerance(max_rel_err=1e-5))
    assert not verdict.ok


def test_the_same_model_gives_the_same_bytes(cascade, tmp_path):
    kept = cascade.result.artifact.with_suffix(".ort").read_bytes()
    for _ in range(3):
        save_ort(cascade.result.artifact, tmp_path / "again.ort")
        assert (tmp_path / "again.ort").read_bytes() == kept


def test_int8_activations_and_kernels_survive(tmp_path):
    backend = BACKEND.configured(BackendOptions(activations="int8"))
    made = emitted(quantised(decoder(), tmp_path, backend, "cascade"), tmp_path, backend)
    one, other = (answers(path, made.cases) for path in forms_of(made.result.artifact))
    same = sum(int((a.argmax(-1) == b.argmax(-1)).sum()) for a, b in zip(one, other, strict=True))
    assert same > 0.9 * sum(a.shape[1] for a in one)
    floats = run_cases(made.result.artifact, made.cases)
    assert np.linalg.norm(other[0] - floats[0][0][0]) < 0.05 * np.linalg.norm(other[0])


@pytest.mark.parametrize("bits", [8, 4])
def test_bits_8_4_and_2_at_level_4_over_a_cache_in_codes(bits, tmp_path):
    """Everything that the package is for, in one graph and in both forms."""
    backend = BACKEND.configured(BackendOptions(activations="int8"))
    graph = quantised(decoder(layers=4), tmp_path, backend, "cascade")
    wanted = {cache.name: KvStatic(bits) for cache in caches_of(graph)}
    for cache in caches_of(graph):
        cache.value.notes.put(KvPrecision(KvScheme(bits)))
    windows = np.random.default_rng(0).integers(0, 50, (4, 24)).tolist()
    PassManager([CalibrateCaches(wanted, windows)]).run(graph)
    options = EmitOptions("model", 24, 16, METADATA, tmp_path)
    result = backend.emit(graph, options, tmp_path / "model.onnx")
    nodes = onnx.load(str(result.artifact)).graph.node
    matrices = [n for n in nodes if n.op_type == "MatMulNBits"]
    facts = [{a.name: a.i for a in n.attribute} for n in matrices]
    assert {f["bits"] for f in facts} == {8, 4, 2}
    assert {f["accuracy_level"] for f in facts} == {4}
    caches = [n for n in nodes if n.op_type == "GroupQueryAttention"]
    assert [a.i for n in caches for a in n.attribute if a.name == "kv_cache_bit_width"] == [
        bits
    ] * 4
    kv = caches_at(graph, backend)
    rounding = rounding_of(graph, backend)
    cases = make_cases(graph, None, None, None, CaseOptions(), rounding, kv)
    assert len(forms_of(result.artifact)) == 2
    verdict = backend.verify(result.artifact, cases, Tolerance(min_cosine=0.99, min_top1=0.9))
    assert verdict.ok, verdict.reason


def test_modules_have_one_too(tmp_path):
    made = emitted(quantised(mlp(), tmp_path, BACKEND, "uniform"), tmp_path, BACKEND)
    verdict = BACKEND.verify(made.result.artifact, made.cases, Tolerance(max_rel_err=1e-5))
    assert verdict.ok, verdict.reason


def test_what_one_file_cannot_hold_has_none(tmp_path, monkeypatch):
    monkeypatch.setattr(emission, "MOST_ORT_BYTES", 100)
    made = emitted(quantised(mlp(), tmp_path, BACKEND, "uniform"), tmp_path, BACKEND)
    assert forms_of(made.result.artifact) == (made.result.artifact,)
    assert made.result.remarks == ("onnxruntime: no .ort beside it, for these end at 2 GiB",)


def test_what_cannot_be_converted_leaves_nothing(tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(ToolchainError, match=r"bad\.onnx: cannot be saved as bad\.ort"):
        save_ort(tmp_path / "bad.onnx", tmp_path / "bad.ort")
    assert not (tmp_path / "bad.ort").exists()


def test_a_damaged_one_is_refused(cascade, tmp_path):
    data = cascade.result.artifact.with_suffix(".ort").read_bytes()
    (tmp_path / "cut.ort").write_bytes(data[: len(data) // 2])
    with pytest.raises((InputError, ToolchainError), match=r"cut\.ort"):
        Model(tmp_path / "cut.ort")
    assert onnxruntime.__version__ == "1.31.1"  # whose format this is
