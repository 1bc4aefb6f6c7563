"""Trade a stated loss for uniform stages: exceptions move to the class of their stage."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimum_compile.passes.precision.allocate.narrowed import filled, translated
from optimum_compile.passes.precision.classes import class_of
from optimum_compile.passes.precision.explain import marginal_rates
from optimum_compile.passes.precision.problem import Picks, Problem, UnitChoices
from optimum_compile.passes.stages.moves import Move, gains_of, moved, solved
from optimum_compile.passes.stages.partition import Piece, best_cut, cut_by_elements, exceptions_in

Table = Sequence[Sequence[float]]  # of every unit, the damage of each of its choices

CUTS = 2  # that are solved in whole numbers
PRICES = (0.25, 1.0, 4.0)  # of a byte, times the marginal one
QUANTILES = 9
MOVES = 150  # of those that gain, and of those that pay for them
ATTEMPTS = 5
TIGHTER = (0.0, 2e-6, 1e-4)  # the solver keeps limits to a millionth of the largest move


@dataclass(frozen=True)
class Uniform:
    """An assignment and its stages. `loss` is what was added to the predicted damage `total`."""

    picks: Picks
    stages: tuple[Piece, ...]
    exceptions: tuple[str, ...]  # names of units that are not of their stage's class
    moved: tuple[str, ...] = ()  # names of units that got another scheme
    loss: float = 0.0
    total: float = 0.0

    @property
    def share(self) -> float:
        """The loss as a share of the predicted damage before it."""
        return self.loss / self.total if self.total > 0 else 0.0

    def remarks(self, tolerance: float) -> tuple[str, ...]:
        """What was paid for uniform stages, and what is left; nothing without a tolerance."""
        if tolerance <= 0:
            return ()
        left = f"{len(self.exceptions)} exceptions are left"
        if not self.moved:
            return (f"uniform stages: nothing can move for {tolerance:.3g} of the damage; {left}",)
        return (
            f"uniform stages: {len(self.moved)} weights moved for {self.loss:+.3g} nats a token of "
            f"predicted damage ({self.share:+.2%}, {tolerance:.2%} allowed); {left}",
        )


def elements_of(problem: Problem, picks: Sequence[int]) -> list[Counter[str]]:
    """Number of weights of each class in each block, embedding tables aside."""
    blocks = 1 + max((u.unit.block for u in problem.units), default=0)
    out: list[Counter[str]] = [Counter() for _ in range(blocks)]
    for unit, index in zip(problem.units, picks, strict=True):
        if unit.unit.has_class:
            out[unit.unit.block][_class(unit, index)] += unit.unit.elements
    return out


def exceptions_of(
    problem: Problem, picks: Sequence[int], stages: Sequence[Piece]
) -> tuple[str, ...]:
    """Names of matrices that are not of their stage's class; no embedding tables, no routers."""
    return tuple(
        unit.name
        for unit, index in zip(problem.units, picks, strict=True)
        if unit.unit.has_class
        and not unit.unit.routes
        and _class(unit, index) != _stage_class(stages, unit)
    )


def uniformise(
    problem: Problem,
    picks: Picks,
    damage: Table,
    stages: int,
    tolerance: float = 0.0,
    *,
    total: float | None = None,
    value: Callable[[Picks], float] | None = None,
) -> Uniform:
    """The cut into stages, and picks with fewer exceptions where the damage stays within a tolerance.

    Without a tolerance the picks stay, and the cut is the one with the fewest exceptions. With one,
    cuts are proposed by dynamic programming under prices (of a weight that is an exception, of a byte),
    for which the best choice of every unit is known once its stage's class is. An integer program then
    chooses what moves: the most weights within the damage and the bytes of every target; of equals the
    least damage. What is left of the bytes is spent where that makes no exception.

    Args:
        problem: units, bytes and limits.
        picks: the assignment, which fits.
        damage: predicted damage by unit and choice; only differences within a unit count.
        stages: most stages.
        tolerance: share of `total` that may be added.
        total: predicted damage of `picks`; without it the sum over the table.
        value: predicted damage of any picks, where that is more than the table's sum; the loss is
            then measured with it.
    """
    before = sum(row[i] for row, i in zip(damage, picks, strict=True)) if total is None else total
    kept = _finished(problem, picks, picks, stages, 0.0, before)
    allowed = tolerance * before
    if allowed <= 0 or not kept.exceptions or not problem.fits(picks):
        return kept
    cut, moves, most = _best_cut(problem, picks, damage, stages, allowed)
    room = allowed
    for _ in range(ATTEMPTS):
        chosen = _chosen(problem, picks, moves, room, most)
        if not any(move.gain > 0 for move in chosen):
            return kept
        plain = moved(picks, chosen)
        for fresh in (_spent(problem, plain, damage, cut), plain):
            loss = _loss(picks, fresh, damage, value)
            if loss <= allowed and problem.fits(fresh):
                found = _finished(problem, picks, fresh, stages, loss, before)
                return found if _outside(problem, found) < _outside(problem, kept) else kept
        room, most = room / 2, None  # together they do more harm than one by one
    return kept


def _finished(
    problem: Problem, old: Picks, new: Picks, limit: int, loss: float, total: float
) -> Uniform:
    stages = cut_by_elements(elements_of(problem, new), limit)
    different = tuple(u.name for u, a, b in zip(problem.units, old, new, strict=True) if a != b)
    return Uniform(new, stages, exceptions_of(problem, new, stages), different, loss, total)


def _outside(problem: Problem, found: Uniform) -> int:
    """Weights outside their stage's class, routers aside."""
    odd = set(found.exceptions)
    return sum(u.unit.elements for u in problem.units if u.name in odd)


def _loss(old: Picks, new: Picks, damage: Table, value: Callable[[Picks], float] | None) -> float:
    if value is not None:
        return value(new) - value(old)
    return sum(row[b] - row[a] for row, a, b in zip(damage, old, new, strict=True))


def _class(unit: UnitChoices, index: int) -> str:
    return class_of(unit.choices[index].scheme)


def _stage_class(stages: Sequence[Piece], unit: UnitChoices) -> str:
    return next((p.name for p in stages if p.holds(unit.unit.block)), stages[-1].name)


def _moves(problem: Problem, picks: Picks, damage: Table, wanted: Sequence[str]) -> Iterator[Move]:
    """Every change of a unit, given the class that is wanted in its block."""
    for at, (unit, now) in enumerate(zip(problem.units, picks, strict=True)):
        if unit.pinned or unit.unit.routes or not unit.unit.has_class:
            continue
        name, size = wanted[unit.unit.block], unit.unit.elements
        was = _class(unit, now) == name
        for index, choice in enumerate(unit.choices):
            if index != now:
                gain = size * (int(class_of(choice.scheme) == name) - int(was))
                pairs = zip(choice.bytes, unit.choices[now].bytes, strict=True)
                more = tuple(a - b for a, b in pairs)
                yield Move(at, index, gain, damage[at][index] - damage[at][now], more)


def _best_cut(
    problem: Problem, picks: Picks, damage: Table, stages: int, allowed: float
) -> tuple[tuple[Piece, ...], list[Move], float | None]:
    """The cut under which fewest weights stay exceptions, its moves, and the most that they gain."""
    elements, price = elements_of(problem, picks), _price(problem, picks, damage)
    tried: list[tuple[float, int, int, tuple[Piece, ...], list[Move]]] = []
    for order, cut in enumerate(dict.fromkeys(_cuts(problem, picks, damage, stages))):
        wanted = [p.name for p in cut for _ in range(p.first, p.last + 1)]
        moves = _promising(list(_moves(problem, picks, damage, wanted)), price)
        outside = exceptions_in(elements, cut)
        bound = solved(problem, picks, moves, allowed, whole=False) @ gains_of(moves)
        tried.append((outside - float(bound), order, outside, cut, moves))
    finished = []
    for _, order, outside, cut, moves in sorted(tried, key=lambda t: t[:2])[:CUTS]:
        gain = float(solved(problem, picks, moves, allowed) @ gains_of(moves))
        finished.append((outside - gain, order, cut, moves, gain))
    _, _, cut, moves, gain = min(finished, key=lambda t: t[:2])
    return cut, moves, gain


def _cuts(
    problem: Problem, picks: Picks, damage: Table, stages: int
) -> Iterator[tuple[Piece, ...]]:
    """The cut that fits the picks best, and the best ones under many prices."""
    elements = elements_of(problem, picks)
    yield cut_by_elements(elements, stages)
    own = [u for u in problem.units if not u.unit.is_cache]
    names = sorted({class_of(c.scheme) for u in own for c in u.choices})
    ways = {
        n: [m for m in _moves(problem, picks, damage, [n] * len(elements)) if m.gain > 0]
        for n in names
    }
    price = _price(problem, picks, damage)
    for factor in PRICES if price else (0.0,):
        costs = {n: _cheapest(ways[n], factor * price) for n in names}
        sizes = [u.unit.elements for u in problem.units]
        each = sorted(c / sizes[at] for n in names for at, c in costs[n].items() if c > 0)
        if not each:
            continue
        for penalty in (*np.quantile(each, np.linspace(0, 1, QUANTILES)), 2 * each[-1]):
            rows: list[dict[str, float]] = [dict.fromkeys(names, 0.0) for _ in elements]
            for at, (unit, now) in enumerate(zip(problem.units, picks, strict=True)):
                for name in names if unit.unit.has_class else ():
                    if _class(unit, now) != name:
                        stay = float(penalty) * sizes[at]
                        rows[unit.unit.block][name] += min(stay, costs[name].get(at, stay))
            yield best_cut(rows, stages)


def _price(problem: Problem, picks: Picks, damage: Table) -> float:
    """Damage that a byte is worth: between where it was not bought and where it was."""
    found = marginal_rates(problem, picks, damage)
    rates = [rate for rate in found if rate is not None and rate > 0]
    return math.prod(rates) ** (1 / len(rates)) if rates else 0.0


def _promising(moves: Sequence[Move], price: float) -> list[Move]:
    """The moves that an optimum may need: cheap ones for what they gain, or for bytes they free."""

    def cost(move: Move) -> float:
        paid = move.damage + price * max(move.bytes)
        return paid / (move.gain if move.gain > 0 else 1 + abs(max(move.bytes)))

    helping = sorted((m for m in moves if m.gain > 0), key=cost)[:MOVES]
    return helping + sorted((m for m in moves if m.gain <= 0), key=cost)[:MOVES]


def _cheapest(moves: Sequence[Move], price: float) -> dict[int, float]:
    """Of every unit, the least damage with bytes at a price."""
    out: dict[int, float] = {}
    for move in moves:
        cost = move.damage + price * max(move.bytes)
        out[move.unit] = min(cost, out.get(move.unit, cost))
    return out


def _chosen(
    problem: Problem, picks: Picks, moves: Sequence[Move], allowed: float, most: float | None
) -> list[Move]:
    """The moves that rid `most` weights of being exceptions, at the least damage."""
    for tight in TIGHTER:
        if most is None:
            most = float(solved(problem, picks, moves, allowed, tight=tight) @ gains_of(moves))
        for at_least in (most, None):  # the second where the solver lost its way
            x = solved(problem, picks, moves, allowed, at_least=at_least, tight=tight)
            chosen = [m for m, on in zip(moves, x > 0.5, strict=True) if on]
            within = sum(m.damage for m in chosen) <= allowed
            if chosen and within and problem.fits(moved(picks, chosen)):
                return chosen
        most = None
    return []


def _spent(problem: Problem, picks: Picks, damage: Table, stages: Sequence[Piece]) -> Picks:
    """Spend bytes that are left without making exceptions."""
    units, table, fresh = [], [], []
    for unit, row, now in zip(problem.units, damage, picks, strict=True):
        name = _stage_class(stages, unit)
        free = not unit.unit.has_class or _class(unit, now) != name
        kept = [i for i in range(len(unit.choices)) if i == now or free or _class(unit, i) == name]
        units.append(replace(unit, choices=tuple(unit.choices[i] for i in kept)))
        table.append([row[i] for i in kept])
        fresh.append(kept.index(now))
    small = replace(problem, units=tuple(units))
    return translated(small, filled(small, tuple(fresh), table), problem)
