"""Cut a row of blocks into stages of one precision class each, by dynamic programming."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Way = tuple[int, str]  # stages so far, and the class of the last one


@dataclass(frozen=True)
class Piece:
    """Blocks `first` to `last`, inclusive, as one stage of the class `name`."""

    name: str
    first: int
    last: int

    def holds(self, block: int) -> bool:
        """Whether a block lies in it."""
        return self.first <= block <= self.last


def best_cut(costs: Sequence[Mapping[str, float]], limit: int) -> tuple[Piece, ...]:
    """The cut into at most `limit` stages of least cost.

    A stage costs the sum of its blocks' costs under its class, so that one pass over the blocks with
    the best way to every (stages, class) is exact: O(blocks * limit * classes^2). Of cuts that cost
    the same, the one with fewest stages; then each cut as late as possible, so that a block which
    does not care joins the stage before it.

    Args:
        costs: for every block what it costs in a stage of each class; the same classes in all.
        limit: most stages; below one counts as one.
    """
    if not costs or not costs[0]:
        return ()
    names = sorted(costs[0])
    best: dict[Way, float] = {(1, name): costs[0][name] for name in names}
    came: list[dict[Way, Way]] = []
    for row in costs[1:]:
        arrivals: dict[Way, tuple[float, Way]] = {}
        for count in range(1, max(1, limit) + 1):
            for name in names:
                # A cut here comes before going on in the list: of equals `min` takes the first.
                cuts = [(count - 1, other) for other in names if other != name]
                ways = [w for w in (*cuts, (count, name)) if w in best]
                if ways:
                    way = min(ways, key=best.__getitem__)
                    arrivals[count, name] = (best[way] + row[name], way)
        best = {way: cost for way, (cost, _) in arrivals.items()}
        came.append({way: before for way, (_, before) in arrivals.items()})
    way = min(best, key=lambda w: (best[w], w))
    return _pieces([way, *_backwards(way, came)][::-1])


def _backwards(way: Way, came: Sequence[Mapping[Way, Way]]) -> list[Way]:
    out = []
    for before in reversed(came):
        way = before[way]
        out.append(way)
    return out


def _pieces(ways: Sequence[Way]) -> tuple[Piece, ...]:
    """Runs of equal (stages, class), one a block."""
    out: list[Piece] = []
    for block, (count, name) in enumerate(ways):
        first = out.pop().first if len(out) == count else block
        out.append(Piece(name, first, block))
    return tuple(out)


def exception_costs(elements: Sequence[Mapping[str, int]]) -> list[dict[str, int]]:
    """For every block and class, how many of its weights are of another class."""
    names = sorted({name for row in elements for name, count in row.items() if count})
    return [{name: sum(row.values()) - row.get(name, 0) for name in names} for row in elements]


def cut_by_elements(elements: Sequence[Mapping[str, int]], limit: int) -> tuple[Piece, ...]:
    """Stages with the fewest weights outside their stage's class; FP16 where nothing has a class.

    Args:
        elements: for every block the number of weights of each class.
        limit: most stages.
    """
    costs = exception_costs(elements)
    if not costs or not costs[0]:
        return (Piece("FP16", 0, max(0, len(elements) - 1)),)
    return best_cut(costs, limit)


def exceptions_in(elements: Sequence[Mapping[str, int]], pieces: Sequence[Piece]) -> int:
    """Number of weights outside their stage's class."""
    total = 0
    for piece in pieces:
        inside: Counter[str] = Counter()
        for row in elements[piece.first : piece.last + 1]:
            inside.update(row)
        total += sum(inside.values()) - inside[piece.name]
    return total
