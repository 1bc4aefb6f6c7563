"""The policies by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from optimum_compile.compiler.errors import OptionError
from optimum_compile.passes.precision.policies.cascade import cascade
from optimum_compile.passes.precision.policies.chance import chance
from optimum_compile.passes.precision.policies.facts import Facts, Plan
from optimum_compile.passes.precision.policies.first_order import first_order
from optimum_compile.passes.precision.policies.lsaq import lsaq
from optimum_compile.passes.precision.policies.mlx_mixed import mlx_mixed
from optimum_compile.passes.precision.policies.provisional import provisional
from optimum_compile.passes.precision.policies.tiers import tiers
from optimum_compile.passes.precision.policies.uniform import uniform
from optimum_compile.passes.precision.problem import Problem
from optimum_compile.passes.sensitivity.map import SensitivityMap


@dataclass(frozen=True)
class Policy:
    """How a policy decides, and what it cannot do without.

    `method` is the sensitivity method whose map it reads, "" where it needs none. One that
    `speaks_classes` chooses among the schemes of classes unless told otherwise, the others among what
    the targets propose. KV caches stay at 16 bits but with one that `chooses_caches`.
    """

    decide: Callable[[Problem, Facts], Plan]
    method: str = ""
    needs_budget: bool = False
    speaks_classes: bool = False
    chooses_caches: bool = False


POLICIES: Mapping[str, Policy] = {
    "uniform": Policy(uniform, speaks_classes=True),
    "cascade": Policy(cascade, speaks_classes=True),
    "tiers": Policy(tiers),
    "lsaq": Policy(lsaq, method="lsaq", needs_budget=True),
    "first-order": Policy(first_order, method="taylor", needs_budget=True),
    "mlx-mixed": Policy(mlx_mixed),
    "random": Policy(chance, needs_budget=True),
    # `compiler.assigning` measures; until then, and where nothing can be measured:
    "measured": Policy(provisional, needs_budget=True, chooses_caches=True),
}


def policy_named(name: str) -> Policy:
    """A policy. Raises OptionError naming all of them."""
    if name not in POLICIES:
        raise OptionError(f"policy {name!r}: expected one of {', '.join(POLICIES)}")
    return POLICIES[name]


def require_map(name: str, sensitivity: SensitivityMap | None) -> None:
    """Raise OptionError where a policy lacks its map, or is given that of another method."""
    wanted = policy_named(name).method
    found = None if sensitivity is None else sensitivity.method
    if wanted and found != wanted:
        has = f"the map is of {found!r}" if found else "there is none"
        raise OptionError(
            f"policy {name!r} needs a sensitivity map of method {wanted!r}, and {has}: "
            f"pass --sensitivity {wanted}"
        )
