"""Dimensions written simply under assumptions."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimum_compile.compiler.ir.conditions import parse_condition
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.guards import Guard, Guards
from optimum_compile.compiler.ir.shape import SymbolRange, evaluate, format_dim, parse_dim
from optimum_compile.compiler.ir.simplify import Assumptions, assuming, same, simplified

RANGES = {"batch": SymbolRange(1, 4), "seq": SymbolRange(1, 64)}
EIGHT = Assumptions(RANGES, (parse_condition("seq % 8 == 0"),))


@pytest.mark.parametrize(
    ("dim", "expected"),
    [
        ("floor(seq/floor(seq/8))", "8"),
        ("8*floor(seq/8)", "seq"),
        ("floor(seq/8)", "floor(seq/8)"),
        ("floor((seq+7)/8)", "floor(seq/8)"),
        ("floor(seq/4)", "floor(seq/4)"),
        ("batch*seq", "batch*seq"),
        ("Max(1,seq)", "seq"),
        ("Min(batch,8)", "batch"),
        ("Max(batch,seq)", "seq"),
    ],
)
def test_simplest_form(dim, expected):
    found = simplified(parse_dim(dim), EIGHT)
    assert found == parse_dim(expected), format_dim(found)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(["seq", "batch", "floor(seq/8)", "floor((seq+3)/8)", "Max(seq,9)", "2"]),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from("+*-"),
)
def test_the_value_stays(parts, operator):
    dim = parse_dim(operator.join(parts))
    found = simplified(dim, EIGHT)
    for batch, seq in itertools.product(range(1, 5), range(8, 65, 8)):
        at = {"batch": batch, "seq": seq}
        assert evaluate(found, at) == evaluate(dim, at)


def test_equality_is_that_of_the_graph_around():
    graph = Graph("g")
    graph.symbols = dict(RANGES)
    a, b = parse_dim("batch*seq"), parse_dim("8*batch*floor(seq/8)")
    assert not same(a, b)
    with assuming(graph):
        assert not same(a, b)
        graph.notes.put(Guards((Guard(EIGHT.given, "of a test"),)))
        with assuming(graph):
            assert same(a, b)
        assert not same(a, b)
