"""Which nodes are of which expert, and which weights route."""

from collections import Counter

import pytest
from support.graphs import Builder, decoder
from support.hf import save_folder, tiny_model

from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.passes.calibrate.segments import readings_of, segments_of
from optimum_compile.passes.stages.experts import experts_of, feeds_route, is_router


@pytest.fixture(scope="module")
def graphs(tmp_path_factory):
    kinds = ("mixtral", "qwen2_moe", "qwen3_moe")
    folders = {k: save_folder(tiny_model(k), tmp_path_factory.mktemp(k)) for k in kinds}
    return {kind: open_model(folder).graph for kind, folder in folders.items()}


@pytest.mark.parametrize("kind", ["mixtral", "qwen2_moe", "qwen3_moe"])
def test_linears_of_an_expert_are_its_own_and_no_others(kind, graphs):
    graph = graphs[kind]
    owners = experts_of(graph.nodes)
    for node in graph.nodes:
        parts = node.origin.split(".")
        if node.op == "linear" and "experts" in parts:
            assert owners[node].index == int(parts[parts.index("experts") + 1])
            assert owners[node].gates.producer.origin.startswith(".".join(parts[:3]))
        elif node.op == "linear":
            assert node not in owners
    ops = Counter(node.op for node in owners)
    assert ops == {"linear": 48, "silu": 16, "mul": 16}


@pytest.mark.parametrize("kind", ["mixtral", "qwen2_moe"])
def test_routers_are_what_decides(kind, graphs):
    graph = graphs[kind]
    found = {name.split(".")[-2] for name, value in graph.weights.items() if is_router(value)}
    assert found == ({"gate"} if kind == "mixtral" else {"gate", "shared_expert_gate"})


def test_a_dense_model_has_none():
    graph = decoder()
    assert experts_of(graph.nodes) == {}
    assert not any(is_router(value) for value in graph.weights.values())
    assert not any(feeds_route(node) for node in graph.nodes)


def test_readings_are_by_input_and_expert(graphs):
    found = readings_of(segments_of(graphs["qwen2_moe"])[1])
    names = [[n.origin.removeprefix("model.layers.1.") for n in r.linears] for r in found]
    shared = ["gate", "shared_expert.gate_proj", "shared_expert.up_proj", "shared_expert_gate"]
    assert names[2] == [f"mlp.{n}" for n in shared]
    assert found[2].expert is None
    for at in range(8):
        both = [f"mlp.experts.{at}.gate_proj", f"mlp.experts.{at}.up_proj"]
        assert names[3 + 2 * at : 5 + 2 * at] == [both, [f"mlp.experts.{at}.down_proj"]]
        assert found[3 + 2 * at].expert == found[4 + 2 * at].expert
    assert found[3].source is found[2].source


def test_what_goes_around_the_gate_is_of_no_expert():
    b = Builder(n=(1, 8))
    x = b.input("x", "f32", "n", 4)
    gates = b.op("route", x, top_k=1, renormalise=False)
    one = b.op("slice", gates, axis=1, start=2, stop=3, step=1)
    inside, outside = b.op("relu", x), b.op("abs", x)
    both = b.op("add", b.op("mul", inside, one), b.op("mul", one, outside))
    graph = b.returns(both, outside)
    owners = experts_of(graph.nodes, graph.outputs)
    assert {node.op: owner.index for node, owner in owners.items()} == {"relu": 2}
