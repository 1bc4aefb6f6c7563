"""Guards: what must hold of the symbols beside their ranges. They come from torch.export."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from optimum_compile.compiler.errors import UserError
from optimum_compile.compiler.ir.conditions import Condition
from optimum_compile.compiler.ir.decide import Verdict, decide
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.ir.shape import Dim, SymbolRange, substitute


@dataclass(frozen=True)
class Guard:
    """At least one of the conditions holds. `reason` says who demands it."""

    any_of: tuple[Condition, ...]
    reason: str

    @property
    def symbols(self) -> frozenset[str]:
        """Names of the symbols in it."""
        return frozenset().union(*(c.symbols for c in self.any_of))

    def holds(self, bindings: Mapping[str, int]) -> bool:
        """Whether it is met. Raises KeyError for an unbound symbol."""
        return any(c.holds(bindings) for c in self.any_of)

    def substituted(self, bindings: Mapping[str, Dim]) -> "Guard":
        """This guard with symbols replaced."""
        conditions = (
            Condition(substitute(c.left, bindings), c.relation, substitute(c.right, bindings))
            for c in self.any_of
        )
        return Guard(tuple(conditions), self.reason)

    def __str__(self) -> str:
        return " or ".join(map(str, self.any_of))


@dataclass(frozen=True)
class Guards(Note):
    """On the graph: every guard; and those, as text, that this program cannot read or check."""

    guards: tuple[Guard, ...]
    unread: tuple[str, ...] = ()


def guards_of(graph: Graph) -> tuple[Guard, ...]:
    """The guards of a graph."""
    note = graph.notes.get(Guards)
    return () if note is None else note.guards


def facts_of(graph: Graph) -> tuple[Condition, ...]:
    """Conditions that hold for every legal call, for `decide`: the guards without alternatives."""
    return tuple(g.any_of[0] for g in guards_of(graph) if len(g.any_of) == 1)


def always(
    guard: Guard, ranges: Mapping[str, SymbolRange], given: Iterable[Condition] = ()
) -> bool:
    """Whether a guard is met by every binding in `ranges`: it need not be checked."""
    facts = tuple(given)
    return any(decide(c, ranges, facts).verdict is Verdict.YES for c in guard.any_of)


def needed(guards: Iterable[Guard], ranges: Mapping[str, SymbolRange]) -> tuple[Guard, ...]:
    """Without those that the ranges and the other guards imply; simple ones first."""
    kept: list[Guard] = []
    facts: list[Condition] = []
    for guard in sorted(dict.fromkeys(guards), key=lambda g: (len(str(g)), str(g))):
        if always(guard, ranges, facts):
            continue
        kept.append(guard)
        facts += guard.any_of if len(guard.any_of) == 1 else ()
    return tuple(kept)


def check_guards(guards: Iterable[Guard], bindings: Mapping[str, int], model: str) -> None:
    """Raise UserError, with the symbols' values, for the first guard that is not met.

    A guard with a symbol that is not bound is left out: nothing of this call depends on it.
    """
    for guard in guards:
        if guard.symbols <= set(bindings) and not guard.holds(bindings):
            values = ", ".join(f"{n}={bindings[n]}" for n in sorted(guard.symbols))
            raise UserError(
                f"{model}: {values}: expected {guard} ({guard.reason}); give inputs of such a size, "
                "or export the model without that condition"
            )
