import hashlib
import json
import re

import numpy as np
from support.graphs import mlp
from support.models import LAYERS, shared_bundle, shared_model, tiny_weights

from optimum_compile.backends.base import Conformance, Tolerance
from optimum_compile.compiler.package import describe
from optimum_compile.compiler.package.describe import (
    check_entry,
    port,
    stages_of,
    versions,
    weight_bytes,
)
from optimum_compile.compiler.quant.scheme_text import parse_scheme


def test_versions_leave_out_what_is_not_installed(monkeypatch):
    monkeypatch.setattr(describe, "PACKAGES", ("numpy", "no-such-package-anywhere"))
    assert list(versions()) == ["python", "numpy"]
    assert versions()["numpy"] == np.__version__


def test_symbolic_dimensions_are_text_in_a_port():
    graph = mlp(width=8)
    found = port("x", graph.inputs[0])
    assert (found.name, found.dtype, found.shape) == ("x", "f32", ("n", 8))


def test_a_graph_before_the_stages_has_none():
    assert stages_of(mlp()) == ()


def test_without_precision_only_what_is_no_matrix_is_counted():
    graph = mlp(width=8, hidden=16)
    assert weight_bytes(graph) == 2 * 16  # up.bias


def test_a_check_keeps_the_figures_and_the_tolerance():
    tolerance = Tolerance(max_rel_err=0.5)
    made = check_entry("ios/a", Conformance("a", True, "x", True, 3, 0.1, 0.9, 1.0, tolerance))
    assert (made.path, made.steps, made.tolerance, made.reason) == ("ios/a", 3, tolerance, "")


def test_inputs_outputs_and_states_of_a_decoder():
    manifest = shared_bundle().manifest
    assert [(p.name, p.dtype, p.shape) for p in manifest.inputs] == [
        ("tokens", "i64", (1, "seq")),
        ("past", "i64", (1,)),
    ]
    assert [p.shape for p in manifest.outputs] == [(1, "seq", 96)]
    assert [p.name for p in manifest.states] == [
        f"{kind}_cache.{i}" for kind in "kv" for i in range(LAYERS)
    ]
    assert {p.shape for p in manifest.states} == {(1, 2, 64, 16)}
    assert manifest.symbols["seq"] == (1, 64)


def test_the_source_is_named_by_content_and_not_by_place():
    source = shared_bundle().manifest.source
    digest = hashlib.sha256((shared_model() / "model.safetensors").read_bytes()).hexdigest()
    assert source == {
        "kind": "decoder",
        "name": "tiny",
        "weights_sha256": digest,
        "calibration": "built-in",
    }


def test_every_parameter_is_a_tensor_of_exactly_one_stage():
    manifest = shared_bundle().manifest
    names = [t.name for t in manifest.tensors]
    assert sorted(names) == sorted({*tiny_weights(), "inv_freq"})
    assert [n for s in manifest.stages for n in s.tensors] == names
    assert manifest.parameters == sum(w.size for w in tiny_weights().values())


def test_bytes_of_every_tensor_are_those_of_its_scheme():
    for tensor in shared_bundle().manifest.tensors:
        rows = tensor.shape[0] if len(tensor.shape) == 2 else 1
        scheme = parse_scheme(tensor.scheme)
        assert tensor.bytes == scheme.stored_bytes(rows, tensor.shape[-1])


def test_ranges_of_a_stage_are_those_of_its_dequantised_weights():
    weights = tiny_weights()
    # Coarser grids cut more of the tails.
    reached = {"INT8": 0.98, "INT4": 0.7, "INT2": 0.4}
    for stage in shared_bundle().manifest.stages:
        matrices = [weights[n] for n in stage.tensors if n in weights and weights[n].ndim == 2]
        true = (min(w.min() for w in matrices), max(w.max() for w in matrices))
        for found, limit in zip(stage.weight_range, true, strict=True):
            assert reached[stage.precision_class] <= found / limit <= 1.02
        assert re.fullmatch("[0-9a-f]{64}", stage.scales_sha256)


def test_predicted_and_stored_bytes_agree_to_the_byte():
    (artifact,) = shared_bundle().manifest.artifacts
    stored = next(shared_bundle().path.rglob("weight.bin")).stat().st_size
    assert artifact.predicted_bytes == artifact.weight_bytes == stored
    files = [f.bytes for f in shared_bundle().manifest.files if f.path.startswith(artifact.path)]
    assert artifact.file_bytes == sum(files)


def test_metadata_in_an_artifact_has_no_dates_and_no_paths(monkeypatch):
    from optimum_compile.backends.coreml.backend import BACKEND
    from optimum_compile.compiler.api import plan
    from optimum_compile.compiler.package.describe import embedded_metadata

    wanted = plan(shared_model(), ["ios:coreml"], seed=3, name="other")
    text = embedded_metadata(wanted, BACKEND)
    assert text == embedded_metadata(plan(shared_model(), ["ios"], seed=3, name="other"), BACKEND)
    data = json.loads(text)
    assert (data["name"], data["seed"], data["target"]) == ("other", 3, "ios:coreml")
    assert data["stages"] == []
    assert "/" not in text
