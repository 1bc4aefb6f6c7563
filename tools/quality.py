"""Table of quality against bytes: uniform 16, 8, 4 and 2 bits and the cascade, on held-out text.

    python -m optimum_compile.tools.quality MODEL --text FILE [--documents N] [--json]

Every row is the quantised oracle: the weights exactly as the bundles store them, float activations.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from optimum_compile.compiler.api import plan, prepare
from optimum_compile.compiler.calibration import (
    load_tokenizer,
    read_text,
    special_token_id,
)
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.compiler.package.describe import weight_bytes
from optimum_compile.passes.precision.units import parameter_count
from optimum_compile.tools.cli import print_json
from optimum_compile.tools.score import GraphLogits, Score, score, text_windows

ROWS: tuple[tuple[str, dict[str, object]], ...] = (
    ("uniform 8 bits", {"policy": "uniform", "bits": 8}),
    ("uniform 4 bits", {"policy": "uniform", "bits": 4}),
    ("uniform 4 bits, squared error", {"policy": "uniform", "bits": 4, "quantizer": "mse"}),
    ("uniform 4 bits, min/max", {"policy": "uniform", "bits": 4, "quantizer": "rtn"}),
    ("uniform 3 bits", {"policy": "uniform", "bits": 3}),
    ("uniform 3 bits, squared error", {"policy": "uniform", "bits": 3, "quantizer": "mse"}),
    ("uniform 2 bits", {"policy": "uniform", "bits": 2}),
    ("uniform 2 bits, squared error", {"policy": "uniform", "bits": 2, "quantizer": "mse"}),
    ("cascade 25/60/15", {"policy": "cascade"}),
    ("cascade, squared error", {"policy": "cascade", "quantizer": "mse"}),
)


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    bits_per_weight: float
    weight_bytes: int
    score: Score


def measure(model: Path, text: str, documents: int, seqlen: int) -> list[Row]:
    """Score every row on the first `documents` windows of `text`."""
    opened = open_model(model)
    source = read_text(text)
    tokenizer = load_tokenizer(opened.tokenizer_files)
    if source is None or tokenizer is None:
        raise InputError(f"{model}: quality needs a text file and a model with a tokenizer.json")
    bos = special_token_id(opened.tokenizer_files, "bos_token", tokenizer)
    found = text_windows(source, tokenizer, bos, seqlen)[:documents]
    parameters = parameter_count(opened.graph)
    reference = GraphLogits(opened.graph)
    rows = [Row("16 bits (the model itself)", 16.0, 2 * parameters, score(found, reference))]
    for name, values in ROWS:
        with tempfile.TemporaryDirectory(prefix="optimum-quality-") as work:
            options = CompileOptions(output=work, companions=False, **values)  # type: ignore[arg-type]
            wanted = plan(model, options=options)
            prepare(wanted, Path(work))
            graph = wanted.model.graph
            stored = weight_bytes(graph)
            result = score(found, GraphLogits(graph, "quantized"), reference)
            rows.append(Row(name, 8 * stored / parameters, stored, result))
        print(f"{name}: perplexity {rows[-1].score.perplexity:.3f}", file=sys.stderr, flush=True)
    return rows


def markdown(rows: Sequence[Row]) -> str:
    """The table as Markdown."""
    lines = [
        "| scheme | bits per weight | bytes | perplexity | mean KL (nats) | top-1 agreement |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        s = row.score
        kl = "" if s.kl_mean is None else f"{s.kl_mean:.4f}"
        top = "" if s.top1_agreement is None else f"{s.top1_agreement:.1%}"
        lines.append(
            f"| {row.name} | {row.bits_per_weight:.2f} | {row.weight_bytes:,} | "
            f"{s.perplexity:.3f} | {kl} | {top} |"
        )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="quality", description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--text", required=True, help="text file, or JSON list of documents")
    parser.add_argument("--documents", type=int, default=60, help="windows to score (default 60)")
    parser.add_argument("--seqlen", type=int, default=256)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    rows = measure(args.model, args.text, args.documents, args.seqlen)
    if args.json:
        print_json(
            {
                r.name: {
                    "bits_per_weight": r.bits_per_weight,
                    "weight_bytes": r.weight_bytes,
                    "perplexity": r.score.perplexity,
                    "nll": r.score.nll,
                    "kl_mean": r.score.kl_mean,
                    "kl_p99": r.score.kl_p99,
                    "top1_agreement": r.score.top1_agreement,
                    "tokens": r.score.tokens,
                }
                for r in rows
            }
        )
        return 0
    print(markdown(rows))
    print(f"\n{rows[0].score.tokens} predicted tokens")
    return 0


if __name__ == "__main__":
    sys.exit(main())
