"""The damage model on disk, so that another budget needs no new measurement.

`sensitivity.npz` beside `sensitivity.json`: names of units, their schemes, the base, and the numbers of
`Quadratic`. It holds arrays only; nothing of it is executed.
"""

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from optimum_compile.compiler.errors import InputError
from optimum_compile.passes.precision.allocate.quadratic import Quadratic
from optimum_compile.passes.precision.problem import Picks, Problem

MAX_BYTES = 1 << 32
KEYS = ("units", "schemes", "starts", "base", "base_kl", "alone", "between")


def write_damage(path: Path, problem: Problem, base: Picks, damage: Quadratic) -> None:
    """Write atomically."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez_compressed(
            file,
            units=np.array([u.name for u in problem.units]),
            schemes=np.array([str(c.scheme) for u in problem.units for c in u.choices]),
            starts=np.array(damage.starts, np.int64),
            base=np.array(base, np.int64),
            base_kl=np.array(damage.base_kl),
            alone=damage.alone,
            between=damage.between,
        )
    part.replace(path)


def read_damage(path: Path, problem: Problem) -> tuple[Problem, Picks, Quadratic]:
    """The problem with the choices that were measured, the base in it, and its damage.

    Where a unit is pinned to something else than its base, the base here is that pin.

    Raises:
        InputError: no such file, a damaged one, or one that lacks a unit or all of its choices.
    """
    data = _arrays(path)
    names, schemes = data["units"].tolist(), data["schemes"].tolist()
    starts = data["starts"].tolist()
    where = {name: at for at, name in enumerate(names)}
    units, rows, base = [], [], []
    for unit in problem.units:
        if unit.name not in where:
            raise InputError(f"{path}: {unit.name} was not measured; profile this model again")
        at = where[unit.name]
        known = {schemes[n]: n for n in range(starts[at], starts[at + 1])}
        kept = tuple(c for c in unit.choices if str(c.scheme) in known)
        if not kept:
            told = ", ".join(str(c.scheme) for c in unit.choices)
            raise InputError(f"{path}: {unit.name} was not measured in {told}; profile it again")
        units.append(replace(unit, choices=kept))
        own = [known[str(c.scheme)] for c in kept]
        first = starts[at] + int(data["base"][at])
        base.append(own.index(first) if first in own else 0)
        rows.extend(own)
    inside = replace(problem, units=tuple(units))
    sizes = np.cumsum([0, *(len(u.choices) for u in units)])
    index = np.array(rows)
    alone, between = data["alone"][index], data["between"][np.ix_(index, index)]
    damage = Quadratic(tuple(int(n) for n in sizes), float(data["base_kl"]), alone, between)
    return inside, tuple(base), damage


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: {path.stat().st_size} bytes are too many for measurements")
        with np.load(path, allow_pickle=False) as file:
            data = {key: file[key] for key in KEYS}
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror or error}); it belongs beside sensitivity.json"
        ) from error
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, MemoryError) as error:
        raise InputError(f"{path}: no measurements: {error}; profile again") from error
    count, starts = len(data["schemes"]), data["starts"]
    fits = (
        starts.ndim == 1
        and len(starts) == len(data["units"]) + 1 == len(data["base"]) + 1
        and starts[0] == 0
        and starts[-1] == count
        and (np.diff(starts) > 0).all()
        and ((data["base"] >= 0) & (data["base"] < np.diff(starts))).all()
        and data["alone"].shape == (count,)
        and data["between"].shape == (count, count)
        and data["base_kl"].ndim == 0
    )
    if not fits:
        raise InputError(f"{path}: no measurements: its arrays contradict each other")
    numbers = (data["alone"], data["between"], data["base_kl"])
    if not all(np.issubdtype(n.dtype, np.floating) and np.isfinite(n).all() for n in numbers):
        raise InputError(f"{path}: no measurements: numbers that are not finite")
    return data
