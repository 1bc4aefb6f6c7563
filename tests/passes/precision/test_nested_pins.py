"""Which weights `--nested` makes nested, and how many rows share a table."""

from dataclasses import dataclass

import pytest
from support.graphs import decoder, mlp

from optimum_compile.backends.base import Support
from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.errors import OptionError, UnsupportedError
from optimum_compile.compiler.pass_manager import PassManager
from optimum_compile.compiler.quant.scheme import Float, Nested
from optimum_compile.passes.precision.assign import AssignPrecision
from optimum_compile.passes.precision.bytes_read import weight_bytes_read
from optimum_compile.passes.precision.narrow import widths_of
from optimum_compile.passes.precision.nested_pins import TABLE_BITS, nested_pins, table_bits
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.pins import Pin
from optimum_compile.passes.precision.units import units_of


@dataclass(frozen=True)
class Few:
    """A target that stores tables of at most `rows` rows."""

    rows: int
    name: str = "few"

    def supports_scheme(self, scheme, use):
        fine = scheme.rows_per_table <= self.rows
        return Support(fine, "" if fine else "too many rows a table")


def chosen(graph, text="2,3,4", given=(), backends=()):
    pins = nested_pins(graph, text, given, backends)
    return {u.name: p.scheme for u in units_of(graph) for p in pins if p.matches(u.name)}


def test_linears_of_blocks_and_nothing_else():
    graph = decoder(layers=2, tied=False)
    found = chosen(graph)
    assert sorted(found) == sorted(u.name for u in units_of(graph) if ".layers." in u.name)
    assert len(found) == 14
    assert {(s.seed_bits, s.bits) for s in found.values()} == {(2, 4)}


def test_pins_of_the_user_go_first():
    given = (Pin("v_proj", Float(16)), Pin("lm_head", Float(16)))
    found = chosen(decoder(layers=2, tied=False), given=given)
    assert len(found) == 12
    assert not any("v_proj" in name for name in found)
    with pytest.raises(OptionError, match="no linear of a block is left"):
        chosen(decoder(), given=(Pin("proj", Float(16)),))


@pytest.mark.parametrize("text", ["1,2", "2,3,4", "3,4,5,6,7,8"])
@pytest.mark.parametrize("width", [32, 128])
def test_tables_take_a_quarter_of_a_bit_with_the_fewest_rows(text, width):
    graph = decoder(width=width, hidden=2 * width, layers=1)
    shapes = {u.name: (u.use.rows, u.use.columns) for u in units_of(graph)}
    for name, scheme in chosen(graph, text).items():
        rows, columns = shapes[name]
        per = scheme.rows_per_table
        half = Nested(scheme.seed_bits, scheme.bits, max(1, per // 2))
        assert per & (per - 1) == 0
        if table_bits(scheme, rows, columns) > TABLE_BITS:
            assert per >= rows  # one table for all of it, and that is not enough
        else:
            assert per == 1 or table_bits(half, rows, columns) > TABLE_BITS


def test_targets_are_asked():
    assert {s.rows_per_table for s in chosen(decoder(), backends=(Few(2),)).values()} == {2}
    with pytest.raises(UnsupportedError, match=r"nested='2,3,4': .*q_proj.*: few: too many rows"):
        chosen(decoder(), backends=(Few(0),))
    for name in ("coreml", "executorch", "native", "gpu"):
        assert chosen(decoder(), backends=(load_backend(name),))
    with pytest.raises(UnsupportedError, match="onnxruntime: MatMulNBits has no palettes"):
        chosen(decoder(), backends=(load_backend("native"), load_backend("onnxruntime")))


def test_a_graph_without_a_cache_is_refused():
    with pytest.raises(OptionError, match="is no decoder with a KV cache"):
        chosen(mlp())


def test_bytes_that_a_token_reads_fall_with_the_width():
    graph, backend = decoder(layers=2, tied=False), load_backend("native")
    pins = nested_pins(graph, "2,3,4", (), (backend,))
    assign = AssignPrecision("uniform", 8, backends=(backend,), pins=pins)
    PassManager([assign]).run(graph)
    assert widths_of(graph) == (2, 3, 4)
    read = {w: weight_bytes_read(graph, backend, width=w) for w in (0, 2, 3, 4)}
    assert read[0] == read[4]
    nested = {
        u: graph.weights[u.name].notes.get(Precision).scheme
        for u in units_of(graph)
        if ".layers." in u.name
    }

    def planes(width):
        return sum(s.read_bytes(u.use.rows, u.use.columns, width) for u, s in nested.items())

    assert read[4] - read[2] == planes(4) - planes(2)
    assert read[3] - read[2] == planes(3) - planes(2)
