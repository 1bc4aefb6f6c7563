"""Policies: which scheme each unit of a problem gets. One a file; `table` names them all."""

from optimum_compile.passes.precision.policies.facts import UNIFORM_BITS, Facts, Plan, Shares
from optimum_compile.passes.precision.policies.table import POLICIES, policy_named, require_map

__all__ = ["POLICIES", "UNIFORM_BITS", "Facts", "Plan", "Shares", "policy_named", "require_map"]
