"""Experts in clusters of equal sensitivity (MoPEQ, arXiv 2509.02512).

How often a router takes an expert says little where training balanced the load, so experts are ranked
by the trace of their Hessian. A few clusters of experts then share one number, since that of a single
expert is an estimate from few tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.passes.calibrate.segments import segments_of
from optimum_compile.passes.precision.problem import UnitChoices
from optimum_compile.passes.sensitivity.activation import Activation, mean_squares
from optimum_compile.passes.sensitivity.differences import differences
from optimum_compile.passes.sensitivity.hessian import Hessian
from optimum_compile.passes.sensitivity.setting import Found, Setting
from optimum_compile.passes.sensitivity.trials import Trials
from optimum_compile.passes.stages.blocks import is_quantizable
from optimum_compile.passes.stages.experts import experts_of

ExpertKey = tuple[str, int]  # name of the layer's gates, and which expert


@dataclass(frozen=True)
class Mopeq:
    """The centre of the expert's cluster times ||W - Q(W)||^2; other units by what the centres estimate.

    by: "hessian" takes half the mean trace of the Hessian of an expert's matrices, and scores all
    other units as the method of that name. "inputs" takes the mean square of what enters its matrices,
    over all tokens, and scores others as "activation": for models whose Hessian does not fit in memory.
    scope: clusters among the experts of the whole model, or of each layer.
    """

    name: ClassVar[str] = "mopeq"
    quantity: ClassVar[str] = "nats a token (by inputs: squared output error a token)"
    needs_text: ClassVar[bool] = True

    by: Literal["hessian", "inputs"] = "hessian"
    scope: Literal["model", "layer"] = "model"
    clusters: int = 3

    def __post_init__(self) -> None:
        if self.by not in ("hessian", "inputs"):
            raise OptionError(f"by={self.by!r}: expected 'hessian' or 'inputs'")
        if self.scope not in ("model", "layer"):
            raise OptionError(f"scope={self.scope!r}: expected 'model' or 'layer'")
        if self.clusters < 1:
            raise OptionError(f"clusters={self.clusters}: expected 1 or more")

    def measure(self, setting: Setting) -> Found:
        """See the class. Raises OptionError for a model without experts, InputError without samples."""
        owners = require_experts(setting.graph)
        values, base = self._by_hessian(setting) if self.by == "hessian" else _by_inputs(setting)
        sizes = {u.name: u.unit.elements for u in setting.trials.problem.units}
        experts = expert_means(values, sizes, owners)
        centres = cluster_centres(experts, self.clusters, within_layers=self.scope == "layer")
        scores = dict(base.scores)
        for unit in setting.trials.problem.units:
            if unit.name in owners:
                factor = centres[owners[unit.name]]
                scores[unit.name] = _scaled(squared_errors(setting.trials, unit), factor)
        return Found(scores, base.forward_passes)

    def _by_hessian(self, setting: Setting) -> tuple[dict[str, float], Found]:
        """Half the mean trace of each weight, and the scores by it."""
        method, units = Hessian(), setting.trials.problem.units
        traces = method.traces(setting, [u.name for u in units])
        values = {u.name: 0.5 * traces[u.name] / u.unit.elements for u in units}
        scores = {u.name: _scaled(squared_errors(setting.trials, u), values[u.name]) for u in units}
        return values, Found(scores, method.passes)


def _by_inputs(setting: Setting) -> tuple[dict[str, float], Found]:
    """The mean square of each weight's inputs, and the scores of `activation`."""
    seen = mean_squares(setting)
    found = Activation().measure(setting)
    values = {name: float(each.columns.mean()) for name, each in seen.items()}
    return values, Found(found.scores, found.forward_passes + 1)


def require_experts(graph: Graph) -> dict[str, ExpertKey]:
    """The same as `expert_weights`. Raises OptionError for a model without experts."""
    found = expert_weights(graph)
    if not found:
        raise OptionError(
            "sensitivity 'mopeq' clusters the experts of a mixture, and this model has none; use "
            "'hessian' or another method"
        )
    return found


def expert_weights(graph: Graph) -> dict[str, ExpertKey]:
    """The expert of every weight that only one expert reads; none in a dense model."""
    found: dict[str, ExpertKey] = {}
    for segment in segments_of(graph):
        for node, expert in experts_of(segment.nodes, segment.leaves).items():
            if node.op == "linear" and is_quantizable(node.input(1)):
                found[node.input(1).name] = (expert.gates.name, expert.index)
    return found


def expert_means(
    values: Mapping[str, float], sizes: Mapping[str, int], owners: Mapping[str, ExpertKey]
) -> dict[ExpertKey, float]:
    """Of each expert the mean of its weights' values, by their sizes; an estimate below 0 counts as 0."""
    total: dict[ExpertKey, float] = {}
    count: dict[ExpertKey, int] = {}
    for name in owners.keys() & sizes.keys():
        key, size = owners[name], sizes[name]
        total[key] = total.get(key, 0.0) + values.get(name, 0.0) * size
        count[key] = count.get(key, 0) + size
    return {key: max(0.0, total[key] / count[key]) for key in sorted(total)}


def cluster_centres(
    experts: Mapping[ExpertKey, float], clusters: int, *, within_layers: bool
) -> dict[ExpertKey, float]:
    """The centre of the cluster that each expert falls into."""
    layers = sorted({gates for gates, _ in experts}) if within_layers else [""]
    out: dict[ExpertKey, float] = {}
    for layer in layers:
        keys = [key for key in experts if not layer or key[0] == layer]
        values = np.array([experts[key] for key in keys])
        out |= dict(zip(keys, centres_of(values, clusters).tolist(), strict=True))
    return out


def centres_of(values: np.ndarray, clusters: int) -> np.ndarray:
    """For each number the mean of its cluster, of the clusters with the least squared error; float64.

    k-means of numbers on a line has an exact answer: clusters are runs of the sorted numbers, and
    dynamic programming finds the best ends. The same numbers give the same clusters, without a seed.
    """
    order = np.argsort(values, kind="stable")
    x = np.asarray(values, np.float64)[order]
    n = len(x)
    sums, squares = (np.concatenate([[0.0], np.cumsum(y)]) for y in (x, x * x))
    best, cuts = np.full(n + 1, np.inf), []
    best[0] = 0.0
    for _ in range(min(clusters, n)):
        following, cut = np.full(n + 1, np.inf), np.zeros(n + 1, np.int64)
        for end in range(1, n + 1):
            begin = np.arange(end)
            length, total = end - begin, sums[end] - sums[begin]
            errors = best[:end] + np.maximum(0, squares[end] - squares[begin] - total**2 / length)
            cut[end] = int(errors.argmin())
            following[end] = errors[cut[end]]
        best = following
        cuts.append(cut)
    out, stop = np.zeros(n), n
    for cut in reversed(cuts):
        start = int(cut[stop])
        out[order[start:stop]] = x[start:stop].mean()
        stop = start
    return out


def squared_errors(trials: Trials, unit: UnitChoices) -> dict[str, float]:
    """||W - Q||^2 of a unit in every choice."""
    out = {str(c.scheme): 0.0 for c in unit.choices}
    for rows in differences(trials, unit):
        for scheme, change in rows.changes.items():
            out[scheme] += float(change.double().square().sum())
    return out


def _scaled(errors: Mapping[str, float], factor: float) -> dict[str, float]:
    return {scheme: factor * error for scheme, error in errors.items()}
