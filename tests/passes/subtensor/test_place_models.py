"""Every recipe on flat buffers: prompts of all lengths, single tokens, caches written in place."""

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from support.hf import MODELS, save_folder, tiny_model

from optimum_compile.compiler.decoder import caches_of
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.verify import SHAPED, verify
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.compiler.quant.kv import KvScheme
from optimum_compile.compiler.quant.kv_layout import kv_buffer_bytes
from optimum_compile.passes.fuse.pipeline import fuse
from optimum_compile.passes.fuse.split_phases import phases
from optimum_compile.passes.memory.notes import MemoryPlan
from optimum_compile.passes.memory.plan import PlanMemory
from optimum_compile.passes.precision.kv import kv_of
from optimum_compile.passes.precision.notes import KvPrecision
from optimum_compile.passes.subtensor.bounds import PLACED
from optimum_compile.passes.subtensor.caches import STORED
from optimum_compile.passes.subtensor.check import Memory, run_placed
from optimum_compile.passes.subtensor.notes import Buffers, Cached, Elided, Space, Split, View
from optimum_compile.passes.subtensor.place import PlaceViews
from optimum_compile.passes.subtensor.report import copied_cache_bytes, describe_copies

CHUNKS = (1, 5, 1, 1, 13, 2, 1, 1, 3, 1)


@cache
def imported(kind: str) -> Graph:
    with tempfile.TemporaryDirectory() as folder:
        graph = open_model(save_folder(tiny_model(kind), Path(folder) / kind)).graph
        for value in graph.weights.values():
            data = value.weight.load_f32()  # before the folder goes
            object.__setattr__(value.weight, "inline", lambda data=data: data)
        return graph


def placed(graph: Graph, fused: bool) -> tuple[Graph, Graph]:
    """Prefill and decode, their arenas one block of bytes."""
    made = phases(fuse(graph).graph if fused else graph)
    for function in (made.prefill, made.decode):
        PassManager([PlaceViews(), PlanMemory()], spec=SHAPED).run(function)
        assert verify(function, PLACED) == []
    return made.prefill, made.decode


def compare(graph: Graph, functions: tuple[Graph, Graph], memory: Memory) -> float:
    """The greatest difference of logits from the executor over `CHUNKS`; nothing is copied to caches."""
    tokens = torch.randint(0, 96, (1, sum(CHUNKS)), generator=torch.Generator().manual_seed(3))
    states, past, worst = None, 0, 0.0
    for size in CHUNKS:
        given = {"tokens": tokens[:, past : past + size], "past": torch.tensor([past])}
        found = run_placed(functions[size == 1], given, memory)
        wanted = run(graph, given, states, kv=kv_of(graph))
        states, past = wanted.states, past + size
        assert found.cache_bytes == 0
        worst = max(worst, float((found.outputs[0] - wanted.outputs[0]).abs().max()))
    return worst


@pytest.mark.parametrize("fused", [False, True], ids=["plain", "fused"])
@pytest.mark.parametrize("kind", MODELS)
def test_recipes_run_on_views(kind: str, fused: bool) -> None:
    graph = imported(kind)
    functions = placed(graph, fused)
    assert compare(graph, functions, Memory(exact=True)) < 2e-5
    assert 0 < compare(graph, functions, Memory()) < 0.05  # fp16 rows
    for function in functions:
        notes = function.notes.get(Buffers)
        assert not notes.copies, describe_copies(function)
        assert not any(n.op in ("reshape", "permute", "slice", "kv_write") for n in steps(function))
        assert len(notes.in_space(Space.KEYS)) == len(notes.in_space(Space.VALUES)) == 2
        assert notes.cache_offsets(Space.KEYS) == {"keys.0": 0, "keys.1": 4096, "": 8192}
        assert [b.name for b in notes.in_space(Space.OUTPUT)] == [function.outputs[0].name]


def steps(graph: Graph):
    return [node for node in graph.nodes if node.notes.get(Elided) is None]


def alive(graph: Graph, buffer: str) -> tuple[int, int]:
    return next((p.first, p.last) for p in graph.notes.get(MemoryPlan).placed if p.name == buffer)


@pytest.mark.parametrize("bits", [(8, 8), (4, 2), (2, 16)], ids=str)
@pytest.mark.parametrize("kind", ["llama", "qwen3_moe"])
def test_caches_of_few_bits_are_stored_by_the_attention(kind: str, bits: tuple[int, int]) -> None:
    graph = phases(imported(kind)).prefill
    for cache_ in caches_of(graph):
        width = bits[cache_.role.value == "values"]
        if width < 16:
            cache_.value.notes.put(KvPrecision(KvScheme(width, group=8, window=4, sinks=2)))
    # Not fused: sums in another order could round a number to its other neighbour.
    functions = placed(graph, fused=False)
    # A 16-bit cache beside a rounded one is stored by the attention too.
    assert compare(graph, functions, Memory(exact=True)) < 2e-5
    for function in functions:
        notes = function.notes.get(Buffers)
        assert not notes.copies
        writes = [n for n in function.nodes if n.op == "kv_write"]
        assert len(writes) == 4
        for node in writes:
            assert node.notes.get(Elided).reason == STORED
            cached = notes.named(node.output.notes.get(Cached).buffer)
            rows = notes.named(node.input(1).notes.get(View).buffer)
            assert rows.space is Space.ARENA
            # The rows are alive until the attention has taken them.
            assert alive(function, rows.name)[1] >= function.nodes.index(node.output.users[0])
            if cached.dtype.value == "u8":
                role = next(c.role for c in caches_of(function) if node.input(0) is c.value)
                scheme = node.input(0).notes.get(KvPrecision).scheme
                assert cached.size_bytes == kv_buffer_bytes(scheme, role, 2, 64, 16)
                assert node.output.notes.get(View) is None


def test_a_fused_projection_is_written_in_parts() -> None:
    prefill, _ = placed(imported("llama"), fused=True)
    linear = next(n for n in prefill.nodes if n.notes.get(Split))
    q, k, v = linear.notes.get(Split).parts
    assert (q.begin, q.end, k.begin, k.end, v.begin, v.end) == (0, 64, 64, 96, 96, 128)
    assert q.view.buffer == k.view.buffer
    assert v.view.buffer == "values.0"
    assert (str(q.view.offset), str(k.view.offset), str(v.view.offset)) == (
        "0",
        "64*seq",
        "32*past",
    )
    assert linear.output.notes.get(View) is None
    first, last = alive(prefill, q.view.buffer)
    assert first == prefill.nodes.index(linear) < last


def test_rows_that_others_read_are_copied_with_the_reason() -> None:
    graph = phases(imported("llama")).prefill
    write = next(n for n in graph.nodes if n.op == "kv_write")
    extra = graph.add_node("silu", [write.input(1)], [write.input(1).type])
    graph.outputs.append(extra.output)
    (remark,) = PlaceViews().run(graph, PassContext()).remarks
    assert "kv_write at model.layers.0.self_attn" in remark
    assert "silu reads the rows too, before they are rounded to fp16" in remark
    assert write.notes.get(Elided) is None
    given = {"tokens": torch.arange(7)[None], "past": torch.tensor([2])}
    found = run_placed(graph, given, Memory(exact=True))
    assert found.cache_bytes == found.copied_bytes == 7 * 32 * 2
    assert copied_cache_bytes(graph, {"seq": 7, "past": 2}) == 7 * 32 * 2
    for a, b in zip(found.outputs, run(graph, given).outputs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)
    assert describe_copies(graph, {"seq": 7, "past": 2})[-1] == "  in all 448 bytes a call"


def test_a_state_that_is_no_cache_is_refused() -> None:
    graph = phases(imported("llama")).prefill
    state = graph.add_state("count", graph.inputs[1].type)
    state.written = graph.inputs[1]
    with pytest.raises(UnsupportedError, match="state 'count': no attention reads it as a cache"):
        PlaceViews().run(graph, PassContext())


def test_a_view_that_may_leave_its_buffer_is_found() -> None:
    prefill, _ = placed(imported("llama"), fused=True)
    rows = next(
        n.output
        for n in prefill.nodes
        if n.op == "rope_table" and n.output.uses[0][0].op == "kv_write"
    )
    view = rows.notes.get(View)
    rows.notes.put(replace(view, offset=view.offset + 32))
    (found,) = verify(prefill, PLACED)
    assert found.where == f"%{rows.name}"
    assert "in 'keys.0' of 2048 elements: no, for example at past=" in found.message
    rows.notes.put(replace(view, buffer="lost"))
    assert "which is no buffer" in verify(prefill, PLACED)[0].message


def test_a_second_run_changes_nothing_and_the_graph_stays_legal() -> None:
    prefill, decode = placed(imported("qwen3"), fused=True)
    for graph in (prefill, decode):
        before = graph.fingerprint()
        assert not PlaceViews().run(graph, PassContext()).changed
        assert graph.fingerprint() == before
        assert verify(graph, SHAPED) == []
        assert graph.symbols["past"].high == 63
