import numpy as np
import pytest
import torch
from support.graphs import decoder
from support.hf import experts_folder
from support.trials import WINDOWS

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.quant.kv import KvScheme
from optimum_compile.passes.calibrate.propagate import decoder_samples
from optimum_compile.passes.precision.units import units_of
from optimum_compile.passes.sensitivity.onward import Change, Onward, reached

SAMPLES = decoder_samples(WINDOWS, 16)


def changed_weight(graph, name):
    data = graph.weights[name].weight.load()
    noise = np.random.default_rng(1).standard_normal(data.shape).astype(np.float32)
    return torch.from_numpy(data + 0.1 * noise)


def started(graph, folder):
    way = Onward(graph, SAMPLES, folder)
    way.start()
    return way


@pytest.fixture(scope="module")
def mixture(tmp_path_factory):
    return open_model(experts_folder(tmp_path_factory.mktemp("mixtral"))).graph


@pytest.mark.parametrize("tied", [True, False])
def test_running_on_from_a_change_gives_what_the_whole_program_gives(tied, tmp_path):
    graph = decoder(layers=3, tied=tied, bias=True)
    way = started(graph, tmp_path)
    names = [u.name for u in units_of(graph)]
    assert len(names) == 22 if tied else 23
    for name in (*names, *reversed(names)):  # any order is right, only dearer
        data = changed_weight(graph, name)
        found = list(way.changed(Change(weights={name: data})))
        for sample, logits in zip(SAMPLES, found, strict=True):
            whole = run(graph, sample.inputs, replace_weights={name: data}).outputs[0]
            torch.testing.assert_close(logits, whole, rtol=0, atol=0)


def test_an_expert_that_changes_leaves_the_others_alone(mixture, tmp_path):
    way = started(mixture, tmp_path)
    before = way.forward_passes
    name = "model.layers.1.block_sparse_moe.experts.3.w2.weight"
    data = changed_weight(mixture, name)
    found = list(way.changed(Change(weights={name: data})))
    for sample, logits in zip(SAMPLES, found, strict=True):
        whole = run(mixture, sample.inputs, replace_weights={name: data}).outputs[0]
        torch.testing.assert_close(logits, whole, rtol=0, atol=0)
    again = way.forward_passes
    list(way.changed(Change(weights={name: data})))
    # Block 1 once for its branches; then the matrix and the head alone.
    assert again - before == pytest.approx(0.6, abs=0.1)
    head = mixture.outputs[0].producer.input(1).type.elements()
    own = data.numel()
    every = [n.input(1).type.elements() for n in mixture.nodes if n.op == "linear"]
    assert way.forward_passes - again == pytest.approx((own + head) / sum(every))


@pytest.mark.parametrize("name", ["k_cache.0", "v_cache.1"])
def test_a_rounded_cache_runs_on_from_its_attention(name, tmp_path):
    graph = decoder(layers=2)
    way = started(graph, tmp_path)
    kv = {name: KvScheme(2, group=8, window=1, sinks=0)}
    found = list(way.changed(Change(kv=kv)))
    for at, sample in enumerate(SAMPLES):
        whole = run(graph, sample.inputs, kv=kv).outputs[0]
        torch.testing.assert_close(found[at], whole, rtol=0, atol=0)
    assert not torch.equal(found[2], way.output(2))


def test_the_float_outputs_are_kept(tmp_path):
    graph = decoder(layers=2)
    way = started(graph, tmp_path)
    for at, sample in enumerate(SAMPLES):
        assert torch.equal(way.output(at), run(graph, sample.inputs).outputs[0])


def test_later_changes_cost_less(tmp_path):
    graph = decoder(layers=4, tied=False)
    way = started(graph, tmp_path)
    assert way.forward_passes == 1
    costs = []
    for block in range(4):
        name = f"model.layers.{block}.mlp.down_proj.weight"
        data = changed_weight(graph, name)
        list(way.changed(Change(weights={name: data})))
        before = way.forward_passes
        list(way.changed(Change(weights={name: data})))
        costs.append(way.forward_passes - before)
    assert costs == sorted(costs, reverse=True)
    assert costs[0] < 0.9
    assert costs[3] < 0.2


def test_what_nothing_reads_is_an_internal_error(tmp_path):
    graph = decoder(layers=2)
    way = started(graph, tmp_path)
    with pytest.raises(InternalError, match="nothing reads k_cache.7"):
        list(way.changed(Change(kv={"k_cache.7": KvScheme(4)})))


def test_what_is_reached_keeps_the_order_of_the_program():
    graph = decoder(layers=1)
    start = next(n for n in graph.nodes if n.origin.endswith("up_proj"))
    found = reached([start], graph.nodes)
    assert [n.op for n in found] == ["linear", "mul", "linear", "add", "rms_norm", "linear"]
