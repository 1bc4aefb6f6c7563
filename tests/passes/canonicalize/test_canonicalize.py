"""The pass as a whole: rules that look around, what goes, what is said, and that nothing changes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from support.graphs import Builder, decoder, kind, mlp
from support.passes import assert_equivalent, check_pass
from support.strategies import programs

from optimum_compile.compiler.interpret import run
from optimum_compile.compiler.ir.graph import Graph, Value
from optimum_compile.compiler.ir.parser import parse
from optimum_compile.compiler.ir.printer import print_graph
from optimum_compile.compiler.ir.verify import CANONICAL, verify
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.passes.canonicalize.canonicalize import Canonicalize, drop_dead

STEP = Canonicalize()


def test_a_product_with_a_transposed_weight_is_a_linear() -> None:
    for target, first, after in (
        ("addmm.default", '("self", ("$", 0)), ("mat1", ("$", 1)), ("mat2", ("$", 2))', "@b"),
        ("mm.default", '("self", ("$", 1)), ("mat2", ("$", 2))', "_"),
        ("matmul.default", '("self", ("$", 1)), ("other", ("$", 2))', "_"),
    ):
        frame = """
            graph "g" {
              symbol n in 1..8
              input %x : f32[n, 4]
              weight @w : f32[6, 4] = unknown
            """
        bias = "weight @b : f32[6] = unknown\n"
        before = f"""{frame}{bias}
              %t = aten(@w) {{args = (("self", ("$", 0)),), target = "aten.t.default"}} : f32[4, 6]
              %y = aten(@b, %x, %t) {{args = ({first}), target = "aten.{target}"}} : f32[n, 6]
              return %y
            }}
            """
        result = check_pass(
            STEP,
            before,
            f"""{frame}{bias if after == "@b" else ""}
              %y_1 = linear(%x, @w, {after}) : f32[n, 6]
              return %y_1
            }}
            """,
        )
        assert len(result.nodes) == 1


def test_a_transposed_input_is_no_weight() -> None:
    check_pass(
        STEP,
        """
        graph "g" {
          input %x : f32[3, 4]
          input %w : f32[6, 4]
          %t = permute(%w) {perm = (1, 0)} : f32[4, 6]
          %y = aten(%x, %t) {args = (("self", ("$", 0)), ("mat2", ("$", 1))),
            target = "aten.mm.default"} : f32[3, 6]
          return %y
        }
        """,
        """
        graph "g" {
          input %x : f32[3, 4]
          input %w : f32[6, 4]
          %t = permute(%w) {perm = (1, 0)} : f32[4, 6]
          %y_1 = matmul(%x, %t) : f32[3, 6]
          return %y_1
        }
        """,
    )


WRITE = """
graph "g" {{
  symbol n in 1..4
  input %new : f32[1, 2, n, 8]
  input %past : i64[1]
  state %cache : f32[1, 2, 16, 8]
  {head}
  {body}
  store %cache = %y{after}
  return %new
}}
"""
PLACES = """%run = arange() {{dtype = "i64", start = {start}, stop = "{stop}"}} : i64[n]
  %at = add({order}) : i64[n]"""
INDEX_COPY = (
    '%y = aten(%cache, %at, %new) {args = (("self", ("$", 0)), ("dim", 2), ("index", ("$", 1)), '
    '("source", ("$", 2))), target = "aten.index_copy.default"} : f32[1, 2, 16, 8]'
)


@pytest.mark.parametrize("order", ["%past, %run", "%run, %past"])
def test_writing_a_run_of_positions_is_a_cache_write(order: str) -> None:
    places = PLACES.format(start=0, stop="n", order=order)
    after = "%y_1 = kv_write(%cache, %new, %past) {axis = 2} : f32[1, 2, 16, 8]"
    check_pass(
        STEP,
        WRITE.format(head=places, body=INDEX_COPY, after=""),
        WRITE.format(head="", body=after, after="_1"),
    )


def test_writing_any_other_positions_is_an_index_copy() -> None:
    places = PLACES.format(start=1, stop="n+1", order="%past, %run")
    after = "%y_1 = index_copy(%cache, %at, %new) {axis = 2} : f32[1, 2, 16, 8]"
    check_pass(
        STEP,
        WRITE.format(head=places, body=INDEX_COPY, after=""),
        WRITE.format(head=places, body=after, after="_1"),
    )


LAYER_NORM = (
    '%y, %mean, %rstd = aten(%x) {args = (("input", ("$", 0)), ("normalized_shape", (4,)), '
    '("weight", none), ("bias", none), ("eps", 0.5)), target = "aten.native_layer_norm.default"} : '
    "f32[3, 4], f32[3, 1], f32[3, 1]"
)
FRAME = 'graph "g" {{\n  input %x : f32[3, 4]\n  {}\n}}\n'


def test_a_norm_whose_statistics_nobody_reads_is_a_layer_norm() -> None:
    check_pass(
        STEP,
        FRAME.format(f"{LAYER_NORM}\n  return %y"),
        FRAME.format("%y_1 = layer_norm(%x, _, _) {eps = 0.5} : f32[3, 4]\n  return %y_1"),
    )


@pytest.mark.parametrize("reader", ["return %mean", "%z = neg(%rstd) : f32[3, 1]\n  return %z"])
def test_a_norm_whose_statistics_are_read_stays(reader: str) -> None:
    before = FRAME.format(f"{LAYER_NORM}\n  {reader}")
    check_pass(STEP, before, before)


def test_what_nobody_reads_goes() -> None:
    check_pass(
        STEP,
        """
        graph "g" {
          input %x : f32[3, 4]
          input %unread : f32[1]
          weight @w : f32[6, 4] = unknown
          %a = neg(%x) : f32[3, 4]
          %b = linear(%a, @w, _) : f32[3, 6]
          %c = aten() {args = (("end", 2.5),), target = "aten.arange.default"} : f32[3]
          return %x
        }
        """,
        """
        graph "g" {
          input %x : f32[3, 4]
          input %unread : f32[1]
          return %x
        }
        """,
    )


def test_a_node_that_only_a_state_reads_stays() -> None:
    text = """
    graph "g" {
      input %x : f32[3]
      state %total : f32[3]
      %sum = add(%total, %x) : f32[3]
      store %total = %sum
      return %x
    }
    """
    check_pass(STEP, text, text)
    assert not drop_dead(parse(text))


def _kept(graph: Graph, value: Value, count: int = 1) -> Value:
    args = (("self", ("$", 0)), ("other", ("$", 0)), ("alpha", 2))
    for _ in range(count):
        out = kind("f32", 3)
        node = graph.add_node("aten", [value], [out], {"target": "aten.add.Tensor", "args": args})
        value = node.output
    return value


@pytest.mark.parametrize("count", [1, 200])
def test_what_has_no_rule_stays_and_is_told(count: int) -> None:
    b = Builder()
    value = _kept(b.graph, b.input("x", "f32", 3), count)
    graph = b.returns(b.op("neg", value))
    assert PassManager([STEP, STEP]).run(graph) == ("kept as ATen: aten.add.Tensor",) * 2
    assert len(graph.nodes) == count + 1


@pytest.mark.parametrize("padding", [0, 200])
def test_a_rule_that_gives_up_leaves_nothing_behind(padding: int) -> None:
    """The constant of a comparison is made before the types turn out not to fit."""
    b = Builder()
    x = b.input("x", "f32", 3)
    value = x
    for _ in range(padding):
        value = b.op("neg", value)
    args = (("condition", ("$", 0)), ("self", ("$", 1)), ("other", 1.5))
    whole = b.input("i", "i64", 3)
    condition = b.op("gt", value, x)
    target = "aten.where.ScalarOther"
    graph = b.returns(b.aten(target, args, condition, whole, out=kind("f32", 3)))
    before = print_graph(graph)
    assert not STEP.run(graph, PassContext()).changed
    assert print_graph(graph) == before


def test_a_node_with_other_outputs_than_its_operator_stays() -> None:
    b = Builder()
    x = b.input("x", "f32", 3)
    args = (("self", ("$", 0)),)
    for outputs in ([kind("f32", 3), kind("f32", 3)], [kind("f32", 4)], [kind("f16", 3)]):
        node = b.graph.add_node("aten", [x], outputs, {"target": "aten.neg.default", "args": args})
        b.graph.outputs.extend(node.outputs)
    before = print_graph(b.graph)
    assert not STEP.run(b.graph, PassContext()).changed
    assert print_graph(b.graph) == before


@pytest.mark.parametrize(
    "args",
    [
        (),
        (("self", 5),),
        (("self", ("$", 3)),),
        (("self", ("$", "x")),),
        (("self", ("$list", 0)), ("dim", "a")),
        (("self", ("$", 0)), ("dim", 9), ("index", 0)),
        (("self", ("$", 0)), ("dim", 0), ("index", ("$dim", "1+" * 150 + "1"))),
        (("self", ("$", 0)), ("dim", 0), ("index", ("$dim", "("))),
        (("self", ("$", 0)), ("dim", 0), ("index", 10**400)),
        ("self",),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "target", ["select.int", "neg.default", "cat.default", "add.Tensor", "sum.default"]
)
def test_arguments_that_make_no_sense_never_stop_the_pass(target: str, args: tuple) -> None:
    b = Builder()
    graph = b.returns(b.aten(f"aten.{target}", args, b.input("x", "f32", 3), out=kind("i64", 7)))
    before = print_graph(graph)
    assert not STEP.run(graph, PassContext()).changed
    assert print_graph(graph) == before


def _as_aten(graph: Graph) -> Graph:
    """Every operator that has one, as the ATen node that an export would hold."""
    names = {"a": "self", "b": "other", "x": "self"}
    for node in graph.nodes:
        signature = {1: "x", 2: "ab"}.get(len(node.inputs), "")
        if node.op in ("linear", "softmax", "permute") or not signature:
            continue
        ways = {"add": "Tensor", "mul": "Tensor", "sub": "Tensor"}
        target = f"aten.{node.op}.{ways.get(node.op, 'default')}"
        args = tuple((names[s], ("$", i)) for i, s in enumerate(signature))
        attrs = {"target": target, "args": args}
        kinds = [v.type for v in node.outputs]
        made = graph.add_node("aten", node.inputs, kinds, attrs, before=node)
        graph.replace_uses(node.output, made.output)
        graph.remove(node)
    return graph


@settings(max_examples=60, deadline=None)
@given(programs())
def test_programs_keep_their_numbers_and_a_second_run_changes_nothing(graph: Graph) -> None:
    x = torch.linspace(-2, 2, 12).reshape(3, 4)
    original = parse(print_graph(graph), constants={"w": np.ones((4, 4), np.float32)})
    exported = parse(print_graph(graph), constants={"w": np.ones((4, 4), np.float32)})
    for subject in (original, _as_aten(exported)):
        PassManager([STEP]).run(subject)
        assert verify(subject, CANONICAL) == []
        assert not any(node.op == "aten" for node in subject.nodes)
        text = print_graph(subject)
        assert not STEP.run(subject, PassContext()).changed
        assert print_graph(subject) == text
        before = parse(print_graph(graph), constants={"w": np.ones((4, 4), np.float32)})
        assert_equivalent(before, subject, {"x": x})


@pytest.mark.parametrize("graph", [mlp(), decoder()], ids=["mlp", "decoder"])
def test_canonical_graphs_stay_as_they_are(graph: Graph) -> None:
    before = print_graph(graph)
    assert not STEP.run(graph, PassContext()).changed
    assert print_graph(graph) == before


def test_the_place_in_the_model_is_kept() -> None:
    b = Builder()
    x = b.input("x", "f32", 3)
    args = (("self", ("$", 0)), ("other", 2.5))
    attrs = {"target": "aten.mul.Scalar", "args": args}
    node = b.graph.add_node("aten", [x], [kind("f32", 3)], attrs, origin="model.layers.0.mlp")
    graph = b.returns(node.output)
    PassManager([STEP]).run(graph)
    assert {n.origin for n in graph.nodes} == {"model.layers.0.mlp"}
    assert run(graph, {"x": torch.ones(3)}).outputs[0].tolist() == [2.5] * 3
