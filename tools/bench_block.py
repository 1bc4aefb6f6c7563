"""Time and peak memory of calibrated quantisation at the 1.1B-parameter Llama shape, from one block.

    python -m optimum_compile.tools.bench_block [--quantizer auto] [--bits 4] [--samples 64]

One decoder block with random weights is quantised on random tokens, in this process; what a model of 22
blocks would take is extrapolated: its blocks come one after the other, and memory holds one at a time.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from optimum_compile.compiler.api import plan
from optimum_compile.compiler.calibration import seeded_tokens
from optimum_compile.compiler.decoder import vocabulary
from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.compiler.pass_manager import PassContext
from optimum_compile.passes.calibrate.propagate import decoder_samples
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.quantize_blocks import QuantizeBlocks
from optimum_compile.passes.precision.quantizers.recipes import recipe_named
from optimum_compile.tools.bench import write_random_model
from optimum_compile.tools.cli import usage

BLOCKS = 22


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="bench_block", description=__doc__)
    parser.add_argument("--quantizer", default="auto")
    parser.add_argument("--bits", type=int, default=4)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--seqlen", type=int, default=256)
    args = parser.parse_args(argv)
    recipe = recipe_named(args.quantizer)
    if not recipe.needs_inputs:
        raise OptionError(f"quantizer {args.quantizer!r} sees no activations; see tools.bench")
    with tempfile.TemporaryDirectory(prefix="optimum-block-") as work:
        folder = Path(work)
        write_random_model(folder / "model", 1)
        options = CompileOptions(target=("android:executorch",), policy="uniform", bits=args.bits)
        graph = plan(folder / "model", options=options).model.graph
        # Embedding and head are not part of the block: they stay as they are.
        for name, value in graph.weights.items():
            if "layers" not in name and value.notes.get(Precision):
                value.notes.drop(Precision)
        tokens = seeded_tokens(vocabulary(graph), args.samples, args.seqlen, 0)
        samples = decoder_samples(tokens, args.seqlen)
        begin = time.monotonic()
        QuantizeBlocks(folder / "work", recipe, samples).run(graph, PassContext())
        seconds, peak = time.monotonic() - begin, usage(begin)["peak_rss_bytes"]
    print(
        "| quantiser | bits | tokens | s a block | extrapolated to 22 blocks (min) | peak (GiB) |"
    )
    print("|---|---|---|---|---|---|")
    print(
        f"| {args.quantizer} | {args.bits} | {args.samples * args.seqlen:,} | {seconds:.0f} | "
        f"{seconds * BLOCKS / 60:.0f} | {peak / 2**30:.2f} |"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
