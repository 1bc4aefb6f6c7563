"""`optimum-compile inspect`: what is in a bundle, or in one artifact, read from the artifact alone."""

import argparse
import re
import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from optimum_compile.backends.catalog import BACKENDS, load_backend
from optimum_compile.compiler.errors import InputError, UserError
from optimum_compile.compiler.options import target_name
from optimum_compile.compiler.package.reader import Bundle, open_bundle
from optimum_compile.compiler.package.typed import parse_json, typed
from optimum_compile.passes.stages.notes import StageInfo
from optimum_compile.tools.cli import print_json, usage
from optimum_compile.tools.tables import bundle_document, console, show_bundle, size
from optimum_compile.tools.widths import width_text

# What is read of the metadata below; it may hold more.
METADATA: dict[str, Any] = {
    "target": str,
    "policy": str,
    "quantizer": str,
    "kv_cache": str,
    "versions": dict[str, str],
    "stages": tuple[StageInfo, ...],
}


def main(command: str, argv: Sequence[str]) -> int:
    """Print stages, tensors and provenance; returns the exit code."""
    begin = time.monotonic()
    parser = argparse.ArgumentParser(prog="optimum-compile inspect", description=__doc__)
    parser.add_argument("path", type=Path, help="a bundle, or one .mlpackage, .pte or .onnx")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("-v", "--verbose", action="store_true", help="every tensor and remark")
    args = parser.parse_args(list(argv))
    kinds = (name for name in BACKENDS if args.path.name.endswith(load_backend(name).suffix))
    kind = next(kinds, None)
    if kind is not None:
        found = artifact_metadata(args.path, kind)
        print_json(found) if args.json else _show(args.path, found, args.verbose)
        if args.verbose and not args.json:
            _show_work(args.path, kind)
        return 0
    bundle = open_bundle(args.path)
    embedded = {
        a.path: artifact_metadata(bundle.resolve(a.path), a.kind) for a in bundle.manifest.artifacts
    }
    _compare(bundle, embedded)
    if args.json:
        print_json(bundle_document(bundle) | {"embedded": embedded} | usage(begin))
        return 0
    show_bundle(console(), bundle, verbose=args.verbose)
    for path, found in embedded.items():
        _show(Path(path), found, args.verbose)
    return 0


def artifact_metadata(path: Path, kind: str) -> dict[str, Any]:
    """The metadata that an artifact carries. Raises InputError when it carries none."""
    if not path.exists():
        raise InputError(f"{path}: no such artifact")
    try:
        text = load_backend(kind).inspect(path)
    except (UserError, OSError):
        raise
    except Exception as error:  # what an SDK raises for a damaged file is its own affair
        raise InputError(f"{path}: damaged: {error}") from error
    if not text:
        raise InputError(f"{path}: no metadata of this program; was it made by another tool?")
    try:
        data: dict[str, Any] = typed(dict[str, Any], parse_json(text), "metadata")
        for key, wanted in METADATA.items():
            typed(wanted, data.get(key), key)
        typed(dict[str, tuple[str, int]], data.get("kv_caches", {}), "kv_caches")
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: its embedded metadata is damaged: {error}") from error
    return data


def _show(path: Path, found: dict[str, Any], verbose: bool) -> None:
    out = console()
    out.print(
        f"{path}: {found['target']}, {found['policy']}, {found['quantizer']}, "
        f"KV cache {found['kv_cache']}, made with "
        + ", ".join(f"{k} {v}" for k, v in found["versions"].items()),
        soft_wrap=True,
    )
    for line in _caches(found, verbose):
        out.print(line, soft_wrap=True)
    for stage in found["stages"]:
        first, last = stage["blocks"]
        out.print(
            f"  {stage['name']}: blocks {first}-{last}, {stage['bits_per_weight']:.2f} bits per weight, "
            f"{size(stage['bytes'])}, scales {stage['scales_sha256'][:12]}"
        )
        if text := width_text(found, stage["tensors"], size):
            out.print(f"    {text}", soft_wrap=True)
        for entry in stage["activations"]:
            out.print(
                f"    input of block {entry['block']}: {entry['low']:.3g} .. {entry['high']:.3g}"
            )
        for tensor in stage["tensors"] if verbose else ():
            out.print(
                f"    {tensor['name']} {tensor['shape']} {tensor['scheme']} {size(tensor['bytes'])} "
                f"{tensor['low']:.3g} .. {tensor['high']:.3g}",
                soft_wrap=True,
            )


def _caches(found: dict[str, Any], verbose: bool) -> Iterator[str]:
    """Bytes of the KV cache; with `verbose` every cache, otherwise those in a row with one scheme."""
    caches: dict[str, tuple[str, int]] = found.get("kv_caches", {})
    if not caches:
        return
    total = sum(taken for _, taken in caches.values())
    yield f"  KV cache at the full context: {size(total)}"
    names = sorted(caches, key=_by_number)
    for scheme, group in groupby(names, key=lambda name: (_stem(name), caches[name][0])):
        run = list(group)
        for part in [[name] for name in run] if verbose else [run]:
            told = part[0] if len(part) == 1 else f"{part[0]} to {part[-1]}"
            yield f"    {told} {scheme[1]} {size(sum(caches[name][1] for name in part))}"


def _by_number(name: str) -> list[tuple[int, int, str]]:
    """k_cache.2 before k_cache.10."""
    parts = (part for part in re.split(r"(\d{1,9})", name) if part)
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts]


def _stem(name: str) -> str:
    return name.rstrip("0123456789")


def _show_work(path: Path, kind: str) -> None:
    """What the artifact alone tells of what its functions do."""
    if kind == "executorch":
        _show_copies(path)
    if kind == "gpu":
        from optimum_compile.backends.gpu.traffic import describe

        for line in describe(path):
            console().print(f"  {line}", soft_wrap=True)


def _show_copies(path: Path) -> None:
    """What every function of a program copies in one call."""
    from optimum_compile.backends.executorch.copies import copied_bytes, count_copies

    for name, found in count_copies(path).items():
        if not found:
            continue
        kinds = ", ".join(f"{c.count}x {op.removeprefix('aten::')}" for op, c in found.items())
        console().print(f"  {name} copies {copied_bytes(found):,} bytes: {kinds}", soft_wrap=True)


def _compare(bundle: Bundle, embedded: dict[str, dict[str, Any]]) -> None:
    """Say where an artifact's own stages differ from the manifest's. Raises InputError."""
    kinds = {a.path: target_name(a.platform, a.kind) for a in bundle.manifest.artifacts}
    for path, found in embedded.items():
        stages = [s for s in bundle.manifest.stages if kinds[path] in s.targets]
        wanted = [(s.name, s.bytes, s.scales_sha256) for s in stages]
        own = [(s["name"], s["bytes"], s["scales_sha256"]) for s in found["stages"]]
        if own != wanted:
            raise InputError(f"{bundle.path / path}: its stages differ from the manifest's: {own}")
