"""How long learning may take, by name."""

from dataclasses import dataclass

from optimum_compile.compiler.errors import OptionError


@dataclass(frozen=True)
class Effort:
    """Bounds of learning.

    steps: SignSGD steps a block, each on `batch` windows; none where it is 0. epochs: passes over the
    calibration windows, `tuning_batch` a step, that improve scales and tables of all blocks together;
    none where it is 0.
    """

    steps: int = 0
    epochs: int = 0
    batch: int = 8
    tuning_batch: int = 4

    @property
    def learns(self) -> bool:
        """Whether anything is learned."""
        return self.steps > 0 or self.epochs > 0


EFFORTS = {
    "none": Effort(),
    "light": Effort(steps=50),
    "standard": Effort(steps=200),
    "best": Effort(steps=200, epochs=8),
}


def effort_named(name: str) -> Effort:
    """The bounds of that name. Raises OptionError naming the known ones."""
    if name not in EFFORTS:
        raise OptionError(f"effort {name!r}: expected one of {', '.join(EFFORTS)}")
    return EFFORTS[name]
