"""Describe a compiled graph: the manifest, and the metadata that each artifact carries."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimum_compile.backends.base import Backend, Conformance, EmitResult, Tolerance
from optimum_compile.compiler.calibration import TextSource
from optimum_compile.compiler.ir.graph import Graph, Value
from optimum_compile.compiler.ir.shape import format_dim
from optimum_compile.compiler.options import target_name
from optimum_compile.compiler.package.caches import kv_entries, kv_text
from optimum_compile.compiler.package.footprint import footprint_of
from optimum_compile.compiler.package.manifest import (
    FORMAT,
    Artifact,
    Check,
    Footprint,
    Manifest,
    Port,
    Stage,
    Tensor,
    WidthRead,
)
from optimum_compile.compiler.package.signature import KEY as SIGNATURE
from optimum_compile.compiler.package.signature import signature_of
from optimum_compile.compiler.package.writer import file_entries, sha256_of, size_of
from optimum_compile.passes.phase.notes import Phases
from optimum_compile.passes.precision.bytes_read import weight_bytes_read
from optimum_compile.passes.precision.floors import bits_read
from optimum_compile.passes.precision.narrow import widths_of
from optimum_compile.passes.precision.notes import Precision
from optimum_compile.passes.precision.units import (
    codebook_bytes,
    cost_bytes,
    fixed_weight_bytes,
    parameter_count,
    units_of,
)
from optimum_compile.passes.stages.notes import StageInfo, StagePlan

if TYPE_CHECKING:
    from optimum_compile.compiler.api import Plan

# Everything whose version shapes the output.
PACKAGES = (
    "optimum-compile",
    "torch",
    "coremltools",
    "executorch",
    "onnx",
    "onnxruntime",
    "numpy",
    "tokenizers",
)


def versions() -> dict[str, str]:
    """Versions of everything that shapes the output; a missing package is left out."""
    out = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            out[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return out


def stages_of(graph: Graph) -> tuple[StageInfo, ...]:
    """The stages that the stages pass wrote; empty before it ran."""
    plan = graph.notes.get(StagePlan)
    return () if plan is None else plan.stages


def port(name: str, value: Value) -> Port:
    """A value as the manifest holds it."""
    shape = tuple(d if isinstance(d, int) else format_dim(d) for d in value.type.shape)
    return Port(name, value.type.dtype.value, shape)


def predicted_bytes(graph: Graph, backend: Backend) -> int:
    """Weight bytes that the backend's artifact will hold, before emission."""
    units = units_of(graph)
    total = fixed_weight_bytes(graph, units, (backend,)) + _codebook_bytes(graph, (backend,))
    for unit in units:
        note = graph.weights[unit.name].notes.get(Precision)
        if note is not None:
            total += cost_bytes(note.scheme, unit.use, (backend,))
    return total


def predicted_file_bytes(graph: Graph, backend: Backend) -> int:
    """Bytes of the files of the backend's artifact, before emission; 0 where it holds no weights."""
    if not backend.traits.stores_weights:
        return 0
    return predicted_bytes(graph, backend) + backend.container_bytes(graph)


def weight_bytes(graph: Graph) -> int:
    """Bytes of all weights in their schemes, whatever the container."""
    units = units_of(graph)
    total = fixed_weight_bytes(graph, units, ()) + _codebook_bytes(graph, ())
    for unit in units:
        note = graph.weights[unit.name].notes.get(Precision)
        if note is not None:
            total += note.scheme.stored_bytes(unit.use.rows, unit.use.columns)
    return total


def _codebook_bytes(graph: Graph, backends: Sequence[Backend]) -> int:
    notes = (graph.weights[u.name].notes.get(Precision) for u in units_of(graph))
    return codebook_bytes([n.scheme for n in notes if n is not None], backends)


def embedded_metadata(wanted: "Plan", backend: Backend) -> str:
    """JSON that is embedded in an artifact: provenance and stages, no dates and no paths."""
    graph = wanted.model.graph
    signature, phases = signature_of(graph), graph.notes.get(Phases)
    return json.dumps(
        ({} if signature is None else {SIGNATURE: signature})
        | ({} if phases is None else {"phases": phases.to_json()})
        | {
            "format": FORMAT,
            "name": wanted.name,
            "target": f"{backend.platform}:{backend.name}",
            "versions": versions(),
            "kv_cache": kv_text(graph, backend, wanted.options.kv_bits),
            "kv_caches": kv_entries(graph, backend),
            "policy": wanted.options.policy,
            "quantizer": wanted.options.quantizer,
            "seed": wanted.options.seed,
            "parameters": parameter_count(graph),
            "weight_bytes": weight_bytes(graph),
            "stages": [asdict(s) for s in stages_of(graph)],
        },
        sort_keys=True,
        separators=(",", ":"),
    )


@dataclass(frozen=True)
class Built:
    """Targets that share an assignment: their plan, and what was written: emitted and compared."""

    plan: "Plan"
    backends: tuple[Backend, ...]
    emitted: tuple[EmitResult, ...]
    checks: tuple[Conformance | None, ...]

    @property
    def targets(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(target_name(b.platform, b.name) for b in self.backends)


def make_manifest(built: Sequence[Built], out: Path, text: TextSource | None) -> Manifest:
    """The manifest of a finished bundle in the folder `out`.

    With an assignment for each target, the totals are those of the largest.
    """
    wanted = built[0].plan
    graph = wanted.model.graph
    parameters = parameter_count(graph)
    stored = max(weight_bytes(each.plan.model.graph) for each in built)
    source: dict[str, Any] = {
        "kind": wanted.model.kind,
        "name": wanted.model.source.name,
        "weights_sha256": source_digest(graph),
        "calibration": None if text is None else text.label,
    }
    return Manifest(
        format=FORMAT,
        name=wanted.name,
        versions=versions(),
        source=source,
        options=wanted.options.echo(),
        symbols={k: (r.low, r.high) for k, r in sorted(graph.symbols.items())},
        inputs=tuple(port(v.name, v) for v in graph.inputs),
        outputs=tuple(port(f"output{i}", v) for i, v in enumerate(graph.outputs)),
        states=tuple(port(s.name, s.read) for s in graph.states),
        parameters=parameters,
        weight_bytes=stored,
        bits_per_weight=8 * stored / max(1, parameters),
        stages=tuple(
            _stage(s, each.targets) for each in built for s in stages_of(each.plan.model.graph)
        ),
        tensors=tuple(t for each in built for t in _tensors(each.plan.model.graph, each.targets)),
        artifacts=tuple(a for each in built for a in _artifacts(each, out)),
        checks=tuple(
            _check(e, c, out)
            for each in built
            for e, c in zip(each.emitted, each.checks, strict=True)
        ),
        memory=tuple(m for each in built for m in _footprints(each, out)),
        files=file_entries(out),
        remarks=_remarks(built),
        widths=tuple(w for each in built for w in _widths(each, out)),
        phases=_phases(graph),
    )


def _phases(graph: Graph) -> dict[str, Any]:
    found = graph.notes.get(Phases)
    return {} if found is None else found.to_json()


def _artifacts(built: Built, out: Path) -> list[Artifact]:
    graph = built.plan.model.graph
    pairs = zip(built.backends, built.emitted, strict=True)
    return [_artifact(graph, backend, emitted, out) for backend, emitted in pairs]


def _widths(built: Built, out: Path) -> list[WidthRead]:
    """What nested weights cost a token at each width, where calls choose it; else at the one that is read."""
    graph, made = built.plan.model.graph, []
    held = widths_of(graph)
    for backend, emitted in zip(built.backends, built.emitted, strict=True):
        if not held or not backend.traits.stores_weights:
            continue
        path = emitted.artifact.relative_to(out).as_posix()
        target = target_name(backend.platform, backend.name)
        for width in held if backend.traits.chooses_widths else held[-1:]:
            read = round(weight_bytes_read(graph, backend, width=width))
            made.append(WidthRead(target, path, width, read, round(bits_read(graph, width), 4)))
    return made


def _footprints(built: Built, out: Path) -> list[Footprint]:
    """Of the artifacts that run a model."""
    graph = built.plan.model.graph
    pairs = zip(built.backends, built.emitted, strict=True)
    return [footprint_of(graph, b, e, out) for b, e in pairs if b.traits.stores_weights]


def _remarks(built: Sequence[Built]) -> tuple[str, ...]:
    """All of them; with the targets in front where there are several assignments."""
    if len(built) == 1:
        return built[0].plan.remarks
    return tuple(f"{', '.join(b.targets)}: {remark}" for b in built for remark in b.plan.remarks)


def source_digest(graph: Graph) -> str:
    """SHA-256 over the digests of the weight files."""
    files = sorted(
        {v.weight.source.path for v in graph.weights.values() if v.weight and v.weight.source}
    )
    return ",".join(sha256_of(f) for f in files)


def _stage(info: StageInfo, targets: tuple[str, ...]) -> Stage:
    weights = [t for t in info.tensors if t.scheme != "f16"] or list(info.tensors)
    span = (min((t.low for t in weights), default=0.0), max((t.high for t in weights), default=0.0))
    return Stage(
        info.index,
        info.name,
        info.precision_class,
        info.blocks,
        info.groups,
        info.bits_per_weight,
        info.bytes,
        info.scales_sha256,
        span,
        tuple((a.block, a.low, a.high) for a in info.activations),
        tuple(t.name for t in info.tensors),
        targets,
    )


def _tensors(graph: Graph, targets: tuple[str, ...]) -> list[Tensor]:
    out = []
    for stage in stages_of(graph):
        for r in stage.tensors:
            note = graph.weights[r.name].notes.get(Precision)
            reason = "" if note is None else note.reason
            out.append(Tensor(r.name, r.shape, r.scheme, r.bytes, stage.index, reason, targets))
    return out


def _artifact(graph: Graph, backend: Backend, emitted: EmitResult, out: Path) -> Artifact:
    return Artifact(
        backend.platform,
        backend.name,
        emitted.artifact.relative_to(out).as_posix(),
        emitted.functions,
        emitted.weight_bytes,
        predicted_bytes(graph, backend),
        predicted_file_bytes(graph, backend),
        sum(size_of(file) for file in (emitted.artifact, *emitted.beside)),
        emitted.remarks,
    )


def _check(emitted: EmitResult, check: Conformance | None, out: Path) -> Check:
    path = emitted.artifact.relative_to(out).as_posix()
    if check is None:
        return Check(
            path, False, "", False, 0, 0.0, 0.0, 0.0, Tolerance(), "not executed: --no-verify"
        )
    return check_entry(path, check)


def check_entry(path: str, check: Conformance) -> Check:
    """A comparison as the manifest holds it; `path` is relative to the bundle."""
    return Check(
        path,
        check.executed,
        check.executed_by,
        check.ok,
        check.steps,
        check.max_rel_err,
        check.cosine,
        check.top1_agreement,
        check.tolerance,
        check.reason,
    )
