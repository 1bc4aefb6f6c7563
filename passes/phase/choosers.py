"""Rules that say at which token an answer goes on with fewer bits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from optimum_compile.compiler.errors import OptionError

CONFIDENT_AFTER = 10  # tokens whose probabilities say what is usual


@dataclass(frozen=True)
class Seen:
    """What is known when a rule is asked.

    keys (heads, tokens, key width) and values (heads, tokens, value width), float: the cache of the last
    layer after the prompt. confidence (n,): probabilities of the tokens of the answer as they were chosen
    with the high width, as many as there are yet; None where the rule needs none.
    """

    keys: np.ndarray
    values: np.ndarray
    confidence: np.ndarray | None = None


class Scheduler(Protocol):
    """A rule for when the width of nested weights drops."""

    def choose(self, seen: Seen) -> int:
        """The first decode step that is read with the low width."""
        ...


@dataclass(frozen=True)
class Fixed:
    """The same step for every text: a static schedule of two widths."""

    step: int

    def choose(self, seen: Seen) -> int:
        """See `Scheduler`."""
        return self.step


@dataclass(frozen=True)
class Confidence:
    """Drop as soon as a token is surer than usual: mean + `deviations` of the first ten.

    The probability of token t is known before decode step t, which reads it, so the rule needs nothing
    from the future; asked with what there is yet it says `length` until the token comes.
    """

    length: int
    deviations: float = 1.0

    def choose(self, seen: Seen) -> int:
        """See `Scheduler`. Raises OptionError without confidences."""
        if seen.confidence is None:
            raise OptionError("confidence: expected the probabilities of the tokens so far")
        sure = np.asarray(seen.confidence, np.float64)[: self.length]
        if len(sure) <= CONFIDENT_AFTER:
            return self.length
        first = sure[:CONFIDENT_AFTER]
        passed = np.flatnonzero(
            sure[CONFIDENT_AFTER:] >= first.mean() + self.deviations * first.std()
        )
        return CONFIDENT_AFTER + int(passed[0]) if len(passed) else self.length


class Random:
    """Any of some steps by chance: a control that knows nothing of the text."""

    def __init__(self, steps: Sequence[int], shares: Sequence[float], seed: int = 0) -> None:
        """Steps and how often each is taken. Raises OptionError for shares that are no shares."""
        parts = np.asarray(shares, np.float64)
        if not len(steps) or parts.shape != (len(steps),):
            raise OptionError(f"{len(steps)} steps and {parts.shape} shares; expected one each")
        if not np.isfinite(parts).all() or (parts < 0).any() or not parts.sum() > 0:
            raise OptionError(f"shares {parts.tolist()}: expected none below 0, and a sum above it")
        self.steps = tuple(steps)
        self.shares: np.ndarray = parts / parts.sum()
        self._random = np.random.default_rng(seed)

    @classmethod
    def uniform(cls, steps: Sequence[int], seed: int = 0) -> "Random":
        """All steps equally often."""
        return cls(steps, [1] * len(steps), seed)

    @classmethod
    def prior(cls, steps: Sequence[int], labels: np.ndarray, seed: int = 0) -> "Random":
        """Each step as often as it is a label, int64 (texts,) of indices into the steps."""
        return cls(steps, np.bincount(labels, minlength=len(steps)).tolist(), seed)

    def choose(self, seen: Seen) -> int:
        """See `Scheduler`."""
        return int(self._random.choice(self.steps, p=self.shares))
