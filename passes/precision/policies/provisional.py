"""Policy: what stands in until the model was measured, or is solved by the numbers of a map."""

from optimum_compile.passes.precision.allocate.milp import solve_separable
from optimum_compile.passes.precision.allocate.narrowed import filled
from optimum_compile.passes.precision.policies.facts import Facts, Plan
from optimum_compile.passes.precision.problem import Problem, equal_sensitivity


def provisional(problem: Problem, facts: Facts) -> Plan:
    """Every weight as equally sensitive: right bytes and legal schemes, no knowledge of the model."""
    costs = equal_sensitivity(problem)
    picks = filled(problem, solve_separable(problem, costs), costs)
    return Plan(picks, ("provisional: which weights get more bits is decided by measuring",))
