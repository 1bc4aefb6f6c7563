"""Guards: kept as a note, printed and read, checked when symbols get values."""

import pytest

from optimum_compile.compiler.errors import UserError
from optimum_compile.compiler.ir.conditions import parse_condition
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.guards import (
    Guard,
    Guards,
    check_guards,
    facts_of,
    guards_of,
    needed,
)
from optimum_compile.compiler.ir.parser import parse
from optimum_compile.compiler.ir.printer import print_graph
from optimum_compile.compiler.ir.records import note_classes
from optimum_compile.compiler.ir.shape import SymbolRange

RANGES = {"batch": SymbolRange(1, 8), "seq": SymbolRange(1, 64)}


def guard(*texts, reason="a guard of torch.export"):
    return Guard(tuple(parse_condition(t) for t in texts), reason)


def test_guards_survive_the_text_form():
    graph = Graph("m")
    graph.symbols = dict(RANGES)
    graph.notes.put(
        Guards(
            (guard("seq % 8 == 0"), guard("batch <= seq", "seq == 1", reason='says "so"')), ("?",)
        )
    )
    text = print_graph(graph)
    back = parse(text, note_classes(Guards))
    assert guards_of(back) == guards_of(graph)
    assert print_graph(back) == text
    assert facts_of(back) == (parse_condition("seq % 8 == 0"),)


def test_a_broken_guard_names_symbol_value_condition_and_way_out():
    with pytest.raises(UserError, match=r"m: seq=7: expected seq % 8 == 0 .*give inputs") as found:
        check_guards((guard("seq % 8 == 0"),), {"seq": 7, "batch": 1}, "m")
    assert "export the model without" in str(found.value)
    check_guards((guard("seq % 8 == 0"),), {"seq": 16}, "m")
    check_guards((guard("seq % 8 == 0"),), {"batch": 3}, "m")


def test_one_alternative_is_enough():
    either = guard("seq <= 4", "batch == 2")
    check_guards((either,), {"seq": 9, "batch": 2}, "m")
    with pytest.raises(UserError, match="seq <= 4 or batch == 2"):
        check_guards((either,), {"seq": 9, "batch": 3}, "m")


def test_a_guard_that_divides_by_zero_is_not_met():
    with pytest.raises(UserError):
        check_guards((guard("seq % floor(seq/8) == 0"),), {"seq": 3}, "m")


def test_what_ranges_and_other_guards_imply_is_dropped():
    kept = needed(
        [
            guard("seq <= 64"),
            guard("8*floor(seq/8) == seq"),
            guard("seq % 8 == 0"),
            guard("Max(1,floor(seq/8)) == floor(seq/8)"),
            guard("batch <= seq", "batch <= 8"),
            guard("batch <= 4"),
        ],
        RANGES,
    )
    assert {str(g) for g in kept} == {"seq % 8 == 0", "batch <= 4"}
