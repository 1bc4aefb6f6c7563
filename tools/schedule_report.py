"""A learned scheduler against fixed steps, the confidence rule and chance, on texts that chose nothing."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from optimum_compile.passes.phase.choosers import Confidence, Fixed, Scheduler, Seen
from optimum_compile.passes.phase.controls import prior
from optimum_compile.passes.phase.learned import Learned
from optimum_compile.passes.phase.metrics import bootstrap
from optimum_compile.tools.schedule_data import Examples

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
    """Mean bits and quality of every rule, and what the learned one gains on each, paired over texts.

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
    by_measure = {"rouge": fresh.rouge, "kl": fresh.kl}
    quality = {
        measure: {name: (share * values).sum(axis=1) for name, share in shares.items()}
        for measure, values in by_measure.items()
    }

    # Texts that lose no more than a label may.
    least = fresh.quality[:, -1:] - fresh.tolerance
    kept = (np.round(fresh.quality, 3) >= np.round(least, 3)).astype(float)
    quality["within"] = {name: (share * kept).sum(axis=1) for name, share in shares.items()}

    def gains(name: str) -> dict[str, Any]:
        less = {m: bootstrap(found["learned"] - found[name]) for m, found in quality.items()}
        return {m: {**asdict(each), "sign": each.sign} for m, each in less.items()}

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
                **{m: asdict(bootstrap(found[name])) for m, found in quality.items()},
            }
            for name in shares
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
        "beats_chance": gains("shuffled")[known.measure.value]["sign"] > 0,
    }


def table(found: Mapping[str, Any]) -> str:
    """The report in Markdown."""
    columns = "mean bits | Rouge-L to the 16-bit answer | less KL (nats) | within the tolerance"
    lines = [f"| rule | {columns} |", "|---" * 5 + "|"]
    for name, entry in found["rules"].items():
        cells = " | ".join(_text(entry[m]) for m in MEASURES)
        lines.append(f"| {name} | {entry['mean_bits']['mean']:.3f} | {cells} |")
    lines += ["", f"| learned less | {columns} |", "|---" * 5 + "|"]
    for name, entry in found["gain"].items():
        cells = " | ".join(_text(entry[m], "+") for m in MEASURES)
        lines.append(f"| {name} | {entry['bits']:+.3f} | {cells} |")
    return "\n".join(lines)


def _text(entry: Mapping[str, float], sign: str = "") -> str:
    bounds = f"[{entry['low']:{sign}.4f}, {entry['high']:{sign}.4f}]"
    return f"{entry['mean']:{sign}.4f} {bounds}"
