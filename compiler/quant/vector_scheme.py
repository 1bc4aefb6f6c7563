"""Vector tables: one index stands for several neighbouring weights."""

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

VECTOR_BITS = (4, 5, 6, 7, 8)
VECTOR_WIDTHS = (2, 4, 8)
VECTOR_SCALES = ("f16", "u4", "u6", "u8")


@dataclass(frozen=True)
class Vector:
    """Runs of `width` columns: each an index of `bits` bits into a codebook of vectors, times a scale.

    The codebook holds 2^bits vectors of fp16 numbers. It belongs to the tensor ("own"), or to all
    tensors of the model that have the same bits and width ("shared"): then its `codebook_bytes` are
    counted for the model, once, and not for a tensor.

    There is an fp16 scale a row or a group. `scale_dtype` "u4", "u6" and "u8" store two levels, as
    integer grids do: one fp16 number a row, and an unsigned code a group.
    """

    bits: int = 8
    width: int = 4
    group: Granularity = PerChannel()
    scale_dtype: str = "f16"
    codebook: str = "own"

    def __post_init__(self) -> None:
        if self.bits not in VECTOR_BITS or self.width not in VECTOR_WIDTHS:
            raise OptionError(
                f"vec{self.bits}x{self.width}: expected indices of {VECTOR_BITS[0]} to "
                f"{VECTOR_BITS[-1]} bits, each for one of {VECTOR_WIDTHS} weights"
            )
        if self.scale_dtype not in VECTOR_SCALES:
            known = ", ".join(VECTOR_SCALES)
            raise OptionError(f"scale type {self.scale_dtype!r}: expected one of {known}")
        if self.codebook not in ("own", "shared"):
            raise OptionError(f"codebook {self.codebook!r}: expected own or shared")
        if isinstance(self.group, PerGroup) and self.group.size % self.width:
            raise OptionError(f"{self}: expected groups of a multiple of {self.width} columns")
        if self.scale_bits and isinstance(self.group, PerChannel):
            raise OptionError(f"{self.scale_dtype} scales: expected groups, such as g64")

    @property
    def scale_bits(self) -> int:
        """Bits of a scale code where scales have two levels, 0 where they have one."""
        return scale_bits_of(self.scale_dtype)

    @property
    def bits_per_weight(self) -> float:
        """Bits of an index that one weight pays for."""
        return self.bits / self.width

    @property
    def codebook_bytes(self) -> int:
        """Bytes of the codebook, whoever owns it."""
        return (self.width << self.bits) * HALF_BYTES

    def group_size(self, columns: int) -> int:
        """Columns that share a scale."""
        return group_size_of(self.group, columns)

    def groups(self, columns: int) -> int:
        """Scales in a row."""
        return math.ceil(columns / self.group_size(columns))

    def stored_bytes(self, rows: int, columns: int) -> int:
        """Bytes of a (rows, columns) tensor: indices, scales, and a codebook of its own."""
        scales = scale_bytes(rows, self.groups(columns), self.scale_bits)
        own = self.codebook_bytes if self.codebook == "own" else 0
        return packed_bytes(rows * math.ceil(columns / self.width), self.bits) + scales + own

    def __str__(self) -> str:
        marks = [self.scale_dtype] if self.scale_dtype != "f16" else []
        marks += ["shared"] if self.codebook == "shared" else []
        text = f"vec{self.bits}x{self.width}:{self.group}"
        return text + (f"@{','.join(marks)}" if marks else "")
