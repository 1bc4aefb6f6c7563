"""The pass: a plan on the graph, in its text too; decoders need what is alive, and no more."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sympy
from support.graphs import decoder
from support.hf import save_folder, tiny_model

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.parser import parse
from optimum_compile.compiler.ir.printer import print_graph
from optimum_compile.compiler.ir.records import note_classes
from optimum_compile.compiler.ir.shape import Dim, as_dim, symbol, symbols_of
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.passes.memory.liveness import live_buffers, plain_buffers
from optimum_compile.passes.memory.notes import MemoryPlan, Placed
from optimum_compile.passes.memory.plan import PlanMemory, plan_graph
from optimum_compile.passes.memory.planner import overlaps, plan_buffers
from optimum_compile.passes.subtensor.notes import Buffers, View
from optimum_compile.passes.symbolic_shape.specialize import specialize
from optimum_compile.tools.bench_memory import (
    FORMS,
    SHAPES,
    buffers_of,
    executorch_peak,
    inductor_peak,
    main,
    shape_graph,
)

SEQ = symbol("seq")
LENGTHS = (1, 16, 64, 512)
MODELS = {
    "llama": {"num_hidden_layers": 3},
    "mistral": {"sliding_window": 3},
    "qwen2": {"num_hidden_layers": 3},
    "qwen3": {"head_dim": 24},
    "mixtral": {},
    "qwen2_moe": {},
    "qwen3_moe": {},
}


def with_views(graph: Graph) -> Graph:
    """One buffer a value, written as the sub-tensor pass writes it."""
    layout = plain_buffers(graph)
    for value, name in layout.holds.items():
        strides: list[Dim] = [1]
        for size in reversed(value.type.shape[1:]):
            strides.insert(0, as_dim(strides[0] * size))
        value.notes.put(View(name, 0, value.type.shape, tuple(strides)))
    graph.notes.put(Buffers(layout.buffers))
    return graph


def test_the_pass_writes_the_plan_once() -> None:
    graph = with_views(decoder())
    (remark,) = PassManager([PlanMemory()]).run(graph)
    plan = graph.notes.get(MemoryPlan)
    assert plan == plan_graph(graph, plain_buffers(graph))
    assert plan is not None
    assert remark.startswith("arena of ")
    assert remark.endswith(f" bytes for {len(plan.placed)} buffers")
    assert not PlanMemory().run(graph, PassContext()).changed


def test_the_pass_needs_buffers() -> None:
    with pytest.raises(InternalError, match="plan-memory needs Buffers"):
        PassManager([PlanMemory()]).run(decoder())


def test_a_plan_comes_back_from_the_text() -> None:
    graph = decoder()
    offset = sympy.Max(64 * SEQ, 4096) + 0
    floor = as_dim(64 * sympy.floor((SEQ + 1) / 2))
    plan = MemoryPlan((Placed("a", offset, floor, 0, 3),), as_dim(offset), (64 * SEQ, 3))
    graph.notes.put(plan)
    assert parse(print_graph(graph), note_classes(MemoryPlan)).notes.get(MemoryPlan) == plan


def recipe(kind: str, folder: Path, settings: dict[str, Any]) -> Graph:
    model = tiny_model(kind, max_position_embeddings=512, **settings)
    return open_model(save_folder(model, folder), context=512, max_prefill=512).graph


def check(graph: Graph, form: str) -> None:
    """The peak against what is alive and against the planners that are installed, at every length.

    Buffers of models as small as these have a few hundred bytes at one token: there, two roundings to 64
    bytes are more than a twentieth.
    """
    requests = buffers_of(graph, form)
    plan = plan_buffers(requests, graph.symbols)
    assert symbols_of(plan.peak_bytes) == {"seq"}
    for seq in LENGTHS:
        at = {"seq": seq}
        assert list(overlaps(plan, at)) == []
        bound = plan.bound_at(at)
        assert bound <= plan.peak_at(at) <= bound + max(0.05 * bound, 2 * plan.alignment_bytes)
        others: list[Callable[..., int | None]] = [executorch_peak, inductor_peak]
        for other in others:
            needed = other(requests, at)
            assert needed is None or plan.peak_at(at) <= needed


@pytest.mark.parametrize("kind", MODELS)
def test_decoders_need_what_is_alive_at_every_length(kind: str, tmp_path: Path) -> None:
    graph = recipe(kind, tmp_path, MODELS[kind])
    check(graph, "values")
    check(graph, "views")


@pytest.mark.parametrize("name", SHAPES)
def test_decoders_of_real_sizes_need_what_is_alive_and_no_more(name: str) -> None:
    graph = shape_graph(name, layers=2)
    for form in FORMS:
        check(graph, form)
        plan = plan_buffers(buffers_of(graph, form), graph.symbols)
        for seq in LENGTHS:
            assert (
                plan.peak_at({"seq": seq}) - plan.bound_at({"seq": seq}) < 2 * plan.alignment_bytes
            )


def test_one_plan_for_all_lengths_is_as_good_as_one_for_each() -> None:
    graph = shape_graph("qwen3-0.6b", layers=1)
    plan = plan_graph(graph, plain_buffers(graph))
    for seq in (1, 7, 512):
        fixed = specialize(graph, {"seq": seq})
        assert plan_graph(fixed, plain_buffers(fixed)).peak_bytes == plan.peak_at({"seq": seq})


def test_executorch_is_asked(tmp_path: Path) -> None:
    pytest.importorskip("executorch")
    graph = recipe("llama", tmp_path, {})
    requests = live_buffers(graph, plain_buffers(graph))
    sixteen = executorch_peak(requests, {"seq": 16}, 16)
    assert sixteen is not None
    assert plan_graph(graph, plain_buffers(graph)).peak_at({"seq": 16}) <= sixteen


def test_the_bench_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["llama-3.2-1b", "--seq", "1,64,4096", "--form", "values"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("llama-3.2-1b, values: ")
    assert [line.split(" | ")[:5] for line in lines[3:]] == [
        ["| llama-3.2-1b", "values", "1", "104.0", "104.0"],
        ["| llama-3.2-1b", "values", "64", "6,656.0", "6,656.0"],
    ]
    with pytest.raises(SystemExit):
        main(["llama-3.2-1b", "--form", "none"])
