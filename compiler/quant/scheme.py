"""What a quantised tensor is: the precision vocabulary, and the exact bytes each scheme stores.

Weights are matrices (rows, columns) = (out, in). Byte counts are those of the packed codes, scales,
zero points and tables; containers add their own alignment, which backends count separately.
"""

import math
import re
from dataclasses import dataclass

from optimum_compile.compiler.errors import OptionError

AFFINE_BITS = (2, 3, 4, 5, 6, 8)
LUT_BITS = (1, 2, 3, 4, 6, 8)
SCALE_BYTES = 2  # scales and table entries are stored as float16


def packed_bytes(count: int, bits: int) -> int:
    """Bytes of `count` codes of `bits` bits, packed without gaps, rounded up once."""
    return (count * bits + 7) // 8


@dataclass(frozen=True)
class PerChannel:
    """One scale for each row."""

    def __str__(self) -> str:
        return "channel"


@dataclass(frozen=True)
class PerGroup:
    """One scale for each run of `size` columns of a row; the last run may be shorter."""

    size: int

    def __post_init__(self) -> None:
        if self.size < 1:
            raise OptionError(f"group size {self.size}: expected a positive number")

    def __str__(self) -> str:
        return f"g{self.size}"


Granularity = PerChannel | PerGroup


@dataclass(frozen=True)
class Float:
    """Not quantised: 16 or 32 bits a weight."""

    bits: int = 16

    def __post_init__(self) -> None:
        if self.bits not in (16, 32):
            raise OptionError(f"float{self.bits}: expected 16 or 32 bits")

    def stored_bytes(self, rows: int, columns: int) -> int:
        """Bytes of a (rows, columns) tensor."""
        return rows * columns * self.bits // 8

    def __str__(self) -> str:
        return f"f{self.bits}"


@dataclass(frozen=True)
class Affine:
    """An integer grid: w = scale * (code - zero).

    Symmetric: signed codes in [-2^(b-1), 2^(b-1) - 1], no zero point. Asymmetric: unsigned codes and
    an unsigned zero point of `bits` bits a group. Scales are fp16 values; where a runtime keeps them
    as bfloat16 (XNNPACK's int4 groups) `scale_dtype` "bf16" restricts them to that grid.
    """

    bits: int
    group: Granularity = PerChannel()
    symmetric: bool = True
    scale_dtype: str = "f16"

    def __post_init__(self) -> None:
        if self.bits not in AFFINE_BITS:
            raise OptionError(f"int{self.bits}: expected one of {AFFINE_BITS} bits")
        if self.scale_dtype not in ("f16", "bf16"):
            raise OptionError(f"scale type {self.scale_dtype!r}: expected f16 or bf16")

    def group_size(self, columns: int) -> int:
        """Columns that share a scale."""
        return columns if isinstance(self.group, PerChannel) else min(self.group.size, columns)

    def groups(self, columns: int) -> int:
        """Scales in a row."""
        return math.ceil(columns / self.group_size(columns))

    def stored_bytes(self, rows: int, columns: int) -> int:
        """Bytes of a (rows, columns) tensor: codes, scales, zero points."""
        scales = rows * self.groups(columns)
        zeros = 0 if self.symmetric else packed_bytes(scales, self.bits)
        return packed_bytes(rows * columns, self.bits) + scales * SCALE_BYTES + zeros

    def __str__(self) -> str:
        kind = "int" if self.symmetric else "uint"
        tail = "" if self.scale_dtype == "f16" else f"@{self.scale_dtype}"
        return f"{kind}{self.bits}:{self.group}{tail}"


@dataclass(frozen=True)
class Lut:
    """A palette: each weight is an index into a table of 2^bits fp16 entries.

    `rows_per_table` rows share a table. (rows need not be a multiple: the last table serves fewer.)
    """

    bits: int
    rows_per_table: int = 1

    def __post_init__(self) -> None:
        if self.bits not in LUT_BITS:
            raise OptionError(f"lut{self.bits}: expected one of {LUT_BITS} bits")
        if self.rows_per_table < 1:
            raise OptionError(f"lut rows {self.rows_per_table}: expected a positive number")

    def tables(self, rows: int) -> int:
        """Tables of a tensor with `rows` rows."""
        return math.ceil(rows / self.rows_per_table)

    def stored_bytes(self, rows: int, columns: int) -> int:
        """Bytes of a (rows, columns) tensor: indices and tables."""
        return (
            packed_bytes(rows * columns, self.bits)
            + self.tables(rows) * (1 << self.bits) * SCALE_BYTES
        )

    def __str__(self) -> str:
        return f"lut{self.bits}:r{self.rows_per_table}"


Scheme = Float | Affine | Lut

_AFFINE = re.compile(r"(u?)int([2-8])(?::(channel|g(\d{1,5})))?(?:@(bf16|f16))?")
_LUT = re.compile(r"lut([1-8])(?::r(\d{1,6}))?")


def parse_scheme(text: str) -> Scheme:
    """Read `str(scheme)` back: f16, int8, int4:g32, uint4:g64, int4:g32@bf16, lut2:r1.

    Raises OptionError that names the forms.
    """
    if text in ("f16", "f32"):
        return Float(int(text[1:]))
    match = _AFFINE.fullmatch(text)
    if match:
        unsigned, bits, _, size, dtype = match.groups()
        group = PerGroup(int(size)) if size else PerChannel()
        return Affine(int(bits), group, symmetric=not unsigned, scale_dtype=dtype or "f16")
    match = _LUT.fullmatch(text)
    if match:
        return Lut(int(match.group(1)), int(match.group(2) or 1))
    raise OptionError(f"scheme {text!r}: expected f16, f32, [u]intN[:channel|:gN], or lutN[:rN]")
