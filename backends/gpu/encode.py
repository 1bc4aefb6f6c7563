"""Write the section `GPU`: the bytes of `docs/gpu.md`, the same ones for the same section."""

import struct

from optimum_compile.backends.gpu.section import (
    VERSION,
    Bound,
    Change,
    Dispatch,
    GpuSection,
    Kernel,
    Launches,
    Param,
    Pipeline,
)
from optimum_compile.backends.native.encode import expression, table, text
from optimum_compile.compiler.errors import InternalError


def encode_section(section: GpuSection) -> bytes:
    """The whole section. Raises InternalError for a function without changes for each width."""
    count = len(section.widths)
    if any(len(each.changes) != count for each in section.functions):
        raise InternalError(f"a function of a GPU program has not {count} tables of changes")
    tables = (
        table(struct.pack("<I", width) for width in section.widths),
        table(_kernel(each) for each in section.kernels),
        table(expression(each) for each in section.expressions),
        table(_pipeline(each) for each in section.pipelines),
        table(_launches(each) for each in section.functions),
    )
    return struct.pack("<I", VERSION) + b"".join(tables)


def _kernel(kernel: Kernel) -> bytes:
    return text(kernel.name) + struct.pack("<I", kernel.crc32)


def _pipeline(pipeline: Pipeline) -> bytes:
    count = len(pipeline.constants)
    return struct.pack(f"<II{count}I", pipeline.kernel, count, *pipeline.constants)


def _launches(launches: Launches) -> bytes:
    head = struct.pack("<B", launches.optional_head)
    made = head + table(_dispatch(each) for each in launches.dispatches)
    return made + b"".join(table(map(_change, changes)) for changes in launches.changes)


def _change(change: Change) -> bytes:
    head = struct.pack("<IIIII", change.dispatch, change.pipeline, *change.groups)
    return head + table(struct.pack("<I", at) + _param(param) for at, param in change.params)


def _dispatch(one: Dispatch) -> bytes:
    head = struct.pack("<IHBIII", one.pipeline, one.stage, one.flags, *one.groups)
    return head + table(map(_bound, one.buffers)) + table(map(_param, one.params))


def _bound(bound: Bound) -> bytes:
    return struct.pack("<BIQQ", bound.kind, bound.index, bound.offset, bound.size_bytes)


def _param(param: Param) -> bytes:
    return struct.pack("<Bq", param.kind, param.value)
