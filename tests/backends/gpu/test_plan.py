"""The plan of GPU programs: types, alignment, barriers, predicted bytes, traffic."""

from collections.abc import Iterator

import numpy as np
import pytest
from support.emission import with_schemes
from support.gpu_programs import CHUNK, SCHEMES, emitted, mixed, opened, with_caches
from support.hf import save_folder, tiny_model

from optimum_compile.backends.gpu.attention import split_parts
from optimum_compile.backends.gpu.container import container_bytes, section_bytes
from optimum_compile.backends.gpu.decode import read_program
from optimum_compile.backends.gpu.dispatch import Given, Recorder
from optimum_compile.backends.gpu.emit import lowered, plan
from optimum_compile.backends.gpu.frame import Frame
from optimum_compile.backends.gpu.hazards import Hazards
from optimum_compile.backends.gpu.interfaces import interface
from optimum_compile.backends.gpu.lower import launches_of, lower_section
from optimum_compile.backends.gpu.outliers import Starts
from optimum_compile.backends.gpu.section import Flags
from optimum_compile.backends.gpu.traffic import traffic
from optimum_compile.backends.native.arenas import expressions
from optimum_compile.backends.native.decode import read
from optimum_compile.backends.native.program import Element, Op, OperandKind, Program, Space
from optimum_compile.compiler.ir.shape import evaluate
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.units import units_of

PLAIN = ("int4:g32", "int8:channel")
SLOW, MORE = pytest.mark.slow, ("qwen3", "mixtral")


def program_of(tmp_path, kind: str, schemes=SCHEMES, **changes: object) -> Program:
    graph = opened(save_folder(tiny_model(kind, **changes), tmp_path / "m"))
    return lowered(plan(mixed(graph, tmp_path, schemes)), tmp_path).program


def outputs(program: Program, op: Op) -> set[tuple[Element, ...]]:
    """Element types of what steps of that op write."""
    found = set()
    for function in program.functions:
        for step in function.steps:
            if step.op is op:
                views = [function.views[o.index] for o in step.outputs]
                found.add(tuple(function.buffers[v.buffer].dtype for v in views))
    return found


def test_what_grows_and_what_decides_stays_float32(tmp_path):
    program = program_of(tmp_path, "qwen2_moe", PLAIN, num_experts=3)
    half, single = Element.F16, Element.F32
    assert outputs(program, Op.EMBEDDING) == {(single,)}
    assert outputs(program, Op.RMS_NORM) == {(half,)}
    assert outputs(program, Op.ROPE) == outputs(program, Op.ATTENTION) == {(half,)}
    assert outputs(program, Op.GATED) == {(half,)}
    assert outputs(program, Op.ADD_RMS_NORM) == {(single, half)}
    assert outputs(program, Op.ROUTE) == outputs(program, Op.BINARY) == {(single,)}
    function = program.functions[-1]
    read_by_route = {s.inputs[0].index for s in function.steps if s.op is Op.ROUTE}
    for step in function.steps:
        views = [function.views[o.index] for o in step.outputs]
        types = {function.buffers[v.buffer].dtype for v in views}
        spaces = {function.buffers[v.buffer].space for v in views}
        routes = any(o.index in read_by_route for o in step.outputs)
        if step.op is Op.LINEAR and (routes or spaces == {Space.OUTPUT}):
            assert types == {single}


def test_an_odd_number_of_columns_stays_float32(tmp_path):
    program = program_of(tmp_path, "llama", intermediate_size=45)
    assert outputs(program, Op.GATED) == {(Element.F32,)}
    assert outputs(program, Op.ROPE) == {(Element.F16,)}


def test_everything_begins_where_a_gpu_can_bind_it(tmp_path):
    program = program_of(tmp_path, "llama")
    assert all(part.offset % 256 == 0 for part in program.parts)
    assert all(cache.offset % 256 == 0 for cache in program.caches)


def test_prompts_and_steps_have_as_many_launches_as_steps(tmp_path):
    program = program_of(tmp_path, "llama", PLAIN)
    section = lower_section(program)
    for function, launches in zip(program.functions, section.functions, strict=True):
        assert len(launches.dispatches) == len(function.steps)
        assert launches.optional_head
        assert [Flags.LOGITS in d.flags for d in launches.dispatches].count(True) == 1
    assert lower_section(program) == section


# ---- barriers


def places(given: Given, frame: Frame, values: dict[str, int]) -> Iterator[tuple[str, int, int]]:
    """Bytes of an operand as (place, from, to), row by row: counted, not decided."""
    if not given.views:
        yield given.place, 0, 1 << 40
    for view in given.views:
        name = view.buffer.split(" ", 1)
        buffer = frame.function.buffers[int(name[0])]
        base = evaluate(frame.dims[buffer.at], values) if buffer.space is Space.ARENA else 0
        at = np.array([evaluate(view.offset, values)])
        for size, stride in zip(view.shape, view.strides, strict=True):
            steps = np.arange(evaluate(size, values)) * evaluate(stride, values)
            at = (at[:, None] + steps[None]).reshape(-1)
        for element in np.unique(at):
            begin = base + int(element) * buffer.dtype.itemsize
            yield given.place, begin, begin + buffer.dtype.itemsize


@pytest.mark.parametrize("kind", ["llama", *(pytest.param(k, marks=SLOW) for k in MORE)])
@pytest.mark.parametrize("coded", [False, True], ids=["f16", "coded"])
def test_no_dispatch_meets_another_one_before_a_barrier(tmp_path, kind, coded):
    graph = opened(save_folder(tiny_model(kind), tmp_path / "m"))
    if coded:
        with_caches(graph, "kv4:g8@w4,s2", "kv8:g8@w4,s2")
    stored = Starts()
    program = lowered(plan(mixed(graph, tmp_path)), tmp_path, stored).program
    starts = stored.of(program)
    dims, waits = expressions(program), 0
    for function in program.functions:
        frame = Frame(program, function, dims, starts)
        values = {"seq": min(3, function.high), "past": 5, "first": 0}
        hazards, recorder = Hazards(frame.ranges, frame.alive), Recorder(("seq", "past"))
        pending: list[tuple[str, int, int, bool]] = []
        for step in function.steps:
            frame.step = step
            for launch in launches_of(frame):
                flags = recorder.add(launch, step.stage, hazards)
                touched = [
                    (*place, interface(launch.kernel).writes(name))
                    for name, given in launch.buffers.items()
                    if given.place
                    for place in places(given, frame, values)
                ]
                if Flags.BARRIER in flags:
                    pending, waits = [], waits + 1
                wrote = {t[:2] for t in pending if t[3] and t[2] < 1 << 40}
                seen = {t[:2] for t in pending if t[2] < 1 << 40}
                for place, begin, end, writes in touched:
                    if end < 1 << 40:
                        assert (place, begin) not in (seen if writes else wrote), launch.kernel
                    else:
                        others = [t for t in pending if t[0] == place and (writes or t[3])]
                        assert not others, launch.kernel
                pending += touched
    assert 0 < waits < 2 * sum(len(function.steps) for function in program.functions)


def test_projections_of_one_input_do_not_wait_for_each_other(tmp_path):
    section = lower_section(program_of(tmp_path, "llama", SCHEMES[:10]))
    kernels = [
        section.kernels[section.pipelines[d.pipeline].kernel].name
        for d in section.functions[-1].dispatches
    ]
    waits = [Flags.BARRIER in d.flags for d in section.functions[-1].dispatches]
    begin = kernels.index("rms_norm")
    assert waits[begin + 1 : begin + 4] == [True, False, False]  # q, k and v


# ---- what is predicted, and what is moved


@pytest.mark.parametrize(
    "schemes",
    [("int4:g32",), SCHEMES, ("nest2-4:r8", "nest3-4:r4")],
    ids=["int4", "mixed", "nested"],
)
@pytest.mark.parametrize("kind", ["llama", *(pytest.param(k, marks=SLOW) for k in MORE)])
def test_sections_are_predicted(tmp_path, kind, schemes):
    graph = mixed(opened(save_folder(tiny_model(kind), tmp_path / "m")), tmp_path, schemes)
    path = emitted(graph, tmp_path)
    found = len(read(path).more[100])
    assert 0 <= section_bytes(graph) / found - 1 < 0.35
    assert 0 <= container_bytes(graph) - (path.stat().st_size - len(read(path).weights)) < 40_000


def test_a_decode_step_moves_little_beside_weights_and_cache(tmp_path):
    """Each operand of each dispatch once; of tables of tokens and angles the rows that are read."""
    sizes = {"hidden_size": 256, "intermediate_size": 512, "vocab_size": 512}
    graph = opened(save_folder(tiny_model("llama", **sizes), tmp_path / "m"))
    names = {u.name: parse_scheme("int8:channel") for u in units_of(graph)}
    path = emitted(with_schemes(graph, names, tmp_path), tmp_path)
    program = read_program(path)[0]
    found = traffic(program, len(program.functions) - 1, 1, 10)
    matrices = {
        operand.index
        for step in program.functions[-1].steps
        if step.op is Op.LINEAR
        for operand in step.inputs
        if operand.kind is OperandKind.WEIGHT
    }
    held = sum(
        program.parts[part].size_bytes
        for index in matrices
        for part in program.weights[index].parts
        if part != 0xFFFFFFFF
    )
    norms = 5 * 256 * 4
    assert found.weight_bytes == held + norms + (256 + 2) + 16 * 4
    # 11 tokens are read of keys and values of 2 heads of 16, and one row is written.
    assert found.kv_bytes == 2 * 2 * (11 + 1) * 2 * 16 * 2
    assert found.dispatches == sum(found.kernels.values()) == 2 * 10 + 3
    assert 1.0 < found.ratio < 1.1
    longer = traffic(program, 0, CHUNK, 0)
    assert longer.moved_bytes > found.moved_bytes
    assert longer.weight_bytes > found.weight_bytes


def test_a_long_context_is_read_in_parts():
    assert [split_parts(n, 1) for n in (24, 511, 512, 4096, 1 << 20)] == [1, 1, 2, 16, 16]
    assert split_parts(4096, 7) == 1
