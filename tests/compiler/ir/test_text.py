"""The text form: exact round trip, readable output, errors with positions."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.graphs import Builder, decoder
from support.strategies import Mark, Part, Remark, attrs, graphs, programs

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.lexer import Lexer, ParseError
from optimum_compile.compiler.ir.parser import parse
from optimum_compile.compiler.ir.printer import print_attr, print_graph
from optimum_compile.compiler.ir.records import note_classes, read_attr
from optimum_compile.compiler.quant.scheme import Affine, PerGroup
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.stages.notes import InStage, StagePlan

CLASSES = note_classes(Remark, Mark)


@settings(max_examples=250, deadline=None)
@given(graphs())
def test_parse_of_print_prints_the_same_text(graph: Graph) -> None:
    text = print_graph(graph)
    assert text.isascii()
    assert print_graph(parse(text, CLASSES)) == text


@settings(max_examples=300, deadline=None)
@given(attrs)
def test_attributes_come_back_with_their_exact_type_and_value(value: object) -> None:
    back = read_attr(Lexer(print_attr(value)))
    assert print_attr(back) == print_attr(value)
    assert _exact(back) == _exact(value)


def _exact(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(_exact(v) for v in value)
    if isinstance(value, float):
        return ("float", "nan") if math.isnan(value) else ("float", value.hex())
    return type(value).__name__, value


@settings(max_examples=30, deadline=None)
@given(programs())
def test_fingerprint_is_that_of_the_text(graph: Graph) -> None:
    again = parse(print_graph(graph))
    assert again.fingerprint() == graph.fingerprint()
    graph.nodes[0].origin += "x"
    assert again.fingerprint() != graph.fingerprint()


def test_decoder_text(golden: object) -> None:
    graph = decoder(layers=1, bias=True)
    graph.weights["model.embed_tokens.weight"].notes.put(Precision(Affine(4, PerGroup(32)), 8))
    graph.nodes[0].notes.put(InStage(0))
    text = print_graph(graph)
    # Digests of random floats are not the same on every machine.
    golden.check(re.sub(r'inline "[0-9a-f]{64}"', 'inline "..."', text))  # type: ignore[attr-defined]
    back = parse(text, note_classes(Precision, InStage, StagePlan))
    assert print_graph(back) == text
    assert back.nodes[0].notes.get(InStage) == InStage(0)


def test_parsed_graph_is_independent_and_editable() -> None:
    back = parse(print_graph(decoder()))
    embedding = back.nodes[0]
    new = back.add_node("neg", [embedding.output], [embedding.output.type], names=["embedding"])
    assert new.output.name == "embedding_1"
    assert [v.name for v in back.weights.values()] == list(back.weights)


def test_notes_round_trip_with_nested_records_and_enums() -> None:
    remark = Remark('say "x"\n', (Part(-0.0, 3), Part(math.inf, 4)), maybe=None)
    b = Builder(n=(1, 2))
    x = b.input("x", "f32", "n")
    x.notes.put(remark)
    b.returns(x)
    back = parse(print_graph(b.graph), CLASSES)
    found = back.inputs[0].notes.get(Remark)
    assert found == remark
    assert str(found.parts[0].number) == "-0.0"


def test_files_resolve_in_a_folder_and_constants_are_given_back(tmp_path) -> None:
    (tmp_path / "w.bin").write_bytes(np.arange(4, dtype=np.float32).tobytes())
    text = """
    graph "g" {
      weight @a : f32[2] = file "w.bin" at 8 for 8   # the second half
      weight @b : f32[2] = inline "0000"
      %c = add(@a, @b) : f32[2]
      return %c
    }
    """
    graph = parse(text, folder=tmp_path, constants={"b": np.ones(2, np.float32)})
    assert graph.weights["a"].weight.load().tolist() == [2.0, 3.0]
    assert graph.weights["b"].weight.load().tolist() == [1.0, 1.0]
    with pytest.raises(InternalError, match="0000"):
        parse(text, folder=tmp_path).weights["b"].weight.load()


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("graph", 1, 6, "expected a quoted string"),
        ('graph "g" {\n  input %x : f33[1]\n  return\n}', 2, 14, "unknown element type 'f33'"),
        ('graph "g" {\n  %y = neg(%x) : f32[1]\n  return %y\n}', 2, 12, "%x is not defined above"),
        ('graph "g" {\n  input %x : f32[1/0]\n  return\n}', 2, 17, "division by zero"),
        (
            'graph "g" {\n  input %x : f32[1]\n  input %x : f32[1]\n return\n}',
            3,
            9,
            "defined twice",
        ),
        ('graph "g" {\n  note Evil{}\n  return\n}', 2, 8, "Evil is no known record"),
        (
            'graph "g" {\n  weight @w : f32[1] = file "../w" at 0 for 4\n}',
            2,
            29,
            "no plain file name",
        ),
        ('graph "g" {\n  %y = full() {value = {}} : f32[]\n}', 2, 24, "expected a number"),
        ('graph "g" {\n  return\n} x', 3, 3, "expected the end of the text"),
        ('graph "g" {\n  %y, %y = op() : f32[], f32[]\n return\n}', 2, 10, "same name twice"),
        ('graph "g" {\n  return\n', 3, 1, "expected"),
        ('graph "\\ud8"', 1, 7, "string"),
        ('graph "g" {\n  %a = neg(_) ~', 2, 15, "expected"),
    ],
)
def test_errors_say_where_and_what(text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(ParseError, match=message) as caught:
        parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert f"line {line}, column {column}" in str(caught.value)


def test_nesting_is_bounded() -> None:
    deep = "(" * 5000 + ")" * 5000
    with pytest.raises(ParseError, match="nested deeper"):
        read_attr(Lexer(deep))
    value: object = 1
    for _ in range(100):
        value = (value,)
    with pytest.raises(InternalError, match="nested deeper"):
        print_attr(value)


def test_notes_that_refuse_their_fields_are_parse_errors() -> None:
    text = 'graph "g" {\n  input %x : f32[1] !Precision{scheme = Affine{bits = 7}}\n  return\n}'
    with pytest.raises(ParseError, match="int7"):
        parse(text, note_classes(Precision))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='graph "{}%@x:=[](),!1.\n', max_size=60))
def test_any_text_is_read_or_refused_as_a_parse_error(text: str) -> None:
    source = 'graph "g" {' + text
    refusal, printed = None, ""
    try:
        printed = print_graph(parse(source))
    except ParseError as error:
        refusal = error
    if refusal is None:
        assert print_graph(parse(printed)) == printed
    else:
        assert 1 <= refusal.line <= source.count("\n") + 1
        assert refusal.column >= 1


def test_values_without_text_form_are_refused() -> None:
    with pytest.raises(InternalError, match="no text form"):
        print_attr([1])
