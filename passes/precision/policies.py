"""Policies: which class each block gets. Pure functions; `assign` turns the classes into schemes."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from optimum_compile.compiler.errors import BudgetError, OptionError

UNIFORM_BITS = (16, 8, 4, 3, 2)
POLICIES = ("uniform", "cascade")


@dataclass(frozen=True)
class Shares:
    """The cascade's split of the depth: first INT8, then INT4, the rest INT2."""

    int8: float = 0.25
    int4: float = 0.60
    int2: float = 0.15

    def __post_init__(self) -> None:
        # "not" around the comparisons: every one with a NaN is false.
        if not min(self.tuple()) >= 0 or not abs(sum(self.tuple()) - 1) <= 1e-6:
            raise OptionError(
                f"cascade shares {self.tuple()}: expected three numbers >= 0 that sum to 1"
            )

    def tuple(self) -> tuple[float, float, float]:
        """(INT8, INT4, INT2)."""
        return self.int8, self.int4, self.int2


@dataclass(frozen=True)
class Layout:
    """Classes by depth. `blocks[i]` is the class of block i, `head` that of an untied output head."""

    blocks: tuple[str, ...]
    head: str


def cascade_counts(blocks: int, shares: Shares) -> tuple[int, int, int]:
    """Blocks in INT8, INT4 and INT2. Every class with a share gets a block where there are enough."""
    first = max(1, round(blocks * shares.int8)) if shares.int8 > 0 else 0
    last = max(1, round(blocks * shares.int2)) if shares.int2 > 0 else 0
    first = min(first, blocks)
    last = min(last, blocks - first)
    middle = blocks - first - last
    if middle == 0 and shares.int4 > 0 and blocks >= 3:
        first, last = (first - 1, last) if first > last else (first, last - 1)
        middle = 1
    return first, middle, last


def cascade_layout(counts: tuple[int, int, int], head_high: bool) -> Layout:
    """The cascade with these numbers of blocks; `head_high` keeps the head at INT8."""
    classes = ("INT8",) * counts[0] + ("INT4",) * counts[1] + ("INT2",) * counts[2]
    return Layout(classes, "INT8" if head_high else classes[-1])


def uniform_layout(blocks: int, name: str) -> Layout:
    """One class everywhere."""
    return Layout((name,) * blocks, name)


def cascade_options(blocks: int) -> list[tuple[int, int, int]]:
    """Every split of the depth into three contiguous runs."""
    return [(a, b, blocks - a - b) for a in range(blocks + 1) for b in range(blocks + 1 - a)]


def fit(
    layouts: Sequence[Layout],
    bytes_of: Callable[[Layout], int],
    distance: Callable[[Layout], float],
    budget_bytes: int,
) -> Layout:
    """The layout nearest to the policy's own among those that use most of the budget.

    All that fit and come within 2 % of the fullest fit are equally full; `distance` decides there.
    Raises BudgetError with the achievable range when none fits.
    """
    sized = [(bytes_of(layout), layout) for layout in layouts]
    least, most = min(s for s, _ in sized), max(s for s, _ in sized)
    fitting = [(size, layout) for size, layout in sized if size <= budget_bytes]
    if not fitting:
        raise BudgetError(
            f"budget of {budget_bytes} bytes is below what this policy can reach: "
            f"{least} to {most} bytes"
        )
    full = max(size for size, _ in fitting)
    near = [layout for size, layout in fitting if size >= 0.98 * full]
    return min(near, key=distance)


def share_distance(layout: Layout, shares: Shares) -> float:
    """How far a cascade is from its shares: sum of absolute differences in blocks."""
    count = [layout.blocks.count(name) for name in ("INT8", "INT4", "INT2")]
    total = len(layout.blocks)
    return math.fsum(abs(c - s * total) for c, s in zip(count, shares.tuple(), strict=True))
