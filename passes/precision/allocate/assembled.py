"""KL of an assignment that is put together from trials: no quantiser runs, only forward passes."""

from collections.abc import Sequence

import torch
from torch import Tensor

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.interpret import WeightCache, run
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.kv import KvScheme
from optimum_compile.passes.calibrate.propagate import Sample
from optimum_compile.passes.precision.kv import kv_of
from optimum_compile.passes.sensitivity.trials import Trials

CACHE_BYTES = 4 << 30


class Selection:
    """Text on which finished assignments are compared with the float model."""

    def __init__(self, graph: Graph, samples: Sequence[Sample]) -> None:
        self._graph, self._samples = graph, tuple(samples)
        self._expected: list[Tensor] = []
        self._cache = WeightCache(CACHE_BYTES)

    def kl(self, trials: Trials, picks: Sequence[int]) -> float:
        """Mean KL(p_float || p) over all tokens, nats, of picks of `trials.problem`, caches rounded too."""
        schemes = trials.problem.schemes(picks)
        kv = kv_of(self._graph)  # of caches whose bits were given; those of units count instead
        for unit in trials.problem.units:
            kv.pop(unit.name, None)
        kv.update({name: s for name, s in schemes.items() if isinstance(s, KvScheme)})
        weights = {
            u.name: torch.from_numpy(trials.rounded(u.name, schemes[u.name]))
            for u in trials.problem.units
            if not u.unit.is_cache
        }
        total, count = 0.0, 0
        for sample, logp in zip(self._samples, self._float_way(), strict=True):
            with torch.no_grad():
                found = run(
                    self._graph, sample.inputs, replace_weights=weights, cache=self._cache, kv=kv
                ).outputs[0]
            logq = found.reshape(logp.shape).log_softmax(-1)
            total += float((logp.exp() * (logp - logq)).sum(dtype=torch.float64))
            count += len(logp)
        return total / max(1, count)

    def _float_way(self) -> list[Tensor]:
        if not self._expected:
            for sample in self._samples:
                with torch.no_grad():
                    found = run(self._graph, sample.inputs, cache=self._cache).outputs[0]
                logits = found.reshape(-1, found.shape[-1])
                if not torch.isfinite(logits).all():
                    raise InputError(
                        "the model's logits are NaN or infinite on the selection text; repair the "
                        "model, or give another --calibration"
                    )
                self._expected.append(logits.log_softmax(-1))
        return self._expected
