"""Every quantiser at one width, on one model and text: quality, true bytes, time, peak memory.

    python -m optimum_compile.tools.methods MODEL --text EVAL [--calibration CALIB] [--bits 3]
        [--only REGEX] [--json]
    python -m optimum_compile.tools.methods MODEL --text EVAL --int8 [--embedding int8] [--json]

Each row quantises in a process of its own. The first row, round-to-nearest over the full range in groups
of 64 (with `--int8`, in whole rows), is what the others are compared with. Scores are those of the
quantised oracle; with `--int8` it rounds the activations as XNNPACK does, and weights have 4 bits.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from optimum_compile.compiler.api import plan, prepare
from optimum_compile.compiler.calibration import load_tokenizer, read_text, special_token_id
from optimum_compile.compiler.conformance import rounding_of
from optimum_compile.compiler.decoder import context_of
from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.compiler.package.describe import weight_bytes
from optimum_compile.passes.precision.narrow import narrow
from optimum_compile.passes.precision.units import parameter_count
from optimum_compile.tools.cli import print_json, usage
from optimum_compile.tools.score import GraphLogits, score, text_windows

WIDTHS = (2, 3, 4)


@dataclass(frozen=True)
class Method:
    """A row: what it is called, quantiser and scheme of every matrix.

    In the scheme {b} is the width (symmetric where nothing says otherwise); "at" is followed by the
    bits that are read of a nested one; {v} are the bits of an index and the weights that it stands for,
    of vectors with that width.
    """

    name: str
    quantizer: str
    scheme: str
    rotate: str = "none"
    effort: str = "none"


METHODS = (
    Method("round to nearest, min/max", "rtn", "int{b}:g64"),
    Method("least squared error (MSE)", "mse", "int{b}:g64"),
    Method("MSE, asymmetric", "mse", "uint{b}:g64"),
    Method("HQQ (fp16 zero points)", "mse", "uint{b}:g64@zf16"),
    Method("AdpQ (8 % outliers)", "rtn", "int{b}:g128+o0.08"),
    Method("dense and sparse (0.5 %)", "mse", "int{b}:g64+s0.005"),
    Method("two-level scales", "mse", "int{b}:g32@u6"),
    Method("Hessian-weighted range", "weighted", "int{b}:g64"),
    Method("AWQ", "awq", "int{b}:g64"),
    Method("GPTQ", "gptq", "int{b}:g64"),
    Method("GPTQ, weighted range", "gptq-weighted", "int{b}:g64"),
    Method("GPTQ, sweeps", "gptq-sweeps", "int{b}:g64"),
    Method("LNQ (refitted scales)", "lnq", "int{b}:g64"),
    Method("guided LNQ", "guided", "int{b}:g64"),
    Method("LNQ with QEP (auto)", "auto", "int{b}:g64"),
    Method("AWQ, LNQ, QEP", "awq-qep", "int{b}:g64"),
    Method("guided LNQ, QEP", "guided-qep", "int{b}:g64"),
    Method("tables, k-means", "mse", "lut{b}:r4"),
    Method("tables, weighted k-means", "weighted", "lut{b}:r4"),
    Method("tables, GPTQ", "gptq-weighted", "lut{b}:r4"),
    Method("tables, LNQ with QEP (auto)", "auto", "lut{b}:r4"),
    Method("nested tables, weighted k-means", "weighted", "nest2-4:r4 at {b}"),
    Method("nested tables, auto", "auto", "nest2-4:r4 at {b}"),
    Method("two-level scales, auto", "auto", "int{b}:g32@u6"),
    Method("vectors, k-means", "mse", "vec{v}:channel@shared"),
    Method("vectors, GPTQ", "gptq-weighted", "vec{v}:channel@shared"),
    Method("vectors, auto", "auto", "vec{v}:channel@shared"),
    Method("vectors, coded group scales, auto", "auto", "vec{v}:g32@u4,shared"),
    Method("vectors, codebooks of their own, auto", "auto", "vec{v}:channel"),
    Method("round to nearest, learned", "rtn", "int{b}:g64", effort="standard"),
    Method("LNQ with QEP, learned and distilled", "auto", "int{b}:g64", effort="best"),
    Method("two-level scales, learned and distilled", "auto", "int{b}:g32@u6", effort="best"),
    Method("vectors, learned and distilled", "auto", "vec{v}:channel@shared", effort="best"),
)
VECTORS = {2: "8x4", 3: "6x2", 4: "8x2"}
# 4-bit weights and int8 activations.
INT8_METHODS = (
    Method("round to nearest, min/max", "rtn", "int4:channel"),
    Method("least squared error (MSE)", "mse", "int4:channel"),
    Method("GPTQ", "gptq", "int4:channel"),
    Method("QQQ: smoothing, GPTQ", "qqq", "int4:channel"),
    Method("LNQ with QEP (auto)", "auto", "int4:channel"),
    Method("MSE, rotated", "mse", "int4:channel", rotate="gated"),
    Method("QQQ: rotation, GPTQ", "gptq", "int4:channel", rotate="gated"),
    Method("QQQ: rotation, smoothing, GPTQ", "qqq", "int4:channel", rotate="gated"),
    Method("GPTQ, XNNPACK's groups", "gptq", "int4:g64@bf16"),
    Method("QQQ, XNNPACK's groups", "qqq", "int4:g64@bf16"),
)


@dataclass(frozen=True)
class Request:
    """One row to measure."""

    model: str
    text: str
    calibration: str | None
    documents: int
    samples: int
    seqlen: int
    quantizer: str
    scheme: str
    embedding: str  # scheme of the embedding; "" for that of the row
    rotate: str = "none"
    effort: str = "none"
    int8: bool = False  # whether the oracle rounds activations as the target does


def measure(request: Request) -> dict[str, Any]:
    """Quantise and score in this process."""
    begin = time.monotonic()
    scheme, _, width = request.scheme.partition(" at ")
    pins = [f"embed_tokens={request.embedding}"] if request.embedding else []
    with tempfile.TemporaryDirectory(prefix="optimum-methods-") as work:
        options = CompileOptions(
            target=("android:executorch",),
            output=work,
            policy="uniform",
            quantizer=request.quantizer,
            pin=(*pins, f".={scheme}"),
            calibration=request.calibration,
            samples=request.samples,
            seqlen=request.seqlen,
            rotate=request.rotate,
            effort=request.effort,
        )
        wanted = plan(request.model, options=options)
        start = time.monotonic()
        prepare(wanted, Path(work))
        seconds, peak = time.monotonic() - start, usage(begin)["peak_rss_bytes"]
        graph = wanted.model.graph
        parameters, stored = parameter_count(graph), weight_bytes(graph)
        if width:
            narrow(graph, int(width), Path(work) / "narrow")
        files = wanted.model.tokenizer_files
        tokenizer, source = load_tokenizer(files), read_text(request.text)
        if tokenizer is None or source is None:
            raise InputError(f"{request.model}: needs a tokenizer.json and a text")
        bos = special_token_id(files, "bos_token", tokenizer)
        length = min(request.seqlen, context_of(graph) or request.seqlen)
        windows = text_windows(source, tokenizer, bos, length)[: request.documents]
        reference = GraphLogits(open_model(Path(request.model)).graph)
        rounding = rounding_of(graph, wanted.backends[0]) if request.int8 else None
        found = score(windows, GraphLogits(graph, "quantized", rounding), reference)
    return {
        "bits_per_weight": 8 * stored / parameters,
        "weight_bytes": stored,
        "perplexity": found.perplexity,
        "kl_mean": found.kl_mean,
        "top1_agreement": found.top1_agreement,
        "tokens": found.tokens,
        "seconds_per_million": seconds / parameters * 1e6,
        "peak_rss_bytes": peak,
    }


def measure_apart(request: Request) -> dict[str, Any]:
    """`measure` in a child process, so that its memory is its own."""
    command = [sys.executable, "-P", "-m", "optimum_compile.tools.methods", "--row"]
    done = subprocess.run(
        command, input=json.dumps(asdict(request)), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        return {"error": last[0]}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def markdown(rows: Sequence[tuple[str, str, Mapping[str, Any]]]) -> str:
    """The table as Markdown; the gain is the KL of the first row over that of the row."""
    lines = [
        "| method | scheme | bits per weight | perplexity | mean KL | gain | top-1 "
        "| s / million | peak (MiB) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    first = rows[0][2].get("kl_mean")
    for name, scheme, row in rows:
        if "error" in row:
            lines.append(f"| {name} | {scheme} | {row['error']} | | | | | | |")
            continue
        gain = "" if first is None else f"{first / max(row['kl_mean'], 1e-12):.2f}"
        lines.append(
            f"| {name} | {scheme} | {row['bits_per_weight']:.3f} | {row['perplexity']:.3f} | "
            f"{row['kl_mean']:.4f} | {gain} | {row['top1_agreement']:.1%} | "
            f"{row['seconds_per_million']:.2f} | {row['peak_rss_bytes'] / 2**20:.0f} |"
        )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given == ["--row"]:
        print_json(measure(Request(**json.loads(sys.stdin.read()))))
        return 0
    parser = argparse.ArgumentParser(prog="methods", description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--text", required=True, help="text file, or JSON list of documents")
    parser.add_argument("--calibration", help="text file or JSON list (default: the built-in text)")
    parser.add_argument("--bits", type=int, default=3, help="2, 3 or 4 (default 3)")
    parser.add_argument("--int8", action="store_true", help="4 bits with int8 activations")
    parser.add_argument("--only", default="", metavar="REGEX", help="rows whose name matches")
    parser.add_argument("--embedding", default="", help="scheme of the embedding (default: same)")
    parser.add_argument("--documents", type=int, default=60)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--seqlen", type=int, default=256)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(given)
    if args.bits not in WIDTHS:
        raise OptionError(f"bits={args.bits}: expected one of {WIDTHS}")
    listed = INT8_METHODS if args.int8 else METHODS
    wanted = [m for m in listed if re.search(args.only, m.name)]
    if not wanted:
        raise OptionError(f"only={args.only!r}: no row has such a name")
    rows = []
    for method in wanted:
        scheme = method.scheme.format(b=args.bits, v=VECTORS[args.bits])
        request = Request(
            args.model,
            args.text,
            args.calibration,
            args.documents,
            args.samples,
            args.seqlen,
            method.quantizer,
            scheme,
            args.embedding,
            method.rotate,
            method.effort,
            args.int8,
        )
        rows.append((method.name, scheme, measure_apart(request)))
        print(f"{method.name}: {rows[-1][2].get('kl_mean', 'failed')}", file=sys.stderr, flush=True)
    if args.json:
        print_json({f"{name} {scheme}": dict(row) for name, scheme, row in rows})
    else:
        print(markdown(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
