"""`--nested 2,3,4` from the option to the bundle: what is stored, what is said, what is executed."""

import numpy as np
import pytest
from support.models import shared_model

import optimum_compile as oc
from optimum_compile.backends.native.session import Logits, Model
from optimum_compile.compiler.assigning import settled_by_nested
from optimum_compile.compiler.conformance import CaseOptions, make_cases, widths_at
from optimum_compile.compiler.errors import OptionError, UnsupportedError
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.compiler.package.cases import CASES, load_answers
from optimum_compile.passes.precision.bytes_read import weight_bytes_read
from optimum_compile.tools.verify import verify_bundle

QUICK = {"quantizer": "rtn", "calibration": "none", "companions": False}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    out = str(tmp_path_factory.mktemp("nested"))
    pins = ("down_proj=int8:channel",)
    return oc.compile(shared_model(), ["native"], output=out, nested="2,3,4", pin=pins, **QUICK)


def test_linears_of_the_blocks_are_nested_and_the_rest_has_eight_bits(bundle):
    schemes = {t.name: t.scheme for t in bundle.manifest.tensors}
    for name, scheme in schemes.items():
        inside = ".layers." in name and "norm" not in name
        assert scheme.startswith("nest2-4:r") == (inside and "down_proj" not in name)
    assert schemes["model.embed_tokens.weight"] == "int8:channel"
    assert bundle.manifest.options["nested"] == "2,3,4"
    assert bundle.manifest.options["policy"] == "uniform"


def test_the_manifest_has_the_bytes_of_a_token_at_each_width(bundle):
    found = {w.width: w.bytes_per_token for w in bundle.manifest.widths}
    assert sorted(found) == [2, 3, 4]
    model = Model(bundle.path / bundle.manifest.artifacts[0].path)
    session = model.session()
    assert model.widths == (2, 3, 4)
    read = {}
    for width in model.widths:
        session.set_width(width)
        session.run([5], Logits.LAST)
        read[width] = session.stats().last_weight_bytes
        assert read[width] == pytest.approx(found[width], rel=0.01)
    assert read[4] - read[2] == pytest.approx(found[4] - found[2], rel=1e-3)
    assert read[3] - read[2] == pytest.approx(found[3] - found[2], rel=1e-3)


def test_the_recorded_answers_switch_widths_and_the_artifact_gives_them(bundle):
    (cases,) = load_answers(bundle.path / CASES).values()
    used = [[int(c.inputs.get("width", [0])[0]) for c in case.calls] for case in cases]
    assert used[0] == [4, 4, 4, 4, 3, 3, 3, 2, 2]
    assert used[1] == [2, 4, 4, 4, 3, 3, 3, 2, 2]
    assert used[2] == [0] * 9
    assert all(check.ok for check in verify_bundle(bundle))
    # A wrong width shows: these answers are not those of all bits.
    model = Model(bundle.path / bundle.manifest.artifacts[0].path)
    session = model.session()
    for call in cases[0].calls[:-1]:
        session.run(call.inputs["tokens"].reshape(-1))
    last = cases[0].calls[-1]
    wide = session.run(last.inputs["tokens"].reshape(-1))
    gap = np.linalg.norm(wide - last.expected[0][0]) / np.linalg.norm(wide)
    assert gap > 0.01


def test_targets_without_tables_are_refused_by_name():
    with pytest.raises(
        UnsupportedError, match=r"nested='2,3,4': .*: onnxruntime: MatMulNBits has no"
    ):
        oc.plan(shared_model(), ["android:onnxruntime"], nested="2,3,4", **QUICK)


def test_targets_that_choose_no_width_say_so():
    found = oc.plan(shared_model(), ["ios:coreml", "native"], nested="2,3", **QUICK)
    said = [r for r in found.remarks if "choose no width" in r]
    assert said == [
        "coreml: its calls choose no width, so nested weights are always read with all 3 bits"
    ]
    graph = found.model.graph
    assert [widths_at(graph, b) for b in found.backends] == [(), (2, 3)]
    coreml, native = found.backends
    assert weight_bytes_read(graph, coreml, width=2) <= weight_bytes_read(graph, coreml)
    assert weight_bytes_read(graph, native, width=2) < weight_bytes_read(graph, native, width=3)


def test_the_policy_measures_where_there_is_a_goal():
    assert settled_by_nested(CompileOptions(nested="2,3")).policy == "uniform"
    for kept in ({"nested": "2,3", "budget": "5bpw"}, {"nested": "2,3", "kv_bits": "auto"}, {}):
        options = CompileOptions(**kept)
        assert settled_by_nested(options) == options
    four = CompileOptions(nested="2,3", policy="uniform", bits=4)
    assert settled_by_nested(four).bits == 4


def test_widths_of_cases_without_nested_weights():
    graph = oc.plan(shared_model(), ["native"], policy="uniform", **QUICK).model.graph
    assert all("width" not in c.inputs for case in cases_of(graph) for c in case.calls)
    with pytest.raises(OptionError, match="expected two or more widths"):
        oc.plan(shared_model(), ["native"], nested="4", **QUICK)


def cases_of(graph):
    return make_cases(graph, None, None, None, CaseOptions(count=1))
