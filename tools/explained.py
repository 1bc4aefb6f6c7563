"""An assignment and what was measured of it, read from files: what there is to explain."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from optimum_compile.compiler.decided import FLOORS
from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.options import parse_budget
from optimum_compile.compiler.package.allocation import (
    ALLOCATION,
    Allocation,
    CacheScheme,
    TensorScheme,
    read_allocation,
)
from optimum_compile.compiler.package.manifest import Manifest
from optimum_compile.compiler.package.reader import open_bundle
from optimum_compile.compiler.package.writer import MANIFEST
from optimum_compile.compiler.quant.scheme import Nested
from optimum_compile.compiler.quant.scheme_text import parse_scheme
from optimum_compile.passes.precision.budget import Budget
from optimum_compile.passes.precision.explain import Option, Subject
from optimum_compile.passes.sensitivity.map import SensitivityMap, read_map

SENSITIVITY = "sensitivity.json"
NARROWEST = "narrowest call"


@dataclass(frozen=True)
class Known:
    """What there is to explain with."""

    allocation: Allocation
    scores: SensitivityMap
    subjects: tuple[Subject, ...]
    left_bytes: int | None


def read(path: Path, sensitivity: Path | None = None) -> Known:
    """Read what was assigned and what was measured. Raises InputError that says what is missing."""
    file, manifest = _found(path)
    allocation = read_allocation(file)
    where = sensitivity or file.parent / SENSITIVITY
    if not where.is_file():
        hint = (
            "no such file"
            if sensitivity
            else f"not here: policy {allocation.policy!r} measured nothing. Compile with --policy "
            "measured, or measure with: optimum-compile profile MODEL --method kl -o FILE, and give "
            "that with --sensitivity FILE"
        )
        if (file.parent / FLOORS).is_file():
            hint += "; --narrowest explains the floors of nested weights"
        raise InputError(f"{where}: {hint}")
    scores = _measured(where, file, allocation)
    subjects = [_subject(t, allocation, scores, manifest) for t in allocation.tensors]
    # Caches that were measured, and could have other bits.
    chosen = [c for c in allocation.kv if c.state in scores.units and len(c.choices) > 1]
    subjects += [_cache(c, allocation, scores) for c in chosen]
    return Known(allocation, scores, tuple(subjects), _left(allocation, manifest))


def read_narrowest(path: Path) -> Known:
    """Of the narrowest call: what each matrix costs there in every floor, and the bytes that are read.

    Raises InputError where no floors were chosen.
    """
    file, _ = _found(path)
    allocation, where = read_allocation(file), file.parent / FLOORS
    if not where.is_file():
        raise InputError(
            f"{where}: not here: no floors were chosen; compile with --narrow-bits or --narrow-kl"
        )
    scores = _measured(where, file, allocation)
    subjects = tuple(
        _floors(t, scores.units[t.name], where)
        for t in allocation.tensors
        if t.name in scores.units
    )
    total = sum(subject.now.size for subject in subjects)
    shown = replace(
        allocation, targets=(NARROWEST,), policy=scores.method, weight_bytes={NARROWEST: total}
    )
    return Known(shown, scores, subjects, None)


def _floors(tensor: TensorScheme, measured: Mapping[str, float], where: Path) -> Subject:
    rows, columns = tensor.shape
    options = []
    for text, damage in measured.items():
        scheme = parse_scheme(text)
        size = scheme.stored_bytes(rows, columns)
        if isinstance(scheme, Nested):
            size = scheme.read_bytes(rows, columns, scheme.seed_bits)
        options.append(Option(text, 8 * size / max(1, rows * columns), (size,), damage))
    options.sort(key=lambda o: (o.size, o.scheme))
    index = next((i for i, o in enumerate(options) if o.scheme == tensor.scheme), None)
    if index is None:
        raise InputError(f"{where}: {tensor.name} was not measured in {tensor.scheme}")
    return Subject(tensor.name, tensor.shape, tuple(options), index)


def _found(path: Path) -> tuple[Path, Manifest | None]:
    """The allocation at a path, and the manifest of the bundle that it is in."""
    file = path / ALLOCATION if path.is_dir() else path
    manifest: Manifest | None = None
    # An assignment of one target lies in that target's folder.
    home = next((p for p in (file.parent, file.parent.parent) if (p / MANIFEST).is_file()), None)
    if home is not None or path.is_dir():
        manifest = open_bundle(home or file.parent).manifest
    if not file.is_file():
        own = sorted(p.parent.name for p in file.parent.glob(f"*/{ALLOCATION}"))
        what = "no such file"
        if own:
            what = f"each target has its own: give {file.parent / own[0]}, or {', '.join(own[1:])}"
        elif path.is_dir():
            what = "the bundle has no allocation.json; compile again"
        raise InputError(f"{file}: {what}")
    return file, manifest


def _measured(where: Path, file: Path, allocation: Allocation) -> SensitivityMap:
    """A map of the model of an allocation. Raises InputError for another model's."""
    scores = read_map(where)
    if scores.model.parameters != allocation.model.parameters:
        raise InputError(
            f"{where}: measured on another model ({scores.model.parameters:,} parameters; {file} has "
            f"{allocation.model.parameters:,})"
        )
    return scores


def _cache(cache: CacheScheme, allocation: Allocation, scores: SensitivityMap) -> Subject:
    measured, count = scores.units[cache.state], max(1, math.prod(cache.shape))
    columns = max(1, len(allocation.targets))
    options = [
        Option(scheme, 8 * size / count, (size,) * columns, measured.get(scheme))
        for scheme, size in cache.choices.items()
    ]
    options.sort(key=lambda o: (o.size, o.scheme))
    index = next(i for i, o in enumerate(options) if o.scheme == cache.scheme)
    return Subject(cache.state, cache.shape, tuple(options), index, is_cache=True)


def _subject(
    tensor: TensorScheme, allocation: Allocation, scores: SensitivityMap, manifest: Manifest | None
) -> Subject:
    elements = tensor.shape[0] * tensor.shape[1]
    measured = scores.units.get(tensor.name, {})
    sizes = {tensor.scheme: tensor.bytes, **tensor.choices}
    options = []
    for scheme, by_target in sizes.items():
        bytes_ = tuple(by_target.get(name, 0) for name in allocation.targets)
        most = max(bytes_, default=0)
        bits = 8 * most / max(1, elements) if most else tensor.bits_per_weight
        options.append(Option(scheme, bits, bytes_ or (0,), measured.get(scheme)))
    options.sort(key=lambda o: (o.size, o.scheme))
    stage, name = _stage(tensor.name, allocation.targets, manifest)
    # Tables are read, not multiplied with; and where there is no choice nothing is out of line.
    counts = stage is not None and tensor.use == "linear" and len(options) > 1
    return Subject(
        tensor.name,
        tensor.shape,
        tuple(options),
        next(i for i, o in enumerate(options) if o.scheme == tensor.scheme),
        tuple(tensor.refused.items()),
        tensor.reason == "pinned",
        tensor.reason,
        stage,
        name,
        counts and name != tensor.kind,
    )


def _stage(name: str, targets: Sequence[str], manifest: Manifest | None) -> tuple[int | None, str]:
    if manifest is None:
        return None, ""
    shared = set(targets)
    record = next((t for t in manifest.tensors if t.name == name and shared & set(t.targets)), None)
    if record is None:
        return None, ""
    stages = (s for s in manifest.stages if s.index == record.stage and shared & set(s.targets))
    return record.stage, next((s.precision_class for s in stages), "")


def _left(allocation: Allocation, manifest: Manifest | None) -> int | None:
    """Bytes that the budget leaves on the target that has fewest left; None where it is not known."""
    asked = parse_budget(_text(allocation.budget.get("budget")))
    shared = "kv_bits" in allocation.budget  # part of it went to the KV cache
    if asked is None or shared or not allocation.weight_bytes:
        return None
    if asked.bytes is not None:  # of the whole file
        sizes = [a.file_bytes for a in manifest.artifacts] if manifest is not None else []
        return asked.bytes - max(sizes) if sizes else None
    budget = Budget(None, asked.bits_per_weight, asked.fraction)
    limit = budget.limit_bytes(allocation.model.parameters)
    return limit - max(allocation.weight_bytes.values())


def _text(value: object) -> str | None:
    return None if value is None else str(value)
