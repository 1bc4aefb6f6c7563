"""The program's JSON: what it means, and that a program which contradicts itself is refused."""

import copy
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.archives import PROGRAM, rewrite_json

from optimum_compile.compiler.errors import InputError, UnsupportedError, UserError
from optimum_compile.compiler.frontend.archive import read_archive
from optimum_compile.compiler.frontend.importer import import_program
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.printer import print_graph
from optimum_compile.compiler.ir.verify import SHAPED, verify
from optimum_compile.compiler.pass_manager import PassManager
from optimum_compile.passes.canonicalize.canonicalize import Canonicalize
from optimum_compile.passes.symbolic_shape.infer import InferShapes

Change = Callable[[Any], object]


@pytest.fixture(scope="module")
def program(mlp_archive: Path) -> dict[str, Any]:
    return read_archive(mlp_archive)[0]


def imported(archive: Path, change: Change = lambda program: None) -> Graph:
    program, weights = read_archive(archive)
    change(program)
    return import_program(program, weights, "m")


def refused(archive: Path, change: Change, kind: type[UserError] = InputError) -> str:
    with pytest.raises(UserError) as caught:
        imported(archive, change)
    assert type(caught.value) is kind
    assert str(caught.value).startswith("m: ")
    return str(caught.value).removeprefix("m: ")


def source(program: Any) -> Any:
    return program["graph_module"]["graph"]


def signature(program: Any) -> Any:
    return program["graph_module"]["signature"]


def node(program: Any, at: int = 0) -> Any:
    return source(program)["nodes"][at]


def test_the_text_of_an_import(mlp_archive: Path) -> None:
    text = print_graph(imported(mlp_archive))
    assert text.splitlines()[1:3] == ["  symbol batch in 1..64", "  input %x : f32[batch, 8]"]
    assert (
        '%linear = aten(%x, @up.weight, @up.bias) {args = (("input", ("$", 0)), '
        '("weight", ("$", 1)), ("bias", ("$", 2))), target = "aten.linear.default"} : '
        'f32[batch, 16] from "up"'
    ) in text


def test_the_first_two_axes_are_called_batch_and_seq(decoder_archive: Path) -> None:
    graph = imported(decoder_archive)
    assert {name: (r.low, r.high) for name, r in graph.symbols.items()} == {"seq": (1, 8)}


def test_a_written_buffer_is_a_state_and_no_weight(decoder_archive: Path) -> None:
    graph = imported(decoder_archive)
    assert [state.name for state in graph.states] == ["keys", "values"]
    assert "keys" not in graph.weights
    for state in graph.states:
        assert state.written.producer is not None
        assert state.written.producer.attrs["target"] == "aten.index_copy.default"


def test_the_canonical_form_keeps_every_rule(decoder_archive: Path, mlp_archive: Path) -> None:
    for archive in (decoder_archive, mlp_archive):
        assert verify(open_model(archive).graph, SHAPED) == []


@pytest.mark.parametrize(
    "version", [None, 8, {"major": 7}, {"major": "8"}, {}, {"major": 9, "minor": 0}]
)
def test_another_schema_is_refused(version: object, mlp_archive: Path) -> None:
    text = refused(mlp_archive, lambda p: p.update(schema_version=version))
    assert text.endswith("expected 8; export the model again with torch 2.13")


def bounds(low: object, high: object) -> Change:
    def change(program: Any) -> None:
        for span in program["range_constraints"].values():
            span.update(min_val=low, max_val=high)

    return change


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(2, 5, (2, 5)), (None, None, (0, 1 << 24)), (-3, 1 << 60, (0, 1 << 24)), (4, 4, (4, 4))],
)
def test_ranges_of_sizes_are_cut_to_what_a_size_can_be(
    low: object, high: object, expected: tuple[int, int], mlp_archive: Path
) -> None:
    (span,) = imported(mlp_archive, bounds(low, high)).symbols.values()
    assert (span.low, span.high) == expected


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (5, 4, "has no value: {'min_val': 5, 'max_val': 4}"),
        (1 << 60, None, "has no value"),
        (0, float("inf"), "malformed: OverflowError"),
        (0, float("nan"), "malformed: ValueError"),
        ("1", [], "malformed: TypeError"),
    ],
)
def test_a_range_without_a_value_is_refused(
    low: object, high: object, text: str, mlp_archive: Path
) -> None:
    assert text in refused(mlp_archive, bounds(low, high))


def of(get: Callable[[Any], Any], key: Any, value: Any) -> Change:
    """Set one entry of a part of the program."""

    def change(program: Any) -> None:
        get(program)[key] = value

    return change


def size(program: Any) -> Any:
    return source(program)["tensor_values"]["x"]["sizes"]


def argument(program: Any) -> Any:
    return node(program)["inputs"][0]


def expression(text: str) -> dict[str, Any]:
    return {"as_expr": {"expr_str": text, "hint": None}}


@pytest.mark.parametrize(
    ("change", "kind", "text"),
    [
        (of(size, 0, expression("__import__('os').system('id')")), InputError, "unexpected \".system('id"),
        (of(size, 0, expression("Symbol('nobody')")), InputError, "is not declared; export the model again"),
        (of(size, 0, {"as_int": -1}), InputError, "a size of -1 is out of range"),
        (of(size, 0, {"as_int": 1 << 50}), InputError, f"a size of {1 << 50} is out of range"),
        (of(size, 0, {}), InputError, "malformed: KeyError('as_expr')"),
        (of(lambda p: source(p)["tensor_values"]["x"], "dtype", 10), UnsupportedError,
         "tensor x has element type 10"),
        (of(node, "target", "os.system"), UnsupportedError, "operator os.system at up is not ATen; only aten"),
        (of(node, "target", "torch.ops.higher_order.cond"), UnsupportedError, "is not ATen"),
        (of(node, "target", "torch.ops.optimum_compile.evil.default"), UnsupportedError,
         "operator optimum_compile::evil is unknown"),
        (of(node, "inputs", [{"name": "x", "arg": {"as_graph": {}}}]), UnsupportedError,
         "an argument of kind as_graph is not supported"),
        (of(node, "inputs", [{"name": "x", "arg": {}}]), InputError, "malformed: ValueError"),
        (of(node, "outputs", [{"as_custom_obj": {}}]), UnsupportedError,
         "an operator returns ['as_custom_obj'], which is not supported"),
        (of(argument, "arg", {"as_tensor": {"name": "nobody"}}), InputError, "malformed: KeyError('nobody')"),
        (of(argument, "arg", {"as_tensor": {"name": "relu"}}), InputError, "malformed: KeyError('relu')"),
        (of(argument, "arg", {"as_float": "1e400"}), InputError, "'1e400' is no number"),
        (of(argument, "arg", {"as_float": True}), InputError, "True is no number"),
        (of(argument, "arg", {"as_floats": [1.0, None]}), InputError, "None is no number"),
        (of(argument, "arg", {"as_int": [1]}), InputError, "[1] is no int"),
        (of(argument, "arg", {"as_ints": [1, [2]]}), InputError, "[2] is no int"),
        (of(argument, "arg", {"as_bool": 1}), InputError, "1 is no bool"),
        (of(argument, "arg", {"as_string": 1}), InputError, "1 is no str"),
        (of(argument, "arg", {"as_strings": ["$dim", "((9**8)**8)**8"]}), InputError,
         "'$dim' is no text that an operator takes"),
        (of(argument, "arg", {"as_scalar_type": 99}), UnsupportedError, "element type 99 is not supported"),
        (of(argument, "arg", {"as_sym_int": {"as_name": "x"}}), InputError, "x is no size"),
        (of(signature, "input_specs", [{"token": {}}]), UnsupportedError,
         "inputs of kind ['token'] are not supported"),
        (of(signature, "input_specs", [{"user_input": {"arg": {"as_string": "a"}}}]), UnsupportedError,
         "an input is no tensor: ['as_string']"),
        (of(signature, "output_specs", [{"loss_output": {}}]), UnsupportedError,
         "outputs of kind ['loss_output'] are not supported"),
        (of(signature, "output_specs", [{"user_output": {"arg": {"as_string": "a"}}}]), UnsupportedError,
         "an output is no tensor: ['as_string']"),
        (of(signature, "output_specs", [{"user_output": {"arg": {"as_tensor": {"name": "q"}}}}]), InputError,
         "malformed: KeyError('q')"),
        (lambda p: p["graph_module"].pop("graph"), InputError, "malformed: KeyError('graph')"),
        (of(lambda p: p, "graph_module", None), InputError, "malformed: TypeError"),
        (of(lambda p: p["graph_module"], "signature", []), InputError, "malformed: TypeError"),
    ],
)  # fmt: skip
def test_a_program_that_cannot_be_read_is_refused(
    change: Change, kind: type[UserError], text: str, mlp_archive: Path
) -> None:
    assert text in refused(mlp_archive, change, kind)


def test_a_program_with_too_many_nodes_is_refused(
    mlp_archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optimum_compile.compiler.frontend.importer.MAX_NODES", 2)
    assert refused(mlp_archive, lambda program: None) == "more than 2 nodes"


def test_a_state_that_changes_its_shape_is_refused(decoder_archive: Path) -> None:
    def shrink(program: Any) -> None:
        values = source(program)["tensor_values"]
        values["b_keys"]["sizes"][3] = {"as_int": 7}

    assert "keys is f32[1, 2, 16, 8], the program says f32[1, 2, 16, 7]" in refused(
        decoder_archive, shrink
    )


def test_an_injected_size_is_refused_when_the_archive_is_opened(
    mlp_archive: Path, tmp_path: Path
) -> None:
    code = f"__import__('pathlib').Path('{tmp_path}/owned').touch()"
    change = of(size, 0, expression(code))
    path = rewrite_json(mlp_archive, tmp_path / "m.pt2", PROGRAM, change)
    with pytest.raises(
        InputError, match=r"m: symbolic size .* unexpected .*; export the model again"
    ):
        open_model(path)
    assert not (tmp_path / "owned").exists()


JUNK = (
    *(None, -1, 0, 1, 7, 10**30, 1e308, float("inf"), float("nan"), True, "x", "", [], {}, [None]),
    *({"a": 1}, "torch.ops.aten.add_.Tensor", "Symbol('q')", "'" * 9, {"as_int": 3}),
)


def places(data: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    pairs = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in pairs:
        if key not in ("metadata", "guards_code", "module_call_graph", "verifiers"):
            yield (*at, key)
            if isinstance(value, (dict, list)):
                yield from places(value, (*at, key))


def damage(program: Any, rng: random.Random) -> None:
    """Delete an entry, or replace it by junk or by another entry."""
    everywhere = list(places(program))
    *path, last = rng.choice(everywhere)
    holder, other = program, program
    for key in path:
        holder = holder[key]
    for key in rng.choice(everywhere):
        other = other[key]
    if rng.random() < 0.3:
        del holder[last]
    else:
        holder[last] = copy.deepcopy(rng.choice([rng.choice(JUNK), other]))


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 1 << 32), which=st.sampled_from(["mlp", "decoder"]))
def test_a_damaged_program_is_refused_or_keeps_every_rule(
    mlp_archive: Path, decoder_archive: Path, seed: int, which: str
) -> None:
    rng = random.Random(seed)

    def change(program: Any) -> None:
        for _ in range(rng.choice([1, 1, 2])):
            damage(program, rng)

    try:
        graph = imported(mlp_archive if which == "mlp" else decoder_archive, change)
        PassManager([Canonicalize(), InferShapes()]).run(graph)
    except UserError:
        graph = Graph("refused")
    assert verify(graph, SHAPED) == []
