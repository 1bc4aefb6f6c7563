"""Lengths of functions: read, refused, and made of one graph."""

import numpy as np
import pytest
import torch
from support.graphs import Builder, decoder

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.parser import parse
from optimum_compile.compiler.ir.printer import print_graph
from optimum_compile.compiler.ir.records import note_classes
from optimum_compile.compiler.ir.shape import SymbolRange
from optimum_compile.compiler.ir.verify import IMPORTED, verify
from optimum_compile.passes.symbolic_shape.lengths import (
    Lengths,
    decoder_functions,
    lengths_of,
    parse_lengths,
    set_lengths,
)


@pytest.mark.parametrize(
    ("text", "fixed", "symbolic", "longest"),
    [
        ("1", (), None, 1),
        ("1,64", (64,), None, 64),
        ("64, 8,1 ,64", (8, 64), None, 64),
        ("1,1..64", (), 64, 64),
        ("1..512,64", (64,), 512, 512),
        ("1..1", (), None, 1),
    ],
)
def test_lengths_are_read(text, fixed, symbolic, longest):
    found = parse_lengths(text)
    assert (found.fixed, found.symbolic, found.longest) == (fixed, symbolic, longest)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "1,,2",
        "a",
        "-3",
        "2..64",
        "64..1",
        "1..8,1..9",
        "99999999",
        "1.5",
        ",".join(str(n) for n in range(2, 20)),
    ],
)
def test_other_texts_are_refused(text):
    with pytest.raises(OptionError, match="seq="):
        parse_lengths(text)


def test_one_graph_gives_every_function_and_they_compute_the_same():
    graph = set_lengths(decoder(context=24, max_prefill=16), "1,4,1..16")
    functions = decoder_functions(graph)
    assert list(functions) == ["prefill", "prefill_4", "decode"]
    assert functions["prefill"].symbols["seq"] == SymbolRange(1, 16)
    assert functions["prefill_4"].inputs[0].type.static_shape() == (1, 4)
    assert all(verify(f, IMPORTED) == [] and not f.notes.get(Lengths) for f in functions.values())
    tokens = np.arange(7)[None]
    whole = run(graph, {"tokens": tokens, "past": np.zeros(1, np.int64)}).outputs[0]
    states, parts, at = None, [], 0
    for name, count in (("prefill_4", 4), ("prefill", 2), ("decode", 1)):
        given = {"tokens": tokens[:, at : at + count], "past": np.array([at])}
        result = run(functions[name], given, states)
        states, at = result.states, at + count
        parts.append(result.outputs[0])
    torch.testing.assert_close(torch.cat(parts, 1), whole)


def test_without_lengths_a_decoder_has_its_two_functions():
    graph = decoder(max_prefill=16)
    assert lengths_of(graph) == Lengths((), 16)
    assert list(decoder_functions(graph)) == ["prefill", "decode"]


def test_lengths_survive_the_text_form():
    graph = set_lengths(decoder(max_prefill=16), "1,4,8")
    assert graph.symbols["seq"] == SymbolRange(1, 8)
    text = print_graph(graph)
    assert lengths_of(parse(text, note_classes(Lengths))) == Lengths((4, 8), None)


def test_one_token_a_call_leaves_decode_alone():
    graph = set_lengths(decoder(max_prefill=16), "1")
    assert "seq" not in graph.symbols
    assert graph.inputs[0].type.static_shape() == (1, 1)


def test_too_long_is_refused_with_what_is_allowed():
    with pytest.raises(OptionError, match=r"seq=32: \w+ takes 1 to 16 tokens a call; .*--context"):
        set_lengths(decoder(max_prefill=16), "1,32")


def test_a_module_gets_its_one_length():
    def module():
        b = Builder(batch=(1, 8), seq=(1, 64))
        return b.returns(b.op("neg", b.input("x", "f32", "batch", "seq")))

    fixed = set_lengths(module(), "8")
    assert fixed.inputs[0].type.shape[1] == 8
    assert set(fixed.symbols) == {"batch"}
    for text in ("1,8", "1..8"):
        with pytest.raises(OptionError, match="give one length"):
            set_lengths(module(), text)
    b = Builder(n=(1, 8))
    other = b.returns(b.op("neg", b.input("x", "f32", "n", 4)))
    with pytest.raises(OptionError, match="no symbol of that name; it has: n"):
        set_lengths(other, "8")
