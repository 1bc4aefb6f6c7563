"""Which order to place buffers in: a few good ones, then changes at what stands highest."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from optimum_compile.passes.memory.place import E, Placement, Problem, Recipe, place
from optimum_compile.passes.memory.requests import Request


@dataclass(frozen=True)
class SearchOptions:
    """How long to search.

    Args:
        placements: of single buffers while the first orders are improved. A count and not a time, so that
            the same graph always gets the same plan.
        seed: of the random changes.
        exact: whether an integer program is asked for what the search did not reach.
    """

    placements: int = 20_000
    seed: int = 0
    exact: bool = True


def search(
    problem: Problem[E],
    requests: Sequence[Request],
    options: SearchOptions,
    first: Sequence[Recipe] = (),
) -> Placement[E]:
    """The best placement found; one that is as small as what is alive ends the search.

    `first` are tried before all others.
    """
    best: Placement[E] | None = None
    for recipe in (*first, *recipes(problem, requests)):
        found = place(problem, recipe)
        if best is None or found.score < best.score:
            best = found
        if best.score[0] <= 1:
            return best
    return place(problem, Recipe(())) if best is None else _improve(problem, best, options)


def recipes(problem: Problem[E], requests: Sequence[Request]) -> Iterator[Recipe]:
    """First orders, all without chance, each from below and then with every other buffer from the top.

    What comes and goes in turns (sums over experts: one dies as the next is made) leaves no hole between
    itself and the others if the turns are taken at both ends.
    """
    count = range(len(requests))
    weight = [problem.weight(s) for s in problem.sizes]
    life = [r.last - r.first + 1 for r in requests]
    first = [r.first for r in requests]
    # Those that are alive at crowded steps go first.
    crowd = [weight[i] + sum(weight[j] for j in problem.near[i]) for i in count]
    keys: list[Sequence[tuple[float, ...]]] = [
        [(-weight[i], -life[i], first[i]) for i in count],
        [(-weight[i] * life[i], first[i]) for i in count],
        [(-life[i], -weight[i], first[i]) for i in count],
        [(-crowd[i], -weight[i], first[i]) for i in count],
        [(first[i], -weight[i]) for i in count],
        [(first[i], -life[i]) for i in count],
        [(-requests[i].last, -weight[i]) for i in count],
    ]
    turns = _turns(weight, requests)
    orders = [tuple(sorted(count, key=lambda i: (key[i], i))) for key in keys]
    yield from (Recipe(order) for order in orders)
    yield from (Recipe(order, turns) for order in orders)


def _turns(weight: Sequence[float], requests: Sequence[Request]) -> frozenset[int]:
    """Every other one of the buffers of one size and length of life."""
    groups: dict[tuple[float, int], list[int]] = {}
    for at in sorted(range(len(requests)), key=lambda i: (requests[i].first, i)):
        life = requests[at].last - requests[at].first
        groups.setdefault((weight[at], life), []).append(at)
    return frozenset(i for group in groups.values() for i in group[1::2])


def _improve(problem: Problem[E], best: Placement[E], options: SearchOptions) -> Placement[E]:
    """Place what ends at the peak, or is alive with it, earlier or from the other side."""
    chance = random.Random(options.seed)
    current = best
    for _ in range(options.placements // max(len(problem.sizes), 1)):
        found = place(problem, _changed(problem, current, chance))
        # Equal ones are taken too: most changes keep the peak, and lead to those that lower it.
        if found.score <= current.score or chance.random() < 0.02:
            current = found
        if found.score < best.score:
            best = found
        if best.score[0] <= 1:
            break
    return best


def _changed(problem: Problem[E], found: Placement[E], chance: random.Random) -> Recipe:
    order, high = list(found.recipe.order), set(found.recipe.high)
    crowd = _crowd(problem, found)
    for _ in range(chance.choice((1, 1, 2, 3))):
        moved = chance.choice(crowd)
        if chance.random() < 0.4:
            high ^= {moved}
        if chance.random() < 0.7:
            old = order.index(moved)
            order.insert(chance.randrange(old + 1), order.pop(old))
    return Recipe(tuple(order), frozenset(high))


def _crowd(problem: Problem[E], found: Placement[E]) -> list[int]:
    """The buffers that end at the peak of the worst sample, and those that are alive with them."""
    ends = [problem.at(e) for e in found.ends]
    peaks = [max(values) for values in zip(*ends, strict=True)]
    ratios = [p / s for p, s in zip(peaks, problem.scale, strict=True)]
    worst = ratios.index(max(ratios))
    top = [i for i, values in enumerate(ends) if values[worst] == peaks[worst]]
    return sorted({j for i in top for j in (*problem.near[i], i)})
