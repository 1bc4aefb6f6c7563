"""What a policy knows of the model beside its problem, and what it gives back."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from optimum_compile.compiler.errors import OptionError
from optimum_compile.passes.precision.problem import Picks, Problem
from optimum_compile.passes.precision.units import Unit
from optimum_compile.passes.sensitivity.map import SensitivityMap

UNIFORM_BITS = (16, 8, 4, 3, 2)
# What a matrix does, by the last name of its module.
_ROLES = {
    "q_proj": "q",
    "k_proj": "k",
    "v_proj": "v",
    "o_proj": "o",
    "gate_proj": "gate",
    "up_proj": "up",
    "down_proj": "down",
    # Experts in Mixtral's spelling.
    "w1": "gate",
    "w3": "up",
    "w2": "down",
}
TABLES = ("tied", "embedding", "head")  # roles of what lies before and behind the blocks


@dataclass(frozen=True)
class Shares:
    """The cascade's split of the depth: first INT8, then INT4, the rest INT2."""

    int8: float = 0.25
    int4: float = 0.60
    int2: float = 0.15

    def __post_init__(self) -> None:
        # "not" around the comparisons: every one with a NaN is false.
        if not min(self.tuple()) >= 0 or not abs(sum(self.tuple()) - 1) <= 1e-6:
            raise OptionError(
                f"cascade shares {self.tuple()}: expected three numbers >= 0 that sum to 1"
            )

    def tuple(self) -> tuple[float, float, float]:
        """(INT8, INT4, INT2)."""
        return self.int8, self.int4, self.int2


@dataclass(frozen=True)
class Facts:
    """Of the model: blocks, the output head, roles. Of the user: everything else.

    `classes` holds, by bits, what a precision class means for every unit of the problem; without it
    a policy that asks for bits gets the choice that is nearest to them.
    """

    blocks: int
    head: str | None
    roles: Mapping[str, str]
    sensitivity: SensitivityMap | None = None
    shares: Shares = Shares()
    head_high: bool = False
    seed: int = 0
    bits: int = 8
    classes: Mapping[int, Picks] = field(default_factory=dict)
    has_cache: bool = False

    def at_bits(self, problem: Problem, at: int, bits: float) -> int:
        """The choice that unit number `at` gets where a policy asks for `bits` a weight."""
        own = self.classes.get(int(bits)) if float(bits).is_integer() else None
        return problem.units[at].nearest(bits) if own is None else own[at]


@dataclass(frozen=True)
class Plan:
    """The choice of every unit, and what the user should know of it."""

    picks: Picks
    remarks: tuple[str, ...] = ()


def roles_of(units: Sequence[Unit], head: Unit | None) -> dict[str, str]:
    """What every unit does: tied, embedding, head, q, k, v, o, gate, up, down, router or other."""
    return {unit.name: _role(unit, head) for unit in units}


def _role(unit: Unit, head: Unit | None) -> str:
    if unit.is_tied_head:
        return "tied"
    if unit.use.as_table:
        return "embedding"
    if head is not None and unit.name == head.name:
        return "head"
    if unit.routes:
        return "router"
    module = unit.name.removesuffix(".weight").rpartition(".")[2]
    return _ROLES.get(module, "other")


def average_bits(problem: Problem, picks: Picks) -> float:
    """Bits per stored parameter, on the target that needs most."""
    return 8 * max(problem.bytes_of(picks)) / max(1, problem.parameters)


def weight_shares(problem: Problem, parts: Sequence[int], count: int) -> list[float]:
    """Share of all weights in each of `count` parts; `parts` holds the part of every unit."""
    sizes = [unit.unit.elements for unit in problem.units]
    total = max(1, sum(sizes))
    pairs = list(zip(parts, sizes, strict=True))
    return [math.fsum(n for p, n in pairs if p == part) / total for part in range(count)]
