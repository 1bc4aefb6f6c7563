"""How near answers come to those of the unrounded model, and how sure a difference is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


def common_subsequence(a: Sequence[int] | np.ndarray, b: Sequence[int] | np.ndarray) -> int:
    """Length of the longest common subsequence, exactly, row by row of the usual table."""
    left, right = np.asarray(a), np.asarray(b)
    row = np.zeros(len(right) + 1, np.int64)
    for token in left:
        # max(above, diagonal + 1 where equal), then the running maximum for what comes from the left.
        found = row[:-1] + (right == token)
        row[1:] = np.maximum.accumulate(np.maximum(row[1:], found))
    return int(row[-1])


def rouge_l(answer: Sequence[int] | np.ndarray, reference: Sequence[int] | np.ndarray) -> float:
    """Rouge-L F1 of tokens (Lin, 2004): harmonic mean of LCS/len(answer) and LCS/len(reference)."""
    total = len(answer) + len(reference)
    if not total:
        return 1.0
    return 2 * common_subsequence(answer, reference) / total


def before_stop(tokens: np.ndarray, stops: Sequence[int]) -> np.ndarray:
    """Tokens (n,) up to the first stop, without it."""
    found = np.flatnonzero(np.isin(tokens, np.array(stops, np.int64)))
    return tokens[: found[0]] if len(found) else tokens


def first_divergence(answers: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Of answers (texts, n): tokens that agree before the first that does not, int64 (texts,)."""
    differs = answers != reference
    found: np.ndarray = np.where(differs.any(axis=1), differs.argmax(axis=1), answers.shape[1])
    return found


def agreement(answers: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Of answers (texts, n): the share of positions with the same token, (texts,)."""
    equal: np.ndarray = (answers == reference).mean(axis=1)
    return equal


def divergence(reference: np.ndarray, other: np.ndarray) -> np.ndarray:
    """KL(reference, other) in nats from log-probabilities (..., vocab), over the last axis."""
    found: np.ndarray = (np.exp(reference) * (reference - other)).sum(axis=-1)
    found = np.maximum(found, 0)
    return found


@dataclass(frozen=True)
class Interval:
    """A mean and the bounds that a share `level` of resampled means lie between."""

    mean: float
    low: float
    high: float
    level: float = 0.95

    def __str__(self) -> str:
        return f"{self.mean:.4f} [{self.low:.4f}, {self.high:.4f}]"

    @property
    def sign(self) -> int:
        """1 or -1 where the whole interval lies on that side of zero, else 0."""
        if self.low > 0:
            return 1
        return -1 if self.high < 0 else 0


def bootstrap(
    values: np.ndarray, *, level: float = 0.95, draws: int = 4000, seed: int = 0
) -> Interval:
    """Percentile interval of the mean of values (texts,), texts drawn with replacement.

    For two schedules on the same texts give the differences: that is the paired interval.
    """
    data = np.asarray(values, np.float64)
    if data.ndim != 1 or not data.size:
        raise ValueError(f"values {data.shape}: expected one number a text")
    rng = np.random.default_rng(seed)
    means = data[rng.integers(0, data.size, (draws, data.size))].mean(axis=1)
    tail = (1 - level) / 2
    low, high = np.quantile(means, (tail, 1 - tail))
    return Interval(float(data.mean()), float(low), float(high), level)
