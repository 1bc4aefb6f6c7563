"""Schedules judged against the answers of the unrounded model, text by text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.schedule import Schedule
from optimum_compile.passes.phase.engine import Engine, follow, generate
from optimum_compile.passes.phase.metrics import (
    agreement,
    before_stop,
    divergence,
    first_divergence,
    rouge_l,
)

MOST_NUMBERS = 1 << 28  # of log-probabilities that a reference keeps, float32: 1 GiB


class Measure(StrEnum):
    """What quality is. KL is that of given answers (its negative), the others are of greedy ones.

    ROUGE and AGREEMENT compare with the answers of the unrounded model, TEXT with what really follows.
    """

    ROUGE = "rouge"
    TEXT = "text"
    AGREEMENT = "agreement"
    KL = "kl"


@dataclass(frozen=True)
class Reference:
    """Texts and what the unrounded model makes of them.

    prompts int64 (texts, n), answers int64 (texts, length), its log-probabilities float32
    (texts, length, vocab) before each token of the answers; `written` int64 (texts, length) is what
    really follows the prompts, where somebody wrote it.
    """

    prompts: np.ndarray
    answers: np.ndarray
    log_probabilities: np.ndarray
    stops: tuple[int, ...] = ()
    written: np.ndarray | None = None

    @property
    def length(self) -> int:
        """Tokens of an answer."""
        return int(self.answers.shape[1])

    def going_on(self) -> np.ndarray:
        """Indices of texts whose answers reach their length before any stop.

        Of these alone, two orders of the same widths have the same mean of bits.
        """
        stopped = np.isin(self.answers, np.array(self.stops, np.int64))
        return np.flatnonzero(np.logical_not(stopped.any(axis=1)))

    def part(self, chosen: np.ndarray) -> "Reference":
        """Only those texts."""
        return Reference(
            self.prompts[chosen],
            self.answers[chosen],
            self.log_probabilities[chosen],
            self.stops,
            None if self.written is None else self.written[chosen],
        )


@dataclass(frozen=True)
class Scores:
    """One number a text, each (texts,).

    rouge: Rouge-L F1 of the greedy answer, both cut at their stop. agreement: share of positions with the
    reference's token. diverges: tokens before the first that differs. kl: (texts, length), nats, of the
    reference's own text. answers: the greedy ones, int64 (texts, length). text: Rouge-L F1 against what
    was written, where that is known.
    """

    rouge: np.ndarray
    agreement: np.ndarray
    diverges: np.ndarray
    kl: np.ndarray
    answers: np.ndarray
    text: np.ndarray | None = None

    def quality(self, measure: Measure) -> np.ndarray:
        """The greater the better, (texts,). Raises OptionError for TEXT where none was given."""
        if measure is Measure.TEXT:
            if self.text is None:
                raise OptionError("measure text: what really follows the prompts is not known")
            return self.text
        found: np.ndarray = {
            Measure.ROUGE: self.rouge,
            Measure.AGREEMENT: self.agreement,
            Measure.KL: -self.kl.mean(axis=1),
        }[measure]
        return found


def make_reference(
    engine: Engine,
    prompts: np.ndarray,
    length: int,
    stops: Sequence[int] = (),
    written: np.ndarray | None = None,
) -> Reference:
    """Answers of an engine that rounds nothing, at its greatest width.

    Raises OptionError where the log-probabilities would take more than 1 GiB.
    """
    schedule = Schedule.fixed(max(engine.widths))
    answers = generate(engine, prompts, length, schedule).tokens
    engine.start(1)
    vocabulary = engine.feed(prompts[:1, :1], schedule.prefill).shape[-1]
    if answers.size * vocabulary > MOST_NUMBERS:
        raise OptionError(
            f"{len(prompts)} answers of {length} tokens with {vocabulary} probabilities each are more "
            f"than {MOST_NUMBERS} numbers; take fewer or shorter ones"
        )
    known = follow(engine, prompts, answers, schedule)
    return Reference(prompts, answers, known, tuple(stops), written)


class Judge:
    """Runs schedules on an engine and keeps what came out."""

    def __init__(
        self, engine: Engine, reference: Reference, watch: Callable[[Schedule], None] | None = None
    ) -> None:
        """`watch` is told every schedule that is run."""
        self.reference = reference
        self._engine = engine
        self._watch = watch
        self._kept: dict[Schedule, Scores] = {}
        self._kl: dict[Schedule, np.ndarray] = {}

    def scores(self, schedule: Schedule) -> Scores:
        """Everything about one schedule. Raises OptionError for widths that the engine lacks."""
        if schedule not in self._kept:
            self._kept[schedule] = self._run(schedule)
        return self._kept[schedule]

    def kl(self, schedule: Schedule) -> np.ndarray:
        """KL (texts, length) alone, for which no answer has to be generated."""
        if schedule not in self._kl:
            schedule.check(self._engine.widths)
            known = self.reference
            other = follow(self._engine, known.prompts, known.answers, schedule)
            self._kl[schedule] = divergence(known.log_probabilities, other)
        return self._kl[schedule]

    def quality(self, measure: Measure) -> Callable[[Schedule], float]:
        """The mean over the texts, as the solvers take it."""

        def mean(schedule: Schedule) -> float:
            if measure is Measure.KL:
                return -float(self.kl(schedule).mean())
            return float(self.scores(schedule).quality(measure).mean())

        return mean

    def _run(self, schedule: Schedule) -> Scores:
        schedule.check(self._engine.widths)
        if self._watch is not None:
            self._watch(schedule)
        known = self.reference
        answers = generate(self._engine, known.prompts, known.length, schedule).tokens
        return compared(answers, known, self.kl(schedule))


def compared(answers: np.ndarray, known: Reference, kl: np.ndarray) -> Scores:
    """Answers (texts, n), n at most the reference's length, against as many tokens of the reference."""
    length = answers.shape[1]
    right, written = known.answers[:, :length], known.written
    return Scores(
        _rouge(answers, right, known.stops),
        agreement(answers, right),
        first_divergence(answers, right),
        kl[:, :length],
        answers,
        None if written is None else _rouge(answers, written[:, :length], known.stops),
    )


def _rouge(answers: np.ndarray, known: np.ndarray, stops: Sequence[int]) -> np.ndarray:
    pairs = zip(answers, known, strict=True)
    return np.array([rouge_l(before_stop(a, stops), before_stop(b, stops)) for a, b in pairs])
