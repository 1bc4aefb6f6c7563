"""Rotary angles from a table."""

import numpy as np
import pytest
import torch
from support.graphs import Builder, decoder
from support.passes import check_pass

from optimum_compile.compiler.errors import UserError
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.compiler.ir.weights import WeightRef, inline_weight
from optimum_compile.compiler.pass_manager import PassContext
from optimum_compile.passes.fuse.rope_tables import RopeTable, RopeTables

RNG = np.random.default_rng(1)


def frequencies(half: int = 8) -> np.ndarray:
    return (1e4 ** (-np.arange(half) / half)).astype(np.float32)


def rotated(context: int, scale: float = 1.0, op: str = "rope") -> Graph:
    """`x` turned at `past`, and written into a cache of `context` tokens."""
    b = Builder("g", seq=(1, context))
    x, past = b.input("x", "f32", 1, 2, "seq", 16), b.input("past", "i64", 1)
    turned = b.op("rope", x, past, b.weight("inv_freq", frequencies()), scale=scale)
    state = b.state("k", "f32", 1, 2, context, 16)
    state.written = b.op("kv_write", state.read, turned, past, axis=2)
    graph = b.returns(turned)
    if op == "rope_table":
        assert RopeTables().run(graph, PassContext()).changed
    return graph


@pytest.mark.parametrize(("past", "seq"), [(0, 1), (0, 64), (63, 1), (20, 7)])
@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_a_table_turns_as_the_op_does(past: int, seq: int, scale: float) -> None:
    inputs = {"x": RNG.standard_normal((1, 2, seq, 16)).astype(np.float32), "past": [past]}
    wanted = run(rotated(64, scale), inputs).outputs[0]
    found = run(rotated(64, scale, "rope_table"), inputs).outputs[0]
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5)
    exact = run(rotated(64, scale), inputs, dtype=torch.float64).outputs[0]
    assert float((found.double() - exact).abs().max()) <= 1e-6


def test_far_positions_are_exact_where_float32_angles_are_not() -> None:
    inputs = {"x": np.ones((1, 2, 1, 16), np.float32), "past": [131_000]}
    exact = run(rotated(131_072), inputs, dtype=torch.float64).outputs[0]
    float32 = float((run(rotated(131_072), inputs).outputs[0] - exact).abs().max())
    table = float((run(rotated(131_072, op="rope_table"), inputs).outputs[0] - exact).abs().max())
    assert table <= 1e-6 < float32


def test_a_table_holds_cosines_then_sines_and_names_what_it_is_made_of() -> None:
    ref = inline_weight("inv_freq", frequencies(2), DType.F32)
    table = RopeTable(ref, 2.0, 3)
    angles = np.arange(3)[:, None] * frequencies(2).astype(np.float64)
    np.testing.assert_allclose(table(), np.hstack((np.cos(angles), np.sin(angles))) * 2, rtol=1e-7)
    assert table().dtype == np.float32
    assert table == RopeTable(ref, 2.0, 3)
    assert len({table, RopeTable(ref, 2.0, 3), RopeTable(ref, 1.0, 3), RopeTable(ref, 2.0, 4)}) == 3
    assert table.sha256 != RopeTable(ref, 1.0, 3).sha256


def test_all_layers_share_one_table_and_the_context_bounds_it() -> None:
    graph = decoder(layers=2, context=24)
    assert RopeTables().run(graph, PassContext()).changed
    assert {n.op for n in graph.nodes} & {"rope", "rope_table"} == {"rope_table"}
    assert graph.weights["rope.rope_table"].type.shape == (24, 8)
    assert "rope.inv_freq" not in graph.weights
    tokens = np.array([[1, 2, 3]])
    run(graph, {"tokens": tokens, "past": np.array([21])})
    with pytest.raises(UserError, match="22 tokens in the cache and 3 new ones"):
        run(graph, {"tokens": tokens, "past": np.array([22])})


def digest(scale: float) -> str:
    ref = WeightRef("r.inv_freq", TensorType(DType.F32, (2,)))
    return RopeTable(ref, scale, 32).sha256


def test_text_in_text_out_with_a_table_for_each_scale() -> None:
    head = """
        graph "g" {
          input %x : f32[1, 1, 3, 4]
          input %past : i64[1]
          state %k : f32[1, 1, 32, 4]
    """
    before = f"""{head}
          weight @r.inv_freq : f32[2] = unknown
          %a = rope(%x, %past, @r.inv_freq) {{scale = 1.0}} : f32[1, 1, 3, 4] from "l.0"
          %b = rope(%x, %past, @r.inv_freq) {{scale = 2.0}} : f32[1, 1, 3, 4] from "l.0"
          %c = rope(%b, %past, @r.inv_freq) {{scale = 1.0}} : f32[1, 1, 3, 4] from "l.1"
          %w = kv_write(%k, %a, %past) {{axis = 2}} : f32[1, 1, 32, 4]
          store %k = %w
          return %c
        }}"""
    after = f"""{head}
          weight @r.rope_table : f32[32, 4] = inline "{digest(1.0)}"
          weight @r.rope_table_1 : f32[32, 4] = inline "{digest(2.0)}"
          %rope = rope_table(%x, %past, @r.rope_table) : f32[1, 1, 3, 4] from "l.0"
          %rope_1 = rope_table(%x, %past, @r.rope_table_1) : f32[1, 1, 3, 4] from "l.0"
          %rope_2 = rope_table(%rope_1, %past, @r.rope_table) : f32[1, 1, 3, 4] from "l.1"
          %w = kv_write(%k, %rope, %past) {{axis = 2}} : f32[1, 1, 32, 4]
          store %k = %w
          return %rope_2
        }}"""
    check_pass(RopeTables(), before, after)


def test_without_a_cache_or_with_computed_frequencies_rope_stays() -> None:
    b = Builder()
    x, past = b.input("x", "f32", 1, 2, 3, 16), b.input("past", "i64", 1)
    graph = b.returns(b.op("rope", x, past, b.weight("f", frequencies()), scale=1.0, origin="at"))
    result = RopeTables().run(graph, PassContext())
    assert not result.changed
    assert "the graph has no cache" in result.remarks[0]
    cached = rotated(8)
    rope = next(n for n in cached.nodes if n.op == "rope")
    made = cached.add_node("neg", [rope.input(2)], [rope.input(2).type], before=rope)
    cached.set_input(rope, 2, made.output)
    result = RopeTables().run(cached, PassContext())
    assert not result.changed
    assert "is computed, no weight" in result.remarks[0]
