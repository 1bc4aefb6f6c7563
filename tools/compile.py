"""`optimum-compile MODEL`: options to `compiler.api.compile`, and the table at the end."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from optimum_compile.compiler.options import CompileOptions, load_config, options_from
from optimum_compile.compiler.package.reader import Bundle
from optimum_compile.passes.precision.learn.effort import EFFORTS
from optimum_compile.passes.precision.policies import POLICIES
from optimum_compile.passes.precision.quantizers.recipes import RECIPES
from optimum_compile.tools.cli import print_json, usage
from optimum_compile.tools.tables import (
    bundle_document,
    console,
    plan_document,
    show_bundle,
    show_plan,
)


def parser() -> argparse.ArgumentParser:
    """The options of a compilation. Defaults are those of `CompileOptions`."""
    out = argparse.ArgumentParser(
        prog="optimum-compile",
        argument_default=argparse.SUPPRESS,
        description="Compile a language model into bundles for iPhone and Android.",
    )
    out.add_argument("model", help="Hugging Face folder or torch.export archive (.pt2)")
    add = out.add_argument
    add(
        "--target",
        help="ios,android (default: both); android:onnxruntime is one artifact; native is our own runtime; "
        "gguf, mlx: for other tools",
    )
    add(
        "--no-companions",
        dest="companions",
        action="store_false",
        help="only what decides: ios and android without the artifacts that they bring along",
    )
    add("-o", "--output", metavar="DIR", help="folder of the bundle (default: build)")
    add("--name", help="name of the bundle (default: that of the model)")
    add("--overwrite", action="store_true", help="replace an existing bundle")
    add("--policy", help=f"one of {', '.join(POLICIES)} (default measured)")
    add(
        "--allocation",
        choices=("common", "each"),
        help="several targets: one assignment for all (default), or each its own",
    )
    add(
        "--sensitivity",
        metavar="NAME|FILE",
        help="a method by name, or a file that `profile` wrote",
    )
    add("--bits", type=int, help="for --policy uniform: 16, 8, 4, 3 or 2")
    add(
        "--nested",
        metavar="WIDTHS",
        help="2,3,4: linears of the blocks hold all these widths in one store, chosen at run time",
    )
    add(
        "--narrow-bits",
        type=float,
        metavar="BITS",
        help="with --nested: mean bits a weight at the least width; measuring says which matrix keeps more",
    )
    add(
        "--narrow-kl",
        type=float,
        metavar="NATS",
        help="instead: the fewest such bits with at most this KL at the least width",
    )
    add(
        "--schedule",
        choices=("none", "static"),
        help="with --nested: decide which token is made with how many bits",
    )
    add(
        "--schedule-measure",
        choices=("rouge", "agreement", "kl"),
        help="what a schedule keeps, against the 16-bit model's answers (default rouge)",
    )
    add("--schedule-loss", type=float, help="how much of it may be lost (default by measure)")
    add("--scheduler", metavar="FILE", help="a learned scheduler, to put into the bundle")
    add("--pin", action="append", metavar="REGEX=SCHEME", help="fix weights by name (repeatable)")
    add(
        "--budget", help="3.5bpw, 1.2GB, 900MiB, 1250000 (bytes) or 40%%: true bytes of all weights"
    )
    add("--device", help="budget from a phone's memory (see `optimum-compile devices`)")
    add(
        "--tokens-per-second",
        type=float,
        help="with --device: a budget that its memory bandwidth reads so often a second",
    )
    add("--max-kl", type=float, help="instead of a budget: the fewest bytes with at most this KL")
    add("--shares", help="cascade: depth in INT8,INT4,INT2 (default 0.25,0.6,0.15)")
    add("--head", choices=("low", "high"), help="cascade: class of an untied head (low: INT2)")
    add("--quantizer", help=f"auto (default: the best), or one of {', '.join(RECIPES)}")
    add(
        "--effort",
        choices=tuple(EFFORTS),
        help="learned rounding after the quantiser (default none)",
    )
    add("--group-size", help="columns that share a scale: 32, 64, 128, ... or channel")
    add("--asymmetric", action="store_true", help="integer grids with a zero point")
    add(
        "--rotate",
        choices=("none", "values", "residual", "gated", "all"),
        help="Hadamard rotation before quantising (default none)",
    )
    add("--fold-norms", action="store_true", help="gains of norms become part of the next weights")
    add("--executor", choices=("xnnpack", "packed"), help="android: what runs the matrices")
    add(
        "--activations",
        choices=("auto", "int8", "float"),
        help="android: auto is int8 in front of XNNPACK's matrices, float in ONNX Runtime",
    )
    add("--kv-bits", metavar="K[,V]", help="bits of the KV cache: 16 (default), 8, 4, 2, or auto")
    add("--stages", type=int, help="most precision subgraphs (default 3)")
    add(
        "--stage-loss",
        metavar="PERCENT",
        help="measured: predicted damage that may be added for uniform stages, like 2%% (default 0)",
    )
    add("--context", type=int, help="length of the KV cache in tokens")
    add(
        "--seq",
        metavar="LENGTHS",
        help="tokens of each function: 1,64 (fixed), 1,1..512 (any; default: up to --max-prefill)",
    )
    add(
        "--batch",
        type=int,
        help="value of a module's symbol batch (default: any, where a target can)",
    )
    add("--max-prefill", type=int, help="longest chunk of the prefill function, in tokens")
    add("--calibration", metavar="FILE|none", help="text or JSON list (default: a built-in text)")
    add("--samples", type=int, help="calibration windows (default 64)")
    add("--profile-samples", type=int, help="windows on which damage is measured (default 16)")
    add("--seqlen", type=int, help="tokens of a calibration window (default 256)")
    add("--seed", type=int, help="seed of everything random (default 0)")
    add("--no-verify", dest="verify", action="store_false", help="do not execute the artifacts")
    add("--allow-fallback", action="store_true", help="accept wider bits where a target needs them")
    add("--work-dir", metavar="DIR", help="scratch folder (default: beside the bundle)")
    add("--resume", action="store_true", help="keep progress in --work-dir, and go on from it")
    out.add_argument("--config", metavar="FILE", help="YAML file with any of these options")
    out.add_argument("--dry-run", action="store_true", help="sizes and stages, without any work")
    out.add_argument("--json", action="store_true", help="one JSON document on stdout")
    out.add_argument("-v", "--verbose", action="store_true", help="every remark")
    return out


def parse(
    argv: Sequence[str], options: argparse.ArgumentParser | None = None
) -> tuple[argparse.Namespace, CompileOptions]:
    """Arguments, and the options they make; the command line wins over `--config`."""
    args = (options or parser()).parse_args(list(argv))
    given = dict(vars(args))
    for key in ("model", "config", "dry_run", "json", "verbose", "pareto"):
        given.pop(key, None)
    config = load_config(Path(args.config)) if hasattr(args, "config") else {}
    merged: dict[str, Any] = {str(k).replace("-", "_"): v for k, v in config.items()} | given
    return args, options_from(merged)


def main(command: str, argv: Sequence[str]) -> int:
    """Compile; returns the exit code."""
    begin = time.monotonic()
    args, options = parse(argv)
    as_json, verbose = getattr(args, "json", False), getattr(args, "verbose", False)
    from optimum_compile.compiler import api
    from optimum_compile.compiler.observers import ProgressObserver

    if getattr(args, "dry_run", False):
        wanted = api.plan(args.model, options=options)
        if as_json:
            print_json(plan_document(wanted) | usage(begin))
        else:
            show_plan(console(), wanted)
        return 0
    with ProgressObserver(sys.stderr) as observer:
        bundle: Bundle = api.compile(args.model, options=options, observer=observer)
    if as_json:
        print_json(bundle_document(bundle) | usage(begin))
    else:
        spent = usage(begin)
        show_bundle(console(), bundle, verbose=verbose)
        console().print(
            f"{spent['seconds']:.0f} s, peak memory {spent['peak_rss_bytes'] / 2**20:.0f} MiB"
        )
    return 0
