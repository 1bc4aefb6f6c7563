"""Policies that look at the model: what they need, what they leave, and what they say."""

import json
import re

import pytest
from support.models import shared_model, tiny_llama, tiny_weights

import optimum_compile as oc
from optimum_compile.compiler import deciding
from optimum_compile.compiler.api import prepare, settle
from optimum_compile.compiler.errors import BudgetError, InputError, OptionError
from optimum_compile.compiler.observers import SilentObserver
from optimum_compile.compiler.package.describe import predicted_bytes
from optimum_compile.passes.precision.notes import Precision, Quantized
from optimum_compile.passes.sensitivity.map import read_map

# ONNX Runtime has no vector tables, whose codebooks take a while.
QUICK = {"quantizer": "rtn", "samples": 8, "profile_samples": 2, "seqlen": 24}


def planned(policy="measured", budget="4bpw", targets=("android:onnxruntime",), **values):
    return oc.plan(shared_model(), list(targets), policy=policy, budget=budget, **(QUICK | values))


def schemes(wanted):
    notes = {n: v.notes.get(Precision) for n, v in wanted.model.graph.weights.items()}
    return {n: str(note.scheme) for n, note in notes.items() if note is not None}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A plan that was settled by measuring, and what it left."""
    wanted = planned()
    before = schemes(wanted)
    return wanted, settle(wanted, tmp_path_factory.mktemp("measured")), before


def test_a_plan_is_provisional_and_keeps_the_budget():
    wanted = planned()
    limit = int(4 * 117_184 / 8)
    assert 0.98 * limit <= predicted_bytes(wanted.model.graph, wanted.backends[0]) <= limit
    assert any("provisional" in remark for remark in wanted.remarks)


def test_measuring_decides_within_the_budget(measured):
    wanted, decided, before = measured
    limit = int(4 * 117_184 / 8)
    assert 0.98 * limit <= predicted_bytes(wanted.model.graph, wanted.backends[0]) <= limit
    assert decided.schemes == schemes(wanted)
    assert decided.schemes.keys() == before.keys()
    assert not any(v.notes.get(Quantized) for v in wanted.model.graph.weights.values())
    assert decided.remarks[0].startswith("assigned by ")
    assert f"{decided.selection_kl:.4f} nats a token on the selection text" in decided.remarks[0]
    for name in ("uniform", "tiers", "mlx-mixed"):
        assert name in " ".join(decided.remarks)


def test_it_is_not_worse_than_the_simple_policies(measured):
    _, decided, _ = measured
    others = [float(n) for n in re.findall(r" (\d\.\d{4})", decided.remarks[1])]
    assert len(others) >= 3
    assert min(others) >= round(decided.selection_kl, 4)


def test_the_map_that_is_left_has_the_outcome_at_zero(measured):
    wanted, decided, _ = measured
    found = read_map(decided.folder / "sensitivity.json")
    assert found.method == "measured"
    found.require_model(deciding.model_id(wanted.model.graph), "here")
    assert found.measured_with.quantizer == "rtn"
    assert found.measured_with.forward_passes > 10
    for name, scheme in decided.schemes.items():
        assert found.score(name, scheme) == pytest.approx(0, abs=1e-12)


def test_another_budget_needs_no_new_measurement(measured, tmp_path, monkeypatch):
    _, decided, _ = measured
    monkeypatch.setattr(deciding, "Allocator", None)
    again = planned(budget="6bpw", sensitivity=str(decided.folder / "sensitivity.json"))
    found = settle(again, tmp_path)
    limit = int(6 * 117_184 / 8)
    assert 0.98 * limit <= predicted_bytes(again.model.graph, again.backends[0]) <= limit
    assert found.predicted_kl is not None
    assert found.selection_kl is None
    assert (found.folder / "sensitivity.npz").is_file()


def test_pins_stay(tmp_path):
    wanted = planned(pin=("embed=int8:channel",))
    found = settle(wanted, tmp_path)
    assert found.schemes["model.embed_tokens.weight"] == "int8:channel"


class Stopped(BaseException):
    """As a signal."""


class StopAt(SilentObserver):
    """Stops where a label comes up for the n-th time."""

    def __init__(self, label, count):
        self.label, self.count = label, count

    def progress(self, label, done, total):
        if label.startswith(self.label):
            self.count -= 1
            if self.count == 0:
                raise Stopped


@pytest.mark.parametrize(
    ("label", "count"), [("quantize-weights", 3), ("measure", 9), ("select", 1)]
)
def test_a_stopped_decision_goes_on_to_the_same_end(measured, tmp_path, label, count):
    with pytest.raises(Stopped):
        settle(planned(), tmp_path, observer=StopAt(label, count))
    found = settle(planned(), tmp_path)
    assert found.schemes == measured[1].schemes
    assert found.selection_kl == measured[1].selection_kl


def test_what_was_decided_is_not_measured_again(measured, tmp_path, monkeypatch):
    first = settle(planned(), tmp_path)
    monkeypatch.setattr(deciding, "Allocator", None)
    again = settle(planned(), tmp_path)
    assert again.schemes == first.schemes == measured[1].schemes
    with pytest.raises(InputError, match="belongs to another run"):
        settle(planned(budget="5bpw"), tmp_path)
    path = tmp_path / "assign" / "decided.json"
    path.write_text(json.dumps({"fingerprint": 1}), "utf-8")
    with pytest.raises(InputError, match="belongs to another run"):
        settle(planned(), tmp_path)


@pytest.mark.parametrize("policy", ["lsaq", "first-order"])
def test_a_policy_that_reads_a_map_gets_it_measured(tmp_path, policy):
    wanted = planned(policy)
    found = settle(wanted, tmp_path)
    limit = int(4 * 117_184 / 8)
    assert 0.98 * limit <= predicted_bytes(wanted.model.graph, wanted.backends[0]) <= limit
    method = {"lsaq": "lsaq", "first-order": "taylor"}[policy]
    assert read_map(found.folder / "sensitivity.json").method == method


def test_the_scores_of_any_method_can_be_solved(tmp_path):
    wanted = planned(sensitivity="activation")
    found = settle(wanted, tmp_path)
    assert found.remarks == ("assigned by sensitivity 'activation'",)
    path = found.folder / "sensitivity.json"
    again = planned(sensitivity=str(path))
    assert settle(again, tmp_path / "again").schemes == found.schemes


def test_without_text_weights_decide(tmp_path):
    wanted = planned(calibration="none", quantizer="mse")
    found = settle(wanted, tmp_path)
    assert found.remarks == ("assigned from weights alone: no calibration text",)


@pytest.mark.slow
def test_a_quality_instead_of_a_budget(tmp_path):
    wanted = planned(budget=None, max_kl=0.02)
    found = settle(wanted, tmp_path)
    assert found.selection_kl <= 0.02
    tight = planned(budget=None, max_kl=1e-4, pin=("embed=uint2:g64",))
    with pytest.raises(BudgetError, match=r"max-kl of 0.0001: the least .* raise --max-kl"):
        settle(tight, tmp_path / "tight")


def test_decisions_that_cannot_be(tmp_path):
    with pytest.raises(OptionError, match="sensitivity 'nothing': expected a JSON file, or one of"):
        planned(sensitivity="nothing")
    with pytest.raises(OptionError, match="sensitivity 'taylor' needs text, but there is no"):
        planned("first-order", calibration="none", quantizer="mse")
    with pytest.raises(OptionError, match="max-kl needs text"):
        planned(budget=None, max_kl=0.1, calibration="none", quantizer="mse")
    with pytest.raises(BudgetError, match=r"achievable range is .* raise --budget"):
        planned(budget="1bpw")


def test_the_map_of_another_model_is_refused(measured, tmp_path):
    other = tiny_llama(tmp_path / "other", weights=tiny_weights(seed=1))
    path = str(measured[1].folder / "sensitivity.json")
    with pytest.raises(InputError, match="measured on another model"):
        oc.plan(
            other,
            ["android:onnxruntime"],
            policy="measured",
            budget="4bpw",
            sensitivity=path,
            **QUICK,
        )


def test_a_bundle_carries_what_decided_it(tmp_path):
    values = QUICK | {"policy": "measured", "budget": "4bpw", "verify": False}
    bundle = oc.compile(shared_model(), ["android:onnxruntime"], output=str(tmp_path), **values)
    names = {p.name for p in bundle.path.iterdir()}
    assert {"allocation.json", "sensitivity.json", "sensitivity.npz"} <= names
    found = json.loads((bundle.path / "allocation.json").read_text("utf-8"))
    assert found["policy"] == "measured"
    kept = {t["name"]: t["scheme"] for t in found["tensors"]}
    assert kept == {t.name: t.scheme for t in bundle.manifest.tensors if t.name in kept}
    assert any(r.startswith("assigned by") for r in bundle.manifest.remarks)
    assert not any("provisional" in r for r in bundle.manifest.remarks)


def test_prepare_settles_and_quantises(tmp_path):
    wanted = planned()
    remarks = prepare(wanted, tmp_path)
    assert any(r.startswith("assigned by") for r in remarks)
    assert all(v.notes.get(Quantized) for n, v in wanted.model.graph.weights.items() if "proj" in n)


def test_uniform_stages_cost_what_was_allowed(tmp_path):
    wanted = planned(stage_loss=0.2, stages=2)
    found = settle(wanted, tmp_path)
    assert any(r.startswith("uniform stages: ") for r in found.remarks)
    limit = int(4 * 117_184 / 8)
    assert predicted_bytes(wanted.model.graph, wanted.backends[0]) <= limit
