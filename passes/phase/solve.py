"""The cheapest widths that lose nothing: a pair for prompt and answer, and a schedule for the answer.

Both are searches in the order of cost, so that whatever is dearer than the first that passes is never run.
Equation (1) of progressive decoding (Chen et al., arXiv 2410.13461) sums the switching steps of all widths
but the lowest, which for two widths is the constant 0; what is minimised here is the mean of bits.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, groupby

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.schedule import Schedule, Switch

# Quality of a schedule on a set of texts, the greater the better.
Quality = Callable[[Schedule], float]


@dataclass(frozen=True)
class Tried:
    """One schedule that was run."""

    schedule: Schedule
    mean_bits: float
    quality: float


@dataclass(frozen=True)
class Found:
    """The cheapest schedule that passes, what it had to reach, and all that were run on the way."""

    best: Tried
    least_quality: float
    tried: tuple[Tried, ...]

    @property
    def schedule(self) -> Schedule:
        """The schedule found."""
        return self.best.schedule


def grid(length: int, points: int) -> tuple[int, ...]:
    """`points` steps from 0 to `length`, evenly apart: where a width may end.

    Raises OptionError for fewer than two points, or more than steps.
    """
    if points < 2 or points > length + 1:
        raise OptionError(
            f"{points} switching points of {length} steps: expected 2 to {length + 1}"
        )
    return tuple(round(at * length / (points - 1)) for at in range(points))


def schedules(prefill: int, widths: Sequence[int], length: int, points: int) -> Iterator[Schedule]:
    """Every schedule of non-increasing widths that switches at points of the grid."""
    falling = sorted(set(widths), reverse=True)
    for ends in combinations_with_replacement(grid(length, points), len(falling) - 1):
        starts = (0, *ends)
        # A width that ends where it starts has no steps; one that starts at the end has none either.
        switches = [
            Switch(start, bits)
            for start, end, bits in zip(starts, (*ends, length), falling, strict=True)
            if start < end
        ]
        yield Schedule(prefill, tuple(switches))


def cheapest(
    candidates: Sequence[Schedule], length: int, quality: Quality, least_quality: float
) -> Found:
    """The candidate of fewest mean bits with at least that quality; of equal ones the best.

    Runs candidates from the cheapest on and stops at the first cost at which one passes, which is exact:
    nothing is assumed of quality. Raises OptionError where none passes.
    """
    ordered = sorted(dict.fromkeys(candidates), key=lambda s: (s.mean_bits(length), str(s)))
    tried: list[Tried] = []
    for bits, group in groupby(ordered, key=lambda s: s.mean_bits(length)):
        here = [Tried(s, bits, quality(s)) for s in group]
        tried += here
        best = max(here, key=lambda t: t.quality)
        if best.quality >= least_quality:
            return Found(best, least_quality, tuple(tried))
    raise OptionError(f"no schedule of {len(tried)} reaches quality {least_quality:.4f}")


def static_schedule(
    quality: Quality,
    prefill: int,
    widths: Sequence[int],
    length: int,
    epsilon: float,
    points: int = 4,
) -> Found:
    """Mean bits over an answer of `length` tokens at their least, within `epsilon` of the widest.

    Args:
        quality: of a schedule on the validation texts.
        prefill: width of the prompt.
        widths: those of the answer; the greatest is the reference.
        length: tokens of an answer.
        epsilon: loss of quality that is accepted.
        points: switching points of each width.
    """
    reference = quality(Schedule.fixed(prefill, max(widths)))
    every = tuple(schedules(prefill, widths, length, points))
    return cheapest(every, length, quality, reference - epsilon)


def phase_pair(quality: Quality, widths: Sequence[int], epsilon: float) -> Found:
    """The smallest (prefill, decode) widths within `epsilon` of the widest for both.

    Small in what a phone feels: decoding reads the weights for every token, a prompt once, so pairs are
    taken by decode width, then by prefill width. Decoding is never wider than the prompt.

    Args:
        quality: of a schedule on the calibration texts.
        widths: those of the store.
        epsilon: loss of quality that is accepted.
    """
    top = max(widths)
    least = quality(Schedule.fixed(top)) - epsilon
    tried: list[Tried] = []
    for decode in sorted(widths):
        for prefill in sorted(w for w in widths if w >= decode):
            schedule = Schedule.fixed(prefill, decode)
            tried.append(Tried(schedule, float(decode), quality(schedule)))
            if tried[-1].quality >= least:
                return Found(tried[-1], least, tuple(tried))
    raise OptionError(f"no pair of widths reaches quality {least:.4f}, not even {top} and {top}")
