"""When nested weights are read with how many bits: decided while compiling, on text that rounding never saw."""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from optimum_compile.backends.base import Backend
from optimum_compile.compiler.calibration import TextSource
from optimum_compile.compiler.decoder import context_of
from optimum_compile.compiler.errors import InputError, OptionError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.observers import Observer
from optimum_compile.compiler.options import CompileOptions
from optimum_compile.compiler.package.describe import source_digest
from optimum_compile.compiler.quantizing import calibration_of
from optimum_compile.passes.phase.notes import Phases
from optimum_compile.passes.precision.floors import bits_read
from optimum_compile.passes.precision.narrow import widths_of

LEARNED = "schedule.safetensors"  # a learned scheduler, in the bundle
TEXTS = 16
PROMPT, ANSWER = 32, 96  # tokens, where context and text have room for them
LEAST = 8  # tokens of a prompt, and of an answer


def refuse_schedules(options: CompileOptions, graph: Graph, lack: str) -> None:
    """Raise what a schedule or a scheduler would be refused with, before any work.

    lack: why there is no text, "" where there is; see `lack_of_text`. Raises OptionError without nested
    weights or text, InputError for a scheduler that is none, or was made for another model or widths.
    """
    if options.schedule != "none":
        if len(widths_of(graph)) < 2:
            raise OptionError("schedule: no nested weights; add --nested 2,3,4")
        if lack:
            raise OptionError(f"schedule: answers cannot be compared: {lack}")
        _sizes(graph, PROMPT)
    if options.scheduler is not None:
        if len(widths_of(graph)) < 2:
            raise OptionError("scheduler: no nested weights; add --nested 2,3,4")
        _check_scheduler(Path(options.scheduler), graph)


def schedulers_told(options: CompileOptions, backends: Sequence[Backend]) -> tuple[str, ...]:
    """A remark where no artifact of the bundle has a runtime for the scheduler in it."""
    if options.scheduler is None or any(b.traits.runs_schedulers for b in backends):
        return ()
    return ("scheduler: no target of this bundle has a runtime that runs it; add --target native",)


def phases_of(
    graph: Graph,
    options: CompileOptions,
    text: TextSource | None,
    tokenizer: Any,
    bos: int | None,
    stop: int | None,
    watch: Observer,
) -> Phases | None:
    """What `--schedule static` asks for, of a graph with rounded weights; None where nothing does.

    Prompts are beginnings of the windows that calibration sets apart for measuring and selecting. Raises
    InputError for text that is too short.
    """
    if options.schedule == "none":
        return None
    # These import torch, whose absence is reported before.
    from optimum_compile.passes.phase.batched import BatchedEngine
    from optimum_compile.passes.phase.decide import Wish, decide
    from optimum_compile.passes.phase.judge import Measure, make_reference

    seen = calibration_of(graph, options, text, tokenizer, bos, divided=True)
    rows = [*seen.selection, *seen.profiling]
    prompt, length = _sizes(graph, max((len(row) for row in rows), default=0))
    prompts = [row[:prompt] for row in rows if len(row) >= prompt][:TEXTS]
    reference = make_reference(
        BatchedEngine(graph, original=True),
        np.array(prompts, np.int64),
        length,
        () if stop is None else (stop,),
    )
    wish = Wish(Measure(options.schedule_measure), options.schedule_loss)
    found = decide(BatchedEngine(graph), reference, wish, partial(watch.progress, "schedule"))
    return replace(found, bits_read=tuple((w, round(bits_read(graph, w), 4)) for w in found.widths))


def _sizes(graph: Graph, longest: int) -> tuple[int, int]:
    """Tokens of prompts and of answers, where texts have `longest`. Raises InputError for too few."""
    context = context_of(graph) or 0
    prompt = min(PROMPT, context // 3, longest)
    length = min(ANSWER, context - prompt)
    if prompt < LEAST or length < LEAST:
        raise InputError(
            f"schedule: prompts of {prompt} and answers of {length} tokens; at least {LEAST} of both are "
            f"needed: give more text (--calibration) or a longer --context"
        )
    return prompt, length


def schedule_remark(phases: Phases) -> str:
    """The remark on what was decided."""
    bits = phases.effective_bits(phases.static)
    return (
        f"schedule: {phases.static}: {bits:.2f} bits in the mean over {phases.length} tokens, by "
        f"{phases.measure.value} of {phases.texts} texts within {phases.epsilon:g}"
        + (f"; {phases.remark}" if phases.remark else "")
    )


def model_digest(graph: Graph) -> str:
    """What a scheduler says that it was made for: SHA-256 of the digests of the checkpoint's files."""
    return hashlib.sha256(source_digest(graph).encode()).hexdigest()


def add_scheduler(options: CompileOptions, out: Path) -> None:
    """Put the file of `--scheduler`, which `refuse_schedules` checked, into the bundle."""
    if options.scheduler is not None:
        shutil.copyfile(options.scheduler, out / LEARNED)


def _check_scheduler(file: Path, graph: Graph) -> None:
    from optimum_compile.passes.phase.learned_file import load

    plan, widths = load(file).plan, widths_of(graph)
    if plan.model and plan.model != model_digest(graph):
        raise InputError(
            f"{file}: was trained for another checkpoint ({plan.model[:12]}), this one is "
            f"{model_digest(graph)[:12]}; train it with this model"
        )
    for bits in (plan.prefill, plan.high, plan.low):
        if bits not in widths:
            held = ", ".join(map(str, widths))
            raise InputError(
                f"{file}: chooses {bits} bits; the nested weights of the bundle have {held}"
            )
