from pathlib import Path

from support.emission import quantised, with_schemes
from support.graphs import Builder, decoder, np

from optimum_compile.backends.executorch.backend import BACKEND
from optimum_compile.backends.executorch.regions import regions_of
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.scheme import Affine, Lut, PerChannel


def names(graph: Graph) -> list[list[str]]:
    return [[node.op for node in region.nodes] for region in regions_of(graph)]


def test_a_block_is_three_delegates(tmp_path):
    graph = quantised(decoder(layers=2, tied=False), tmp_path, BACKEND, "uniform", 8)
    block = [["linear"] * 3, ["linear"], ["linear", "linear", "silu", "mul", "linear"]]
    # In order of the graph; gate, up and down are one delegate with what lies between.
    found = [sorted(r) for r in names(graph)]
    assert found == [sorted(r) for r in [*block, *block, ["linear"]]]


def test_only_what_leaves_is_an_output(tmp_path):
    graph = quantised(decoder(layers=1, tied=False), tmp_path, BACKEND, "uniform", 8)
    qkv, o, mlp, head = regions_of(graph)
    assert [len(r.outputs) for r in (qkv, o, mlp, head)] == [3, 1, 1, 1]
    assert mlp.outputs == (mlp.nodes[-1].output,)


def test_what_depends_on_another_tensor_stays_outside(tmp_path):
    b = Builder("two")
    x, y = b.input("x", "f32", 4, 32), b.input("y", "f32", 4, 32)
    w = b.weight("w", np.eye(32, dtype=np.float32))
    out = b.op("mul", b.op("linear", x, w, None), y)
    graph = with_schemes(b.returns(out), {"": Affine(8, PerChannel())}, tmp_path)
    assert names(graph) == [["linear"]]


def test_no_delegate_reaches_over_a_stage(tmp_path):
    graph = quantised(decoder(layers=4, tied=False), tmp_path, BACKEND, "cascade")
    stages = [r.stage for r in regions_of(graph)]
    assert None not in stages
    assert stages == sorted(stages)


def test_a_palette_breaks_the_chain(tmp_path):
    graph = decoder(layers=1, tied=False)
    down = "model.layers.0.mlp.down_proj.weight"
    with_schemes(graph, {"": Affine(8, PerChannel()), down: Lut(2, 1)}, tmp_path)
    mlp = regions_of(graph)[2]
    assert [n.op for n in mlp.nodes] == ["linear", "linear", "silu", "mul"] or sorted(
        n.op for n in mlp.nodes
    ) == ["linear", "linear", "mul", "silu"]
    assert mlp.outputs == (mlp.nodes[-1].output,)


def test_a_tied_head_is_no_delegate(tmp_path: Path):
    graph = quantised(decoder(layers=1, tied=True), tmp_path, BACKEND, "uniform", 8)
    assert all("embed_tokens" not in w for r in regions_of(graph) for w in r.weights)
