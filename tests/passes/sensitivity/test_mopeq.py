import itertools
from dataclasses import replace

import numpy as np
import pytest
from support.graphs import decoder
from support.hf import experts_folder
from support.trials import small_setting

from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.passes.sensitivity.activation import Activation, mean_squares
from optimum_compile.passes.sensitivity.hessian import Hessian
from optimum_compile.passes.sensitivity.mopeq import (
    Mopeq,
    centres_of,
    cluster_centres,
    expert_means,
    expert_weights,
)

SCHEMES = ("int2:g16", "int8:channel")


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    graph = open_model(experts_folder(tmp_path_factory.mktemp("mixtral"))).graph
    return small_setting(graph, tmp_path_factory.mktemp("trials"), SCHEMES)


def squared(setting, name, scheme):
    unit = next(u for u in setting.trials.problem.units if u.name == name)
    found = next(c.scheme for c in unit.choices if str(c.scheme) == scheme)
    change = setting.trials.original(name) - setting.trials.rounded(name, found)
    return float(np.sum(change.astype(np.float64) ** 2))


def factors(setting, scores, scheme="int2:g16"):
    """Score over squared error of every expert's weight, by layer and expert."""
    out = {}
    for name, owner in expert_weights(setting.graph).items():
        out.setdefault(owner, []).append(scores[name][scheme] / squared(setting, name, scheme))
    return out


def test_weights_of_experts_are_found_by_layer_and_number(setting):
    owners = expert_weights(setting.graph)
    assert len(owners) == 2 * 8 * 3
    assert sorted(set(owners.values())) == sorted(
        {(gates, n) for gates, _ in owners.values() for n in range(8)}
    )
    for name, (_, index) in owners.items():
        assert f".experts.{index}." in name


@pytest.mark.parametrize(("scope", "most"), [("model", 3), ("layer", 6)])
def test_experts_of_a_cluster_have_its_centre_and_no_more_clusters_than_asked(scope, most, setting):
    scores = Mopeq(by="inputs", scope=scope).measure(setting).scores
    found = factors(setting, scores)
    assert len(found) == 16
    for every in found.values():
        np.testing.assert_allclose(every, every[0], rtol=1e-6)
    distinct = {f"{every[0]:.6g}" for every in found.values()}
    assert 1 < len(distinct) <= most
    if scope == "layer":
        assert len(distinct) > 3


def test_by_inputs_the_centre_is_a_mean_of_mean_squares_and_others_score_as_activation(setting):
    scores = Mopeq(by="inputs").measure(setting).scores
    plain = Activation().measure(setting).scores
    owners = expert_weights(setting.graph)
    seen = mean_squares(setting)
    sizes = {u.name: u.unit.elements for u in setting.trials.problem.units}
    values = {name: float(each.columns.mean()) for name, each in seen.items()}
    centres = cluster_centres(expert_means(values, sizes, owners), 3, within_layers=False)
    for name in scores:
        if name not in owners:
            assert scores[name] == plain[name]
            continue
        for scheme in SCHEMES:
            wanted = centres[owners[name]] * squared(setting, name, scheme)
            assert scores[name][scheme] == pytest.approx(wanted, rel=1e-6)


def test_by_hessian_one_cluster_for_each_expert_is_the_hessian_of_the_expert(setting):
    small = replace(setting, samples=setting.samples[:2])
    found = Mopeq(clusters=16).measure(small)
    plain = Hessian().measure(small)
    assert found.forward_passes == plain.forward_passes
    owners = expert_weights(setting.graph)
    for name in found.scores:
        if name not in owners:
            for scheme, score in plain.scores[name].items():
                assert found.scores[name][scheme] == pytest.approx(score, rel=1e-4, abs=1e-12)
    own = factors(setting, found.scores)
    each = factors(setting, plain.scores)
    for owner, factor in own.items():
        names = [n for n, o in owners.items() if o == owner]
        sizes = [setting.trials.original(n).size for n in names]
        wanted = max(0.0, np.average(each[owner], weights=sizes))
        assert factor[0] == pytest.approx(wanted, rel=1e-4, abs=1e-12)


def test_a_router_keeps_f16(setting):
    scores = Mopeq(by="inputs").measure(setting).scores
    routers = [row for name, row in scores.items() if name.endswith("block_sparse_moe.gate.weight")]
    assert len(routers) == 2
    assert all(set(row) == {"f16"} for row in routers)


@pytest.mark.parametrize("seed", range(5))
def test_clusters_on_a_line_are_the_best_there_are(seed):
    rng = np.random.default_rng(seed)
    values = rng.standard_gamma(0.5, 9)
    found = centres_of(values, 3)
    ordered = np.sort(values)
    least = min(
        sum(float(np.var(part) * len(part)) for part in np.split(ordered, cut) if len(part))
        for cut in itertools.combinations(range(1, 9), 2)
    )
    assert float(np.sum((values - found) ** 2)) == pytest.approx(least)
    assert len(set(found.tolist())) == 3


def test_few_or_equal_numbers_are_their_own_centres():
    assert centres_of(np.array([3.0, 1.0]), 3).tolist() == [3.0, 1.0]
    assert centres_of(np.full(5, 0.1), 3) == pytest.approx(np.full(5, 0.1))
    assert centres_of(np.array([]), 3).tolist() == []


def test_the_mean_of_an_expert_is_by_size_and_not_below_zero():
    owners = {"a": ("g", 0), "b": ("g", 0), "c": ("g", 1)}
    means = expert_means({"a": 1.0, "b": 4.0, "c": -2.0}, {"a": 2, "b": 1, "c": 9}, owners)
    assert means == {("g", 0): 2.0, ("g", 1): 0.0}


def test_a_dense_model_is_refused(tmp_path):
    setting = small_setting(decoder(layers=1), tmp_path, ("f16",))
    with pytest.raises(OptionError, match="clusters the experts of a mixture, and this model has"):
        Mopeq().measure(setting)


def test_bad_options_and_missing_text_are_refused(setting):
    for options in ({"by": "luck"}, {"scope": "block"}, {"clusters": 0}):
        with pytest.raises(OptionError, match="expected"):
            Mopeq(**options)
    for by in ("hessian", "inputs"):
        with pytest.raises(InputError, match="no text"):
            Mopeq(by=by).measure(replace(setting, samples=()))
