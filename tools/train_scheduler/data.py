"""What a scheduler learns from: answers that a model gives itself, switched at each point of a grid."""

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.schedule import Schedule
from optimum_compile.passes.phase.batched import BatchedEngine
from optimum_compile.passes.phase.controls import smallest_lossless
from optimum_compile.passes.phase.engine import follow, generate
from optimum_compile.passes.phase.judge import Measure
from optimum_compile.passes.phase.learned import Plan
from optimum_compile.passes.phase.metrics import before_stop, divergence, rouge_l

CHUNK = 64  # prompts that are answered at a time, fewer where a vocabulary is large
MOST_LOGITS = 1 << 26  # of a pass
MOST_PROMPTS = 1 << 16


@dataclass(frozen=True)
class Recipe:
    """How prompts are cut and answered. Lengths are in tokens.

    `cuts` prompts are taken from the beginning of each document, each of a length drawn from `prompts`.
    The random cut is that of the paper; few lengths let many prompts share a pass.
    """

    prompts: tuple[int, ...] = (16, 32, 48, 64, 80, 96)
    length: int = 96
    cuts: int = 2
    seed: int = 0


@dataclass(frozen=True)
class Examples:
    """Prompts with what came of them; `keys` and `values` as `Seen` has them, one a text.

    Of switching at each step of the plan, float64 (texts, steps), the greater the better: rouge is Rouge-L
    to the 16-bit answer, kl the negative mean KL (nats) of the tokens of that answer. `measure` says which
    of them is the quality, and a label loses at most `tolerance` of it. confidence float32 (texts, length):
    probabilities of the high width's answer. lengths int64 (texts,): tokens of the prompts.
    """

    keys: tuple[np.ndarray, ...]
    values: tuple[np.ndarray, ...]
    rouge: np.ndarray
    kl: np.ndarray
    confidence: np.ndarray
    lengths: np.ndarray
    measure: Measure = Measure.ROUGE
    tolerance: float = 0.0

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def quality(self) -> np.ndarray:
        """By the measure, (texts, steps)."""
        return self.kl if self.measure is Measure.KL else self.rouge

    @property
    def labels(self) -> np.ndarray:
        """The smallest step that loses nothing, or the tolerance, against the high width, int64 (texts,)."""
        bounded = self.quality.copy()
        bounded[:, :-1] += self.tolerance
        return smallest_lossless(bounded, self.decimals)

    @property
    def decimals(self) -> int:
        """Digits that count: Rouge-L is compared as the paper does."""
        return 6 if self.measure is Measure.KL else 3


class Source(BatchedEngine):
    """An engine whose caches can be looked at."""

    def cache(self, state: str, tokens: int) -> np.ndarray:
        """The first tokens of a state, rounded to fp16 as programs store them: (texts, heads, n, width)."""
        found: np.ndarray = self._states[state][:, :, :tokens].numpy().astype(np.float16)
        return found


def prompts_of(documents: Sequence[Sequence[int]], recipe: Recipe) -> list[tuple[int, ...]]:
    """Beginnings of documents that are long enough, in the order of the documents, none twice."""
    rng = np.random.default_rng(recipe.seed)
    out: dict[tuple[int, ...], None] = {}
    for ids in documents:
        lengths = rng.permutation(recipe.prompts)[: recipe.cuts]
        out.update({tuple(ids[:n]): None for n in lengths.tolist() if len(ids) >= n})
    if not out or len(out) > MOST_PROMPTS:
        raise InputError(f"{len(out)} prompts in the text: expected 1 to {MOST_PROMPTS}")
    return list(out)


def collect(
    original: BatchedEngine,
    rounded: Source,
    prompts: Sequence[tuple[int, ...]],
    plan: Plan,
    recipe: Recipe,
    stops: Sequence[int],
    work: Path,
    vocabulary: int,
    rounding: str = "",
) -> Examples:
    """Answer all prompts. Chunks that an earlier run left in `work` are read instead.

    A prompt whose 16-bit answer stops early is left out: all answers then have the same number of steps.
    `rounding` says how the weights were rounded, and is one of the settings.

    Raises OptionError where `work` holds what other settings made, InputError where nothing is left.
    """
    _claim(work, prompts, plan, recipe, stops, rounding)
    found: list[dict[str, np.ndarray]] = []
    together = max(1, min(CHUNK, MOST_LOGITS // (recipe.length * vocabulary)))
    chunks = list(_chunks(prompts, together))
    for at, chunk in enumerate(chunks):
        path = work / f"chunk-{at:04}.npz"
        if not path.is_file():
            made = _answer(original, rounded, np.array(chunk, np.int64), plan, recipe, stops)
            part = path.with_suffix(".part")
            with part.open("wb") as file:
                np.savez(file, **made)  # type: ignore[arg-type]  # its stub takes names one by one
            part.replace(path)
            print(f"answers {at + 1} of {len(chunks)}", file=sys.stderr, flush=True)
        with np.load(path, allow_pickle=False) as data:
            found.append({k: data[k] for k in data.files})
    if not sum(len(f["rouge"]) for f in found):
        raise InputError(f"every answer ends within {recipe.length} tokens; ask for shorter ones")
    return Examples(
        tuple(k for f in found for k in f["keys"]),
        tuple(v for f in found for v in f["values"]),
        np.concatenate([f["rouge"] for f in found]),
        np.concatenate([f["kl"] for f in found]),
        np.concatenate([f["confidence"] for f in found]),
        np.concatenate([np.full(len(f["rouge"]), f["keys"].shape[2]) for f in found]),
    )


def _answer(
    original: BatchedEngine,
    rounded: Source,
    prompts: np.ndarray,
    plan: Plan,
    recipe: Recipe,
    stops: Sequence[int],
) -> dict[str, np.ndarray]:
    length = recipe.length
    only = Schedule.fixed(original.widths[-1])
    wanted = generate(original, prompts, length, only).tokens
    goes_on = ~np.isin(wanted, np.array(stops, np.int64)).any(axis=1)
    prompts, wanted = prompts[goes_on], wanted[goes_on]
    tokens = prompts.shape[1]
    if not len(prompts):
        # Its shapes say how many tokens there were; nothing else is asked of it.
        return {
            "keys": np.zeros((0, 1, tokens, 1), np.float16),
            "values": np.zeros((0, 1, tokens, 1), np.float16),
            "rouge": np.zeros((0, len(plan.steps))),
            "kl": np.zeros((0, len(plan.steps))),
            "confidence": np.zeros((0, length), np.float32),
        }
    high = generate(
        rounded, prompts, length, Schedule.fixed(plan.prefill, plan.high), confidence=True
    )
    keys, values = rounded.cache(plan.keys, tokens), rounded.cache(plan.values, tokens)
    rouge, kl = [], []
    known = follow(original, prompts, wanted, only)
    for step in plan.steps:
        answers = (
            high.tokens if step >= length else _switched(rounded, prompts, high.tokens, plan, step)
        )
        pairs = zip(answers, wanted, strict=True)
        rouge.append([rouge_l(before_stop(a, stops), before_stop(b, stops)) for a, b in pairs])
        other = follow(rounded, prompts, wanted, plan.schedule(step))
        kl.append(-divergence(known, other).mean(axis=1))
    return {
        "keys": keys,
        "values": values,
        "rouge": np.array(rouge).T,
        "kl": np.array(kl, np.float64).T,
        "confidence": np.asarray(high.confidence),
    }


def _switched(
    engine: Source, prompts: np.ndarray, high: np.ndarray, plan: Plan, step: int
) -> np.ndarray:
    """The answer that goes on with the low width from `step` on. Steps before it are those of `high`.

    Decode step t reads token t, so token `step` is the last one that the high width made.
    """
    engine.start(len(prompts))
    engine.feed(prompts, plan.prefill)
    if step > 0:
        engine.feed(high[:, :step], plan.high)
    out = high.copy()
    for at in range(step, high.shape[1] - 1):
        logits = engine.feed(out[:, at : at + 1], plan.low)[:, 0]
        out[:, at + 1] = logits.argmax(axis=1)
    return out


def _chunks(prompts: Sequence[tuple[int, ...]], together: int) -> Iterator[list[tuple[int, ...]]]:
    """Prompts of one length together, in their order."""
    for length in sorted({len(p) for p in prompts}):
        same = [p for p in prompts if len(p) == length]
        for at in range(0, len(same), together):
            yield same[at : at + together]


def _claim(
    work: Path,
    prompts: Sequence[tuple[int, ...]],
    plan: Plan,
    recipe: Recipe,
    stops: Sequence[int],
    rounding: str,
) -> None:
    """Write what the folder is for, or see that it is the same."""
    said: dict[str, Any] = {"plan": asdict(plan), "recipe": asdict(recipe), "stops": list(stops)}
    said["rounding"] = rounding
    said["prompts"] = hashlib.sha256(json.dumps([list(p) for p in prompts]).encode()).hexdigest()
    text = json.dumps(said, indent=1) + "\n"
    work.mkdir(parents=True, exist_ok=True)
    note = work / "made_by.json"
    if note.is_file() and note.read_text("utf-8") != text:
        raise OptionError(
            f"{work} holds answers of other settings; name another --work or remove it"
        )
    note.write_text(text, "utf-8")
