"""Every policy at every budget, on the same rounded weights.

    python -m optimum_compile.tools.bakeoff.policies MODEL --text FILE --calibration FILE -o FILE.json
    python -m optimum_compile.tools.bakeoff.policies --report FILE.json [FILE.json ...]

For each seed another part of the calibration text goes to the quantiser, another to measuring. Weights are
rounded once in every choice, in the context of an assignment at 3 bits a weight; an assignment is put together
from them and scored on text that nothing else saw. "measured" is one measurement for all budgets; "measured,
again" is what a compilation does, two rounds at its own budget.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.calibration import load_tokenizer, read_text, special_token_id
from optimum_compile.compiler.calibration import windows as token_windows
from optimum_compile.compiler.errors import BudgetError, InputError
from optimum_compile.compiler.observers import ProgressObserver
from optimum_compile.compiler.options import resolve_targets
from optimum_compile.compiler.package.describe import versions
from optimum_compile.compiler.package.writer import write_whole
from optimum_compile.compiler.pass_manager import PassContext
from optimum_compile.compiler.profiling import model_id
from optimum_compile.passes.calibrate.propagate import decoder_samples
from optimum_compile.passes.precision.allocate.goals import Budgeted
from optimum_compile.passes.precision.allocate.measured import Allocator, Round, Texts
from optimum_compile.passes.precision.assign import AssignPrecision, facts_for
from optimum_compile.passes.precision.policies import POLICIES, policy_named
from optimum_compile.passes.precision.policies.facts import Facts
from optimum_compile.passes.precision.problem import Picks, Problem, make_problem
from optimum_compile.passes.precision.quantizers.recipes import recipe_named
from optimum_compile.passes.precision.units import units_of
from optimum_compile.passes.sensitivity.map import SensitivityMap
from optimum_compile.passes.sensitivity.methods import METHODS, method_named, require_suitable
from optimum_compile.passes.sensitivity.profile import profile
from optimum_compile.passes.sensitivity.setting import Setting
from optimum_compile.tools.bakeoff.bench import Bench, open_bench

BUDGETS = (2.25, 2.5, 3.0, 3.5, 4.0, 4.5)
BASE = 3.0
MEASURED, AGAIN = "measured", "measured, again"
PURE = "uniform, one scheme"


@dataclass(frozen=True)
class Entry:
    """One assignment, scored. `budget` 0 for one scheme everywhere, whatever its bytes."""

    seed: int
    budget: float
    policy: str
    scheme: str
    bits_per_weight: float
    weight_bytes: tuple[int, ...]
    kl: float
    kl_p99: float
    perplexity: float
    predicted_kl: float | None
    seconds: float


@dataclass(frozen=True)
class Rank:
    """How well a method's scores rank choices by measured damage."""

    seed: int
    method: str
    spearman: float
    units: float  # of units alone, each in the choice with fewest bytes
    forward_passes: float
    seconds: float


class Bakeoff:
    """One model and one seed."""

    def __init__(self, bench: Bench, args: argparse.Namespace, seed: int, work: Path) -> None:
        self.bench, self.args, self.seed, self.work = bench, args, seed, work
        self.graph = bench.model.graph
        names = resolve_targets(tuple(args.target.split(",")))
        self.backends = tuple(load_backend(t.artifact) for t in names)
        units = units_of(self.graph)
        self.problem = make_problem(self.graph, units, self.backends, {})
        self.observer = ProgressObserver(sys.stderr)
        self.ctx = PassContext(seed=seed, work=work, observer=self.observer)
        self.allocator = Allocator(
            self.graph,
            self.at(BASE),
            recipe_named(args.quantizer),
            self._texts(),
            work,
            self.ctx,
            {},
        )
        self.trials = self.allocator.trials(self.problem, 0)

    def at(self, bits: float) -> Problem:
        """The problem under a budget."""
        limit = int(bits * self.problem.parameters / 8)
        return self.problem.limited((limit,) * len(self.problem.limits))

    def _texts(self) -> Texts:
        args, model = self.args, self.bench.model
        source = read_text(args.calibration)
        tokenizer = load_tokenizer(model.tokenizer_files)
        bos = special_token_id(model.tokenizer_files, "bos_token", tokenizer)
        if source is None:
            raise InputError("calibration none: a bake-off needs text")
        every = token_windows(source, tokenizer, bos, args.seqlen)
        order = np.random.default_rng(self.seed).permutation(len(every))
        first, second = args.samples, args.samples + args.profile_samples
        parts = (order[:first], order[first:second], order[second : second + args.profile_samples])
        longest = self.graph.symbols["seq"].high
        return Texts(*(decoder_samples([every[i] for i in part], longest) for part in parts))

    def run(self) -> Iterator[Entry | Rank]:
        """Measure, then everything that can be said without another quantisation."""
        start = self.allocator.start(Budgeted())
        begin = time.monotonic()
        first = self.allocator.measure(self.problem, start, 0)
        spent = time.monotonic() - begin
        self.trials = self.allocator.trials(self.problem, 0)  # with what was rounded
        maps = dict(self._maps())
        yield Rank(self.seed, "gram", 1.0, 1.0, first.forward_passes, spent)
        yield from self._ranks(maps, first.damage.from_widest(start).alone)
        for index in range(len(self.problem.units[0].choices)):
            yield from self._pure(index)
        for bits in self.args.budgets:
            problem = self.at(bits)
            try:
                problem.require_possible()
            except BudgetError as error:
                print(error, file=sys.stderr)
                continue
            others: dict[str, Picks] = {}
            for name in POLICIES:
                if name != MEASURED:
                    begin = time.monotonic()
                    others[name] = self._picks(problem, name, maps)
                    yield self._entry(bits, name, others[name], None, time.monotonic() - begin)
            begin = time.monotonic()
            simple = {n: others[n] for n in ("uniform", "tiers", "mlx-mixed", "cascade")}
            tried = self.allocator.proposals(Budgeted(), problem, start, first.damage)
            own = self.allocator.best(Budgeted(), problem, [*tried, *simple.values()])
            predicted = first.damage.from_widest(start).value(own)
            yield self._entry(bits, MEASURED, own, predicted, spent + time.monotonic() - begin)
            if self.seed == 0 and bits in self.args.again:
                yield self._again(bits, Round(problem, start, first.damage, own, 0.0), simple)

    def _again(self, bits: float, first: Round, simple: Mapping[str, Picks]) -> Entry:
        """Two rounds, as a compilation does them; from its own trials, which are other ones."""
        begin = time.monotonic()
        folder = self.work / f"again{bits}"
        whole = Allocator(
            self.graph,
            first.problem,
            recipe_named(self.args.quantizer),
            self.allocator.texts,
            folder,
            self.ctx,
            {},
        )
        found = whole.allocate(Budgeted(), simple)
        spent = time.monotonic() - begin
        return self._entry(bits, AGAIN, found.picks, found.chosen.predicted, spent)

    def _picks(self, problem: Problem, name: str, maps: Mapping[str, SensitivityMap]) -> Picks:
        wanted = policy_named(name).method
        facts: Facts = facts_for(self.graph, AssignPrecision(backends=self.backends), self.seed)
        facts = replace(facts, sensitivity=maps.get(wanted))
        return policy_named(name).decide(problem, facts).picks

    def _pure(self, index: int) -> Iterator[Entry]:
        scheme = self.problem.units[0].choices[index].scheme
        picks = []
        for unit in self.problem.units:
            same = [i for i, c in enumerate(unit.choices) if c.scheme == scheme]
            near = unit.nearest(self.problem.units[0].bits_per_weight(index))
            picks.append(same[0] if same else near)
        yield self._entry(0.0, PURE, tuple(picks), None, 0.0, str(scheme))

    def _entry(
        self,
        bits: float,
        policy: str,
        picks: Picks,
        predicted: float | None,
        seconds: float,
        scheme: str = "",
    ) -> Entry:
        schemes = self.problem.schemes(picks)
        weights = {name: self.trials.rounded(name, s) for name, s in schemes.items()}
        found = self.bench.score_weights(weights)
        sizes = self.problem.bytes_of(picks)
        return Entry(
            self.seed,
            bits,
            policy,
            scheme,
            8 * max(sizes) / self.problem.parameters,
            sizes,
            found.kl_mean or 0.0,
            found.kl_p99 or 0.0,
            found.perplexity,
            predicted,
            round(seconds, 2),
        )

    def _maps(self) -> Iterator[tuple[str, SensitivityMap]]:
        setting = Setting(
            self.graph, self.trials, self.allocator.texts.profiling, self.seed, self.ctx.progress
        )
        for name in self.args.methods if self.seed == 0 else ("lsaq", "taylor"):
            try:
                require_suitable(method_named(name), self.graph)
            except Exception as error:
                print(f"{name}: {error}", file=sys.stderr)
                continue
            quantizer = self.args.quantizer
            yield (
                name,
                profile(setting, method_named(name), model_id(self.graph), quantizer, versions()),
            )

    def _ranks(self, maps: Mapping[str, SensitivityMap], damage: np.ndarray) -> Iterator[Rank]:
        """Spearman over all choices below 16 bits, and over units in their narrowest choice."""
        from scipy.stats import spearmanr

        rows, at = [], 0
        for unit in self.problem.units:
            for index, choice in enumerate(unit.choices):
                if index + 1 < len(unit.choices):
                    rows.append((unit.name, str(choice.scheme), float(damage[at]), index == 0))
                at += 1
        for name, found in maps.items():
            scores = [found.score(unit, scheme) for unit, scheme, _, _ in rows]
            truth = [d for _, _, d, _ in rows]
            first = [n for n, row in enumerate(rows) if row[3]]
            every = float(spearmanr(scores, truth).statistic)
            units = float(
                spearmanr([scores[n] for n in first], [truth[n] for n in first]).statistic
            )
            cost = found.measured_with
            yield Rank(self.seed, name, every, units, cost.forward_passes, cost.seconds)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    out = argparse.ArgumentParser(prog="policies", description=__doc__)
    add = out.add_argument
    add("model", type=Path, nargs="?")
    add("--text", help="JSON list of documents to score on")
    add("--calibration", help="another one for the quantiser, for measuring and for selecting")
    add("--documents", type=int, default=60)
    add("--samples", type=int, default=48, help="windows for the quantiser")
    add("--profile-samples", type=int, default=16, help="windows to measure on, and to select on")
    add("--seqlen", type=int, default=256)
    add("--seeds", type=int, default=3)
    add("--budgets", type=float, nargs="+", default=list(BUDGETS))
    add(
        "--again", type=float, nargs="*", default=[2.5, 3.0], help="budgets that are measured twice"
    )
    # Without QEP: its corrections belong to one context, and here choices meet in many.
    add("--quantizer", default="lnq")
    add("--methods", nargs="+", default=list(METHODS), help="that are ranked, with seed 0")
    add("--target", default="ios,android")
    add("-o", "--output", type=Path, help="JSON of all rows; a run that was stopped goes on there")
    add("--report", type=Path, nargs="+", help="print the tables of such files instead")
    return out


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    args = parser().parse_args(argv)
    if args.report:
        from optimum_compile.tools.bakeoff.policy_table import report

        print(report([json.loads(p.read_text("utf-8")) for p in args.report]))
        return 0
    document: dict[str, Any] = {"model": args.model.name, "entries": [], "ranks": [], "seeds": []}
    if args.output.exists():
        document = json.loads(args.output.read_text("utf-8"))
    with tempfile.TemporaryDirectory(prefix="optimum-policies-") as folder:
        bench = open_bench(
            args.model,
            args.text,
            args.calibration,
            args.documents,
            args.samples,
            args.seqlen,
            Path(folder),
        )
        document |= {"parameters": bench.parameters, "perplexity": bench.reference_score.perplexity}
        document["tokens"] = bench.reference_score.tokens
        for seed in range(args.seeds):
            if seed in document["seeds"]:
                continue
            work = Path(folder) / f"seed{seed}"
            for row in Bakeoff(bench, args, seed, work).run():
                print(row, file=sys.stderr, flush=True)
                document["ranks" if isinstance(row, Rank) else "entries"].append(asdict(row))
            document["seeds"].append(seed)
            write_whole(args.output, json.dumps(document, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
