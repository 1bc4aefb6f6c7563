"""Weights of any width in one: planes of bits, and slices that are ordinary palettes.

The codes of a nested weight are those of its widest palette; the leading b bits of them are the codes
of b bits. Its `table` holds the tables of every width side by side, the narrowest first.
"""

import numpy as np

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.quant.pack import pack_codes, unpack_codes
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Lut, Nested, packed_bytes


def at_width(weight: PackedWeight, width: int) -> PackedWeight:
    """The palette of `width` bits that a nested weight contains, bit for bit.

    before: nest2-4, a code 0b1101, tables of 4, 8 and 16 entries
    after:  at 3 bits lut3, the code 0b110, the table of 8 entries

    Raises OptionError for a width that the weight does not have, ValueError if it is not nested.
    """
    scheme = weight.scheme
    if not isinstance(scheme, Nested) or weight.table is None:
        raise ValueError(f"{scheme}: not a nested weight")
    require_width(scheme, width)
    codes = weight.codes >> np.uint8(scheme.bits - width)
    first = table_start(scheme, width)
    table = np.ascontiguousarray(weight.table[:, first : first + (1 << width)])
    return PackedWeight(Lut(width, scheme.rows_per_table), codes, table=table)


def require_width(scheme: Nested, width: int) -> None:
    """Raise OptionError for a width outside those of the scheme."""
    if width not in scheme.widths:
        known = ", ".join(map(str, scheme.widths))
        raise OptionError(f"{scheme} at {width} bits: expected one of {known}")


def table_start(scheme: Nested, width: int) -> int:
    """Where the table of a width begins among the entries of all widths."""
    return (1 << width) - (1 << scheme.seed_bits)


def to_planes(codes: np.ndarray, bits: int) -> np.ndarray:
    """Codes uint8 (rows, columns) as planes, the leading bit first: uint8 (bits * bytes,).

    A plane has one bit a weight in row-major order, least significant bit first, and begins with a byte
    of its own.
    """
    shifts = range(bits - 1, -1, -1)
    return np.concatenate([pack_codes((codes >> np.uint8(s)) & np.uint8(1), 1) for s in shifts])


def from_planes(planes: np.ndarray, bits: int, count: int) -> np.ndarray:
    """Codes uint8 (count,) from the first `bits` planes; more planes behind them are not read.

    Raises ValueError when there are fewer.
    """
    size = packed_bytes(count, 1)
    if planes.ndim != 1 or planes.size < bits * size:
        raise ValueError(f"{planes.size} bytes of planes: expected {bits * size}")
    codes = np.zeros(count, np.uint8)
    for at in range(bits):
        plane = unpack_codes(planes[at * size : (at + 1) * size], 1, count, False)
        codes = (codes << np.uint8(1)) | plane
    return codes


def tables_by_width(scheme: Nested, table: np.ndarray) -> np.ndarray:
    """Tables fp16 (tables, entries of all widths) as they are stored: flat, width after width."""
    ends = np.cumsum([1 << w for w in scheme.widths])[:-1]
    return np.concatenate([part.reshape(-1) for part in np.split(table, ends, axis=1)])


def tables_by_row(scheme: Nested, stored: np.ndarray, rows: int) -> np.ndarray:
    """The way back: fp16 (tables, entries). Raises ValueError for another number of entries."""
    count = scheme.tables(rows)
    if stored.size != count * scheme.entries:
        raise ValueError(f"{stored.size} entries: expected {count * scheme.entries}")
    ends = np.cumsum([count << w for w in scheme.widths])[:-1]
    parts = [p.reshape(count, -1) for p in np.split(stored.reshape(-1), ends)]
    return np.concatenate(parts, axis=1)
