"""Every kind of violation is found, and all of them at once."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from support.graphs import decoder, kind, mlp
from support.strategies import programs

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.dtype import DType
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.shape import SymbolRange, parse_dim
from optimum_compile.compiler.ir.types import TensorType
from optimum_compile.compiler.ir.verify import CANONICAL, IMPORTED, SHAPED, check, verify
from optimum_compile.compiler.ir.weights import inline_weight
from optimum_compile.compiler.quant.scheme import Affine, Float
from optimum_compile.passes.precision.notes import Precision, Quantized
from optimum_compile.passes.specs import ASSIGNED, QUANTIZED, STAGED
from optimum_compile.passes.stages.notes import InStage


def test_good_graphs_have_no_violations() -> None:
    assert verify(decoder(), SHAPED) == []
    assert verify(mlp(), SHAPED) == []


@settings(max_examples=50, deadline=None)
@given(programs())
def test_programs_verify(graph: Graph) -> None:
    assert verify(graph, IMPORTED) == []


def _linear(graph: Graph) -> Node:
    return next(n for n in graph.nodes if n.op == "linear")


def _swap_order(graph: Graph) -> None:
    first = graph.nodes[0]
    graph._nodes.remove(first)
    graph._nodes.insert(first)


def _foreign_input(graph: Graph) -> None:
    node = graph.nodes[0]
    alien = Value("alien", node.inputs[0].type)
    node.inputs = (alien, *node.inputs[1:])
    graph.inputs[0].uses.clear()


def _same_name(graph: Graph) -> None:
    graph.nodes[1].output.name = graph.nodes[0].output.name


def _lost_use(graph: Graph) -> None:
    graph.nodes[0].output.uses.clear()


def _extra_use(graph: Graph) -> None:
    graph.nodes[0].output.uses.append((graph.nodes[-1], 0))


def _wrong_producer(graph: Graph) -> None:
    graph.nodes[0].output.producer = graph.nodes[1]


def _input_with_producer(graph: Graph) -> None:
    graph.inputs[0].producer = graph.nodes[0]


def _unknown_op(graph: Graph) -> None:
    graph.nodes[0].op = "teleport"


def _too_few_inputs(graph: Graph) -> None:
    node = _linear(graph)
    for index, value in enumerate(node.inputs[1:], 1):
        if value is not None:
            value.uses.remove((node, index))
    node.inputs = node.inputs[:1]


def _absent_input(graph: Graph) -> None:
    graph.set_input(_linear(graph), 0, None)


def _missing_attr(graph: Graph) -> None:
    node = next(n for n in graph.nodes if n.attrs)
    node.attrs.clear()


def _extra_attr(graph: Graph) -> None:
    graph.nodes[0].attrs["colour"] = "red"


def _bad_attr_value(graph: Graph) -> None:
    node = next(n for n in graph.nodes if n.op == "rms_norm")
    node.attrs["eps"] = [1]  # type: ignore[assignment]


def _wrong_type(graph: Graph) -> None:
    value = graph.nodes[-1].output
    value.type = TensorType(DType.F16, value.type.shape)


def _impossible_shapes(graph: Graph) -> None:
    node = _linear(graph)
    graph.set_input(node, 0, graph.inputs[1])


def _undeclared_symbol(graph: Graph) -> None:
    del graph.symbols["seq"]


def _undeclared_in_attr(graph: Graph) -> None:
    node = next(n for n in graph.nodes if n.op == "reshape")
    node.attrs["shape"] = (1, "other", 4)


def _empty_range(graph: Graph) -> None:
    graph.symbols["seq"] = SymbolRange(5, 4)


def _state_type(graph: Graph) -> None:
    graph.states[0].written = graph.nodes[0].output


def _state_elsewhere(graph: Graph) -> None:
    graph.states[0].written = Value("gone", graph.states[0].read.type)


def _output_elsewhere(graph: Graph) -> None:
    graph.outputs = [Value("gone", graph.outputs[0].type)]


def _dangling_weight(graph: Graph) -> None:
    graph.add_weight(inline_weight("unused", np.ones(2, np.float32), DType.F32))


def _misnamed_weight(graph: Graph) -> None:
    graph.weights["another"] = graph.weights.pop("model.norm.weight")


def _weight_without_reference(graph: Graph) -> None:
    graph.weights["model.norm.weight"].weight = None


def _weight_shape(graph: Graph) -> None:
    graph.weights["model.norm.weight"].type = kind("f32", 7)


BREAKS: list[tuple[Callable[[Graph], None], str, str]] = [
    (_swap_order, "order", "is computed later"),
    (_foreign_input, "order", "is not in the graph"),
    (_same_name, "name", "2 values have this name"),
    (_lost_use, "uses", "does not list its use"),
    (_extra_use, "uses", "too many"),
    (_wrong_producer, "producer", "names another producer"),
    (_input_with_producer, "producer", "has none"),
    (_unknown_op, "op", "teleport"),
    (_too_few_inputs, "arity", "1 inputs, expected 2..3"),
    (_absent_input, "arity", "input 0 (x) is absent"),
    (_missing_attr, "attr", "is missing"),
    (_extra_attr, "attr", "colour is not an attribute of embedding"),
    (_bad_attr_value, "attr", "eps=[1]"),
    (_wrong_type, "type", "stored f16"),
    (_impossible_shapes, "type", "columns"),
    (_undeclared_symbol, "symbol", "seq is not declared"),
    (_undeclared_in_attr, "symbol", "other is not declared"),
    (_empty_range, "symbol", "5..4"),
    (_state_type, "state", "written as"),
    (_state_elsewhere, "state", "%gone is not in the graph"),
    (_output_elsewhere, "output", "not defined"),
    (_dangling_weight, "weight", "nothing reads it"),
    (_misnamed_weight, "weight", "its reference is named model.norm.weight"),
    (_weight_without_reference, "weight", "carries no reference"),
    (_weight_shape, "weight", "is f32[7]"),
]


@pytest.mark.parametrize(
    ("damage", "rule", "message"), BREAKS, ids=lambda x: getattr(x, "__name__", "")
)
def test_each_kind_of_damage_is_found(
    damage: Callable[[Graph], None], rule: str, message: str
) -> None:
    graph = decoder(layers=1)
    damage(graph)
    found = verify(graph, IMPORTED)
    assert any(v.kind == rule and message in v.message for v in found), [str(v) for v in found]


def test_every_violation_is_reported_at_once() -> None:
    graph = decoder(layers=1)
    _extra_attr(graph)
    _dangling_weight(graph)
    _wrong_type(graph)
    with pytest.raises(InternalError) as caught:
        check(graph, IMPORTED)
    text = str(caught.value)
    assert "3 violations" in text
    assert all(w in text for w in ("colour", "weight unused", "stored f16", "from lm_head"))


def test_dead_nodes_are_not_canonical() -> None:
    graph = mlp()
    graph.add_node("neg", [graph.inputs[0]], [graph.inputs[0].type], {})
    assert verify(graph, IMPORTED) == []
    assert [v.kind for v in verify(graph, CANONICAL)] == ["dead"]


def test_shaped_dimensions_have_ranges_and_are_not_negative() -> None:
    graph = mlp()
    graph.add_input("late", TensorType(DType.F32, (parse_dim("n-5"),)))
    assert verify(graph, CANONICAL) == []
    assert [v.message for v in verify(graph, SHAPED)] == ["n - 5 may be -4"]


def test_assigned_quantized_and_staged_need_their_notes(tmp_path) -> None:
    graph = mlp()
    assert [v.where for v in verify(graph, ASSIGNED)] == ["weight up.weight", "weight down.weight"]
    for name in ("up.weight", "down.weight"):
        graph.weights[name].notes.put(Precision(Affine(8)))
    graph.weights["up.weight"].notes.put(Precision(Float(16)))
    assert verify(graph, ASSIGNED) == []
    assert [v.where for v in verify(graph, QUANTIZED)] == ["weight down.weight"]
    graph.weights["down.weight"].notes.put(Quantized(Affine(4), "0", tmp_path))
    assert "is packed as int4:channel" in verify(graph, QUANTIZED)[0].message
    graph.weights["down.weight"].notes.put(Quantized(Affine(8), "0", tmp_path))
    assert verify(graph, QUANTIZED) == []
    assert len(verify(graph, STAGED)) == 3
    for node, index in zip(graph.nodes, (0, 1, 0), strict=True):
        node.notes.put(InStage(index))
    assert [v.message for v in verify(graph, STAGED)] == ["InStage 0 after 1"]
