"""Measured damage: each unit alone in each choice, everything else float, on text.

The first number is KL(p_float || p_with_the_unit_rounded), the second what the cross entropy of the text
gains; both are means over tokens. Nothing is approximated but the context: a unit is judged between
float neighbours, and two units that are harmless alone may harm together.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from optimum_compile.compiler.decoder import caches_of
from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.quant.kv import KvScheme, parse_kv_scheme
from optimum_compile.passes.sensitivity.map import Scores
from optimum_compile.passes.sensitivity.onward import Change, Onward
from optimum_compile.passes.sensitivity.setting import Found, Setting

CACHE_SCHEMES = ("kv2:g32", "kv4:g32", "kv8:g32", "f16")
ROWS = 64  # positions at once: float64 probabilities of a large vocabulary take 1 MB each
# Total over one sample of the damage, and over how many tokens it is a mean:
# (float logits, changed logits, token ids).
Damage = Callable[[Tensor, Tensor, np.ndarray], tuple[float, int]]


@dataclass(frozen=True)
class KlDivergence:
    """KL divergence of the predictions from the float model's, in nats a token.

    KV caches are scored beside the units, by the names of their states: "k_cache.0".
    """

    name: ClassVar[str] = "kl"
    quantity: ClassVar[str] = "nats a token"
    needs_text: ClassVar[bool] = True

    context: Literal["float"] = "float"  # how everything else is while one unit is rounded
    kv: tuple[str, ...] = CACHE_SCHEMES  # in which every KV cache is measured too

    def __post_init__(self) -> None:
        _check(self.context, self.kv)

    def measure(self, setting: Setting) -> Found:
        """See `Method`."""
        return measure_each(setting, divergence, self.kv)


@dataclass(frozen=True)
class PerplexityDelta:
    """What the cross entropy of the text gains, in nats a token: the logarithm of the perplexities' ratio.

    It may be negative: rounding can happen to help on a text.
    """

    name: ClassVar[str] = "perplexity"
    quantity: ClassVar[str] = "nats a token"
    needs_text: ClassVar[bool] = True

    context: Literal["float"] = "float"
    kv: tuple[str, ...] = CACHE_SCHEMES

    def __post_init__(self) -> None:
        _check(self.context, self.kv)

    def measure(self, setting: Setting) -> Found:
        """See `Method`."""
        return measure_each(setting, entropy_gain, self.kv)


def _check(context: str, kv: Sequence[str]) -> None:
    if context != "float":
        raise OptionError(f"context={context!r}: expected 'float'")
    for text in kv:
        parse_kv_scheme(text)


def measure_each(setting: Setting, damage: Damage, kv: Sequence[str] = ()) -> Found:
    """The mean damage of every unit in every choice, and of every cache in every scheme of `kv`.

    Raises InputError without text, and where the model's predictions are not finite.
    """
    if not setting.samples:
        raise InputError("no text to measure with: give --calibration a file")
    with tempfile.TemporaryDirectory(prefix="onward-", dir=setting.trials.folder) as folder:
        return _measure(setting, Onward(setting.graph, setting.samples, Path(folder)), damage, kv)


def _measure(setting: Setting, way: Onward, damage: Damage, kv: Sequence[str]) -> Found:
    todo = _changes(setting, kv)
    # Of one block after the other: `Onward` keeps the branches of one.
    order = sorted(todo, key=lambda name: (_begin(way, name), list(todo).index(name)))
    total, done = sum(map(len, todo.values())), 0
    way.start()
    scores: Scores = {name: {} for name in todo}
    for name in order:
        for text in todo[name]:
            setting.progress("measure each choice", done, total)
            change = _change(setting, name, text)
            scores[name][text] = 0.0 if change is None else _mean(way, change, damage, name, text)
            done += 1
    setting.progress("measure each choice", total, total)
    return Found(scores, way.forward_passes)


def _changes(setting: Setting, kv: Sequence[str]) -> dict[str, list[str]]:
    """The texts of the schemes to try, by the name of a unit or of a cache."""
    units = setting.trials.problem.units
    found = {u.name: [str(c.scheme) for c in u.choices] for u in units}
    return found | {c.name: list(kv) for c in caches_of(setting.graph) if kv}


def _begin(way: Onward, name: str) -> int:
    if name in way.graph.weights:
        return way.block_of(Change(weights={name: torch.empty(0)}))
    return way.block_of(Change(kv={name: KvScheme(8)}))


def _change(setting: Setting, name: str, text: str) -> Change | None:
    """What is to be tried; None where it changes no number."""
    if name not in setting.graph.weights:
        scheme = parse_kv_scheme(text)
        return Change(kv={name: scheme}) if isinstance(scheme, KvScheme) else None
    unit = next(u for u in setting.trials.problem.units if u.name == name)
    choice = next(c for c in unit.choices if str(c.scheme) == text)
    rounded = setting.trials.rounded(name, choice.scheme)
    if np.array_equal(rounded, setting.trials.original(name)):
        return None
    return Change(weights={name: torch.from_numpy(rounded)})


def _mean(way: Onward, change: Change, damage: Damage, name: str, text: str) -> float:
    total, tokens = 0.0, 0
    for at, logits in enumerate(way.changed(change)):
        ids = np.asarray(way.samples[at].inputs["tokens"])[0]
        found, count = damage(way.output(at), logits, ids)
        total, tokens = total + found, tokens + count
    mean = total / max(1, tokens)
    if not np.isfinite(mean):
        raise InputError(
            f"{name} in {text}: the predictions are NaN or infinite; repair the model, or give other text"
        )
    return mean


def divergence(reference: Tensor, changed: Tensor, ids: np.ndarray) -> tuple[float, int]:
    """Sum over positions of KL(softmax(reference) || softmax(changed)), and how many; float64.

    Both (..., positions, vocabulary).
    """
    total = 0.0
    for p, q in _pieces(reference, changed):
        total += float((p.exp() * (p - q)).sum())
    return total, reference.shape[-2]


def entropy_gain(reference: Tensor, changed: Tensor, ids: np.ndarray) -> tuple[float, int]:
    """Sum over predicted tokens of log p_reference - log p_changed, and how many.

    Logits (..., positions, vocabulary) of the tokens `ids` (positions,): each predicts the next.
    """
    total, at = 0.0, 1
    for p, q in _pieces(reference[..., :-1, :], changed[..., :-1, :]):
        labels = torch.from_numpy(ids[at : at + len(p)].copy())[:, None]
        total += float((p.gather(1, labels) - q.gather(1, labels)).sum())
        at += len(p)
    return total, len(ids) - 1


def _pieces(*logits: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Log-probabilities (rows, vocabulary) in float64, some positions at a time."""
    flat = [x.reshape(-1, x.shape[-1]) for x in logits]
    for at in range(0, len(flat[0]), ROWS):
        yield tuple(x[at : at + ROWS].double().log_softmax(-1) for x in flat)
