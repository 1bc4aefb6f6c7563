"""Which pass quantises, and which calibrated quantisers are refused for want of something to see."""

import numpy as np
import pytest
import torch
from support.archives import Mlp, save_archive
from support.models import shared_model, tiny_llama

import optimum_compile as oc
from optimum_compile.compiler.api import prepare
from optimum_compile.compiler.errors import OptionError, UnsupportedError
from optimum_compile.compiler.quant.activations import symmetric_int8
from optimum_compile.passes.precision.notes import Precision, Quantized
from optimum_compile.passes.precision.quantizers.affine.qqq import (
    from_packed,
    integer_product,
    simulated_product,
)


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
        oc.plan(models[name], ["ios:coreml"], policy="uniform", quantizer="gptq", **values)


@pytest.mark.parametrize("name", CASES)
def test_a_plan_refuses_learning_without_activations(models, name):
    values, why = CASES[name]
    with pytest.raises(
        OptionError, match=f"^effort 'light' learns from activations, but there is {why}:"
    ):
        oc.plan(models[name], ["ios:coreml"], policy="uniform", effort="light", **values)


def test_an_unknown_effort_is_refused_by_the_plan(models):
    with pytest.raises(OptionError, match="effort 'huge': expected one of none, light"):
        oc.plan(models["decoder"], ["ios:coreml"], effort="huge")


def test_learning_follows_any_quantiser(models, tmp_path):
    wanted = oc.plan(
        models["decoder"],
        ["ios:coreml"],
        policy="uniform",
        bits=2,
        quantizer="rtn",
        effort="light",
        samples=2,
        seqlen=16,
    )
    prepare(wanted, tmp_path)
    assert (tmp_path / "progress.json").exists()
    assert any(v.notes.get(Quantized) for v in wanted.model.graph.weights.values())


@pytest.mark.parametrize("name", CASES)
def test_the_default_says_that_it_did_without(models, name, tmp_path):
    values, why = CASES[name]
    wanted = oc.plan(models[name], ["ios:coreml"], policy="uniform", **values)
    assert prepare(wanted, tmp_path) == (f"quantised without activations: {why}",)
    assert any(v.notes.get(Quantized) for v in wanted.model.graph.weights.values())


def test_where_nothing_is_rounded_nothing_has_to_be_seen(models, tmp_path):
    wanted = oc.plan(
        models["decoder"],
        ["ios:coreml"],
        policy="uniform",
        bits=16,
        quantizer="gptq",
        calibration="none",
    )
    assert prepare(wanted, tmp_path) == ()


def test_a_dry_run_refuses_too(models, capsys):
    from optimum_compile.tools.cli import main

    model = str(models["no tokenizer"])
    assert main([model, "--dry-run", "--target", "ios:coreml", "--quantizer", "awq"]) == 2
    assert "quantizer 'awq' needs activations, but there is no tokenizer" in capsys.readouterr().err


W4A8 = {"policy": "uniform", "bits": 4, "quantizer": "qqq", "samples": 4}


def schemes(model, **values):
    graph = oc.plan(model, **values).model.graph
    notes = {name: value.notes.get(Precision) for name, value in graph.weights.items()}
    return {name: str(note.scheme) for name, note in notes.items() if note}


def test_qqq_takes_whole_rows_of_4_bits_and_leaves_the_table_its_groups(models):
    found = schemes(models["decoder"], targets=["android:executorch"], **W4A8)
    assert {s for n, s in found.items() if n.endswith("_proj.weight")} == {"int4:channel"}
    assert found["model.embed_tokens.weight"] == "int4:g32@bf16"
    grouped = schemes(models["decoder"], targets=["android:executorch"], group_size="32", **W4A8)
    assert set(grouped.values()) == {"int4:g32@bf16"}


@pytest.mark.parametrize(
    ("targets", "values", "backend"),
    [
        (["ios:coreml"], {}, "coreml"),
        (["ios:coreml", "android:executorch"], {}, "coreml"),
        (["android:executorch"], {"executor": "packed"}, "executorch"),
        (["android:executorch"], {"asymmetric": True}, "executorch"),
        (["android:executorch"], {"group_size": "16"}, "executorch"),
    ],
)
def test_a_target_that_multiplies_floats_refuses_qqq(models, targets, values, backend):
    with pytest.raises(UnsupportedError, match=f"^{backend} multiplies .* with float activations"):
        oc.plan(models["decoder"], targets, **W4A8, **values)


def test_qqq_without_4_bits_is_refused(models):
    with pytest.raises(OptionError, match=r"'qqq': no matrix has 4 bits; use --policy uniform"):
        oc.plan(models["decoder"], ["android:executorch"], policy="uniform", quantizer="qqq")


@pytest.mark.slow
def test_qqq_ends_in_an_artifact_that_agrees_and_integers_of_its_bits(models, tmp_path):
    wanted = oc.plan(models["decoder"], ["android:executorch"], **W4A8)
    prepare(wanted, tmp_path)
    weights = wanted.model.graph.weights
    assert any(v.weight.edits for n, v in weights.items() if "layernorm" in n)
    made = from_packed(weights["model.layers.1.mlp.down_proj.weight"].notes.get(Quantized).load())
    x = symmetric_int8(np.random.default_rng(0).standard_normal((5, 128)).astype(np.float32))
    assert integer_product(x, made).tobytes() == simulated_product(x, made).tobytes()
    bundle = oc.compile(
        models["decoder"], ["android:executorch"], output=str(tmp_path / "out"), **W4A8
    )
    (check,) = bundle.manifest.checks
    assert check.executed
    assert check.ok
    assert check.cosine > 0.9999
