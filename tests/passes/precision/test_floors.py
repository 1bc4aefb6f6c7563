"""The assignment problem of the fewest bits: what may be chosen, what it counts, what calls read then."""

from dataclasses import dataclass

import pytest
from support.graphs import decoder

from optimum_compile.backends.base import Support
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.scheme import Lut, Nested, Scheme
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.floors import (
    between,
    bits_read,
    floor_limit,
    floor_of,
    floor_problem,
    mean_floor,
    uniform_floors,
    with_fewer_planes,
    with_floors,
)
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.units import units_of


@dataclass(frozen=True)
class NoFours:
    """A target without palettes of 4 bits, and without nested weights of 2 and 3 only."""

    name: str = "picky"

    def supports_scheme(self, scheme: Scheme, use: object) -> Support:
        refused = (isinstance(scheme, Lut) and scheme.bits == 4) or scheme == Nested(2, 3, 4)
        return Support(not refused, "no" if refused else "")


def noted(graph: Graph, scheme: str, rest: str = "int8:channel") -> set[str]:
    """Put notes on every unit; returns the names of those in `scheme`."""
    names = set()
    for unit in units_of(graph):
        inside = ".layers." in unit.name
        names |= {unit.name} if inside else set()
        graph.weights[unit.name].notes.put(Precision(parse_scheme(scheme if inside else rest)))
    return names


def test_a_scheme_of_one_width_is_a_palette() -> None:
    assert between(2, 4, 8) == Nested(2, 4, 8)
    assert between(3, 3, 8) == Lut(3, 8)
    floors = [floor_of(parse_scheme(t)) for t in ("nest3-4:r2", "lut4:r2", "f16", "int8:channel")]
    assert floors == [3, 4, 16, 16]


def test_floors_and_planes_of_a_scheme_as_far_as_targets_store_them() -> None:
    unit = units_of(decoder(layers=1))[1]
    assert with_floors(Nested(2, 4, 4), unit, ()) == (Nested(2, 4, 4), Nested(3, 4, 4), Lut(4, 4))
    planes = (Lut(2, 4), Nested(2, 3, 4), Nested(2, 4, 4))
    assert with_fewer_planes(Nested(2, 4, 4), unit, ()) == planes
    picky = (NoFours(),)
    assert with_floors(Nested(2, 4, 4), unit, picky) == (Nested(2, 4, 4), Nested(3, 4, 4))
    assert with_fewer_planes(Nested(2, 4, 4), unit, picky) == (Lut(2, 4), Nested(2, 4, 4))


def test_only_named_nested_weights_have_a_choice_and_count() -> None:
    graph = decoder(layers=2, tied=False)
    names = noted(graph, "nest2-4:r4")
    kept = min(names)
    graph.weights[kept].notes.put(Precision(parse_scheme("lut2:r4")))
    own = max(names)
    problem = floor_problem(graph, names - {own}, ())
    for unit in problem.units:
        texts = [str(c.scheme) for c in unit.choices]
        if unit.name == kept:
            assert texts == ["lut2:r4"]
        elif unit.name in names - {own}:
            assert texts == ["nest2-4:r4", "nest3-4:r4", "lut4:r4"]
            assert [8 * c.bytes[0] / unit.unit.elements for c in unit.choices] == [2, 3, 4]
        else:
            assert len(texts) == 1
            assert unit.choices[0].bytes == (0,)
    counted = [u.unit.elements for u in problem.units if u.name in names - {own}]
    assert problem.parameters == sum(counted)
    assert problem.bytes_of(problem.least()) == (2 * problem.parameters // 8,)
    assert mean_floor(problem, problem.least()) == 2
    few = next(u.unit.elements for u in problem.units if u.name == kept)
    assert mean_floor(problem, problem.most()) == pytest.approx(4 - 2 * few / problem.parameters)


def test_a_mean_of_bits_is_a_limit_that_widths_reach_exactly() -> None:
    graph = decoder(layers=1, width=20, hidden=30)  # planes that end inside a byte
    problem = floor_problem(graph, noted(graph, "nest2-4:r4"), ())
    everywhere = uniform_floors(problem)
    assert sorted(everywhere) == [2, 3, 4]
    for width, picks in everywhere.items():
        assert mean_floor(problem, picks) == width
        assert problem.limited((floor_limit(problem, width),)).fits(picks)
        assert not problem.limited((floor_limit(problem, width - 0.2),)).fits(picks)


def test_calls_read_the_nearest_width_that_a_matrix_has() -> None:
    graph = decoder(layers=2, tied=False)
    names = sorted(noted(graph, "nest2-4:r4"))
    assert [bits_read(graph, w) for w in (1, 2, 3, 4, 8, 0)] == [2, 2, 3, 4, 4, 4]
    sizes = {u.name: u.elements for u in units_of(graph)}
    total = sum(sizes[name] for name in names)
    for name, scheme in zip(
        names, ("nest3-4:r4", "lut4:r4", "vec8x4:channel@shared"), strict=False
    ):
        graph.weights[name].notes.put(Precision(parse_scheme(scheme)))
    three, four, two = (sizes[name] for name in names[:3])
    assert bits_read(graph, 2) == pytest.approx(2 + (three + 2 * four) / total)
    assert bits_read(graph, 3) == pytest.approx(3 + (four - two) / total)
    assert bits_read(graph, 4) == pytest.approx(4 - 2 * two / total)
