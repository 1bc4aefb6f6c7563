"""`optimum-compile memory`: what the artifacts of a bundle take when they run, and whether it fits."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from optimum_compile.compiler.device_budget import RUNTIME_BYTES
from optimum_compile.compiler.errors import BudgetError
from optimum_compile.compiler.memory_fit import Fit, fits_of
from optimum_compile.compiler.memory_report import FunctionUse, Question, Use, memory_of
from optimum_compile.compiler.package.footprint import cache_bytes
from optimum_compile.compiler.package.manifest import AT_LEAST, Footprint, KvCache
from optimum_compile.compiler.package.reader import Bundle, open_bundle
from optimum_compile.tools.cli import print_json
from optimum_compile.tools.tables import console, size


def main(command: str, argv: Sequence[str]) -> int:
    """Print the report; returns the exit code (4 where a named device has too little memory)."""
    parser = argparse.ArgumentParser(prog="optimum-compile memory", description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument(
        "--context", type=int, help="tokens of the KV cache (default: as the bundle was compiled)"
    )
    parser.add_argument(
        "--prompt", type=int, help="tokens of the prompt (default: the most that one call takes)"
    )
    parser.add_argument("--target", help="one of the bundle's targets (default: all)")
    parser.add_argument(
        "--device", help='will it fit: a name of `optimum-compile devices`, or "all"'
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="formulas, every function and cache"
    )
    args = parser.parse_args(list(argv))
    question = Question(args.context, args.prompt)
    bundle = open_bundle(args.bundle)
    uses = memory_of(bundle.manifest, question, args.target)
    fits: tuple[Fit, ...] = ()
    if args.device is not None:
        fits = fits_of(bundle.manifest, question, args.device, args.target)
    if args.json:
        print_json(memory_document(bundle, uses, fits))
    else:
        show_memory(console(), bundle, uses, verbose=args.verbose)
        show_fits(console(), fits)
    names = {fit.device.name for fit in fits}
    failed = len(names) == 1 and not any(fit.fits for fit in fits)
    return BudgetError.exit_code if failed else 0


def memory_document(bundle: Bundle, uses: Sequence[Use], fits: Sequence[Fit]) -> dict[str, Any]:
    """The JSON of `memory --json`; `fits` has an entry a device and is empty without `--device`."""
    found = {memory.target: memory for memory in bundle.manifest.memory}
    return {
        "name": bundle.manifest.name,
        "bundle": str(bundle.path),
        "targets": {
            use.target: {
                "path": use.path,
                "compiled_context": found[use.target].context,
                "context": use.context,
                "prompt": use.prompt,
                "weights": use.weights,
                "program": use.program,
                "copies": use.copies,
                "kv": use.kv,
                "activations": use.activations,
                "peak": use.peak,
                "sources": dict(use.sources),
                "functions": [asdict(function) for function in use.functions],
                "caches": [
                    asdict(cache) | {"bytes": cache_bytes(cache, use.context)}
                    for cache in found[use.target].caches
                ],
                "stages": [asdict(stage) for stage in use.stages],
                "fits": [_fit_document(fit) for fit in fits if fit.target == use.target],
                "notes": list(use.notes),
            }
            for use in uses
        },
    }


def _fit_document(fit: Fit) -> dict[str, Any]:
    return {
        "device": fit.device.name,
        "platform": fit.device.platform,
        "usable": fit.device.usable_bytes,
        "needed": fit.needed_bytes,
        "margin": fit.margin_bytes,
        "fits": fit.fits,
        "context": fit.context,
        "advice": fit.advice,
    }


def show_memory(
    out: Console, bundle: Bundle, uses: Sequence[Use], *, verbose: bool = False
) -> None:
    """One block a target: sums, then stages."""
    found = {memory.target: memory for memory in bundle.manifest.memory}
    for use in uses:
        lengths = f"context {use.context}, prompt {use.prompt}" if use.context else "no KV cache"
        out.print(f"{use.target}: {use.path}, {lengths}", soft_wrap=True)
        table = Table("", "bytes", "", "", box=None, show_header=False)
        for name, count, told in _rows(use, found[use.target]):
            source = use.sources.get(name.split()[0], use.sources["weights"])
            table.add_row(f"  {name}", size(count), source, told)
        out.print(table)
        if use.stages:
            out.print(_stage_table(use))
        for line in _details(use, found[use.target]) if verbose else ():
            out.print(f"  {line}", soft_wrap=True)
        for note in use.notes:
            out.print(f"  note: {note}", soft_wrap=True)


def _rows(use: Use, found: Footprint) -> Iterator[tuple[str, int, str]]:
    yield "weights", use.weights, ""
    yield "program", use.program, "the rest of the file"
    if use.copies:
        count = len(use.functions)
        yield "copies", use.copies, f"matrices that XNNPACK packs for each of {count} functions"
    if found.caches:
        yield "kv", use.kv, "; ".join(cache_runs(found.caches))
    calls = ", ".join(f"{_call(use, f)}: {size(f.arena + f.outputs)}" for f in use.functions)
    held = " together" if found.together and len(use.functions) > 1 else ""
    yield "activations", use.activations, calls + held
    yield "peak", use.peak, ""


def _call(use: Use, function: FunctionUse) -> str:
    return f"{function.name} of {function.tokens}" if use.context else function.name


def cache_runs(caches: Sequence[KvCache]) -> Iterator[str]:
    """Formats of the caches, layers in a row that have the same one together."""
    for role in dict.fromkeys(cache.role for cache in caches):
        own = [cache.scheme for cache in caches if cache.role == role]
        runs = [(scheme, len(list(group))) for scheme, group in groupby(own)]
        yield f"{role} " + ", ".join(f"{count}x {scheme}" for scheme, count in runs)


def _stage_table(use: Use) -> Table:
    names = [function.name for function in use.functions]
    heads = ("  stage", "blocks", "class", "matrices", "kv", *names)
    table = Table(*heads, box=None)
    for stage in use.stages:
        first, last = stage.blocks
        used = [size(stage.activations[n]) if n in stage.activations else "-" for n in names]
        table.add_row(
            f"  {stage.index}",
            f"{first}-{last}",
            stage.precision_class,
            size(stage.weights),
            size(stage.kv),
            *used,
        )
    return table


def _details(use: Use, found: Footprint) -> Iterator[str]:
    for f in use.functions:
        told = [f"{f.expression} = {f.arena:,} bytes ({f.source})"]
        if f.planned is not None and f.source != AT_LEAST:
            told.append(f"planned by this compiler {f.planned:,}")
        if f.bound is not None and f.source != AT_LEAST:
            told.append(f"at least {f.bound:,}")
        told.append(f"outputs of the caller {f.outputs:,}")
        yield f"{_call(use, f)}: {'; '.join(told)}"
    for cache in found.caches:
        taken = size(cache_bytes(cache, use.context))
        yield f"{cache.name} {cache.scheme} {taken}, stage {cache.stage}"


def show_fits(out: Console, fits: Sequence[Fit]) -> None:
    """A row a device and target, then what to change where one has too little memory."""
    if not fits:
        return
    out.print(f"will it fit (with {size(RUNTIME_BYTES)} for the runtime and the app)")
    table = Table("device", "target", "for an app", "needed", "margin", "fits", box=None)
    for fit in fits:
        table.add_row(
            fit.device.name,
            fit.target,
            size(fit.device.usable_bytes),
            size(fit.needed_bytes),
            ("-" if fit.margin_bytes < 0 else "") + size(abs(fit.margin_bytes)),
            "yes" if fit.fits else "no",
        )
    out.print(table)
    for fit in fits:
        if not fit.fits:
            out.print(f"{fit.device.name}, {fit.target}: {fit.advice}", soft_wrap=True)
