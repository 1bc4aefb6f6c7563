"""Calibrated quantisation of whole graphs: order, resumption, tied heads, what it wins."""

import numpy as np
import pytest
import torch
from support.graphs import decoder
from support.killing import KillAt, Killed, digests

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.observers import SilentObserver
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.compiler.quant.scheme import Affine, Float, PerGroup
from optimum_compile.passes.calibrate.propagate import decoder_samples
from optimum_compile.passes.precision.assign import AssignPrecision
from optimum_compile.passes.precision.notes import Precision, Quantized
from optimum_compile.passes.precision.quantize import QuantizeWeights
from optimum_compile.passes.precision.quantize_blocks import QuantizeBlocks
from optimum_compile.passes.precision.quantizers.recipes import RECIPES
from optimum_compile.passes.specs import QUANTIZED

RNG = np.random.default_rng(0)
WINDOWS = [RNG.integers(0, 50, 16).tolist() for _ in range(24)]
SAMPLES = decoder_samples(WINDOWS, 16)
HELD_OUT = [RNG.integers(0, 50, 16) for _ in range(8)]


def model(tied=True):
    # Heads of one width each: large enough for feedback to matter.
    graph = decoder(layers=3, width=64, hidden=128, tied=tied)
    PassManager([AssignPrecision(policy="uniform", bits=4)]).run(graph)
    return graph


def quantised(work, name="auto", tied=True, observer=None, mark=""):
    graph = model(tied)
    step = QuantizeBlocks(work, RECIPES[name], SAMPLES, mark)
    context = PassContext(observer=observer or SilentObserver())
    PassManager([step], ensures={step.name: QUANTIZED}).run(graph, context)
    return graph


def error(graph):
    total = 0.0
    for tokens in HELD_OUT:
        inputs = {"tokens": tokens[None], "past": np.array([0])}
        a = run(graph, inputs).outputs[0]
        b = run(graph, inputs, weights="quantized").outputs[0]
        total += float(((a - b) ** 2).sum())
    return total


@pytest.mark.parametrize("tied", [True, False])
def test_every_matrix_is_quantised_and_closer_than_rounding(tmp_path, tied):
    plain = model(tied)
    PassManager([QuantizeWeights(tmp_path / "plain")]).run(plain)
    graph = quantised(tmp_path / "auto", tied=tied)
    assert digests(graph).keys() == digests(plain).keys()
    assert error(graph) < 0.8 * error(plain)


def test_nothing_is_left_of_the_activations(tmp_path):
    quantised(tmp_path)
    left = [p for p in (tmp_path / "activations").rglob("*") if p.is_file()]
    assert left == []


def test_two_runs_give_the_same_bytes(tmp_path):
    assert digests(quantised(tmp_path / "a")) == digests(quantised(tmp_path / "b"))


@pytest.mark.parametrize("block", [*(pytest.param(n, marks=pytest.mark.slow) for n in (0, 1)), 2])
def test_a_killed_run_goes_on_and_ends_in_the_same_bytes(tmp_path, block):
    expected = digests(quantised(tmp_path / "whole"))
    with pytest.raises(Killed):
        quantised(tmp_path / "part", observer=KillAt(block))
    seen = []

    class Watch(SilentObserver):
        def progress(self, label, done, total):
            seen.append((label, done))

    assert digests(quantised(tmp_path / "part", observer=Watch())) == expected
    started = [done for label, done in seen if label == "quantize-weights"]
    assert started == list(range(block, 4))


def test_another_fingerprint_is_refused(tmp_path):
    with pytest.raises(Killed):
        quantised(tmp_path, observer=KillAt(2), mark="one")
    with pytest.raises(InputError, match="belongs to another run"):
        quantised(tmp_path, mark="two")


def test_later_blocks_see_what_earlier_ones_became(tmp_path):
    # With the first block in floats the second one's Hessian differs, and so do its codes.
    other = model()
    for name, value in other.weights.items():
        if "layers.0" in name and value.notes.get(Precision):
            value.notes.put(Precision(Float(16)))
    step = QuantizeBlocks(tmp_path / "b", RECIPES["lnq"], SAMPLES)
    PassManager([step]).run(other)
    first = digests(quantised(tmp_path / "a", name="lnq"))
    second = digests(other)
    assert any(first[n] != second[n] for n in first if "layers.1" in n)


def test_a_tied_table_takes_its_inputs_from_the_head(tmp_path):
    graph = quantised(tmp_path, name="lnq")
    name = "model.embed_tokens.weight"
    found = graph.weights[name].notes.get(Quantized).load().dequantize()
    original = graph.weights[name].weight.load_f32()
    # Feedback moves codes away from the nearest ones.
    plain = model()
    PassManager([QuantizeWeights(tmp_path / "plain")]).run(plain)
    rounded = plain.weights[name].notes.get(Quantized).load().dequantize()
    assert np.abs(found - original).sum() > np.abs(rounded - original).sum()


def test_broken_weights_are_refused(tmp_path):
    graph = model()
    value = graph.weights["model.layers.1.mlp.up_proj.weight"]
    data = value.weight.load_f32().copy()
    data[0, 0] = np.nan
    value.weight = type(value.weight)(value.weight.name, value.weight.type, inline=lambda: data)
    with pytest.raises(InputError, match=r"up_proj\.weight: 1 weight is NaN or infinite"):
        PassManager([QuantizeBlocks(tmp_path, RECIPES["gptq"], SAMPLES)]).run(graph)


def test_one_token_is_enough(tmp_path):
    graph = model()
    step = QuantizeBlocks(tmp_path, RECIPES["auto"], decoder_samples([[7]], 16))
    PassManager([step]).run(graph)
    with torch.no_grad():
        assert np.isfinite(error(graph))


def test_groups_that_do_not_divide_are_quantised_too(tmp_path):
    graph = decoder(layers=2, width=32, hidden=88)
    for value in graph.weights.values():
        if value.type.rank == 2:
            value.notes.put(Precision(Affine(4, PerGroup(24))))
    PassManager([QuantizeBlocks(tmp_path, RECIPES["auto"], SAMPLES)]).run(graph)
    assert np.isfinite(error(graph))
