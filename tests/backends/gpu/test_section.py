"""The section GPU: round trip, and what a reader refuses."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.gpu_programs import emitted, mixed, opened
from support.hf import save_folder, tiny_model

from optimum_compile.backends.gpu import section as s
from optimum_compile.backends.gpu.check import check_section
from optimum_compile.backends.gpu.decode import decode_section, read_program
from optimum_compile.backends.gpu.encode import encode_section
from optimum_compile.backends.native import program as p
from optimum_compile.backends.native.check import ProgramError
from optimum_compile.backends.native.decode import FormatError, read
from optimum_compile.backends.native.encode import encode
from optimum_compile.compiler.errors import InputError, InternalError

u8, u16 = st.integers(0, 255), st.integers(0, 65535)
u32, u64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
i64 = st.integers(-(2**63), 2**63 - 1)


def many(entry, most=3):
    return st.lists(entry, max_size=most).map(tuple)


bounds = st.builds(s.Bound, st.sampled_from(s.BufferKind), u32, u64, u64)
params = st.builds(s.Param, st.sampled_from(s.ParamKind), i64)
dispatches = st.builds(
    s.Dispatch,
    *(u32, u16, st.integers(0, 3).map(s.Flags), st.tuples(u32, u32, u32)),
    *(many(bounds), many(params)),
)
expressions = st.builds(p.Expr, many(st.tuples(st.sampled_from(p.ExprOp), i64)))
changes = st.builds(s.Change, u32, u32, st.tuples(u32, u32, u32), many(st.tuples(u32, params)))


def sections_with(widths: tuple[int, ...]) -> st.SearchStrategy[s.GpuSection]:
    """Sections whose functions have changes for each of these widths."""
    found = st.tuples(*(many(changes) for _ in widths))
    return st.builds(
        s.GpuSection,
        st.just(widths),
        many(st.builds(s.Kernel, st.text(max_size=9), u32)),
        many(expressions),
        many(st.builds(s.Pipeline, u32, many(u32))),
        many(st.builds(s.Launches, st.booleans(), many(dispatches), found)),
    )


sections = many(u32).flatmap(sections_with)


@settings(max_examples=60, deadline=None)
@given(sections)
def test_what_is_written_is_read(section):
    data = encode_section(section)
    assert decode_section(data) == section
    for end in {0, 3, len(data) // 2, len(data) - 1}:
        with pytest.raises(FormatError):
            decode_section(data[:end])
    with pytest.raises(FormatError, match="1 bytes are left over"):
        decode_section(data + b"\0")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    work = tmp_path_factory.mktemp("section")
    graph = opened(save_folder(tiny_model("qwen3"), work / "m"))
    return emitted(mixed(graph, work), work)


def test_bytes_are_refused_with_what_is_wrong(made):
    data = bytearray(read(made).more[s.KIND])
    with pytest.raises(FormatError, match="version 7"):
        decode_section(b"\7" + data[1:])
    with pytest.raises(
        FormatError, match="version 1, this reader knows 2: compile the model again"
    ):
        decode_section(b"\1" + data[1:])
    with pytest.raises(FormatError, match="entries do not fit"):
        decode_section(data[:4] + b"\xff\xff\xff\x7f" + data[8:])
    with pytest.raises(FormatError, match="9 widths, expected 8 at most"):
        decode_section(data[:4] + b"\x09" + data[5:])
    section = decode_section(data)
    at = len(encode_section(replace(section, functions=()))) + 0
    with pytest.raises(FormatError, match="head is marked 9"):
        decode_section(data[:at] + b"\x09" + data[at + 1 :])


def changed(section: s.GpuSection, at: int = 0, **values: object) -> s.GpuSection:
    """The section with other fields of one dispatch of its last function."""
    launches = section.functions[-1]
    rows = list(launches.dispatches)
    rows[at] = replace(rows[at], **values)
    last = replace(launches, dispatches=tuple(rows))
    return replace(section, functions=(*section.functions[:-1], last))


def test_indices_and_ranges_are_checked(made):
    program, section, _ = read_program(made)
    first = section.functions[-1].dispatches[0]
    part = next(b for b in first.buffers if b.kind is s.BufferKind.PART)

    def bound(**values: object) -> tuple[s.Bound, ...]:
        return (replace(part, **values), *first.buffers[1:])

    def param(kind: s.ParamKind, value: int) -> tuple[s.Param, ...]:
        return (s.Param(kind, value), *first.params[1:])

    size = program.parts[part.index].size_bytes
    pipe = section.pipelines[0]
    arena = s.Bound(s.BufferKind.ARENA)
    wrong = {
        "the pipeline of a dispatch is 999": changed(section, pipeline=999),
        "the stage of a dispatch is 99": changed(section, stage=99),
        "the groups of a dispatch is 9999": changed(section, groups=(0, 9999, 0)),
        "the part of a buffer is 9999": changed(section, buffers=bound(index=9999)),
        "badly aligned or empty": changed(section, buffers=bound(offset=4)),
        f"beyond the {size} bytes": changed(section, buffers=bound(size_bytes=size + 4)),
        "only parts have a range": changed(section, buffers=(replace(arena, offset=256),)),
        "an index into no table": changed(section, buffers=(replace(arena, index=1),)),
        "the cache of a buffer is 99": changed(
            section, buffers=(s.Bound(s.BufferKind.CACHE, 99), *first.buffers[1:])
        ),
        "more than 32 bits": changed(section, params=param(s.ParamKind.BITS, 1 << 32)),
        "the expression of a param is 9999": changed(section, params=param(s.ParamKind.EXPR, 9999)),
        "13 buffers": changed(section, buffers=(arena,) * 13),
        "65 params": changed(section, params=first.params[:1] * 65),
        "3 functions of dispatches": replace(
            section, functions=(*section.functions, section.functions[0])
        ),
        "one is there twice": replace(section, kernels=section.kernels * 2),
        "workgroups of 96": replace(
            section, pipelines=(replace(pipe, constants=(96, *pipe.constants[1:])),)
        ),
        "0 constants": replace(section, pipelines=(replace(pipe, constants=()),)),
        "the kernel of a pipeline is 99": replace(section, pipelines=(replace(pipe, kernel=99),)),
        "buffers and params": changed(section, 1, buffers=()),
        "expression 0 reads symbol 3": replace(
            section, expressions=(p.Expr(((p.ExprOp.SYMBOL, 3),)),)
        ),
    }
    check_section(section, program)
    for said, bad in wrong.items():
        with pytest.raises(ProgramError, match=said):
            check_section(bad, program)
        # Read as a file it is a UserError.
    cache = replace(program.caches[0], offset=64)
    with pytest.raises(ProgramError, match="no multiple of 256"):
        check_section(section, replace(program, caches=(cache, *program.caches[1:])))


def test_a_file_without_the_section_or_with_a_wrong_one(made, tmp_path):
    contents = read(made)
    weights = bytes(contents.weights)
    plain = tmp_path / "plain.ocm"
    plain.write_bytes(encode(contents.program, "{}", weights))
    with pytest.raises(InputError, match="without a section GPU"):
        read_program(plain)
    bad = encode_section(changed(decode_section(contents.more[s.KIND]), stage=99))
    plain.write_bytes(encode(contents.program, "{}", weights, {s.KIND: bad}))
    with pytest.raises(InputError, match=r"not a GPU program: the stage of a dispatch is 99"):
        read_program(plain)
    data = bytearray(made.read_bytes())
    at = data.find(bytes(contents.more[s.KIND]))
    data[at + 40] ^= 1
    plain.write_bytes(data)
    with pytest.raises(InputError, match="the checksum of section 100"):
        read_program(plain)
    with pytest.raises(InternalError, match="badly numbered"):
        encode(contents.program, "{}", weights, {5: b""})
