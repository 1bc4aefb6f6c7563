"""Open a model and plan its compilation: everything that can refuse does so here, without work."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from optimum_compile.backends.base import Backend, BackendOptions
from optimum_compile.backends.catalog import load_backend
from optimum_compile.compiler.assigning import (
    assignment_of,
    decides_later,
    planes_told,
    provisional,
    refuse_unmeasured,
    settled_by_nested,
)
from optimum_compile.compiler.bind import value_symbols
from optimum_compile.compiler.calibration import (
    TOKENIZER,
    TextSource,
    load_tokenizer,
    need_torch,
    read_text,
    special_token_id,
)
from optimum_compile.compiler.companions import companions_of, configured, settled
from optimum_compile.compiler.errors import OptionError, UnsupportedError
from optimum_compile.compiler.floors import floors_told, refuse_floors
from optimum_compile.compiler.frontend.detect import detect
from optimum_compile.compiler.frontend.open_model import Model, open_model
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.ir.guards import Guards
from optimum_compile.compiler.observers import Observer, SilentObserver
from optimum_compile.compiler.options import CompileOptions, options_from, resolve_targets
from optimum_compile.compiler.options import Target as TargetName
from optimum_compile.compiler.package.writer import refuse_existing
from optimum_compile.compiler.pass_manager import PassContext, PassManager
from optimum_compile.compiler.phasing import refuse_schedules, schedulers_told
from optimum_compile.compiler.quant.kv import parse_kv_bits
from optimum_compile.compiler.quant.scheme_text import parse_widths
from optimum_compile.compiler.quantizing import (
    lack_of_text,
    refuse_float_inputs,
    refuse_unseen,
)
from optimum_compile.passes.fuse.fold_norm import FoldNormScale
from optimum_compile.passes.precision.assign import AssignPrecision
from optimum_compile.passes.precision.kv import AssignKv
from optimum_compile.passes.precision.learn.effort import effort_named
from optimum_compile.passes.precision.policies import policy_named
from optimum_compile.passes.precision.quantizers.recipes import recipe_named
from optimum_compile.passes.rewrite.rotate import RotateResidual
from optimum_compile.passes.symbolic_shape.lengths import Lengths, parse_lengths, set_lengths
from optimum_compile.passes.symbolic_shape.specialize import specialize


@dataclass(frozen=True)
class Plan:
    """What a compilation would do, known before any weight is read."""

    model: Model
    options: CompileOptions
    targets: tuple[TargetName, ...]
    backends: tuple[Backend, ...]
    assignment: AssignPrecision  # the policy's own, which may have to wait for measurements
    remarks: tuple[str, ...] = ()
    beforehand: tuple[str, ...] = ()  # those of `remarks` that no later decision replaces
    companions: tuple[Backend, ...] = ()  # see `compiler.companions`

    def telling(self, *more: str) -> "Plan":
        """The plan with further remarks, which no later decision replaces."""
        return replace(self, remarks=(*self.remarks, *more), beforehand=(*self.beforehand, *more))

    @property
    def emitting(self) -> tuple[Backend, ...]:
        """Everything that is written: the targets that decide, and companions."""
        return (*self.backends, *self.companions)

    @property
    def name(self) -> str:
        """The bundle's name."""
        return self.options.name or self.model.name

    @property
    def final(self) -> Path:
        """Where the bundle goes."""
        return Path(self.options.output) / self.name


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
    found = companions_of(chosen.target).values() if chosen.companions else ()
    added = tuple(target for each in found for target in each)
    return plan_for(model, chosen, names, added, observer=observer)


def plan_for(
    model: str | Path,
    chosen: CompileOptions,
    names: tuple[TargetName, ...],
    added: tuple[TargetName, ...],
    *,
    observer: Observer | None = None,
) -> Plan:
    """Plan `names`, whatever targets the options name, with the companions `added`. Raises as `plan`."""
    chosen = settled_by_nested(chosen)
    choices = BackendOptions(chosen.executor, chosen.activations)
    backends = tuple(load_backend(t.artifact).configured(choices) for t in names)
    text = read_text(chosen.calibration)
    opened = _opened(Path(model), chosen)
    refuse_existing(Path(chosen.output) / (chosen.name or opened.name), chosen.overwrite)
    rewrites = (*_folding(chosen.fold_norms), *_rotation(chosen.rotate, chosen.seed))
    recipe_named(chosen.quantizer), effort_named(chosen.effort)  # refused before work begins
    wanted = Plan(opened, chosen, names, backends, AssignPrecision())
    watch = observer or SilentObserver()
    rewritten = run_passes(wanted, *rewrites, observer=watch, work=None)
    _refuse_nodes(opened, backends)
    companions, left = configured(added, choices, lambda each: _refuse_nodes(opened, (each,)))
    chooses = policy_named(chosen.policy).chooses_caches
    kv = AssignKv(parse_kv_bits(chosen.kv_bits), backends, chooses)
    cache = () if chosen.kv_bits == "16" else (kv,)
    assignment = assignment_of(opened.graph, chosen, backends)
    lengths = _lengths_told(opened.graph, (*backends, *companions))
    told = (
        *_guards_told(opened.graph),
        *lengths,
        *_widths_told(chosen, backends, companions),
        *schedulers_told(chosen, (*backends, *companions)),
        *planes_told(assignment),
        *left,
    )
    beforehand = (*told, *rewritten, *run_passes(wanted, *cache, observer=watch, work=None))
    assign = provisional(assignment, chosen)
    assigned = run_passes(wanted, assign, observer=watch, work=None)
    remarks = (*beforehand, *assigned, *floors_told(chosen, (*backends, *companions)))
    has_tokenizer = any(f.name == TOKENIZER for f in opened.tokenizer_files)
    lack = lack_of_text(opened.graph, text, has_tokenizer)
    refuse_unseen(opened.graph, chosen, lack)
    refuse_unmeasured(chosen, assignment, lack)
    refuse_floors(opened.graph, chosen, (*backends, *companions), lack)
    refuse_schedules(chosen, opened.graph, lack)
    refuse_float_inputs(opened.graph, chosen.quantizer, backends)
    if not decides_later(chosen, assignment):
        companions, left = settled(opened.graph, chosen.quantizer, companions)
        remarks = (*remarks, *left)
    return replace(
        wanted,
        assignment=assignment,
        remarks=remarks,
        beforehand=beforehand,
        companions=companions,
    )


def _opened(path: Path, options: CompileOptions) -> Model:
    """The model, with the values and lengths that `--batch` and `--seq` give its symbols."""
    longest = options.max_prefill
    if options.seq is not None:
        longest = parse_lengths(options.seq).longest if detect(path) == "folder" else None
    opened = open_model(path, context=options.context, max_prefill=longest)
    if options.batch is not None:
        opened = replace(opened, graph=specialize(opened.graph, {"batch": options.batch}))
    return (
        opened
        if options.seq is None
        else replace(opened, graph=set_lengths(opened.graph, options.seq))
    )


def _guards_told(graph: Graph) -> list[str]:
    """What is demanded of every call, beside ranges."""
    note = graph.notes.get(Guards)
    if note is None:
        return []
    checked = [f"every call must meet {guard} ({guard.reason})" for guard in note.guards]
    return [*checked, *(f"torch.export demands {text}: it is not checked" for text in note.unread)]


def _lengths_told(graph: Graph, backends: Sequence[Backend]) -> tuple[str, ...]:
    """Remarks on targets that make other functions than `--seq` names."""
    lengths = graph.notes.get(Lengths)
    if lengths is None:
        return ()
    out = [
        f"{b.name}: one function of any length up to {lengths.longest} serves every length of --seq"
        for b in backends
        if b.traits.one_for_every_length
    ]
    out += [
        f"{b.name}: states need fixed shapes, so prefill of any length is a padded chunk"
        for b in backends
        if lengths.symbolic is not None and b.traits.pads_prompts
    ]
    return tuple(out)


def _widths_told(
    options: CompileOptions, backends: Sequence[Backend], companions: Sequence[Backend]
) -> tuple[str, ...]:
    """Remarks on targets whose artifacts cannot choose the width of nested weights."""
    if options.nested is None:
        return ()
    most = parse_widths(options.nested).bits
    held = [b for b in (*backends, *companions) if b.traits.stores_weights]
    named = [b.name for b in held if not b.traits.chooses_widths]
    return tuple(
        f"{name}: its calls choose no width, so nested weights are always read with all {most} bits"
        for name in named
    )


def _folding(wanted: bool) -> tuple[FoldNormScale, ...]:
    """The rewrite that `--fold-norms` names; it comes first, for a rotation takes the gains too."""
    return (FoldNormScale(),) if wanted else ()


def _rotation(name: str, seed: int) -> tuple[RotateResidual, ...]:
    """The rewrite that `--rotate` names."""
    if name == "none":
        return ()
    residual, values = name in ("residual", "all"), name in ("values", "all")
    return (RotateResidual(seed, residual, values, gated=name in ("gated", "all")),)


def _refuse_nodes(model: Model, backends: Sequence[Backend]) -> None:
    """Raise UnsupportedError that lists every op that a target cannot run, with where and how often."""
    found: dict[tuple[str, str, str], list[str]] = {}
    numbers = ", ".join(value_symbols(model.graph))
    executing = [b.name for b in backends if b.traits.stores_weights]
    if numbers and executing:
        raise UnsupportedError(
            f"{', '.join(executing)}: sizes of {model.name} depend on the number in input {numbers}; "
            "write the model with index_copy and a mask over the whole cache instead"
        )
    _refuse_graph(model, backends)
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


def _refuse_graph(model: Model, backends: Sequence[Backend]) -> None:
    """Raise UnsupportedError for a model that a target cannot take as a whole."""
    verdicts = ((b.name, b.supports_graph(model.graph)) for b in backends)
    refused = [f"{name}: {verdict.reason}" for name, verdict in verdicts if not verdict.ok]
    if refused:
        raise UnsupportedError("; ".join(refused))


def run_passes(
    wanted: Plan, *passes: Any, observer: Observer, work: Path | None
) -> tuple[str, ...]:
    """Run passes over the planned graph; returns their remarks."""
    context = PassContext(seed=wanted.options.seed, work=work, observer=observer)
    return PassManager(passes).run(wanted.model.graph, context)


def text_of(wanted: Plan) -> tuple[TextSource | None, Any, int | None]:
    """The calibration text, the model's tokenizer and its BOS token."""
    tokenizer = load_tokenizer(wanted.model.tokenizer_files)
    bos = special_token_id(wanted.model.tokenizer_files, "bos_token", tokenizer)
    return read_text(wanted.options.calibration), tokenizer, bos
