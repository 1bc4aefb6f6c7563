"""Policy: classes by depth, INT8 first, INT4 in the middle, INT2 last; and what uniform means in classes."""

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass

from optimum_compile.passes.precision.classes import CLASS_BITS
from optimum_compile.passes.precision.codebooks import Key, key_of
from optimum_compile.passes.precision.policies.facts import Facts, Plan, Shares
from optimum_compile.passes.precision.policies.fill import fitted, toward
from optimum_compile.passes.precision.problem import Picks, Problem
from optimum_compile.passes.precision.units import Unit

NEAR = 0.98  # layouts of at least this share of the fullest are equally full


@dataclass(frozen=True)
class Layout:
    """Classes by depth. `blocks[i]` is the class of block i, `head` that of an untied output head."""

    blocks: tuple[str, ...]
    head: str

    def class_of(self, unit: Unit, head: str | None) -> str:
        """The class of a unit; a table is in that of the first block, tied to the head or not."""
        if unit.routes:
            # A small part of the weights, and a token that gets another expert is lost.
            return "FP16"
        return (*self.blocks, self.head)[self.place_of(unit, head)]

    def place_of(self, unit: Unit, head: str | None) -> int:
        """The number of its block, or of the head behind the last one."""
        if unit.use.as_table:
            return 0
        return len(self.blocks) if unit.name == head else unit.block


def cascade(problem: Problem, facts: Facts) -> Plan:
    """The published split of the depth, or under a budget the fullest split that is nearest to it.

    Under a budget every split into three runs is considered. What it leaves is spent from the front:
    the first tensors behind the INT8 run become INT8 too.
    """
    own = cascade_layout(cascade_counts(facts.blocks, facts.shares), facts.head_high)
    if not problem.is_limited:
        return Plan(_picks(problem, facts, own), cascade_remarks(facts, own, _pinned(problem)))
    options = (cascade_layout(c, facts.head_high) for c in cascade_options(facts.blocks))
    layout = _nearest(problem, _sized(problem, facts, [own, *options]), facts.shares)
    everything = range(len(problem.units))
    picks = _picks(problem, facts, layout)
    high = _picks(problem, facts, cascade_layout((facts.blocks, 0, 0), facts.head_high))
    if problem.fits(picks):
        picks = toward(problem, picks, high, everything)
    order = sorted(everything, key=lambda at: (picks[at] >= high[at], at))
    picks = fitted(problem, picks, order)
    parts = "/".join(str(layout.blocks.count(name)) for name in ("INT8", "INT4", "INT2"))
    said = (
        f"cascade: {parts} blocks in INT8/INT4/INT2 for the budget, the rest of it from the front"
    )
    return Plan(picks, (said, *cascade_remarks(facts, layout, _pinned(problem))))


def _picks(problem: Problem, facts: Facts, layout: Layout) -> Picks:
    classes = [layout.class_of(u.unit, facts.head) for u in problem.units]
    return tuple(facts.at_bits(problem, at, CLASS_BITS[c]) for at, c in enumerate(classes))


def _pinned(problem: Problem) -> set[str]:
    return {u.name for u in problem.units if u.pinned}


def _sized(
    problem: Problem, facts: Facts, layouts: Sequence[Layout]
) -> list[tuple[Layout, tuple[int, ...]]]:
    """Each layout with its bytes on each target.

    There are as many layouts as pairs of blocks: bytes are summed up by block and class before.
    """
    uniform = {name: uniform_layout(facts.blocks, name) for name in ("INT8", "INT4", "INT2")}
    cells: dict[tuple[int, str], tuple[list[int], set[Key | None]]] = {}
    rest = problem.fixed_bytes
    for name, layout in uniform.items():
        for unit, index in zip(problem.units, _picks(problem, facts, layout), strict=True):
            choice = unit.choices[index]
            place = layout.place_of(unit.unit, facts.head)  # a router is f16 in every class
            sizes, keys = cells.setdefault((place, name), ([0] * len(rest), set()))
            keys.add(key_of(choice.scheme))
            sizes[:] = [a + b for a, b in zip(sizes, choice.bytes, strict=True)]
    out = []
    for layout in layouts:
        names = enumerate((*layout.blocks, layout.head))
        found = [cells[at] for at in names if at in cells]
        books = [problem.codebooks[k] for k in set().union(*(keys for _, keys in found)) if k]
        columns = zip(rest, *(sizes for sizes, _ in found), *books, strict=True)
        out.append((layout, tuple(sum(column) for column in columns)))
    return out


def _nearest(
    problem: Problem, sized: Sequence[tuple[Layout, tuple[int, ...]]], shares: Shares
) -> Layout:
    """The layout nearest to the shares among the fullest that fit; the smallest where none does."""
    fitting = [
        (max(sizes), layout)
        for layout, sizes in sized
        if all(n <= most for n, most in zip(sizes, problem.limits, strict=True))
    ]
    if not fitting:
        return min(sized, key=lambda pair: max(pair[1]))[0]
    full = max(size for size, _ in fitting)
    near = [layout for size, layout in fitting if size >= NEAR * full]
    return min(near, key=lambda layout: share_distance(layout, shares))


def cascade_remarks(facts: Facts, layout: Layout, pinned: Container[str]) -> tuple[str, ...]:
    """What of the published cascade is not followed: a tied head's class, and the cache's."""
    said, head = [], facts.head
    tied = head is not None and facts.roles[head] == "tied" and head not in pinned
    if tied and layout.head != layout.blocks[0]:
        said.append(
            f"{head} is embedding and head in one: it keeps the embedding's {layout.blocks[0]}, "
            f"not the head's {layout.head}"
        )
    if facts.has_cache:
        said.append(
            "the published cascade has keys and values of 2 bits: no policy by depth changes the "
            "cache, it stays as the target stores it"
        )
    return tuple(said)


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


def share_distance(layout: Layout, shares: Shares) -> float:
    """How far a cascade is from its shares: sum of absolute differences in blocks."""
    count = [layout.blocks.count(name) for name in ("INT8", "INT4", "INT2")]
    total = len(layout.blocks)
    return math.fsum(abs(c - s * total) for c, s in zip(count, shares.tuple(), strict=True))
