"""What generates and scores with a width of weights for every step, and what is done with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from optimum_compile.compiler.schedule import Schedule


class Engine(Protocol):
    """A decoder with nested weights that takes several texts at once, all of one length."""

    @property
    def widths(self) -> Sequence[int]:
        """Widths that `feed` takes, ascending."""
        ...

    def start(self, count: int) -> None:
        """Empty caches for `count` texts."""
        ...

    def feed(self, tokens: np.ndarray, width: int) -> np.ndarray:
        """Take in int64 tokens (texts, n) behind those before them, read with `width` bits.

        Returns float32 logits (texts, n, vocab).
        """
        ...


@dataclass(frozen=True)
class Generated:
    """Answers int64 (texts, length), and the probability of each token when it was chosen, where asked for."""

    tokens: np.ndarray
    confidence: np.ndarray | None = None


def generate(
    engine: Engine,
    prompts: np.ndarray,
    length: int,
    schedule: Schedule,
    *,
    confidence: bool = False,
) -> Generated:
    """The likeliest tokens behind prompts int64 (texts, n), `length` of them, stops not heeded.

    Token 0 comes from the prompt's logits; decode step t, at `schedule.width_at(t)`, reads token t and
    makes the next one.
    """
    engine.start(len(prompts))
    logits = engine.feed(prompts, schedule.prefill)[:, -1]
    out = np.empty((len(prompts), length), np.int64)
    sure = np.empty((len(prompts), length), np.float32) if confidence else None
    for at in range(length):
        out[:, at] = logits.argmax(axis=1)
        if sure is not None:
            best = logits.max(axis=1, keepdims=True)
            sure[:, at] = 1 / np.exp(logits - best).sum(axis=1)
        if at + 1 < length:
            logits = engine.feed(out[:, at : at + 1], schedule.width_at(at))[:, 0]
    return Generated(out, sure)


def follow(
    engine: Engine, prompts: np.ndarray, answers: np.ndarray, schedule: Schedule
) -> np.ndarray:
    """Log-probabilities float32 (texts, length, vocab) before each token of given answers.

    Position 0 is what the prompt predicts. Steps of one width are taken together, which computes what
    one token after another does.
    """
    engine.start(len(prompts))
    parts = [engine.feed(prompts, schedule.prefill)[:, -1:]]
    for begin, end, width in spans(schedule, answers.shape[1] - 1):
        parts.append(engine.feed(answers[:, begin:end], width))
    return log_softmax(np.concatenate(parts, axis=1))


def spans(schedule: Schedule, steps: int) -> Iterator[tuple[int, int, int]]:
    """Runs of decode steps of one width: first, one behind the last, width."""
    begin = 0
    for at in range(1, steps + 1):
        if at == steps or schedule.width_at(at) != schedule.width_at(begin):
            yield begin, at, schedule.width_at(begin)
            begin = at


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Log-probabilities over the last axis."""
    shifted: np.ndarray = logits - logits.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted
