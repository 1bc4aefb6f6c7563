"""Which pass quantises, and which calibrated quantisers are refused for want of something to see."""

import pytest
import torch
from support.archives import Mlp, save_archive
from support.models import shared_model, tiny_llama

import optimum_compile as oc
from optimum_compile.compiler.api import prepare
from optimum_compile.compiler.errors import OptionError
from optimum_compile.passes.precision.notes import Quantized


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {
        "decoder": shared_model(),
        "no tokenizer": tiny_llama(folder / "mute", tokenizer=False),
        "no decoder": save_archive(folder / "mlp.pt2", Mlp(), (torch.zeros(1, 8),)),
    }


CASES = {
    "decoder": ({"calibration": "none"}, "no calibration text"),
    "no tokenizer": ({}, "no tokenizer to read the text with"),
    "no decoder": ({}, "the model is no decoder of tokens"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_plan_refuses_a_calibrated_quantiser_that_would_see_nothing(models, name):
    values, why = CASES[name]
    with pytest.raises(
        OptionError, match=f"^quantizer 'gptq' needs activations, but there is {why}:"
    ):
        oc.plan(models[name], ["ios"], policy="uniform", quantizer="gptq", **values)


@pytest.mark.parametrize("name", CASES)
def test_the_default_says_that_it_did_without(models, name, tmp_path):
    values, why = CASES[name]
    wanted = oc.plan(models[name], ["ios"], policy="uniform", **values)
    assert prepare(wanted, tmp_path) == (f"quantised without activations: {why}",)
    assert any(v.notes.get(Quantized) for v in wanted.model.graph.weights.values())


def test_where_nothing_is_rounded_nothing_has_to_be_seen(models, tmp_path):
    wanted = oc.plan(
        models["decoder"], ["ios"], policy="uniform", bits=16, quantizer="gptq", calibration="none"
    )
    assert prepare(wanted, tmp_path) == ()


def test_a_dry_run_refuses_too(models, capsys):
    from optimum_compile.tools.cli import main

    model = str(models["no tokenizer"])
    assert main([model, "--dry-run", "--target", "ios", "--quantizer", "awq"]) == 2
    assert "quantizer 'awq' needs activations, but there is no tokenizer" in capsys.readouterr().err
