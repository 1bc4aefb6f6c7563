"""What people see: tables of a plan and of a bundle; and the JSON documents of the same."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from optimum_compile.backends.base import Backend
from optimum_compile.compiler.api import Plan
from optimum_compile.compiler.errors import UnsupportedError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.options import target_name
from optimum_compile.compiler.package.describe import (
    predicted_bytes,
    predicted_file_bytes,
    weight_bytes,
)
from optimum_compile.compiler.package.manifest import Check, Manifest
from optimum_compile.compiler.package.reader import Bundle
from optimum_compile.passes.precision.classes import class_of
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.units import parameter_count, units_of
from optimum_compile.tools.schedules import schedule_lines


def console() -> Console:
    """Standard output, wide enough for the tables when it is no terminal."""
    plain = Console(highlight=False)
    return plain if plain.is_terminal else Console(highlight=False, width=110)


def size(count: int) -> str:
    """Bytes for people."""
    if count < 10_000:
        return f"{count} B"
    return f"{count / 1000:,.1f} kB" if count < 10_000_000 else f"{count / 1e6:,.1f} MB"


def bundle_document(bundle: Bundle) -> dict[str, Any]:
    """The JSON of `compile --json` and `inspect --json`."""
    m = bundle.manifest
    return {
        "name": m.name,
        "bundle": str(bundle.path),
        "targets": [target_name(a.platform, a.kind) for a in m.artifacts],
        "stages": [
            {
                "index": s.index,
                "blocks": list(s.blocks),
                "class": s.precision_class,
                "bits_per_weight": s.bits_per_weight,
                "bytes": s.bytes,
                "targets": list(s.targets),
            }
            for s in m.stages
        ],
        "tensors": [
            {
                "name": t.name,
                "shape": list(t.shape),
                "scheme": t.scheme,
                "bytes": t.bytes,
                "stage": t.stage,
                "targets": list(t.targets),
            }
            for t in m.tensors
        ],
        "weight_bytes": m.weight_bytes,
        "bits_per_weight": m.bits_per_weight,
        "artifacts": [asdict(a) | execution(m, a.path) for a in m.artifacts],
        "files": [asdict(f) for f in m.files],
        "verify": verify_document(m.checks),
        "remarks": list(m.remarks),
        "widths": [asdict(w) for w in m.widths],
        "phases": m.phases,
    }


def execution(m: Manifest, path: str) -> dict[str, Any]:
    """Whether an artifact was executed when it was compiled, by what, how many calls, and why not."""
    check = next((c for c in m.checks if c.path == path), None)
    if check is None:
        return {"executed": False, "executed_by": "", "steps": 0, "reason": "nothing is recorded"}
    reason = "" if check.executed else check.reason
    return {k: getattr(check, k) for k in ("executed", "executed_by", "steps")} | {"reason": reason}


def verify_document(checks: tuple[Check, ...]) -> dict[str, Any]:
    """The JSON of `verify --json`."""
    keys = (
        "path executed executed_by steps max_rel_err cosine top1_agreement tolerance reason".split()
    )
    return {
        "ok": bool(checks) and all(c.ok for c in checks),
        "artifacts": [{k: asdict(c)[k] for k in keys} for c in checks],
    }


def plan_document(wanted: Plan) -> dict[str, Any]:
    """The JSON of `--dry-run --json`."""
    graph = wanted.model.graph
    stored, parameters = weight_bytes(graph), parameter_count(graph)
    tensors = []
    for unit in units_of(graph):
        note = graph.weights[unit.name].notes.get(Precision)
        if note is None:
            continue
        tensors.append(
            {
                "name": unit.name,
                "shape": [unit.use.rows, unit.use.columns],
                "block": unit.block,
                "class": class_of(note.scheme),
                "scheme": str(note.scheme),
                "bytes": note.scheme.stored_bytes(unit.use.rows, unit.use.columns),
                "reason": note.reason,
            }
        )
    return {
        "name": wanted.name,
        "bundle": str(wanted.final),
        "targets": [target_name(t.platform, t.artifact) for t in wanted.targets],
        "companions": [target_name(b.platform, b.name) for b in wanted.companions],
        "parameters": parameters,
        "weight_bytes": stored,
        "bits_per_weight": 8 * stored / max(1, parameters),
        "predicted_bytes": _predicted(wanted, predicted_bytes),
        "predicted_file_bytes": _predicted(wanted, predicted_file_bytes),
        "tensors": tensors,
        "remarks": list(wanted.remarks),
    }


def _predicted(wanted: Plan, count: Callable[[Graph, Backend], int]) -> dict[str, int]:
    """Bytes by backend; without companions that may not take what is not decided yet."""
    graph = wanted.model.graph
    out = {b.name: count(graph, b) for b in wanted.backends}
    for backend in wanted.companions:
        with suppress(UnsupportedError):
            out[backend.name] = count(graph, backend)
    return out


def show_plan(out: Console, wanted: Plan) -> None:
    """Print what a compilation would do."""
    doc = plan_document(wanted)
    out.print(
        f"{doc['name']}: {doc['parameters']:,} parameters, {size(doc['weight_bytes'])} of weights, "
        f"{doc['bits_per_weight']:.2f} bits per weight -> {doc['bundle']} (nothing was written)",
        soft_wrap=True,
    )
    table = Table("blocks", "class", "schemes", "bytes", box=None, pad_edge=False)
    for first, last, name, schemes, count in _block_rows(doc["tensors"]):
        span = str(first) if first == last else f"{first}-{last}"
        table.add_row(span, name, schemes, size(count))
    out.print(table)
    for backend, count in doc["predicted_bytes"].items():
        out.print(f"{backend}: {size(count)} of weights predicted")
    for remark in doc["remarks"]:
        out.print(f"note: {remark}", soft_wrap=True)


def _block_rows(tensors: list[dict[str, Any]]) -> list[tuple[int, int, str, str, int]]:
    rows: list[list[Any]] = []
    for block in sorted({t["block"] for t in tensors}):
        own = [t for t in tensors if t["block"] == block]
        names = " + ".join(sorted({t["class"] for t in own}))
        schemes = ", ".join(sorted({t["scheme"] for t in own}))
        count = sum(t["bytes"] for t in own)
        if rows and rows[-1][2:4] == [names, schemes]:
            rows[-1][1], rows[-1][4] = block, rows[-1][4] + count
        else:
            rows.append([block, block, names, schemes, count])
    return [(r[0], r[1], r[2], r[3], r[4]) for r in rows]


def show_bundle(out: Console, bundle: Bundle, *, verbose: bool = False) -> None:
    """Print stages, artifacts and how they compared."""
    m = bundle.manifest
    out.print(
        f"{m.name}: {m.parameters:,} parameters, {size(m.weight_bytes)} of weights, "
        f"{m.bits_per_weight:.2f} bits per weight -> {bundle.path}",
        soft_wrap=True,
    )
    stages = Table(
        "stage",
        "blocks",
        "class",
        "shared by",
        "bits/weight",
        "bytes",
        "tensors",
        "weights in",
        box=None,
    )
    for s in m.stages:
        low, high = s.weight_range
        stages.add_row(
            str(s.index),
            f"{s.blocks[0]}-{s.blocks[1]}",
            s.precision_class,
            " ".join(s.groups),
            f"{s.bits_per_weight:.2f}",
            size(s.bytes),
            str(len(s.tensors)),
            f"{low:.3g} .. {high:.3g}",
        )
    if m.stages:  # none where no artifact stores weights
        out.print(stages)
    show_artifacts(out, m)
    show_checks(out, m.checks)
    for line in schedule_lines(bundle):
        out.print(line, soft_wrap=True)
    if not verbose and m.remarks:
        out.print(f"{len(m.remarks)} remarks; -v shows them")
    for remark in (*m.remarks, *(r for a in m.artifacts for r in a.remarks)) if verbose else ():
        out.print(f"note: {remark}", soft_wrap=True)


def show_artifacts(out: Console, m: Manifest) -> None:
    """Predicted and true sizes side by side."""
    table = Table(
        "artifact",
        "functions",
        "weights predicted",
        "weights stored",
        "difference",
        "file",
        box=None,
    )
    for a in m.artifacts:
        off = (a.weight_bytes - a.predicted_bytes) / max(1, a.predicted_bytes)
        table.add_row(
            a.path,
            ", ".join(a.functions),
            size(a.predicted_bytes),
            size(a.weight_bytes),
            f"{off:+.2%}",
            size(a.file_bytes),
        )
    out.print(table)


def show_checks(out: Console, checks: tuple[Check, ...]) -> None:
    """One row an artifact: executed by what, and how far from the oracle."""
    path = Column("artifact", overflow="fold")  # whole, however long
    heads = ("executed by", "steps", "relative error", "cosine", "top-1", "verdict")
    table = Table(path, *heads, box=None)
    for c in checks:
        if not c.executed:
            table.add_row(c.path, "not executed", "", "", "", "", "")
            continue
        table.add_row(
            c.path,
            c.executed_by,
            str(c.steps),
            f"{c.max_rel_err:.2e}",
            f"{c.cosine:.6f}",
            f"{c.top1_agreement:.1%}",
            "ok" if c.ok else f"FAILED: {c.reason}",
        )
    out.print(table)
    for c in checks:
        if not c.executed:
            why = c.reason.removeprefix("not executed: ")
            out.print(f"{c.path}: not executed: {why}", soft_wrap=True)


def evaluation_text(path: Path, reference: Path | None, document: dict[str, Any]) -> str:
    """The document of `evaluate` as text for people."""
    perplexity = document["perplexity"]
    shown = "beyond 1e308" if perplexity is None else f"{perplexity:.4f}"
    lines = [
        f"{path}: perplexity {shown} ({document['nll']:.4f} nats a token) on "
        f"{document['tokens']:,} tokens of {document['text']}"
    ]
    if document["kl_mean"] is not None:
        lines.append(
            f"against {reference}: KL mean {document['kl_mean']:.5f}, 99th percentile "
            f"{document['kl_p99']:.5f} nats; the same top token at {document['top1_agreement']:.1%}"
        )
    lines.append(
        f"{document['bits_per_weight']:.2f} bits per weight, {document['weight_bytes']:,} bytes"
    )
    if document["width"] is not None:
        lines.append(
            f"nested weights read with {document['width']} bits: {document['bytes_per_token']:,} bytes of "
            "weights a token"
        )
    if document["kv_bits"] not in (None, "16"):
        lines.append(
            f"KV cache at {document['kv_bits']} bits: {document['kv_bytes']:,} bytes for a window of "
            f"{document['seqlen']:,} tokens"
        )
    where = "" if document["artifact"] is None else f" on {document['artifact']}"
    lines.append(f"evaluated by: {document['evaluated_by']}{where}")
    return "\n".join(lines)
