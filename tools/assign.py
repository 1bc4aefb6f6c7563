"""`optimum-compile assign MODEL`: which weight gets how many bits, without quantising or emitting.

    optimum-compile assign MODEL --budget 3bpw -o assignments
    optimum-compile assign MODEL --pareto                       # every budget from one measurement

Takes the options of a compilation and writes DIR/NAME: allocation.json, sensitivity.json, and the
measurements, with which `--sensitivity DIR/NAME/sensitivity.json` assigns any other budget in seconds.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from optimum_compile.compiler.assigning import MEASURED
from optimum_compile.compiler.decided import DAMAGE, Decided
from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.observers import ProgressObserver
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.compiler.package.allocation import (
    ALLOCATION,
    Allocation,
    asked,
    make_allocation,
)
from optimum_compile.compiler.package.writer import staging
from optimum_compile.compiler.planning import Plan
from optimum_compile.passes.precision.allocate.frontier import Point, frontier
from optimum_compile.passes.precision.allocate.saved import read_damage
from optimum_compile.passes.precision.assign import problem_of
from optimum_compile.passes.precision.problem import UNLIMITED
from optimum_compile.tools import compile as compile_tool
from optimum_compile.tools.cli import print_json, usage
from optimum_compile.tools.tables import console, size

FRONTIER = "pareto.json"
FOLDER = "assignments"


def parser() -> argparse.ArgumentParser:
    """The options of a compilation, and one more."""
    out = compile_tool.parser()
    out.prog = "optimum-compile assign"
    out.description = "Decide which weight gets how many bits, without quantising or emitting."
    out.add_argument(
        "--pareto", action="store_true", help="print and save the assignment at every budget"
    )
    return out


def main(command: str, argv: Sequence[str]) -> int:
    """Assign; returns the exit code."""
    begin = time.monotonic()
    args, options = compile_tool.parse(argv, parser())
    pareto = getattr(args, "pareto", False)
    if pareto and options.policy != MEASURED:
        raise OptionError(f"pareto: policy {options.policy!r} has no frontier; leave --policy out")
    if getattr(args, "dry_run", False):
        raise OptionError("dry-run: assign writes no artifact; leave it out, or drop `assign`")
    if not hasattr(args, "output"):
        options = replace(options, output=FOLDER)
    with ProgressObserver(sys.stderr) as observer:
        final, found, points, remarks = assigned(args.model, options, pareto, observer)
    document = json.loads(found.to_json()) | {"remarks": list(remarks)}
    if pareto:
        document["pareto"] = [_point(found, p) for p in points]
    if getattr(args, "json", False):
        print_json(document | {"folder": str(final)} | usage(begin))
        return 0
    _show(console(), final, found, points)
    for remark in remarks:
        console().print(f"note: {remark}", soft_wrap=True)
    return 0


def assigned(
    model: str | Path, options: CompileOptions, pareto: bool, observer: Any
) -> tuple[Path, Allocation, list[Point], tuple[str, ...]]:
    """Decide and write; returns the folder, the allocation, the frontier (empty without one) and remarks."""
    from optimum_compile.compiler import api

    hidden = str(Path(options.output) / ".none")
    unseen = replace(options, output=hidden, name=None, companions=False)
    wanted = api.plan(model, options=unseen, observer=observer)
    final = Path(options.output) / (options.name or wanted.name)
    with staging(final, options.overwrite, ALLOCATION) as out, _work(options, out) as work:
        decided = api.settle(wanted, work, observer=observer)
        found = make_allocation(
            wanted.model.graph,
            wanted.backends,
            policy=options.policy,
            budget=asked(options),
            predicted_kl=None if decided is None else decided.predicted_kl,
        )
        points = _frontier(wanted, decided) if pareto else []
        if decided is not None:
            decided.copy_to(out)
        (out / ALLOCATION).write_text(found.to_json(), "utf-8")
        if points:
            text = json.dumps([_point(found, p) for p in points], indent=1) + "\n"
            (out / FRONTIER).write_text(text, "utf-8")
    told = wanted.remarks if decided is None else (*wanted.beforehand, *decided.remarks)
    return final, found, points, told


def _work(options: CompileOptions, out: Path) -> Any:
    from optimum_compile.compiler.scratch import scratch

    return scratch(options, options.name or "assignment", out)


def _frontier(wanted: Plan, decided: Decided | None) -> list[Point]:
    if decided is None or decided.folder is None or not (decided.folder / DAMAGE).is_file():
        raise OptionError(
            "pareto: nothing was measured (no calibration text for this model); give --calibration"
        )
    choices = replace(wanted.assignment, policy=MEASURED, sensitivity=None)
    problem = problem_of(wanted.model.graph, choices)
    whole = problem.limited((UNLIMITED,) * len(problem.limits))
    inside, base, damage = read_damage(decided.folder / DAMAGE, whole)
    return frontier(inside, damage, base)


def _point(found: Allocation, point: Point) -> dict[str, Any]:
    return {
        "weight_bytes": dict(zip(found.targets, point.bytes, strict=True)),
        "bits_per_weight": point.bits_per_weight,
        "predicted_kl": point.predicted_kl,
        "schemes": point.schemes,
    }


def _show(out: Console, final: Path, found: Allocation, points: Sequence[Point]) -> None:
    """Bits by role of the weights, and the frontier."""
    predicted = "" if found.predicted_kl is None else f", predicted KL {found.predicted_kl:.4f}"
    most = max(found.weight_bytes.values(), default=0)
    out.print(
        f"{final}: {found.policy}, {found.bits_per_weight:.3f} bits per weight "
        f"({size(most)}){predicted}",
        soft_wrap=True,
    )
    table = Table("scheme", "tensors", "weights", "first", box=None, pad_edge=False)
    for scheme in sorted({t.scheme for t in found.tensors}):
        own = [t for t in found.tensors if t.scheme == scheme]
        count = sum(t.shape[0] * t.shape[1] for t in own)
        table.add_row(scheme, str(len(own)), f"{count:,}", own[0].name)
    out.print(table)
    caches: dict[str, list[str]] = {}
    for cache in found.kv:
        caches.setdefault(cache.scheme, []).append(cache.state)
    if set(caches) - {"f16"}:
        told = (f"{scheme} {', '.join(states)}" for scheme, states in sorted(caches.items()))
        out.print(f"KV cache: {'; '.join(told)}", soft_wrap=True)
    if points:
        curve = Table("bits per weight", "weight bytes", "predicted KL", box=None, pad_edge=False)
        for point in points:
            curve.add_row(
                f"{point.bits_per_weight:.3f}", f"{max(point.bytes):,}", f"{point.predicted_kl:.5f}"
            )
        out.print(curve)
