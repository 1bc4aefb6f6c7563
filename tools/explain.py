"""`optimum-compile explain`: why a tensor got its bits, and what the next ones would buy."""

import argparse
import difflib
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from optimum_compile.compiler.errors import OptionError
from optimum_compile.passes.precision.explain import (
    KILOBYTE,
    Explanation,
    Prices,
    Step,
    Subject,
    explain,
    prices,
    steps,
)
from optimum_compile.passes.precision.pins import LONGEST_PATTERN
from optimum_compile.tools.cli import print_json, usage
from optimum_compile.tools.explained import Known, read, read_narrowest
from optimum_compile.tools.tables import console, size

NEAREST = 5


def main(command: str, argv: Sequence[str]) -> int:
    """Explain tensors; returns the exit code."""
    begin = time.monotonic()
    parser = argparse.ArgumentParser(prog="optimum-compile explain", description=__doc__)
    parser.add_argument("path", type=Path, help="a bundle, or an allocation.json")
    parser.add_argument("tensor", nargs="?", help="a name or a regular expression (default: all)")
    parser.add_argument(
        "--sensitivity",
        type=Path,
        metavar="FILE",
        help="a map of the same model (default: sensitivity.json beside allocation.json)",
    )
    parser.add_argument(
        "--narrowest",
        action="store_true",
        help="of nested weights: why each may be read with so few bits (--narrow-bits, --narrow-kl)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("-v", "--verbose", action="store_true", help="every choice of every tensor")
    args = parser.parse_args(list(argv))
    if args.narrowest and args.sensitivity:
        raise OptionError("narrowest: has measurements of its own; leave --sensitivity out")
    known = read_narrowest(args.path) if args.narrowest else read(args.path, args.sensitivity)
    chosen = selected(known.subjects, args.tensor)
    worth = prices(known.subjects)
    total = max(known.allocation.weight_bytes.values(), default=0)
    total = total or sum(s.now.size for s in known.subjects)
    found = [
        explain(subject, worth, total, known.left_bytes, known.allocation.policy)
        for subject in chosen
    ]
    if args.json:
        print_json(document(args.path, known, worth, found) | usage(begin))
        return 0
    out = console()
    show_header(out, known, worth)
    if len(found) == 1 or args.verbose:
        for each in found:
            show_one(out, each, known.allocation.targets)
    else:
        show_all(out, found)
    return 0


def selected(subjects: Sequence[Subject], wanted: str | None) -> list[Subject]:
    """The tensor of that name, or those whose name contains a match; all without one.

    Raises OptionError for what matches nothing, with the nearest names.
    """
    if wanted is None:
        return list(subjects)
    exact = [s for s in subjects if s.name == wanted]
    if exact:
        return exact
    if len(wanted) > LONGEST_PATTERN:
        raise OptionError(f"tensor: a pattern of more than {LONGEST_PATTERN} characters")
    try:
        found = [s for s in subjects if re.search(wanted, s.name)]
    except re.error as error:
        raise OptionError(f"tensor {wanted!r}: no regular expression: {error}") from error
    if not found:
        names = [s.name for s in subjects]
        near = difflib.get_close_matches(wanted, names, NEAREST, 0.3) or names[:NEAREST]
        raise OptionError(f"tensor {wanted!r}: no such name; the nearest are {', '.join(near)}")
    return found


# ---- JSON


def document(
    path: Path, known: Known, worth: Prices, found: Sequence[Explanation]
) -> dict[str, Any]:
    """The JSON of `--json`."""
    return {
        "path": str(path),
        "policy": known.allocation.policy,
        "budget": known.allocation.budget,
        "targets": list(known.allocation.targets),
        "weight_bytes": known.allocation.weight_bytes,
        "left_bytes": known.left_bytes,
        "predicted_kl": known.allocation.predicted_kl,
        "method": known.scores.method,
        "quantity": known.scores.quantity,
        "best_not_bought": _step(worth.refused),
        "worst_bought": _step(worth.bought),
        "bought_without_gain": worth.idle,
        "tensors": [_tensor(each, known.allocation.targets) for each in found],
    }


def _step(step: Step | None) -> dict[str, Any] | None:
    if step is None:
        return None
    return {
        "tensor": step.name,
        "from": step.before,
        "to": step.after,
        "bytes": step.bytes,
        "damage": step.damage,
        "per_kilobyte": None if step.rate is None else step.rate * KILOBYTE,
    }


def _tensor(found: Explanation, targets: Sequence[str]) -> dict[str, Any]:
    subject, now = found.subject, found.subject.now
    stage = None
    if subject.stage is not None:
        stage = {
            "index": subject.stage,
            "class": subject.stage_class,
            "exception": subject.is_exception,
        }
    return {
        "name": subject.name,
        "shape": list(subject.shape),
        "scheme": now.scheme,
        "bits_per_weight": now.bits_per_weight,
        "bytes": dict(zip(targets, now.bytes, strict=False)),
        "share": found.share,
        "damage": now.damage,
        "beyond_widest": found.gap,
        "wider": _step(found.wider),
        "narrower": _step(found.narrower),
        "why": found.why,
        "pinned": subject.pinned,
        "reason": subject.reason,
        "stage": stage,
        "choices": [
            {
                "scheme": o.scheme,
                "bits_per_weight": o.bits_per_weight,
                "bytes": dict(zip(targets, o.bytes, strict=False)),
                "damage": o.damage,
            }
            for o in subject.options
        ],
        "refused": dict(subject.refused),
    }


# ---- text


def show_header(out: Console, known: Known, worth: Prices) -> None:
    """What was assigned, in what damage is told, and what a byte is worth."""
    made = known.allocation
    totals = {name: made.weight_bytes[name] for name in made.targets if name in made.weight_bytes}
    sizes = ", ".join(f"{size(count)} on {name}" for name, count in totals.items())
    asked = ", ".join(f"{key} {value}" for key, value in made.budget.items())
    left = "" if known.left_bytes is None else f", {size(known.left_bytes)} left"
    out.print(
        f"policy {made.policy}{f', {asked}' if asked else ''}: {sizes or 'no target'}{left}",
        soft_wrap=True,
    )
    out.print(
        f"damage by {known.scores.method!r}: {known.scores.quantity}; less is better",
        soft_wrap=True,
    )
    for text, step in (("best step not bought", worth.refused), ("worst one bought", worth.bought)):
        if step is not None:
            one, two = (step.before, step.after) if step.bytes > 0 else (step.after, step.before)
            out.print(f"{text}: {step.name} {one} to {two}, {_rate(step)} a kB", soft_wrap=True)
    if worth.idle:
        out.print(f"tensors for which narrowing alone is predicted to do no harm: {worth.idle}")


def show_all(out: Console, found: Sequence[Explanation]) -> None:
    """One row a tensor."""
    table = Table(
        "tensor",
        "scheme",
        "bits",
        "bytes",
        "share",
        "a kB less",
        "a kB more",
        "with",
        "",
        box=None,
        pad_edge=False,
    )
    for each in found:
        subject, now = each.subject, each.subject.now
        marks = ["pinned"] if subject.pinned else []
        marks += [f"no {subject.stage_class}"] if subject.is_exception else []
        table.add_row(
            subject.name,
            now.scheme,
            f"{now.bits_per_weight:.2f}",
            size(now.size),
            f"{each.share:.1%}",
            _rate(each.narrower),
            _rate(each.wider),
            each.wider.after if each.wider else "",
            ", ".join(marks),
        )
    wide(out, table).print(table)
    out.print("damage that a kilobyte less costs and one more saves; name a tensor for the reasons")


def wide(out: Console, table: Table) -> Console:
    """A console on which nothing of a table is cut, where it is no terminal."""
    if out.is_terminal:
        return out
    needed = Measurement.get(out, out.options.update(max_width=1000), table).maximum
    return Console(file=out.file, highlight=False, width=max(out.width, needed))


def show_one(out: Console, found: Explanation, targets: Sequence[str]) -> None:
    """Everything about one tensor."""
    subject, now = found.subject, found.subject.now
    shape = " x ".join(map(str, subject.shape))
    out.print()
    noun, times = ("number", "as many bytes as ") if subject.is_cache else ("weight", "")
    out.print(
        f"{subject.name} {shape}: {now.scheme}, {now.bits_per_weight:.2f} bits per {noun}, "
        f"{times}{found.share:.1%} of the weights",
        soft_wrap=True,
    )
    if subject.stage is not None:
        odd = f"is {'not ' if subject.is_exception else ''}of its class"
        out.print(f"  stage {subject.stage} ({subject.stage_class}): it {odd}")
    if found.gap is not None:
        widest = subject.options[-1].scheme
        out.print(f"  damage now, beyond that of {widest}: {found.gap:.4g}")
    out.print(f"  why: {found.why}", soft_wrap=True)
    table = Table("", "scheme", "bits", *targets, "damage", "change", "a kB", box=None)
    by_scheme = {step.after: step for step in steps(subject)}
    for option in subject.options:
        step = by_scheme.get(option.scheme)
        table.add_row(
            "*" if option is now else "",
            option.scheme,
            f"{option.bits_per_weight:.2f}",
            *(f"{count:,}" for count in option.bytes[: len(targets)]),
            _number(option.damage),
            _number(step.damage if step else None, sign=True),
            _rate(step),
        )
    out.print(table)
    for scheme, reason in subject.refused:
        out.print(f"  not {scheme}: {reason}", soft_wrap=True)


def _number(value: float | None, *, sign: bool = False) -> str:
    if value is None:
        return ""
    return f"{value:+.3g}" if sign else f"{value:.3g}"


def _rate(step: Step | None) -> str:
    return "" if step is None or step.rate is None else f"{step.rate * KILOBYTE:.3g}"
