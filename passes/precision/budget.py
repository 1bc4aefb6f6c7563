"""A budget, and how many bytes of weights it leaves on each target.

Bits per weight and percentages speak of weights: what backends store for matrices (`stored_bytes`),
for all other constants (`fixed_bytes`) and for codebooks. A number of bytes speaks of the file of the
artifact, so that the program around the weights, and the KV cache where it is part of the budget, are
taken off first. Containers differ, hence one limit a target.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from optimum_compile.compiler.errors import BudgetError, OptionError


@dataclass(frozen=True)
class Budget:
    """A limit: bytes of the artifact, or weights as bits each, or as a share of 16 bits each."""

    bytes: int | None = None
    bits_per_weight: float | None = None
    fraction: float | None = None

    def limit_bytes(self, parameters: int) -> int:
        """The limit for a model with that many parameters, whatever it is a limit of."""
        if self.bytes is not None:
            return self.bytes
        if self.bits_per_weight is not None:
            return int(self.bits_per_weight * parameters / 8)
        if self.fraction is not None:
            return int(self.fraction * parameters * 2)
        raise OptionError("budget: expected bytes, bits per weight or a percentage")


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
    limit = budget.limit_bytes(parameters)
    if budget.bytes is None:
        return (limit,) * len(containers)
    out = []
    for container, kv in zip(containers, kv_bytes, strict=True):
        if limit < container + kv:
            cache = f" and {kv} for the KV cache" if kv else ""
            raise BudgetError(
                f"budget of {limit} bytes: the artifact needs {container} bytes beside its weights"
                f"{cache}; raise --budget" + (", or lower --context" if kv else "")
            )
        out.append(limit - container - kv)
    return tuple(out)
