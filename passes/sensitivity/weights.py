"""Without any text: from the weights and the program alone."""

from dataclasses import dataclass
from typing import ClassVar

from optimum_compile.passes.sensitivity.differences import differences, zero_scores
from optimum_compile.passes.sensitivity.setting import Found, Setting


@dataclass(frozen=True)
class Weights:
    """||W - Q(W)||^2 / ||W||^2 times the number of weights."""

    name: ClassVar[str] = "weights"
    quantity: ClassVar[str] = "relative squared error of the weights"
    needs_text: ClassVar[bool] = False

    def measure(self, setting: Setting) -> Found:
        """See the class. No pass of the model."""
        scores = zero_scores(setting.trials.problem)
        units = setting.trials.problem.units
        for at, unit in enumerate(units):
            setting.progress("weights: errors", at, len(units))
            norm = 0.0
            for rows in differences(setting.trials, unit):
                norm += float(rows.weight.double().square().sum())
                for scheme, change in rows.changes.items():
                    scores[unit.name][scheme] += float(change.double().square().sum())
            for scheme in scores[unit.name]:
                scores[unit.name][scheme] *= unit.unit.elements / max(norm, 1e-30)
        setting.progress("weights: errors", len(units), len(units))
        return Found(scores)
