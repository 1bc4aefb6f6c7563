"""Trials without activations: each weight alone, by least squared error or by the full range."""

from collections.abc import Callable

from optimum_compile.compiler.quant.scheme import Vector
from optimum_compile.passes.precision.codebooks import Codebooks, key_of, learn_codebook
from optimum_compile.passes.precision.quantize import load_checked
from optimum_compile.passes.precision.quantizers.rtn import Clip
from optimum_compile.passes.precision.quantizers.select import quantize_weight
from optimum_compile.passes.sensitivity.trials import Trials


def round_all(
    trials: Trials,
    clip: Clip = "mse",
    seed: int = 0,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> None:
    """Make every trial that is missing. Raises InputError for weights that are not finite."""
    books = trial_codebooks(trials, seed)
    units = trials.problem.units
    for at, unit in enumerate(units):
        progress("round trials", at, len(units))
        todo = [c.scheme for c in unit.choices if not trials.has(unit.name, c.scheme)]
        if not todo:
            continue
        data = trials.original(unit.name)
        for scheme in todo:
            packed = quantize_weight(data, scheme, clip, codebook=books.of(scheme))
            trials.add(unit.name, packed)
        trials.save()
    progress("round trials", len(units), len(units))


def trial_codebooks(trials: Trials, seed: int) -> Codebooks:
    """The codebooks of all schemes among the choices, each learned from every unit that may use it."""
    users: dict[tuple[int, int], list[tuple[str, Vector]]] = {}
    for unit in trials.problem.units:
        for choice in unit.choices:
            key = key_of(choice.scheme)
            if key is not None and isinstance(choice.scheme, Vector):
                users.setdefault(key, []).append((unit.name, choice.scheme))
    graph = trials.graph
    return Codebooks(
        {
            key: learn_codebook(
                key, [(graph.weights[n], s) for n, s in users[key]], seed, load_checked
            )
            for key in sorted(users)
        }
    )
