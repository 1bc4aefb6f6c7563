"""Schedules of widths at the command line: where they come from, and what following one costs."""

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optimum_compile.compiler.errors import InputError, InternalError, OptionError
from optimum_compile.compiler.package.manifest import Artifact, WidthRead
from optimum_compile.compiler.package.reader import Bundle
from optimum_compile.compiler.phasing import LEARNED
from optimum_compile.compiler.schedule import Schedule
from optimum_compile.passes.phase.learned_file import load
from optimum_compile.passes.phase.notes import Phases

FORMS = "static, learned, fixed:BITS, or as 'prefill 4, decode 4@0 2@64'"
LEARNED_FORM = "learned"
LEARNED_ON = ("native", "gpu")  # targets whose runtime runs a learned scheduler
SCHEDULE_HELP = f"bits that nested weights are read with: {FORMS}"

Choose = Callable[[Any], Schedule]


@dataclass(frozen=True)
class Asked:
    """A schedule of `run`: `choose` is asked once, after the prompt, which is read with `prefill` bits."""

    prefill: int
    choose: Choose


def asked(text: str, bundle: Bundle, session: Any) -> Asked:
    """What `--schedule` names. Raises OptionError for what is none, InputError for what the bundle has not."""
    widths: Sequence[int] = getattr(session, "widths", ())
    if len(widths) < 2:
        raise no_choice(bundle)
    if text == LEARNED_FORM:
        return _learned(bundle, session)
    if text == "static":
        if not bundle.manifest.phases:
            raise InputError(f"{bundle.path}: no static schedule; compile with --schedule static")
        schedule = _phases(bundle).static
    elif text.startswith("fixed:"):
        bits = text.removeprefix("fixed:")
        if not bits.isascii() or not bits.isdigit() or len(bits) > 3:
            raise OptionError(f"schedule {text!r}: expected {FORMS}")
        schedule = Schedule.fixed(int(bits))
    elif text.startswith("prefill"):
        schedule = Schedule.parse(text)
    else:
        raise OptionError(f"schedule {text!r}: expected {FORMS}")
    schedule.check(widths)
    return Asked(schedule.prefill, lambda session: schedule)


def no_choice(bundle: Bundle) -> InputError:
    """The error for an artifact that is read with one number of bits only."""
    counts = Counter(each.target for each in bundle.manifest.widths)
    able = [target for target, count in counts.items() if count > 1]
    return InputError(
        f"{bundle.path}: calls of this artifact choose no width; name one that does: "
        f"--artifact {'|'.join(able)}"
        if able
        else f"{bundle.path}: no nested weights; compile with --nested 2,3,4"
    )


def schedule_lines(bundle: Bundle) -> list[str]:
    """What `run --schedule` may follow, a line each. Raises InputError for what is damaged."""
    lines, file = [], bundle.path / LEARNED
    if bundle.manifest.phases:
        found = _phases(bundle)
        bits = found.effective_bits(found.static)
        lines.append(
            f"static schedule: {found.static}: {bits:.2f} of {max(found.widths)} bits in the mean"
        )
    if file.is_file():
        plan = load(file).plan
        steps = ", ".join(map(str, plan.steps[:-1]))
        lines.append(
            f"learned schedule: prefill {plan.prefill}, decode {plan.high} bits until step {steps} or the "
            f"end, then {plan.low}"
        )
    return lines


def _phases(bundle: Bundle) -> Phases:
    try:
        return Phases.from_json(bundle.manifest.phases)
    except (KeyError, TypeError, ValueError, OptionError) as error:
        raise InputError(f"{bundle.path}: its schedule is damaged: {error}") from error


def _learned(bundle: Bundle, session: Any) -> Asked:
    from optimum_compile.backends.native.schedule import Scheduler
    from optimum_compile.backends.native.session import Session

    file = bundle.path / LEARNED
    if not file.is_file():
        raise InputError(f"{bundle.path}: no {LEARNED}; compile with --scheduler FILE")
    if not isinstance(session, Session):
        raise OptionError(
            f"schedule learned: only {' and '.join(LEARNED_ON)} artifacts read the cache; name one with "
            "--artifact, or compile with --target native"
        )
    scheduler = Scheduler(file)
    try:
        Schedule.two(scheduler.prefill, scheduler.high, scheduler.low, 1).check(session.widths)
    except OptionError as error:
        raise InputError(f"{file}: {error}") from error
    return Asked(scheduler.prefill, scheduler.schedule)


class Paced:
    """A session whose decode steps follow a schedule. `widths`: of each step that was taken.

    read: what a token reads, by width. say: is told of every change.
    """

    def __init__(
        self, session: Any, wanted: Asked, read: Mapping[int, WidthRead], say: Callable[[str], None]
    ) -> None:
        self._session, self._wanted, self._read, self._say = session, wanted, read, say
        self.context: int = session.context
        self.schedule: Schedule | None = None
        self.widths: list[int] = []

    def prefill(self, tokens: Sequence[int]) -> Any:
        """The prompt; the schedule is known then."""
        self._session.set_width(self._wanted.prefill)
        logits = self._session.prefill(tokens)
        self.schedule = self._wanted.choose(self._session)
        self._say(f"{len(tokens)} tokens of the prompt with {self._wanted.prefill} bits")
        return logits

    def decode(self, token: int) -> Any:
        """One token, with as many bits as the schedule has for it."""
        if self.schedule is None:
            raise InternalError("a step before its prompt")
        bits = self.schedule.width_at(len(self.widths))
        if not self.widths or self.widths[-1] != bits:
            self._session.set_width(bits)
            self._say(f"from token {len(self.widths)} on {bits} bits")
        self.widths.append(bits)
        return self._session.decode(token)

    def figures(self) -> dict[str, Any]:
        """The schedule, and means over the steps that were taken: widths, bits and bytes of weights read."""
        out: dict[str, Any] = {"schedule": str(self.schedule)}
        if not self.widths:
            return out
        out["mean_bits"] = round(sum(self.widths) / len(self.widths), 4)
        if all(width in self._read for width in self.widths):
            read = [self._read[width] for width in self.widths]
            out["effective_bits"] = round(sum(each.bits for each in read) / len(read), 4)
            out["bytes_per_token"] = round(sum(each.bytes_per_token for each in read) / len(read))
        return out


def paced(
    bundle: Bundle, session: Any, text: str, artifact: Artifact, *, verbose: bool = False
) -> Paced:
    """`session`, which runs `artifact`, on the schedule that `text` names. Raises what `asked` raises."""
    wanted = asked(text, bundle, session)
    read = {w.width: w for w in bundle.manifest.widths if w.path == artifact.path}
    say = _told if verbose else _silent
    return Paced(session, wanted, read, say)


def _told(line: str) -> None:
    print(f"[{line}]", file=sys.stderr, flush=True)


def _silent(line: str) -> None:
    return None
