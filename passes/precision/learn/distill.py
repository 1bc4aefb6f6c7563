"""Tune scales, zero points and tables of all blocks together: distillation from the float program.

The codes stay; what turns them into numbers follows the gradient of KL(float || quantised) of the
predictions on the calibration windows (the end-to-end phase of EfficientQAT, arXiv 2407.11062, with the
float model's predictions in place of labels). One block's weights are held at a time: a step goes
forward block by block, keeps what enters each, and comes back computing each block again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from optimum_compile.compiler.interpret import WeightCache, run_nodes
from optimum_compile.compiler.ir.graph import Graph, Value
from optimum_compile.passes.calibrate.propagate import Propagation, Sample
from optimum_compile.passes.calibrate.segments import Segment
from optimum_compile.passes.precision.learn.block import split
from optimum_compile.passes.precision.learn.latent import Latent

Values = dict[Value, Tensor]
ROWS = 64  # positions whose probabilities are held at once


@dataclass(frozen=True)
class Distillation:
    """What is tuned: a graph of which the first output is logits, its segments and samples.

    teacher: the float way, at the entrance of the last segment. rate: Adam's, in logarithms of scales
    and steps of tables; `zero_rate` is that of the second part of a grid: zero points, in codes, and vectors
    of a codebook of one's own, in the distance between them.
    """

    graph: Graph
    segments: Sequence[Segment]
    samples: Sequence[Sample]
    teacher: Propagation
    epochs: int
    batch: int
    seed: int
    rate: float = 0.002
    zero_rate: float = 0.01


@dataclass(frozen=True)
class _Teacher:
    """The float program's logits, from what enters its last segment."""

    task: Distillation
    cache: WeightCache

    def __call__(self, at: int) -> Tensor:
        last, logits = self.task.segments[-1], self.task.graph.outputs[0]
        found = run_nodes(
            self.task.graph,
            last.nodes,
            self.task.teacher.values(last, at),
            self.task.samples[at].symbols,
            (logits,),
            cache=self.cache,
        )
        return found[logits]


def distill(task: Distillation, latents: Mapping[Value, Latent]) -> bool:
    """Move the grids of `latents` to the best state found; whether it is better than the first.

    Judged on windows that no step sees.
    """
    trained, held = split(len(task.samples))
    parts = [part for latent in latents.values() for part in latent.grid]
    if not parts:
        return False
    teacher = _Teacher(task, WeightCache())
    best = first = _loss(task, latents, teacher, held)
    kept = [p.detach().clone() for p in parts]
    optimizer = _optimizer(task, latents)
    generator = torch.Generator().manual_seed(task.seed)
    steps = task.epochs * -(-len(trained) // task.batch)
    decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
    for _ in range(task.epochs):
        order = torch.randperm(len(trained), generator=generator).tolist()
        for begin in range(0, len(trained), task.batch):
            optimizer.zero_grad()
            _step(task, latents, teacher, [trained[n] for n in order[begin : begin + task.batch]])
            optimizer.step()
            decay.step()
        loss = _loss(task, latents, teacher, held)
        if loss < best:
            best, kept = loss, [p.detach().clone() for p in parts]
    with torch.no_grad():
        for part, state in zip(parts, kept, strict=True):
            part.copy_(state)
    return best < first


def _optimizer(task: Distillation, latents: Mapping[Value, Latent]) -> torch.optim.Adam:
    first = [latent.grid[0] for latent in latents.values() if latent.grid]
    zeros = [part for latent in latents.values() for part in latent.grid[1:]]
    groups = [{"params": first, "lr": task.rate}, {"params": zeros, "lr": task.zero_rate}]
    return torch.optim.Adam([g for g in groups if g["params"]], betas=(0.9, 0.95))


def _entering(task: Distillation, at: int) -> Values:
    given = task.samples[at].inputs
    return {v: torch.from_numpy(given[v.name].copy()) for v in task.graph.inputs}


def _read(segment: Segment, latents: Mapping[Value, Latent]) -> list[Value]:
    inputs = (v for node in segment.nodes for v in node.inputs if v is not None)
    return list(dict.fromkeys(v for v in inputs if v in latents))


def _forward(
    task: Distillation, latents: Mapping[Value, Latent], batch: Sequence[int]
) -> list[list[Values]]:
    """What enters each segment, for each sample of the batch; last of all what leaves the graph."""
    levels = [[_entering(task, n) for n in batch]]
    for segment in task.segments:
        cache = WeightCache()
        with torch.no_grad():
            weights = {v: latents[v].weight() for v in _read(segment, latents)}
        wanted = segment.leaves if segment is not task.segments[-1] else task.graph.outputs[:1]
        found = [
            run_nodes(
                task.graph,
                segment.nodes,
                values,
                task.samples[n].symbols,
                wanted,
                weights="quantized",
                cache=cache,
                replace=weights,
            )
            for n, values in zip(batch, levels[-1], strict=True)
        ]
        levels.append(found)
    return levels


def _step(
    task: Distillation, latents: Mapping[Value, Latent], teacher: _Teacher, batch: Sequence[int]
) -> None:
    """Leave the gradients of the batch's mean KL in every part of every grid."""
    levels = _forward(task, latents, batch)
    logits = task.graph.outputs[0]
    tokens = sum(found[logits].shape[-2] for found in levels[-1])
    pulled = [
        {logits: divergence_gradient(teacher(n), found[logits]) / tokens}
        for n, found in zip(batch, levels.pop(), strict=True)
    ]
    for segment in reversed(task.segments):
        with torch.enable_grad():
            smooth = {v: latents[v].weight() for v in _read(segment, latents)}
        leaves = {v: w.detach().requires_grad_() for v, w in smooth.items()}
        cache = WeightCache()
        entered = levels.pop()
        for at, n in enumerate(batch):
            pulled[at] = _backward(task, segment, entered[at], pulled[at], leaves, n, cache)
        pairs = [(smooth[v], leaf.grad) for v, leaf in leaves.items() if leaf.grad is not None]
        pairs = [(w, g) for w, g in pairs if w.requires_grad]
        torch.autograd.backward([w for w, _ in pairs], [g for _, g in pairs])


def _backward(
    task: Distillation,
    segment: Segment,
    values: Values,
    given: Values,
    leaves: Values,
    at: int,
    cache: WeightCache,
) -> Values:
    """Gradients of what enters a segment, from those of what leaves it."""
    entering = {v: t.detach().requires_grad_(t.is_floating_point()) for v, t in values.items()}
    found = run_nodes(
        task.graph,
        segment.nodes,
        entering,
        task.samples[at].symbols,
        given,
        weights="quantized",
        cache=cache,
        gradients=True,
        replace=leaves,
    )
    pairs = [(found[v], g) for v, g in given.items() if v in found and found[v].requires_grad]
    torch.autograd.backward([t for t, _ in pairs], [g for _, g in pairs])
    return {v: t.grad for v, t in entering.items() if t.grad is not None}


def divergence(teacher: Tensor, student: Tensor) -> float:
    """Sum over positions of KL(teacher || student), nats; both are logits (..., vocabulary)."""
    total = 0.0
    for p, q in _rows(teacher, student):
        wanted, found = p.log_softmax(-1), q.log_softmax(-1)
        total += float((wanted.exp() * (wanted - found)).sum())
    return total


def divergence_gradient(teacher: Tensor, student: Tensor) -> Tensor:
    """The gradient of `divergence` by the student's logits: the difference of probabilities."""
    parts = [q.softmax(-1) - p.softmax(-1) for p, q in _rows(teacher, student)]
    return torch.cat(parts).reshape(student.shape)


def _rows(teacher: Tensor, student: Tensor) -> list[tuple[Tensor, Tensor]]:
    size = teacher.shape[-1]
    pair = (t.reshape(-1, size).split(ROWS) for t in (teacher, student))
    return list(zip(*pair, strict=True))


def _loss(
    task: Distillation, latents: Mapping[Value, Latent], teacher: _Teacher, samples: Sequence[int]
) -> float:
    logits, total = task.graph.outputs[0], 0.0
    for begin in range(0, len(samples), task.batch):
        batch = samples[begin : begin + task.batch]
        found = _forward(task, latents, batch)[-1]
        total += sum(divergence(teacher(n), f[logits]) for n, f in zip(batch, found, strict=True))
    return total
