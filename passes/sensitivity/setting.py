"""What every sensitivity method is given, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.passes.calibrate.propagate import Sample
from optimum_compile.passes.sensitivity.map import Scores
from optimum_compile.passes.sensitivity.trials import Trials


def _silent(what: str, done: int, total: int) -> None:
    return None


@dataclass(frozen=True)
class Setting:
    """The model, its trials, and text that the quantiser of the trials did not see.

    `samples` are prefill calls, as `decoder_samples` makes them; empty for methods that need none.
    """

    graph: Graph
    trials: Trials
    samples: tuple[Sample, ...] = ()
    seed: int = 0
    progress: Callable[[str, int, int], None] = field(default=_silent)


@dataclass(frozen=True)
class Found:
    """What a method found: the damage of every unit in every choice, and its cost.

    `forward_passes` is in passes of the whole model over `samples`; a backward pass counts as two.
    """

    scores: Scores
    forward_passes: float = 0.0


class Method(Protocol):
    """One sensitivity method."""

    name: ClassVar[str]
    quantity: ClassVar[str]  # the unit of its numbers
    needs_text: ClassVar[bool]

    def measure(self, setting: Setting) -> Found:
        """Scores for every unit and choice of `setting.trials.problem`; f16 choices score near 0."""
