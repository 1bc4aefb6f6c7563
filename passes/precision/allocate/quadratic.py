"""The damage of an assignment to second order: what each change does alone, and with each other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimum_compile.compiler.errors import InternalError
from optimum_compile.passes.precision.problem import Picks, Problem


@dataclass(frozen=True)
class Quadratic:
    """KL(x) = base_kl + sum_i alone_i + sum_{i<j} between_ij over the chosen options of all units.

    Options are numbered through all units in order. Those of the base assignment have zeros, so the
    model is exact there; a single change from it is exact on the measured text, too.

    alone: float64 (options,), nats a token. between: float32 (options, options), symmetric; its
    diagonal is read by `from_widest` only.
    """

    starts: tuple[int, ...]  # of every unit, the number of its first option; and of them all
    base_kl: float
    alone: np.ndarray
    between: np.ndarray

    def __post_init__(self) -> None:
        count = self.starts[-1]
        if self.alone.shape != (count,) or self.between.shape != (count, count):
            raise InternalError(
                f"damage of {count} options: {self.alone.shape}, {self.between.shape}"
            )

    def numbers(self, picks: Sequence[int]) -> np.ndarray:
        """Option numbers of picks, int64 (units,)."""
        found: np.ndarray = np.asarray(self.starts[:-1]) + np.asarray(picks)
        return found

    def value(self, picks: Sequence[int]) -> float:
        """Predicted KL, nats a token."""
        at = self.numbers(picks)
        pairs = self.between[np.ix_(at, at)].astype(np.float64)
        both = (pairs.sum() - np.trace(pairs)) / 2
        return float(self.base_kl + self.alone[at].sum() + both)

    def moves(self, picks: Sequence[int]) -> np.ndarray:
        """Change of the predicted KL when one unit alone takes another option, float64 (options,)."""
        at = self.numbers(picks)
        owner = np.repeat(np.arange(len(at)), np.diff(self.starts))
        current = at[owner]
        field = self.between[:, at].astype(np.float64).sum(1)
        own = self.between[np.arange(len(owner)), current].astype(np.float64)
        before = field[current] - np.diagonal(self.between)[current]
        change: np.ndarray = self.alone - self.alone[current] + (field - own) - before
        change[at] = 0.0
        return change

    def together(self, picks: Sequence[int], some: np.ndarray, others: np.ndarray) -> np.ndarray:
        """What two single moves change beyond their sum, float64 (some, others), by option number."""
        at = self.numbers(picks)
        owner = np.repeat(np.arange(len(at)), np.diff(self.starts))
        a, b = at[owner[some]], at[owner[others]]
        part = self.between[np.ix_(some, others)] - self.between[np.ix_(some, b)]
        rest = self.between[np.ix_(a, b)] - self.between[np.ix_(a, others)]
        extra: np.ndarray = (part + rest).astype(np.float64)
        return extra

    def of_first(self, units: int) -> "Quadratic":
        """The damage of the first units, with all others at the base."""
        count = self.starts[units]
        alone, between = self.alone[:count], self.between[:count, :count]
        return Quadratic(self.starts[: units + 1], self.base_kl, alone, between)

    def weighted(self, share: float) -> "Quadratic":
        """The same with only a share of the interactions."""
        return self if share == 1 else replace(self, between=self.between * np.float32(share))

    def from_widest(self, base: Sequence[int]) -> "Quadratic":
        """The same numbers read as distances from the widest choices: what holds far from the base.

        A change d of the logits is counted from that of the unit's last choice, so the damage is
        1/2 |sum d|^2: nothing where every unit is at its widest, never negative. One factor makes it
        agree with what was measured at `base`.
        """
        last = np.repeat(np.asarray(self.starts[1:]) - 1, np.diff(self.starts))
        wide = self.between.astype(np.float64)
        wide = wide - wide[last] - wide[:, last] + wide[np.ix_(last, last)]
        alone: np.ndarray = np.diagonal(wide) / 2
        found = Quadratic(self.starts, 0.0, alone, wide.astype(np.float32))
        there = found.value(base)
        factor = self.base_kl / there if there > 0 else 1.0
        return Quadratic(self.starts, 0.0, alone * factor, (wide * factor).astype(np.float32))

    def separable(self, picks: Sequence[int]) -> list[list[float]]:
        """Costs of every choice, linear around `picks`."""
        change = self.moves(picks)
        return [change[a:b].tolist() for a, b in zip(self.starts, self.starts[1:], strict=False)]


def starts_of(problem: Problem) -> tuple[int, ...]:
    """Number of each unit's first option, and of all options."""
    sizes = [len(u.choices) for u in problem.units]
    return tuple(int(n) for n in np.concatenate([[0], np.cumsum(sizes)]))


def option_bytes(problem: Problem) -> np.ndarray:
    """Stored bytes of every option on every target, int64 (options, targets)."""
    return np.array([c.bytes for u in problem.units for c in u.choices], np.int64)


def picks_from(starts: Sequence[int], numbers: np.ndarray) -> Picks:
    """Option numbers back to picks."""
    return tuple(int(n - s) for n, s in zip(numbers, starts, strict=False))
