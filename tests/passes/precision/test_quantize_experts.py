"""Mixtures of experts through assignment and calibrated quantisation."""

import numpy as np
import pytest
import torch
from support.hf import experts_folder, forsake
from support.killing import KillAt, Killed, digests

from optimum_compile.compiler import api
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.observers import SilentObserver
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.passes.calibrate.propagate import decoder_samples
from optimum_compile.passes.precision.assign import AssignPrecision, Budget
from optimum_compile.passes.precision.classes import class_of
from optimum_compile.passes.precision.notes import Precision, Quantized
from optimum_compile.passes.precision.pins import parse_pin
from optimum_compile.passes.precision.quantize import QuantizeWeights
from optimum_compile.passes.precision.quantize_blocks import QuantizeBlocks
from optimum_compile.passes.precision.quantizers.recipes import RECIPES
from optimum_compile.passes.rewrite.awq import ScaleChannels

RNG = np.random.default_rng(3)
WINDOWS = [RNG.integers(3, 90, 24).tolist() for _ in range(12)]
HELD_OUT = [RNG.integers(3, 90, 24) for _ in range(6)]
FORSAKEN = "model.layers.1.block_sparse_moe.experts.5"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return experts_folder(tmp_path_factory.mktemp("mixtral"))


@pytest.fixture(scope="module")
def lonely(tmp_path_factory):
    """One expert takes each token, and no token goes to expert 5 of the second layer."""
    return forsake(experts_folder(tmp_path_factory.mktemp("top1"), num_experts_per_tok=1), 5)


def assigned(folder, bits=3, **options):
    graph = open_model(folder).graph
    remarks = PassManager([AssignPrecision("uniform", bits, **options)]).run(graph)
    return graph, remarks


def calibrated(folder, work, name="gptq", windows=WINDOWS, observer=None):
    graph, _ = assigned(folder)
    step = QuantizeBlocks(work, RECIPES[name], decoder_samples(windows, 24), "mark")
    context = PassContext(observer=observer or SilentObserver())
    return graph, PassManager([step]).run(graph, context)


def error(graph):
    total = 0.0
    for tokens in HELD_OUT:
        inputs = {"tokens": tokens[None], "past": np.array([0])}
        a = run(graph, inputs).outputs[0]
        b = run(graph, inputs, weights="quantized").outputs[0]
        total += float(((a - b) ** 2).sum())
    return total


def routers(graph):
    return [n for n in graph.weights if n.endswith("block_sparse_moe.gate.weight")]


@pytest.mark.parametrize(
    "options",
    [{"policy": "uniform", "bits": 2}, {"policy": "uniform", "bits": 4}, {"policy": "cascade"},
     {"policy": "uniform", "budget": Budget(bits_per_weight=2.8)},
     {"policy": "cascade", "budget": Budget(fraction=0.22)},
     {"policy": "tiers", "budget": Budget(bits_per_weight=3.5)},
     {"policy": "mlx-mixed", "budget": Budget(bits_per_weight=3.2)}, {"policy": "random"}],
    ids=str,
)  # fmt: skip
def test_a_router_keeps_16_bits_under_every_policy(folder, options):
    graph = open_model(folder).graph
    remarks = PassManager([AssignPrecision(**options)]).run(graph)
    assert len(routers(graph)) == 2
    assert {graph.weights[n].notes.get(Precision).scheme for n in routers(graph)} == {Float(16)}
    others = [n for n in graph.weights if "experts" in n]
    classes = {class_of(graph.weights[n].notes.get(Precision).scheme) for n in others}
    assert classes & {"INT2", "INT3", "INT4"}
    assert any(r.startswith("2 router weights stay f16 (the first is") for r in remarks)


def test_a_pin_may_lower_a_router_and_is_told_so(folder):
    graph, remarks = assigned(folder, pins=(parse_pin("layers.1.*moe.gate=int4"),))
    schemes = [str(graph.weights[n].notes.get(Precision).scheme) for n in routers(graph)]
    assert schemes == ["f16", "int4:channel"]
    assert f"{routers(graph)[1]} is a router, and pinned to int4:channel: below 8 bits" in remarks


def test_calibration_is_closer_than_rounding(folder, tmp_path):
    plain, _ = assigned(folder)
    PassManager([QuantizeWeights(tmp_path / "plain")]).run(plain)
    graph, remarks = calibrated(folder, tmp_path / "auto", "auto")
    assert digests(graph).keys() == digests(plain).keys()
    assert error(graph) < 0.6 * error(plain)
    assert remarks == ()
    assert [p for p in (tmp_path / "auto" / "activations").rglob("*") if p.is_file()] == []


def test_an_expert_that_no_token_reached_is_named(lonely, tmp_path):
    graph, remarks = calibrated(lonely, tmp_path)
    (remark,) = [r for r in remarks if "model.layers.1." in r]
    assert FORSAKEN in remark.split(":")[0].split(", ")
    assert all(graph.weights[f"{FORSAKEN}.w{n}.weight"].notes.get(Quantized) for n in (1, 2, 3))


@pytest.mark.slow
def test_a_killed_run_goes_on_and_tells_the_same(lonely, tmp_path):
    expected, remarks = calibrated(lonely, tmp_path / "whole")
    with pytest.raises(Killed):
        calibrated(lonely, tmp_path / "part", observer=KillAt(1))
    graph, again = calibrated(lonely, tmp_path / "part")
    assert digests(graph) == digests(expected)
    assert again == remarks != ()


def test_one_calibration_token_is_enough(folder, tmp_path):
    graph, remarks = calibrated(folder, tmp_path, windows=[[7]])
    for layer in (0, 1):
        (remark,) = [r for r in remarks if f"layers.{layer}." in r]
        assert len(remark.split(":")[0].split(", ")) == 6  # the token went to two of eight
    logits = run(graph, {"tokens": HELD_OUT[0][None], "past": np.array([0])}, weights="quantized")
    assert torch.isfinite(logits.outputs[0]).all()


@pytest.mark.slow
def test_guided_hessians_know_experts_too(lonely, tmp_path):
    graph, remarks = calibrated(lonely, tmp_path, "guided", windows=WINDOWS[:2])
    assert any(FORSAKEN in r for r in remarks)
    assert all(v.notes.get(Quantized) for n, v in graph.weights.items() if "experts" in n)


def test_scaling_the_channels_of_experts_changes_no_output(lonely, tmp_path):
    graph, _ = assigned(lonely)
    before = {n: v.weight.load_f32() for n, v in graph.weights.items() if "experts" in n}
    inputs = {"tokens": HELD_OUT[0][None], "past": np.array([0])}
    expected = run(graph, inputs).outputs[0]
    PassManager([ScaleChannels(tmp_path, decoder_samples(WINDOWS[:2], 24))]).run(graph)
    moved = [n for n, data in before.items() if (graph.weights[n].weight.load_f32() != data).any()]
    assert {n.split(".")[-2] for n in moved} == {"w2", "w3"}  # up and down
    torch.testing.assert_close(run(graph, inputs).outputs[0], expected, rtol=1e-4, atol=1e-4)


def test_the_compilation_tells_of_experts_without_tokens(lonely, tmp_path):
    text = tmp_path / "text.json"
    text.write_text('["a text for one expert of eight", "and another"]')
    wanted = api.plan(
        lonely,
        ["ios:coreml"],
        policy="uniform",
        bits=4,
        calibration=str(text),
        output=str(tmp_path / "b"),
    )
    assert any("router weights stay f16" in r for r in wanted.remarks)
    remarks = api.prepare(wanted, tmp_path / "work")
    assert any(FORSAKEN in r and "no calibration token" in r for r in remarks)
