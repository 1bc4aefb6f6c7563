"""Editing keeps order, names and uses right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.graphs import mlp
from support.strategies import dims

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.sequence import Sequence
from optimum_compile.compiler.ir.shape import (
    SymbolRange,
    bounds,
    evaluate,
    format_dim,
    parse_dim,
    symbol,
)
from optimum_compile.compiler.ir.verify import IMPORTED, verify


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans())))
def test_sequence_behaves_like_a_list(steps: list[tuple[int, bool]]) -> None:
    sequence: Sequence[int] = Sequence()
    model: list[int] = []
    for number, (where, keep) in enumerate(steps):
        if model and not keep:
            sequence.remove(model.pop(where % len(model)))
        elif model and where % 3:
            at = where % len(model)
            sequence.insert(number, model[at])
            model.insert(at, number)
        else:
            sequence.insert(number)
            model.append(number)
        assert list(sequence) == model
        assert len(sequence) == len(model)
        assert all(item in sequence for item in model)


def test_replace_while_iterating() -> None:
    graph = mlp()
    for node in graph.nodes:
        if node.op != "relu":
            continue
        new = graph.add_node("silu", node.inputs, [node.output.type], {}, before=node)
        graph.replace_uses(node.output, new.output)
        graph.remove(node)
    assert [n.op for n in graph.nodes] == ["linear", "silu", "linear"]
    assert verify(graph, IMPORTED) == []


def test_outputs_follow_and_used_nodes_stay() -> None:
    graph = mlp()
    last = graph.nodes[-1]
    with pytest.raises(InternalError, match="still used"):
        graph.remove(last)
    graph.replace_uses(last.output, graph.inputs[0])
    graph.remove(last)
    assert graph.outputs == [graph.inputs[0]]
    assert graph.prune_weights() == 1
    assert "down.weight" not in graph.weights


def test_names_stay_unique() -> None:
    graph = mlp()
    names = {graph.fresh_name("x") for _ in range(5)}
    assert len(names) == 5
    assert "x" not in names


@given(dims())
def test_dimensions_round_trip(dim: object) -> None:
    text = format_dim(dim)  # type: ignore[arg-type]
    assert format_dim(parse_dim(text)) == text
    assert parse_dim(text) == dim


@given(dims(), st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_bounds_hold(dim: object, seq: int, past: int, batch: int) -> None:
    values = {"seq": seq, "past": past, "batch": batch}
    ranges = {n: SymbolRange(max(0, v - 2), v + 3) for n, v in values.items()}
    known = bounds(dim, ranges)  # type: ignore[arg-type]
    if known is not None:
        assert known.low <= evaluate(dim, values) <= known.high  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["", "1/2", "seq/2", "seq+", "(seq", "a**b", "a**9", "1//0", "x" * 201, "__import__('os')",
     "((a+b+c)**8)**8", "(" * 30 + "a" + ")" * 30, "1.5", "a b"],
)  # fmt: skip
def test_expressions_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_dim(text)


def test_symbols_are_not_negative() -> None:
    assert bounds(symbol("n"), {}) is None
    assert bounds(parse_dim("2*n+1"), {"n": SymbolRange(1, 4)}) == SymbolRange(3, 9)


@pytest.mark.parametrize("text", ["9**8**8", "((9**8)**8)**8", "(n*10**8)**3"])
def test_huge_numbers_in_expressions_are_refused(text):
    with pytest.raises(ValueError, match=r"exponent|fit 64 bits|unexpected"):
        parse_dim(text)
