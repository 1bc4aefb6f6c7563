"""Quality of a graph on text: perplexity, KL divergence to a reference, agreement of the top token."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.interpret import WeightCache, WeightMode, run
from optimum_compile.compiler.ir.graph import Graph


@dataclass(frozen=True)
class Score:
    """Sums over predicted tokens. KL is KL(p_reference || p) in nats a token."""

    tokens: int
    nll: float
    kl_mean: float | None
    kl_p99: float | None
    top1_agreement: float | None

    @property
    def perplexity(self) -> float:
        """Exp of the mean negative log-likelihood."""
        return math.exp(self.nll)


class Scorer:
    """Runs windows through graphs and compares log-probabilities, one window at a time.

    Windows of equal length could be batched; the recipes export batch 1, so they are not.
    """

    def __init__(self, windows: Sequence[Sequence[int]], longest: int) -> None:
        self.windows = [np.asarray(w, np.int64)[None] for w in windows]
        self.longest = longest

    def log_probabilities(
        self, graph: Graph, tokens: np.ndarray, weights: WeightMode, cache: WeightCache
    ) -> Tensor:
        """(tokens - 1, vocab) float32: the prediction of every token but the first."""
        parts, states = [], None
        for at in range(0, tokens.shape[1], self.longest):
            call = {"tokens": tokens[:, at : at + self.longest], "past": np.array([at], np.int64)}
            result = run(graph, call, states, weights=weights, cache=cache)
            states = result.states
            parts.append(result.outputs[0][0])
        return torch.cat(parts)[:-1].log_softmax(-1)

    def score(self, graph: Graph, weights: WeightMode, reference: Graph | None = None) -> Score:
        """Score `graph`; with `reference` (its float weights) also KL and agreement."""
        own, other = WeightCache(), WeightCache()
        nll, kls, same, count = 0.0, [], 0, 0
        with torch.no_grad():
            for tokens in self.windows:
                logp = self.log_probabilities(graph, tokens, weights, own)
                target = torch.from_numpy(tokens[0, 1:])
                nll -= float(logp.gather(1, target[:, None]).double().sum())
                count += len(target)
                if reference is None:
                    continue
                ref = self.log_probabilities(reference, tokens, "float", other)
                kls.append((ref.exp() * (ref - logp)).sum(-1).double().numpy())
                same += int((ref.argmax(-1) == logp.argmax(-1)).sum())
        if reference is None:
            return Score(count, nll / count, None, None, None)
        kl = np.concatenate(kls)
        return Score(
            count, nll / count, float(kl.mean()), float(np.quantile(kl, 0.99)), same / count
        )
