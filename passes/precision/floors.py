"""Floors: the fewest bits that each matrix may be read with, as an assignment problem.

A call has one width, and a nested weight is read at the nearest one that it has. So a matrix in `nest3-4`
is read with 3 bits by a call of 2, and its (prefill, decode) pair is (4, 3); a plain `lut4` has (4, 4).
Bytes of a choice are those of the codes that a call of the least width reads, tables aside: a mean of 2.5
bits is one of widths, as schedules count them.
"""

from collections.abc import Collection, Iterator, Sequence

from optimum_compile.backends.base import Backend
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.kv import AnyScheme
from optimum_compile.compiler.quant.scheme import Lut, Nested, Scheme, Vector, packed_bytes
from optimum_compile.passes.precision.codebooks import key_of
from optimum_compile.passes.precision.narrow import nearest
from optimum_compile.passes.precision.nested_pins import is_linear_of_block
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.problem import (
    UNLIMITED,
    Choice,
    Picks,
    Problem,
    UnitChoices,
)
from optimum_compile.passes.precision.units import Unit, legal, units_of

Widened = Nested | Lut  # read at several widths, or at one


def between(least: int, most: int, rows_per_table: int) -> Widened:
    """The scheme that is read with `least` to `most` bits: nested, or a palette where they are equal."""
    if least == most:
        return Lut(most, rows_per_table)
    return Nested(least, most, rows_per_table)


def floor_of(scheme: AnyScheme) -> int:
    """Bits with which the narrowest call reads a nested weight or a palette; 16 for anything else."""
    if isinstance(scheme, Nested):
        return scheme.seed_bits
    return scheme.bits if isinstance(scheme, Lut) else 16


def with_floors(scheme: Nested, unit: Unit, backends: Sequence[Backend]) -> tuple[Widened, ...]:
    """A nested scheme with every floor that all targets can store, its own first."""
    every = (between(w, scheme.bits, scheme.rows_per_table) for w in scheme.widths)
    return tuple(s for s in every if s == scheme or legal(s, unit.use, backends).ok)


def with_fewer_planes(
    scheme: Nested, unit: Unit, backends: Sequence[Backend]
) -> tuple[Widened, ...]:
    """A nested scheme without some of its last planes, as far as all targets can store that."""
    every = (between(scheme.seed_bits, w, scheme.rows_per_table) for w in scheme.widths)
    return tuple(s for s in every if s == scheme or legal(s, unit.use, backends).ok)


def floor_problem(graph: Graph, names: Collection[str], backends: Sequence[Backend]) -> Problem:
    """Every weight as it was decided, and for the nested ones of `names` a choice of floors.

    Only weights of `names` count: as bytes, in codes of the least width, and as parameters.
    """
    table = []
    for unit in units_of(graph):
        note = graph.weights[unit.name].notes.get(Precision)
        if note is not None:
            counted = unit.name in names
            table.append(_choices(unit, note.scheme, counted, backends))
    keys = {key_of(c.scheme) for u in table for c in u.choices} - {None}
    parameters = sum(u.unit.elements for u in table if u.name in names)
    free = {key: (0,) for key in keys if key is not None}
    return Problem(tuple(table), (0,), (UNLIMITED,), free, parameters)


def _choices(unit: Unit, scheme: Scheme, counted: bool, backends: Sequence[Backend]) -> UnitChoices:
    rows, columns = unit.use.rows, unit.use.columns
    if not counted:
        return UnitChoices(unit, (Choice(scheme, (0,)),), pinned=True)
    several = isinstance(scheme, Nested)
    schemes = with_floors(scheme, unit, backends) if isinstance(scheme, Nested) else (scheme,)
    found = (Choice(s, (floor_of(s) * packed_bytes(rows * columns, 1),)) for s in schemes)
    return UnitChoices(unit, tuple(found), pinned=not several)


def floor_limit(problem: Problem, bits: float) -> int:
    """Bytes of codes at a mean of `bits`; planes end with whole bytes, which the limit allows for."""
    last_bytes = sum(u.unit.elements % 8 != 0 for u in problem.units)
    return int(bits * problem.parameters / 8) + last_bytes


def mean_floor(problem: Problem, picks: Picks) -> float:
    """Mean bits a weight that the narrowest call reads."""
    total = sum(bits * unit.unit.elements for unit, bits in floors(problem, picks))
    return total / max(1, problem.parameters)


def floors(problem: Problem, picks: Picks) -> Iterator[tuple[UnitChoices, int]]:
    """Every matrix that counts, and the bits with which the narrowest call reads it."""
    for unit, index in zip(problem.units, picks, strict=True):
        if unit.choices[index].bytes[0]:
            yield unit, floor_of(unit.choices[index].scheme)


def uniform_floors(problem: Problem) -> dict[int, Picks]:
    """By width, picks that read every matrix with so many bits, or with the nearest that it has."""
    widths = sorted({floor_of(c.scheme) for u in problem.units for c in u.choices if c.bytes[0]})
    return {width: tuple(_nearest(u, width) for u in problem.units) for width in widths}


def _nearest(unit: UnitChoices, width: int) -> int:
    gaps = [abs(floor_of(c.scheme) - width) for c in unit.choices]
    return gaps.index(min(gaps))


def bits_read(graph: Graph, width: int) -> float:
    """Bits of codes a weight that a call of `width` reads, in the mean over the linears of the blocks.

    It is `width` itself where all of them are nested and have that width. 0 for all bits.
    """
    total, count = 0.0, 0
    for unit in units_of(graph):
        note = graph.weights[unit.name].notes.get(Precision)
        if note is not None and is_linear_of_block(unit):
            total += unit.elements * _code_bits(note.scheme, width)
            count += unit.elements
    return total / max(1, count)


def _code_bits(scheme: Scheme, width: int) -> float:
    if isinstance(scheme, Nested):
        return nearest(scheme, width)
    return scheme.bits_per_weight if isinstance(scheme, Vector) else scheme.bits
