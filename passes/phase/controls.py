"""Schedules to compare a progressive one with, at the same mean of bits."""

from collections.abc import Sequence

import numpy as np

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.schedule import Schedule, Switch


def from_widths(prefill: int, widths: Sequence[int]) -> Schedule:
    """The schedule of a width for every step, in any order; the last one goes on.

    before: prefill 4, (2, 2, 3)
    after:  prefill 4, decode 2@0 3@2
    """
    if not widths:
        raise OptionError("a schedule without steps; expected a width for at least one")
    switches = [Switch(0, widths[0])]
    for at in range(1, len(widths)):
        if widths[at] != widths[at - 1]:
            switches.append(Switch(at, widths[at]))
    return Schedule(prefill, tuple(switches), free=True)


def widths_of(schedule: Schedule, length: int) -> tuple[int, ...]:
    """The width of each of `length` steps."""
    return tuple(schedule.width_at(at) for at in range(length))


def turned(schedule: Schedule, length: int) -> Schedule:
    """The same widths, the last one first."""
    return from_widths(schedule.prefill, widths_of(schedule, length)[::-1])


def alternating(schedule: Schedule, length: int) -> Schedule:
    """The same number of steps of each width, spread evenly over the answer.

    The k-th of n steps of a width wishes for the place (k + 1/2) * length / n; steps are sorted by that.
    """
    widths = widths_of(schedule, length)
    wished = []
    for bits in sorted(set(widths), reverse=True):
        count = widths.count(bits)
        wished += [((k + 0.5) * length / count, -bits) for k in range(count)]
    return from_widths(schedule.prefill, [-bits for _, bits in sorted(wished)])


def smallest_lossless(quality: np.ndarray, decimals: int = 3) -> np.ndarray:
    """By text, the first switching point that loses nothing against the last one, int64 (texts,).

    quality (texts, points): of switching at each point of a grid, the last of which never leaves the
    high width. Numbers are compared as rounded to `decimals`.
    """
    rounded = np.round(quality, decimals)
    found: np.ndarray = (rounded >= rounded[:, -1:]).argmax(axis=1)
    return found


def prior(labels: np.ndarray, points: int) -> np.ndarray:
    """How often each switching point is a label, float64 (points,)."""
    counts: np.ndarray = np.bincount(labels, minlength=points)[:points]
    found: np.ndarray = counts / counts.sum()
    return found


def expected(quality: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """By text, what switching at a random point gives on average: (texts, points) @ (points,).

    The mean over all draws, so a random control has no noise of its own.
    """
    found: np.ndarray = quality @ (weights / weights.sum())
    return found
