"""What the plan itself says: nothing is copied, scores are no narrower than fp16, guards are kept."""

import numpy as np
import pytest
from support.hf import save_folder, tiny_model

from optimum_compile.backends.native.check import evaluate
from optimum_compile.backends.native.encode import encode
from optimum_compile.backends.native.exprs import Expressions
from optimum_compile.backends.native.guards import slack_of
from optimum_compile.backends.native.lower import lower
from optimum_compile.backends.native.plan import plan_functions
from optimum_compile.backends.native.program import (
    AttributeKind,
    Element,
    Function,
    Op,
    OperandKind,
    Program,
    Relation,
    Sizes,
    Space,
    Symbol,
)
from optimum_compile.backends.native.session import Session
from optimum_compile.compiler.decoder import caches_of
from optimum_compile.compiler.errors import InputError, UnsupportedError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.ir.conditions import Condition
from optimum_compile.compiler.ir.conditions import Relation as Sides
from optimum_compile.compiler.ir.guards import Guard, Guards
from optimum_compile.compiler.ir.shape import evaluate as value_of
from optimum_compile.compiler.ir.shape import parse_dim
from optimum_compile.compiler.quant.kv import KvScheme
from optimum_compile.passes.precision.notes import KvPrecision
from optimum_compile.passes.subtensor.report import copied_bytes, copied_cache_bytes

ATTENTIONS = (Op.ATTENTION, Op.KV_ATTENTION)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_folder(tiny_model("qwen3"), tmp_path_factory.mktemp("plan") / "m")


@pytest.fixture(params=["f16", "kv4"])
def planned(request, folder, tmp_path):
    """The functions with their notes, and the program: caches of 16 bits and of 4."""
    graph = open_model(folder, context=48, max_prefill=8).graph
    if request.param == "kv4":
        for cache in caches_of(graph):
            cache.value.notes.put(KvPrecision(KvScheme(4, 8, 4, 2)))
    functions = plan_functions(graph).functions
    return functions, lower(functions, tmp_path).program


def element(function: Function, index: int) -> Element:
    return function.buffers[function.views[index].buffer].dtype


def test_nothing_is_copied_and_caches_are_written_in_place(planned):
    functions, program = planned
    for graph, function in zip(functions, program.functions, strict=True):
        symbols = {"seq": 1, "past": 7}
        assert copied_bytes(graph, symbols) == copied_cache_bytes(graph, symbols) == 0
        assert not {Op.COPY, Op.KV_WRITE} & {step.op for step in function.steps}
        # Every cache is read by one attention, and its rows are written by one step.
        attentions = [step for step in function.steps if step.op in ATTENTIONS]
        read = [o.index for s in attentions for o in s.inputs if o.kind is OperandKind.CACHE]
        assert sorted(read) == list(range(len(program.caches)))
        outputs = [o.index for step in function.steps for o in step.outputs]
        spaces = [function.buffers[function.views[at].buffer] for at in outputs]
        cached = [b.at for b in spaces if b.space in (Space.KEYS, Space.VALUES)]
        rounded = [at for at, cache in enumerate(program.caches) if cache.bits < 16]
        assert sorted(cached + rounded) == list(range(len(program.caches)))


def test_the_row_of_a_step_is_contiguous_and_lies_behind_the_past(folder, tmp_path):
    program = program_of(folder, tmp_path)
    decode = program.functions[1]
    rows = [v for v in decode.views if decode.buffers[v.buffer].space in (Space.KEYS, Space.VALUES)]
    assert len(rows) == len(program.caches) == 4
    for view in rows:
        for past in (0, 1, 47):
            symbols = {"seq": 1, "past": past}
            assert evaluate(program, view.offset, symbols) == past * 2 * 16
            shape = [evaluate(program, d, symbols) for d in view.shape]
            strides = [evaluate(program, d, symbols) for d in view.strides]
            places = {0}
            for size, stride in zip(shape, strides, strict=True):
                places = {at + n * stride for at in places for n in range(size)}
            assert places == set(range(2 * 16))


def test_scores_are_never_below_fp16(planned):
    """Attention computes scores and softmax in float32 from float32 queries; caches are fp16 or codes."""
    for function in planned[1].functions:
        attentions = [step for step in function.steps if step.op in ATTENTIONS]
        assert len(attentions) == 2
        for step in attentions:
            for operand in (*step.inputs, *step.outputs):
                if operand.kind is OperandKind.VIEW:
                    assert element(function, operand.index) is Element.F32
            kinds = [attribute.kind for attribute in step.attributes]
            assert kinds == [AttributeKind.EXPR, AttributeKind.FLOAT, AttributeKind.INT]
        # Nothing narrower than fp16 is computed anywhere: other buffers are float32, or rows of a cache.
        for buffer in function.buffers:
            cached = buffer.space in (Space.KEYS, Space.VALUES)
            assert buffer.dtype is (
                Element.F16 if cached else Element.I64 if buffer.name == "tokens" else Element.F32
            )


def test_functions_share_their_weights(folder, tmp_path):
    program = program_of(folder, tmp_path)
    used = [
        {o.index for s in f.steps for o in s.inputs if o.kind is OperandKind.WEIGHT}
        for f in program.functions
    ]
    assert used[0] == used[1] == set(range(len(program.weights)))
    forms = [
        {int(s.attributes[0].value) for s in f.steps if s.op is Op.LINEAR}
        for f in program.functions
    ]
    assert forms == [{1}, {0}]  # matrices for prompts, vectors for tokens


def test_guards_of_the_export_are_checked_in_each_call(folder, tmp_path):
    graph = open_model(folder, context=48, max_prefill=8).graph
    some = (
        Condition(parse_dim("seq"), Sides.DIVISIBLE, 4),
        Condition(parse_dim("seq"), Sides.EQUAL, 1),
    )
    graph.notes.put(Guards((Guard(some, "the export"),)))
    lowered = lower(plan_functions(graph).functions, tmp_path)
    room, guard = lowered.program.guards
    assert (room.text, room.relation) == ("the cache holds 48 tokens", Relation.NOT_NEGATIVE)
    assert "the export" in guard.text
    held = {
        seq: evaluate(lowered.program, guard.expr, {"seq": seq, "past": 3}) >= 0
        for seq in range(1, 9)
    }
    assert [seq for seq, fine in held.items() if fine] == [1, 4, 8]
    path = tmp_path / "guarded.ocm"
    path.write_bytes(encode(lowered.program, "{}", lowered.weights.read_bytes()))
    session = Session(path)
    assert session.prefill([1, 2, 3, 4]).shape == session.decode(5).shape == (96,)
    with pytest.raises(InputError, match="the export"):
        session.prefill([1, 2, 3])


@pytest.mark.parametrize(
    ("relation", "right", "holds"),
    [
        (Sides.AT_MOST, 5, {0, 1, 2, 3, 4, 5}),
        (Sides.EQUAL, 3, {3}),
        (Sides.NOT_EQUAL, 3, {0, 1, 2, 4, 5, 6, 7, 8}),
        (Sides.DIVISIBLE, 3, {0, 3, 6}),
    ],
)
def test_conditions_as_numbers(relation, right, holds):
    condition = Condition(parse_dim("past"), relation, right)
    exprs = Expressions(("seq", "past"))
    index = exprs.add(slack_of(condition))
    program = program_with(exprs)
    found = {past for past in range(9) if evaluate(program, index, {"seq": 1, "past": past}) >= 0}
    assert found == holds == {past for past in range(9) if condition.holds({"past": past})}


def program_with(exprs: Expressions) -> Program:
    symbols = (Symbol("seq", 1, 8), Symbol("past", 0, 8))
    return Program(Sizes(1, 1, 1), symbols, tuple(exprs.table), (), (), (), (), (), ())


@pytest.mark.parametrize(
    "text",
    [
        "4*seq*past+seq**3-7",
        "seq//3+past",
        "floor((seq+past)/4)*2",
        "-seq+past//2",
        "past*(past-seq)",
    ],
)
def test_expressions_have_the_value_of_the_dimension(text):
    dim = parse_dim(text)
    exprs = Expressions(("seq", "past"))
    assert exprs.add(dim) == exprs.add(parse_dim(text)) == 0
    program = program_with(exprs)
    rng = np.random.default_rng(0)
    for seq, past in rng.integers(0, 50, (20, 2)).tolist():
        wanted = value_of(dim, {"seq": seq, "past": past})
        assert evaluate(program, 0, {"seq": seq, "past": past}) == wanted


def test_a_symbol_that_no_call_gives_is_refused():
    with pytest.raises(UnsupportedError, match="symbol batch is none of seq, past"):
        Expressions(("seq", "past")).add(parse_dim("batch+1"))


def program_of(folder, work) -> Program:
    graph = open_model(folder, context=48, max_prefill=8).graph
    return lower(plan_functions(graph).functions, work).program
