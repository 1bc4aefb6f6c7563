"""Pair and static schedule of one model, from validation texts, as a note."""

from collections.abc import Callable
from dataclasses import dataclass

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.schedule import Schedule
from optimum_compile.passes.phase.engine import Engine
from optimum_compile.passes.phase.judge import Judge, Measure, Reference
from optimum_compile.passes.phase.metrics import Interval, bootstrap
from optimum_compile.passes.phase.notes import Figure, Phases
from optimum_compile.passes.phase.solve import phase_pair, schedules, static_schedule

# Loss that is accepted where nobody names one: Rouge-L points, shares of tokens, nats a token.
EPSILON = {Measure.ROUGE: 0.02, Measure.TEXT: 0.01, Measure.AGREEMENT: 0.02, Measure.KL: 0.01}


@dataclass(frozen=True)
class Wish:
    """How to decide: what quality is, how much of it may be lost (None: `EPSILON`), and the grid."""

    measure: Measure = Measure.ROUGE
    epsilon: float | None = None
    points: int = 4

    def __post_init__(self) -> None:
        if self.epsilon is not None and not self.epsilon >= 0:
            raise OptionError(f"epsilon={self.epsilon}: expected 0 or more")

    @property
    def loss(self) -> float:
        """The loss that is accepted."""
        return EPSILON[self.measure] if self.epsilon is None else self.epsilon


def decide(
    engine: Engine,
    reference: Reference,
    wish: Wish | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Phases:
    """What decoding of this model should read, by the reference's texts.

    Prompts of a schedule are read at the greatest width. `progress` is told how many schedules were tried,
    and of how many at most. Raises OptionError for an engine of one width.
    """
    asked, widths = wish or Wish(), tuple(engine.widths)
    if len(widths) < 2:
        raise OptionError(f"widths {widths}: a schedule needs two, as nested weights have")
    judge, length = Judge(engine, reference), reference.length
    top, told = max(widths), progress or (lambda done, total: None)
    pairs = len(widths) * (len(widths) + 1) // 2
    most = pairs + sum(1 for _ in schedules(top, widths, length, asked.points))
    judged, tried = judge.quality(asked.measure), set[Schedule]()

    def quality(schedule: Schedule) -> float:
        told(len(tried), most)
        tried.add(schedule)
        return judged(schedule)

    pair = phase_pair(quality, widths, asked.loss)
    static = static_schedule(quality, top, widths, length, asked.loss, asked.points)
    shown = {f"uniform {w}": Schedule.fixed(w) for w in sorted(widths, reverse=True)}
    shown |= {"pair": pair.schedule, "static": static.schedule}
    figures = tuple((name, _figure(judge, s, asked.measure)) for name, s in shown.items())
    told(most, most)
    narrower = static.best.mean_bits < top
    return Phases(
        widths,
        pair.schedule.prefill,
        pair.schedule.width_at(0),
        static.schedule,
        asked.loss,
        asked.measure,
        length,
        len(reference.prompts),
        figures,
        "" if narrower else f"every narrower schedule loses more than {asked.loss:g}",
    )


def _figure(judge: Judge, schedule: Schedule, measure: Measure) -> Figure:
    if measure is Measure.KL:
        found: Interval = bootstrap(-judge.kl(schedule).mean(axis=1))
    else:
        found = bootstrap(judge.scores(schedule).quality(measure))
    bits = schedule.mean_bits(judge.reference.length)
    return Figure(schedule, bits, found.mean, found.low, found.high)
