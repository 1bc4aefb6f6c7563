"""Learning as the block-by-block pass calls it: one segment, and in the end all together."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from optimum_compile.compiler.ir.graph import Graph, Value
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.passes.calibrate.propagate import Propagation, Sample
from optimum_compile.passes.calibrate.segments import Segment
from optimum_compile.passes.precision.learn.block import BlockTask, learn_block
from optimum_compile.passes.precision.learn.distill import Distillation, distill
from optimum_compile.passes.precision.learn.effort import Effort
from optimum_compile.passes.precision.learn.latent import Latent, latent_of
from optimum_compile.passes.precision.notes import Quantized
from optimum_compile.passes.precision.quantize import load_checked


def learn_segment(
    graph: Graph,
    segment: Segment,
    now: Propagation,
    before: Propagation,
    effort: Effort,
    seed: int,
) -> dict[Value, PackedWeight]:
    """Better weights for the linears of `segment`; none where learning found none.

    `now` is at its entrance, `before` has passed it: what the float program puts out is wanted, from
    what comes in now. A weight that another segment reads too (a tied head) stays.
    """
    nodes = set(segment.nodes)
    read = {n.input(1): None for n in segment.nodes if n.op == "linear"}
    own = [value for value in read if all(user in nodes for user in value.users)]
    found = {value: _latent(value) for value in own}
    latents = {value: latent for value, latent in found.items() if latent is not None}
    made = {v for node in segment.nodes for v in node.outputs}
    outputs = tuple(v for v in segment.leaves if v in made and v.type.dtype.is_float)

    def wanted(sample: int) -> Mapping[Value, Tensor]:
        stored = before.spill.read(segment.index + 1, sample)
        return {v: stored[v.name] for v in outputs}

    task = BlockTask(
        graph,
        segment,
        outputs,
        len(now.samples),
        lambda sample: now.samples[sample].symbols,
        lambda sample: now.values(segment, sample),
        wanted,
    )
    better = learn_block(task, latents, effort.steps, effort.batch, seed + segment.index)
    return {v: latent.packed() for v, latent in latents.items()} if better else {}


def distill_all(
    graph: Graph,
    segments: Sequence[Segment],
    samples: Sequence[Sample],
    before: Propagation,
    effort: Effort,
    seed: int,
) -> dict[Value, PackedWeight]:
    """Better grids for every quantised weight that a node reads; none where there are none.

    `before` is at the entrance of the last segment.
    """
    latents: dict[Value, Latent] = {}
    for value in graph.weights.values():
        note = value.notes.get(Quantized)
        found = latent_of(note.load) if note is not None and value.uses else None
        if found is not None:
            latents[value] = found
    task = Distillation(graph, segments, samples, before, effort.epochs, effort.tuning_batch, seed)
    better = distill(task, latents)
    return {v: latent.packed() for v, latent in latents.items()} if better else {}


def _latent(value: Value) -> Latent | None:
    note = value.notes.get(Quantized)
    if note is None:
        return None
    return latent_of(note.load, load_checked(value.name, value))
