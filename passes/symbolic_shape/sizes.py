"""Numbers for the symbols of a module, where a function or a test needs some."""

import itertools
from collections.abc import Iterator

from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.guards import guards_of
from optimum_compile.compiler.ir.shape import SymbolRange

MODULE_LIMIT = 512
MAX_TRIED = 4096
BATCH = "batch"


def module_sizes(graph: Graph) -> dict[str, int]:
    """A legal value of every symbol: up to 512, a batch of the least that the range allows, guards met.

    Before:  batch in 1..8, seq in 2..16777216, guards seq % 8 == 0, batch <= seq
    After:   batch=1, seq=512

    Raises UnsupportedError where no value near those meets the guards.
    """
    guards = guards_of(graph)
    names = sorted(graph.symbols)
    alone = len(names) == 1  # then it may be any length, whatever its name
    wanted = [list(_candidates(graph.symbols[n], n == BATCH and not alone)) for n in names]
    # All first choices before any second one, and so on.
    for total in range(sum(len(w) for w in wanted) if guards else 1):
        for choice in itertools.islice(_splits(total, [len(w) for w in wanted]), MAX_TRIED):
            found = {n: w[at] for n, w, at in zip(names, wanted, choice, strict=True)}
            if all(g.holds(found) for g in guards if g.symbols <= set(found)):
                return found
        if total > MAX_TRIED // max(1, len(names)):
            break
    unmet = ", ".join(map(str, guards))
    raise UnsupportedError(
        f"{graph.name}: no sizes up to {MODULE_LIMIT} were found that meet {unmet}; choose some with "
        "--seq and --batch"
    )


def _candidates(span: SymbolRange, least: bool) -> Iterator[int]:
    first = max(1, span.low) if least else max(span.low, MODULE_LIMIT)
    first = min(span.high, first)
    downwards = range(first, max(span.low, first - 64) - 1, -1)
    upwards = range(first + 1, min(span.high, first + 64) + 1)
    return itertools.chain(downwards, upwards)


def _splits(total: int, lengths: list[int]) -> Iterator[tuple[int, ...]]:
    """Every way to go `total` steps down lists of these lengths."""
    if not lengths:
        if total == 0:
            yield ()
        return
    for first in range(min(total, lengths[0] - 1) + 1):
        for rest in _splits(total - first, lengths[1:]):
            yield (first, *rest)
