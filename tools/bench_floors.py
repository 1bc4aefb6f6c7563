r"""What floors that differ between matrices gain over one width for all: KL of answers, on held-out texts.

    python -m optimum_compile.tools.bench_floors MODEL --text EVAL --calibration CALIB \
        --arm 3,4 --arm 2,3,4@3 --arm 2,3,4 --arm 2,3,4@2.5

An arm is the widths of `--nested`, behind @ what `--narrow-bits` says, and behind / a `--budget`.
Differences are those to the first arm, paired by text.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from optimum_compile.compiler.api import plan, prepare
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.compiler.package.describe import weight_bytes
from optimum_compile.compiler.schedule import Schedule
from optimum_compile.passes.phase.batched import BatchedEngine
from optimum_compile.passes.phase.judge import Judge, Reference
from optimum_compile.passes.phase.metrics import bootstrap
from optimum_compile.passes.precision.floors import bits_read
from optimum_compile.tools.phases.setup import Request, texts


def compiled(args: argparse.Namespace, arm: str, work: Path) -> tuple[Graph, tuple[str, ...]]:
    """The rounded graph of an arm, and what was said about it."""
    rest, _, budget = arm.partition("/")
    widths, _, bits = rest.partition("@")
    options = CompileOptions(
        target=("native",),
        output=str(work / "none"),
        nested=widths,
        narrow_bits=float(bits) if bits else None,
        budget=budget or None,
        calibration=args.calibration,
        samples=args.samples,
        companions=False,
    )
    wanted = plan(args.model, options=options)
    work.mkdir(parents=True, exist_ok=True)
    told = prepare(wanted, work)
    return wanted.model.graph, told


def losses(graph: Graph, reference: Reference) -> dict[str, tuple[float, np.ndarray]]:
    """By what is read narrowly: mean bits a weight of an answer's steps, and its KL (texts,), nats a token."""
    engine = BatchedEngine(graph)
    judge, least, most = Judge(engine, reference), min(engine.widths), max(engine.widths)
    length, half = reference.length, reference.length // 2
    found = {
        "prompt and answer": Schedule.fixed(least),
        "answer": Schedule.fixed(most, least),
        "answer, its first half with a bit more": Schedule.two(most, least + 1, least, half),
        "nothing": Schedule.fixed(most),
    }
    bits = {width: bits_read(graph, width) for width in engine.widths}
    out = {}
    for name, schedule in found.items():
        mean = sum(bits[schedule.width_at(t)] for t in range(length)) / length
        out[name] = mean, judge.kl(schedule).mean(axis=1)
    return out


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(
        prog="bench_floors",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--text", nargs="+", required=True, help="stories, JSON lists")
    parser.add_argument("--calibration", required=True)
    parser.add_argument("--arm", action="append", required=True, metavar="WIDTHS[@BITS][/BUDGET]")
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--texts", type=int, default=64)
    parser.add_argument("--prompt", type=int, default=32, help="tokens")
    parser.add_argument("--length", type=int, default=96, help="tokens of an answer")
    args = parser.parse_args(argv)
    request = Request(
        args.model,
        tuple(args.text),
        args.calibration,
        prompt=args.prompt,
        length=args.length,
        validation=0,
        held_out=args.texts,
    )
    reference, _ = texts(request)
    first: dict[str, np.ndarray] = {}
    print(
        "| arm | stored bytes | read narrowly | bits | KL (nats a token) | less than the first arm |"
    )
    print("|---|---|---|---|---|---|")
    for arm in args.arm:
        with tempfile.TemporaryDirectory(prefix="optimum-floors-") as scratch:
            graph, told = compiled(args, arm, Path(scratch) / "work")
            found, stored = losses(graph, reference), weight_bytes(graph)
        for name, (bits, kl) in found.items():
            base = first.setdefault(name, kl)
            gain = "" if base is kl else str(bootstrap(base - kl))
            print(
                f"| {arm} | {stored:,} | {name} | {bits:.2f} | {bootstrap(kl)} | {gain} |",
                flush=True,
            )
        for line in told:
            print(line, file=sys.stderr, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
