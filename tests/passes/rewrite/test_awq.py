"""Channel scales, AWQ's and QQQ's: the float program stays, the quantised one gets closer."""

import numpy as np
import pytest
from support.graphs import decoder

from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.compiler.quant.activations import ActivationKind
from optimum_compile.compiler.quant.scheme import PerChannel
from optimum_compile.passes.calibrate.propagate import decoder_samples
from optimum_compile.passes.precision.assign import AssignPrecision
from optimum_compile.passes.precision.classes import ClassOptions
from optimum_compile.passes.precision.quantize import QuantizeWeights
from optimum_compile.passes.rewrite.awq import ScaleChannels

RNG = np.random.default_rng(1)
SAMPLES = decoder_samples([RNG.integers(0, 50, 16).tolist() for _ in range(12)], 16)
INPUTS = {"tokens": RNG.integers(0, 50, (1, 16)), "past": np.array([0])}


def model(bits, group=None):
    graph = decoder(layers=2, width=64, hidden=128)
    # Norm gains of very different sizes: some channels matter much more than others.
    for name, value in graph.weights.items():
        if "layernorm" in name:
            data = np.exp(1.5 * np.random.default_rng(7).standard_normal(64)).astype(np.float32)
            value.weight = type(value.weight)(name, value.weight.type, inline=lambda d=data: d)
    PassManager([AssignPrecision(policy="uniform", bits=bits, classes=ClassOptions(group))]).run(
        graph
    )
    return graph


def error(graph, expected, activations=None):
    found = run(graph, INPUTS, weights="quantized", activations=activations).outputs[0]
    return float((found - expected).norm() / expected.norm())


def test_the_float_program_stays_and_the_quantised_one_gets_closer(tmp_path):
    graph, plain = model(4), model(4)
    expected = run(plain, INPUTS).outputs[0]
    PassManager([ScaleChannels(tmp_path / "work", SAMPLES)]).run(graph)
    after = run(graph, INPUTS).outputs[0]
    assert float((after - expected).norm() / expected.norm()) < 1e-5
    for each, name in ((graph, "scaled"), (plain, "plain")):
        PassManager([QuantizeWeights(tmp_path / name)]).run(each)
    assert error(graph, expected) < 0.95 * error(plain, expected)


def test_floats_are_left_alone(tmp_path):
    graph = model(16)
    step = ScaleChannels(tmp_path, SAMPLES)
    assert not step.run(graph, PassContext()).changed
    assert all(not v.weight.edits for v in graph.weights.values())


@pytest.mark.parametrize("bits", [4, 3])
def test_the_same_samples_give_the_same_scales(tmp_path, bits):
    first, second = model(bits), model(bits)
    for at, graph in enumerate((first, second)):
        PassManager([ScaleChannels(tmp_path / str(at), SAMPLES)]).run(graph)
    edits = [{n: v.weight.edits for n, v in g.weights.items()} for g in (first, second)]
    assert edits[0] == edits[1]
    assert any(edits[0].values())


def test_smoothing_keeps_the_float_program_and_helps_where_inputs_are_rounded_too(tmp_path):
    graph, plain = model(4, PerChannel()), model(4, PerChannel())
    expected = run(plain, INPUTS).outputs[0]
    PassManager([ScaleChannels(tmp_path / "work", SAMPLES, "smooth")]).run(graph)
    edited = [name for name, value in graph.weights.items() if value.weight.edits]
    assert any("layernorm" in name for name in edited)
    after = run(graph, INPUTS).outputs[0]
    assert float((after - expected).norm() / expected.norm()) < 1e-5
    for each, name in ((graph, "smoothed"), (plain, "plain")):
        PassManager([QuantizeWeights(tmp_path / name)]).run(each)
    linears = [n for n in plain.weights if n.endswith("_proj.weight")]
    int8 = dict.fromkeys(linears, ActivationKind.SYMMETRIC_INT8)
    assert error(graph, expected, int8) < 0.95 * error(plain, expected, int8)


def test_palettes_are_not_smoothed(tmp_path):
    graph = model(2)
    assert not ScaleChannels(tmp_path, SAMPLES, "smooth").run(graph, PassContext()).changed
