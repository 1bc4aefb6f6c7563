import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from support.graphs import decoder
from support.trials import SCHEMES, small_setting

from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.weights import inline_weight
from optimum_compile.passes.sensitivity.kl import (
    KlDivergence,
    PerplexityDelta,
    divergence,
    entropy_gain,
)


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    return small_setting(decoder(layers=2, tied=False), tmp_path_factory.mktemp("trials"))


@pytest.fixture(scope="module")
def found(setting):
    return KlDivergence(kv=("kv8:g8@w1,s0", "kv2:g8@w1,s0", "f16")).measure(setting)


def replace_weight(graph, name, change):
    value = graph.weights[name]
    value.weight = inline_weight(name, change(value.weight.load()), value.type.dtype)


def whole_kl(setting, name, scheme):
    rounded = torch.from_numpy(setting.trials.rounded(name, scheme))
    total = tokens = 0
    for sample in setting.samples:
        a = run(setting.graph, sample.inputs).outputs[0][0].double()
        b = run(setting.graph, sample.inputs, replace_weights={name: rounded}).outputs[0][0]
        p, q = a.log_softmax(-1), b.double().log_softmax(-1)
        total += float((p.exp() * (p - q)).sum())
        tokens += len(a)
    return total / tokens


def test_scores_are_the_divergence_of_whole_passes(setting, found):
    units = setting.trials.problem.units
    assert len(units) == 16
    for unit in units:
        for choice in unit.choices:
            wanted = whole_kl(setting, unit.name, choice.scheme)
            assert found.scores[unit.name][str(choice.scheme)] == pytest.approx(wanted, abs=1e-12)


def test_every_unit_and_cache_has_every_choice_and_fewer_bits_harm_more(setting, found):
    names = [u.name for u in setting.trials.problem.units]
    caches = ["k_cache.0", "k_cache.1", "v_cache.0", "v_cache.1"]
    assert sorted(found.scores) == sorted([*names, *caches])
    for name in names:
        row = found.scores[name]
        assert set(row) == set(SCHEMES)
        assert row["int2:g16"] > row["int4:g16"] > row["int8:channel"] > row["f16"] >= 0
    for name in caches:
        row = found.scores[name]
        assert row["kv2:g8@w1,s0"] > row["kv8:g8@w1,s0"] > row["f16"] == 0


def test_it_costs_less_than_a_pass_for_every_choice(setting, found):
    trials = 16 * len(SCHEMES) + 4 * 2
    assert 1 < found.forward_passes < 0.75 * trials


def test_a_choice_that_changes_nothing_is_not_run(tmp_path):
    graph = decoder(layers=1)
    for name in graph.weights:
        replace_weight(graph, name, lambda data: data.astype(np.float16).astype(np.float32))
    setting = small_setting(graph, tmp_path, schemes=("f16",))
    found = KlDivergence(kv=()).measure(setting)
    assert all(row == {"f16": 0.0} for row in found.scores.values())
    assert found.forward_passes == 1
    assert not [p for p in tmp_path.iterdir() if p.name.startswith("onward")]


def test_perplexity_is_the_gain_of_cross_entropy(setting):
    name = "model.layers.0.mlp.up_proj.weight"
    found = PerplexityDelta().measure(setting).scores[name]["int2:g16"]
    unit = next(u for u in setting.trials.problem.units if u.name == name)
    scheme = next(c.scheme for c in unit.choices if str(c.scheme) == "int2:g16")
    rounded = torch.from_numpy(setting.trials.rounded(name, scheme))
    gains = []
    for sample in setting.samples:
        labels = torch.from_numpy(sample.inputs["tokens"][0, 1:])
        nll = [
            torch.nn.functional.cross_entropy(
                run(setting.graph, sample.inputs, replace_weights=new).outputs[0][0, :-1].double(),
                labels,
                reduction="none",
            )
            for new in ({}, {name: rounded})
        ]
        gains.append(nll[1] - nll[0])
    assert found == pytest.approx(float(torch.cat(gains).mean()), rel=1e-9)


def test_divergence_by_hand():
    p, q = torch.tensor([[0.5, 0.5], [0.9, 0.1]]).log(), torch.tensor([[0.25, 0.75]] * 2).log()
    wanted = 0.5 * math.log(2) + 0.5 * math.log(2 / 3)
    wanted += 0.9 * math.log(3.6) + 0.1 * math.log(0.1 / 0.75)
    total, count = divergence(
        p[None], q[None] + 7.0, np.zeros(2, np.int64)
    )  # logits may be shifted
    assert count == 2
    assert total == pytest.approx(wanted, rel=1e-6)
    total, count = entropy_gain(p[None], q[None], np.array([0, 1]))
    assert count == 1
    assert total == pytest.approx(math.log(0.5 / 0.75), rel=1e-6)


@pytest.mark.parametrize("length", [1, 63, 64, 65, 200])
def test_positions_are_taken_in_pieces_without_losing_any(length):
    rng = torch.Generator().manual_seed(length)
    p, q = (torch.randn(1, length, 11, generator=rng) for _ in range(2))
    ids = torch.randint(0, 11, (length,), generator=rng).numpy()
    lp, lq = p[0].double().log_softmax(-1), q[0].double().log_softmax(-1)
    assert divergence(p, q, ids)[0] == pytest.approx(float((lp.exp() * (lp - lq)).sum()))
    at = torch.arange(length - 1)
    gained = (lp - lq)[at, torch.from_numpy(ids[1:])].sum()
    assert entropy_gain(p, q, ids)[0] == pytest.approx(float(gained))


def test_no_text_is_refused(setting):
    with pytest.raises(InputError, match="no text to measure with"):
        KlDivergence().measure(replace(setting, samples=()))


def test_predictions_that_are_not_finite_are_refused(tmp_path):
    graph = decoder(layers=1)
    replace_weight(graph, "model.norm.weight", lambda data: data * np.inf)
    setting = small_setting(graph, tmp_path, schemes=("int4:g16",))
    with pytest.raises(InputError, match=r"int4:g16: the predictions are NaN or infinite"):
        KlDivergence().measure(setting)


@pytest.mark.parametrize("options", [{"kv": ("kv3",)}, {"context": "quantized"}])
def test_bad_options_are_refused(options):
    with pytest.raises(OptionError, match="expected"):
        KlDivergence(**options)
