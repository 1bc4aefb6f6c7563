"""How many columns share a scale, and how many bytes packed codes take."""

from dataclasses import dataclass

from optimum_compile.compiler.errors import OptionError

HALF_BYTES = 2  # scales, offsets, outliers and table entries are stored as float16


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


def scale_bits_of(scale_dtype: str) -> int:
    """Bits of a scale code where scales have two levels ("u4", "u6", "u8"), 0 where they have one."""
    return int(scale_dtype[1:]) if scale_dtype[0] == "u" else 0


def scale_bytes(rows: int, groups: int, scale_bits: int) -> int:
    """Bytes of the scales of `rows` rows: fp16 numbers, or one of them a row and a code a group."""
    if not scale_bits:
        return rows * groups * HALF_BYTES
    return packed_bytes(rows * groups, scale_bits) + rows * HALF_BYTES


def group_size_of(group: Granularity, columns: int) -> int:
    """Columns that share a scale in a row of `columns`."""
    return columns if isinstance(group, PerChannel) else min(group.size, columns)
