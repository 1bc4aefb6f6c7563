"""The whole pipeline: model in, bundle out. Read `compile` first; everything else serves it."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from optimum_compile.backends.base import (
    Backend,
    BackendOptions,
    Case,
    Conformance,
    EmitOptions,
    EmitResult,
    Tolerance,
)
from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.calibration import (
    TOKENIZER,
    TextSource,
    load_tokenizer,
    need_torch,
    read_text,
    special_token_id,
)
from optimum_compile.compiler.decoder import context_of
from optimum_compile.compiler.errors import (
    OptionError,
    ResourceError,
    UnsupportedError,
    UserError,
    VerificationError,
)
from optimum_compile.compiler.frontend.open_model import Model, open_model
from optimum_compile.compiler.memory import release_memory
from optimum_compile.compiler.observers import Observer, SilentObserver
from optimum_compile.compiler.options import (
    CompileOptions,
    options_from,
    parse_budget,
    parse_group,
    resolve_targets,
    target_name,
)
from optimum_compile.compiler.options import Target as TargetName
from optimum_compile.compiler.package.allocation import (
    ALLOCATION,
    Allocation,
    asked,
    make_allocation,
)
from optimum_compile.compiler.package.cases import CASES, save_answers
from optimum_compile.compiler.package.describe import (
    embedded_metadata,
    make_manifest,
)
from optimum_compile.compiler.package.reader import Bundle, open_bundle
from optimum_compile.compiler.package.writer import (
    MANIFEST,
    made_folder,
    refuse_existing,
    staging,
)
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.compiler.quant.activations import Activations
from optimum_compile.compiler.quant.kv import parse_kv_bits
from optimum_compile.compiler.quantizing import (
    Calibration,
    calibration_of,
    first_windows,
    lack_of_text,
    quantizing_passes,
    refuse_float_inputs,
    refuse_unseen,
)
from optimum_compile.passes.calibrate.checkpoint import has_progress
from optimum_compile.passes.precision.assign import AssignPrecision, Budget
from optimum_compile.passes.precision.classes import ClassOptions
from optimum_compile.passes.precision.kv import AssignKv
from optimum_compile.passes.precision.learn.effort import effort_named
from optimum_compile.passes.precision.pins import parse_pin
from optimum_compile.passes.precision.policies import Shares
from optimum_compile.passes.precision.quantizers.recipes import recipe_named
from optimum_compile.passes.rewrite.rotate import RotateResidual
from optimum_compile.passes.stages.cut import CutStages
from optimum_compile.passes.stages.notes import ActivationRange


@dataclass(frozen=True)
class Plan:
    """What a compilation would do, known before any weight is read."""

    model: Model
    options: CompileOptions
    targets: tuple[TargetName, ...]
    backends: tuple[Backend, ...]
    remarks: tuple[str, ...]

    @property
    def name(self) -> str:
        """The bundle's name."""
        return self.options.name or self.model.name

    @property
    def final(self) -> Path:
        """Where the bundle goes."""
        return Path(self.options.output) / self.name


def compile(
    model: str | Path,
    targets: Sequence[str] | None = None,
    options: CompileOptions | None = None,
    *,
    observer: Observer | None = None,
    **values: Any,
) -> Bundle:
    """Compile `model` for `targets` and return the bundle, executed and compared with the oracle.

    Args:
        model: a Hugging Face folder or a torch.export archive.
        targets: "ios", "android"; both without it.
        options: everything else; single options may be given as keywords instead.
        observer: is told about passes and progress.
        values: fields of `CompileOptions`, instead of `options`.

    Raises:
        UserError: bad input, an impossible budget, an unsupported model, a failed comparison.
    """
    wanted = plan(model, targets, options, observer=observer, **values)
    for backend in wanted.backends:
        backend.require()
    watch = observer or SilentObserver()
    with staging(wanted.final, wanted.options.overwrite) as out, _work(wanted, out) as work:
        text, tokenizer, bos = _text(wanted)
        graph = wanted.model.graph
        stores = any(backend.stores_weights for backend in wanted.backends)
        remarks = prepare(wanted, work, observer=watch) if stores else ()
        wanted = replace(wanted, remarks=(*wanted.remarks, *remarks))
        answers = _cases(wanted, text, tokenizer, bos) if wanted.options.verify else {}
        emitted, checks = [], []
        for backend in wanted.backends:
            watch.progress(f"emit {backend.name}", 0, 1)
            emitted.append(_emit(wanted, backend, out, work))
            release_memory()
            watch.progress(f"emit {backend.name}", 1, 1)
            checks.append(_verify(wanted, backend, emitted[-1], answers, watch))
        for file in wanted.model.tokenizer_files:
            shutil.copyfile(file, out / file.name)
        if answers:
            save_answers(out / CASES, answers)
        _sweep(work, out)
        (out / ALLOCATION).write_text(_allocation(wanted).to_json(), "utf-8")
        manifest = make_manifest(wanted, graph, emitted, checks, out, text)
        (out / MANIFEST).write_text(manifest.to_json(), "utf-8")
        failed = [c for c in checks if c is not None and not c.ok]
        if failed:
            raise VerificationError(_failure(failed))
    return open_bundle(wanted.final)


def _allocation(wanted: Plan) -> Allocation:
    options, graph = wanted.options, wanted.model.graph
    return make_allocation(graph, wanted.backends, policy=options.policy, budget=asked(options))


def _failure(failed: Sequence[Conformance]) -> str:
    what = "; ".join(f"{c.artifact}: {c.reason}" for c in failed)
    hint = "no bundle was written; try more bits"
    if any(c.artifact.endswith(".pte") for c in failed):
        hint += ", or --executor packed --activations float where int8 activations are the cause"
    return f"{what}; {hint}"


def plan(
    model: str | Path,
    targets: Sequence[str] | None = None,
    options: CompileOptions | None = None,
    *,
    observer: Observer | None = None,
    **values: Any,
) -> Plan:
    """Open the model and assign precision: everything that can refuse does so here, without work.

    Raises what `compile` raises, but for emission and comparison.
    """
    need_torch()
    if options is not None and values:
        raise OptionError(f"{', '.join(values)}: give these inside `options`, or no `options`")
    chosen = options or options_from(values)
    if targets is not None:
        chosen = replace(chosen, target=options_from({"target": targets}).target)
    names = resolve_targets(chosen.target)
    choices = BackendOptions(chosen.executor, chosen.activations)
    backends = tuple(load_backend(t.artifact).configured(choices) for t in names)
    text = read_text(chosen.calibration)
    opened = open_model(Path(model), context=chosen.context, max_prefill=chosen.max_prefill)
    refuse_existing(Path(chosen.output) / (chosen.name or opened.name), chosen.overwrite)
    rotation = _rotation(chosen.rotate, chosen.seed)
    recipe = recipe_named(chosen.quantizer)
    effort_named(chosen.effort)  # refused before work begins
    assign = AssignPrecision(
        policy=chosen.policy,
        bits=chosen.bits,
        budget=_budget(chosen.budget),
        shares=Shares(*chosen.shares),
        head_high=chosen.head == "high",
        classes=ClassOptions(
            parse_group(chosen.group_size),
            not chosen.asymmetric,
            chosen.allow_fallback,
            whole_rows=recipe.int8_inputs,
        ),
        backends=backends,
        pins=tuple(parse_pin(p) for p in chosen.pin),
    )
    wanted = Plan(opened, chosen, names, backends, ())
    watch = observer or SilentObserver()
    rotated = _passes(wanted, *rotation, observer=watch, work=None)
    _refuse_nodes(opened, backends)
    cache = () if chosen.kv_bits == "16" else (AssignKv(parse_kv_bits(chosen.kv_bits), backends),)
    remarks = (*rotated, *_passes(wanted, *cache, assign, observer=watch, work=None))
    has_tokenizer = any(f.name == TOKENIZER for f in opened.tokenizer_files)
    lack = lack_of_text(opened.graph, text, has_tokenizer)
    refuse_unseen(opened.graph, chosen, lack)
    refuse_float_inputs(opened.graph, chosen.quantizer, backends)
    return replace(wanted, remarks=remarks)


def _rotation(name: str, seed: int) -> tuple[RotateResidual, ...]:
    """The rewrite that `--rotate` names."""
    if name == "none":
        return ()
    residual, values = name in ("residual", "all"), name in ("values", "all")
    return (RotateResidual(seed, residual, values, gated=name in ("gated", "all")),)


def prepare(wanted: Plan, work: Path, *, observer: Observer | None = None) -> tuple[str, ...]:
    """Quantise the planned graph into `work` and cut it into stages; returns remarks."""
    graph, options = wanted.model.graph, wanted.options
    seen = calibration_of(graph, options, *_text(wanted))
    quantize, remark = quantizing_passes(graph, options, seen, work)
    ranges = _ranges(wanted, seen)
    watch = observer or SilentObserver()
    steps = (*quantize, CutStages(options.stages, ranges))
    found = _passes(wanted, *steps, observer=watch, work=work)
    return (remark, *found) if remark else found


def _budget(text: str | None) -> Budget | None:
    found = parse_budget(text)
    if found is None:
        return None
    return Budget(found.bytes, found.bits_per_weight, found.fraction)


def _refuse_nodes(model: Model, backends: Sequence[Backend]) -> None:
    """Raise UnsupportedError that lists every op that a target cannot run, with where and how often."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for backend in backends:
        for node in model.graph.nodes:
            verdict = backend.supports_node(node)
            if not verdict.ok:
                op = str(node.attrs.get("target", node.op))
                found.setdefault((backend.name, op, verdict.reason), []).append(node.origin)
    if found:
        lines = [
            f"{backend} cannot run {op} ({len(where)}x, first at {where[0] or 'top level'}): {reason}"
            for (backend, op, reason), where in found.items()
        ]
        raise UnsupportedError("; ".join(lines))


def _passes(wanted: Plan, *passes: Any, observer: Observer, work: Path | None) -> tuple[str, ...]:
    context = PassContext(seed=wanted.options.seed, work=work, observer=observer)
    return PassManager(passes).run(wanted.model.graph, context)


def _text(wanted: Plan) -> tuple[TextSource | None, Any, int | None]:
    tokenizer = load_tokenizer(wanted.model.tokenizer_files)
    bos = special_token_id(wanted.model.tokenizer_files, "bos_token", tokenizer)
    return read_text(wanted.options.calibration), tokenizer, bos


def _ranges(wanted: Plan, seen: Calibration) -> tuple[ActivationRange, ...]:
    from optimum_compile.compiler.measure import activation_ranges

    found = first_windows(seen)
    return activation_ranges(wanted.model.graph, found) if found else ()


def _cases(
    wanted: Plan, text: TextSource | None, tokenizer: Any, bos: int | None
) -> dict[str, tuple[Case, ...]]:
    """The oracle's answers for every target, once for those that round activations alike."""
    from optimum_compile.compiler.conformance import CaseOptions, make_cases, rounding_of

    words, graph = (text if text is not None else read_text(None)), wanted.model.graph
    options = CaseOptions(seed=wanted.options.seed)
    made: dict[frozenset[tuple[str, Activations]], tuple[Case, ...]] = {}
    answers = {}
    for backend in wanted.backends:
        if not backend.stores_weights:  # nothing to execute
            continue
        rounding = rounding_of(graph, backend)
        key = frozenset(rounding.items())
        if key not in made:
            made[key] = make_cases(graph, words, tokenizer, bos, options, rounding)
        answers[target_name(backend.platform, backend.name)] = made[key]
    return answers


def _emit(wanted: Plan, backend: Backend, out: Path, work: Path) -> EmitResult:
    folder = out / backend.platform
    folder.mkdir(exist_ok=True)
    seq = wanted.model.graph.symbols.get("seq")
    options = EmitOptions(
        name=wanted.name,
        context=context_of(wanted.model.graph) or 0,
        max_prefill=seq.high if seq else 1,
        metadata_json=embedded_metadata(wanted, backend),
        work=work,
    )
    return backend.emit(wanted.model.graph, options, folder / f"{wanted.name}{backend.suffix}")


def _verify(
    wanted: Plan,
    backend: Backend,
    emitted: EmitResult,
    answers: Mapping[str, tuple[Case, ...]],
    watch: Observer,
) -> Conformance | None:
    from optimum_compile.compiler.conformance import rounding_of, tolerance_for

    if not wanted.options.verify:
        return None
    if not backend.stores_weights:
        return backend.verify(emitted.artifact, (), Tolerance())
    watch.progress(f"verify {backend.name}", 0, 1)
    name = target_name(backend.platform, backend.name)
    rounded = bool(rounding_of(wanted.model.graph, backend))
    tolerance = tolerance_for(name, wanted.model.graph, rounded=rounded)
    result = backend.verify(emitted.artifact, answers[name], tolerance)
    watch.progress(f"verify {backend.name}", 1, 1)
    return result


@contextmanager
def _work(wanted: Plan, out: Path) -> Iterator[Path]:
    """Scratch folder: inside the staging folder unless `work_dir` names another place.

    With `resume` it has a fixed name. When the compilation does not come to its end, it stays if a
    later run can go on from it, and the exception says so in a note.
    """
    options = wanted.options
    parent = out if options.work_dir is None else Path(options.work_dir)
    with made_folder(parent):
        if options.resume:
            folder = parent / f"{wanted.name}.progress"
            folder.mkdir(exist_ok=True)
            try:
                yield folder
            except BaseException as error:  # signals too
                if not has_progress(folder):
                    shutil.rmtree(folder, ignore_errors=True)
                elif isinstance(error, ResourceError) or not isinstance(error, UserError):
                    error.add_note(
                        f"progress is kept in {folder}; the same command with --resume continues it"
                    )
                raise
            shutil.rmtree(folder, ignore_errors=True)
            return
        folder = Path(tempfile.mkdtemp(prefix=".work-", dir=parent))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _sweep(work: Path, out: Path) -> None:
    """Scratch inside the bundle must be gone before the bundle is described."""
    if work.is_relative_to(out):
        shutil.rmtree(work)
