"""Placing buffers one after the other, each where it provably fits.

Written once for plain numbers and for lengths in symbols: all it needs are sums, differences, and an order in
which lengths may be incomparable.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar


class Extent(Protocol):
    """A number, or an expression."""

    def __add__(self, other: Self, /) -> Self: ...
    def __sub__(self, other: Self, /) -> Self: ...
    def __le__(self, other: Self, /) -> bool: ...


E = TypeVar("E", bound=Extent)

MANY = 100  # neighbours, of which every pair is no longer looked at


@dataclass(frozen=True)
class Problem(Generic[E]):
    """Sizes, and for each buffer those that are alive together with it.

    top: what no plan can be below; buffers that are placed from the top hang from here.
    at: the values of an extent at some samples. scale: what no plan can be below at each of them.
    join: an extent that is nowhere below any of several.
    """

    sizes: tuple[E, ...]
    near: tuple[tuple[int, ...], ...]
    zero: E
    top: E
    at: Callable[[E], tuple[int, ...]]
    scale: tuple[int, ...]
    join: Callable[[Sequence[E]], E]
    total: bool = False  # whether any two extents can be compared, as numbers can

    def weight(self, extent: E) -> float:
        """One number for an extent, to order those that cannot be compared."""
        return sum([a / s for a, s in zip(self.at(extent), self.scale, strict=True)])


@dataclass(frozen=True)
class Recipe:
    """In which order to place buffers, and which of them as high as possible below the top."""

    order: tuple[int, ...]
    high: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Placement(Generic[E]):
    """Offsets of all buffers, and how good they are: the greatest and the mean ratio to `scale`."""

    recipe: Recipe
    offsets: tuple[E, ...]
    ends: tuple[E, ...]
    score: tuple[float, float]


def place(problem: Problem[E], recipe: Recipe) -> Placement[E]:
    """Place every buffer as the recipe says.

    A buffer begins at 0 or at the end of one that is alive with it, or ends at the top or at the beginning of
    one, where for each of its neighbours it is proved that one of both ends before the other begins. If no
    such place exists, because ends cannot be compared, it begins at the greatest of several ends.
    """
    spans: dict[int, tuple[E, E]] = {}
    for at in recipe.order:
        size = problem.sizes[at]
        near = [spans[i] for i in problem.near[at] if i in spans]
        start = _highest(problem, size, near) if at in recipe.high else None
        start = _lowest(problem, size, near) if start is None else start
        spans[at] = start, start + size
    ends = tuple(spans[i][1] for i in range(len(spans)))
    peaks = [max(values) for values in zip(*map(problem.at, ends), strict=True)]
    ratios = [p / s for p, s in zip(peaks, problem.scale, strict=True)]
    score = max(ratios, default=0.0), sum(ratios) / max(len(ratios), 1)
    return Placement(recipe, tuple(spans[i][0] for i in range(len(spans))), ends, score)


def _lowest(problem: Problem[E], size: E, near: Sequence[tuple[E, E]]) -> E:
    if problem.total or len(near) > MANY:
        return _first_gap(problem, size, near)
    ends = sorted({e: None for _, e in near}, key=problem.weight)
    for start in (problem.zero, *ends):
        if _fits(start, size, near):
            return start
    # Ends that cannot be compared: begin above the lowest two of them, the lowest three, ..
    start = problem.zero
    for end in ends:
        start = problem.join([start, end])
        if _fits(start, size, near):
            break
    return start


def _first_gap(problem: Problem[E], size: E, near: Sequence[tuple[E, E]]) -> E:
    """As `_lowest`, in one walk from below; among lengths it may miss places between incomparable ends."""
    start = problem.zero
    for begin, stop in sorted(near, key=lambda span: problem.weight(span[0])):
        if start + size <= begin and (problem.total or _fits(start, size, near)):
            break
        start = start if stop <= start else problem.join([start, stop])
    return start


def _highest(problem: Problem[E], size: E, near: Sequence[tuple[E, E]]) -> E | None:
    if len(near) > MANY:
        return None
    edges = sorted({b: None for b, _ in near}, key=problem.weight, reverse=True)
    for edge in (problem.top, *edges):
        start = edge - size
        if problem.zero <= start and _fits(start, size, near):
            return start
    return None


def _fits(start: E, size: E, near: Sequence[tuple[E, E]]) -> bool:
    end = start + size
    return all(stop <= start or end <= begin for begin, stop in near)
