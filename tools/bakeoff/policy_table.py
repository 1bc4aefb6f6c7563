"""The tables of a bake-off of policies, and its plot: Markdown from JSON rows."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

import numpy as np

PURE, MEASURED, AGAIN = "uniform, one scheme", "measured", "measured, again"
Rows = Sequence[Mapping[str, Any]]


def report(documents: Sequence[Mapping[str, Any]]) -> str:
    """One section a model."""
    return "\n\n".join(_section(d) for d in documents)


def _section(document: Mapping[str, Any]) -> str:
    entries: Rows = document["entries"]
    first = [e for e in entries if e["seed"] == 0]
    parts = [
        f"## {document['model']}: {document['parameters']:,} parameters, "
        f"{document['tokens']:,} predicted tokens, perplexity {document['perplexity']:.3f}",
        _policies(entries),
        _costs(first),
        _uniform(first),
        _ranks([r for r in document["ranks"] if r["seed"] == 0]),
    ]
    return "\n\n".join(part for part in parts if part)


def _policies(entries: Rows) -> str:
    """KL by policy and budget: mean over seeds, and their standard deviation."""
    budgets = sorted({e["budget"] for e in entries if e["budget"]})
    names = list(dict.fromkeys(e["policy"] for e in entries if e["budget"]))
    names.sort(key=lambda n: (n not in (MEASURED, AGAIN), n))
    head = "| policy | " + " | ".join(f"{b:g} bpw" for b in budgets) + " |"
    lines = [head, "|---" * (len(budgets) + 1) + "|"]
    for name in names:
        cells = [
            _cell([e for e in entries if (e["policy"], e["budget"]) == (name, b)]) for b in budgets
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    ratios = [_ratio(entries, budget) for budget in budgets]
    told = [f"{r:.2f}" if r is not None else "" for r in ratios]
    lines.append("| *measured / best single scheme at equal bytes* | " + " | ".join(told) + " |")
    return (
        "Mean KL in nats a token (standard deviation over seeds; perplexity of seed 0).\n\n"
        + "\n".join(lines)
    )


def _costs(rows: Rows) -> str:
    """Weight bytes by policy and budget on the target that needs most, and seconds to decide."""
    budgets = sorted({e["budget"] for e in rows if e["budget"]})
    names = list(dict.fromkeys(e["policy"] for e in rows if e["budget"]))
    if not names:
        return ""
    head = "| weight bytes | " + " | ".join(f"{b:g} bpw" for b in budgets) + " | seconds |"
    lines = [head, "|---" * (len(budgets) + 2) + "|"]
    for name in names:
        own = {e["budget"]: e for e in rows if e["policy"] == name and e["budget"]}
        sizes = [f"{max(own[b]['weight_bytes']):,}" if b in own else "" for b in budgets]
        spent = median(e["seconds"] for e in own.values())
        lines.append(f"| {name} | " + " | ".join(sizes) + f" | {spent:.1f} |")
    return "\n".join(lines)


def _cell(rows: Rows) -> str:
    if not rows:
        return ""
    found = [r["kl"] for r in rows]
    spread = f" ±{stdev(found):.2g}" if len(found) > 1 else ""
    perplexity = next((r["perplexity"] for r in rows if r["seed"] == 0), rows[0]["perplexity"])
    return f"{mean(found):.4g}{spread} ({perplexity:.2f})"


def _ratio(entries: Rows, budget: float) -> float | None:
    """KL of the measured assignment over that of single schemes, log KL linear in bytes between them."""
    out = []
    for seed in sorted({e["seed"] for e in entries}):
        pure = [e for e in entries if e["policy"] == PURE and e["seed"] == seed and e["kl"] > 0]
        own = [
            e for e in entries if (e["policy"], e["budget"], e["seed"]) == (MEASURED, budget, seed)
        ]
        if not own or len(pure) < 2:
            continue
        hull = lower_hull([(e["bits_per_weight"], float(np.log(e["kl"]))) for e in pure])
        x = own[0]["bits_per_weight"]
        if not hull[0][0] <= x <= hull[-1][0]:
            continue
        best = np.interp(x, [p[0] for p in hull], [p[1] for p in hull])
        out.append(own[0]["kl"] / float(np.exp(best)))
    return float(mean(out)) if out else None


def lower_hull(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points below which no line between two others lies, left to right."""
    hull: list[tuple[float, float]] = []
    for point in sorted(points):
        while len(hull) > 1 and _above(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    return hull


def _above(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    """Whether b is on or above the line from a to c."""
    return (b[1] - a[1]) * (c[0] - a[0]) >= (c[1] - a[1]) * (b[0] - a[0])


def _uniform(rows: Rows) -> str:
    pure = sorted((e for e in rows if e["policy"] == PURE), key=lambda e: e["bits_per_weight"])
    if not pure:
        return ""
    lines = [
        "| one scheme everywhere | bits per weight | weight bytes | KL | perplexity |",
        "|---" * 5 + "|",
    ]
    for e in pure:
        lines.append(
            f"| {e['scheme']} | {e['bits_per_weight']:.3f} | {max(e['weight_bytes']):,} | "
            f"{e['kl']:.4g} | {e['perplexity']:.3f} |"
        )
    return "\n".join(lines)


def _ranks(rows: Rows) -> str:
    if not rows:
        return ""
    lines = [
        "| sensitivity | Spearman, all choices | Spearman, units | forward passes | seconds |",
        "|---" * 5 + "|",
    ]
    for r in sorted(rows, key=lambda r: -r["spearman"]):
        lines.append(
            f"| {r['method']} | {r['spearman']:.3f} | {r['units']:.3f} | "
            f"{r['forward_passes']:.1f} | {r['seconds']:.0f} |"
        )
    return "\n".join(lines)


def plot(documents: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Predicted against measured KL of every measured assignment, one colour a model."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5, 5))
    ends = []
    for document in documents:
        rows = [e for e in document["entries"] if e["predicted_kl"] and e["kl"] > 0]
        x, y = [e["kl"] for e in rows], [e["predicted_kl"] for e in rows]
        axes.scatter(x, y, label=document["model"], s=18)
        ends += [*x, *y]
    line = [min(ends), max(ends)]
    axes.plot(line, line, color="grey", linewidth=1)
    axes.set(xscale="log", yscale="log", xlabel="measured KL on held-out text, nats a token")
    axes.set_ylabel("predicted KL")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)
