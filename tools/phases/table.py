"""Tables in Markdown from the figures of `experiment`."""

from collections.abc import Mapping, Sequence
from typing import Any

_NAMES = {
    "rouge": "Rouge-L to fp16's answer",
    "text": "Rouge-L to the story",
    "agreement": "same token",
    "kl": "KL (nats)",
}


def report(models: Sequence[Mapping[str, Any]]) -> str:
    """All tables of all models."""
    return "\n\n".join([summary(models), *map(_model, models)])


def summary(models: Sequence[Mapping[str, Any]]) -> str:
    """The two observations: for how many pairs of widths each holds, is open, and is turned around."""
    lines = [
        "## The two observations",
        "",
        "Pairs of widths for which the observation holds / the interval contains zero / the reverse holds:",
        "",
        "| model | observation | " + " | ".join(_NAMES.values()) + " |",
        "|---" * (2 + len(_NAMES)) + "|",
    ]
    for found in models:
        scheme = found["request"]["scheme"]
        groups = {
            "prompt wide, answer narrow": found["phases"],
            "wide first, not last": _against(found["orders"], "high last"),
            "wide first, not in turns": _against(found["orders"], "alternating"),
        }
        for name, entries in groups.items():
            cells = [_signs(entries, measure) for measure in _NAMES]
            lines.append(f"| {found['model']}, {scheme} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _against(entries: Sequence[Mapping[str, Any]], other: str) -> list[Mapping[str, Any]]:
    return [e for e in entries if e["against"] == other]


def _signs(entries: Sequence[Mapping[str, Any]], measure: str) -> str:
    signs = [e[measure]["sign"] for e in entries if measure in e]
    return f"{signs.count(1)} / {signs.count(0)} / {signs.count(-1)}" if signs else ""


def _model(found: Mapping[str, Any]) -> str:
    asked = found["request"]
    lines = [
        f"## {found['model']}",
        "",
        f"{asked['scheme']}, {asked['quantizer']}; prompts of {asked['prompt']} tokens, answers of "
        f"{asked['length']}; {asked['validation']} validation and {asked['held_out']} held-out texts "
        f"({found['texts_tried']} tried).",
        "",
        *_rows(found),
        "",
        "Prompt wide and answer narrow, less the reverse (positive: the observation holds); all texts, as "
        "many tokens of the answer as of the prompt:",
        "",
        *_differences(found["phases"], lambda e: f"{e['high']}/{e['low']}"),
        "",
        "Wide half first, less another order (positive: the observation holds); all texts:",
        "",
        *_differences(found["orders"], lambda e: f"{e['high']}, {e['low']}: {e['against']}"),
        "",
        "What the validation texts decide, and what it loses on held-out ones (in brackets a 95 % "
        "interval of the loss):",
        "",
        *_decided(found["decided"]),
        "",
        "A switching point at random for every text, and the best one of every text (held-out Rouge-L to "
        "fp16's answer):",
        "",
        *_random(found["random"]),
        "",
        "KL by eighth of the answer:",
        "",
        *_positions(found["kl_by_position"]),
    ]
    return "\n".join(lines)


def _rows(found: Mapping[str, Any]) -> list[str]:
    lines = [
        "| schedule | mean bits | bytes a token | Rouge-L to fp16's answer | Rouge-L to the story | "
        "same token | tokens to the first other | KL (nats) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in found["rows"]:
        lines.append(
            f"| {row['name']} | {row['mean_bits']:.2f} | {row['bytes_per_token']:,.0f} | "
            f"{_mean(row['rouge'])} | {_mean(row['text'])} | {_mean(row['agreement'])} | "
            f"{row['diverges']:.1f} | {_mean(row['kl'], 4)} |"
        )
    return lines


def _differences(entries: Sequence[Mapping[str, Any]], name: Any) -> list[str]:
    known = [m for m in _NAMES if m in entries[0]]
    lines = ["| widths | " + " | ".join(_NAMES[m] for m in known) + " |", "|---" * 5 + "|"]
    for entry in entries:
        cells = [_signed(entry[m]) for m in known]
        lines.append(f"| {name(entry)} | {' | '.join(cells)} |")
    return lines


def _decided(decided: Mapping[str, Any]) -> list[str]:
    lines = [
        "| measure, epsilon | what | schedule | below the high width | held-out loss | turned | in turns |",
        "|---|---|---|---|---|---|---|",
    ]
    for measure, entries in decided.items():
        for name, entry in entries.items():
            if name == "epsilon":
                continue
            controls = entry.get("controls", {})
            cells = [_interval(controls[k]) if k in controls else "" for k in _CONTROLS]
            lines.append(
                f"| {measure}, {entries['epsilon']} | {name} | {entry['schedule']} | "
                f"{entry['below_high']:.2f} | {_interval(entry['loss'])} | {' | '.join(cells)} |"
            )
    return lines


_CONTROLS = ("turned", "alternating")


def _random(random: Mapping[str, Any]) -> list[str]:
    lines = ["| widths | rule | mean bits | Rouge-L | labels |", "|---|---|---|---|---|"]
    for widths, found in random.items():
        for rule in ("uniform", "prior", "oracle"):
            entry = found[rule]
            labels = " ".join(map(str, found["labels"])) if rule == "prior" else ""
            lines.append(
                f"| {widths} | {rule} | {entry['mean_bits']:.2f} | {_interval(entry['quality'])} | "
                f"{labels} |"
            )
    return lines


def _positions(found: Mapping[str, Sequence[float]]) -> list[str]:
    lines = ["| schedule | " + " | ".join(map(str, range(1, 9))) + " |", "|---" * 9 + "|"]
    for schedule, values in found.items():
        lines.append(f"| {schedule} | " + " | ".join(f"{v:.4f}" for v in values) + " |")
    return lines


def _mean(entry: Mapping[str, float], digits: int = 3) -> str:
    return f"{entry['mean']:.{digits}f} ±{(entry['high'] - entry['low']) / 2:.{digits}f}"


def _interval(entry: Mapping[str, float]) -> str:
    return f"{entry['mean']:+.4f} [{entry['low']:+.4f}, {entry['high']:+.4f}]"


def _signed(entry: Mapping[str, Any]) -> str:
    mark = {1: "**+**", -1: "**-**"}.get(int(entry["sign"]), "")
    return f"{_interval(entry)} {mark}".rstrip()
