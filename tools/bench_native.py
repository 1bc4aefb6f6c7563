"""Speed of the native runtime on this machine: products with every kind of weight, and tokens a second.

    python -m optimum_compile.tools.bench_native [--tokens 64] [--simd portable,avx2,avx512]
    python -m optimum_compile.tools.bench_native --program NAME.ocm [--threads 1,2]

Products are medians of the time that one thread spends on its core. The same shapes go through torch's own
products in the same run: float32, and int4 in groups of 32 (of bfloat16 numbers, for which it has kernels).
Tokens are wall time, best and median of some runs.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from optimum_compile.backends.native.session import Logits, Session
from optimum_compile.compiler.errors import OptionError
from optimum_compile.runtime_stub.build import runtime_program

SHAPES = ((256, 256), (2048, 2048), (2048, 8192))
PROMPT, NEW, RUNS = 64, 40, 9
Key = tuple[int, int, int, str]


def kernels(seconds: float, tokens: int, simd: str) -> dict[Key, tuple[float, float]]:
    """Nanoseconds and bits of a weight of every (rows, columns, tokens, kind)."""
    program = runtime_program("test/bench.cpp")
    done = subprocess.run(
        [str(program), str(seconds), str(tokens)],
        capture_output=True,
        text=True,
        timeout=3600,
        check=True,
        env=os.environ | {"OC_SIMD": simd},
    )
    found = {}
    for line in done.stdout.splitlines():
        kind, rows, columns, count, bits, ns = line.split()
        found[int(rows), int(columns), int(count), kind] = float(ns), float(bits)
    return found


def median_ns(seconds: float, call: Callable[[], object]) -> float:
    """Median time of this thread on its core."""
    call()
    times: list[int] = []
    begin = time.thread_time_ns()
    while len(times) < 5 or time.thread_time_ns() - begin < seconds * 1e9:
        before = time.thread_time_ns()
        call()
        times.append(time.thread_time_ns() - before)
    return statistics.median(times)


def peers(seconds: float, tokens: int) -> dict[Key, tuple[float, float]]:
    """The same of torch on one thread."""
    import torch

    torch.set_num_threads(1)
    found: dict[Key, tuple[float, float]] = {}
    for rows, columns in SHAPES:
        for count in (1, 8, 64):
            if count > tokens:
                continue
            x, w = torch.randn(count, columns), torch.randn(rows, columns)
            ns = median_ns(seconds, partial(torch.nn.functional.linear, x, w))
            found[rows, columns, count, "torch f32"] = ns, 32
            codes = torch.randint(0, 16, (rows, columns), dtype=torch.int32)
            packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(codes, 1)
            grid = torch.ones(columns // 32, rows, 2, dtype=torch.bfloat16)
            product = torch.ops.aten._weight_int4pack_mm_for_cpu
            half = x.to(torch.bfloat16)
            ns = median_ns(seconds, partial(product, half, packed, 32, grid))
            found[rows, columns, count, "torch int4:g32"] = ns, 6
    return found


def print_kernels(seconds: float, tokens: int, sets: Sequence[str]) -> None:
    """A table with a column of weights a second for each set of instructions."""
    columns = [kernels(seconds, tokens, name) for name in sets]
    columns[-1] |= peers(seconds, tokens)
    print(f"| shape | tokens | weight | {' | '.join(sets)} | GB/s |")
    print("|---|---|---|" + "---|" * (len(sets) + 1))
    for key, (last, bits) in columns[-1].items():
        rows, width, count, kind = key
        rates = [rows * width / c[key][0] if key in c else 0.0 for c in columns]
        cells = " | ".join(f"{r:.2f}" if r else "" for r in rates)
        print(
            f"| {rows} x {width} | {count} | {kind} | {cells} | {rows * width / last * bits / 8:.1f} |"
        )


def print_program(path: Path, threads: Sequence[int]) -> None:
    """Tokens a second of a program, at every width that it has."""
    session = Session(path)
    tokens = np.random.default_rng(0).integers(0, session.model.info.vocabulary, PROMPT)
    tokens = tokens[: session.context - NEW - 1]
    print("| threads | width | decode best | decode median | prompt best |\n|---|---|---|---|---|")
    for count in threads:
        session.set_threads(count)
        for width in reversed(session.widths or (0,)):
            session.set_width(width)
            decodes, prompts = [], []
            for _ in range(RUNS):
                session.reset()
                begin = time.perf_counter()
                session.run(tokens, Logits.KEEP)
                prompts.append(len(tokens) / (time.perf_counter() - begin))
                session.reset()
                session.run(tokens[:8], Logits.NONE)
                begin = time.perf_counter()
                session.generate([1], NEW)
                decodes.append(NEW / (time.perf_counter() - begin))
            print(
                f"| {count} | {width or 'all'} | {max(decodes):.0f} | {statistics.median(decodes):.0f} | "
                f"{max(prompts):.0f} |",
                flush=True,
            )


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="bench_native", description=__doc__)
    parser.add_argument("--program", type=Path, help="an .ocm: tokens a second instead of products")
    parser.add_argument("--threads", default="1")
    parser.add_argument("--tokens", type=int, default=64, help="no products with more than so many")
    parser.add_argument("--simd", default="portable,", help="sets of instructions; empty: the best")
    parser.add_argument("--seconds", type=float, default=0.05, help="for each product")
    args = parser.parse_args(argv)
    if args.program is not None:
        if not all(word.isdigit() for word in args.threads.split(",")):
            raise OptionError(f"threads={args.threads!r}: expected numbers with commas between")
        print_program(args.program, [int(word) for word in args.threads.split(",")])
        return 0
    print_kernels(args.seconds, args.tokens, [name.strip() for name in args.simd.split(",")])
    return 0


if __name__ == "__main__":
    sys.exit(main())
