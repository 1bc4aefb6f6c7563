"""Nested weights for the linears of the blocks: what `--nested 2,3,4` asks for, as pins."""

import re
from collections.abc import Sequence

from optimum_compile.backends.base import Backend
from optimum_compile.compiler.decoder import is_decoder
from optimum_compile.compiler.errors import OptionError, UnsupportedError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.scheme import Nested
from optimum_compile.compiler.quant.scheme_text import parse_widths
from optimum_compile.passes.precision.pins import Pin
from optimum_compile.passes.precision.units import Unit, legal, units_of
from optimum_compile.passes.stages.blocks import block_index

TABLE_BITS = 0.25  # that the tables of all widths may add to a weight


def nested_pins(
    graph: Graph, text: str, given: Sequence[Pin], backends: Sequence[Backend]
) -> tuple[Pin, ...]:
    """One pin for every linear of a block that no pin of the user (`given`) decides.

    Routers and what is looked up stay with the policy. Raises OptionError for a graph that is no decoder
    or has no such linear, UnsupportedError that names a target which cannot store one.
    """
    if not is_decoder(graph):
        raise OptionError(
            f"nested={text!r}: widths are chosen token by token, and {graph.name} is no decoder with a KV "
            "cache; pin its weights one by one instead"
        )
    widths = parse_widths(text)
    free = nested_units(graph, given)
    if not free:
        raise OptionError(f"nested={text!r}: no linear of a block is left for it")
    return tuple(Pin(f"^{re.escape(u.name)}$", _scheme(u, widths, text, backends)) for u in free)


def nested_units(graph: Graph, given: Sequence[Pin]) -> tuple[Unit, ...]:
    """The linears of the blocks that no pin of the user decides: those that `--nested` is about."""
    units = (u for u in units_of(graph) if is_linear_of_block(u))
    return tuple(u for u in units if not any(pin.matches(u.name) for pin in given))


def is_linear_of_block(unit: Unit) -> bool:
    """Whether a unit is a matrix inside a block that is only multiplied with, and no router."""
    inside = block_index(unit.name) is not None
    return inside and unit.use.as_linear and not unit.use.as_table and not unit.routes


def _scheme(unit: Unit, widths: Nested, text: str, backends: Sequence[Backend]) -> Nested:
    """The fewest rows a table (1, 2, 4, ...) whose tables stay inside `TABLE_BITS`.

    Where none does, the most rows that all targets can store.
    """
    found, count, refusal = None, 1, ""
    while count == 1 or count < 2 * unit.use.rows:
        scheme = Nested(widths.seed_bits, widths.bits, count)
        verdict = legal(scheme, unit.use, backends)
        if verdict.ok:
            found = scheme
            if table_bits(scheme, unit.use.rows, unit.use.columns) <= TABLE_BITS:
                return scheme
        elif not refusal:
            refusal = verdict.reason
        count *= 2
    if found is None:
        raise UnsupportedError(
            f"nested={text!r}: {unit.name} {unit.use.rows}x{unit.use.columns}: {refusal}; leave that "
            "target out, or --nested"
        )
    return found


def table_bits(scheme: Nested, rows: int, columns: int) -> float:
    """Bits a weight that the tables of all widths take."""
    return 16 * scheme.tables(rows) * scheme.entries / (rows * columns)
