"""KV bits in the budget: keys and values of every layer, decided together with the weights."""

import re

import pytest
from support.models import tiny_llama

import optimum_compile as oc
from optimum_compile.compiler import deciding
from optimum_compile.compiler.api import settle
from optimum_compile.compiler.decoder import caches_of
from optimum_compile.compiler.errors import BudgetError
from optimum_compile.compiler.quant.kv import parse_kv_scheme
from optimum_compile.passes.precision.assign import problem_of
from optimum_compile.passes.precision.caches import exact_caches, parse_schemes
from optimum_compile.passes.precision.kv import kv_bytes, kv_of
from optimum_compile.passes.precision.units import parameter_count
from optimum_compile.passes.sensitivity.map import read_map

QUICK = {
    "quantizer": "rtn",
    "samples": 4,
    "profile_samples": 2,
    "seqlen": 150,
    "kv_bits": "auto",
    "policy": "measured",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A tiny llama that remembers 160 tokens: 92 of them can be in codes."""
    return tiny_llama(tmp_path_factory.mktemp("long") / "tiny", context=160)


@pytest.fixture
def planned(model):
    def make(budget="6bpw", targets=("reference",), **values):
        return oc.plan(model, list(targets), budget=budget, **(QUICK | values))

    return make


def used(wanted, decided):
    """Bytes of weights and caches, and what they may be."""
    problem = problem_of(wanted.model.graph, wanted.assignment)
    schemes = parse_schemes(wanted.model.graph, decided.schemes)
    return problem.bytes_of(problem.picks_of(schemes))[0], problem.limits[0]


def caches(decided):
    return {name: text for name, text in decided.schemes.items() if "cache" in name}


@pytest.fixture(scope="module")
def joint(model, tmp_path_factory):
    """Weights and caches in a file that 16-bit caches leave little of."""
    wanted = oc.plan(model, ["reference"], budget="100kB", **QUICK)
    folder = tmp_path_factory.mktemp("joint")
    return wanted, settle(wanted, folder), folder


def test_weights_and_caches_share_the_bytes(joint):
    wanted, decided, _ = joint
    size, limit = used(wanted, decided)
    assert limit == 100_000
    assert 0.98 * limit <= size <= limit
    graph = wanted.model.graph
    assert set(caches(decided)) == {c.name for c in caches_of(graph)}
    kept = {n: parse_kv_scheme(t) for n, t in caches(decided).items() if t != "f16"}
    assert kept
    assert kv_of(graph) == kept
    assert any("KV caches were measured in windows of 150 tokens" in r for r in decided.remarks)


def test_it_is_never_worse_than_with_caches_at_16_bits(joint):
    """Under the same bytes, on the selection text; among what is compared there."""
    _, decided, _ = joint
    told = " ".join(decided.remarks)
    plain = [float(n) for n in re.findall(r"caches at 16 bits (\d\.\d{4})", told)]
    assert plain
    assert round(decided.selection_kl, 4) <= min(plain)
    for name in ("uniform", "tiers", "mlx-mixed"):
        (found,) = re.findall(rf"{name} (\d\.\d{{4}})", told)
        assert round(decided.selection_kl, 4) <= float(found)


@pytest.mark.slow
def test_an_assignment_of_weights_alone_is_worse_here(joint, planned, tmp_path):
    """The same bytes, with what 16-bit caches take off before."""
    wanted, decided, _ = joint
    left = 100_000 - kv_bytes(wanted.model.graph, {})
    plain = settle(planned(f"{left}", kv_bits="16"), tmp_path)
    assert decided.selection_kl < plain.selection_kl


def test_what_was_measured_names_the_caches(joint, planned, tmp_path, monkeypatch):
    wanted, decided, folder = joint
    found = read_map(decided.folder / "sensitivity.json")
    for name, text in caches(decided).items():
        assert set(found.units[name]) == {"kv2:g32", "kv4:g32", "kv8:g32", "f16"}
        assert found.score(name, text) == pytest.approx(0, abs=1e-12)
    monkeypatch.setattr(deciding, "Allocator", None)
    again = oc.plan(wanted.model.source, ["reference"], budget="100kB", **QUICK)
    assert settle(again, folder).schemes == decided.schemes
    assert kv_of(again.model.graph) == kv_of(wanted.model.graph)
    wider = planned("5bpw", sensitivity=str(decided.folder / "sensitivity.json"))
    solved = settle(wider, tmp_path)
    size, limit = used(wider, solved)
    graph = wanted.model.graph
    assert limit == int(5 * (parameter_count(graph) + kv_bytes(graph, {}) // 2) / 8)
    assert 0.98 * limit <= size <= limit
    assert set(caches(solved)) == set(caches(decided))


def test_without_room_for_16_bits_nothing_simple_is_compared(planned, tmp_path):
    wanted = planned("72kB")
    decided = settle(wanted, tmp_path)
    size, limit = used(wanted, decided)
    assert size <= limit == 72_000
    problem = problem_of(wanted.model.graph, wanted.assignment)
    assert not problem.fits(exact_caches(problem, problem.least()))
    assert not any("uniform" in r or "16 bits" in r for r in decided.remarks)


@pytest.mark.slow
def test_windows_that_round_nothing_leave_caches_alone(planned, tmp_path):
    decided = settle(planned(seqlen=60), tmp_path)
    assert set(caches(decided).values()) == {"f16"}
    remark = "KV caches stay at 16 bits: windows of 60 tokens round none; raise --seqlen"
    assert remark in decided.remarks


@pytest.mark.slow
def test_scores_of_caches_are_solved_and_others_stay_at_16_bits(planned, tmp_path):
    scored = settle(planned("5bpw", sensitivity="kl"), tmp_path / "kl")
    assert any(text != "f16" for text in caches(scored).values())
    other = settle(planned(sensitivity="weights"), tmp_path / "weights")
    assert set(caches(other).values()) == {"f16"}
    assert "KV caches stay at 16 bits: 'weights' has no numbers for them" in other.remarks
    with pytest.raises(BudgetError, match="weights and KV cache"):
        settle(planned("72kB", sensitivity="weights"), tmp_path / "small")


@pytest.mark.slow
def test_a_quality_is_that_of_both(planned, tmp_path):
    wanted = planned(None, max_kl=0.05)
    decided = settle(wanted, tmp_path)
    assert decided.selection_kl <= 0.05
    assert (
        used(wanted, decided)[0]
        < 6.5 * problem_of(wanted.model.graph, wanted.assignment).parameters / 8
    )
    assert any(text != "f16" for text in caches(decided).values())


def test_other_policies_leave_caches_at_16_bits_and_room_for_them(planned):
    wanted = planned("120kB", policy="tiers")
    said = "the KV cache stays at 16 bits: this policy chooses weights only, use --policy measured"
    assert said in wanted.remarks
    graph = wanted.model.graph
    assert kv_of(graph) == {}
    assert wanted.assignment.kv_bytes == (kv_bytes(graph, {}),)
    assert problem_of(graph, wanted.assignment).limits == (120_000 - kv_bytes(graph, {}),)


def test_a_target_without_packed_caches_decides_for_all(planned):
    wanted = planned("4bpw", targets=("reference", "android:onnxruntime"))
    assert not wanted.assignment.chooses_caches
    assert wanted.assignment.kv_bytes == (0, 0)
    assert any(r.startswith("the KV cache stays at 16 bits: android") for r in wanted.remarks)
