"""Write a native program: the bytes of `docs/native.md`, the same ones for the same program."""

import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from optimum_compile.backends.native.program import (
    MAGIC,
    MAX_STRING_BYTES,
    PART_ALIGNMENT,
    VERSION,
    WEIGHTS_ALIGNMENT,
    Attribute,
    AttributeKind,
    Buffer,
    Cache,
    Expr,
    Function,
    Guard,
    Operand,
    Part,
    Program,
    Section,
    Stage,
    Step,
    Symbol,
    View,
    Weight,
)
from optimum_compile.compiler.errors import InternalError

CHUNK_BYTES = 1 << 22
HEADER = struct.Struct("<8sIIQII")
SECTION = struct.Struct("<IIQQ")


def encode(program: Program, metadata_json: str, weights: bytes = b"") -> bytes:
    """The whole file in memory, for small programs."""
    head = head_of(program, metadata_json, len(weights), zlib.crc32(weights))
    return head + weights


def write(out: Path, program: Program, metadata_json: str, weights: Path) -> None:
    """Write `out` with the bytes of the file `weights`; `out` appears whole or not at all."""
    crc = 0
    for chunk in _chunks(weights):
        crc = zlib.crc32(chunk, crc)
    head = head_of(program, metadata_json, weights.stat().st_size, crc)
    part = out.with_name(out.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(head)
            for chunk in _chunks(weights):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def head_of(program: Program, metadata_json: str, weight_bytes: int, weight_crc: int) -> bytes:
    """Everything in front of the bytes of the weights, which come last."""
    meta, body = metadata_json.encode("utf-8"), encode_program(program)
    first = aligned(HEADER.size + 3 * SECTION.size, PART_ALIGNMENT)
    second = aligned(first + len(meta), PART_ALIGNMENT)
    third = aligned(second + len(body), WEIGHTS_ALIGNMENT)
    table = b"".join(
        (
            SECTION.pack(Section.META, zlib.crc32(meta), first, len(meta)),
            SECTION.pack(Section.PROGRAM, zlib.crc32(body), second, len(body)),
            SECTION.pack(Section.WEIGHTS, weight_crc, third, weight_bytes),
        )
    )
    fields = (third + weight_bytes, 3, 0)
    crc = zlib.crc32(HEADER.pack(MAGIC, VERSION, 0, *fields) + table)
    head = HEADER.pack(MAGIC, VERSION, crc, *fields) + table
    return ((head.ljust(first, b"\0") + meta).ljust(second, b"\0") + body).ljust(third, b"\0")


def aligned(size: int, to: int) -> int:
    """The next multiple of `to`."""
    return -(-size // to) * to


def encode_program(program: Program) -> bytes:
    """The section `PROGRAM`."""
    s = program.sizes
    tables = (
        _table(_symbol(each) for each in program.symbols),
        _table(_expr(each) for each in program.expressions),
        _table(_guard(each) for each in program.guards),
        _table(_stage(each) for each in program.stages),
        _table(_part(each) for each in program.parts),
        _table(_weight(each) for each in program.weights),
        _table(_cache(each) for each in program.caches),
        _table(_function(each) for each in program.functions),
    )
    return struct.pack("<3q", s.vocabulary, s.context, s.max_prefill) + b"".join(tables)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _table(entries: Iterable[bytes]) -> bytes:
    made = list(entries)
    return struct.pack("<I", len(made)) + b"".join(made)


def _str(text: str) -> bytes:
    data = text.encode("utf-8")
    if len(data) > MAX_STRING_BYTES:
        raise InternalError(f"a name of {len(data)} bytes: {text[:60]}...")
    return struct.pack("<I", len(data)) + data


def _indices(found: tuple[int, ...]) -> bytes:
    return struct.pack(f"<{len(found)}I", *found)


def _symbol(symbol: Symbol) -> bytes:
    return _str(symbol.name) + struct.pack("<qq", symbol.low, symbol.high)


def _expr(expr: Expr) -> bytes:
    return _table(struct.pack("<Bq", op, argument) for op, argument in expr.items)


def _guard(guard: Guard) -> bytes:
    return struct.pack("<IBq", guard.expr, guard.relation, guard.argument) + _str(guard.text)


def _stage(stage: Stage) -> bytes:
    return _str(stage.name) + _str(stage.precision_class)


def _part(part: Part) -> bytes:
    return struct.pack("<QQB", part.offset, part.size_bytes, part.dtype)


def _weight(weight: Weight) -> bytes:
    head = _str(weight.name) + struct.pack("<Bqq", weight.kind, weight.rows, weight.columns)
    numbers = struct.pack(
        f"<I{len(weight.parameters)}q", len(weight.parameters), *weight.parameters
    )
    return head + numbers + struct.pack("<I", len(weight.parts)) + _indices(weight.parts)


def _cache(cache: Cache) -> bytes:
    sizes = (cache.heads, cache.context, cache.width, cache.group, cache.window, cache.sinks)
    numbers = struct.pack("<B8q", cache.role, cache.bits, *sizes, cache.offset)
    return _str(cache.name) + numbers


def _function(function: Function) -> bytes:
    head = _str(function.name) + struct.pack("<qqI", function.low, function.high, function.arena)
    buffers = _table(_buffer(each) for each in function.buffers)
    views = _table(_view(each) for each in function.views)
    return head + buffers + views + _table(_step(each) for each in function.steps)


def _buffer(buffer: Buffer) -> bytes:
    kind = struct.pack("<BBII", buffer.space, buffer.dtype, buffer.elements, buffer.at)
    return _str(buffer.name) + kind


def _view(view: View) -> bytes:
    head = struct.pack("<IIB", view.buffer, view.offset, len(view.shape))
    return head + _indices(view.shape) + _indices(view.strides)


def _step(step: Step) -> bytes:
    counts = (len(step.inputs), len(step.outputs), len(step.attributes))
    head = struct.pack("<HHIII", step.op, step.stage, *counts)
    operands = b"".join(_operand(each) for each in (*step.inputs, *step.outputs))
    return head + operands + b"".join(_attribute(each) for each in step.attributes)


def _operand(operand: Operand) -> bytes:
    return struct.pack("<BI", operand.kind, operand.index)


def _attribute(attribute: Attribute) -> bytes:
    form = "<Bd" if attribute.kind is AttributeKind.FLOAT else "<Bq"
    return struct.pack(form, attribute.kind, attribute.value)
