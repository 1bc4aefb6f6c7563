"""What is asked of an assignment: to fit a budget, or to reach a quality."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from optimum_compile.compiler.errors import BudgetError
from optimum_compile.passes.precision.allocate.frontier import smallest
from optimum_compile.passes.precision.allocate.milp import solve_separable
from optimum_compile.passes.precision.allocate.narrowed import filled
from optimum_compile.passes.precision.allocate.quadratic import Quadratic
from optimum_compile.passes.precision.allocate.search import solve
from optimum_compile.passes.precision.caches import exact_caches, weights_alone
from optimum_compile.passes.precision.problem import Picks, Problem, equal_sensitivity

START_BPW = 4.0  # of the first base where a quality is asked for


@dataclass(frozen=True)
class Candidate:
    """A finished assignment: KL on the selection text, and what the damage model said, if anything."""

    name: str
    picks: Picks
    kl: float
    predicted: float | None = None


class Goal(Protocol):
    """What is asked of an assignment: to fit a budget, or a quality."""

    def start(self, problem: Problem) -> Picks:
        """The first base, before anything is known; raises BudgetError where nothing can do."""

    def solve(self, problem: Problem, damage: Quadratic, base: Picks) -> Picks:
        """The best picks under a damage model."""

    def chosen(self, found: Sequence[Candidate]) -> Candidate | None:
        """Which finished assignment to take; None: none of them will do."""


@dataclass(frozen=True)
class Budgeted:
    """Least damage within the problem's limits, which are used up."""

    def start(self, problem: Problem) -> Picks:
        """Every weight taken as equally sensitive."""
        problem.require_possible()
        return solve_separable(problem, equal_sensitivity(problem))

    def solve(self, problem: Problem, damage: Quadratic, base: Picks) -> Picks:
        """Search, then spend what is left."""
        picks = solve(problem, damage, base)
        return filled(problem, picks, damage.separable(picks))

    def chosen(self, found: Sequence[Candidate]) -> Candidate | None:
        """The one that measured best."""
        return min(found, key=lambda c: c.kl, default=None)


@dataclass(frozen=True)
class Quality:
    """Fewest bytes with at most `max_kl` nats a token on the selection text.

    `aim` is what the damage model is asked for; it comes down where the text says otherwise. `name` is the
    option that asks, `start_bpw` the bits a weight of the first base.
    """

    max_kl: float
    aim: float
    name: str = "max-kl"
    start_bpw: float = START_BPW

    def start(self, problem: Problem) -> Picks:
        """As if the budget of the weights were `start_bpw`."""
        weights = weights_alone(problem)
        limit = max(
            *weights.bytes_of(weights.least()), int(self.start_bpw * weights.parameters / 8)
        )
        picks = Budgeted().start(weights.limited([limit] * len(weights.limits)))
        return exact_caches(problem, picks)

    def solve(self, problem: Problem, damage: Quadratic, base: Picks) -> Picks:
        """Bisection over budgets; in a narrow problem the widest where nothing reaches the aim."""
        try:
            return smallest(problem, damage, base, self.aim)
        except BudgetError:
            return problem.most()

    def chosen(self, found: Sequence[Candidate]) -> Candidate | None:
        """The last that keeps the promise: they are in order of their KL, and less needs more bytes."""
        return next((c for c in reversed(found) if c.kl <= self.max_kl), None)
