from dataclasses import replace

import numpy as np
import pytest
import torch
from support.graphs import decoder, mlp
from support.trials import SCHEMES, small_setting

from optimum_compile.compiler.errors import InputError, OptionError, UnsupportedError
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.weights import inline_weight
from optimum_compile.passes.sensitivity.lsaq import Lsaq, block_importance, overlap, stream_of


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    return small_setting(decoder(layers=3, tied=False), tmp_path_factory.mktemp("trials"))


def set_weight(graph, name, change):
    value = graph.weights[name]
    value.weight = inline_weight(name, change(value.weight.load()), value.type.dtype)


def test_the_hidden_state_is_what_enters_and_leaves_blocks(setting):
    stream = stream_of(setting.graph)
    origins = [v.producer.origin for v in stream.states]
    assert origins == ["model.embed_tokens", *(f"model.layers.{n}" for n in range(3))]
    assert [n.origin for n in stream.tail] == ["model.norm", "lm_head"]


@pytest.mark.parametrize("positions", ["last", "all"])
def test_importance_is_one_minus_the_overlap_of_decoded_tokens(positions, setting):
    graph, k = setting.graph, 5
    found, _ = block_importance(setting, k, positions)
    norm = torch.from_numpy(graph.weights["model.norm.weight"].weight.load()).double()
    head = torch.from_numpy(graph.weights["lm_head.weight"].weight.load()).double()

    def decode(x):
        x = x.double()
        x = x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt() * norm
        return [set(row.topk(k).indices.tolist()) for row in x @ head.T]

    wanted = np.zeros(3)
    states = stream_of(graph).states
    for sample in setting.samples:
        seen = {}
        run(graph, sample.inputs, observe=lambda n, out, to=seen: to.update({n.outputs[0]: out[0]}))
        begin = -1 if positions == "last" else 0
        sets = [decode(seen[v][0, begin:]) for v in states]
        for block in range(3):
            pairs = zip(sets[block], sets[block + 1], strict=True)
            wanted[block] += 1 - np.mean([len(a & b) / len(a | b) for a, b in pairs])
    np.testing.assert_allclose(found, wanted / len(setting.samples), atol=1e-12)
    assert len(set(found)) > 1


def test_a_block_that_adds_nothing_is_unimportant(tmp_path):
    graph = decoder(layers=3)
    for name in ("self_attn.o_proj", "mlp.down_proj"):
        set_weight(graph, f"model.layers.1.{name}.weight", lambda data: data * 0)
    setting = small_setting(graph, tmp_path)
    importance, _ = block_importance(setting)
    assert importance[1] == 0 < importance[0]
    scores = Lsaq().measure(setting).scores
    assert set(scores["model.layers.1.mlp.up_proj.weight"].values()) == {0.0}
    assert scores["model.layers.0.mlp.up_proj.weight"]["int2:g16"] > 0


def test_scores_are_importance_times_relative_error_times_elements(setting):
    importance, passes = block_importance(setting)
    found = Lsaq().measure(setting)
    assert found.forward_passes == passes
    assert 1 < passes < 2
    for unit in setting.trials.problem.units:
        own = importance[unit.unit.block] if "layers" in unit.name else np.mean(importance)
        data = setting.trials.original(unit.name).astype(np.float64)
        assert set(found.scores[unit.name]) == set(SCHEMES)
        for choice in unit.choices:
            error = np.sum((data - setting.trials.rounded(unit.name, choice.scheme)) ** 2)
            wanted = own * error / np.sum(data**2) * data.size
            score = found.scores[unit.name][str(choice.scheme)]
            assert score == pytest.approx(wanted, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [([[1, 2, 3]], [[3, 2, 1]], 1.0), ([[1, 2]], [[3, 4]], 0.0), ([[1, 2, 3]], [[3, 4, 5]], 0.2),
     ([[1], [2]], [[1], [3]], 0.5)],
)  # fmt: skip
def test_overlap_is_that_of_sets(first, second, wanted):
    assert overlap(torch.tensor(first), torch.tensor(second)) == pytest.approx(wanted)


def test_more_tokens_than_the_vocabulary_has_are_all_of_it(setting):
    found, _ = block_importance(setting, k=1000)
    assert found == (0.0, 0.0, 0.0)


def test_models_without_a_hidden_state_are_refused():
    with pytest.raises(UnsupportedError, match="no blocks"):
        stream_of(mlp())
    graph = decoder(layers=1)
    hidden = graph.nodes[-3].output
    graph.outputs.append(graph.add_node("relu", [graph.nodes[-4].output], [hidden.type]).output)
    with pytest.raises(UnsupportedError, match="2 values go from the last block to the head"):
        stream_of(graph)


def test_bad_input_is_refused(setting):
    with pytest.raises(InputError, match="no text"):
        Lsaq().measure(replace(setting, samples=()))
    with pytest.raises(OptionError, match="k=0"):
        Lsaq(k=0)
    with pytest.raises(OptionError, match="expected 'last' or 'all'"):
        Lsaq(positions="first")
