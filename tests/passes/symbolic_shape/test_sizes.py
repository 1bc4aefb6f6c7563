"""Numbers for symbols: as large as wanted, and legal."""

import pytest
from support.graphs import Builder

from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.conditions import parse_condition
from optimum_compile.compiler.ir.guards import Guard, Guards
from optimum_compile.passes.symbolic_shape.sizes import module_sizes


def graph_of(*guards, **symbols):
    b = Builder(**symbols)
    x = b.input("x", "f32", *symbols)
    graph = b.returns(b.op("neg", x))
    if guards:
        made = (Guard((parse_condition(g),), "of a test") for g in guards)
        graph.notes.put(Guards(tuple(made)))
    return graph


@pytest.mark.parametrize(
    ("symbols", "guards", "expected"),
    [
        ({"batch": (1, 8), "seq": (2, 1 << 24)}, (), {"batch": 1, "seq": 512}),
        ({"batch": (2, 99)}, (), {"batch": 99}),
        ({"n": (600, 900)}, (), {"n": 600}),
        ({"batch": (0, 8), "seq": (1, 60)}, ("seq % 8 == 0",), {"batch": 1, "seq": 56}),
        ({"a": (2, 900), "b": (2, 900)}, ("a != b", "a <= b"), {"a": 511, "b": 512}),
        ({}, (), {}),
    ],
)
def test_the_largest_legal_sizes(symbols, guards, expected):
    assert module_sizes(graph_of(*guards, **symbols)) == expected


def test_guards_that_no_size_meets_are_named():
    graph = graph_of("n % 7 == 0", "n % 5 == 0", "n <= 30", n=(1, 30))
    with pytest.raises(UnsupportedError, match=r"n % 7 == 0.*--seq and --batch"):
        module_sizes(graph)
