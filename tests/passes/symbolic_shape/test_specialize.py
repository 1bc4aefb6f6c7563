"""Giving symbols values: the new graph computes the same, and the old one stays as it was."""

from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.graphs import Builder, decoder, kind, mlp
from support.passes import assert_equivalent
from support.strategies import programs

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.ir.parser import parse
from optimum_compile.compiler.ir.printer import print_graph
from optimum_compile.compiler.ir.shape import parse_dim
from optimum_compile.compiler.ir.verify import IMPORTED, SHAPED, verify
from optimum_compile.compiler.pass_manager import PassContext
from optimum_compile.passes.symbolic_shape.infer import InferShapes
from optimum_compile.passes.symbolic_shape.specialize import specialize


@dataclass(frozen=True)
class Tag(Note):
    text: str


BEFORE = """
graph "g" {
  symbol past in 0..31
  symbol seq in 1..16
  input %x : f32[1, seq, 4]
  input %mask : bool[seq, past+seq]
  state %kept : f32[2*seq]
  weight @w : f32[6, 4] = unknown
  %a = reshape(%x) {shape = ("2*seq", 2)} : f32[2*seq, 2]
  %b = slice(%a) {axis = 0, start = "seq", stop = "2*seq", step = 1} : f32[seq, 2]
  %c = arange() {dtype = "i64", start = "past", stop = "past+seq"} : i64[seq]
  %d = full() {dtype = "f32", shape = ("seq", 2), value = 1.5} : f32[seq, 2]
  %e = expand(%c) {shape = (3, "seq")} : i64[3, seq]
  %f = aten(%x) {args = (("self", ("$", 0)), ("size", (("$dim", "4*seq"),)),
    ("end", ("$dim", "past+seq"))), target = "aten.view.default"} : f32[4*seq] from "model.x"
  %g = linear(%x, @w, _) : f32[1, seq, 6]
  store %kept = %kept
  return %b, %d, %e, %f, %g
}
"""


def test_every_shape_and_every_attribute_has_the_value() -> None:
    found = specialize(parse(BEFORE), {"seq": 3}, "decode")
    assert print_graph(found) == print_graph(
        parse(
            """
            graph "decode" {
              symbol past in 0..31
              input %x : f32[1, 3, 4]
              input %mask : bool[3, past+3]
              state %kept : f32[6]
              weight @w : f32[6, 4] = unknown
              %a = reshape(%x) {shape = (6, 2)} : f32[6, 2]
              %b = slice(%a) {axis = 0, start = 3, stop = 6, step = 1} : f32[3, 2]
              %c = arange() {dtype = "i64", start = "past", stop = "past+3"} : i64[3]
              %d = full() {dtype = "f32", shape = (3, 2), value = 1.5} : f32[3, 2]
              %e = expand(%c) {shape = (3, 3)} : i64[3, 3]
              %f = aten(%x) {args = (("self", ("$", 0)), ("size", (12,)),
                ("end", ("$dim", "past+3"))), target = "aten.view.default"} : f32[12] from "model.x"
              %g = linear(%x, @w, _) : f32[1, 3, 6]
              store %kept = %kept
              return %b, %d, %e, %f, %g
            }
            """
        )
    )


def test_without_bindings_it_is_a_copy() -> None:
    graph = parse(BEFORE)
    found = specialize(graph, {})
    assert print_graph(found) == print_graph(graph)
    assert not {id(v) for v in found.values()} & {id(v) for v in graph.values()}


def test_all_symbols_may_be_bound_and_some_by_others() -> None:
    found = specialize(parse(BEFORE), {"seq": 2, "past": 5})
    assert found.symbols == {}
    assert str(found.inputs[1].type) == "bool[2, 7]"
    (run_of,) = (n for n in found.nodes if n.op == "arange")
    assert (run_of.attrs["start"], run_of.attrs["stop"]) == (5, 7)
    assert not InferShapes().run(found, PassContext()).changed
    linked = specialize(parse(BEFORE), {"past": parse_dim("2*seq-2")})
    assert list(linked.symbols) == ["seq"]
    assert str(linked.inputs[1].type) == "bool[seq, 3*seq-2]"


def test_the_original_is_not_touched() -> None:
    graph = decoder()
    before = print_graph(graph)
    found = specialize(graph, {"seq": 1})
    for node in found.nodes:
        node.attrs["added"] = 1
    found.outputs.clear()
    assert print_graph(graph) == before


def test_weights_are_shared_by_reference() -> None:
    graph = decoder()
    found = specialize(graph, {"seq": 1})
    assert list(found.weights) == list(graph.weights)
    for name, value in graph.weights.items():
        assert found.weights[name].weight is value.weight


def test_notes_are_copied_and_then_independent() -> None:
    graph = mlp()
    graph.notes.put(Tag("graph"))
    graph.nodes[0].notes.put(Tag("node"))
    graph.inputs[0].notes.put(Tag("input"))
    graph.weights["up.weight"].notes.put(Tag("weight"))
    graph.nodes[0].output.notes.put(Tag("value"))
    found = specialize(graph, {"n": 2})
    assert found.notes.get(Tag) == Tag("graph")
    assert found.nodes[0].notes.get(Tag) == Tag("node")
    assert found.inputs[0].notes.get(Tag) == Tag("input")
    assert found.weights["up.weight"].notes.get(Tag) == Tag("weight")
    assert found.nodes[0].output.notes.get(Tag) == Tag("value")
    found.nodes[0].notes.put(Tag("changed"))
    assert graph.nodes[0].notes.get(Tag) == Tag("node")


def test_a_weight_that_is_read_in_another_type_stays_so() -> None:
    graph = mlp()
    graph.weights["up.weight"].type = kind("f16", 16, 8)
    found = specialize(graph, {"n": 2})
    assert found.weights["up.weight"].type == kind("f16", 16, 8)


@pytest.mark.parametrize(
    ("bindings", "text"),
    [
        ({"length": 3}, "symbol 'length' is not in the graph; it has: past, seq"),
        ({"seq": 0}, "seq=0: expected 1 to 16"),
        ({"seq": 17}, "seq=17: expected 1 to 16"),
        ({"seq": -1}, "seq=-1: expected 1 to 16"),
        ({"past": parse_dim("2*seq")}, "past=2*seq: expected 0 to 31"),
        ({"past": parse_dim("unknown+1")}, "past=unknown+1: expected 0 to 31"),
    ],
    ids=str,
)
def test_a_value_out_of_range_is_refused(bindings: dict[str, int], text: str) -> None:
    with pytest.raises(OptionError) as caught:
        specialize(parse(BEFORE), bindings)
    assert str(caught.value) == text
    assert caught.value.exit_code == 2


def test_a_graph_without_symbols_says_so() -> None:
    with pytest.raises(OptionError, match="symbol 'n' is not in the graph; it has: none"):
        specialize(Builder().returns(), {"n": 1})


@settings(max_examples=60, deadline=None)
@given(programs(), st.integers(1, 8))
def test_programs_compute_the_same(graph: Graph, n: int) -> None:
    found = specialize(graph, {"n": n})
    assert verify(found, IMPORTED) == []
    assert all(isinstance(d, int) for v in found.values() for d in v.type.shape)
    assert_equivalent(graph, found, {"x": torch.linspace(-2, 2, 4 * n).reshape(n, 4)})


@pytest.mark.parametrize("tokens", [1, 5, 10])
def test_a_decoder_becomes_its_prefill_and_its_decode_function(tokens: int) -> None:
    graph = decoder()
    found = specialize(graph, {"seq": tokens})
    assert verify(found, SHAPED) == []
    given = {"tokens": torch.arange(tokens)[None], "past": torch.tensor([3])}
    assert_equivalent(graph, found, given)
    states = run(graph, given).states
    given["past"] = torch.tensor([3 + tokens])
    left, right = (run(g, given, states).outputs[0] for g in (graph, found))
    assert torch.equal(left, right)
