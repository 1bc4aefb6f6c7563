"""How a packed matrix lies in the buffers of a kernel: its arguments, and units of whole bytes."""

import math
from dataclasses import dataclass

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.quant.scheme import (
    E0M4,
    Affine,
    Float,
    Lut,
    Nested,
    Scheme,
    Sparse,
    Vector,
    packed_bytes,
)

WORD = 32  # bits
# Kernels compute indices in 32 bits.
MAX_ELEMENTS = 2**31 - 1


@dataclass(frozen=True)
class Matrix:
    """A matrix (rows, columns) as a kernel sees it; kernels are made once for equal ones."""

    rows: int
    columns: int
    scheme: Scheme
    bias: bool = False


@dataclass(frozen=True)
class Argument:
    """A buffer of one axis that a kernel is given."""

    name: str
    dtype: str
    count: int


@dataclass(frozen=True)
class Units:
    """Codes of a row in units that begin and end at whole elements of the buffer.

    Three 3-bit codes lie across two bytes, eight fill three: a unit has 8 codes in 3 elements. Where
    32-bit words divide rows and groups they are read, eight 4-bit codes at once.
    """

    bits: int  # of a code
    codes: int  # in a unit
    dtype: str  # of an element of the buffer
    elements: int  # in a unit
    width: int  # columns that a code stands for
    row: int  # units in a row
    group: int  # units in a group; the last group of a row may have fewer

    @property
    def columns(self) -> int:
        """Columns of a unit."""
        return self.codes * self.width


def find_units(scheme: Scheme, rows: int, columns: int) -> Units | str:
    """The units of a matrix, or why kernels cannot read it."""
    if rows * columns > MAX_ELEMENTS:
        return f"{rows}x{columns} weights are more than 32-bit indices reach"
    if isinstance(scheme, Float):
        return Units(scheme.bits, 1, f"float{scheme.bits}", 1, 1, columns, columns)
    if isinstance(scheme, Nested):
        return f"kernels read packed codes, no bit planes: use lut{scheme.bits}"
    if isinstance(scheme, Sparse):
        return f"kernels have no outliers: use {scheme.base}"
    width = scheme.width if isinstance(scheme, Vector) else 1
    if columns % width:
        return f"vectors of {width} do not divide {columns} columns"
    size = columns if isinstance(scheme, Lut) else min(columns, scheme.group_size(columns))
    row, group = columns // width, size // width
    spans = (row,) if group == row else (row, group)
    bits = scheme.bits
    in_word = WORD // bits
    if WORD % bits == 0 and all(span % in_word == 0 for span in spans):
        return Units(bits, in_word, "uint32", 1, width, row // in_word, group // in_word)
    common = math.gcd(8, bits)
    codes, elements = 8 // common, bits // common
    if any(span % codes for span in spans):
        what = "rows" if row % codes else "groups"
        return f"{what} of {row if row % codes else group} {bits}-bit codes end inside a byte"
    return Units(bits, codes, "uint8", elements, width, row // codes, group // codes)


def units_of(matrix: Matrix) -> Units:
    """The units of a matrix that was accepted."""
    found = find_units(matrix.scheme, matrix.rows, matrix.columns)
    if isinstance(found, str):
        raise InternalError(f"{matrix.scheme} {matrix.rows}x{matrix.columns}: {found}")
    return found


def arguments_of(matrix: Matrix) -> tuple[Argument, ...]:
    """The buffers of a matrix in the order of the kernel's arguments, bias last.

    Codes may be words: the same bytes.
    """
    scheme, rows = matrix.scheme, matrix.rows
    units = units_of(matrix)
    out = [Argument("codes", units.dtype, rows * units.row * units.elements)]
    if isinstance(scheme, Affine | E0M4 | Vector):
        out += _scales(scheme, rows, rows * scheme.groups(matrix.columns))
    if isinstance(scheme, Lut):
        out.append(Argument("table", "float16", scheme.tables(rows) << scheme.bits))
    if isinstance(scheme, Vector):
        out.append(Argument("table", "float16", scheme.width << scheme.bits))
    if matrix.bias:
        out.append(Argument("bias", "float32", rows))
    return tuple(out)


def _scales(scheme: Affine | E0M4 | Vector, rows: int, count: int) -> list[Argument]:
    if isinstance(scheme, E0M4):
        return [Argument("scales", "float16", count), Argument("offsets", "float16", count)]
    out = [Argument("scales", "float16", count)]
    if scheme.scale_bits:
        size = packed_bytes(count, scheme.scale_bits)
        out = [Argument("scales", "uint8", size), Argument("supers", "float16", rows)]
    if isinstance(scheme, Affine) and scheme.zero_dtype == "f16":
        out.append(Argument("zeros", "float16", count))
    elif isinstance(scheme, Affine) and not scheme.symmetric:
        out.append(Argument("zeros", "uint8", packed_bytes(count, scheme.zero_bits)))
    return out
