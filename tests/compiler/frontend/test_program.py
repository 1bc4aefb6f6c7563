"""Small readings of the export schema."""

import math

import pytest
from support.graphs import Builder, kind

from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.frontend.program import (
    as_states,
    functional,
    in_place,
    is_size,
    is_view,
    number,
    origin,
    plain,
    tensors,
)


@pytest.mark.parametrize(
    ("target", "writes"),
    [
        ("torch.ops.aten.add_.Tensor", True),
        ("torch.ops.aten.index_copy_.default", True),
        ("torch.ops.aten.add.Tensor", False),
        ("torch.ops.aten.__and__.Tensor", False),
        ("torch.ops.aten._softmax.default", False),
        ("torch.ops.mylib.write_.default", False),
    ],
)
def test_a_trailing_underscore_means_in_place(target: str, writes: bool) -> None:
    assert in_place(target) is writes


def test_the_pure_form_of_an_operator_in_place() -> None:
    assert functional("aten.add_.Tensor") == "aten.add.Tensor"


def test_views_share_memory_and_others_do_not() -> None:
    assert is_view("aten.view.default")
    assert is_view("aten.slice.Tensor")
    assert not is_view("aten.clone.default")
    assert not is_view(None)


def test_sizes_are_told_from_tensors() -> None:
    assert is_size({"as_sym_int": {"as_name": "n"}})
    assert not is_size({"as_tensor": {"name": "x"}})
    assert tensors({"as_tensor": {"name": "x"}}, "m") == [{"name": "x"}]
    assert tensors({"as_tensors": [{"name": "x"}, {"name": "y"}]}, "m") == [
        {"name": "x"},
        {"name": "y"},
    ]
    with pytest.raises(UnsupportedError, match=r"m: an operator returns \['as_none'\]"):
        tensors({"as_none": True}, "m")


@pytest.mark.parametrize(
    ("stack", "path"),
    [
        ("L__self__,,Model;L__self___layers,model.layers.0,Block", "model.layers.0"),
        ("L__self__,,Model", ""),
        ("no commas", ""),
        ("", ""),
        (None, ""),
        ("a,m\N{GREEK SMALL LETTER MU},B", ""),
        ("a," + "x" * 500 + ",B", ""),
    ],
)
def test_the_origin_is_the_innermost_module(stack: str | None, path: str) -> None:
    assert origin({"metadata": {"nn_module_stack": stack}}) == path
    assert origin({"metadata": None}) == origin({}) == ""


def test_numbers_that_json_has_no_word_for_are_written_as_text() -> None:
    assert [number(v) for v in ("Infinity", "-Infinity", 3, 0.5)] == [math.inf, -math.inf, 3.0, 0.5]
    assert math.isnan(number("NaN"))
    for wrong in ("inf", "1.0", None, True, [1]):
        with pytest.raises(ValueError, match="is no number"):
            number(wrong)


def test_plain_values_have_the_type_that_they_claim() -> None:
    assert plain(3, int) == 3
    assert plain("a", str) == "a"
    with pytest.raises(ValueError, match="'3' is no int"):
        plain("3", int)


def test_inputs_and_outputs_that_belong_together_become_states() -> None:
    b = Builder()
    x, cache = b.input("x", "f32", 2), b.input("cache_in", "f32", 2)
    total = b.op("add", cache, x)
    graph = b.returns(b.op("neg", total), total)
    as_states(graph, ["total"], 1, 1)
    assert [v.name for v in graph.inputs] == ["x"]
    assert len(graph.outputs) == 1
    (state,) = graph.states
    assert (state.name, state.read, state.written) == ("total", cache, total)
    assert cache.name == "total"
    assert cache.type == kind("f32", 2)
