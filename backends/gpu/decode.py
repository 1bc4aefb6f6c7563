"""Read the section `GPU`, untrusted: every count is held against the bytes that are left."""

from functools import partial
from pathlib import Path

from optimum_compile.backends.gpu.check import check_section
from optimum_compile.backends.gpu.section import (
    KIND,
    VERSION,
    Bound,
    BufferKind,
    Change,
    Dispatch,
    Flags,
    GpuSection,
    Kernel,
    Launches,
    Param,
    ParamKind,
    Pipeline,
)
from optimum_compile.backends.native.decode import (
    Cursor,
    FormatError,
    enum_of,
    expression_of,
    read,
)
from optimum_compile.backends.native.program import Program
from optimum_compile.compiler.errors import InputError

MAX_BYTES = 1 << 28
MOST_WIDTHS = 8


def decode_section(data: memoryview | bytes) -> GpuSection:
    """The section. Raises FormatError; indices are not looked at (see `check_section`)."""
    if len(data) > MAX_BYTES:
        raise FormatError(f"{len(data)} bytes of dispatches: too many")
    cursor = Cursor(memoryview(data))
    (version,) = cursor.take("I")
    if version != VERSION:
        raise FormatError(
            f"the section GPU has version {version}, this reader knows {VERSION}: compile the model again"
        )
    widths = cursor.indices(cursor.count(4))
    if len(widths) > MOST_WIDTHS:
        raise FormatError(f"{len(widths)} widths, expected {MOST_WIDTHS} at most")
    section = GpuSection(
        widths,
        cursor.table(_kernel, 8),
        cursor.table(expression_of, 4),
        cursor.table(_pipeline, 8),
        cursor.table(partial(_launches, len(widths)), 5 + 4 * len(widths)),
    )
    if cursor.at != len(cursor.data):
        raise FormatError(f"{len(cursor.data) - cursor.at} bytes are left over")
    return section


def read_program(path: Path) -> tuple[Program, GpuSection, str]:
    """Program, section and metadata of a file, checked. Raises InputError for one that is damaged."""
    contents = read(path)
    if KIND not in contents.more:
        raise InputError(f"{path}: a native program without a section GPU; use --target gpu")
    try:
        section = decode_section(contents.more[KIND])
        check_section(section, contents.program)
    except ValueError as error:
        raise InputError(f"{path}: not a GPU program: {error}") from error
    return contents.program, section, contents.metadata_json


def _kernel(cursor: Cursor) -> Kernel:
    return Kernel(cursor.string(), *cursor.take("I"))


def _pipeline(cursor: Cursor) -> Pipeline:
    (kernel,) = cursor.take("I")
    return Pipeline(kernel, cursor.indices(cursor.count(4)))


def _launches(widths: int, cursor: Cursor) -> Launches:
    (optional,) = cursor.take("B")
    if optional > 1:
        raise FormatError(f"a function's head is marked {optional}, not 0 or 1")
    dispatches = cursor.table(_dispatch, 27)
    changes = tuple(cursor.table(_change, 24) for _ in range(widths))
    return Launches(bool(optional), dispatches, changes)


def _change(cursor: Cursor) -> Change:
    dispatch, pipeline, x, y, z = cursor.take("IIIII")
    return Change(dispatch, pipeline, (x, y, z), cursor.table(_placed, 13))


def _placed(cursor: Cursor) -> tuple[int, Param]:
    (place,) = cursor.take("I")
    return place, _param(cursor)


def _dispatch(cursor: Cursor) -> Dispatch:
    pipeline, stage, flags, x, y, z = cursor.take("IHBIII")
    if flags not in range(Flags.BARRIER + Flags.LOGITS + 1):
        raise FormatError(f"a dispatch has the flags {flags}")
    buffers, params = cursor.table(_bound, 21), cursor.table(_param, 9)
    return Dispatch(pipeline, stage, Flags(flags), (x, y, z), buffers, params)


def _bound(cursor: Cursor) -> Bound:
    kind, index, offset, size = cursor.take("BIQQ")
    return Bound(enum_of(BufferKind, kind), index, offset, size)


def _param(cursor: Cursor) -> Param:
    kind, value = cursor.take("Bq")
    return Param(enum_of(ParamKind, kind), value)
