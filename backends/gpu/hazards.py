"""Which dispatches have to wait: those that touch what an earlier one writes, or write what it touches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optimum_compile.backends.gpu.section import Flags
from optimum_compile.compiler.ir.shape import SymbolRange
from optimum_compile.passes.subtensor.notes import View
from optimum_compile.passes.subtensor.strides import disjoint


@dataclass(frozen=True)
class Touch:
    """What a dispatch reads or writes. place: the arena, a cache, the logits. view: None for all of it."""

    place: str
    view: View | None
    writes: bool


class Hazards:
    """The touches since the last barrier of one function.

    alive: of each buffer of the arena the first and the last step that touch it. Buffers that are alive
    at one step lie apart; of others that is not known.
    """

    def __init__(
        self, ranges: Mapping[str, SymbolRange], alive: Mapping[str, tuple[int, int]]
    ) -> None:
        self.ranges, self.alive = ranges, alive
        self._all: list[Touch] = []
        self._kept: list[Touch] = []  # where dispatches for logits are left out

    def flags(self, touches: Sequence[Touch], *, logits: bool) -> Flags:
        """The flags of the next dispatch. A barrier of one that may be left out keeps nothing in order."""
        found = Flags.LOGITS if logits else Flags(0)
        if any(self._meet(new, old) for new in touches for old in self._all):
            found |= Flags.BARRIER
            self._all = []
        elif not logits and any(self._meet(new, old) for new in touches for old in self._kept):
            found |= Flags.BARRIER
        if Flags.BARRIER in found and not logits:
            self._all, self._kept = [], []
        self._all += touches
        self._kept += touches
        return found

    def _meet(self, new: Touch, old: Touch) -> bool:
        if new.place != old.place or not (new.writes or old.writes):
            return False
        if new.view is None or old.view is None:
            return True
        if new.view.buffer == old.view.buffer:
            return not disjoint(new.view, old.view, self.ranges)
        first, second = self.alive[new.view.buffer], self.alive[old.view.buffer]
        return first[0] > second[1] or second[0] > first[1]
