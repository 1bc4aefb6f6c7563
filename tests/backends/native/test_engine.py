"""The native program as an engine gives what many texts at once give, at every width."""

from pathlib import Path

import numpy as np
import pytest
from support.emission import emitted
from support.graphs import decoder
from support.packed import random_packed, with_packed

from optimum_compile.backends.native.backend import BACKEND
from optimum_compile.backends.native.engine import ONLY_WIDTH, NativeEngine
from optimum_compile.backends.native.session import Model
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.scheme import Nested, Scheme
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.compiler.schedule import Schedule, Switch
from optimum_compile.passes.phase.batched import BatchedEngine
from optimum_compile.passes.phase.engine import follow, generate
from optimum_compile.passes.precision.units import units_of

SCHEDULE = Schedule(4, (Switch(0, 3), Switch(4, 2)))


def packed(scheme: Scheme, work: Path) -> Graph:
    graph = decoder()
    weights = {
        u.name: random_packed(
            scheme if "layers" in u.name else parse_scheme("int8:channel"),
            u.use.rows,
            u.use.columns,
        )
        for u in units_of(graph)
    }
    return with_packed(graph, weights, work)


def test_both_engines_agree_while_widths_change(tmp_path: Path) -> None:
    graph = packed(Nested(2, 4, 4), tmp_path)
    torch_engine = BatchedEngine(graph)
    native = NativeEngine(Model(emitted(graph, tmp_path, BACKEND).result.artifact))
    assert tuple(native.widths) == tuple(torch_engine.widths) == (2, 3, 4)
    rng = np.random.default_rng(0)
    prompts, answers = rng.integers(0, 50, (3, 8)), rng.integers(0, 50, (3, 9))
    for schedule in (Schedule.fixed(4), SCHEDULE, Schedule.fixed(2, 4)):
        one = follow(native, prompts, answers, schedule)
        other = follow(torch_engine, prompts, answers, schedule)
        np.testing.assert_allclose(one, other, atol=2e-3 * np.abs(other).max())
    made = generate(native, prompts[:2], 6, SCHEDULE).tokens
    known = follow(native, prompts[:2], made, SCHEDULE)
    np.testing.assert_array_equal(known.argmax(axis=2), made)


def test_a_program_without_nested_weights_has_one_width(tmp_path: Path) -> None:
    graph = packed(parse_scheme("lut4:r4"), tmp_path)
    native = NativeEngine(emitted(graph, tmp_path, BACKEND).result.artifact)
    assert tuple(native.widths) == tuple(BatchedEngine(graph).widths) == (ONLY_WIDTH,)
    native.start(1)
    assert native.feed(np.array([[1, 2]]), ONLY_WIDTH).shape == (1, 2, 50)
    with pytest.raises(InputError, match="expected 1 rows"):
        native.feed(np.array([[1], [2]]), ONLY_WIDTH)
