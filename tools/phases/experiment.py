"""Schedules of one model against each other, and the two observations of progressive decoding tested."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.quant.scheme import Lut, Nested
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.compiler.schedule import Schedule
from optimum_compile.passes.phase.batched import ONLY_WIDTH, BatchedEngine
from optimum_compile.passes.phase.bytes import StepBytes, sparse_of_bytes, step_bytes
from optimum_compile.passes.phase.controls import (
    alternating,
    expected,
    prior,
    smallest_lossless,
    turned,
)
from optimum_compile.passes.phase.decide import EPSILON
from optimum_compile.passes.phase.judge import Judge, Measure, Scores, compared
from optimum_compile.passes.phase.metrics import Interval, bootstrap
from optimum_compile.passes.phase.solve import Found, phase_pair, static_schedule
from optimum_compile.tools.phases.setup import Request, quantised, texts

MEASURES = (Measure.ROUGE, Measure.TEXT, Measure.KL)


@dataclass(frozen=True)
class Row:
    """A line of the table: figures over the held-out texts."""

    name: str
    schedule: str
    mean_bits: float
    bytes_per_token: float
    rouge: Interval
    text: Interval
    agreement: Interval
    diverges: float
    kl: Interval


class Experiment:
    """One model, its judge, and which texts are for which purpose."""

    def __init__(self, request: Request, work: Path) -> None:
        """Quantise under `work`, find prompts, and make the engine."""
        self.request = request
        self.work = work
        self.graph = quantised(request, request.scheme, self._folder(request.scheme))
        self.reference, self.tried = texts(request)
        self.engine = BatchedEngine(self.graph)
        self.judge = Judge(self.engine, self.reference, watch=_say)
        self.bytes: StepBytes = step_bytes(self.graph)
        self.fresh = np.arange(request.held_out)
        self.known = np.arange(request.held_out, request.held_out + request.validation)

    def _folder(self, scheme: str) -> Path:
        return self.work / f"{self.request.model.resolve().name}-{scheme.replace(':', '_')}"

    @property
    def top(self) -> int:
        """The greatest width."""
        return max(self.engine.widths)

    def row(self, name: str, schedule: Schedule) -> Row:
        """Figures of a schedule on the held-out texts."""
        scores = self.judge.scores(schedule)
        length = self.request.length
        read = self.bytes.mean(schedule, self.request.prompt, length)
        return _row(name, str(schedule), schedule.mean_bits(length), read, scores, self.fresh)

    def validation_quality(self, measure: Measure) -> Any:
        """Mean quality over the validation texts alone."""

        def mean(schedule: Schedule) -> float:
            if measure is Measure.KL:
                return -float(self.judge.kl(schedule)[self.known].mean())
            return float(self.judge.scores(schedule).quality(measure)[self.known].mean())

        return mean

    # ---- the two observations

    def phases(self) -> list[dict[str, Any]]:
        """Prompt wide and answer narrow, against the reverse.

        Only as many tokens of the answer count as the prompt has, so that both read the same mean of bits
        over all tokens. All texts serve: nothing is chosen by them.
        """
        cut, out = min(self.request.prompt, self.request.length), []
        for low, high in combinations(self.engine.widths, 2):
            one, other = Schedule.fixed(high, low), Schedule.fixed(low, high)
            difference = _compare(self._beginning(one, cut), self._beginning(other, cut))
            out.append({"high": high, "low": low, "tokens": cut, **difference})
        return out

    def _beginning(self, schedule: Schedule, cut: int) -> Scores:
        found = self.judge.scores(schedule)
        return compared(found.answers[:, :cut], self.reference, found.kl)

    def orders(self) -> list[dict[str, Any]]:
        """Half of the answer wide and then half narrow, against the reverse and against taking turns."""
        length, out = self.request.length, []
        for low, high in combinations(self.engine.widths, 2):
            first = Schedule.two(high, high, low, length // 2)
            last, turns = turned(first, length), alternating(first, length)
            for name, other in (("high last", last), ("alternating", turns)):
                difference = _compare(self.judge.scores(first), self.judge.scores(other))
                out.append({"high": high, "low": low, "against": name, **difference})
        return out

    # ---- what a compiler decides

    def static(self, measure: Measure, widths: Sequence[int]) -> Found:
        """The static schedule by the validation texts, the prompt at the greatest of the widths."""
        quality = self.validation_quality(measure)
        length = self.request.length
        return static_schedule(
            quality, max(widths), widths, length, EPSILON[measure], self.request.points
        )

    def pair(self, measure: Measure) -> Found:
        """The phase-aware pair by the validation texts."""
        return phase_pair(self.validation_quality(measure), self.engine.widths, EPSILON[measure])

    def held_out_loss(self, schedule: Schedule, high: Schedule, measure: Measure) -> Interval:
        """What a schedule loses against the high width on texts that chose nothing (paired)."""
        lost = self._quality(high, measure) - self._quality(schedule, measure)
        return bootstrap(lost[self.fresh])

    def _quality(self, schedule: Schedule, measure: Measure) -> np.ndarray:
        return self.judge.scores(schedule).quality(measure)

    def random_controls(self, high: int, low: int, measure: Measure) -> dict[str, Any]:
        """A switching point at random for every text: evenly, and as often as it is the best one.

        Both are exact means over all draws. Labels come from the validation texts.
        """
        length, points = self.request.length, self.request.points
        steps = [round(p * length / (points - 1)) for p in range(points)]
        every = [
            Schedule.two(high, high, low, s) if s < length else Schedule.fixed(high) for s in steps
        ]
        quality = np.stack([self._quality(s, measure) for s in every], axis=1)
        bits = np.array([s.mean_bits(length) for s in every])
        labels = smallest_lossless(quality[self.known])
        weights = {"uniform": np.full(points, 1 / points), "prior": prior(labels, points)}
        found: dict[str, Any] = {"labels": np.bincount(labels, minlength=points).tolist()}
        for name, share in weights.items():
            values = expected(quality[self.fresh], share)
            found[name] = {
                "mean_bits": float(bits @ share),
                "quality": asdict(bootstrap(values)),
            }
        best = smallest_lossless(quality[self.fresh])
        chosen = quality[self.fresh][np.arange(len(best)), best]
        found["oracle"] = {
            "mean_bits": float(bits[best].mean()),
            "quality": asdict(bootstrap(chosen)),
        }
        return found

    def dense_and_sparse(self, low: int, schedule: Schedule) -> Row:
        """A palette of `low` bits with outliers, as many as take the bytes that a schedule reads."""
        nested = parse_scheme(self.request.scheme)
        if not isinstance(nested, Nested):
            raise OptionError(f"scheme {nested}: expected a nested one, as nest2-4:r8")
        request = self.request
        read = self.bytes.mean(schedule, 0, request.length)
        beside = self.bytes.other + self.bytes.cache_per_token * (request.length - 1) / 2
        scheme = sparse_of_bytes(self.graph, Lut(low, nested.rows_per_table), read - beside)
        graph = quantised(request, str(scheme), self._folder(str(scheme)))
        only = Judge(BatchedEngine(graph), self.reference, watch=_say)
        scores = only.scores(Schedule.fixed(ONLY_WIDTH))
        bits = schedule.mean_bits(request.length)
        name = f"dense and sparse, {scheme.fraction:.2%} outliers"
        total = self.bytes.mean(schedule, request.prompt, request.length)
        return _row(name, str(scheme), bits, total, scores, self.fresh)


def run(
    request: Request, work: Path, *, sparse: bool = True, brief: bool = False
) -> dict[str, Any]:
    """Everything about one model, as JSON.

    sparse: dense-and-sparse rows too, each of which rounds the model again. brief: decide for the two
    greatest widths and for all together only.
    """
    one = Experiment(request, work)
    length, widths = request.length, tuple(one.engine.widths)
    rows = [one.row(f"uniform {w}", Schedule.fixed(w)) for w in reversed(widths)]
    pairs = list(combinations(widths, 2))
    for low, high in pairs:
        rows.append(one.row(f"prompt {high}, answer {low}", Schedule.fixed(high, low)))
        rows.append(one.row(f"prompt {low}, answer {high}", Schedule.fixed(low, high)))
    for low, high in pairs:
        half = Schedule.two(high, high, low, length // 2)
        rows.append(one.row(f"{high} then {low}", half))
        rows.append(one.row(f"{low} then {high} (turned)", turned(half, length)))
        rows.append(one.row(f"{high} and {low} in turns", alternating(half, length)))
        if sparse and high == low + 1:
            rows.append(one.dense_and_sparse(low, half))
    deciding = pairs[-1:] if brief else pairs
    decided: dict[str, Any] = {}
    for measure in MEASURES:
        decided[measure.value] = _decided(one, measure, deciding)
    return {
        "model": request.model.resolve().name,
        "request": {k: str(v) if isinstance(v, Path) else v for k, v in asdict(request).items()},
        "texts_tried": one.tried,
        "bytes": {
            "nested": {str(k): v for k, v in one.bytes.nested.items()},
            "other": one.bytes.other,
            "cache_per_token": one.bytes.cache_per_token,
        },
        "rows": [asdict(row) for row in rows],
        "phases": one.phases(),
        "orders": one.orders(),
        "decided": decided,
        "random": {
            f"{high}-{low}": one.random_controls(high, low, Measure.ROUGE) for low, high in deciding
        },
        "kl_by_position": _by_position(one, pairs),
    }


def _decided(one: Experiment, measure: Measure, pairs: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """The pair and the static schedules of one measure, each with its loss on held-out texts."""
    length = one.request.length
    pair = one.pair(measure)
    found = [("phase pair", pair, Schedule.fixed(one.top))]
    for widths in (*pairs, tuple(one.engine.widths)):
        high = Schedule.fixed(max(widths))
        found.append((f"static {'-'.join(map(str, widths))}", one.static(measure, widths), high))
    out: dict[str, Any] = {"epsilon": EPSILON[measure]}
    for name, each, high in found:
        schedule = each.schedule
        entry: dict[str, Any] = {
            "schedule": str(schedule),
            "mean_bits": schedule.mean_bits(length),
            "below_high": high.mean_bits(length) - schedule.mean_bits(length),
            "tried": len(each.tried),
            "validation": each.best.quality,
            "least": each.least_quality,
            "loss": asdict(one.held_out_loss(schedule, high, measure)),
            "bytes_per_token": one.bytes.mean(schedule, one.request.prompt, length),
        }
        if len(schedule.switches) > 1:
            controls = {
                "turned": turned(schedule, length),
                "alternating": alternating(schedule, length),
            }
            entry["controls"] = {
                k: asdict(one.held_out_loss(s, high, measure)) for k, s in controls.items()
            }
        out[name] = entry
    return out


def _by_position(one: Experiment, pairs: Sequence[tuple[int, int]]) -> dict[str, list[float]]:
    """Mean KL in eight equal parts of the answer, all texts."""
    asked = [Schedule.fixed(w) for w in one.engine.widths]
    for low, high in pairs:
        half = Schedule.two(high, high, low, one.request.length // 2)
        asked += [Schedule.fixed(high, low), Schedule.fixed(low, high), half]
        asked.append(turned(half, one.request.length))
    return {
        str(s): [float(part.mean()) for part in np.array_split(one.judge.kl(s), 8, axis=1)]
        for s in asked
    }


def _compare(one: Scores, other: Scores) -> dict[str, Any]:
    """Differences, one less other, paired over texts; `wins` by the sign of the whole interval."""
    out: dict[str, Any] = {}
    for measure in Measure:
        if measure is Measure.TEXT and one.text is None:
            continue
        difference = bootstrap(one.quality(measure) - other.quality(measure))
        out[measure.value] = {**asdict(difference), "sign": difference.sign}
    return out


def _row(
    name: str, schedule: str, bits: float, read: float, scores: Scores, chosen: np.ndarray
) -> Row:
    text = scores.rouge if scores.text is None else scores.text
    return Row(
        name,
        schedule,
        bits,
        read,
        bootstrap(scores.rouge[chosen]),
        bootstrap(text[chosen]),
        bootstrap(scores.agreement[chosen]),
        float(scores.diverges[chosen].mean()),
        bootstrap(scores.kl.mean(axis=1)[chosen]),
    )


def _say(schedule: Schedule) -> None:
    print(f"  {schedule}"[:100], file=sys.stderr, flush=True)


def smaller(request: Request, texts_of_each: int) -> Request:
    """The same with fewer texts: a quick look."""
    return replace(request, validation=texts_of_each, held_out=texts_of_each)
