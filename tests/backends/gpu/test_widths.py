"""Nested weights in GPU programs: dispatches for each width, what a reader refuses, what is moved."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support.gpu_programs import emitted, mixed, opened
from support.graphs import decoder
from support.hf import save_folder, tiny_model
from support.packed import random_packed, with_packed

from optimum_compile.backends.gpu import section as s
from optimum_compile.backends.gpu.check import check_section
from optimum_compile.backends.gpu.decode import decode_section, read_program
from optimum_compile.backends.gpu.encode import encode_section
from optimum_compile.backends.gpu.interfaces import interface
from optimum_compile.backends.gpu.lower import lower_section
from optimum_compile.backends.gpu.traffic import describe, traffic
from optimum_compile.backends.native import program as p
from optimum_compile.backends.native.check import ProgramError, check
from optimum_compile.backends.native.decode import FormatError, read
from optimum_compile.backends.native.encode import encode
from optimum_compile.backends.native.session import Model
from optimum_compile.compiler.errors import InputError, InternalError
from optimum_compile.compiler.quant.scheme import Nested
from optimum_compile.passes.precision.units import units_of
from optimum_compile.tools.gpu_traffic import rows_of

# A weight of fewer widths is read with the nearest that it has.
SCHEMES = (Nested(2, 4, 4), Nested(3, 4, 5), Nested(2, 3))
WIDTHS = (2, 3, 4)


def nested_program(work: Path, schemes: tuple[Nested, ...] = SCHEMES) -> Path:
    graph = decoder(layers=2, tied=False)
    weights = {
        u.name: random_packed(schemes[at % len(schemes)], u.use.rows, u.use.columns, at)
        for at, u in enumerate(units_of(graph))
    }
    return emitted(with_packed(graph, weights, work), work)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    return nested_program(tmp_path_factory.mktemp("widths"))


def read_at(program: p.Program, width: int) -> p.Program:
    """The program that reads its nested weights with so many bits where a call names no width."""

    def at(weight: p.Weight) -> p.Weight:
        if weight.kind is not p.WeightKind.NESTED:
            return weight
        seed, bits, rows, _ = weight.parameters
        return replace(weight, parameters=(seed, bits, rows, min(max(width, seed), bits)))

    return replace(program, weights=tuple(map(at, program.weights)))


def told(section: s.GpuSection, dispatch: s.Dispatch) -> tuple[object, ...]:
    """A dispatch without numbers of tables: its kernel, what it is given, its workgroups."""
    pipeline = section.pipelines[dispatch.pipeline]

    def expr(index: int, depth: int = 0) -> object:
        items = section.expressions[index].items
        return tuple((op, expr(a) if op is p.ExprOp.REF else a) for op, a in items)

    params = [
        (each.kind, expr(each.value) if each.kind is s.ParamKind.EXPR else each.value)
        for each in dispatch.params
    ]
    name = section.kernels[pipeline.kernel].name
    groups = [expr(group) for group in dispatch.groups]
    others = (dispatch.stage, dispatch.flags, dispatch.buffers)
    return (name, pipeline.constants, params, groups, *others)


def test_a_width_has_the_dispatches_of_a_program_that_reads_no_other(made):
    program, section, _ = read_program(made)
    assert section.widths == program.widths == WIDTHS
    for index, width in enumerate(WIDTHS):
        alone = lower_section(read_at(program, width))
        for found, wanted in zip(section.functions, alone.functions, strict=True):
            dispatches = [told(section, d) for d in found.at(index)]
            assert dispatches == [told(alone, d) for d in wanted.dispatches]
            assert dispatches != [told(section, d) for d in found.dispatches] or width == 4


def test_only_what_the_width_decides_is_stored_for_it(made):
    program, section, _ = read_program(made)
    nested = sum(
        any(
            o.kind is p.OperandKind.WEIGHT and program.weights[o.index].kind is p.WeightKind.NESTED
            for o in step.inputs
        )
        for step in program.functions[-1].steps
    )
    for launches in section.functions:
        two, three, four = launches.changes
        assert four == ()  # all bits
        assert len(three) < len(two) == nested
        for change in (*two, *three):
            old = launches.dispatches[change.dispatch]
            name = section.kernels[section.pipelines[old.pipeline].kernel].name
            assert name.endswith("_nested")
            # BITS among the constants of the pipeline, and where the tables of the width begin.
            names = [param for param, _ in interface(name).params]
            assert [names[place] for place, _ in change.params] == ["table_at"]
            assert change.groups == old.groups
            before, after = (
                section.pipelines[at].constants for at in (old.pipeline, change.pipeline)
            )
            constants = ["local_size_x", *(constant for constant, _ in interface(name).constants)]
            differ = [n for n, a, b in zip(constants, before, after, strict=True) if a != b]
            assert differ == ["BITS"]


def test_sections_grow_by_little(made, tmp_path):
    _, section, _ = read_program(made)
    plain = replace(
        section,
        widths=(),
        functions=tuple(replace(each, changes=()) for each in section.functions),
    )
    grown = len(encode_section(section)) / len(encode_section(plain))
    assert 1 < grown < 1.15
    work = tmp_path / "plain"
    graph = opened(save_folder(tiny_model("llama"), work))
    other = read_program(emitted(mixed(graph, work, ("int4:g32",)), work))[1]
    assert other.widths == ()
    assert all(each.changes == () for each in other.functions)


def test_a_section_with_too_few_changes_cannot_be_written(made):
    _, section, _ = read_program(made)
    with pytest.raises(InternalError, match="has not 2 tables of changes"):
        encode_section(replace(section, widths=(2, 3)))


# ---- what is refused


def changed(section: s.GpuSection, edit: Callable[[s.Launches], s.Launches]) -> s.GpuSection:
    *others, last = section.functions
    return replace(section, functions=(*others, edit(last)))


def with_changes(
    section: s.GpuSection, edit: Callable[[tuple[s.Change, ...]], tuple[s.Change, ...]]
) -> s.GpuSection:
    """The section with other changes at the least width of its last function."""
    return changed(section, lambda f: replace(f, changes=(edit(f.changes[0]), *f.changes[1:])))


def first(**values: object) -> Callable[[tuple[s.Change, ...]], tuple[s.Change, ...]]:
    return lambda changes: (replace(changes[0], **values), *changes[1:])


def tampered(section: s.GpuSection) -> dict[tuple[str, str], s.GpuSection]:
    """Sections that no compiler makes, by what Python and the runtime say of them."""
    change = section.functions[-1].changes[0][0]
    old = section.functions[-1].dispatches[change.dispatch]
    kernel = section.pipelines[old.pipeline].kernel
    other = next(at for at, each in enumerate(section.pipelines) if each.kernel != kernel)
    place, param = change.params[0]

    def widths(*named: int) -> s.GpuSection:
        functions = tuple(
            replace(f, changes=(*f.changes, *([()] * 5))[: len(named)]) for f in section.functions
        )
        return replace(section, widths=named, functions=functions)

    wide = replace(param, value=1 << 40)
    return {
        ("for the widths none", "0 widths in the section"): widths(),
        ("for the widths 2, 3,", "2 widths in the section"): widths(2, 3),
        ("for the widths 2, 2, 4", "3 widths in the section"): widths(2, 2, 4),
        ("for the widths 4, 3, 2", "3 widths in the section"): widths(4, 3, 2),
        ("for the widths 2, 3, 4, 5", "4 widths in the section"): widths(2, 3, 4, 5),
        ("dispatch of a change is 99", "dispatch of a change is 99"): with_changes(
            section, lambda c: (*c[:-1], replace(c[-1], dispatch=99))
        ),
        ("dispatch of a change: .* do not ascend", "dispatch of a change is .*, behind"): with_changes(
            section, lambda c: (c[0], *c)
        ),
        ("pipeline of a change is 999", "pipeline of a change is 999"): with_changes(
            section, first(pipeline=999)
        ),
        ("of another kernel", "a change of kernel .* names a pipeline of kernel"): with_changes(
            section, first(pipeline=other)
        ),
        ("groups of a change is 9999", "groups of a change is 9999"): with_changes(
            section, first(groups=(0, 9999, 0))
        ),
        ("place of a changed param is 77", "place of a changed param is 77"): with_changes(
            section, first(params=((77, param),))
        ),
        ("changed param: .* do not ascend", "changed param is .*, behind"): with_changes(
            section, first(params=((place, param), (place, param)))
        ),
        ("more than 32 bits", "a param is 1099511627776"): with_changes(
            section, first(params=((place, wide),))
        ),
    }  # fmt: skip


def test_tampered_sections_are_refused_by_both_readers(made, tmp_path):
    program, section, _ = read_program(made)
    weights, path = bytes(read(made).weights), tmp_path / "m.gpu.ocm"
    for (said, answered), bad in tampered(section).items():
        with pytest.raises(ProgramError, match=said):
            check_section(bad, program)
        body = encode_section(bad)
        assert decode_section(body) == bad
        path.write_bytes(encode(program, "{}", weights, {s.KIND: body}))
        with pytest.raises(InputError, match=said):
            read_program(path)
        with pytest.raises(InputError, match=answered):
            Model(path)


def test_a_missing_table_of_changes_is_refused(made, tmp_path):
    """Bytes of the last function end before its last table."""
    program, section, _ = read_program(made)
    short = changed(section, lambda f: replace(f, changes=f.changes[:2]))
    with pytest.raises(ProgramError, match="2 tables of changes, one for each width is due"):
        check_section(short, program)
    body = encode_section(section)[:-4]  # no change at all bits: a count of 0
    with pytest.raises(FormatError):
        decode_section(body)
    path = tmp_path / "m.gpu.ocm"
    path.write_bytes(encode(program, "{}", bytes(read(made).weights), {s.KIND: body}))
    with pytest.raises(InputError, match="ends inside a table"):
        Model(path)


def test_nested_weights_of_odd_widths_are_refused(made):
    contents = read(made)
    program, size = contents.program, len(contents.weights)
    check(program, size)
    at = next(i for i, w in enumerate(program.weights) if w.kind is p.WeightKind.NESTED)
    for numbers in ((2, 4, 4, 5), (0, 4, 4, 4), (2, 9, 4, 4), (2, 1 << 40, 4, 4), (2, 4, 0, 4)):
        bad = list(program.weights)
        bad[at] = replace(bad[at], parameters=numbers)
        with pytest.raises(ProgramError, match="bits, read at"):
            check(replace(program, weights=tuple(bad)), size)


# ---- bytes


def test_a_width_moves_its_planes_and_its_tables(tmp_path):
    path = nested_program(tmp_path, (Nested(2, 4, 2),))
    program = read_program(path)[0]
    step = len(program.functions) - 1
    found = {width: traffic(program, step, 1, 3, width=width) for width in WIDTHS}
    assert found[4] == traffic(program, step, 1, 3)
    assert len({(each.dispatches, each.barriers, each.kv_bytes) for each in found.values()}) == 1
    linears, tables = [], []
    for each in program.functions[step].steps:
        held = [program.weights[o.index] for o in each.inputs if o.kind is p.OperandKind.WEIGHT]
        kept = [w for w in held if w.kind is p.WeightKind.NESTED]
        (tables if each.op is p.Op.EMBEDDING else linears).extend(kept)

    def bytes_of(width: int) -> int:
        total = sum(
            width * -(-w.rows * w.columns // 8) + 2 * (-(-w.rows // 2) << width) for w in linears
        )
        return total + sum(-(-w.columns * width // 8) + (2 << width) for w in tables)

    for width in (2, 3):
        fewer = bytes_of(4) - bytes_of(width)
        assert fewer > 0
        assert found[4].weight_bytes - found[width].weight_bytes == fewer
        assert found[4].moved_bytes - found[width].moved_bytes == fewer
    rows = [line.split(" | ") for line in rows_of("m", program, (0, 3))]
    shown = [
        (name.removeprefix("| "), past, int(moved.replace(",", "")))
        for name, past, *_, moved, _ in rows
    ]
    assert [row[:2] for row in shown] == [
        (f"m, {n} bits", past) for n in (4, 3, 2) for past in "03"
    ]
    assert [row[2] for row in shown[1::2]] == [found[n].moved_bytes for n in (4, 3, 2)]
    lines = [line for line in describe(path) if line.startswith("decode")]
    assert [line.split(":")[0] for line in lines] == [
        f"decode, 1 tokens at {n} bits" for n in (4, 3, 2)
    ]
