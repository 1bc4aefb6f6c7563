"""A budget, and how many bytes of weights it leaves on each target.

Bits per weight and percentages speak of weights: what backends store for matrices (`stored_bytes`),
for all other constants (`fixed_bytes`) and for codebooks. A number of bytes speaks of the file of the
artifact, so that the program around the weights, and the KV cache where it is part of the budget, are
taken off first. Containers differ, hence one limit a target.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from optimum_compile.compiler.errors import BudgetError, OptionError


@dataclass(frozen=True)
class Budget:
    """Limits, of which the strictest holds.

    bytes: of the artifact's file. bits_per_weight, fraction (of 16 bits each) and weight_bytes: of weights.
    """

    bytes: int | None = None
    bits_per_weight: float | None = None
    fraction: float | None = None
    weight_bytes: int | None = None

    def __post_init__(self) -> None:
        if all(getattr(self, field.name) is None for field in fields(self)):
            raise OptionError("budget: expected bytes, bits per weight or a percentage")

    def limit_bytes(self, parameters: int) -> int:
        """The least number among the limits for a model with that many parameters."""
        found = (self.bytes, self.of_weights(parameters))
        return min(n for n in found if n is not None)

    def of_weights(self, parameters: int) -> int | None:
        """The strictest limit on weights of a model with that many parameters; None without one."""
        found = []
        if self.bits_per_weight is not None:
            found.append(int(self.bits_per_weight * parameters / 8))
        if self.fraction is not None:
            found.append(int(self.fraction * parameters * 2))
        if self.weight_bytes is not None:
            found.append(self.weight_bytes)
        return min(found, default=None)


def limits(
    budget: Budget, parameters: int, containers: Sequence[int], kv_bytes: Sequence[int]
) -> tuple[int, ...]:
    """Most bytes of weights, fixed ones included, on each target.

    Args:
        budget: what was asked for.
        parameters: number of stored parameters of the model.
        containers: bytes of each target's artifact beyond its weights (`Backend.container_bytes`).
        kv_bytes: bytes of each target's KV cache that count; 0 where the cache is not in the budget.

    Raises:
        BudgetError: what comes before the weights needs more than a budget in bytes.
    """
    of_weights, limit = budget.of_weights(parameters), budget.bytes
    out = []
    for container, kv in zip(containers, kv_bytes, strict=True):
        if limit is not None and limit < container + kv:
            cache = f" and {kv} for the KV cache" if kv else ""
            raise BudgetError(
                f"budget of {limit} bytes: the artifact needs {container} bytes beside its weights"
                f"{cache}; raise --budget" + (", or lower --context" if kv else "")
            )
        known = [] if of_weights is None else [of_weights]
        out.append(min([*known, *([] if limit is None else [limit - container - kv])]))
    return tuple(out)
