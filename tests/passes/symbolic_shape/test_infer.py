"""Shapes are recomputed from the op table, in order; what cannot be right is refused or remarked."""

import pytest
from hypothesis import given, settings
from support.graphs import Builder, decoder, kind, mlp
from support.passes import check_pass
from support.strategies import programs

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.ir.conditions import parse_condition
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.guards import Guard, Guards
from optimum_compile.compiler.ir.parser import parse
from optimum_compile.compiler.ir.printer import print_graph
from optimum_compile.compiler.ir.records import note_classes
from optimum_compile.compiler.ir.shape import symbol
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.compiler.ir.verify import IMPORTED, verify
from optimum_compile.compiler.pass_manager import PassContext
from optimum_compile.passes.symbolic_shape.infer import InferShapes

STEP = InferShapes()


def loosened(text: str) -> Graph:
    """A graph whose node types were replaced by unknown sizes, as an importer may leave them."""
    graph = parse(text)
    for node in graph.nodes:
        for value in node.outputs:
            sizes = tuple(symbol(f"u{at}") for at in range(value.type.rank))
            value.type = TensorType(value.type.dtype, sizes)
    return graph


TEXT = """
graph "g" {
  symbol seq in 1..16
  input %x : f32[1, seq, 4]
  %a = permute(%x) {perm = (0, 2, 1)} : f32[1, 4, seq]
  %b = reshape(%a) {shape = (4, "seq")} : f32[4, seq]
  %c = concat(%b, %b) {axis = 1} : f32[4, 2*seq]
  %d = slice(%c) {axis = 1, start = 1, stop = "2*seq", step = 1} : f32[4, 2*seq-1]
  %e = mean(%d) {axes = (0,), keepdims = false} : f32[2*seq-1]
  return %e
}
"""


def test_every_type_follows_from_the_inputs() -> None:
    graph = loosened(TEXT)
    assert STEP.run(graph, PassContext()).changed
    assert print_graph(graph) == print_graph(parse(TEXT))


def test_a_graph_with_its_types_is_left_alone() -> None:
    check_pass(STEP, TEXT, TEXT)


@settings(max_examples=60, deadline=None)
@given(programs())
def test_what_was_inferred_while_building_is_inferred_again(graph: Graph) -> None:
    before = print_graph(graph)
    for node in graph.nodes:
        node.output.type = TensorType(node.output.type.dtype, (9,) * node.output.type.rank)
    STEP.run(graph, PassContext())
    assert print_graph(graph) == before
    assert not STEP.run(graph, PassContext()).changed


@pytest.mark.parametrize("graph", [mlp(), decoder()], ids=["mlp", "decoder"])
def test_built_graphs_stay_as_they_are(graph: Graph) -> None:
    before = print_graph(graph)
    result = STEP.run(graph, PassContext())
    assert (result.changed, result.remarks) == (False, ())
    assert print_graph(graph) == before


def test_an_aten_node_keeps_the_type_that_the_export_gave_it() -> None:
    b = Builder(n=(1, 8))
    args = (("self", ("$", 0)), ("dims", (0,)))
    flipped = b.aten(
        "aten.flip.default", args, b.input("x", "f32", "n", 4), out=kind("f32", "n", 4)
    )
    graph = b.returns(b.op("neg", flipped))
    assert not STEP.run(graph, PassContext()).changed
    assert verify(graph, IMPORTED) == []


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('%y = reshape(%x) {shape = (5, "seq")} : f32[5, seq] from "model.layers.0"',
         "reshape at model.layers.0: reshape: f32[1, seq, 4] has 4*seq elements, the new shape 5*seq"),
        ("%y = matmul(%x, %x) : f32[1, seq, 4]", "matmul at top level: matmul: f32[1, seq, 4] against"),
        ("%y = permute(%x) {perm = (0, 1)} : f32[1, seq]", "(0, 1) is no permutation of 3 axes"),
        ('%y = reshape(%x) {shape = ("seq*", 4)} : f32[seq, 4]', "expression ends too early"),
        ("%y = mean(%x) {keepdims = true} : f32[1]", "mean at top level: 'axes'"),
    ],
)  # fmt: skip
def test_an_op_that_cannot_take_its_inputs_is_refused(line: str, text: str) -> None:
    head = 'graph "g" {\n symbol seq in 1..16\n input %x : f32[1, seq, 4]\n'
    graph = parse(f"{head}{line}\n return %y\n}}")
    with pytest.raises(InputError) as caught:
        STEP.run(graph, PassContext())
    assert str(caught.value).startswith("g: ")
    assert text in str(caught.value)


def test_a_size_that_may_be_negative_is_remarked_once() -> None:
    b = Builder(n=(1, 8))
    x = b.input("x", "f32", "n", 4)
    part = b.op("slice", x, axis=0, start=3, stop="n", step=1, origin="model.cut")
    graph = b.returns(b.op("neg", part))
    assert STEP.run(graph, PassContext()).remarks == (
        "slice at model.cut: n-3 may be negative (at n=1)",
        "neg at top level: n-3 may be negative (at n=1)",
    )


def test_a_size_without_a_range_is_remarked() -> None:
    b = Builder(n=(1, 8))
    x = b.input("x", "f32", "n", 4)
    args = (("self", ("$", 0)),)
    found = b.aten("aten.nonzero.default", args, x, out=kind("i64", "found", 2))
    assert STEP.run(b.returns(found), PassContext()).remarks == (
        "aten at top level: the range of found is undecidable",
    )


def test_a_slice_that_may_leave_its_tensor_is_remarked_with_an_example() -> None:
    b = Builder(n=(1, 8))
    x = b.input("x", "f32", "n", 4)
    part = b.op("slice", x, axis=0, start=0, stop=5, step=1, origin="model.cut")
    (remark,) = STEP.run(b.returns(part), PassContext()).remarks
    assert remark == "slice at model.cut: 0:5 ends after n (at n=1)"


def test_the_same_slice_is_sound_under_a_guard() -> None:
    b = Builder(n=(1, 8))
    x = b.input("x", "f32", "n", 4)
    part = b.op("slice", x, axis=0, start=0, stop=5, step=1)
    graph = b.returns(part)
    graph.notes.put(Guards((Guard((parse_condition("5 <= n"),), "of a test"),)))
    assert STEP.run(graph, PassContext()).remarks == ()


def test_shapes_that_agree_only_under_a_guard_are_taken() -> None:
    """batch*seq elements are batch*(seq/8)*8, because 8 divides seq."""
    head = 'graph "g" {\n symbol batch in 1..4\n symbol seq in 1..64\n input %x : f32[batch, seq]\n'
    guard = (
        ' note Guards{guards = (Guard{any_of = (Condition{left = dim "seq", '
        'relation = Relation.DIVISIBLE, right = 8},), reason = "r"},), unread = ()}\n'
    )
    line = '%y = reshape(%x) {shape = ("batch", "floor(seq/8)", 8)} : f32[batch, floor(seq/8), 8]'
    tail = f"{line}\n return %y\n}}"
    graph = parse(head + guard + tail, note_classes(Guards))
    assert STEP.run(graph, PassContext()).remarks == ()
    assert verify(graph, IMPORTED) == []
    bare = parse(head + tail)
    assert [v.kind for v in verify(bare, IMPORTED)] == ["type"]
    with pytest.raises(InputError, match="elements"):
        STEP.run(bare, PassContext())


def test_guards_that_cannot_be_checked_are_remarked() -> None:
    b = Builder(n=(1, 8))
    graph = b.returns(b.op("neg", b.input("x", "f32", "n", 4)))
    graph.notes.put(Guards((), ("L['x'].stride()[0] == 4",)))
    (remark,) = STEP.run(graph, PassContext()).remarks
    assert "stride" in remark
    assert "not checked" in remark
