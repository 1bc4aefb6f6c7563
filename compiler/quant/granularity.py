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


def group_size_of(group: Granularity, columns: int) -> int:
    """Columns that share a scale in a row of `columns`."""
    return columns if isinstance(group, PerChannel) else min(group.size, columns)
