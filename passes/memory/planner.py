"""The planner: buffers with lifetimes in, offsets and the peak as expressions out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from operator import add, attrgetter

from optimum_compile.compiler.errors import InternalError, OptionError
from optimum_compile.compiler.ir import decide
from optimum_compile.compiler.ir.shape import Dim, SymbolRange, as_dim, evaluate, format_dim
from optimum_compile.passes.memory.exact import place_exactly
from optimum_compile.passes.memory.notes import MemoryPlan, Placed
from optimum_compile.passes.memory.place import Placement, Problem, Recipe, place
from optimum_compile.passes.memory.requests import (
    Request,
    check_requests,
    live_sets,
    lower_bounds,
    neighbours,
)
from optimum_compile.passes.memory.ruler import Length, Part, Ruler, parts_of
from optimum_compile.passes.memory.search import SearchOptions, search

MAX_ALIGNMENT = 4096
MAX_PARTS = 16
CLOSE = 1.01  # to what is alive: an integer program would be slower than it is worth


@dataclass(frozen=True)
class PlanOptions:
    """How buffers are placed.

    Args:
        alignment_bytes: of every offset and of every size kept free; a power of two.
        max_parts: where no single polynomial says what is above several buffers, an offset may be the
            greatest of so many; 1 for plans without `Max`, which are a little larger.
        search: how long better orders are looked for.
    """

    alignment_bytes: int = 64
    max_parts: int = 4
    search: SearchOptions = field(default_factory=SearchOptions)

    def __post_init__(self) -> None:
        unit = self.alignment_bytes
        if not 1 <= unit <= MAX_ALIGNMENT or unit & (unit - 1):
            raise OptionError(
                f"alignment_bytes={unit}: expected a power of two from 1 to {MAX_ALIGNMENT}"
            )
        if not 1 <= self.max_parts <= MAX_PARTS:
            raise OptionError(f"max_parts={self.max_parts}: expected 1 to {MAX_PARTS}")


def plan_buffers(
    requests: Sequence[Request],
    symbols: Mapping[str, SymbolRange],
    options: PlanOptions | None = None,
) -> MemoryPlan:
    """Place buffers so that no two that are alive together overlap, whatever the symbols are.

    Reuse is decided once: offsets are sums of sizes, and each decision is proved for the whole range of
    the symbols. The result is proved anew from its expressions before it is returned.

    Args:
        requests: sizes in bytes, sums of products of symbols (and floor()).
        symbols: ranges, inclusive, none below 0.
        options: see the class.

    Raises:
        UnsupportedError: for sizes that are no such expressions, or a symbol without a range.
        InternalError: two buffers of one name, or a lifetime that ends before it begins.
    """
    chosen = options or PlanOptions()
    check_requests(requests)
    unit = chosen.alignment_bytes
    if not requests:
        return MemoryPlan((), 0, (), unit)
    ruler = Ruler([r.size_bytes for r in requests], symbols, unit, chosen.max_parts)
    problem = _problem(ruler, requests)
    found = search(
        problem, requests, _shorter(chosen.search), _at_numbers(problem, requests, chosen)
    )
    plan = MemoryPlan(
        _placed(ruler, requests, problem.sizes, found),
        ruler.expression(ruler.join(found.ends)),
        lower_bounds(requests, symbols),
        unit,
    )
    prove(plan, symbols)
    return plan


def prove(plan: MemoryPlan, symbols: Mapping[str, SymbolRange]) -> None:
    """Prove from the expressions of `plan` that it is sound for every value of `symbols`.

    Offsets are multiples of the alignment and not negative, everything ends at or below the peak, and of two
    buffers that are alive together one ends before the other begins. Raises InternalError where that is
    not proved.
    """
    starts = [parts_of(p.offset_bytes) for p in plan.placed]
    ends = [
        tuple(as_dim(start + p.size_bytes) for start in own)
        for own, p in zip(starts, plan.placed, strict=True)
    ]
    peak = parts_of(plan.peak_bytes)
    unit = plan.alignment_bytes
    proof = _Proof((0, *peak, *(d for each in (*starts, *ends) for d in each)), symbols)
    for each, start, end in zip(plan.placed, starts, ends, strict=True):
        if not all(proof.multiple(d, unit) for d in (*start, *end)):
            raise InternalError(f"{each.name} at {format_dim(each.offset_bytes)} is not aligned")
        if not (proof.at_most((0,), start) and proof.at_most(end, peak)):
            raise InternalError(f"{each.name} at {format_dim(each.offset_bytes)} leaves the arena")
    for a, others in enumerate(neighbours(_requests(plan))):
        for b in others:
            if a < b and not (
                proof.at_most(ends[a], starts[b]) or proof.at_most(ends[b], starts[a])
            ):
                raise InternalError(f"{plan.placed[a].name} may overlap {plan.placed[b].name}")


class _Proof:
    """Answers that hold for every value of the symbols: by `decide`, or where it cannot say, by rows."""

    def __init__(self, dims: Sequence[Dim], symbols: Mapping[str, SymbolRange]) -> None:
        self._dims, self._symbols = dims, symbols

    @cached_property
    def _ruler(self) -> Ruler:
        return Ruler(self._dims, self._symbols, 1)

    def multiple(self, dim: Dim, unit: int) -> bool:
        found = decide.decide_divisible(dim, unit, self._symbols)
        return found.verdict is decide.Verdict.YES

    def at_most(self, a: Sequence[Dim], b: Sequence[Dim]) -> bool:
        """Whether the greatest of `a` is at most the greatest of `b`."""
        return all(any(self._never_above(x, y) for y in b) for x in a)

    def _never_above(self, x: Dim, y: Dim) -> bool:
        verdict = decide.at_most(x, y, self._symbols)
        if verdict is decide.Verdict.UNDECIDED:
            return self._ruler.length(x) <= self._ruler.length(y)
        return verdict is decide.Verdict.YES


def _requests(plan: MemoryPlan) -> list[Request]:
    return [Request(p.name, p.size_bytes, p.first, p.last) for p in plan.placed]


def overlaps(plan: MemoryPlan, bindings: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Pairs that are alive together and share a byte for these values of the symbols: none, in a plan."""
    spans = [
        (evaluate(p.offset_bytes, bindings), evaluate(p.size_bytes, bindings)) for p in plan.placed
    ]
    for a, others in enumerate(neighbours(_requests(plan))):
        for b in others:
            (p, m), (q, n) = spans[a], spans[b]
            if a < b and m and n and p < q + n and q < p + m:
                yield plan.placed[a].name, plan.placed[b].name


def _problem(ruler: Ruler, requests: Sequence[Request]) -> Problem[Length]:
    sizes = tuple(ruler.length(r.size_bytes) for r in requests)
    near = tuple(tuple(sorted(n)) for n in neighbours(requests))
    alive = [reduce(add, (sizes[i] for i in each)) for each in live_sets(requests)]
    top = ruler.join(alive)
    scale = tuple(max(1, *values) for values in zip(*(a.at for a in alive), strict=True))
    return Problem(sizes, near, ruler.zero, top, attrgetter("at"), scale, ruler.join)


def _at_numbers(
    problem: Problem[Length], requests: Sequence[Request], options: PlanOptions
) -> list[Recipe]:
    """Recipes that are good where the symbols have values: the search is fast there.

    Where all sizes are multiples of one product of symbols, as in decoders, one such recipe is good
    everywhere.
    """
    out: list[Recipe] = []
    last = len(problem.scale) - 1
    for sample in dict.fromkeys((max(last - 1, 0), last, 0)):
        bound = problem.scale[sample]
        sizes = tuple(size.at[sample] for size in problem.sizes)
        numbers = Problem(
            sizes, problem.near, 0, bound, lambda value: (value,), (bound,), max, True
        )
        found = search(numbers, requests, options.search)
        if not out and found.score[0] > CLOSE and options.search.exact:
            exact = place_exactly(sizes, problem.near, bound)
            found = found if exact is None else place(numbers, exact)
        out.append(found.recipe)
        if place(problem, found.recipe).score[0] <= 1:
            break
    return out


def _shorter(options: SearchOptions) -> SearchOptions:
    """What is left for lengths in symbols, which are slower to add and compare."""
    return replace(options, placements=options.placements // 10)


def _placed(
    ruler: Ruler, requests: Sequence[Request], sizes: Sequence[Length], found: Placement[Length]
) -> tuple[Placed, ...]:
    known: dict[tuple[Part, ...], Dim] = {}

    def expression(length: Length) -> Dim:
        if length.parts not in known:
            known[length.parts] = ruler.expression(length)
        return known[length.parts]

    return tuple(
        Placed(r.name, expression(o), expression(s), r.first, r.last)
        for r, o, s in zip(requests, found.offsets, sizes, strict=True)
    )
