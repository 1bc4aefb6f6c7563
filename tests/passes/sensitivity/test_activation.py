import numpy as np
import pytest
import torch
from support.graphs import decoder
from support.hf import experts_folder
from support.trials import WINDOWS, small_setting

from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.interpret import run
from optimum_compile.passes.sensitivity.activation import Activation
from optimum_compile.passes.stages.experts import experts_of


def brute(setting, experts):
    """sum over tokens, rows and columns of (x_tj (W - Q)_ij)^2, divided by all tokens."""
    trials, graph = setting.trials, setting.graph
    total = sum(s.inputs["tokens"].size for s in setting.samples)
    scores = {u.name: {str(c.scheme): 0.0 for c in u.choices} for u in trials.problem.units}
    for sample in setting.samples:
        made = {v: torch.from_numpy(sample.inputs[v.name]) for v in graph.inputs}
        run(
            graph,
            sample.inputs,
            observe=lambda node, out, to=made: to.update({node.output: out[0]}),
        )
        for node in graph.nodes:
            if node.op not in ("linear", "embedding"):
                continue
            name, entering = node.input(1).name, made[node.input(0)][0].numpy()
            if node in experts:
                expert = experts[node]
                entering = entering[made[expert.gates][0, :, expert.index].numpy() > 0]
            for scheme in scores[name]:
                choice = next(
                    c
                    for u in trials.problem.units
                    if u.name == name
                    for c in u.choices
                    if str(c.scheme) == scheme
                )
                square = (trials.original(name) - trials.rounded(name, choice.scheme)) ** 2
                for x in entering:
                    error = square[x] if node.op == "embedding" else square @ x**2
                    scores[name][scheme] += float(error.sum(dtype=np.float64)) / total
    return scores


@pytest.mark.parametrize("tied", [True, False])
def test_it_is_the_brute_loop_over_tokens(tmp_path, tied):
    setting = small_setting(decoder(layers=1, tied=tied), tmp_path, ("int2:g16", "f16"))
    found = Activation().measure(setting)
    for unit, row in brute(setting, {}).items():
        assert found.scores[unit] == pytest.approx(row, rel=1e-4)
    assert found.forward_passes == 1.0


def test_of_an_expert_only_routed_tokens_count(tmp_path):
    graph = open_model(experts_folder(tmp_path / "moe")).graph
    setting = small_setting(graph, tmp_path / "trials", ("int4:g16",), WINDOWS[:2])
    experts = experts_of(graph.nodes, graph.outputs)
    assert experts
    expected = brute(setting, experts)
    found = Activation().measure(setting).scores
    for unit, row in expected.items():
        assert found[unit] == pytest.approx(row, rel=1e-4)
    # The brute loop itself tells routed tokens from all of them.
    everything = brute(setting, {})
    names = {node.input(1).name for node in experts if node.op == "linear"}
    assert any(everything[n]["int4:g16"] > 1.5 * expected[n]["int4:g16"] for n in names)
