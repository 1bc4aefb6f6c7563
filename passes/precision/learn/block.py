"""Learn the rounding of one block: SignSGD on the squared error of what the block puts out.

SignRound (Cheng et al., arXiv 2309.05516; AutoRound): every weight of a block gets an offset that may
change its code, scales and zero points move too, all of them by the sign of their gradient, and the
best state is kept. Here the start is not plain rounding but the result of error feedback, and the best
state is the best on windows that no step sees.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from optimum_compile.compiler.interpret import WeightCache, run_nodes
from optimum_compile.compiler.ir.graph import Graph, Value
from optimum_compile.passes.calibrate.segments import Segment
from optimum_compile.passes.precision.learn.latent import Latent

Values = Mapping[Value, Tensor]
HELD_OUT = 8  # one window of so many is held out to choose the best state
GRID_RATE = 0.05  # of the rate of the codes: scales are fitted already


@dataclass(frozen=True)
class BlockTask:
    """What one block is to learn.

    enters and wanted give, for a sample, what comes in and what should come out; symbols its sizes.
    """

    graph: Graph
    segment: Segment
    outputs: tuple[Value, ...]
    samples: int
    symbols: Callable[[int], Mapping[str, int]]
    enters: Callable[[int], Values]
    wanted: Callable[[int], Values]


def learn_block(
    task: BlockTask, latents: Mapping[Value, Latent], steps: int, batch: int, seed: int
) -> bool:
    """Move `latents` to the best state found in `steps` steps; whether any was better than the first.

    The rate falls linearly to zero from 1 / steps, so that a code can just reach its neighbour.
    """
    trained, held = split(task.samples)
    scale = _energy(task, held)
    if scale == 0 or not latents:
        return False
    cache = WeightCache()
    best = first = _loss(task, latents, held, cache)
    kept = _state(latents)
    generator = torch.Generator().manual_seed(seed)
    for step in range(steps):
        chosen = torch.randperm(len(trained), generator=generator)[:batch].tolist()
        _gradients(task, latents, [trained[n] for n in chosen], scale, cache)
        _signed(latents, (1 - step / steps) / steps)
        if (step + 1) % max(1, steps // 8) == 0 or step + 1 == steps:
            loss = _loss(task, latents, held, cache)
            if loss < best:
                best, kept = loss, _state(latents)
    _restore(latents, kept)
    return best < first


def split(samples: int) -> tuple[list[int], list[int]]:
    """Samples to learn from, and those to choose by; the same ones where there are few."""
    held = list(range(HELD_OUT - 1, samples, HELD_OUT))
    if not held:
        return list(range(samples)), list(range(samples))
    return [n for n in range(samples) if n not in set(held)], held


def _outputs(
    task: BlockTask, at: int, replace: Values, cache: WeightCache, gradients: bool
) -> dict[Value, Tensor]:
    return run_nodes(
        task.graph,
        task.segment.nodes,
        task.enters(at),
        task.symbols(at),
        task.outputs,
        weights="quantized",
        cache=cache,
        gradients=gradients,
        replace=replace,
    )


def _error(found: Values, wanted: Values) -> Tensor:
    parts = [((t - wanted[v]) ** 2).sum() for v, t in found.items()]
    return torch.stack(parts).sum()


def _energy(task: BlockTask, samples: Sequence[int]) -> float:
    """Sum of squares of what is wanted, so that gradients have no units; 0 where it is infinite."""
    total = sum(float((t.double() ** 2).sum()) for n in samples for t in task.wanted(n).values())
    return total if math.isfinite(total) else 0.0


def _loss(
    task: BlockTask, latents: Mapping[Value, Latent], samples: Sequence[int], cache: WeightCache
) -> float:
    with torch.no_grad():
        weights = {value: latent.weight() for value, latent in latents.items()}
    return sum(
        float(_error(_outputs(task, n, weights, cache, False), task.wanted(n))) for n in samples
    )


def _gradients(
    task: BlockTask,
    latents: Mapping[Value, Latent],
    samples: Sequence[int],
    scale: float,
    cache: WeightCache,
) -> None:
    """Leave gradients of the error, as a share of `scale`, in every parameter."""
    with torch.enable_grad():
        smooth = {value: latent.weight() for value, latent in latents.items()}
    leaves = {v: w.detach().requires_grad_() for v, w in smooth.items()}
    for n in samples:
        found = _outputs(task, n, leaves, cache, True)
        with torch.enable_grad():
            (_error(found, task.wanted(n)) / scale).backward()
    for latent in latents.values():
        for part in (*latent.codes, *latent.grid):
            part.grad = None
    pulled = [(smooth[v], leaf.grad) for v, leaf in leaves.items() if leaf.grad is not None]
    torch.autograd.backward([w for w, _ in pulled], [g for _, g in pulled])


def _signed(latents: Mapping[Value, Latent], rate: float) -> None:
    with torch.no_grad():
        for latent in latents.values():
            for points in latent.codes:
                if points.grad is not None:
                    points -= rate * points.grad.sign()
            for part in latent.grid:
                if part.grad is not None:
                    part -= GRID_RATE * rate * part.grad.sign()


def _state(latents: Mapping[Value, Latent]) -> list[Tensor]:
    return [
        p.detach().clone() for latent in latents.values() for p in (*latent.codes, *latent.grid)
    ]


def _restore(latents: Mapping[Value, Latent], state: Sequence[Tensor]) -> None:
    parts = [p for latent in latents.values() for p in (*latent.codes, *latent.grid)]
    with torch.no_grad():
        for part, kept in zip(parts, state, strict=True):
            part.copy_(kept)
