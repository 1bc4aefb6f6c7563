"""Pass: give every matrix a scheme, by a policy, under a byte budget, legal on every chosen target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from optimum_compile.backends.base import Backend
from optimum_compile.compiler.errors import BudgetError, OptionError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.compiler.quant.kv import KvScheme
from optimum_compile.compiler.quant.scheme import Scheme
from optimum_compile.passes.precision.budget import Budget as Budget
from optimum_compile.passes.precision.budget import limits
from optimum_compile.passes.precision.caches import (
    cache_numbers,
    with_caches,
    write_schemes,
)
from optimum_compile.passes.precision.classes import CLASS_OF_BITS, ClassOptions
from optimum_compile.passes.precision.kv import kv_bytes, kv_of
from optimum_compile.passes.precision.notes import KvPrecision, Precision
from optimum_compile.passes.precision.pins import Pin, pinned
from optimum_compile.passes.precision.policies import (
    UNIFORM_BITS,
    Facts,
    Shares,
    policy_named,
    require_map,
)
from optimum_compile.passes.precision.policies.cascade import (
    cascade_counts,
    cascade_layout,
    cascade_remarks,
    uniform_layout,
)
from optimum_compile.passes.precision.policies.facts import roles_of
from optimum_compile.passes.precision.policies.menus import (
    ClassMenu,
    class_menu,
    in_classes,
    why_wider,
)
from optimum_compile.passes.precision.problem import Picks, Problem, make_problem
from optimum_compile.passes.precision.units import (
    Unit,
    fixed_weight_bytes,
    head_unit,
    parameter_count,
    units_of,
)
from optimum_compile.passes.sensitivity.map import SensitivityMap
from optimum_compile.passes.stages.blocks import block_count

MENUS = ("auto", "classes", "ladder")
USUAL_BUDGET = Budget(bits_per_weight=4.5)  # of policies that divide a budget, where none is given
ATTEMPTS = 8


@dataclass(frozen=True)
class AssignPrecision:
    """Write a `Precision` note on every quantisable weight, and where caches are chosen, on those.

    Before:  @model.layers.0.mlp.up_proj.weight : f16[768, 256]
    After:   @model.layers.0.mlp.up_proj.weight : f16[768, 256] {Precision(scheme=int8:channel)}

    `menu` says what a policy chooses from: the schemes of precision classes ("classes"; `classes` has
    their options), or what the targets propose ("ladder"). "auto" is the ladder, but for uniform and
    cascade it is classes while any assignment of usual classes fits the budget. `containers` and
    `kv_bytes` are what a budget in bytes has to hold beside the weights, on each of `backends`.
    `own` says by name what weights may get, instead of what the targets propose; classes do not read it.
    With `chooses_caches` KV caches are units as weights are (`caches.with_caches`), and `kv_bytes` is
    empty; policies that do not choose caches leave them as they are.
    """

    name: ClassVar[str] = "assign-precision"
    needs: ClassVar[tuple[type[Note], ...]] = ()
    writes: ClassVar[tuple[type[Note], ...]] = (Precision, KvPrecision)

    policy: str = "cascade"
    bits: int = 8  # for uniform without a budget
    budget: Budget | None = None
    shares: Shares = Shares()
    head_high: bool = False
    classes: ClassOptions = ClassOptions()
    backends: tuple[Backend, ...] = ()
    pins: tuple[Pin, ...] = ()
    sensitivity: SensitivityMap | None = None
    menu: str = "auto"
    containers: tuple[int, ...] = ()
    kv_bytes: tuple[int, ...] = ()
    chooses_caches: bool = False
    own: tuple[tuple[str, tuple[Scheme, ...]], ...] = ()

    def __post_init__(self) -> None:
        policy_named(self.policy)
        if self.bits not in UNIFORM_BITS:
            raise OptionError(f"bits={self.bits}: expected one of {UNIFORM_BITS}")
        if self.menu not in MENUS:
            raise OptionError(f"menu {self.menu!r}: expected one of {', '.join(MENUS)}")

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class. Raises BudgetError, UnsupportedError and OptionError before other work."""
        require_map(self.policy, self.sensitivity)
        units = units_of(graph)
        if not units:
            return PassResult(changed=False, remarks=("no matrix to quantise",))
        cached = kv_of(graph)
        notes = {unit.name: graph.weights[unit.name].notes for unit in units}
        before = {name: own.get(Precision) for name, own in notes.items()}
        for own in notes.values():
            own.drop(Precision)  # sizes of some targets depend on what is there
        chosen, remarks = _Assignment(graph, units, self, ctx.seed).made()
        for name, own in notes.items():
            own.put(chosen[name])
        changed = chosen != before or kv_of(graph) != cached
        return PassResult(changed=changed, remarks=tuple(remarks))

    @property
    def speaks_classes(self) -> bool:
        """Whether the policy chooses among the schemes of classes."""
        usual = policy_named(self.policy).speaks_classes
        return usual if self.menu == "auto" else self.menu == "classes"

    @property
    def effective_budget(self) -> Budget | None:
        """The budget, or the usual one of a policy that cannot do without."""
        needed = policy_named(self.policy).needs_budget
        return USUAL_BUDGET if self.budget is None and needed else self.budget

    def container_growth(self, graph: Graph) -> tuple[int, ...]:
        """By target, bytes that containers have more than `containers`, now that the graph has notes.

        0 where the limits are not about files.
        """
        if not self.containers or self.budget is None or self.budget.bytes is None:
            return (0,) * len(self.backends)
        pairs = zip(self.backends, self.containers, strict=True)
        return tuple(b.container_bytes(graph) - given for b, given in pairs)


def problem_of(graph: Graph, options: AssignPrecision) -> Problem:
    """Units, choices, bytes and limits as the policy of `options` will see them."""
    found = [p for p, _ in _Assignment(graph, units_of(graph), options, 0).problems()]
    return next((p for p in found if p.fits(p.least())), found[0])


def facts_for(graph: Graph, options: AssignPrecision, seed: int) -> Facts:
    """What policies of `options` know, in bits and not in classes."""
    return _Assignment(graph, units_of(graph), options, seed).facts({})


class _Assignment:
    """One run of the pass."""

    def __init__(
        self, graph: Graph, units: Sequence[Unit], options: AssignPrecision, seed: int
    ) -> None:
        self.graph, self.units, self.options, self.seed = graph, units, options, seed
        self.head = head_unit(graph, units)
        self.pinned = pinned(units, options.pins, options.backends)

    def made(self) -> tuple[dict[str, Precision], list[str]]:
        """Precision of every unit, and remarks."""
        options = self.options
        budget = options.effective_budget
        if budget is None and options.speaks_classes and options.policy in ("uniform", "cascade"):
            chosen, remarks = self._without_budget()
        else:
            chosen, remarks = self._with_problem()
        said = _reasons({n: p for n, p in chosen.items() if n not in self.pinned})
        return chosen, [*said, *remarks, *_routers(self.units, self.pinned)]

    def problems(self) -> list[tuple[Problem, ClassMenu | None]]:
        """What the policy may choose from under the budget's limits, its own way first."""
        options, budget, most = self.options, self.options.effective_budget, None
        if budget is not None:
            most = self._limits(budget)
        given = self.graph, self.units, options.backends, self.pinned, most
        if self._has_caches or not options.speaks_classes:
            whole = make_problem(*given, schemes=dict(options.own))
            if self._has_caches:
                whole = with_caches(whole, self.graph, options.backends)
            return [(whole, None)]
        menu = class_menu(self.units, self.pinned, options.backends, options.classes)
        classes = make_problem(*given, schemes=menu.schemes), menu
        usual = replace(options.classes, allow_fallback=False) == ClassOptions()
        if options.menu != "auto" or not usual or most is None:
            return [classes]
        return [classes, (make_problem(*given), None)]

    @property
    def _has_caches(self) -> bool:
        chooses = policy_named(self.options.policy).chooses_caches
        return chooses and self.options.chooses_caches

    def _limits(self, budget: Budget) -> tuple[int, ...]:
        """Of weights, or of weights and caches where these are units too."""
        options, count = self.options, parameter_count(self.graph)
        columns = max(1, len(options.backends))
        if self._has_caches:
            count += cache_numbers(self.graph)
            if budget.weight_bytes is not None:  # what 16-bit caches leave
                whole = budget.weight_bytes + kv_bytes(self.graph, {})
                budget = replace(budget, weight_bytes=whole)
        beside = options.containers or (0,) * columns, options.kv_bytes or (0,) * columns
        return limits(budget, count, *beside)

    def _with_problem(self) -> tuple[dict[str, Precision], list[str]]:
        refusals = []
        for problem, menu in self.problems():
            try:
                return self._solved(problem, menu)
            except BudgetError as error:
                refusals.append((max(problem.bytes_of(problem.least())), error))
        raise min(refusals, key=lambda pair: pair[0])[1]

    def _solved(
        self, problem: Problem, menu: ClassMenu | None
    ) -> tuple[dict[str, Precision], list[str]]:
        """By the policy. Raises BudgetError where nothing in this problem fits."""
        if problem.is_limited:
            problem.require_possible()
        facts = self.facts({} if menu is None else menu.picks(problem))
        decide = policy_named(self.options.policy).decide
        allowed = problem.limits
        for _ in range(ATTEMPTS):
            plan = decide(problem, facts)
            excess = self._excess(problem, plan.picks, allowed)
            if not any(excess):
                break
            # From what was used: what is free already would come off the limit, and change nothing.
            used = map(min, problem.limits, problem.bytes_of(plan.picks))
            pairs = zip(problem.limits, used, excess, strict=True)
            limits_now = [now - more if more else limit for limit, now, more in pairs]
            problem = problem.limited(limits_now)
        else:
            raise BudgetError(f"policy {self.options.policy!r} stays {max(excess)} bytes too large")
        remarks = list(plan.remarks)
        if self.options.budget is None and problem.is_limited:
            remarks.append(f"{self.options.policy} divides a budget: without --budget it is 4.5bpw")
        if self.options.speaks_classes and menu is None:
            remarks.append(
                f"{self.options.policy}: no classes fit this budget, so schemes are what the targets "
                "propose"
            )
        write_schemes(self.graph, problem.schemes(plan.picks))
        return self._precisions(problem, plan.picks, menu), remarks

    def _excess(self, problem: Problem, picks: Picks, allowed: Sequence[int]) -> list[int]:
        """Bytes over what is allowed once the graph knows its schemes, on which some constants depend."""
        backends = self.options.backends
        if not problem.is_limited or not backends:
            return [0]
        write_schemes(self.graph, problem.schemes(picks))
        fixed = (fixed_weight_bytes(self.graph, self.units, (b,)) for b in backends)
        table = zip(problem.bytes_of(picks), problem.fixed_bytes, fixed, strict=True)
        sizes = [total - before + now for total, before, now in table]
        grown = self.options.container_growth(self.graph)
        return [max(0, n + m - most) for n, m, most in zip(sizes, grown, allowed, strict=True)]

    def _precisions(
        self, problem: Problem, picks: Picks, menu: ClassMenu | None
    ) -> dict[str, Precision]:
        out = dict(self.pinned)
        for unit, index in zip(problem.units, picks, strict=True):
            scheme = unit.choices[index].scheme
            if unit.pinned or unit.unit.is_cache or isinstance(scheme, KvScheme):
                continue
            known = menu is not None and not unit.unit.routes
            reason = menu.reason(unit, index) if menu and known else why_wider(unit, index)
            out[unit.name] = Precision(scheme, reason=reason)
        return out

    def _without_budget(self) -> tuple[dict[str, Precision], list[str]]:
        """The classes of a layout, as they are."""
        options, facts = self.options, self.facts({})
        layout = uniform_layout(facts.blocks, CLASS_OF_BITS[options.bits])
        remarks: tuple[str, ...] = ()
        if options.policy == "cascade":
            counts = cascade_counts(facts.blocks, options.shares)
            layout = cascade_layout(counts, options.head_high)
            remarks = cascade_remarks(facts, layout, self.pinned)
        chosen = in_classes(
            self.units, self.pinned, options.backends, options.classes, layout, facts.head
        )
        return chosen, list(remarks)

    def facts(self, classes: Mapping[int, Picks]) -> Facts:
        """Of the model and of the user."""
        options = self.options
        return Facts(
            blocks=block_count(self.graph),
            head=None if self.head is None else self.head.name,
            roles=roles_of(self.units, self.head),
            sensitivity=options.sensitivity,
            shares=options.shares,
            head_high=options.head_high,
            seed=self.seed,
            bits=options.bits,
            classes=classes,
            has_cache=bool(self.graph.states),
        )


def _reasons(chosen: Mapping[str, Precision]) -> list[str]:
    """Why schemes are not what the policy or its class would have, tensors with one reason together."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, precision in chosen.items():
        if precision.reason:
            found.setdefault((str(precision.scheme), precision.reason), []).append(name)
    return [
        f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {scheme} because {why}"
        for (scheme, why), names in found.items()
    ]


def _routers(units: Sequence[Unit], pinned: Mapping[str, Precision]) -> list[str]:
    """What became of the routers of a mixture of experts."""
    own = [u.name for u in units if u.routes and u.name not in pinned]
    low = [n for u in units if u.routes and (n := u.name) in pinned and pinned[n].scheme.bits < 8]
    kept = [f"{len(own)} router weights stay f16 (the first is {own[0]})"] if own else []
    return kept + [f"{n} is a router, and pinned to {pinned[n].scheme}: below 8 bits" for n in low]
