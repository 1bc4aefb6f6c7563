"""What a quantised tensor is: the precision vocabulary, and the exact bytes each scheme stores.

Weights are matrices (rows, columns) = (out, in). Byte counts are those of the packed codes, scales,
zero points and tables; containers add their own alignment, which backends count separately.
"""

import math
from dataclasses import dataclass

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.quant.granularity import (
    HALF_BYTES,
    Granularity,
    PerChannel,
    PerGroup,
    group_size_of,
    packed_bytes,
    scale_bits_of,
    scale_bytes,
)
from optimum_compile.compiler.quant.vector_scheme import Vector

__all__ = [
    "AFFINE_BITS",
    "E0M4",
    "HALF_BYTES",
    "LUT_BITS",
    "MAX_OUTLIERS",
    "RUNS",
    "SCALE_DTYPES",
    "ZERO_DTYPES",
    "Affine",
    "Float",
    "Granularity",
    "Lut",
    "Nested",
    "PerChannel",
    "PerGroup",
    "Runs",
    "Scheme",
    "Sparse",
    "Vector",
    "packed_bytes",
]

AFFINE_BITS = (2, 3, 4, 5, 6, 8)
LUT_BITS = (1, 2, 3, 4, 5, 6, 7, 8)
SCALE_DTYPES = ("f16", "bf16", "u4", "u6", "u8")
ZERO_DTYPES = ("int", "f16", "u4", "u6", "u8")
MAX_OUTLIERS = 0.5


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
    a zero point a group: a code (`zero_dtype` "int"), any fp16 number ("f16"), or a fixed-point
    number of 4, 6 or 8 bits ("u4", "u6", "u8"), which divides the range of codes into as many steps:
    of 2-bit codes "u6" has sixteenths.

    Scales are fp16 values. `scale_dtype` "bf16" restricts them to those that bfloat16 holds too, for
    runtimes that keep them so (XNNPACK's int4 groups). "u4", "u6" and "u8" store two levels: one fp16
    number a row and an unsigned code of 4, 6 or 8 bits a group, whose product, rounded to fp16, is
    the scale of the group.
    """

    bits: int
    group: Granularity = PerChannel()
    symmetric: bool = True
    scale_dtype: str = "f16"
    zero_dtype: str = "int"

    def __post_init__(self) -> None:
        if self.bits not in AFFINE_BITS:
            raise OptionError(f"int{self.bits}: expected one of {AFFINE_BITS} bits")
        if self.scale_dtype not in SCALE_DTYPES:
            known = ", ".join(SCALE_DTYPES)
            raise OptionError(f"scale type {self.scale_dtype!r}: expected one of {known}")
        if self.zero_dtype not in ZERO_DTYPES:
            known = ", ".join(ZERO_DTYPES)
            raise OptionError(f"zero point type {self.zero_dtype!r}: expected one of {known}")
        if self.symmetric and self.zero_dtype != "int":
            raise OptionError(
                f"int{self.bits}: {self.zero_dtype} zero points need an unsigned grid"
            )
        if self.zero_bits < self.bits:
            raise OptionError(f"uint{self.bits}: zero points need {self.bits} bits at least")
        if self.scale_bits and isinstance(self.group, PerChannel):
            raise OptionError(f"{self.scale_dtype} scales: expected groups, such as g64")

    @property
    def scale_bits(self) -> int:
        """Bits of a scale code where scales have two levels, 0 where they have one."""
        return scale_bits_of(self.scale_dtype)

    @property
    def zero_bits(self) -> int:
        """Bits of a stored zero point."""
        return self.bits if self.zero_dtype == "int" else int(self.zero_dtype[1:])

    @property
    def zero_step(self) -> float:
        """What fixed-point zero points are multiples of; 1 for codes."""
        return 2.0 ** (self.bits - self.zero_bits)

    def group_size(self, columns: int) -> int:
        """Columns that share a scale."""
        return group_size_of(self.group, columns)

    def groups(self, columns: int) -> int:
        """Scales in a row."""
        return math.ceil(columns / self.group_size(columns))

    def stored_bytes(self, rows: int, columns: int) -> int:
        """Bytes of a (rows, columns) tensor: codes, scales, zero points."""
        groups = self.groups(columns)
        scales = scale_bytes(rows, groups, self.scale_bits)
        zeros = packed_bytes(rows * groups, self.zero_bits)
        return packed_bytes(rows * columns, self.bits) + scales + (0 if self.symmetric else zeros)

    def __str__(self) -> str:
        kind = "int" if self.symmetric else "uint"
        marks = [self.scale_dtype] if self.scale_dtype != "f16" else []
        marks += [f"z{self.zero_dtype}"] if self.zero_dtype != "int" else []
        return f"{kind}{self.bits}:{self.group}" + (f"@{','.join(marks)}" if marks else "")


@dataclass(frozen=True)
class E0M4:
    """Four bits as the mantissa of an fp16 number whose exponent is always zero.

    Code q stands for h = 1 + q / 16, whose bits are (q << 6) | 0x3C00: two bitwise operations and
    no conversion decode it. A group has two fp16 numbers: w = a * h + c. The points are equidistant,
    so the quality is that of an unsigned 4-bit grid with a free offset; only the decoding differs.
    """

    group: Granularity = PerChannel()

    @property
    def bits(self) -> int:
        """Always 4."""
        return 4

    def group_size(self, columns: int) -> int:
        """Columns that share a scale and an offset."""
        return group_size_of(self.group, columns)

    def groups(self, columns: int) -> int:
        """Scales in a row."""
        return math.ceil(columns / self.group_size(columns))

    def stored_bytes(self, rows: int, columns: int) -> int:
        """Bytes of a (rows, columns) tensor: codes, scales, offsets."""
        return packed_bytes(rows * columns, 4) + 2 * rows * self.groups(columns) * HALF_BYTES

    def __str__(self) -> str:
        return f"e0m4:{self.group}"


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
            + self.tables(rows) * (1 << self.bits) * HALF_BYTES
        )

    def __str__(self) -> str:
        return f"lut{self.bits}:r{self.rows_per_table}"


@dataclass(frozen=True)
class Nested:
    """Palettes of every width from `seed_bits` to `bits` in one: a code of b bits leads that of b + 1.

    The bits of the codes are stored as planes, the leading one first, and for each width there is a
    table of fp16 entries that `rows_per_table` rows share: whoever wants b bits reads b planes and the
    table of that width. Tables of all widths take bytes, which rows of few columns feel.
    """

    seed_bits: int
    bits: int
    rows_per_table: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.seed_bits < self.bits <= LUT_BITS[-1]:
            raise OptionError(
                f"nest{self.seed_bits}-{self.bits}: expected two widths of 1 to {LUT_BITS[-1]} bits, "
                "the smaller first, as nest2-4"
            )
        if self.rows_per_table < 1:
            raise OptionError(f"nest rows {self.rows_per_table}: expected a positive number")

    @property
    def widths(self) -> range:
        """The widths that can be read, in bits."""
        return range(self.seed_bits, self.bits + 1)

    @property
    def entries(self) -> int:
        """Entries of one table of each width."""
        return (2 << self.bits) - (1 << self.seed_bits)

    def tables(self, rows: int) -> int:
        """Tables of one width of a tensor with `rows` rows."""
        return math.ceil(rows / self.rows_per_table)

    def stored_bytes(self, rows: int, columns: int) -> int:
        """Bytes of a (rows, columns) tensor: all planes, each rounded up to a byte, all tables."""
        planes = self.bits * packed_bytes(rows * columns, 1)
        return planes + self.tables(rows) * self.entries * HALF_BYTES

    def read_bytes(self, rows: int, columns: int, width: int) -> int:
        """Bytes that one pass over the tensor at `width` bits touches."""
        planes = width * packed_bytes(rows * columns, 1)
        return planes + self.tables(rows) * (1 << width) * HALF_BYTES

    def __str__(self) -> str:
        return f"nest{self.seed_bits}-{self.bits}:r{self.rows_per_table}"


@dataclass(frozen=True)
class Runs:
    """How positions of outliers are stored: a count for each run of columns, an index for each one.

    `width` columns of a row make a run (the last one of a row may be shorter); its count takes
    `count_bytes`, an index inside it `index_bits`.
    """

    width: int
    index_bits: int
    count_bytes: int

    def number(self, rows: int, columns: int) -> int:
        """Runs of a matrix."""
        return rows * math.ceil(columns / self.width)

    def stored_bytes(self, rows: int, columns: int, count: int) -> int:
        """Bytes of the positions of `count` outliers."""
        return self.number(rows, columns) * self.count_bytes + packed_bytes(count, self.index_bits)


# Short runs win where outliers are many, long ones (one count a row) where they are few.
RUNS = (Runs(128, 7, 1), Runs(65536, 16, 4))


@dataclass(frozen=True)
class Sparse:
    """A dense base of few bits, and apart from it the `fraction` of weights that are outliers.

    outliers "added": an fp16 number an outlier is added to what the base gives at its place, which
    makes it exact to fp16. outliers "scaled": the outlier keeps its code in the base, and is read
    with a second scale, one a group; the base must be a signed grid of fp16 scales.

    The number of outliers of a matrix is a function of its shape, so sizes are known without data.
    """

    base: "Affine | Lut | E0M4"
    fraction: float
    outliers: str = "added"

    def __post_init__(self) -> None:
        if not isinstance(self.base, Affine | Lut | E0M4):
            raise OptionError(
                f"{self.base} with outliers: expected an integer grid, a palette or e0m4"
            )
        if not 0 <= self.fraction <= MAX_OUTLIERS:
            raise OptionError(f"outlier fraction {self.fraction}: expected 0 to {MAX_OUTLIERS}")
        if self.outliers not in ("added", "scaled"):
            raise OptionError(f"outliers {self.outliers!r}: expected added or scaled")
        scaled = isinstance(self.base, Affine) and self.base.symmetric and not self.base.scale_bits
        if self.outliers == "scaled" and not scaled:
            raise OptionError(
                f"{self.base} with scaled outliers: expected a signed grid, as int4:g128"
            )

    @property
    def bits(self) -> int:
        """Bits of a code of the base."""
        return self.base.bits

    def count(self, rows: int, columns: int) -> int:
        """Outliers of a (rows, columns) tensor."""
        return int(self.fraction * rows * columns + 0.5)

    def runs(self, rows: int, columns: int) -> Runs:
        """The way to store positions that takes the fewest bytes."""
        count = self.count(rows, columns)
        return min(RUNS, key=lambda r: r.stored_bytes(rows, columns, count))

    def stored_bytes(self, rows: int, columns: int) -> int:
        """Bytes of a (rows, columns) tensor: the base, positions, and values or second scales."""
        base, count = self.base.stored_bytes(rows, columns), self.count(rows, columns)
        if not count:
            return base
        places = self.runs(rows, columns).stored_bytes(rows, columns, count)
        if isinstance(self.base, Affine) and self.outliers == "scaled":
            return base + places + rows * self.base.groups(columns) * HALF_BYTES
        return base + places + count * HALF_BYTES

    def __str__(self) -> str:
        return f"{self.base}+{'s' if self.outliers == 'added' else 'o'}{float(self.fraction)!r}"


Scheme = Float | Affine | Lut | E0M4 | Nested | Vector | Sparse
