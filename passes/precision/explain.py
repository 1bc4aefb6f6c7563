"""Why a tensor got its bits, and what the next ones would buy: exchange rates of damage for bytes."""

from collections.abc import Sequence
from dataclasses import dataclass

from optimum_compile.passes.precision.problem import Picks, Problem

KILOBYTE = 1000


@dataclass(frozen=True)
class Option:
    """A scheme that a tensor may get: bytes on each target, and its damage where it was measured.

    Only differences of damage within one tensor are read: a map measured at the final assignment has
    zero for what was chosen, one measured with everything else in floats has zero near 16 bits.
    """

    scheme: str
    bits_per_weight: float
    bytes: tuple[int, ...]
    damage: float | None = None

    @property
    def size(self) -> int:
        """Bytes on the target that needs most."""
        return max(self.bytes)


@dataclass(frozen=True)
class Subject:
    """A tensor with its options, fewest bytes first, and the index of what it got.

    `reason` is what assignment said about it, if anything; `stage` the index of its stage, and
    `stage_class` that one's class; `is_exception` where the tensor is of another class.
    """

    name: str
    shape: tuple[int, ...]
    options: tuple[Option, ...]
    chosen: int
    refused: tuple[tuple[str, str], ...] = ()
    pinned: bool = False
    reason: str = ""
    stage: int | None = None
    stage_class: str = ""
    is_exception: bool = False
    is_cache: bool = False  # keys or values of a layer: bits are those of a number

    @property
    def now(self) -> Option:
        """What it got."""
        return self.options[self.chosen]


@dataclass(frozen=True)
class Step:
    """One tensor from its option to another: bytes and damage that this adds, either may be negative.

    `bytes` is on the target that needs most for the tensor, `damage` None where it was not measured.
    """

    name: str
    before: str
    after: str
    bytes: int
    damage: float | None

    @property
    def rate(self) -> float | None:
        """Nats saved for each byte more, or lost for each byte less."""
        if self.damage is None or self.bytes == 0:
            return None
        return -self.damage / self.bytes


@dataclass(frozen=True)
class Prices:
    """What a byte is worth: the best step up that was not taken, the worst that was.

    `idle` counts tensors with a narrower option that is predicted to do no harm alone: interactions,
    and bytes that were left, buy such steps too.
    """

    refused: Step | None = None
    bought: Step | None = None
    idle: int = 0


@dataclass(frozen=True)
class Explanation:
    """Of one tensor: its share of the weights, the steps on either side of it, and why it stays.

    `gap` is the damage now beyond that of the tensor's widest option.
    """

    subject: Subject
    share: float
    gap: float | None
    wider: Step | None
    narrower: Step | None
    why: str


def steps(subject: Subject) -> list[Step]:
    """From what a tensor got to every other option of another size, fewest bytes first."""
    now = subject.now
    out = []
    for option in subject.options:
        if option.size != now.size:
            known = option.damage is not None and now.damage is not None
            change = (option.damage or 0.0) - (now.damage or 0.0) if known else None
            more = option.size - now.size
            out.append(Step(subject.name, now.scheme, option.scheme, more, change))
    return out


def prices(subjects: Sequence[Subject]) -> Prices:
    """The best rate of all single steps up that were not taken, and the worst of those that help.

    A step that was taken is one that could be undone: the rate is what undoing it would lose for each
    byte that it frees. Where bytes and damage were exchanged in the best way the first is no higher
    than the second, up to what single bytes cannot buy and to interactions.
    """
    every = [s for subject in subjects if not subject.pinned for s in steps(subject)]
    up = [(s.rate, s) for s in every if s.bytes > 0 and s.rate is not None and s.rate > 0]
    down = [(s.rate, s) for s in every if s.bytes < 0 and s.rate is not None]
    paid = [pair for pair in down if pair[0] > 0]
    return Prices(
        max(up, key=lambda pair: pair[0])[1] if up else None,
        min(paid, key=lambda pair: pair[0])[1] if paid else None,
        len({step.name for rate, step in down if rate <= 0}),
    )


def marginal_rates(
    problem: Problem, picks: Picks, damage: Sequence[Sequence[float]]
) -> tuple[float | None, float | None]:
    """Nats a byte of `prices` for picks of a problem and a table of damage."""
    found = prices(subjects_of(problem, picks, damage))
    return (
        None if found.refused is None else found.refused.rate,
        None if found.bought is None else found.bought.rate,
    )


def subjects_of(
    problem: Problem, picks: Sequence[int], damage: Sequence[Sequence[float | None]]
) -> tuple[Subject, ...]:
    """The tensors of a problem."""
    out = []
    for unit, row, chosen in zip(problem.units, damage, picks, strict=True):
        options = tuple(
            Option(str(choice.scheme), unit.bits_per_weight(at), choice.bytes, row[at])
            for at, choice in enumerate(unit.choices)
        )
        shape = (unit.unit.use.rows, unit.unit.use.columns)
        out.append(
            Subject(
                unit.name,
                shape,
                options,
                chosen,
                unit.refused,
                unit.pinned,
                is_cache=unit.unit.is_cache,
            )
        )
    return tuple(out)


def explain(
    subject: Subject, worth: Prices, total_bytes: int, left_bytes: int | None, policy: str
) -> Explanation:
    """Why one tensor got what it got.

    Args:
        subject: the tensor.
        worth: prices over all tensors.
        total_bytes: weights of the model on the target that needs most.
        left_bytes: what the budget leaves unspent; None where that is not known.
        policy: the name of what assigned; "measured" exchanged damage for bytes as is told here.
    """
    every = steps(subject)
    return Explanation(
        subject,
        subject.now.size / max(1, total_bytes),
        _gap(subject),
        _wider(every),
        next((s for s in reversed(every) if s.bytes < 0), None),
        _why(subject, worth, left_bytes, policy, every),
    )


def _gap(subject: Subject) -> float | None:
    widest = subject.options[-1].damage
    now = subject.now.damage
    return None if now is None or widest is None else now - widest


def _wider(every: Sequence[Step]) -> Step | None:
    """The next option that is predicted to help, or else the next one."""
    up = [s for s in every if s.bytes > 0]
    helps = (s for s in up if s.damage is not None and s.damage < 0)
    return next(helps, up[0] if up else None)


def _why(
    subject: Subject, worth: Prices, left_bytes: int | None, policy: str, every: Sequence[Step]
) -> str:
    if subject.pinned:
        return "pinned by the user"
    told = [subject.reason] if subject.reason else []
    if len(subject.options) == 1:
        return told[0] if told else "the only scheme that it may have on these targets"
    if not told and policy != "measured":
        told = [f"given by policy {policy!r}"]
    if all(step.rate is None for step in every):
        return "; ".join([*told, "its damage was not measured"])
    return "; ".join([*told, _below(worth, every), _above(worth, left_bytes, _best(every))])


def _best(every: Sequence[Step]) -> Step | None:
    """The step up with the best rate, or else the next one."""
    up = [s for s in every if s.bytes > 0]
    known = [(s.rate, -at, s) for at, s in enumerate(up) if s.rate is not None]
    return max(known, key=lambda t: t[:2])[2] if known else (up[0] if up else None)


def _below(worth: Prices, every: Sequence[Step]) -> str:
    """What holds it up."""
    down = [s for s in every if s.bytes < 0]
    known = [(s.rate, at, s) for at, s in enumerate(down) if s.rate is not None]
    if not down:
        return "it has the fewest bytes that it may have"
    if not known:
        return "narrower schemes were not measured"
    rate, _, step = min(known, key=lambda t: t[:2])
    if rate <= 0:
        return (
            f"{step.after} would free {-step.bytes:,} bytes, and is predicted to do no harm alone"
        )
    if step == worth.bought:
        return f"the cheapest to narrow of all: {step.after} would lose {_text(rate)}"
    return f"narrowing it to {step.after} would lose {_text(rate)}{_against(worth.bought)}"


def _against(step: Step | None) -> str:
    if step is None or step.rate is None:
        return ""
    return f", more than the cheapest elsewhere ({_text(step.rate)})"


def _above(worth: Prices, left_bytes: int | None, step: Step | None) -> str:
    """What keeps it down."""
    if step is None:
        return "it has the most bytes that it may have"
    if step.rate is None:
        return "wider schemes were not measured"
    if step.rate <= 0:
        return "no wider scheme is predicted to help"
    gain = f"{step.after} would save {_text(step.rate)}"
    if left_bytes is not None and step.bytes > left_bytes:
        gain = f"{gain}, but takes {step.bytes:,} bytes where {left_bytes:,} are left"
    bought = worth.bought.rate if worth.bought is not None else None
    if bought is None or step.rate <= bought:
        return f"{gain}; every step that was bought elsewhere saves more"
    return (
        f"{gain}, more than the cheapest step that was bought ({_text(bought)}): the two cannot be "
        "exchanged within the bytes, or their joint effect speaks against it"
    )


def _text(rate: float) -> str:
    return f"{rate * KILOBYTE:.3g} nats a token for each kB"
