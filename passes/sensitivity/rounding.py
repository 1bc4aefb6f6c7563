"""Make trials: of weights alone, or with the moments that the deployed quantiser sees."""

from collections.abc import Callable

import numpy as np

from optimum_compile.compiler.ir.graph import Value
from optimum_compile.compiler.quant.kv import KvScheme
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Float, Scheme, Vector
from optimum_compile.passes.calibrate.moments import Moments
from optimum_compile.passes.precision.codebooks import Codebooks, Key, key_of, learned_codebooks
from optimum_compile.passes.precision.problem import UnitChoices
from optimum_compile.passes.precision.quantize import load_checked
from optimum_compile.passes.precision.quantizers.affine.rtn import Clip
from optimum_compile.passes.precision.quantizers.calibrated import quantize_calibrated
from optimum_compile.passes.precision.quantizers.recipes import Recipe
from optimum_compile.passes.precision.quantizers.select import quantize_weight
from optimum_compile.passes.sensitivity.trials import Trials


def round_all(
    trials: Trials,
    clip: Clip = "mse",
    seed: int = 0,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> None:
    """Make every trial that is missing. Raises InputError for weights that are not finite."""
    units = [u for u in trials.problem.units if not u.unit.is_cache]
    missing = {u.name: [s for s in schemes_of(u) if not trials.has(u.name, s)] for u in units}
    books = trial_codebooks(trials, seed) if any(missing.values()) else Codebooks({})
    for at, unit in enumerate(units):
        progress("round trials", at, len(units))
        todo = missing[unit.name]
        if not todo:
            continue
        data = trials.original(unit.name)
        for scheme in todo:
            packed = quantize_weight(data, scheme, clip, codebook=books.of(scheme))
            trials.add(unit.name, packed)
        trials.save()
    progress("round trials", len(units), len(units))


def schemes_of(unit: UnitChoices) -> list[Scheme]:
    """The schemes that a matrix may get."""
    return [c.scheme for c in unit.choices if not isinstance(c.scheme, KvScheme)]


class TrialRun:
    """The trials of a quantiser that knows its inputs, unit by unit as it goes through the model."""

    def __init__(self, trials: Trials, recipe: Recipe, seed: int) -> None:
        self._trials, self._recipe = trials, recipe
        self.books = trial_codebooks(trials, seed)
        self._units = {u.name: u for u in trials.problem.units if not u.unit.is_cache}

    def rounds(self, name: str) -> bool:
        """Whether a unit has trials that lose bits."""
        unit = self._units.get(name)
        return unit is not None and any(not isinstance(c.scheme, Float) for c in unit.choices)

    def round(
        self, name: str, data: np.ndarray, chosen: PackedWeight, seen: Moments | None
    ) -> None:
        """Make the trials of a unit that are missing; `chosen` is the one that the model gets."""
        if name not in self._units:
            return
        for scheme in schemes_of(self._units[name]):
            if self._trials.has(name, scheme):
                continue
            book = self.books.of(scheme)
            if scheme == chosen.scheme:
                packed = chosen
            elif seen is None:
                packed = quantize_weight(data, scheme, codebook=book)
            else:
                packed = quantize_calibrated(data, scheme, seen, self._recipe, book)
            self._trials.add(name, packed)

    def save(self) -> None:
        """Let a later run know them."""
        self._trials.save()


def trial_codebooks(trials: Trials, seed: int) -> Codebooks:
    """The codebooks of all schemes among the choices, each learned from every unit that may use it.

    They stay in `trials.books`, where the next round finds them.
    """
    users: dict[Key, list[tuple[Value, Vector]]] = {}
    for unit in trials.problem.units:
        for choice in unit.choices:
            key = key_of(choice.scheme)
            if key is not None and isinstance(choice.scheme, Vector):
                weight = trials.graph.weights[unit.name]
                users.setdefault(key, []).append((weight, choice.scheme))
    return learned_codebooks(users, seed, load_checked, trials.books, resumed=True)
