"""A scheduler that reads the prompt's cache once and says where the width drops (arXiv 2410.13461, 4.3).

A learned query attends over keys and values of the last layer, head by head; the mean of the heads goes
through a layer norm and a small network to one logit for each switching step. A few KB in fp16, and less
work than one token.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.schedule import MOST_BITS, Schedule
from optimum_compile.passes.phase.choosers import Seen

MOST_SIZE = 1024  # of every axis of every tensor
MOST_STEPS = 64
MOST_TOKEN = 1 << 20
MOST_NAME = 256
NORM_EPSILON = 1e-5


@dataclass(frozen=True)
class Plan:
    """What a scheduler chooses among, and whose cache it reads.

    `steps` ascend from 0: with step s an answer is read at `high` bits before decode step s and at `low`
    from there on. `keys` and `values` name the states of the last layer; `model` is the digest of the
    checkpoint. Raises InputError for anything that cannot be.
    """

    prefill: int
    high: int
    low: int
    steps: tuple[int, ...]
    keys: str
    values: str
    model: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.low < self.high <= self.prefill <= MOST_BITS:
            raise InputError(
                f"widths {self.prefill}, {self.high}, {self.low}: expected prefill >= high > low, "
                f"1 to {MOST_BITS} bits"
            )
        rising = list(self.steps) == sorted(set(self.steps))
        if not 2 <= len(self.steps) <= MOST_STEPS or not rising or self.steps[0] != 0:
            raise InputError(
                f"steps {self.steps}: expected 0 and then up to {MOST_STEPS - 1} later"
            )
        if self.steps[-1] > MOST_TOKEN:
            raise InputError(f"step {self.steps[-1]}: expected at most {MOST_TOKEN}")
        for name in (self.keys, self.values, self.model):
            plain = name.isascii() and name.isprintable() and not set(name) & {'"', "\\"}
            if len(name) > MOST_NAME or not plain:
                raise InputError(f"name {name[:40]!r}: expected at most {MOST_NAME} plain letters")

    def schedule(self, step: int) -> Schedule:
        """The whole schedule of a choice."""
        if step >= self.steps[-1]:
            return Schedule.fixed(self.prefill, self.high)
        return Schedule.two(self.prefill, self.high, self.low, step)


@dataclass(frozen=True)
class Learned:
    """The network: `Scheduler` and `Plan` in one.

    `tensors` are float32 of fp16 numbers, by the names and with the shapes that `shapes_of` lists. Raises
    InputError for other ones, or numbers that are not finite.
    """

    plan: Plan
    tensors: Mapping[str, np.ndarray] = field(repr=False)

    def __post_init__(self) -> None:
        query, hidden = self.tensors.get("query"), self.tensors.get("hidden.weight")
        if query is None or hidden is None or query.ndim != 2 or hidden.ndim != 2:
            raise InputError("scheduler: expected tensors query (heads, width), hidden.weight")
        (heads, width), (inner, value_width) = query.shape, hidden.shape
        wanted = shapes_of(heads, width, value_width, inner, len(self.plan.steps))
        found = {name: data.shape for name, data in self.tensors.items()}
        if found != wanted:
            raise InputError(f"scheduler: tensors {found}: expected {wanted}")
        for name, data in self.tensors.items():
            if not 1 <= min(data.shape) <= max(data.shape) <= MOST_SIZE:
                raise InputError(f"{name}: shape {data.shape}: expected axes of 1 to {MOST_SIZE}")
            if not np.isfinite(data).all():
                raise InputError(f"{name}: a number that is not finite")

    @classmethod
    def rounded(cls, plan: Plan, tensors: Mapping[str, np.ndarray]) -> "Learned":
        """The network as its file holds it: every number rounded to fp16."""
        return cls(plan, {k: half(np.asarray(v)).astype(np.float32) for k, v in tensors.items()})

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Heads, key width and value width of the cache it reads."""
        heads, width = self.tensors["query"].shape
        return heads, width, self.tensors["hidden.weight"].shape[1]

    def logits(self, seen: Seen) -> np.ndarray:
        """One number for each step, float32 (steps,). Raises InputError for another cache."""
        heads, width, value_width = self.sizes
        keys, values = np.asarray(seen.keys, np.float32), np.asarray(seen.values, np.float32)
        tokens = keys.shape[1] if keys.ndim == 3 else 0
        wanted = (heads, tokens, width), (heads, tokens, value_width)
        if tokens < 1 or (keys.shape, values.shape) != wanted:
            raise InputError(
                f"keys {keys.shape}, values {values.shape}: expected {heads} heads of {width} and "
                f"{value_width} channels, and a token"
            )
        t = self.tensors
        scores = np.einsum("hd,htd->ht", t["query"], keys) / math.sqrt(width)
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        pooled = np.einsum("ht,htd->hd", shares, values).mean(axis=0)
        centred = pooled - pooled.mean()
        normal = centred / np.sqrt((centred**2).mean() + NORM_EPSILON)
        normal = normal * t["norm.weight"] + t["norm.bias"]
        inner = np.maximum(t["hidden.weight"] @ normal + t["hidden.bias"], 0)
        found: np.ndarray = (t["out.weight"] @ inner + t["out.bias"]).astype(np.float32)
        return found

    def choose(self, seen: Seen) -> int:
        """See `Scheduler`: the step of the greatest logit, of equal ones the first."""
        return self.plan.steps[int(self.logits(seen).argmax())]


def shapes_of(
    heads: int, width: int, value_width: int, hidden: int, steps: int
) -> dict[str, tuple[int, ...]]:
    """Tensors of a scheduler in the order of its file."""
    return {
        "query": (heads, width),
        "norm.weight": (value_width,),
        "norm.bias": (value_width,),
        "hidden.weight": (hidden, value_width),
        "hidden.bias": (hidden,),
        "out.weight": (steps, hidden),
        "out.bias": (steps,),
    }


def half(data: np.ndarray) -> np.ndarray:
    """As fp16, what is greater than its greatest number cut to it."""
    most = float(np.finfo(np.float16).max)
    found: np.ndarray = np.clip(data, -most, most).astype("<f2")
    return found
