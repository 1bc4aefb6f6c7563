"""The symbols of a decoder, `past` among them; other lengths of the cache."""

import numpy as np
import pytest
import torch
from support.graphs import Builder, decoder

from optimum_compile.compiler.errors import OptionError, UnsupportedError
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.conditions import Verdict
from optimum_compile.compiler.ir.shape import SymbolRange, symbol
from optimum_compile.compiler.ir.verify import IMPORTED, verify
from optimum_compile.passes.symbolic_shape.context import resize_context
from optimum_compile.passes.symbolic_shape.specialize import specialize
from optimum_compile.passes.symbolic_shape.table import context_dim, symbol_table

PAST, SEQ = symbol("past"), symbol("seq")


def test_past_has_a_range_and_a_guard():
    graph = decoder(context=16)
    table = symbol_table(graph)
    longest = graph.symbols["seq"].high
    assert table.context == 16
    assert table.seq == SEQ
    assert table.ranges["past"] == SymbolRange(0, 15)
    assert [str(c) for c in table.given] == ["past+seq <= 16"]
    row = 8
    assert table.at_most((PAST + SEQ) * row, 16 * row).verdict is Verdict.YES
    assert table.at_most(PAST * row, 14 * row).verdict is Verdict.NO
    assert table.divisible(PAST * row, row).verdict is Verdict.YES
    assert table.equal(PAST, SEQ).verdict is Verdict.NO
    assert table.at_most(SEQ, longest).verdict is Verdict.YES


def test_decode_may_write_the_last_row():
    table = symbol_table(specialize(decoder(context=16), {"seq": 1}))
    assert table.ranges["past"] == SymbolRange(0, 15)
    assert table.seq == 1
    assert table.at_most(PAST + 1, 16).verdict is Verdict.YES


def test_other_graphs_have_their_own_symbols_only():
    b = Builder(n=(1, 8))
    graph = b.returns(b.op("neg", b.input("x", "f32", "n", 4)))
    table = symbol_table(graph)
    assert dict(table.ranges) == graph.symbols
    assert table.context is None
    assert context_dim(graph) is None


@pytest.mark.parametrize("context", [8, 16, 40])
def test_another_context_computes_the_same(context):
    graph = decoder(context=16)
    other = specialize(graph, {"context": context})
    assert verify(other, IMPORTED) == []
    assert context_dim(other) == context
    assert context_dim(graph) == 16
    assert other.symbols["seq"].high <= context
    inputs = {"tokens": np.array([[1, 2, 3]]), "past": np.array([0])}
    expected, found = run(graph, inputs), run(other, inputs)
    torch.testing.assert_close(found.outputs[0], expected.outputs[0])
    assert {t.shape[2] for t in found.states.values()} == {context}


def test_context_and_seq_in_one_call():
    both = specialize(decoder(context=16), {"context": 8, "seq": 4})
    assert both.inputs[0].type.static_shape() == (1, 4)
    assert context_dim(both) == 8


def test_context_as_a_symbol():
    graph = decoder(context=16)
    resize_context(graph, symbol("context"), SymbolRange(1, 4096))
    assert verify(graph, IMPORTED) == []
    table = symbol_table(graph)
    assert table.context == symbol("context")
    assert table.ranges["past"].high == 4095
    assert table.at_most(PAST + SEQ, symbol("context")).verdict is Verdict.YES
    assert context_dim(specialize(graph, {"context": 32})) == 32


@pytest.mark.parametrize("context", [0, -4, 1 << 21])
def test_impossible_contexts_are_refused(context):
    with pytest.raises(OptionError, match="expected 1 to"):
        specialize(decoder(context=16), {"context": context})


def test_what_reads_the_cache_otherwise_is_refused_by_name():
    graph = decoder(context=16)
    state = graph.states[0]
    made = graph.add_node("neg", [state.read], [state.read.type], origin="model.odd")
    graph.outputs.append(made.output)
    with pytest.raises(UnsupportedError, match=r"neg at model\.odd depends on the length"):
        specialize(graph, {"context": 8})


def test_a_graph_without_a_cache_has_no_context():
    b = Builder(n=(1, 8))
    graph = b.returns(b.op("neg", b.input("x", "f32", "n", 4)))
    with pytest.raises(UnsupportedError, match="no KV cache"):
        specialize(graph, {"context": 8})
