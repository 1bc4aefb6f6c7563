"""With how few bits each matrix may be read: `--narrow-bits` and `--narrow-kl`, decided by measuring.

The model is measured as its narrowest call reads it. Everything else about the weights is decided before.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from optimum_compile.backends.base import Backend
from optimum_compile.compiler.decided import (
    FLOORS,
    Decided,
    keep_decision,
    known_decision,
    measured_map,
    write_text,
)
from optimum_compile.compiler.errors import BudgetError, InputError, OptionError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.compiler.pass_manager import PassContext
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.compiler.quantizing import Calibration, facts_of, trial_recipe
from optimum_compile.passes.calibrate.checkpoint import fingerprint
from optimum_compile.passes.precision.floors import (
    floor_limit,
    floor_problem,
    floors,
    mean_floor,
    uniform_floors,
)
from optimum_compile.passes.precision.nested_pins import nested_units
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.pins import parse_pin
from optimum_compile.passes.precision.problem import Picks, Problem

DECIDED = "decided.json"


def wants_floors(options: CompileOptions, backends: Sequence[Backend]) -> bool:
    """Whether the fewest bits of each matrix are to be chosen: they are asked for, and calls choose widths."""
    return _asked(options) and any(backend.traits.chooses_widths for backend in backends)


def _asked(options: CompileOptions) -> bool:
    return options.narrow_bits is not None or options.narrow_kl is not None


def refuse_floors(
    graph: Graph, options: CompileOptions, backends: Sequence[Backend], lack: str
) -> None:
    """Raise what choosing floors would be refused with, before any work.

    lack: why there is no text, "" where there is. Raises OptionError without text or a target whose calls
    choose widths, BudgetError for a mean of bits that the decided schemes do not have. Where each target has
    an assignment of its own, one without such calls has no floors.
    """
    if not _asked(options):
        return
    name = _name(options)
    if not wants_floors(options, backends):
        if options.allocation == "each":
            return
        raise OptionError(
            f"{name}: no target's calls choose a width; add --target native or android"
        )
    if lack:
        raise OptionError(f"{name}: what few bits cost is measured, but there is {lack}")
    if options.narrow_bits is not None:
        _require_range(_problem(graph, options, backends), options.narrow_bits)


def floors_told(options: CompileOptions, backends: Sequence[Backend]) -> tuple[str, ...]:
    """The remark of a plan, which knows no floors yet."""
    if not wants_floors(options, backends):
        return ()
    return (f"{_name(options)}: with how few bits each matrix may be read is decided by measuring",)


def require_divided(seen: Calibration) -> None:
    """Raise InputError for a text that is too short to measure on one part and to compare on another."""
    if not seen.profiling or not seen.selection:
        raise InputError(
            "narrow-bits, narrow-kl: the calibration text is too short to be divided; give more text "
            "(--calibration) or a shorter --seqlen"
        )


def decide_floors(
    graph: Graph,
    options: CompileOptions,
    backends: Sequence[Backend],
    seen: Calibration,
    work: Path,
    ctx: PassContext,
    so_far: Decided,
) -> Decided:
    """Give the nested weights of a graph with `Precision` notes their floors.

    A run that was stopped goes on in `work`; one that had decided is not measured again. Returns `so_far`
    with the new schemes and remarks. Raises BudgetError where no floors will do.
    """
    # It imports torch, whose absence is reported before.
    from optimum_compile.passes.precision.allocate.measured import forget

    folder = work / "floors"
    folder.mkdir(parents=True, exist_ok=True)
    facts = {**facts_of(graph, options, seen), "floors": options.echo()}
    identity = fingerprint(facts)
    found = known_decision(folder / DECIDED, identity, graph)
    if found is None:
        found = _measured(graph, options, backends, seen, folder, ctx, facts)
        keep_decision(folder / DECIDED, identity, found)
        forget(folder)
    for name, text in found.schemes.items():
        notes = graph.weights[name].notes
        before = notes.get(Precision)
        if before is not None:
            notes.put(replace(before, scheme=parse_scheme(text)))
    schemes, remarks = so_far.schemes | found.schemes, (*so_far.remarks, *found.remarks)
    return replace(so_far, schemes=schemes, remarks=remarks, floors=folder / FLOORS)


def _measured(
    graph: Graph,
    options: CompileOptions,
    backends: Sequence[Backend],
    seen: Calibration,
    folder: Path,
    ctx: PassContext,
    facts: dict[str, object],
) -> Decided:
    """Measure twice, each time around a solution, and compare with the same floor everywhere."""
    from optimum_compile.passes.calibrate.propagate import decoder_samples
    from optimum_compile.passes.precision.allocate.goals import Budgeted, Goal, Quality
    from optimum_compile.passes.precision.allocate.measured import (
        Allocator,
        MeasureOptions,
        Texts,
        clear,
    )

    problem = _problem(graph, options, backends)
    goal: Goal = Budgeted()
    others: dict[str, Picks] = {}
    if options.narrow_kl is not None:
        middle = (mean_floor(problem, problem.least()) + mean_floor(problem, problem.most())) / 2
        goal = Quality(options.narrow_kl, options.narrow_kl, "narrow-kl", middle)
    else:
        problem = problem.limited((floor_limit(problem, options.narrow_bits or 0),))
        everywhere = uniform_floors(problem).items()
        others = {f"{w} bits everywhere": p for w, p in everywhere if problem.fits(p)}
    notes = {n: v.notes.get(Precision) for n, v in graph.weights.items()}
    longest = graph.symbols["seq"].high if "seq" in graph.symbols else 1
    parts = (seen.windows, seen.profiling, seen.selection)
    allocator = Allocator(
        graph,
        problem,
        trial_recipe(options),
        Texts(*(decoder_samples(part, longest) for part in parts)),
        folder,
        ctx,
        facts,
        MeasureOptions(narrowest=True),
    )
    found = allocator.allocate(goal, others)
    clear(graph)
    for name, note in notes.items():  # measuring wrote its own
        if note is not None:
            graph.weights[name].notes.put(note)
    chosen = problem.schemes(found.picks)
    schemes = {unit.name: str(chosen[unit.name]) for unit, _ in floors(problem, found.picks)}
    quantity = "nats a token at the narrowest width, from the final floors"
    scores = found.scores(problem, found.picks)
    counted = {name: scores[name] for name in schemes}
    cost = found.forward_passes
    made = measured_map(graph, options, seen, quantity, cost, counted)
    write_text(folder / FLOORS, made.to_json())
    told = [
        f"narrowest width: {_shares(problem, found.picks)}: {found.chosen.kl:.4f} nats a token on the "
        f"selection text, by {found.chosen.name}"
    ]
    rest = [f"{c.name} {c.kl:.4f}" for c in found.candidates if c is not found.chosen]
    if rest:
        told.append(f"compared there with {', '.join(rest)}")
    return Decided(schemes, tuple(told))


def _problem(graph: Graph, options: CompileOptions, backends: Sequence[Backend]) -> Problem:
    pins = tuple(parse_pin(text) for text in options.pin)
    names = {unit.name for unit in nested_units(graph, pins)}
    return floor_problem(graph, names, backends)


def _require_range(problem: Problem, bits: float) -> None:
    low, high = (mean_floor(problem, picks) for picks in (problem.least(), problem.most()))
    if not low < bits < high:
        raise BudgetError(
            f"narrow-bits of {bits:g}: the narrowest call reads {low:.3g} bits a weight without it, and all "
            f"{high:.3g} at most; give a number between, or other --nested widths"
        )


def _shares(problem: Problem, picks: Picks) -> str:
    """The mean, and how many matrices have which floor."""
    count = Counter(bits for _, bits in floors(problem, picks))
    each = ", ".join(f"{n} matrices at {bits}" for bits, n in sorted(count.items()))
    return f"{mean_floor(problem, picks):.3f} bits a weight in the mean ({each})"


def _name(options: CompileOptions) -> str:
    return "narrow-bits" if options.narrow_bits is not None else "narrow-kl"
