"""Quality on text: perplexity, KL divergence to a reference, agreement of the top token.

A model is anything that maps token ids (n,) to logits (n, vocab): a graph in the reference executor,
an emitted artifact in its runtime, or another program's model.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.calibration import TextSource, encode
from optimum_compile.compiler.conformance import Rounding
from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.interpret import WeightCache, WeightMode, run
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.quant.kv import KvStored

Predict = Callable[[np.ndarray], np.ndarray]
# Weights above this size are read anew for each window, so that memory stays bounded.
CACHE_BYTES = 4 << 30
# Positions scored at once: float64 probabilities of a large vocabulary take 1 MB a position.
ROWS = 64


@dataclass(frozen=True)
class Window:
    """Token ids that are run together; those before `first` are context and are not scored."""

    tokens: tuple[int, ...]
    first: int = 1

    @property
    def scored(self) -> int:
        """Predicted tokens."""
        return len(self.tokens) - self.first


@dataclass(frozen=True)
class Score:
    """Means over predicted tokens, in nats. KL is KL(p_reference || p)."""

    tokens: int
    nll: float
    kl_mean: float | None
    kl_p99: float | None
    top1_agreement: float | None

    @property
    def perplexity(self) -> float:
        """Exp of the mean negative log-likelihood; infinite where that overflows."""
        return math.exp(self.nll) if self.nll < 709 else math.inf


def text_windows(
    source: TextSource,
    tokenizer: Any,
    bos: int | None,
    seqlen: int,
    stride: int | None = None,
    max_tokens: int | None = None,
) -> list[Window]:
    """Windows of at most `seqlen` tokens that predict every token at most once.

    Documents are taken alone, BOS first, and cut. A stream has its BOS once; its windows begin every
    `stride` tokens (default `seqlen`) and score only what the window before did not. The first token
    of all, and of each window that overlaps nothing, has nothing to be predicted from.

    Args:
        source: documents or a stream.
        tokenizer: as `calibration.load_tokenizer` gives it.
        bos: id of the token that begins a text, or None.
        seqlen: longest window, tokens.
        stride: tokens from window to window of a stream.
        max_tokens: stop after this many predicted tokens; the last window is cut.

    Raises:
        OptionError: a number out of its range.
        InputError: fewer than two tokens in every document.
    """
    step = seqlen if stride is None else stride
    if seqlen < 2:
        raise OptionError(f"seqlen={seqlen}: expected 2 tokens or more")
    if not 1 <= step <= seqlen:
        raise OptionError(
            f"stride={step}: expected a whole number from 1 to seqlen ({seqlen}); "
            "a longer stride would leave tokens out"
        )
    if max_tokens is not None and max_tokens < 1:
        raise OptionError(f"max-tokens={max_tokens}: expected a positive number")
    every = (encode(tokenizer, text, bos) for text in source.documents)
    if source.is_stream:
        found = [w for ids in every for w in _stream(ids, seqlen, step)]
    else:
        found = [Window(tuple(ids[:seqlen])) for ids in every if len(ids) >= 2]
    if not found:
        raise InputError(f"{source.label}: fewer than two tokens of text; nothing to predict")
    return found if max_tokens is None else _limited(found, max_tokens)


def _stream(ids: Sequence[int], seqlen: int, step: int) -> list[Window]:
    out: list[Window] = []
    end = 0
    for begin in range(0, len(ids), step):
        window = Window(tuple(ids[begin : begin + seqlen]), max(1, end - begin))
        if window.scored > 0:
            out.append(window)
        end = begin + len(window.tokens)
        if end == len(ids):
            break
    return out


def _limited(windows: Sequence[Window], count: int) -> list[Window]:
    out: list[Window] = []
    for window in windows:
        if count <= 0:
            break
        out.append(Window(window.tokens[: window.first + count], window.first))
        count -= out[-1].scored
    return out


class GraphLogits:
    """The logits of a decoder graph, by the reference executor in float32 arithmetic."""

    def __init__(
        self,
        graph: Graph,
        weights: WeightMode = "float",
        activations: Rounding | None = None,
        kv: Mapping[str, KvStored] | None = None,
    ) -> None:
        """What is rounded: `activations` by the name of a weight, the cache (`kv`) by that of a state.

        See `interpret.run`.
        """
        self._graph = graph
        self._activations = activations
        self._kv = kv
        self._weights: WeightMode = weights
        self._cache = WeightCache(CACHE_BYTES)
        self._longest = graph.symbols["seq"].high if "seq" in graph.symbols else 1

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        """Logits (n, vocab) after each of the tokens (n,)."""
        parts, states = [], None
        with torch.no_grad():
            for at in range(0, len(tokens), self._longest):
                chunk = np.asarray(tokens[None, at : at + self._longest], np.int64)
                call = {"tokens": chunk, "past": np.array([at], np.int64)}
                done = run(
                    self._graph,
                    call,
                    states,
                    weights=self._weights,
                    cache=self._cache,
                    activations=self._activations,
                    kv=self._kv,
                )
                states = done.states
                parts.append(done.outputs[0][0].numpy())
        return np.concatenate(parts)


class _Sums:
    """What is added up over windows."""

    def __init__(self) -> None:
        self.tokens, self.nll, self.same = 0, 0.0, 0
        self.kl: list[np.ndarray] = []

    def add(self, logits: np.ndarray, targets: np.ndarray, reference: np.ndarray | None) -> None:
        """Rows of logits (n, vocab) that predict `targets` (n,)."""
        for at in range(0, len(targets), ROWS):
            rows = slice(at, at + ROWS)
            logp = _log_softmax(logits[rows])
            target = torch.from_numpy(targets[rows])[:, None]
            self.nll -= float(logp.gather(1, target).sum())
            self.tokens += len(target)
            if reference is None:
                continue
            ref = _log_softmax(reference[rows])
            self.kl.append((ref.exp() * (ref - logp)).sum(-1).numpy())
            self.same += int((ref.argmax(-1) == logp.argmax(-1)).sum())


def _log_softmax(logits: np.ndarray) -> Tensor:
    return torch.from_numpy(logits.astype(np.float64)).log_softmax(-1)


def score(
    windows: Sequence[Window],
    predict: Predict,
    reference: Predict | None = None,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Score:
    """Score `predict` on text windows; with `reference` also KL and agreement.

    Args:
        windows: what `text_windows` gives; not empty.
        predict: token ids (n,) to logits (n, vocab).
        reference: the same, for the model that `predict` should agree with.
        progress: told how many of the windows are done.

    Raises:
        InputError: logits that are NaN or infinite, or token ids that the vocabulary lacks.
    """
    sums = _Sums()
    for index, window in enumerate(windows):
        tokens = np.asarray(window.tokens, np.int64)
        logits = _logits(predict, tokens, "the model")[window.first - 1 : -1]
        other = None
        if reference is not None:
            other = _logits(reference, tokens, "the reference")[window.first - 1 : -1]
            if other.shape != logits.shape:
                raise InputError(
                    f"the reference predicts {other.shape[1]} tokens, the model {logits.shape[1]}; "
                    "give the model that was compiled"
                )
        sums.add(logits, tokens[window.first :], other)
        progress(index + 1, len(windows))
    nll = sums.nll / sums.tokens
    if reference is None:
        return Score(sums.tokens, nll, None, None, None)
    kl = np.concatenate(sums.kl)
    p99 = float(np.quantile(kl, 0.99))
    return Score(sums.tokens, nll, float(kl.mean()), p99, sums.same / sums.tokens)


def _logits(predict: Predict, tokens: np.ndarray, who: str) -> np.ndarray:
    logits = predict(tokens)
    if not np.isfinite(logits).all():
        raise InputError(f"the logits of {who} are NaN or infinite on this text; nothing to score")
    if int(tokens.max()) >= logits.shape[1]:
        raise InputError(
            f"token {int(tokens.max())} is outside the {logits.shape[1]} that {who} predicts; "
            "its tokenizer is another model's"
        )
    return logits
