"""`optimum-compile profile MODEL`: how much every weight suffers in every scheme, by one method, as JSON.

The map is for this model and these targets: assignment reads it with `--sensitivity FILE`. Weights are
rounded once in every choice; with `--work-dir` they stay, and the next method finds them.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from optimum_compile.compiler.calibration import need_torch
from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.observers import ProgressObserver
from optimum_compile.compiler.options import options_from
from optimum_compile.compiler.package.writer import (
    made_folder,
    temporary_folder,
    write_whole,
)
from optimum_compile.compiler.profiling import (
    CLIPS,
    DEFAULT_TOKENS,
    ProfileOptions,
    profile_model,
)
from optimum_compile.passes.sensitivity.map import SensitivityMap, ranking
from optimum_compile.tools.cli import print_json, usage
from optimum_compile.tools.tables import console

SHOWN = 10
OWN = ("model", "method", "output", "overwrite", "tokens", "work_dir", "json")


def parser() -> argparse.ArgumentParser:
    """The options of a measurement; those of a compilation have its defaults."""
    out = argparse.ArgumentParser(
        prog="optimum-compile profile",
        argument_default=argparse.SUPPRESS,
        description="Measure how much every weight suffers in every scheme.",
    )
    out.add_argument("model", help="Hugging Face folder or torch.export archive (.pt2)")
    add = out.add_argument
    add(
        "--method",
        required=True,
        help="kl or perplexity (measured), taylor, activation, combined, hessian, lsaq, mopeq (mixtures), "
        "or weights (no text)",
    )
    add("-o", "--output", default="sensitivity.json", metavar="FILE", help="the map, as JSON")
    add("--overwrite", action="store_true", default=False, help="replace an existing file")
    add("--target", help="ios,android (default: both): their schemes are measured")
    add("--executor", choices=("xnnpack", "packed"), help="android: what runs the matrices")
    add("--activations", choices=("auto", "int8", "float"), help="android: what enters them")
    add("--pin", action="append", metavar="REGEX=SCHEME", help="measure these in one scheme only")
    add(
        "--rotate",
        choices=("none", "values", "residual", "gated", "all"),
        help="as in the compilation that the map is for (default none)",
    )
    add("--calibration", metavar="FILE|none", help="text or JSON list (default: a built-in text)")
    add("--samples", type=int, help="windows that are left to the quantiser (default 64)")
    add("--seqlen", type=int, help="tokens of a window (default 256)")
    add("--seed", type=int, help="seed of everything random (default 0)")
    add(
        "--tokens",
        type=int,
        default=DEFAULT_TOKENS,
        help=f"measure on so many tokens at most (default {DEFAULT_TOKENS})",
    )
    add("--quantizer", choices=tuple(CLIPS), default="mse", help="of the trials (default mse)")
    add("--work-dir", default=None, metavar="DIR", help="keep the rounded weights there")
    add("--json", action="store_true", default=False, help="one JSON document on stdout")
    return out


def parse(argv: Sequence[str]) -> tuple[argparse.Namespace, ProfileOptions]:
    """Arguments, and the options they make."""
    args = parser().parse_args(list(argv))
    rest = {key: value for key, value in vars(args).items() if key not in OWN}
    return args, ProfileOptions(args.method, options_from(rest), args.tokens)


def main(command: str, argv: Sequence[str]) -> int:
    """Measure and write the map; returns the exit code."""
    begin = time.monotonic()
    args, options = parse(argv)
    need_torch()
    from optimum_compile.passes.sensitivity.methods import method_named

    method_named(options.method)  # refused before the model is opened
    path = Path(args.output)
    refuse_file(path, args.overwrite)
    kept = args.work_dir
    with (
        ProgressObserver(sys.stderr) as observer,
        temporary_folder(path.parent) as work,
        made_folder(work if kept is None else Path(kept)) as folder,
    ):
        found = profile_model(args.model, options, folder, observer=observer)
        write_whole(path, found.to_json())
    if args.json:
        print_json(document(path, found) | usage(begin))
    else:
        show(console(), path, found, usage(begin))
    return 0


def refuse_file(path: Path, overwrite: bool) -> None:
    """Raise OptionError where the map cannot be written, or something is there already."""
    if path.is_dir():
        raise OptionError(f"{path} is a folder; name a file with -o")
    if path.exists() and not overwrite:
        raise OptionError(f"{path} exists; pass --overwrite to replace it, or another -o")


def most_sensitive(found: SensitivityMap, count: int = SHOWN) -> list[str]:
    """Names of the units that their worst choice harms most."""
    return ranking({name: max(row.values()) for name, row in found.units.items() if row})[:count]


def document(path: Path, found: SensitivityMap) -> dict[str, Any]:
    """The JSON of `profile --json`: where the map is, what it cost, and its first units."""
    return {
        "map": str(path),
        "method": found.method,
        "quantity": found.quantity,
        "model": asdict(found.model),
        "measured_with": asdict(found.measured_with),
        "units": len(found.units),
        "numbers": sum(len(row) for row in found.units.values()),
        "most_sensitive": {name: found.units[name] for name in most_sensitive(found)},
    }


def show(out: Console, path: Path, found: SensitivityMap, spent: dict[str, Any]) -> None:
    """Print the most sensitive units and the cost."""
    worst = {name: max(row.values()) for name, row in found.units.items() if row}
    total = sum(max(0.0, score) for score in worst.values())
    name_column = Column("most sensitive", no_wrap=True, overflow="ignore")
    table = Table(name_column, "worst in", "score", "of all", box=None)
    for name in most_sensitive(found):
        share = f"{worst[name] / total:.1%}" if total else ""
        table.add_row(name, ranking(found.units[name])[0], f"{worst[name]:.3g}", share)
    out.print(table)
    made = found.measured_with
    text = f", {made.forward_passes:.4g} forward passes over {made.tokens:,} tokens"
    out.print(
        f"{found.method}: {len(found.units)} units in {found.quantity}{text if made.tokens else ''}, "
        f"{made.seconds:.1f} s -> {path}",
        soft_wrap=True,
    )
    out.print(
        f"{spent['seconds']:.0f} s with the rounding of every choice, peak memory "
        f"{spent['peak_rss_bytes'] / 2**20:.0f} MiB"
    )
