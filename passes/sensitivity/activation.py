"""The error of a weight where its inputs are large: what an importance matrix knows."""

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from optimum_compile.passes.sensitivity.differences import Rows, differences, zero_scores
from optimum_compile.passes.sensitivity.setting import Found, Setting
from optimum_compile.passes.sensitivity.sweep import Sweep, Use, token_count


@dataclass(frozen=True)
class Activation:
    """sum_j E[x_j^2] sum_i (W - Q)_ij^2, with the inputs x of the float program.

    The squared error of the outputs a token, were the inputs uncorrelated. Of a table that is looked
    up, each row counts as often as the text has its token; a tied one has both uses. Of an expert's
    inputs those tokens count that are routed to it, over all tokens: how often it is used is in.
    """

    name: ClassVar[str] = "activation"
    quantity: ClassVar[str] = "squared output error a token"
    needs_text: ClassVar[bool] = True

    def measure(self, setting: Setting) -> Found:
        """See the class. One forward pass. Raises InputError without samples."""
        seen = mean_squares(setting)
        scores = zero_scores(setting.trials.problem)
        units = setting.trials.problem.units
        for at, unit in enumerate(units):
            setting.progress("activation: errors", at, len(units))
            found = seen.get(unit.name)
            if found is None:
                continue
            for rows in differences(setting.trials, unit):
                for scheme, error in weighted_errors(rows, found).items():
                    scores[unit.name][scheme] += error
        setting.progress("activation: errors", len(units), len(units))
        return Found(scores, 1.0)


@dataclass
class MeanSquares:
    """Of one unit: mean squares of its inputs (columns,), and the share of tokens that meet each row."""

    columns: Tensor
    rows: Tensor


def mean_squares(setting: Setting) -> dict[str, MeanSquares]:
    """By the unit's name, over all tokens of the samples, float64."""
    names = {u.name for u in setting.trials.problem.units}
    total = token_count(setting.samples)
    seen: dict[str, MeanSquares] = {}

    def see(use: Use, inputs: Tensor, gate: Tensor | None) -> None:
        shape = use.node.input(1).type.static_shape()
        zeros = (torch.zeros(n, dtype=torch.float64) for n in reversed(shape))
        found = seen.setdefault(use.name, MeanSquares(*zeros))
        if use.looks_up:
            found.rows += torch.bincount(inputs, minlength=shape[0]) / total
            return
        routed = inputs if gate is None else inputs[gate > 0]
        found.columns += routed.double().square().sum(0) / total

    with tempfile.TemporaryDirectory(dir=setting.trials.folder, prefix="sweep-") as work:
        way = Sweep(setting.graph, setting.samples, Path(work), names)
        way.forward(see, progress=partial(setting.progress, "activation: forward"))
    return seen


def weighted_errors(rows: Rows, seen: MeanSquares) -> dict[str, float]:
    """The weighted squared error of some rows in every scheme that changes them."""
    met = seen.rows[rows.begin : rows.end].float()
    out = {}
    for scheme, change in rows.changes.items():
        square = change.square()
        multiplied = torch.dot(square.sum(0).double(), seen.columns)
        looked_up = torch.dot(square.sum(1), met)
        out[scheme] = float(multiplied) + float(looked_up)
    return out
