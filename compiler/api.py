"""The whole pipeline: model in, bundle out. Read `compile` first; everything else serves it."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from optimum_compile.backends.base import (
    Backend,
    Case,
    Conformance,
    EmitOptions,
    EmitResult,
    Tolerance,
)
from optimum_compile.compiler.assigning import decides_later, looks_at_text
from optimum_compile.compiler.calibration import TextSource, read_text, special_token_id
from optimum_compile.compiler.companions import (
    companions_of,
    files_below,
    forget,
    left_out,
    settled,
    shared_remarks,
)
from optimum_compile.compiler.decided import Decided
from optimum_compile.compiler.deciding import decide
from optimum_compile.compiler.decoder import context_of
from optimum_compile.compiler.errors import ResourceError, UnsupportedError, VerificationError
from optimum_compile.compiler.floors import (
    decide_floors,
    floors_told,
    require_divided,
    wants_floors,
)
from optimum_compile.compiler.memory import release_memory
from optimum_compile.compiler.observers import Observer, SilentObserver
from optimum_compile.compiler.options import CompileOptions, target_name
from optimum_compile.compiler.package.allocation import (
    ALLOCATION,
    Allocation,
    asked,
    make_allocation,
)
from optimum_compile.compiler.package.cases import CASES, save_answers
from optimum_compile.compiler.package.describe import Built, embedded_metadata, make_manifest
from optimum_compile.compiler.package.reader import Bundle, open_bundle
from optimum_compile.compiler.package.writer import MANIFEST, staging
from optimum_compile.compiler.pass_manager import PassContext
from optimum_compile.compiler.phasing import add_scheduler, phases_of, schedule_remark
from optimum_compile.compiler.planning import Plan, plan, plan_for, run_passes, text_of
from optimum_compile.compiler.quant.activations import Activations
from optimum_compile.compiler.quant.kv import KvStored
from optimum_compile.compiler.quantizing import (
    Calibration,
    cache_passes,
    calibration_of,
    first_windows,
    quantizing_passes,
    range_passes,
)
from optimum_compile.compiler.scratch import scratch, sweep
from optimum_compile.passes.stages.cut import CutStages
from optimum_compile.passes.stages.notes import ActivationRange

Widths = tuple[int, ...]  # of nested weights

__all__ = ["Plan", "compile", "plan", "prepare", "quantise", "settle"]


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
    plans = plans_of(model, targets, options, observer=observer, **values)
    for backend in (b for each in plans for b in each.backends):
        backend.require()
    watch = observer or SilentObserver()
    wanted, chosen = plans[0], plans[0].options
    with (
        staging(wanted.final, chosen.overwrite) as out,
        scratch(chosen, wanted.name, out) as work,
    ):
        answers: dict[str, tuple[Case, ...]] = {}
        built = []
        for at, each in enumerate(plans):
            folder = work if len(plans) == 1 else work / f"part{at}"
            folder.mkdir(exist_ok=True)
            beside = out if len(plans) == 1 else out / each.backends[0].platform
            built.append(_build(each, out, beside, folder, answers, watch))
        for file in wanted.model.tokenizer_files:
            shutil.copyfile(file, out / file.name)
        if answers:
            save_answers(out / CASES, answers)
        add_scheduler(chosen, out)
        sweep(work, out)
        manifest = make_manifest(built, out, text_of(wanted)[0])
        (out / MANIFEST).write_text(manifest.to_json(), "utf-8")
        failed = [c for each in built for c in each.checks if c is not None and not c.ok]
        if failed:
            raise VerificationError(_failure(failed))
    return open_bundle(wanted.final)


def plans_of(
    model: str | Path,
    targets: Sequence[str] | None = None,
    options: CompileOptions | None = None,
    *,
    observer: Observer | None = None,
    **values: Any,
) -> tuple[Plan, ...]:
    """One plan for all targets, or with `allocation` "each" one a target. Raises what `plan` raises."""
    first = plan(model, targets, options, observer=observer, **values)
    if first.options.allocation == "common" or len(first.backends) == 1:
        return (first,)
    chosen, out = first.options, []
    added = companions_of(chosen.target) if chosen.companions else {}
    for target in first.targets:
        own = added.get(target, ())
        made = plan_for(model, chosen, (target,), own, observer=observer)
        out.append(made.telling(*shared_remarks(target, chosen.target)) if own else made)
    return tuple(out)


def _build(
    wanted: Plan,
    out: Path,
    beside: Path,
    work: Path,
    answers: dict[str, tuple[Case, ...]],
    watch: Observer,
) -> Built:
    """Settle, quantise, emit and compare targets that share an assignment.

    The assignment is written to `beside`, the oracle's answers are added to `answers`.
    """
    text, tokenizer, bos = text_of(wanted)
    decided = settle(wanted, work, observer=watch)
    remarks = quantise(wanted, work, observer=watch) if stores_weights(wanted) else ()
    stop = special_token_id(wanted.model.tokenizer_files, "eos_token", tokenizer)
    phases = phases_of(wanted.model.graph, wanted.options, text, tokenizer, bos, stop, watch)
    if phases is not None:
        wanted.model.graph.notes.put(phases)
        remarks = (*remarks, schedule_remark(phases))
    companions, left = settled(wanted.model.graph, wanted.options.quantizer, wanted.companions)
    told = dict.fromkeys((*_settled(wanted, decided), *remarks, *left))  # `plan` may know the last
    wanted = replace(wanted, remarks=tuple(told), companions=companions)
    own = _cases(wanted, text, tokenizer, bos) if wanted.options.verify else {}
    made = _written(wanted, out, work, own, watch)
    answers.update((name, own[name]) for name in made.targets if name in own)
    beside.mkdir(exist_ok=True)
    (beside / ALLOCATION).write_text(_allocation(wanted, decided).to_json(), "utf-8")
    if decided is not None:
        decided.copy_to(beside)
    return made


def _written(
    wanted: Plan,
    out: Path,
    work: Path,
    answers: Mapping[str, tuple[Case, ...]],
    watch: Observer,
) -> Built:
    """Emit and compare one artifact after the other; companions may turn out to be none."""
    done: list[tuple[Backend, EmitResult, Conformance | None]] = []
    left = []
    for backend in wanted.emitting:
        watch.progress(f"emit {backend.name}", 0, 1)
        before = files_below(out / backend.platform)
        emitted = _emitted(wanted, backend, out, work, before)
        release_memory()
        watch.progress(f"emit {backend.name}", 1, 1)
        if isinstance(emitted, str):
            left.append(emitted)
            continue
        check = _verify(wanted, backend, emitted, answers, watch)
        if check is not None and not check.ok and _may_be_missing(wanted, backend):
            forget(out / backend.platform, before)
            left.append(left_out(backend, VerificationError(check.reason)))
            continue
        done.append((backend, emitted, check))
    backends, emissions, checks = zip(*done, strict=True)
    return Built(wanted.telling(*left), backends, emissions, checks)


def _emitted(
    wanted: Plan, backend: Backend, out: Path, work: Path, before: frozenset[Path]
) -> EmitResult | str:
    """What was emitted, or the remark on a companion that cannot be. before: files of its folder."""
    if backend in wanted.backends:
        return _emit(wanted, backend, out, work)
    try:
        return _emit(wanted, backend, out, work)
    except (ResourceError, UnsupportedError) as error:
        forget(out / backend.platform, before)
        return left_out(backend, error)


def _may_be_missing(wanted: Plan, backend: Backend) -> bool:
    """Of a companion that rounds more than anybody decided: the model does not bear it, nothing is wrong."""
    return backend in wanted.companions and backend.traits.rounds_more


def stores_weights(wanted: Plan) -> bool:
    """Whether anything that is written holds packed weights."""
    return any(backend.traits.stores_weights for backend in wanted.emitting)


def _settled(wanted: Plan, decided: Decided | None) -> tuple[str, ...]:
    """Remarks of the plan, or of what was decided in its place."""
    return wanted.remarks if decided is None else (*wanted.beforehand, *decided.remarks)


def _allocation(wanted: Plan, decided: Decided | None) -> Allocation:
    options, graph = wanted.options, wanted.model.graph
    predicted = None if decided is None else decided.predicted_kl
    return make_allocation(
        graph,
        wanted.backends,
        policy=options.policy,
        budget=asked(options),
        predicted_kl=predicted,
    )


def _failure(failed: Sequence[Conformance]) -> str:
    what = "; ".join(f"{c.artifact}: {c.reason}" for c in failed)
    hint = "no bundle was written; try more bits"
    if any(c.artifact.endswith(".pte") for c in failed):
        hint += ", or --executor packed --activations float where int8 activations are the cause"
    if any(c.artifact.endswith(".nnapi") for c in failed):
        hint += ", or --quantizer awq where activations of a few channels are too wide for 8 bits"
    return f"{what}; {hint}"


def settle(wanted: Plan, work: Path, *, observer: Observer | None = None) -> Decided | None:
    """Decide what has to be measured: precision, then floors. None where `plan` had decided all."""
    options, graph = wanted.options, wanted.model.graph
    later = decides_later(options, wanted.assignment)
    narrow = wants_floors(options, wanted.emitting)
    if not later and not narrow:
        return None
    seen = _seen(wanted)
    if narrow:
        require_divided(seen)
    ctx = PassContext(seed=options.seed, work=work, observer=observer or SilentObserver())
    if later:
        found = decide(graph, options, wanted.assignment, seen, work, ctx)
    else:
        known = (*wanted.beforehand, *floors_told(options, wanted.emitting))
        found = Decided({}, tuple(r for r in wanted.remarks if r not in known))
    if narrow:
        found = decide_floors(graph, options, wanted.backends, seen, work, ctx, found)
    return found


def quantise(wanted: Plan, work: Path, *, observer: Observer | None = None) -> tuple[str, ...]:
    """Quantise the assigned graph into `work` and cut it into stages; returns remarks."""
    graph, options = wanted.model.graph, wanted.options
    seen = _seen(wanted)
    quantize, remark = quantizing_passes(graph, options, seen, work)
    caches = cache_passes(graph, options, wanted.backends, seen)
    ranges = range_passes(graph, options, wanted.emitting, seen)
    steps = (*quantize, *caches, *ranges, CutStages(options.stages, _ranges(wanted, seen)))
    found = run_passes(wanted, *steps, observer=observer or SilentObserver(), work=work)
    return (remark, *found) if remark else found


def prepare(wanted: Plan, work: Path, *, observer: Observer | None = None) -> tuple[str, ...]:
    """Settle the precision and quantise, both in `work`; returns remarks."""
    decided = settle(wanted, work, observer=observer)
    told = () if decided is None else decided.remarks
    return (*told, *quantise(wanted, work, observer=observer))


def _seen(wanted: Plan) -> Calibration:
    measures = decides_later(wanted.options, wanted.assignment)
    narrow = wants_floors(wanted.options, wanted.emitting)
    divided = narrow or (measures and looks_at_text(wanted.options))
    return calibration_of(wanted.model.graph, wanted.options, *text_of(wanted), divided=divided)


def _ranges(wanted: Plan, seen: Calibration) -> tuple[ActivationRange, ...]:
    from optimum_compile.compiler.measure import activation_ranges

    found = first_windows(seen)
    return activation_ranges(wanted.model.graph, found) if found else ()


def _cases(
    wanted: Plan, text: TextSource | None, tokenizer: Any, bos: int | None
) -> dict[str, tuple[Case, ...]]:
    """The oracle's answers for every target, once for those that round alike and take the same widths."""
    from optimum_compile.compiler.conformance import (
        CaseOptions,
        caches_at,
        make_cases,
        rounding_of,
        widths_at,
    )

    words, graph = (text if text is not None else read_text(None)), wanted.model.graph
    options = CaseOptions(seed=wanted.options.seed)
    made: dict[frozenset[tuple[str, Activations | KvStored | Widths]], tuple[Case, ...]] = {}
    answers = {}
    for backend in wanted.emitting:
        if not backend.traits.stores_weights:  # nothing to execute
            continue
        rounding, kv = rounding_of(graph, backend), caches_at(graph, backend)
        widths = widths_at(graph, backend)
        key = frozenset((*rounding.items(), *kv.items(), ("width", widths)))
        if key not in made:
            made[key] = make_cases(graph, words, tokenizer, bos, options, rounding, kv, widths)
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
    from optimum_compile.compiler.conformance import tolerance_for

    if not wanted.options.verify:
        return None
    if not backend.traits.stores_weights:
        return backend.verify(emitted.artifact, (), Tolerance())
    watch.progress(f"verify {backend.name}", 0, 1)
    name = target_name(backend.platform, backend.name)
    tolerance = tolerance_for(backend, wanted.model.graph)
    result = backend.verify(emitted.artifact, answers[name], tolerance)
    watch.progress(f"verify {backend.name}", 1, 1)
    return result
