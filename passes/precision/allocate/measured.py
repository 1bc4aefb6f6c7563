"""The measured allocator: measure around an assignment, solve, measure again around the solution.

KV caches, where they are units, are not rounded at any base: what they do in fewer bits is measured from
there, in the context of quantised weights.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from optimum_compile.compiler.errors import BudgetError, InternalError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.pass_manager import PassContext
from optimum_compile.compiler.quant.kv import AnyScheme
from optimum_compile.passes.calibrate.checkpoint import fingerprint
from optimum_compile.passes.calibrate.propagate import Sample
from optimum_compile.passes.precision.allocate.assembled import Selection
from optimum_compile.passes.precision.allocate.goals import Candidate, Goal, Quality
from optimum_compile.passes.precision.allocate.narrowed import around, translated
from optimum_compile.passes.precision.allocate.quadratic import Quadratic
from optimum_compile.passes.precision.caches import (
    exact_caches,
    has_caches,
    weights_alone,
    write_schemes,
)
from optimum_compile.passes.precision.narrow import read_narrowest
from optimum_compile.passes.precision.notes import Quantized
from optimum_compile.passes.precision.problem import Picks, Problem
from optimum_compile.passes.precision.quantize_blocks import QuantizeBlocks
from optimum_compile.passes.precision.quantizers.recipes import Recipe
from optimum_compile.passes.sensitivity.gram import GramOptions, Measured, measure_gram
from optimum_compile.passes.sensitivity.trials import Trials

MEASURED = "measured"
TIGHTENINGS = 4
TRUST = (1.0, 0.5, 0.0)  # shares of the interactions that proposals take into account


@dataclass(frozen=True)
class MeasureOptions:
    """How often is measured, and how widely.

    rounds: measurements, each around the last solution. steps: choices on either side of a unit's own
    that later rounds look at. narrowest: nested weights are rounded as always, and read with their
    fewest bits.
    """

    rounds: int = 2
    steps: int = 1
    narrowest: bool = False
    gram: GramOptions = GramOptions()


@dataclass(frozen=True)
class Texts:
    """Prefill calls: what the quantiser may see, where damage is measured, where it is decided."""

    calibration: tuple[Sample, ...]
    profiling: tuple[Sample, ...]
    selection: tuple[Sample, ...]


@dataclass(frozen=True)
class Round:
    """One measurement: the problem that was looked at, around which picks, and what came out."""

    problem: Problem
    base: Picks
    damage: Quadratic
    picks: Picks
    forward_passes: float

    def knows(self, schemes: Mapping[str, AnyScheme]) -> bool:
        """Whether it looked at the scheme of every unit."""
        units = self.problem.units
        return all(any(c.scheme == schemes[u.name] for c in u.choices) for u in units)


@dataclass(frozen=True)
class Allocation:
    """The outcome: picks of the whole problem, every round, every candidate, least KL first."""

    picks: Picks
    rounds: tuple[Round, ...]
    candidates: tuple[Candidate, ...]

    @property
    def chosen(self) -> Candidate:
        """The candidate whose picks these are."""
        return next(c for c in self.candidates if c.picks == self.picks)

    def scores(self, problem: Problem, picks: Picks) -> dict[str, dict[str, float]]:
        """By unit and scheme, the predicted change of the damage from picks of the whole problem.

        Of every choice by the first round's model, which knows all; near the outcome by the last one's.
        """
        out: dict[str, dict[str, float]] = {}
        schemes = problem.schemes(picks)
        for each in (self.rounds[0], self.rounds[-1]):
            if not each.knows(schemes):
                continue
            change = each.damage.separable(translated(problem, picks, each.problem))
            for unit, row in zip(each.problem.units, change, strict=True):
                pairs = zip(unit.choices, row, strict=True)
                out.setdefault(unit.name, {}).update({str(c.scheme): n for c, n in pairs})
        return out

    @property
    def forward_passes(self) -> float:
        """What all rounds cost."""
        return sum(each.forward_passes for each in self.rounds)

    def last_with(self, problem: Problem) -> Round:
        """The last round that looked at the choices of the picks."""
        schemes = problem.schemes(self.picks)
        return next(each for each in reversed(self.rounds) if each.knows(schemes))


class Allocator:
    """Measures a graph once, or around several solutions, and solves for any limits in between."""

    def __init__(
        self,
        graph: Graph,
        problem: Problem,
        recipe: Recipe,
        texts: Texts,
        work: Path,
        ctx: PassContext,
        facts: Mapping[str, object],
        options: MeasureOptions = MeasureOptions(),
    ) -> None:
        self.graph, self.problem, self.recipe = graph, problem, recipe
        self.texts, self.work, self.ctx = texts, work, ctx
        self.facts, self.options = facts, options
        self.profiling = Selection(graph, texts.profiling)
        self.selection = Selection(graph, texts.selection)

    def start(self, goal: Goal) -> Picks:
        """The base of the first round. Raises BudgetError where nothing can do."""
        return goal.start(self.problem)

    def allocate(self, goal: Goal, others: Mapping[str, Picks] | None = None) -> Allocation:
        """Picks that reach the goal; `others` are policies that they must not be worse than.

        Raises BudgetError before any work where nothing can.
        """
        rounds: list[Round] = []
        simple = dict(others or {})
        base = exact_caches(self.problem, self.start(goal))
        for index in range(self.options.rounds):
            narrow, inside = self.problem, base
            if index:
                narrow, inside = around(self.problem, base, self.options.steps)
            measured = self.measure(narrow, inside, index)
            damage = measured.damage
            tried = self.proposals(goal, narrow, inside, damage)
            plain = self.with_exact_caches(goal, narrow, inside, damage)
            if plain is not None:
                simple[f"{MEASURED}, round {index + 1}, caches at 16 bits"] = translated(
                    narrow, plain, self.problem
                )
                tried.append(plain)
            picks = self.best(goal, narrow, [*tried, *({} if index else others or {}).values()])
            rounds.append(Round(narrow, inside, damage, picks, measured.forward_passes))
            found = exact_caches(self.problem, translated(narrow, picks, self.problem))
            if found == base:
                break
            base = found
        return self.decided(goal, rounds, simple)

    def proposals(
        self, goal: Goal, problem: Problem, base: Picks, damage: Quadratic
    ) -> list[Picks]:
        """Solutions that trust interactions in full, by half and not at all, and as distances from 16 bits.

        How far they can be trusted depends on how large the damage is.
        """
        models = [*(damage.weighted(share) for share in TRUST), damage.from_widest(base)]
        return [goal.solve(problem, model, base) for model in models]

    def with_exact_caches(
        self, goal: Goal, problem: Problem, base: Picks, damage: Quadratic
    ) -> Picks | None:
        """The best picks that leave all caches at 16 bits; None without caches, or where those do not fit.

        None where a quality is asked for, too: then fewer bytes win, and these are not fewer.
        """
        weights = weights_alone(problem)
        fits = weights.fits(weights.least())
        if not has_caches(problem) or isinstance(goal, Quality) or not fits:
            return None
        count = len(weights.units)
        tried = self.proposals(goal, weights, base[:count], damage.of_first(count))
        return self.best(goal, problem, [exact_caches(problem, picks) for picks in tried])

    def best(self, goal: Goal, problem: Problem, proposals: Sequence[Picks]) -> Picks:
        """The best of several proposals on the profiling text, from which the next round starts.

        Where the damage is beyond any second order, a simple policy may be the better place to measure
        around than what a damage model proposes.
        """
        tried = dict.fromkeys(proposals)
        if len(tried) == 1:
            return proposals[0]
        trials = self.trials(self.problem, 0)
        wide = [translated(problem, picks, self.problem) for picks in tried]
        scored = [Candidate("", picks, self.profiling.kl(trials, picks)) for picks in wide]
        chosen = goal.chosen(sorted(scored, key=lambda c: c.kl))
        return proposals[0] if chosen is None else translated(self.problem, chosen.picks, problem)

    def measure(self, problem: Problem, base: Picks, index: int) -> Measured:
        """Quantise at `base`, round every other choice in its context, and measure them all."""
        folder = self.work / f"round{index}"
        schemes = problem.schemes(base)
        assign(self.graph, schemes)
        told = {name: str(scheme) for name, scheme in schemes.items()}
        choices = {u.name: [str(c.scheme) for c in u.choices] for u in problem.units}
        identity = fingerprint({**self.facts, "base": told, "choices": choices})
        trials = self.trials(problem, index)
        quantize = QuantizeBlocks(
            folder, self.recipe, self.texts.calibration, identity, trials=trials
        )
        quantize.run(self.graph, self.ctx)
        if self.options.narrowest:
            read_narrowest(self.graph)
        found = measure_gram(
            trials,
            base,
            self.texts.profiling,
            folder / "gram",
            replace(self.options.gram, seed=self.ctx.seed),
            fingerprint=identity,
            progress=self.ctx.progress,
        )
        clear(self.graph)
        return found

    def trials(self, problem: Problem, index: int) -> Trials:
        """The trials of a round."""
        folder = self.work / f"round{index}" / "trials"
        books, narrowest = self.work / "codebooks", self.options.narrowest
        return Trials(self.graph, problem, folder, books=books, narrowest=narrowest)

    def decided(
        self, goal: Goal, rounds: Sequence[Round], others: Mapping[str, Picks]
    ) -> Allocation:
        """Compare on the selection text, all put together from the first round's trials."""
        entries = {
            f"{MEASURED}, round {n + 1}": translated(r.problem, r.picks, self.problem)
            for n, r in enumerate(rounds)
        }
        wanted = {**dict(reversed(entries.items())), **others}
        unique: dict[Picks, str] = {}
        for name, picks in wanted.items():
            unique.setdefault(picks, name)
        found = [self._candidate(rounds[-1], name, picks) for picks, name in unique.items()]
        found.sort(key=lambda c: c.kl)
        chosen = goal.chosen(found)
        if chosen is None and isinstance(goal, Quality):
            return self._tightened(goal, rounds, found)
        if chosen is None:
            raise InternalError("no assignment was found")
        return Allocation(chosen.picks, tuple(rounds), tuple(found))

    def _tightened(
        self, goal: Quality, rounds: Sequence[Round], found: list[Candidate]
    ) -> Allocation:
        """Ask the damage model for less until the text agrees; from the whole problem's model."""
        first, best = rounds[0], found[0]
        for _ in range(TIGHTENINGS):
            goal = replace(goal, aim=goal.aim * min(0.9, goal.max_kl / max(best.kl, 1e-12)))
            picks = goal.solve(first.problem, first.damage, first.base)
            best = self._candidate(first, f"{MEASURED}, aiming at {goal.aim:.3g}", picks)
            found.append(best)
            if best.kl <= goal.max_kl:
                found.sort(key=lambda c: c.kl)
                return Allocation(best.picks, tuple(rounds), tuple(found))
        least = min(c.kl for c in found)
        raise BudgetError(
            f"{goal.name} of {goal.max_kl:g}: the least that was measured is {least:.3g} nats a token; "
            f"raise --{goal.name}"
        )

    def _candidate(self, last: Round, name: str, picks: Picks) -> Candidate:
        self.ctx.progress(f"select: {name}", 0, 1)
        kl = self.selection.kl(self.trials(self.problem, 0), picks)
        return Candidate(name, picks, kl, self._predicted(last, picks))

    def _predicted(self, last: Round, picks: Picks) -> float | None:
        schemes = self.problem.schemes(picks)
        return last.damage.value(last.problem.picks_of(schemes)) if last.knows(schemes) else None


def assign(graph: Graph, schemes: Mapping[str, AnyScheme]) -> None:
    """Write the schemes on weights and states, and take away what was packed before."""
    clear(graph)
    write_schemes(graph, schemes)


def clear(graph: Graph) -> None:
    """Take every `Quantized` note away."""
    for value in graph.weights.values():
        value.notes.drop(Quantized)


def forget(work: Path) -> None:
    """Remove what measuring left on disk."""
    for folder in (*work.glob("round*"), work / "codebooks"):
        shutil.rmtree(folder, ignore_errors=True)
