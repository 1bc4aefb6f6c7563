"""Test a pass with text in, text out."""

from collections.abc import Mapping
from textwrap import dedent
from typing import Any

import numpy as np
import torch

from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.parser import parse
from optimum_compile.compiler.ir.printer import print_graph
from optimum_compile.compiler.pass_manager import Pass, PassContext, PassManager

# An ATen operator, its arguments, the types of its results, and the text that it becomes.
Row = tuple[str, dict[str, Any], str, str | None]


def row_id(row: Row) -> str:
    """The operator and what it is given."""
    return f"{row[0]}-{row[1]}"


def check_pass(
    step: Pass,
    before: str,
    after: str,
    *,
    notes: Mapping[str, type[Any]] | None = None,
    idempotent: bool = True,
    ctx: PassContext | None = None,
) -> Graph:
    """Run `step` on the text `before` under the manager and expect the text `after`.

    The manager verifies the graph and the truth of `changed`. An idempotent pass must say that a
    second run changed nothing.
    """
    graph = parse(dedent(before), notes)
    PassManager([step]).run(graph, ctx)
    expected = print_graph(parse(dedent(after), notes))
    assert print_graph(graph) == expected
    if idempotent:
        assert not step.run(graph, ctx or PassContext()).changed
        assert print_graph(graph) == expected
    return graph


def assert_equivalent(
    before: Graph, after: Graph, inputs: Mapping[str, np.ndarray | torch.Tensor], rtol: float = 1e-5
) -> None:
    """Both graphs compute the same outputs and states, in float64."""
    left = run(before, inputs, dtype=torch.float64)
    right = run(after, inputs, dtype=torch.float64)
    for a, b in zip(left.outputs, right.outputs, strict=True):
        torch.testing.assert_close(a, b, rtol=rtol, atol=1e-9)
    assert left.states.keys() == right.states.keys()
    for name, state in left.states.items():
        torch.testing.assert_close(state, right.states[name], rtol=rtol, atol=1e-9)
