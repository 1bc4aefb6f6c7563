"""A learned scheduler against fixed steps, the confidence rule and chance, on texts that chose nothing."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from optimum_compile.passes.phase.choosers import Confidence, Fixed, Scheduler, Seen
from optimum_compile.passes.phase.controls import prior
from optimum_compile.passes.phase.learned import Learned
from optimum_compile.passes.phase.metrics import bootstrap
from optimum_compile.tools.train_scheduler.data import Examples

CONTROLS = ("random uniform", "random prior", "shuffled")
MEASURES = ("rouge", "kl", "within")
COMPARED = (*CONTROLS, "static", "confidence", "always high")


def chosen(rule: Scheduler, examples: Examples, steps: tuple[int, ...]) -> np.ndarray:
    """By text, the index of the step that a rule takes, int64 (texts,).

    A step between two of the grid counts as the later one, because only those were run: the answer
    differs from the real one in that it stays at the high width for a little longer.
    """
    found = []
    for at in range(len(examples)):
        seen = Seen(examples.keys[at], examples.values[at], examples.confidence[at])
        found.append(np.searchsorted(steps, rule.choose(seen)))
    return np.minimum(np.array(found, np.int64), len(steps) - 1)


def static_step(examples: Examples, steps: tuple[int, ...], epsilon: float) -> int:
    """The smallest step whose mean quality is within `epsilon` of never switching."""
    means = examples.quality.mean(axis=0)
    return steps[int((means >= means[-1] - epsilon).argmax())]


def report(learned: Learned, known: Examples, fresh: Examples, epsilon: float) -> dict[str, Any]:
    """Mean bits and quality of every rule, and what the learned one gains on each at equal bits.

    Args:
        learned: the network as it is stored.
        known: texts that rules may adapt to: the static step and the prior come from them.
        fresh: held-out texts.
        epsilon: loss of the measure that the static step may have.
    """
    plan = learned.plan
    steps, length = plan.steps, plan.steps[-1]
    bits = np.array([plan.schedule(s).mean_bits(length) for s in steps])
    static = static_step(known, steps, epsilon)
    rules: dict[str, Scheduler] = {
        "learned": learned,
        "static": Fixed(static),
        "confidence": Confidence(length),
        "always high": Fixed(length),
        "always low": Fixed(0),
    }
    count = len(steps)
    shares = {name: np.eye(count)[chosen(rule, fresh, steps)] for name, rule in rules.items()}
    own = shares["learned"].mean(axis=0)
    # Chance as the exact mean over its draws. Shuffled: the learned choices dealt to other texts, which
    # is chance at the very same mean of bits.
    for name, share in zip(
        CONTROLS, (np.full(count, 1 / count), prior(known.labels, count), own), strict=True
    ):
        shares[name] = np.tile(share, (len(fresh), 1))
    shares["best of each text"] = np.eye(count)[fresh.labels]
    spent = {name: share @ bits for name, share in shares.items()}
    # Texts that lose no more than a label may.
    digits = fresh.decimals
    least = fresh.quality[:, -1:] - fresh.tolerance
    within = (np.round(fresh.quality, digits) >= np.round(least, digits)).astype(float)
    by_measure = {"rouge": fresh.rouge, "kl": fresh.kl, "within": within}

    def gains(name: str) -> dict[str, Any]:
        return {
            m: at_equal_bits(shares["learned"], shares[name], values, bits)
            for m, values in by_measure.items()
        }

    return {
        "texts": {"known": len(known), "fresh": len(fresh)},
        "measure": known.measure.value,
        "tolerance": known.tolerance,
        "steps": list(steps),
        "static_step": static,
        "labels": {
            "known": np.bincount(known.labels, minlength=count).tolist(),
            "fresh": np.bincount(fresh.labels, minlength=count).tolist(),
            "learned": shares["learned"].sum(axis=0).astype(int).tolist(),
        },
        "accuracy": {
            "fresh": float((shares["learned"].argmax(axis=1) == fresh.labels).mean()),
            "most frequent": float(prior(fresh.labels, count).max()),
        },
        "rules": {
            name: {
                "mean_bits": asdict(bootstrap(spent[name])),
                **{
                    m: asdict(bootstrap((share * values).sum(axis=1)))
                    for m, values in by_measure.items()
                },
            }
            for name, share in shares.items()
        },
        "by_step": {
            str(step): {
                "mean_bits": float(bits[i]),
                **{m: asdict(bootstrap(values[:, i])) for m, values in by_measure.items()},
            }
            for i, step in enumerate(steps)
        },
        "gain": {
            name: {**gains(name), "bits": float((spent["learned"] - spent[name]).mean())}
            for name in COMPARED
        },
        "beats_chance": all(gains(name)[known.measure.value]["sign"] > 0 for name in CONTROLS),
    }


def at_equal_bits(
    one: np.ndarray, other: np.ndarray, quality: np.ndarray, bits: np.ndarray
) -> dict[str, Any]:
    """What one rule gains on another that would read as many bits, with a 95 % interval.

    The other rule is moved to the same mean of bits along the line of the fixed steps, so that spending
    more bits is no gain. Both are counted from the means of the steps, which take no part in the
    difference but most of its noise.

    Args:
        one: how often a rule takes each step, (texts, steps).
        other: the same of the other rule.
        quality: of each text with each step, (texts, steps).
        bits: mean bits of each step, ascending.
    """
    means, differs = quality.mean(axis=0), one - other
    spent = [float(np.interp(part.mean(axis=0) @ bits, bits, means)) for part in (one, other)]
    constant = float(differs.mean(axis=0) @ means) - (spent[0] - spent[1])
    found = bootstrap((differs * (quality - means)).sum(axis=1) + constant)
    return {**asdict(found), "sign": found.sign}


def table(found: Mapping[str, Any]) -> str:
    """The report in Markdown."""
    columns = "mean bits | Rouge-L to the 16-bit answer | less KL (nats) | within the tolerance"
    lines = [f"| rule | {columns} |", "|---" * 5 + "|"]
    for name, entry in found["rules"].items():
        cells = " | ".join(_text(entry[m]) for m in MEASURES)
        lines.append(f"| {name} | {entry['mean_bits']['mean']:.3f} | {cells} |")
    lines += ["", f"| learned less, at equal bits | {columns} |", "|---" * 5 + "|"]
    for name, entry in found["gain"].items():
        cells = " | ".join(_text(entry[m], "+") for m in MEASURES)
        lines.append(f"| {name} | {entry['bits']:+.3f} | {cells} |")
    return "\n".join(lines)


def _text(entry: Mapping[str, float], sign: str = "") -> str:
    bounds = f"[{entry['low']:{sign}.4f}, {entry['high']:{sign}.4f}]"
    return f"{entry['mean']:{sign}.4f} {bounds}"
