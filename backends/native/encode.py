"""Write a native program: the bytes of `docs/native.md`, the same ones for the same program."""

import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from optimum_compile.backends.native.program import (
    FIRST_PRIVATE,
    MAGIC,
    MAX_SECTIONS,
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


def encode(
    program: Program,
    metadata_json: str,
    weights: bytes = b"",
    more: Mapping[int, bytes] | None = None,
) -> bytes:
    """The whole file in memory, for small programs."""
    head = head_of(program, metadata_json, len(weights), zlib.crc32(weights), more)
    return head + weights


def write(
    out: Path,
    program: Program,
    metadata_json: str,
    weights: Path,
    more: Mapping[int, bytes] | None = None,
) -> None:
    """Write `out` with the bytes of the file `weights`; `out` appears whole or not at all.

    more: sections of other readers, by kind (100 and more).
    """
    crc = 0
    for chunk in _chunks(weights):
        crc = zlib.crc32(chunk, crc)
    head = head_of(program, metadata_json, weights.stat().st_size, crc, more)
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


def head_of(
    program: Program,
    metadata_json: str,
    weight_bytes: int,
    weight_crc: int,
    more: Mapping[int, bytes] | None = None,
) -> bytes:
    """Everything in front of the bytes of the weights, which come last."""
    bodies: dict[int, bytes] = {Section.META: metadata_json.encode("utf-8")}
    bodies[Section.PROGRAM] = encode_program(program)
    bodies |= more or {}
    count = len(bodies) + 1
    if count > MAX_SECTIONS or any(kind < FIRST_PRIVATE for kind in more or {}):
        raise InternalError(f"sections {', '.join(map(str, bodies))}: too many, or badly numbered")
    rows, data, end = b"", b"", HEADER.size + count * SECTION.size
    for kind, body in bodies.items():
        begin = aligned(end, PART_ALIGNMENT)
        rows += SECTION.pack(kind, zlib.crc32(body), begin, len(body))
        data += bytes(begin - end) + body
        end = begin + len(body)
    begin = aligned(end, WEIGHTS_ALIGNMENT)
    rows += SECTION.pack(Section.WEIGHTS, weight_crc, begin, weight_bytes)
    fields = (begin + weight_bytes, count, 0)
    crc = zlib.crc32(HEADER.pack(MAGIC, VERSION, 0, *fields) + rows)
    return HEADER.pack(MAGIC, VERSION, crc, *fields) + rows + data + bytes(begin - end)


def aligned(size: int, to: int) -> int:
    """The next multiple of `to`."""
    return -(-size // to) * to


def encode_program(program: Program) -> bytes:
    """The section `PROGRAM`."""
    s = program.sizes
    tables = (
        table(_symbol(each) for each in program.symbols),
        table(expression(each) for each in program.expressions),
        table(_guard(each) for each in program.guards),
        table(_stage(each) for each in program.stages),
        table(_part(each) for each in program.parts),
        table(_weight(each) for each in program.weights),
        table(_cache(each) for each in program.caches),
        table(_function(each) for each in program.functions),
    )
    return struct.pack("<3q", s.vocabulary, s.context, s.max_prefill) + b"".join(tables)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def table(entries: Iterable[bytes]) -> bytes:
    """A count and its entries."""
    made = list(entries)
    return struct.pack("<I", len(made)) + b"".join(made)


def text(words: str) -> bytes:
    """A length and UTF-8."""
    data = words.encode("utf-8")
    if len(data) > MAX_STRING_BYTES:
        raise InternalError(f"a name of {len(data)} bytes: {words[:60]}...")
    return struct.pack("<I", len(data)) + data


def _indices(found: tuple[int, ...]) -> bytes:
    return struct.pack(f"<{len(found)}I", *found)


def _symbol(symbol: Symbol) -> bytes:
    return text(symbol.name) + struct.pack("<qq", symbol.low, symbol.high)


def expression(expr: Expr) -> bytes:
    """A postfix expression."""
    return table(struct.pack("<Bq", op, argument) for op, argument in expr.items)


def _guard(guard: Guard) -> bytes:
    return struct.pack("<IBq", guard.expr, guard.relation, guard.argument) + text(guard.text)


def _stage(stage: Stage) -> bytes:
    return text(stage.name) + text(stage.precision_class)


def _part(part: Part) -> bytes:
    return struct.pack("<QQB", part.offset, part.size_bytes, part.dtype)


def _weight(weight: Weight) -> bytes:
    head = text(weight.name) + struct.pack("<Bqq", weight.kind, weight.rows, weight.columns)
    numbers = struct.pack(
        f"<I{len(weight.parameters)}q", len(weight.parameters), *weight.parameters
    )
    return head + numbers + struct.pack("<I", len(weight.parts)) + _indices(weight.parts)


def _cache(cache: Cache) -> bytes:
    sizes = (cache.heads, cache.context, cache.width, cache.group, cache.window, cache.sinks)
    numbers = struct.pack("<B8q", cache.role, cache.bits, *sizes, cache.offset)
    return text(cache.name) + numbers


def _function(function: Function) -> bytes:
    head = text(function.name) + struct.pack("<qqI", function.low, function.high, function.arena)
    buffers = table(_buffer(each) for each in function.buffers)
    views = table(_view(each) for each in function.views)
    return head + buffers + views + table(_step(each) for each in function.steps)


def _buffer(buffer: Buffer) -> bytes:
    kind = struct.pack("<BBII", buffer.space, buffer.dtype, buffer.elements, buffer.at)
    return text(buffer.name) + kind


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
