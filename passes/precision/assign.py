"""Pass: give every matrix a scheme, by a policy, under a byte budget, legal on every chosen target."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from optimum_compile.backends.base import Backend
from optimum_compile.compiler.errors import BudgetError, OptionError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.passes.precision.budget import Budget as Budget
from optimum_compile.passes.precision.classes import CLASS_OF_BITS, ClassOptions, choose
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.pins import Pin, pinned
from optimum_compile.passes.precision.policies import (
    POLICIES,
    UNIFORM_BITS,
    Layout,
    Shares,
    cascade_counts,
    cascade_layout,
    cascade_options,
    fit,
    share_distance,
    uniform_layout,
)
from optimum_compile.passes.precision.units import (
    Unit,
    codebook_bytes,
    cost_bytes,
    fixed_weight_bytes,
    head_unit,
    parameter_count,
    units_of,
)
from optimum_compile.passes.stages.blocks import block_count


@dataclass(frozen=True)
class AssignPrecision:
    """Write a `Precision` note on every quantisable weight.

    Before:  @model.layers.0.mlp.up_proj.weight : f16[768, 256]
    After:   @model.layers.0.mlp.up_proj.weight : f16[768, 256] {Precision(scheme=int8:channel)}
    """

    name: ClassVar[str] = "assign-precision"
    needs: ClassVar[tuple[type[Note], ...]] = ()
    writes: ClassVar[tuple[type[Note], ...]] = (Precision,)

    policy: str = "cascade"
    bits: int = 8  # for uniform without a budget
    budget: Budget | None = None
    shares: Shares = Shares()
    head_high: bool = False
    classes: ClassOptions = ClassOptions()
    backends: tuple[Backend, ...] = ()
    pins: tuple[Pin, ...] = ()

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise OptionError(f"policy {self.policy!r}: expected one of {', '.join(POLICIES)}")
        if self.bits not in UNIFORM_BITS:
            raise OptionError(f"bits={self.bits}: expected one of {UNIFORM_BITS}")

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class."""
        units = units_of(graph)
        if not units:
            return PassResult(changed=False, remarks=("no matrix to quantise",))
        chosen, remarks = plan(graph, units, self)
        changed = False
        for unit in units:
            notes = graph.weights[unit.name].notes
            changed |= notes.get(Precision) != chosen[unit.name]
            notes.put(chosen[unit.name])
        return PassResult(changed=changed, remarks=tuple(remarks))


def plan(
    graph: Graph, units: Sequence[Unit], options: AssignPrecision
) -> tuple[dict[str, Precision], list[str]]:
    """Precision of every unit, and remarks. Raises BudgetError before any other work."""
    blocks = block_count(graph)
    head = head_unit(graph, units)
    layouts, distance = _layouts(blocks, options)
    fixed = fixed_weight_bytes(graph, units, options.backends)

    fixed_by_user = pinned(units, options.pins, options.backends)
    memo: dict[tuple[str, str], Precision] = {}

    def precision(unit: Unit, layout: Layout) -> Precision:
        if unit.name in fixed_by_user:
            return fixed_by_user[unit.name]
        name = _class_for(unit, head, layout)
        key = (unit.name, name)
        if key not in memo:
            memo[key] = choose(name, unit, options.backends, options.classes)
        return memo[key]

    def bytes_of(layout: Layout) -> int:
        schemes = [precision(u, layout).scheme for u in units]
        books = codebook_bytes(schemes, options.backends)
        pairs = zip(schemes, units, strict=True)
        return fixed + books + sum(cost_bytes(s, u.use, options.backends) for s, u in pairs)

    parameters = parameter_count(graph)
    if options.budget is None:
        layout = layouts[0]
    else:
        try:
            limit = options.budget.limit_bytes(parameters)
            layout = fit(layouts, bytes_of, distance, limit)
        except BudgetError as error:
            sizes = [bytes_of(each) for each in layouts]
            low, high = (8 * n / max(1, parameters) for n in (min(sizes), max(sizes)))
            raise BudgetError(
                f"{error} ({low:.3g}bpw to {high:.3g}bpw for policy {options.policy!r}); "
                "raise --budget, or choose another --policy or --group-size"
            ) from None
    remarks = [
        f"{u.name}: {p.scheme} because {p.reason}"
        for u in units
        if (p := precision(u, layout)).reason and u.name not in fixed_by_user
    ]
    tied = head is not None and head.is_tied_head and head.name not in fixed_by_user
    if head is not None and tied and layout.head != layout.blocks[0]:
        remarks.append(
            f"{head.name} is embedding and head in one: it keeps the embedding's {layout.blocks[0]}, "
            f"not the head's {layout.head}"
        )
    remarks += _routers(units, fixed_by_user)
    return {u.name: precision(u, layout) for u in units}, remarks


def _routers(units: Sequence[Unit], pinned: Mapping[str, Precision]) -> list[str]:
    """What became of the routers of a mixture of experts."""
    own = [u.name for u in units if u.routes and u.name not in pinned]
    low = [n for u in units if u.routes and (n := u.name) in pinned and pinned[n].scheme.bits < 8]
    kept = [f"{len(own)} router weights stay f16 (the first is {own[0]})"] if own else []
    return kept + [f"{n} is a router, and pinned to {pinned[n].scheme}: below 8 bits" for n in low]


def _class_for(unit: Unit, head: Unit | None, layout: Layout) -> str:
    if unit.routes:
        # A small part of the weights, and a token that gets another expert is lost.
        return "FP16"
    if head is not None and unit.name == head.name and not unit.use.as_table:
        return layout.head
    return layout.blocks[0] if unit.use.as_table else layout.blocks[unit.block]


def _layouts(
    blocks: int, options: AssignPrecision
) -> tuple[list[Layout], Callable[[Layout], float]]:
    """Candidate layouts, the policy's own first, and the distance that ranks them."""
    if options.policy == "uniform":
        names = [CLASS_OF_BITS[b] for b in (options.bits, *UNIFORM_BITS)]
        every = [uniform_layout(blocks, n) for n in dict.fromkeys(names)]
        return every, lambda layout: 0.0
    own = cascade_layout(cascade_counts(blocks, options.shares), options.head_high)
    rest = [cascade_layout(c, options.head_high) for c in cascade_options(blocks)]
    return [own, *rest], lambda layout: share_distance(layout, options.shares)
