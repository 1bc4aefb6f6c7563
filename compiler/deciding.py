"""Decide the precision of every weight by looking at the model: policies that measure, or read a map."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from optimum_compile.backends.base import Backend
from optimum_compile.compiler.assigning import MEASURED, given_map
from optimum_compile.compiler.decided import (
    DAMAGE,
    SENSITIVITY,
    Decided,
    keep_decision,
    known_decision,
    measured_map,
    write_text,
)
from optimum_compile.compiler.errors import BudgetError, OptionError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.compiler.package.describe import versions
from optimum_compile.compiler.pass_manager import PassContext
from optimum_compile.compiler.profiling import model_id
from optimum_compile.compiler.quantizing import Calibration, facts_of, trial_recipe
from optimum_compile.passes.calibrate.checkpoint import fingerprint
from optimum_compile.passes.calibrate.propagate import decoder_samples
from optimum_compile.passes.precision.allocate.goals import Budgeted, Goal, Quality
from optimum_compile.passes.precision.allocate.measured import (
    Allocation,
    Allocator,
    MeasureOptions,
    Round,
    Texts,
    assign,
    forget,
)
from optimum_compile.passes.precision.allocate.milp import solve_separable
from optimum_compile.passes.precision.allocate.narrowed import filled, translated
from optimum_compile.passes.precision.allocate.saved import read_damage, write_damage
from optimum_compile.passes.precision.assign import AssignPrecision, facts_for, problem_of
from optimum_compile.passes.precision.caches import (
    exact_caches,
    has_caches,
    kept_exact,
    parse_schemes,
    shows_caches,
    weights_alone,
)
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.policies import policy_named
from optimum_compile.passes.precision.problem import UNLIMITED, Picks, Problem
from optimum_compile.passes.sensitivity.map import SensitivityMap
from optimum_compile.passes.sensitivity.methods import METHODS, require_suitable
from optimum_compile.passes.sensitivity.profile import profile
from optimum_compile.passes.sensitivity.rounding import round_all
from optimum_compile.passes.sensitivity.setting import Setting
from optimum_compile.passes.sensitivity.trials import Trials
from optimum_compile.passes.stages.uniformise import uniformise

DECIDED = "decided.json"
# Simple policies that a measured assignment must not be worse than.
ATTEMPTS = 8
SIMPLE = ("uniform", "tiers", "mlx-mixed", "cascade")
SPARE = 0.0025  # of a limit on files: how much programs differ between one assignment and the next


def decide(
    graph: Graph,
    options: CompileOptions,
    assignment: AssignPrecision,
    seen: Calibration,
    work: Path,
    ctx: PassContext,
) -> Decided:
    """Measure what the policy needs and write its `Precision` notes.

    A run that was stopped goes on in `work`; one that had decided is not measured again.
    Raises UserErrors of the passes, BudgetError where no assignment will do.
    """
    folder = work / "assign"
    folder.mkdir(parents=True, exist_ok=True)
    facts = {**facts_of(graph, options, seen), "assign": options.echo()}
    identity = fingerprint({key: value for key, value in facts.items() if key != "schemes"})
    found = known_decision(folder / DECIDED, identity, graph)
    if found is None:
        found = _Decision(graph, options, assignment, seen, folder, ctx, facts).made()
        keep_decision(folder / DECIDED, identity, found)
        forget(folder)
    assign(graph, parse_schemes(graph, found.schemes))
    return replace(found, folder=folder)


class _Decision:
    """One decision."""

    def __init__(
        self,
        graph: Graph,
        options: CompileOptions,
        assignment: AssignPrecision,
        seen: Calibration,
        folder: Path,
        ctx: PassContext,
        facts: Mapping[str, Any],
    ) -> None:
        self.graph, self.options, self.assignment = graph, options, assignment
        self.seen, self.folder, self.ctx, self.facts = seen, folder, ctx, facts
        self.backends: Sequence[Backend] = assignment.backends
        self.map = given_map(graph, options)

    def made(self) -> Decided:
        """By the damage model, or by a map of scores."""
        method = policy_named(self.options.policy).method
        if method:
            return self._by_policy(self.map or self._profiled(method))
        if self.map is not None and self.map.method == MEASURED:
            return self._again(self.map, Path(str(self.options.sensitivity)).with_suffix(".npz"))
        if self.map is not None or self.options.sensitivity is not None:
            found = self.map or self._profiled(str(self.options.sensitivity))
            return self._by_scores(found, f"assigned by sensitivity {found.method!r}")
        if self.seen.lack or not self.seen.profiling or not self.seen.selection:
            why = self.seen.lack or "the calibration text is too short to be divided"
            return self._by_scores(self._profiled("weights"), f"assigned from weights alone: {why}")
        return self._measured()

    # ---- ways to decide

    def _by_policy(self, found: SensitivityMap) -> Decided:
        """A policy that reads a map; `AssignPrecision` does the rest."""
        own = replace(self.assignment, policy=self.options.policy, sensitivity=found)
        result = own.run(self.graph, self.ctx)
        self._write_map(found)
        return self._decided(problem_of(self.graph, own), None, result.remarks)

    def _by_scores(self, found: SensitivityMap, remark: str) -> Decided:
        """Integer program on the scores of a map, as if damages added up."""
        self._refuse_quality("a sensitivity map of scores")
        problem = problem_of(self.graph, self._choices())
        told = [remark]
        if not _scores_caches(found, problem):
            told.append(f"KV caches stay at 16 bits: {found.method!r} has no numbers for them")
            problem = kept_exact(problem)
        costs = [
            [0.0] * len(u.choices)
            if u.unit.is_cache and len(u.choices) == 1
            else [found.score(u.name, c.scheme) for c in u.choices]
            for u in problem.units
        ]

        def solved(limited: Problem) -> Picks:
            return filled(limited, solve_separable(limited, costs), costs)

        problem, picks = self._within(problem, solved)
        self._write_map(found)
        return self._decided(problem, picks, told)

    def _again(self, known: SensitivityMap, path: Path) -> Decided:
        """Another budget from measurements that exist."""
        whole = problem_of(self.graph, self._choices())
        if self.options.max_kl is not None:
            whole = whole.limited((UNLIMITED,) * len(whole.limits))
        problem, base, damage = read_damage(path, whole)
        goal = self._goal()

        def solved(limited: Problem) -> Picks:
            return goal.solve(limited, damage, base)

        problem, picks = self._within(problem, solved)
        write_damage(self.folder / DAMAGE, problem, base, damage)
        change = damage.separable(picks)
        scores = {
            u.name: {str(c.scheme): n for c, n in zip(u.choices, row, strict=True)}
            for u, row in zip(problem.units, change, strict=True)
        }
        self._write_map(replace(known, units=scores))
        remark = f"assigned by {path.name}, without a new measurement"
        return self._decided(problem, picks, (remark,), damage.value(picks))

    def _measured(self) -> Decided:
        """Measure around a solution, twice, and compare with the simple policies."""
        problem = self._reserved(problem_of(self.graph, self._choices()))
        if self.options.max_kl is not None:
            problem = problem.limited((UNLIMITED,) * len(problem.limits))
        parts = (self.seen.windows, self.seen.profiling, self.seen.selection)
        longest = self.graph.symbols["seq"].high if "seq" in self.graph.symbols else 1
        texts = Texts(*(decoder_samples(part, longest) for part in parts))
        tokens = max(int(sample.symbols["seq"]) for sample in texts.profiling)
        problem, seen = self._seen_caches(problem, tokens)
        recipe, options = trial_recipe(self.options), MeasureOptions()
        allocator = Allocator(
            self.graph, problem, recipe, texts, self.folder, self.ctx, self.facts, options
        )
        goal = self._goal()
        others = {} if isinstance(goal, Quality) else self._simple(problem)
        found = allocator.allocate(goal, others)
        last = found.last_with(problem)

        def again(limited: Problem) -> Picks:
            inside = last.problem.limited(limited.limits)
            return translated(inside, goal.solve(inside, last.damage, last.base), problem)

        picks = self._kept(problem, found.picks, again)
        picks, told = self._uniform(problem, last, picks)
        predicted = last.damage.value(translated(problem, picks, last.problem))
        kl = found.chosen.kl
        if picks != found.picks:
            kl = allocator.selection.kl(allocator.trials(problem, 0), picks)
            told = (*told, f"{kl:.4f} nats a token on the selection text after that")
        self._write_measured(problem, found, picks)
        return self._decided(problem, picks, (*_told(found), *told, *seen), predicted, kl)

    # ---- parts

    def _choices(self) -> AssignPrecision:
        return replace(self.assignment, policy=MEASURED)

    def _goal(self) -> Goal:
        if self.options.max_kl is None:
            return Budgeted()
        return Quality(self.options.max_kl, self.options.max_kl)

    def _refuse_quality(self, what: str) -> None:
        if self.options.max_kl is not None:
            raise OptionError(f"max-kl needs a measurement in nats, and there is {what}: give text")

    def _simple(self, problem: Problem) -> dict[str, Picks]:
        """What simple policies make of the weights, where 16-bit caches leave room for any."""
        facts = facts_for(self.graph, self.assignment, self.ctx.seed)
        weights = weights_alone(problem)
        names = SIMPLE if weights.fits(weights.least()) else ()
        found = {name: policy_named(name).decide(weights, facts).picks for name in names}
        return {name: exact_caches(problem, picks) for name, picks in found.items()}

    def _seen_caches(self, problem: Problem, tokens: int) -> tuple[Problem, tuple[str, ...]]:
        """No choice for caches where no window reads them rounded, which would look harmless."""
        if not has_caches(problem):
            return problem, ()
        if not shows_caches(problem, tokens):
            told = (
                f"KV caches stay at 16 bits: windows of {tokens} tokens round none; raise --seqlen"
            )
            return kept_exact(problem), (told,)
        return problem, (f"KV caches were measured in windows of {tokens} tokens",)

    def _reserved(self, problem: Problem) -> Problem:
        """Limits less what constants grow by once the schemes are known, at a first guess of them.

        The program around the weights is another one for other schemes, so a little is left for that.
        """
        if not problem.is_limited or not self.backends:
            return problem
        guess = Budgeted().start(problem)
        more = self._excess(problem, guess)
        budget = self.assignment.budget
        spare = SPARE if budget is not None and budget.bytes is not None else 0
        pairs = zip(problem.limits, more, strict=True)
        return problem.limited([n - m - int(n * spare) for n, m in pairs])

    def _kept(self, problem: Problem, picks: Picks, solved: Callable[[Problem], Picks]) -> Picks:
        """Solve again under lower limits where constants of the program grew more than was left."""
        real = problem_of(self.graph, self._choices()).limits
        for _ in range(ATTEMPTS):
            if not problem.is_limited or not self.backends:
                return picks
            pairs = zip(problem.bytes_of(picks), self._excess(problem, picks), real, strict=True)
            over = [max(0, size + more - limit) for size, more, limit in pairs]
            if not any(over):
                return picks
            limits = zip(problem.limits, over, strict=True)
            problem = problem.limited([limit - more for limit, more in limits])
            picks = solved(problem)
        raise BudgetError(
            f"the assignment stays {max(over)} bytes too large; lower --budget a little"
        )

    def _uniform(
        self, problem: Problem, last: Round, picks: Picks
    ) -> tuple[Picks, tuple[str, ...]]:
        """Exceptions moved to the class of their stage, for the share of damage that may be added."""
        if self.options.stage_loss == 0:
            return picks, ()
        inside = translated(problem, picks, last.problem)
        found = uniformise(
            last.problem.limited(problem.limits),
            inside,
            last.damage.separable(inside),
            self.options.stages,
            self.options.stage_loss,
            total=last.damage.value(inside),
            value=last.damage.value,
        )
        told = found.remarks(self.options.stage_loss)
        return translated(last.problem, found.picks, problem), told

    def _within(
        self, problem: Problem, solved: Callable[[Problem], Picks]
    ) -> tuple[Problem, Picks]:
        problem = self._reserved(problem)
        return problem, self._kept(problem, solved(problem), solved)

    def _excess(self, problem: Problem, picks: Picks) -> list[int]:
        assign(self.graph, problem.schemes(picks))
        sizes = (b.fixed_bytes(self.graph) for b in self.backends)
        grown = self.assignment.container_growth(self.graph)
        table = zip(sizes, problem.fixed_bytes, grown, strict=True)
        return [max(0, now - before + more) for now, before, more in table]

    def _profiled(self, method: str) -> SensitivityMap:
        require_suitable(METHODS[method](), self.graph)
        problem = weights_alone(problem_of(self.graph, self._choices()))
        trials = Trials(self.graph, problem, self.folder / "trials")
        round_all(trials, "mse", self.options.seed, self.ctx.progress)
        longest = self.graph.symbols["seq"].high if "seq" in self.graph.symbols else 1
        windows = self.seen.profiling or self.seen.windows
        setting = Setting(
            self.graph,
            trials,
            decoder_samples(windows, longest) if not self.seen.lack else (),
            self.options.seed,
            self.ctx.progress,
        )
        return profile(setting, METHODS[method](), model_id(self.graph), "mse", versions())

    def _write_map(self, found: SensitivityMap) -> None:
        write_text(self.folder / SENSITIVITY, found.to_json())

    def _write_measured(self, problem: Problem, found: Allocation, picks: Picks) -> None:
        """The first round's model, which knows every choice, and damage around the outcome."""
        first = found.rounds[0]
        write_damage(self.folder / DAMAGE, first.problem, first.base, first.damage)
        cost, scores = found.forward_passes, found.scores(problem, picks)
        quantity = "nats a token, from the final assignment"
        self._write_map(measured_map(self.graph, self.options, self.seen, quantity, cost, scores))

    def _decided(
        self,
        problem: Problem,
        picks: Picks | None,
        remarks: Sequence[str],
        predicted: float | None = None,
        measured: float | None = None,
    ) -> Decided:
        if picks is None:
            notes = {u.name: self.graph.weights[u.name].notes.get(Precision) for u in problem.units}
            schemes = {name: str(note.scheme) for name, note in notes.items() if note is not None}
        else:
            schemes = {name: str(s) for name, s in problem.schemes(picks).items()}
        return Decided(schemes, tuple(remarks), predicted, measured)


def _scores_caches(found: SensitivityMap, problem: Problem) -> bool:
    """Whether a map has a number for every choice of every cache."""
    caches = [u for u in problem.units if u.unit.is_cache]
    return all(str(c.scheme) in found.units.get(u.name, {}) for u in caches for c in u.choices)


def _told(found: Allocation) -> tuple[str, ...]:
    """Candidates with what they measured."""
    chosen = found.chosen
    told = [f"assigned by {chosen.name}: {chosen.kl:.4f} nats a token on the selection text"]
    others = [f"{c.name} {c.kl:.4f}" for c in found.candidates if c is not chosen]
    if others:
        told.append(f"compared there with {', '.join(others)}")
    return tuple(told)
