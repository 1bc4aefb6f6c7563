"""Read a native program, untrusted: sizes, checksums and every index are looked at first."""

import math
import mmap
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import TypeVar

from optimum_compile.backends.native.check import check
from optimum_compile.backends.native.encode import HEADER, SECTION
from optimum_compile.backends.native.program import (
    FIRST_PRIVATE,
    MAGIC,
    MAX_RANK,
    MAX_SECTIONS,
    MAX_STRING_BYTES,
    PART_ALIGNMENT,
    VERSION,
    WEIGHTS_ALIGNMENT,
    Attribute,
    AttributeKind,
    Buffer,
    Cache,
    Element,
    Expr,
    ExprOp,
    Function,
    Guard,
    Op,
    Operand,
    OperandKind,
    Part,
    Program,
    Relation,
    Role,
    Section,
    Sizes,
    Space,
    Stage,
    Step,
    Symbol,
    View,
    Weight,
    WeightKind,
)
from optimum_compile.compiler.errors import InputError

T = TypeVar("T")
E = TypeVar("E", bound=IntEnum)
MAX_META_BYTES = 1 << 26
MAX_PROGRAM_BYTES = 1 << 28


class FormatError(ValueError):
    """Bytes that are no native program."""


@dataclass(frozen=True)
class Contents:
    """What a file holds; `weights` are the bytes of its section, `more` those of private kinds."""

    program: Program
    metadata_json: str
    weights: memoryview
    more: Mapping[int, memoryview] = field(default_factory=dict)


def decode(data: bytes | mmap.mmap | memoryview, *, check_weights: bool = True) -> Contents:
    """Read a whole file. Raises FormatError naming what is wrong.

    check_weights: compare the bytes of the weights with their checksum too.
    """
    view = memoryview(data)
    found = _sections(view)
    for wanted in Section:
        if wanted not in found:
            raise FormatError(f"no section {wanted.name}")
    meta, body = view[found[Section.META]], view[found[Section.PROGRAM]]
    if len(meta) > MAX_META_BYTES or len(body) > MAX_PROGRAM_BYTES:
        raise FormatError(f"{len(meta)} bytes of metadata, {len(body)} of program: too many")
    program = decode_program(body)
    weights = view[found[Section.WEIGHTS]]
    try:
        text = bytes(meta).decode("utf-8")
        check(program, len(weights))
    except ValueError as error:
        raise FormatError(str(error)) from error
    crcs = _checksums(view)
    for kind, place in found.items():
        if kind == Section.WEIGHTS and not check_weights:
            continue
        if zlib.crc32(view[place]) != crcs[kind]:
            raise FormatError(f"the checksum of section {kind} does not fit")
    more = {kind: view[place] for kind, place in found.items() if kind >= FIRST_PRIVATE}
    return Contents(program, text, weights, more)


def metadata_of(path: Path) -> str:
    """The metadata of a file. Raises InputError for one that is damaged."""
    return read(path).metadata_json


def read(path: Path, *, check_weights: bool = False) -> Contents:
    """Map a file and decode it. Raises InputError for one that is damaged or missing."""
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return decode(data, check_weights=check_weights)
    except OSError as error:
        raise InputError(f"{path}: cannot read: {error.strerror}") from error
    except ValueError as error:  # an empty file, or a FormatError
        raise InputError(f"{path}: not a native program: {error}") from error


def _checksums(view: memoryview) -> dict[int, int]:
    count = HEADER.unpack_from(view)[4]
    rows = (SECTION.unpack_from(view, HEADER.size + at * SECTION.size) for at in range(count))
    return {kind: crc for kind, crc, _, _ in rows}


def _sections(view: memoryview) -> dict[int, slice]:
    """Where each section lies; header, table and padding are checked."""
    if len(view) < HEADER.size:
        raise FormatError(f"{len(view)} bytes are no header")
    magic, version, crc, size, count, reserved = HEADER.unpack_from(view)
    if magic != MAGIC:
        raise FormatError("the first bytes are another format's")
    if version != VERSION:
        raise FormatError(f"version {version}, this reader knows {VERSION}")
    end = HEADER.size + count * SECTION.size
    if size != len(view) or not 1 <= count <= MAX_SECTIONS or reserved or end > size:
        raise FormatError(f"{count} sections in {size} bytes, found {len(view)}")
    head = bytes(view[:12]) + bytes(4) + bytes(view[16:end])
    if zlib.crc32(head) != crc:
        raise FormatError("the checksum of the header does not fit")
    found: dict[int, slice] = {}
    for at in range(count):
        kind, _, offset, length = SECTION.unpack_from(view, HEADER.size + at * SECTION.size)
        align = WEIGHTS_ALIGNMENT if kind == Section.WEIGHTS else PART_ALIGNMENT
        if offset % align or offset < end or offset > size or length > size - offset:
            raise FormatError(f"section {kind} at {offset} with {length} bytes lies badly")
        if kind in found or (kind not in iter(Section) and kind < FIRST_PRIVATE):
            raise FormatError(f"section {kind} is unknown, or there twice")
        found[kind] = slice(offset, offset + length)
    for place in sorted(found.values(), key=lambda s: (s.start, s.stop)):
        if place.start < end or any(view[end : place.start]):
            raise FormatError("sections overlap, or bytes between them are not zero")
        end = place.stop
    if any(view[end:]):
        raise FormatError("bytes after the last section are not zero")
    return found


class Cursor:
    """A place in the bytes that moves as values are read."""

    def __init__(self, data: memoryview) -> None:
        self.data, self.at = data, 0

    def take(self, form: str) -> tuple[int, ...]:
        """Little-endian numbers."""
        size = struct.calcsize("<" + form)
        if size > len(self.data) - self.at:
            raise FormatError(f"the program ends at {len(self.data)}, inside a field")
        found = struct.unpack_from("<" + form, self.data, self.at)
        self.at += size
        return found

    def count(self, least: int) -> int:
        """How many entries follow, of `least` bytes each at the least."""
        (number,) = self.take("I")
        if number * least > len(self.data) - self.at:
            raise FormatError(f"{number} entries do not fit the bytes that are left")
        return number

    def table(self, entry: Callable[["Cursor"], T], least: int) -> tuple[T, ...]:
        """A count and its entries."""
        return tuple(entry(self) for _ in range(self.count(least)))

    def indices(self, number: int) -> tuple[int, ...]:
        """u32 numbers."""
        return self.take(f"{number}I")

    def string(self) -> str:
        """A length and UTF-8."""
        size = self.count(1)
        if size > MAX_STRING_BYTES:
            raise FormatError(f"a string of {size} bytes")
        data = bytes(self.data[self.at : self.at + size])
        self.at += size
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise FormatError(f"a string that is not UTF-8: {error}") from error


def enum_of(kind: type[E], number: int) -> E:
    """The member of that number. Raises FormatError for one that is unknown."""
    try:
        return kind(number)
    except ValueError as error:
        raise FormatError(f"{kind.__name__} {number} is unknown") from error


def decode_program(data: memoryview | bytes) -> Program:
    """The section `PROGRAM`. Raises FormatError; indices are not looked at (see `check`)."""
    cursor = Cursor(memoryview(data))
    program = Program(
        Sizes(*cursor.take("3q")),
        cursor.table(_symbol, 20),
        cursor.table(expression_of, 4),
        cursor.table(_guard, 17),
        cursor.table(_stage, 8),
        cursor.table(_part, 17),
        cursor.table(_weight, 29),
        cursor.table(_cache, 69),
        cursor.table(_function, 36),
    )
    if cursor.at != len(cursor.data):
        raise FormatError(f"{len(cursor.data) - cursor.at} bytes are left over")
    return program


def _symbol(cursor: Cursor) -> Symbol:
    return Symbol(cursor.string(), *cursor.take("qq"))


def expression_of(cursor: Cursor) -> Expr:
    """A postfix expression."""
    return Expr(cursor.table(_item, 9))


def _item(cursor: Cursor) -> tuple[ExprOp, int]:
    op, argument = cursor.take("Bq")
    return enum_of(ExprOp, op), argument


def _guard(cursor: Cursor) -> Guard:
    expr, relation, argument = cursor.take("IBq")
    return Guard(expr, enum_of(Relation, relation), argument, cursor.string())


def _stage(cursor: Cursor) -> Stage:
    return Stage(cursor.string(), cursor.string())


def _part(cursor: Cursor) -> Part:
    offset, size, dtype = cursor.take("QQB")
    return Part(offset, size, enum_of(Element, dtype))


def _weight(cursor: Cursor) -> Weight:
    name = cursor.string()
    kind, rows, columns = cursor.take("Bqq")
    parameters = cursor.take(f"{cursor.count(8)}q")
    parts = cursor.indices(cursor.count(4))
    return Weight(name, enum_of(WeightKind, kind), rows, columns, parameters, parts)


def _cache(cursor: Cursor) -> Cache:
    name = cursor.string()
    role, *sizes = cursor.take("B8q")
    return Cache(name, enum_of(Role, role), *sizes)


def _function(cursor: Cursor) -> Function:
    name = cursor.string()
    low, high, arena = cursor.take("qqI")
    tables = cursor.table(_buffer, 14), cursor.table(_view, 9), cursor.table(_step, 16)
    return Function(name, low, high, arena, *tables)


def _buffer(cursor: Cursor) -> Buffer:
    name = cursor.string()
    space, dtype, elements, at = cursor.take("BBII")
    return Buffer(name, enum_of(Space, space), enum_of(Element, dtype), elements, at)


def _view(cursor: Cursor) -> View:
    buffer, offset, rank = cursor.take("IIB")
    if rank > MAX_RANK:
        raise FormatError(f"a view of rank {rank}")
    return View(buffer, offset, cursor.indices(rank), cursor.indices(rank))


def _step(cursor: Cursor) -> Step:
    op, stage, inputs, outputs, attributes = cursor.take("HHIII")
    if 5 * (inputs + outputs) + 9 * attributes > len(cursor.data) - cursor.at:
        raise FormatError("a step has more operands than bytes are left")
    return Step(
        enum_of(Op, op),
        stage,
        tuple(_operand(cursor) for _ in range(inputs)),
        tuple(_operand(cursor) for _ in range(outputs)),
        tuple(_attribute(cursor) for _ in range(attributes)),
    )


def _operand(cursor: Cursor) -> Operand:
    kind, index = cursor.take("BI")
    return Operand(enum_of(OperandKind, kind), index)


def _attribute(cursor: Cursor) -> Attribute:
    (number,) = cursor.take("B")
    kind = enum_of(AttributeKind, number)
    (value,) = cursor.take("d" if kind is AttributeKind.FLOAT else "q")
    if not math.isfinite(value):
        raise FormatError(f"an attribute is {value}")
    return Attribute(kind, value)
