import numpy as np
import pytest
import torch
from support.graphs import Builder, decoder

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.measure import activation_ranges
from optimum_compile.passes.stages.blocks import block_count

WINDOWS = [[1, 2, 3, 4, 5], [9, 8, 7]]


def outputs_of(graph, window):
    """What every node gave on one window."""
    seen = {}
    inputs = {"tokens": np.array([window]), "past": np.zeros(1, np.int64)}
    with torch.no_grad():
        run(graph, inputs, observe=lambda node, outputs: seen.update({node: outputs[0]}))
    return seen


def test_every_block_has_a_range():
    graph = decoder(layers=3)
    found = activation_ranges(graph, WINDOWS)
    assert [r.block for r in found] == list(range(block_count(graph))) == [0, 1, 2]
    assert all(r.low < r.high for r in found)


def test_a_block_is_entered_by_the_embedding_or_the_residual_before_it():
    graph = decoder(layers=3)
    seen = [outputs_of(graph, w) for w in WINDOWS]
    entries = [next(n for n in graph.nodes if n.op == "embedding")]
    for index in range(2):
        own = [n for n in graph.nodes if n.op == "add" and n.origin == f"model.layers.{index}"]
        entries.append(own[-1])
    for found, node in zip(activation_ranges(graph, WINDOWS), entries, strict=True):
        assert found.low == min(float(s[node].min()) for s in seen)
        assert found.high == max(float(s[node].max()) for s in seen)


def test_more_text_only_widens_the_ranges():
    graph = decoder()
    one, two = activation_ranges(graph, WINDOWS[:1]), activation_ranges(graph, WINDOWS)
    assert all(a.low >= b.low and a.high <= b.high for a, b in zip(one, two, strict=True))
    assert one != two


def test_a_window_is_cut_at_the_longest_chunk():
    graph = decoder(max_prefill=4)
    assert activation_ranges(graph, [[1, 2, 3, 4, 5, 6]]) == activation_ranges(
        graph, [[1, 2, 3, 4]]
    )


def test_without_text_there_are_no_ranges():
    assert activation_ranges(decoder(), []) == ()


@pytest.mark.parametrize("worst", [np.nan, np.inf, -np.inf])
def test_a_range_that_is_not_finite_is_refused_by_its_block(worst):
    b = Builder("broken", seq=(1, 8))
    tokens, past = b.input("tokens", "i64", 1, "seq"), b.input("past", "i64", 1)
    table = np.zeros((6, 4), np.float32)
    table[2] = worst
    x = b.op("embedding", tokens, b.weight("t", table), origin="embed")
    x = b.op("relu", x, origin="layers.0")
    graph = b.returns(x, past)
    assert activation_ranges(graph, [[1, 3]])[0].high == 0
    with pytest.raises(InputError, match="the input of block 0 is NaN or infinite"):
        activation_ranges(graph, [[1, 2], [3, 4]])
