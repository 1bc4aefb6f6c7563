"""Whether a section `GPU` holds together with its program: every index, count and range."""

from collections.abc import Sequence
from itertools import pairwise

from optimum_compile.backends.gpu.section import (
    ALIGNMENT,
    LEAST_LOCAL,
    MOST_BUFFERS,
    MOST_CONSTANTS,
    MOST_LOCAL,
    MOST_PARAMS,
    Bound,
    BufferKind,
    Change,
    Dispatch,
    GpuSection,
    Launches,
    Param,
    ParamKind,
    Pipeline,
)
from optimum_compile.backends.native.check import ProgramError, check_expr
from optimum_compile.backends.native.encode import aligned
from optimum_compile.backends.native.program import Program

WORD = 1 << 32
WORD_BYTES = 4
MOST_NAME = 31  # letters of a kernel's name
# Kinds of buffers that have neither an index nor a range of their own.
WHOLE = (BufferKind.ARENA, BufferKind.TOKENS, BufferKind.LOGITS, BufferKind.NONE)


def check_section(section: GpuSection, program: Program) -> None:
    """Raise ProgramError for an index outside its table, or a number that cannot be."""
    if section.widths != program.widths:
        raise ProgramError(
            f"dispatches for the widths {_list(section.widths)}, the weights have {_list(program.widths)}"
        )
    names = [kernel.name for kernel in section.kernels]
    if len(set(names)) != len(names) or not all(0 < len(name) <= MOST_NAME for name in names):
        raise ProgramError(f"kernels {', '.join(names)}: one is there twice, or has no fit name")
    for at, expr in enumerate(section.expressions):
        check_expr(expr, at, len(program.symbols) + 1)
    for pipeline in section.pipelines:
        _check_pipeline(pipeline, section)
    if len(section.functions) != len(program.functions):
        raise ProgramError(
            f"{len(section.functions)} functions of dispatches, the program has {len(program.functions)}"
        )
    offsets = [part.offset for part in program.parts] + [c.offset for c in program.caches]
    if any(offset % ALIGNMENT for offset in offsets):
        raise ProgramError(f"a part or a cache begins at no multiple of {ALIGNMENT}")
    shapes: dict[int, tuple[int, int]] = {}
    for launches in section.functions:
        for dispatch in launches.dispatches:
            _check_dispatch(dispatch, section, program)
            kernel = section.pipelines[dispatch.pipeline].kernel
            found = (len(dispatch.buffers), len(dispatch.params))
            if shapes.setdefault(kernel, found) != found:
                raise ProgramError(f"{names[kernel]}: {found} buffers and params, {shapes[kernel]}")
        if len(launches.changes) != len(section.widths):
            raise ProgramError(
                f"{len(launches.changes)} tables of changes, one for each width is due"
            )
        for changes in launches.changes:
            _check_changes(changes, launches, section)


def _list(widths: Sequence[int]) -> str:
    return ", ".join(map(str, widths)) or "none"


def _check_changes(changes: Sequence[Change], launches: Launches, section: GpuSection) -> None:
    places = [change.dispatch for change in changes]
    _ascending(places, launches.dispatches, "the dispatch of a change")
    for change in changes:
        old = launches.dispatches[change.dispatch]
        _index(change.pipeline, section.pipelines, "the pipeline of a change")
        if section.pipelines[change.pipeline].kernel != section.pipelines[old.pipeline].kernel:
            raise ProgramError("a change names a pipeline of another kernel than its dispatch has")
        for group in change.groups:
            _index(group, section.expressions, "the groups of a change")
        _ascending([at for at, _ in change.params], old.params, "the place of a changed param")
        for _, param in change.params:
            _check_param(param, section)


def _ascending(places: Sequence[int], table: Sequence[object], what: str) -> None:
    for place in places:
        _index(place, table, what)
    if any(a >= b for a, b in pairwise(places)):
        raise ProgramError(f"{what}: {_list(places)} do not ascend")


def _index(index: int, table: Sequence[object], what: str) -> None:
    if not 0 <= index < len(table):
        raise ProgramError(f"{what} is {index}, the table has {len(table)}")


def _check_pipeline(pipeline: Pipeline, section: GpuSection) -> None:
    _index(pipeline.kernel, section.kernels, "the kernel of a pipeline")
    count = len(pipeline.constants)
    if not 1 <= count <= MOST_CONSTANTS:
        raise ProgramError(f"a pipeline has {count} constants, expected 1 to {MOST_CONSTANTS}")
    local = pipeline.constants[0]
    if not LEAST_LOCAL <= local <= MOST_LOCAL or local & (local - 1):
        raise ProgramError(f"a pipeline has workgroups of {local}")
    if not all(0 <= number < WORD for number in pipeline.constants):
        raise ProgramError("a constant has more than 32 bits")


def _check_dispatch(dispatch: Dispatch, section: GpuSection, program: Program) -> None:
    _index(dispatch.pipeline, section.pipelines, "the pipeline of a dispatch")
    _index(dispatch.stage, program.stages, "the stage of a dispatch")
    for group in dispatch.groups:
        _index(group, section.expressions, "the groups of a dispatch")
    if len(dispatch.buffers) > MOST_BUFFERS or len(dispatch.params) > MOST_PARAMS:
        raise ProgramError(
            f"a dispatch has {len(dispatch.buffers)} buffers and {len(dispatch.params)} params; "
            f"at most {MOST_BUFFERS} and {MOST_PARAMS}"
        )
    for bound in dispatch.buffers:
        _check_bound(bound, program)
    for param in dispatch.params:
        _check_param(param, section)


def _check_bound(bound: Bound, program: Program) -> None:
    if bound.kind is not BufferKind.PART and (bound.offset or bound.size_bytes):
        raise ProgramError(f"{bound}: only parts have a range")
    if bound.kind in WHOLE and bound.index:
        raise ProgramError(f"{bound}: an index into no table")
    if bound.kind is BufferKind.CACHE:
        _index(bound.index, program.caches, "the cache of a buffer")
    if bound.kind is BufferKind.PART:
        _index(bound.index, program.parts, "the part of a buffer")
        size = aligned(program.parts[bound.index].size_bytes, WORD_BYTES)
        if bound.offset % ALIGNMENT or bound.size_bytes % WORD_BYTES or not bound.size_bytes:
            raise ProgramError(f"{bound}: badly aligned or empty, the part has {size} bytes")
        if bound.offset > size or bound.size_bytes > size - bound.offset:
            raise ProgramError(f"{bound}: beyond the {size} bytes of the part")


def _check_param(param: Param, section: GpuSection) -> None:
    if param.kind is ParamKind.EXPR:
        _index(param.value, section.expressions, "the expression of a param")
    elif not 0 <= param.value < WORD:
        raise ProgramError(f"{param}: more than 32 bits")
