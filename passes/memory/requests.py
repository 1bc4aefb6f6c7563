"""What is to be placed: buffers with sizes and lifetimes, and which of them are alive together."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.shape import Dim, SymbolRange, as_dim
from optimum_compile.passes.memory.rounding import common_divisor
from optimum_compile.passes.memory.ruler import Part, Ruler


@dataclass(frozen=True)
class Request:
    """One buffer that wants room: bytes, alive from step `first` to step `last` inclusive."""

    name: str
    size_bytes: Dim
    first: int
    last: int


def check_requests(requests: Sequence[Request]) -> None:
    """Raises InternalError for two buffers of one name, and for one that ends before it begins."""
    seen: set[str] = set()
    for each in requests:
        if each.name in seen:
            raise InternalError(f"two buffers of the name {each.name!r}")
        if not 0 <= each.first <= each.last:
            raise InternalError(f"buffer {each.name!r} lives from {each.first} to {each.last}")
        seen.add(each.name)


def neighbours(requests: Sequence[Request]) -> list[list[int]]:
    """For every request the indices of those that are alive at one of its steps."""
    out: list[list[int]] = [[] for _ in requests]
    for at, alive in _sweep(requests):
        for other in alive:
            out[at].append(other)
            out[other].append(at)
    return out


def _sweep(requests: Sequence[Request]) -> Iterator[tuple[int, list[int]]]:
    """Requests in order of their first step, each with the earlier ones that are still alive."""
    alive: list[tuple[int, int]] = []
    for at in sorted(range(len(requests)), key=lambda i: (requests[i].first, i)):
        while alive and alive[0][0] < requests[at].first:
            heapq.heappop(alive)
        yield at, [other for _, other in alive]
        heapq.heappush(alive, (requests[at].last, at))


def live_sets(requests: Sequence[Request]) -> list[tuple[int, ...]]:
    """The sets of requests that are alive at one step and in no greater such set, in order."""
    out: list[tuple[int, ...]] = []
    alive: dict[int, None] = {}
    for at, others in _sweep(requests):
        if len(others) < len(alive):  # something ended: what was alive just before is one
            out.append(tuple(sorted(alive)))
            alive = dict.fromkeys(others)
        alive[at] = None
    return [*out, tuple(sorted(alive))] if alive else out


def lower_bounds(
    requests: Sequence[Request], symbols: Mapping[str, SymbolRange]
) -> tuple[Dim, ...]:
    """Bytes alive at one step, without those sums that another one is never below.

    Raises UnsupportedError as `Ruler` does.
    """
    sizes = list(dict.fromkeys(r.size_bytes for r in requests))
    times = common_divisor(sizes)
    ruler = Ruler([as_dim(size * times) for size in sizes], symbols, 1)
    lengths = [ruler.length(as_dim(size * times)) for size in sizes]
    number = {size: at for at, size in enumerate(sizes)}
    sums: dict[Part, tuple[int, ...]] = {}
    for alive in live_sets(requests):
        count = [0] * len(sizes)
        for index in alive:
            count[number[requests[index].size_bytes]] += 1
        total = ruler.zero
        for n, length in zip(count, lengths, strict=True):
            total = total + ruler.scaled(length, n)
        sums.setdefault(total.parts[0], tuple(count))
    return tuple(
        as_dim(sum((n * size for n, size in zip(sums[part], sizes, strict=True)), start=0))
        for part in ruler.undominated(list(sums))
    )
