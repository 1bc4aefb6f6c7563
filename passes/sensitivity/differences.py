"""What each trial changes about a weight, some rows at a time."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from optimum_compile.compiler.quant.kv import AnyScheme
from optimum_compile.compiler.quant.scheme import Lut, Nested, Sparse
from optimum_compile.passes.precision.problem import Problem, UnitChoices
from optimum_compile.passes.sensitivity.map import Scores
from optimum_compile.passes.sensitivity.trials import Trials

LIMIT = 1 << 26  # numbers of all choices together that are in memory at once


@dataclass(frozen=True)
class Rows:
    """Rows begin .. end - 1 of W, and of W - Q for every scheme that changes them, float32."""

    begin: int
    end: int
    weight: Tensor
    changes: dict[str, Tensor]


def differences(trials: Trials, unit: UnitChoices, limit: int = LIMIT) -> Iterator[Rows]:
    """All rows of a unit, in runs that keep tables whole."""
    packed = [trials.packed(unit.name, c.scheme) for c in unit.choices]
    data = trials.original(unit.name)
    rows, columns = data.shape
    per = math.lcm(*(_rows_per_table(c.scheme) for c in unit.choices))
    step = max(1, limit // (columns * len(packed) * per)) * per
    for begin in range(0, rows, step):
        end = min(rows, begin + step)
        weight = torch.from_numpy(data[begin:end])
        changes = {}
        for each in packed:
            change = weight - torch.from_numpy(each.part(begin, end).dequantize())
            if change.any():
                changes[str(each.scheme)] = change
        yield Rows(begin, end, weight, changes)


def _rows_per_table(scheme: AnyScheme) -> int:
    base = scheme.base if isinstance(scheme, Sparse) else scheme
    return base.rows_per_table if isinstance(base, Lut | Nested) else 1


def zero_scores(problem: Problem) -> Scores:
    """A zero for every unit and choice."""
    return {u.name: {str(c.scheme): 0.0 for c in u.choices} for u in problem.units}
