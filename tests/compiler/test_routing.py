"""How decided a choice of experts is, and the choice among inputs by it."""

import math

import numpy as np
import pytest
import torch
from support.graphs import Builder

from optimum_compile.backends.base import DECISIVE_MARGIN, Case
from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.routing import RoutingMargin, least_margin, most_decided


def test_a_margin_is_the_step_behind_the_last_chosen_in_deviations():
    rows = torch.tensor([[8.0, 0, 4, 2], [-3, -1, -2, -9]])
    steps = [(8 - 4, -1 + 2), (4 - 2, -2 + 3), (2 - 0, -3 + 9)]
    for top_k, pair in enumerate(steps, 1):
        expected = min(step / np.std(row) for step, row in zip(pair, rows.numpy(), strict=True))
        assert least_margin(rows, top_k) == pytest.approx(expected)
        assert least_margin(rows * 1000, top_k) == pytest.approx(expected)


def test_ties_have_no_margin_and_all_experts_no_choice():
    rows = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert least_margin(rows, 1) == 0
    assert least_margin(rows[:1], 2) > 2
    assert least_margin(rows[1:], 2) == 0
    assert least_margin(rows, 3) == math.inf
    assert least_margin(rows[:0], 1) == math.inf


def test_all_routes_and_all_calls_are_looked_at():
    b = Builder("two", n=(1, 4))
    x = b.input("x", "f32", "n", 3)
    halved, moved = (
        b.op("linear", x, b.weight("w", np.eye(3, dtype=np.float32)), None),
        b.op("relu", x),
    )
    graph = b.returns(
        b.op("route", halved, top_k=1, renormalise=True),
        b.op("route", halved, top_k=2, renormalise=True),
        b.op("route", moved, top_k=1, renormalise=True),
    )
    seen = RoutingMargin(graph)
    assert (seen.routes, seen.least) == (True, math.inf)
    run(graph, {"x": np.array([[3, 1, -5]], np.float32)}, observe=seen)
    first = seen.least
    assert first == pytest.approx(2 / np.std([3, 1, -5]))
    run(graph, {"x": np.array([[9, 0, -9], [3, 2.5, -5]], np.float32)}, observe=seen)
    assert seen.least == pytest.approx(0.5 / np.std([3, 2.5, -5]))
    run(graph, {"x": np.array([[9, 0, -9]], np.float32)}, observe=seen)
    assert seen.least == pytest.approx(0.5 / np.std([3, 2.5, -5]))
    dense = Builder("dense")
    assert not RoutingMargin(dense.returns(dense.op("relu", dense.input("x", "f32", 3)))).routes


@pytest.mark.parametrize(
    ("margins", "taken", "made"),
    [
        ([0.2, 0.5], 0, 1),
        ([0.001, DECISIVE_MARGIN, 0.5], 1, 2),
        ([0.001, 0.003, 0.002, 0.003], 1, 4),
        ([0.0, 0.0], 0, 2),
        ([math.inf], 0, 1),
    ],
)
def test_the_first_decisive_case_is_taken_or_else_the_most_decided(margins, taken, made):
    cases = [Case((), margin) for margin in margins]
    asked = []

    def make(at):
        asked.append(at)
        return cases[at]

    found = most_decided((lambda at=at: make(at)) for at in range(len(cases)))
    assert found is cases[taken]
    assert asked == list(range(made))


def test_no_candidate_is_a_bug():
    with pytest.raises(InternalError, match="without candidates"):
        most_decided([])
