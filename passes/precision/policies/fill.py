"""How every policy meets a budget: wider or narrower along its own order until the bytes are right.

Shared codebooks are paid for once, by whichever unit comes first, and given back by the last.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from optimum_compile.passes.precision.codebooks import Key, key_of
from optimum_compile.passes.precision.problem import Picks, Problem


def fitted(problem: Problem, picks: Sequence[int], order: Sequence[int]) -> Picks:
    """Picks that fit and leave less than any step of any unit, as near to `picks` as `order` leads.

    Args:
        problem: units, bytes, limits. Without a limit the picks stay what they are.
        picks: what the policy would like.
        order: numbers of units, those first that the policy would widen first.

    Raises:
        BudgetError: not even the narrowest choice of every unit fits.
    """
    if not problem.is_limited:
        return tuple(picks)
    problem.require_possible()
    return fill(problem, cut(problem, picks, order), order)


def fill(problem: Problem, picks: Sequence[int], order: Sequence[int]) -> Picks:
    """Widen in rounds along `order` until nothing wider fits anywhere."""
    before, after = None, tuple(picks)
    while after != before:
        before, after = after, climb(problem, after, order)
    return after


def climb(problem: Problem, picks: Sequence[int], steps: Iterable[int]) -> Picks:
    """Widen the units that `steps` lists, each time to the next choice that fits.

    Units whose step is too large are passed over, so that what is left goes to the next smaller step
    in the policy's own order.
    """
    tally = _Tally(problem, picks)
    for at in steps:
        choices = range(tally.at(at) + 1, len(problem.units[at].choices))
        wider = next((index for index in choices if tally.may(at, index)), None)
        if wider is not None:
            tally.move(at, wider)
    return tally.picks


def cut(problem: Problem, picks: Sequence[int], order: Sequence[int]) -> Picks:
    """Narrow one unit at a time by one choice, in rounds from the end of `order`, until it fits."""
    tally = _Tally(problem, picks)
    while not tally.fits() and any(tally.picks):
        for at in reversed(order):
            if tally.fits():
                break
            if tally.at(at):
                tally.move(at, tally.at(at) - 1)
    return tally.picks


def toward(
    problem: Problem, picks: Sequence[int], goal: Sequence[int], order: Sequence[int]
) -> Picks:
    """Take units to their choice in `goal` along `order`, up to the first that does not fit."""
    tally = _Tally(problem, picks)
    for at in order:
        if tally.at(at) == goal[at]:
            continue
        if not tally.may(at, goal[at]):
            break
        tally.move(at, goal[at])
    return tally.picks


class _Tally:
    """Picks that change, and their bytes on every target."""

    def __init__(self, problem: Problem, picks: Sequence[int]) -> None:
        self._problem = problem
        self._picks = list(picks)
        self._bytes = list(problem.bytes_of(picks))
        self._users = Counter(self._key(at, index) for at, index in enumerate(picks))

    @property
    def picks(self) -> Picks:
        return tuple(self._picks)

    def at(self, at: int) -> int:
        return self._picks[at]

    def fits(self) -> bool:
        return all(n <= most for n, most in zip(self._bytes, self._problem.limits, strict=True))

    def may(self, at: int, index: int) -> bool:
        pairs = zip(self._after(at, index), self._problem.limits, strict=True)
        return all(n <= most for n, most in pairs)

    def move(self, at: int, index: int) -> None:
        self._bytes = self._after(at, index)
        self._users[self._key(at, self._picks[at])] -= 1
        self._users[self._key(at, index)] += 1
        self._picks[at] = index

    def _key(self, at: int, index: int) -> Key | None:
        return key_of(self._problem.units[at].choices[index].scheme)

    def _after(self, at: int, index: int) -> list[int]:
        choices = self._problem.units[at].choices
        old, new = self._key(at, self._picks[at]), self._key(at, index)
        added = [
            n - o for o, n in zip(choices[self._picks[at]].bytes, choices[index].bytes, strict=True)
        ]
        books = self._problem.codebooks
        if new is not None and new != old and not self._users[new]:
            added = [a + b for a, b in zip(added, books[new], strict=True)]
        if old is not None and new != old and self._users[old] == 1:
            added = [a - b for a, b in zip(added, books[old], strict=True)]
        return [n + a for n, a in zip(self._bytes, added, strict=True)]
