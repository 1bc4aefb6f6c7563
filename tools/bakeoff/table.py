"""What a bake-off found, as Markdown and as JSON."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from optimum_compile.tools.score import Score

OURS = "optimum-compile"


@dataclass(frozen=True)
class Row:
    """One quantised model.

    weight_bytes: all weights as stored: codes, scales, tables, the embedding, norms; no container.
    file_bytes: the whole file, where the tool writes one of its own format.
    score: by the tool's own runtime, where it has one; else by the reference executor.
    float_kl: mean KL of the same weights in the reference executor, which computes in float32.
    """

    tool: str
    scheme: str
    parameters: int
    weight_bytes: int
    file_bytes: int | None
    score: Score
    float_kl: float
    note: str = ""

    @property
    def bits_per_weight(self) -> float:
        """Bits per parameter, everything that is stored counted."""
        return 8 * self.weight_bytes / self.parameters


@dataclass(frozen=True)
class Skip:
    """What did not run, and why. `scheme` is empty where the whole tool is missing."""

    tool: str
    scheme: str
    reason: str


@dataclass(frozen=True)
class Facts:
    """Where the numbers come from."""

    command: str
    date: str
    model: str
    text: str
    calibration: str
    versions: Mapping[str, str]
    reference: Score
    parameters: int
    windows: int
    seqlen: int
    remark: str = ""


def frontier(rows: Sequence[Row]) -> list[Row]:
    """Rows that no smaller or equal row beats, by bytes; KL is `float_kl`."""
    best = math.inf
    out = []
    for row in sorted(rows, key=lambda r: (r.weight_bytes, r.float_kl)):
        if row.float_kl < best:
            best = row.float_kl
            out.append(row)
    return out


def kl_at(front: Sequence[Row], weight_bytes: int) -> float | None:
    """KL of a frontier at a size: log KL is linear in bytes between its points.

    None outside of the frontier's range: nothing is extrapolated.
    """
    for low, high in pairwise(front):
        if low.weight_bytes <= weight_bytes <= high.weight_bytes and high.float_kl > 0:
            share = (weight_bytes - low.weight_bytes) / (high.weight_bytes - low.weight_bytes)
            return math.exp((1 - share) * math.log(low.float_kl) + share * math.log(high.float_kl))
    return None


def ratios(rows: Sequence[Row], peer: str) -> dict[int, float]:
    """For each index of `rows`, its KL over that of `peer`'s best rows at the same bytes."""
    front = frontier([r for r in rows if r.tool == peer])
    found = ((i, row, kl_at(front, row.weight_bytes)) for i, row in enumerate(rows))
    return {i: row.float_kl / at for i, row, at in found if at and row.tool != peer}


HEADER = (
    "tool",
    "scheme",
    "bits per weight",
    "weight bytes",
    "file bytes",
    "perplexity",
    "mean KL",
    "p99 KL",
    "top-1",
    "mean KL, float activations",
    "KL / llama.cpp's",
    "note",
)


def markdown(facts: Facts, rows: Sequence[Row], skips: Sequence[Skip]) -> str:
    """The results page."""
    lines = [
        "# Bake-off",
        "",
        f"Model: {facts.model}, {facts.parameters:,} parameters. Text: {facts.text}, "
        f"{facts.windows} windows of at most {facts.seqlen} tokens, "
        f"{facts.reference.tokens:,} predicted tokens. Calibration: {facts.calibration}. "
        f"Date: {facts.date}.",
        "",
        *([facts.remark, ""] if facts.remark else []),
        "```",
        facts.command,
        "```",
        "",
        "Versions: " + ", ".join(f"{k} {v}" for k, v in facts.versions.items()) + ".",
        "",
        f"The unquantised model: perplexity {facts.reference.perplexity:.4f}. KL is "
        "KL(unquantised || quantised) in nats a token. Rows are in order of weight bytes: codes, "
        "scales, tables, embedding and norms, without tokenizer and other metadata of a container; "
        "file bytes are the whole GGUF file. Bits per weight are 8 * weight bytes / parameters. "
        "llama.cpp's scores are from its own runtime, which rounds activations to 8 bits; "
        'the column "float activations" has every tool\'s weights in the same float32 executor, and '
        "\"KL / llama.cpp's\" compares those with llama.cpp's best types at equal bytes "
        "(log KL linear in bytes between them; below 1 is better than llama.cpp).",
        "",
        _line(HEADER),
        "|" + "---|" * len(HEADER),
    ]
    ordered = sorted(rows, key=lambda r: (-r.weight_bytes, r.float_kl))
    over = ratios(ordered, "llama.cpp")
    lines += [_line(_cells(row, over.get(i))) for i, row in enumerate(ordered)]
    if skips:
        lines += ["", "Not run:", ""]
        lines += [f"- {' '.join(filter(None, (s.tool, s.scheme)))}: {s.reason}" for s in skips]
    return "\n".join(lines) + "\n"


def _cells(row: Row, ratio: float | None) -> tuple[str, ...]:
    s = row.score
    name = f"**{row.tool}**" if row.tool == OURS else row.tool
    return (
        name,
        row.scheme,
        f"{row.bits_per_weight:.3f}",
        f"{row.weight_bytes:,}",
        "" if row.file_bytes is None else f"{row.file_bytes:,}",
        f"{s.perplexity:.4f}",
        _number(s.kl_mean),
        _number(s.kl_p99),
        "" if s.top1_agreement is None else f"{s.top1_agreement:.2%}",
        _number(row.float_kl),
        "" if ratio is None else f"{ratio:.2f}",
        row.note,
    )


def _number(value: float | None) -> str:
    """Three significant digits; two and an exponent below 0.00001."""
    if value is None:
        return ""
    if value <= 0 or not math.isfinite(value):
        return f"{value:g}"
    if value < 1e-5:
        return f"{value:.1e}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in cells) + " |"


def document(facts: Facts, rows: Sequence[Row], skips: Sequence[Skip]) -> dict[str, Any]:
    """Everything as JSON."""
    return {
        "command": facts.command,
        "date": facts.date,
        "model": facts.model,
        "text": facts.text,
        "calibration": facts.calibration,
        "versions": dict(facts.versions),
        "parameters": facts.parameters,
        "windows": facts.windows,
        "seqlen": facts.seqlen,
        "reference": _score(facts.reference),
        "rows": [row_document(r) | {"bits_per_weight": r.bits_per_weight} for r in rows],
        "not_run": [{"tool": s.tool, "scheme": s.scheme, "reason": s.reason} for s in skips],
    }


def _score(score: Score) -> dict[str, Any]:
    return {
        "tokens": score.tokens,
        "nll": score.nll,
        "perplexity": score.perplexity,
        "kl_mean": score.kl_mean,
        "kl_p99": score.kl_p99,
        "top1_agreement": score.top1_agreement,
    }


def row_document(row: Row) -> dict[str, Any]:
    """A row as JSON."""
    return {
        "tool": row.tool,
        "scheme": row.scheme,
        "parameters": row.parameters,
        "weight_bytes": row.weight_bytes,
        "file_bytes": row.file_bytes,
        **_score(row.score),
        "kl_float_activations": row.float_kl,
        "note": row.note,
    }


def row_from(data: Mapping[str, Any]) -> Row:
    """The inverse of `row_document`. Raises KeyError, TypeError or ValueError."""
    score = Score(
        int(data["tokens"]),
        float(data["nll"]),
        float(data["kl_mean"]),
        float(data["kl_p99"]),
        float(data["top1_agreement"]),
    )
    return Row(
        str(data["tool"]),
        str(data["scheme"]),
        int(data["parameters"]),
        int(data["weight_bytes"]),
        None if data["file_bytes"] is None else int(data["file_bytes"]),
        score,
        float(data["kl_float_activations"]),
        str(data["note"]),
    )
