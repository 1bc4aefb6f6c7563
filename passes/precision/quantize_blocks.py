"""Pass: turn assigned weights into codes block by block, with activations from calibration."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.graph import Graph, Node, Value
from optimum_compile.compiler.ir.notes import Note
from optimum_compile.compiler.pass_manager import PassContext, PassResult
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Float
from optimum_compile.compiler.quant.store import write_packed
from optimum_compile.passes.calibrate.checkpoint import Progress, open_progress
from optimum_compile.passes.calibrate.moments import Moments, guided_hessians, moments
from optimum_compile.passes.calibrate.propagate import Propagation, Sample
from optimum_compile.passes.calibrate.routed import ExpertMoments
from optimum_compile.passes.calibrate.saliency import Saliency, measure_saliency
from optimum_compile.passes.calibrate.segments import Reading, Segment, readings_of, segments_of
from optimum_compile.passes.calibrate.spill import Spill
from optimum_compile.passes.precision.codebooks import shared_codebooks
from optimum_compile.passes.precision.learn.effort import Effort
from optimum_compile.passes.precision.learn.segment import distill_all, learn_segment
from optimum_compile.passes.precision.notes import Precision, Quantized
from optimum_compile.passes.precision.quantize import load_checked
from optimum_compile.passes.precision.quantizers.calibrated import quantize_calibrated
from optimum_compile.passes.precision.quantizers.recipes import Recipe
from optimum_compile.passes.precision.quantizers.select import quantize_weight
from optimum_compile.passes.sensitivity.rounding import TrialRun
from optimum_compile.passes.sensitivity.trials import Trials
from optimum_compile.passes.stages.blocks import is_quantizable


@dataclass(frozen=True)
class QuantizeBlocks:
    """Replace the `Precision` decision by packed weights that know their inputs.

    Before:  @up_proj.weight : f16[768, 256] {Precision(scheme=int4:g32)}
    After:   @up_proj.weight : f16[768, 256] {Precision(...), Quantized(sha256=..., store=...)}

    Blocks are taken in order, and inside one the linears by what they read; everything before is
    quantised by then, so each sees the inputs that it will see on the phone. A table that is the
    output head too must be fixed before the first block looks anything up: it takes the inputs of the
    float program's head. After each block the state is on disk under `work`, and a run that was
    killed goes on there.

    With `trials`, every unit is rounded in each of its other choices too, from the same moments, and
    with codebooks that all units of a choice share.
    """

    name: ClassVar[str] = "quantize-weights"
    needs: ClassVar[tuple[type[Note], ...]] = (Precision,)
    writes: ClassVar[tuple[type[Note], ...]] = (Quantized,)

    work: Path
    recipe: Recipe
    samples: tuple[Sample, ...]
    fingerprint: str = ""
    effort: Effort = Effort()
    trials: Trials | None = None

    def run(self, graph: Graph, ctx: PassContext) -> PassResult:
        """See the class. Raises InputError for weights or activations that are not finite."""
        return _Run(self, graph, ctx).all()


def is_rounded(value: Value) -> bool:
    """Whether a weight loses bits: what stays a float needs no activations."""
    note = value.notes.get(Precision)
    return note is not None and not isinstance(note.scheme, Float)


class _Run:
    """One run over a graph: the two ways through it, and what is done."""

    def __init__(self, options: QuantizeBlocks, graph: Graph, ctx: PassContext) -> None:
        self.options = options
        self.graph = graph
        self.ctx = ctx
        self.segments = segments_of(graph)
        self.changed = False
        self.progress: Progress = open_progress(options.work, options.fingerprint)
        folder = options.work / "activations"
        self.now = Propagation(graph, options.samples, folder / "quantized", "quantized")
        self.before = Propagation(graph, options.samples, folder / "float", "float")
        self.store = options.work / "weights"
        self.saliency: Saliency | None = None
        originals = self.before if options.recipe.propagation > 0 else None
        self.experts = ExpertMoments(options.recipe.routing, self.now, originals)
        resumed = bool(self.progress.done or self.progress.packed)
        self.trials = None
        if options.trials is not None:
            self.trials = TrialRun(options.trials, options.recipe, ctx.seed)
            self.codebooks = self.trials.books
        else:
            self.codebooks = shared_codebooks(
                graph, ctx.seed, load_checked, options.work, resumed=resumed
            )

    def all(self) -> PassResult:
        """Every segment that is not done yet."""
        self.store.mkdir(parents=True, exist_ok=True)
        for name, sha256 in self.progress.packed.items():
            self._note(self.graph.weights[name], sha256)
        total = len(self.segments)
        self._measure_saliency()
        if self.progress.done == 0:
            self._refuse_broken()
            self._tables()
            for way in self._ways():
                way.start()
        for segment in self.segments[self.progress.done :]:
            self.ctx.progress(self.options.name, segment.index, total)
            self._segment(segment)
        self.ctx.progress(self.options.name, total, total)
        return PassResult(changed=self.changed, remarks=tuple(self.progress.remarks))

    def _needs_inputs(self, value: Value) -> bool:
        tried = self.trials is not None and self.trials.rounds(value.name)
        return is_rounded(value) or tried

    def _refuse_broken(self) -> None:
        """Name a weight that is not finite, before its traces show in somebody's activations."""
        for name, value in self.graph.weights.items():
            if value.uses and value.type.dtype.is_float:
                load_checked(name, value)

    def _ways(self) -> Sequence[Propagation]:
        both = self.options.recipe.propagation > 0 or self.options.effort.learns
        return (self.now, self.before) if both else (self.now,)

    def _segment(self, segment: Segment) -> None:
        for reading in readings_of(segment):
            readers = {n.input(1): n for n in reading.linears}
            todo = [v for v in readers if not v.notes.get(Quantized)]
            seen = self._seen(segment, reading) if any(map(self._needs_inputs, todo)) else None
            for value in todo:
                guided = self._guided(segment, readers[value], seen)
                self._quantize(value, self.experts.guided(segment, reading, guided))
        if segment is not self.segments[-1]:
            for way in self._ways()[1:]:
                way.advance(segment)
            self._learn(segment)
            self.now.advance(segment)
        else:
            self._distill()
        self.progress.done = segment.index + 1
        self.progress.remarks += self.experts.take_remarks()
        if self.trials:
            self.trials.save()
        self.progress.save()
        for way in self._ways():
            way.forget(segment)
        if self.saliency is not None:
            self.saliency.spill.drop(segment.index)

    def _seen(self, segment: Segment, reading: Reading) -> Moments:
        if reading.expert is not None:
            return self.experts.of(segment, reading)
        name = reading.linears[0].origin or reading.source.name
        originals = None
        if self.options.recipe.propagation > 0:
            originals = self.before.inputs_of(segment, reading.source)
        return moments(name, self.now.inputs_of(segment, reading.source), originals)

    def _guided(self, segment: Segment, linear: Node, seen: Moments | None) -> Moments | None:
        """Moments with a Hessian for each group of the linear's rows, where the recipe asks."""
        if seen is None or not self._needs_inputs(linear.input(1)):
            return seen
        return self._guided_by(self.now, segment, linear, seen)

    def _guided_by(
        self, way: Propagation, segment: Segment, linear: Node, seen: Moments
    ) -> Moments:
        saliency = self.saliency
        if saliency is None:
            return seen
        weights = (saliency.of(segment, n, linear) for n in range(len(way.samples)))
        inputs = way.inputs_of(segment, linear.input(0))
        return replace(seen, guided=guided_hessians(inputs, weights))

    def _measure_saliency(self) -> None:
        """Once, by the float program; a run that goes on finds it on disk."""
        recipe, folder = self.options.recipe, self.options.work / "activations" / "saliency"
        if recipe.guided == 0:
            return
        if self.progress.done == 0:
            way = Propagation(self.graph, self.options.samples, folder / "float", "float")
            measure_saliency(self.graph, self.segments, way, folder, recipe.guided, self.ctx.seed)
        self.saliency = Saliency(Spill(folder), recipe.guided)

    def _tables(self) -> None:
        """Weights that are looked up, or read by no linear: before anything runs."""
        heads = self._head_moments()
        for value in self.graph.weights.values():
            assigned = value.notes.get(Precision)
            if not value.uses or not value.type.dtype.is_float:
                continue
            is_linear = is_quantizable(value) and any(n.op == "linear" for n in value.users)
            waits = is_linear and self._needs_inputs(value) and value not in heads
            if assigned is None or waits:
                continue
            self._quantize(value, heads.get(value))

    def _head_moments(self) -> dict[Value, Moments]:
        """Moments for tables that are looked up and multiplied with, by the float program."""
        tied = {
            reading.source: reading.linears[0].input(1)
            for segment in self.segments
            for reading in readings_of(segment)
            if any(n.op == "embedding" for n in reading.linears[0].input(1).users)
            and self._needs_inputs(reading.linears[0].input(1))
        }
        if not tied:
            return {}
        way = Propagation(
            self.graph, self.options.samples, self.options.work / "activations" / "head", "float"
        )
        way.start()
        out: dict[Value, Moments] = {}
        for segment in self.segments:
            self.ctx.progress("look ahead to the tied head", segment.index, len(self.segments))
            for reading in readings_of(segment):
                if reading.source in tied:
                    inputs = way.inputs_of(segment, reading.source)
                    seen = moments("the head", inputs)
                    out[tied[reading.source]] = self._guided_by(
                        way, segment, reading.linears[0], seen
                    )
            if segment is not self.segments[-1]:
                way.advance(segment)
            way.forget(segment)
        self.ctx.progress("look ahead to the tied head", len(self.segments), len(self.segments))
        return out

    def _learn(self, segment: Segment) -> None:
        """Improve the weights of a block whose float outputs are known."""
        if self.options.effort.steps == 0:
            return
        learned = learn_segment(
            self.graph, segment, self.now, self.before, self.options.effort, self.ctx.seed
        )
        for value, packed in learned.items():
            self._keep(value, packed)

    def _distill(self) -> None:
        """Tune the grids of all blocks together, once all are quantised."""
        if self.options.effort.epochs == 0:
            return
        tuned = distill_all(
            self.graph,
            self.segments,
            self.options.samples,
            self.before,
            self.options.effort,
            self.ctx.seed,
        )
        for value, packed in tuned.items():
            self._keep(value, packed)

    def _quantize(self, value: Value, seen: Moments | None) -> None:
        note = value.notes.get(Precision)
        if note is None:
            return
        data = load_checked(value.name, value)
        packed: PackedWeight
        book = self.codebooks.of(note.scheme)
        if seen is None:
            packed = quantize_weight(data, note.scheme, codebook=book)
        else:
            packed = quantize_calibrated(data, note.scheme, seen, self.options.recipe, book)
        if self.trials:
            self.trials.round(value.name, data, packed, seen)
        self._keep(value, packed)

    def _keep(self, value: Value, packed: PackedWeight) -> None:
        sha256 = write_packed(self.store, packed)
        self.progress.packed[value.name] = sha256
        self._note(value, sha256)

    def _note(self, value: Value, sha256: str) -> None:
        note = value.notes.get(Precision)
        if note is None:
            raise InternalError(f"{value.name} is quantised, but has no scheme")
        fresh = Quantized(note.scheme, sha256, self.store)
        self.changed |= value.notes.get(Quantized) != fresh
        value.notes.put(fresh)
