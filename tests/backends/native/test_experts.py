"""Experts that no token of a call goes to are left out of it: where, and what that saves."""

from pathlib import Path

import numpy as np
import pytest
from support.emission import with_schemes
from support.graphs import Builder
from support.hf import Folders

from optimum_compile.backends.native.decode import read
from optimum_compile.backends.native.encode import encode
from optimum_compile.backends.native.experts import stretches
from optimum_compile.backends.native.lower import lower
from optimum_compile.backends.native.plan import plan_functions
from optimum_compile.backends.native.program import Op
from optimum_compile.backends.native.session import Model
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.units import units_of

EXPERTS, CHOSEN = 8, 2
KINDS = ("mixtral", "qwen2_moe", "qwen3_moe")


def of_experts(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if ".experts." in name]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return Folders(tmp_path_factory)


def program(graph: Graph, work: Path) -> Path:
    schemes = {u.name: parse_scheme("f16" if u.routes else "int8:channel") for u in units_of(graph)}
    made = lower(plan_functions(with_schemes(graph, schemes, work)).functions, work)
    path = work / "model.ocm"
    path.write_bytes(encode(made.program, "{}", made.weights.read_bytes()))
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_reads_the_experts_that_it_goes_to(folders, tmp_path, kind):
    graph = open_model(folders(kind, {}), context=24, max_prefill=8).graph
    path = program(graph, tmp_path)
    stored = read(path).program
    layers = sum(".gate.weight" in name and "shared" not in name for name in graph.weights)
    for function in stored.functions:
        skips = [s for s in function.steps if s.op is Op.SKIP]
        assert len(skips) == layers * EXPERTS
        assert {s.attributes[0].value for s in skips} == {len(("gate_up", "act", "down", "mul"))}
    session = Model(path).session()
    session.run([3])
    one = session.stats().last_weight_bytes
    weights = {
        w.name: sum(stored.parts[p].size_bytes for p in w.parts if p < len(stored.parts))
        for w in stored.weights
    }
    dropped = (
        sum(weights[name] for name in of_experts(tuple(weights))) * (EXPERTS - CHOSEN) / EXPERTS
    )
    session.clear_stats()
    session.run(np.arange(8))
    several = session.stats().last_weight_bytes
    everything = _all_of(stored, weights)
    assert one == pytest.approx(everything - dropped, rel=0.02)
    assert one < several <= everything


def _all_of(stored, weights) -> float:
    """What a decode step without skips reads: every weight but tables of tokens, of which it is a row."""
    tables = {s.inputs[1].index for f in stored.functions for s in f.steps if s.op is Op.EMBEDDING}
    heads = {s.inputs[1].index for f in stored.functions for s in f.steps if s.op is Op.LINEAR}
    return sum(size for at, size in enumerate(weights.values()) if at not in tables - heads)


def layer(*, moved: bool) -> Graph:
    """Two experts. moved: something that is no expert's stands in the middle of the first one."""
    b = Builder("layer", n=(1, 4))
    rng = np.random.default_rng(0)
    x = b.input("x", "f32", "n", 8)

    def linear(name: str, rows: int, columns: int, of):
        weight = rng.standard_normal((rows, columns)).astype(np.float32)
        return b.op("linear", of, b.weight(name, weight), None)

    gates = b.op("route", linear("gate.weight", 2, 8, x), top_k=1, renormalise=True)
    outs = []
    for at in range(2):
        inner = linear(f"up.{at}", 16, 8, x)
        if moved and at == 0:
            outs.append(b.op("silu", x))
        down = linear(f"down.{at}", 8, 16, b.op("silu", inner))
        gate = b.op("slice", gates, axis=1, start=at, stop=at + 1, step=1)
        outs.append(b.op("mul", down, gate))
    total = outs[0]
    for other in outs[1:]:
        total = b.op("add", total, other)
    return b.returns(total)


@pytest.mark.parametrize(("moved", "firsts"), [(False, "linear linear"), (True, "silu linear")])
def test_only_nodes_in_a_row_are_left_out(moved, firsts):
    made = stretches(layer(moved=moved))
    assert " ".join(node.op for node in made) == firsts
    assert [(s.expert.index, s.last.op) for s in made.values()] == [(0, "mul"), (1, "mul")]
