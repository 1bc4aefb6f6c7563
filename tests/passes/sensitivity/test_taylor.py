import pytest
import torch
from support.graphs import decoder
from support.trials import small_setting

from optimum_compile.compiler.interpret import run
from optimum_compile.passes.sensitivity.losses import divergence, next_token_loss
from optimum_compile.passes.sensitivity.taylor import Taylor


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    return small_setting(decoder(layers=2, tied=False), tmp_path_factory.mktemp("trials"))


def whole_scores(setting, taylor):
    """The formula, by autograd through the whole program."""
    trials, units = setting.trials, setting.trials.problem.units
    point = {
        u.name: torch.from_numpy(
            trials.rounded(u.name, u.choices[u.nearest(taylor.point_bits)].scheme)
        )
        for u in units
    }
    tokens = sum(s.inputs["tokens"].size for s in setting.samples)
    scores = {u.name: {str(c.scheme): 0.0 for c in u.choices} for u in units}
    for sample in setting.samples:
        done = run(setting.graph, sample.inputs, replace_weights=point, grad_weights=list(point))
        with torch.enable_grad():
            if taylor.loss == "kl":
                loss = divergence(done.outputs[0], run(setting.graph, sample.inputs).outputs[0])
            else:
                loss = next_token_loss(done.outputs[0], sample)
            loss.backward()
        for unit in units:
            for choice in unit.choices:
                change = trials.original(unit.name) - trials.rounded(unit.name, choice.scheme)
                product = done.weights[unit.name].grad * torch.from_numpy(change)
                found = product.sum().abs() if taylor.form == "projected" else product.abs().sum()
                scores[unit.name][str(choice.scheme)] += float(found) / tokens
    return scores


@pytest.mark.parametrize("form", ["projected", "absolute"])
@pytest.mark.parametrize("loss", ["kl", "cross-entropy"])
def test_it_is_the_product_with_the_gradient_at_the_rounded_weights(setting, form, loss):
    taylor = Taylor(form, loss, point_bits=4.0)
    found = taylor.measure(setting).scores
    for unit, row in whole_scores(setting, taylor).items():
        assert found[unit] == pytest.approx(row, rel=2e-3, abs=1e-6)


def test_both_uses_of_a_tied_table_are_one_gradient(tmp_path):
    setting = small_setting(decoder(layers=1, tied=True), tmp_path)
    name = "model.embed_tokens.weight"
    expected = whole_scores(setting, Taylor())[name]
    assert Taylor().measure(setting).scores[name] == pytest.approx(expected, rel=2e-3, abs=1e-6)


def test_the_divergence_is_that_of_the_two_distributions():
    rng = torch.Generator().manual_seed(0)
    a, b = (torch.randn(1, 4, 9, generator=rng) for _ in range(2))
    p, q = a.double().softmax(-1), b.double().softmax(-1)
    expected = float((p * (p / q).log()).sum())
    assert float(divergence(b, a)) == pytest.approx(expected, rel=1e-5)


def test_the_cost_counts_the_float_pass_of_the_divergence(setting):
    assert Taylor(loss="kl").measure(setting).forward_passes == 5.0
    assert Taylor(loss="cross-entropy").measure(setting).forward_passes == 4.0
